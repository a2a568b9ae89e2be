/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a block is made of here, it says what looking at the sixteen bytes one by one says.
 */
#include "base/text/block.h"
#include "tests/unit/base/suites.h"

typedef bool predicate(unsigned char byte);

static bool is_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}
static bool is_control(unsigned char byte)
{
    return byte < 0x20;
}
static bool is_not_ascii(unsigned char byte)
{
    return byte >= 0x80;
}
static bool is_seven(unsigned char byte)
{
    return byte == 7;
}

static unsigned first_of(const char *bytes, predicate *holds)
{
    unsigned at = 0;
    while (at < BLOCK && !holds((unsigned char)bytes[at]))
        at++;
    return at;
}

static void check_set(const char *bytes, struct block_set set, predicate *holds)
{
    unsigned first = first_of(bytes, holds);
    ck_assert_int_eq(block_any(set), first < BLOCK);
    if (first < BLOCK)
        ck_assert_uint_eq(block_first(set), first);
}

/* Which bytes a set has, one bit for each. */
static unsigned members_of(struct block_set set)
{
    unsigned members = 0;
    for (; block_any(set); set = block_rest(set))
        members |= 1u << block_first(set);
    return members;
}

static void check_operations(const char *bytes, struct block_set sevens)
{
    unsigned is_there = 0, all = (1u << BLOCK) - 1, last = 1u << (BLOCK - 1);
    for (unsigned i = 0; i < BLOCK; i++)
        is_there |= (unsigned)(bytes[i] == 7) << i;
    struct block_set behind = block_behind(sevens);
    ck_assert_uint_eq(members_of(sevens), is_there);
    ck_assert_uint_eq(members_of(behind), is_there << 1 & all);
    ck_assert_uint_eq(members_of(block_without(sevens, behind)), is_there & ~(is_there << 1));
    ck_assert_uint_eq(members_of(block_without_last(sevens)), is_there & ~last);
    ck_assert_int_eq(block_has_last(sevens), (is_there & last) != 0);
}

static void check_block(const char *bytes)
{
    struct block block = block_load(bytes);
    check_set(bytes, block_escapes(block), is_escape);
    check_set(bytes, block_controls(block), is_control);
    check_set(bytes, block_not_ascii(block), is_not_ascii);
    check_set(bytes, block_equal(block, 7), is_seven);
    check_operations(bytes, block_equal(block, 7));
    char copy[BLOCK];
    block_store(copy, block);
    ck_assert_mem_eq(copy, bytes, BLOCK);
    uint64_t low, high;
    memcpy(&low, bytes, sizeof low);
    memcpy(&high, bytes + sizeof low, sizeof high);
    block_store(copy, block_of(low, high));
    ck_assert_mem_eq(copy, bytes, BLOCK);
}

START_TEST(each_byte_at_each_place)
{
    char bytes[BLOCK];
    for (unsigned place = 0; place < BLOCK; place++)
        for (unsigned byte = 0; byte < 256; byte++) {
            memset(bytes, 'a', sizeof bytes);
            bytes[place] = (char)byte;
            check_block(bytes);
            memset(bytes, (int)byte, sizeof bytes);
            bytes[place] = 'a';
            check_block(bytes);
        }
}
END_TEST

/* Two blocks that differ in one byte are alike in the others. */
START_TEST(where_two_are_alike)
{
    char bytes[BLOCK], others[BLOCK];
    for (unsigned place = 0; place < BLOCK; place++) {
        for (unsigned i = 0; i < BLOCK; i++)
            bytes[i] = others[i] = (char)(i * 37);
        others[place] ^= (char)(1 << place % 8);
        struct block_set same = block_alike(block_load(bytes), block_load(others));
        ck_assert_uint_eq(members_of(same), ((1u << BLOCK) - 1) & ~(1u << place));
        for (unsigned count = 1; count <= BLOCK; count++)
            ck_assert_int_eq(!block_any(block_without(block_first_ones(count), same)),
                             count <= place);
        struct block_set byte = block_equal(block_load(bytes), bytes[place]);
        struct block_set all = block_union(same, block_without(byte, same));
        ck_assert_uint_eq(members_of(all), (1u << BLOCK) - 1);
    }
}
END_TEST

START_TEST(what_stands_from_a_place_on)
{
    char bytes[BLOCK];
    memset(bytes, '"', sizeof bytes);
    for (unsigned place = 0; place < BLOCK; place++)
        ck_assert_uint_eq(block_first(block_from(block_escapes(block_load(bytes)), place)), place);
    bytes[BLOCK - 1] = 'a';
    ck_assert(!block_any(block_from(block_escapes(block_load(bytes)), BLOCK - 1)));
}
END_TEST

/* Short texts: every byte is in the block, and nothing but the text is copied. */
START_TEST(texts_shorter_than_a_block)
{
    char text[BLOCK], to[BLOCK + 2];
    for (unsigned len = 0; len <= BLOCK; len++)
        for (unsigned place = 0; place <= len; place++) {
            for (unsigned i = 0; i < len; i++)
                text[i] = (char)('a' + i);
            if (place < len)
                text[place] = 7;
            ck_assert_int_eq(block_any(block_equal(block_of_text(text, len), 7)), place < len);
            ck_assert_int_eq(block_any(block_escapes(block_of_text(text, len))), place < len);
            memset(to, '-', sizeof to);
            copy_short(to + 1, text, len);
            ck_assert_mem_eq(to + 1, text, len);
            ck_assert(to[0] == '-' && to[len + 1] == '-');
        }
}
END_TEST

Suite *block_suite(void)
{
    Suite *suite = suite_create("block");
    TCase *tcase = tcase_create("block");
    tcase_add_test(tcase, each_byte_at_each_place);
    tcase_add_test(tcase, where_two_are_alike);
    tcase_add_test(tcase, what_stands_from_a_place_on);
    tcase_add_test(tcase, texts_shorter_than_a_block);
    suite_add_tcase(suite, tcase);
    return suite;
}
