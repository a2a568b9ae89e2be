/* SPDX-License-Identifier: Apache-2.0
 *
 * Lists that are sorted for looking up, against looking at each item: on numbers that are always the same ones.
 */
#include <check.h>
#include <stdio.h>

#include "base/ip_network.h"
#include "base/text/word_list.h"
#include "tests/unit/base/suites.h"

static uint32_t state;

/* Not too many different ones, so that they often meet. */
static unsigned draw(unsigned below)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 16) % below;
}

static struct ip_network draw_network(unsigned bits)
{
    struct ip_network network = {.bytes = draw(2) ? 4 : 16};
    for (unsigned i = 0; i < network.bytes; i++)
        network.address[i] = (unsigned char)(i < 2 ? draw(4) << 6 : draw(8));
    ip_network_mask(&network, bits > network.bytes * 8 ? network.bytes * 8 : bits);
    return network;
}

START_TEST(networks_as_each_of_them)
{
    struct arena arena;
    struct ip_networks networks = {0}, all = {0};
    arena_init(&arena, NULL);
    state = (uint32_t)_i;
    for (int i = 0; i < _i; i++) {
        struct ip_network network = draw_network(draw(33));
        ip_networks_add(&networks, &arena, &network);
        ip_networks_add(&all, &arena, &network);
    }
    ip_networks_sort(&networks);
    ck_assert_uint_le(networks.count, all.count);
    for (unsigned i = 0; i < 2000; i++) {
        struct ip_network address = draw_network(i % 10 ? 128 : draw(33));
        bool expected = false;
        for (size_t k = 0; k < all.count; k++)
            expected |= ip_network_contains(&all.items[k], &address);
        ck_assert_int_eq(ip_networks_contain(&networks, &address), expected);
    }
    arena_release(&arena);
}
END_TEST

static struct str draw_word(struct arena *arena, unsigned letters, unsigned length)
{
    char *text = arena_bytes(arena, length + 1);
    unsigned len = draw(length + 1);
    for (unsigned i = 0; i < len; i++)
        text[i] = (char)(draw(40) ? 'a' + (int)draw(letters) : (int)draw(256));
    return str_make(text, len);
}

START_TEST(words_as_each_of_them)
{
    enum { WORDS_MAX = 3000 };
    static struct str words[WORDS_MAX];
    struct arena arena;
    size_t count = (size_t)_i * _i * _i, walked;
    arena_init(&arena, NULL);
    state = (uint32_t)_i;
    count = count > WORDS_MAX ? WORDS_MAX : count;
    for (size_t i = 0; i < count; i++)
        words[i] = draw_word(&arena, 1 + (unsigned)_i, 8);
    struct word_list *list = word_list_new(&arena, words, count);
    for (unsigned i = 0; i < 2000; i++) {
        struct str text = draw_word(&arena, 1 + (unsigned)_i, 20);
        uint32_t expected = WORD_NONE;
        for (size_t k = count; k-- > 0;)
            if (words[k].len > 0 && str_starts_with(text, words[k]))
                expected = (uint32_t)k;
        ck_assert_uint_eq(word_list_find(list, text, &walked), expected);
        ck_assert_uint_le(walked, 9);
    }
    arena_release(&arena);
}
END_TEST

Suite *lists_suite(void)
{
    Suite *suite = suite_create("lists");
    TCase *tcase = tcase_create("lists");
    tcase_add_loop_test(tcase, networks_as_each_of_them, 0, 40);
    tcase_add_loop_test(tcase, words_as_each_of_them, 0, 16);
    suite_add_tcase(suite, tcase);
    return suite;
}
