/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/tokenizer.h"
#include "tests/unit/codecs/suites.h"

enum { MAX_BYTES = 12 };

static struct arena arena;
static struct buf seen; /* tokens as [token], too long as !, a flushed rest as (rest) */

static void set_up(void)
{
    arena_init(&arena, NULL);
    buf_init(&seen, 4096);
}

static void tear_down(void)
{
    arena_release(&arena);
    buf_release(&seen);
}

static void feed(struct tokenizer *tokenizer, struct str bytes)
{
    for (;;) {
        struct str token;
        switch (tokenizer_next(tokenizer, &arena, &bytes, &token)) {
        case TOKEN_LINE:
            buf_printf(&seen, "[%.*s]", STR_FMT(token));
            break;
        case TOKEN_TOO_LONG:
            buf_append_char(&seen, '!');
            break;
        case TOKEN_NEED_MORE:
            ck_assert_uint_eq(bytes.len, 0);
            return;
        }
    }
}

static void finish(struct tokenizer *tokenizer)
{
    struct str rest;
    if (tokenizer_flush(tokenizer, &arena, &rest))
        buf_printf(&seen, "(%.*s)", STR_FMT(rest));
    ck_assert_uint_eq(tokenizer_pending(tokenizer), 0);
    tokenizer_release(tokenizer);
}

static const struct {
    const char *delimiter, *in, *out;
} SPLIT[] = {
    {"\n", "a\nbc\n", "[a][bc]"},
    {"\n", "\n\n", "[][]"},
    {"\n", "a\r\nb", "[a\r](b)"},
    {"\n", "", ""},
    {"\n", "123456789012\nx\n", "[123456789012][x]"},
    {"\n", "1234567890123\nx\n", "![x]"},
    {"\n", "12345678901234567890123456789\nx", "!(x)"},
    {"\n", "1234567890123", "!"},
    {";;", "a;;b;c;;;d;;", "[a][b;c][;d]"},
    {";;", "1234567890123;;x;;", "![x]"},
    {";;", "12345678901234567890;;;;x;;", "![][x]"},
    {"abab", "xababab1ababy", "[x][ab1](y)"},
};

START_TEST(splits_alike_wherever_the_bytes_are_cut)
{
    struct str in = str_from(SPLIT[_i].in);
    for (size_t first = 0; first <= in.len; first++) {
        for (size_t second = first; second <= in.len; second++) {
            struct tokenizer tokenizer;
            tokenizer_init(&tokenizer, str_from(SPLIT[_i].delimiter), 1, MAX_BYTES);
            buf_clear(&seen, SIZE_MAX);
            feed(&tokenizer, str_make(in.ptr, first));
            feed(&tokenizer, str_make(in.ptr + first, second - first));
            feed(&tokenizer, str_from_offset(in, second));
            finish(&tokenizer);
            buf_append_char(&seen, '\0');
            ck_assert_str_eq(seen.ptr, SPLIT[_i].out);
        }
    }
}
END_TEST

START_TEST(borrows_a_token_that_is_whole)
{
    static const char bytes[] = "one\ntwo\n";
    struct tokenizer tokenizer;
    tokenizer_init(&tokenizer, STR("\n"), 1, MAX_BYTES);
    struct str rest = str_from(bytes), token;
    ck_assert_int_eq(tokenizer_next(&tokenizer, &arena, &rest, &token), TOKEN_LINE);
    ck_assert_ptr_eq(token.ptr, bytes);
    ck_assert_int_eq(tokenizer_next(&tokenizer, &arena, &rest, &token), TOKEN_LINE);
    ck_assert_ptr_eq(token.ptr, bytes + 4);
    tokenizer_release(&tokenizer);
}
END_TEST

START_TEST(counts_what_is_pending)
{
    struct tokenizer tokenizer;
    tokenizer_init(&tokenizer, STR("\n"), 1, MAX_BYTES);
    feed(&tokenizer, STR("one\ntwo"));
    ck_assert_uint_eq(tokenizer_pending(&tokenizer), 3);
    feed(&tokenizer, STR("4567890123456789"));
    ck_assert_uint_eq(tokenizer_pending(&tokenizer), 19);
    feed(&tokenizer, STR("\n"));
    ck_assert_uint_eq(tokenizer_pending(&tokenizer), 0);
    finish(&tokenizer);
}
END_TEST

/* U+0A0D U+000A in UTF-16BE: the bytes 0D 0A stand across no unit, 0A 00 does. */
START_TEST(finds_a_delimiter_at_whole_units_only)
{
    static const char bytes[] = {0x0A, 0x0D, 0x00, 0x61, 0x00, 0x0A, 0x00, 0x62};
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        struct tokenizer tokenizer;
        tokenizer_init(&tokenizer, str_make("\0\n", 2), 2, MAX_BYTES);
        struct str token = {0}, part = str_make(bytes, cut);
        enum token_result result = tokenizer_next(&tokenizer, &arena, &part, &token);
        if (result == TOKEN_NEED_MORE) {
            part = str_make(bytes + cut, sizeof bytes - cut);
            result = tokenizer_next(&tokenizer, &arena, &part, &token);
        }
        ck_assert_int_eq(result, TOKEN_LINE);
        ck_assert_uint_eq(token.len, 4);
        ck_assert_mem_eq(token.ptr, bytes, 4);
        tokenizer_release(&tokenizer);
    }
}
END_TEST

Suite *tokenizer_suite(void)
{
    Suite *suite = suite_create("tokenizer");
    TCase *cases = tcase_create("tokenizer");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, splits_alike_wherever_the_bytes_are_cut, 0,
                        sizeof SPLIT / sizeof *SPLIT);
    tcase_add_test(cases, borrows_a_token_that_is_whole);
    tcase_add_test(cases, counts_what_is_pending);
    tcase_add_test(cases, finds_a_delimiter_at_whole_units_only);
    suite_add_tcase(suite, cases);
    return suite;
}
