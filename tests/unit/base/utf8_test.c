/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/utf8.h"
#include "tests/unit/base/suites.h"

#define REPLACED "\xEF\xBF\xBD"

static const struct {
    struct str text;
    size_t prefix;
    struct str repaired;
} TEXTS[] = {
    {STR_INIT(""), 0, STR_INIT("")},
    {STR_INIT("plain"), 5, STR_INIT("plain")},
    {STR_INIT("a\0b"), 3, STR_INIT("a\0b")},
    {STR_INIT("h\xC3\xA9llo"), 6, STR_INIT("h\xC3\xA9llo")},
    {STR_INIT("\xE2\x82\xAC\xF0\x9F\x98\x80"), 7, STR_INIT("\xE2\x82\xAC\xF0\x9F\x98\x80")},
    {STR_INIT("\xF4\x8F\xBF\xBF"), 4, STR_INIT("\xF4\x8F\xBF\xBF")},
    /* above U+10FFFF, surrogate, overlong of 2, 3 and 4 bytes */
    {STR_INIT("\xF4\x90\x80\x80"), 0, STR_INIT(REPLACED REPLACED REPLACED REPLACED)},
    {STR_INIT("\xED\xA0\x80"), 0, STR_INIT(REPLACED REPLACED REPLACED)},
    {STR_INIT("\xC0\xAF"), 0, STR_INIT(REPLACED REPLACED)},
    {STR_INIT("\xE0\x80\xAF"), 0, STR_INIT(REPLACED REPLACED REPLACED)},
    {STR_INIT("\xF0\x80\x80\xAF"), 0, STR_INIT(REPLACED REPLACED REPLACED REPLACED)},
    /* cut short: one replacement for the part that could have gone on */
    {STR_INIT("ab\xE2\x82"), 2, STR_INIT("ab" REPLACED)},
    {STR_INIT("ab\xF0\x9F\x98"
              "c"),
     2, STR_INIT("ab" REPLACED "c")},
    {STR_INIT("\xE2\x28\xA1"), 0, STR_INIT(REPLACED "(" REPLACED)},
    {STR_INIT("x\x80y\xFFz"), 1, STR_INIT("x" REPLACED "y" REPLACED "z")},
    {STR_INIT("\xC3"), 0, STR_INIT(REPLACED)},
};

START_TEST(checks_and_repairs)
{
    struct arena arena;
    arena_init(&arena, NULL);
    ck_assert_uint_eq(utf8_valid_prefix(TEXTS[_i].text), TEXTS[_i].prefix);
    ck_assert_int_eq(utf8_valid(TEXTS[_i].text), TEXTS[_i].prefix == TEXTS[_i].text.len);
    struct str repaired = utf8_repair(&arena, TEXTS[_i].text);
    ck_assert(str_equal(repaired, TEXTS[_i].repaired));
    if (utf8_valid(TEXTS[_i].text))
        ck_assert_ptr_eq(repaired.ptr, TEXTS[_i].text.ptr);
    arena_release(&arena);
}
END_TEST

/* The block-wise path finds a bad byte at every offset, with blocks before and after it. */
START_TEST(finds_a_bad_byte_anywhere)
{
    char text[70];
    for (size_t bad = 0; bad < sizeof text; bad++) {
        memset(text, 'a', sizeof text);
        text[bad] = (char)0xFF;
        ck_assert_uint_eq(utf8_valid_prefix(str_make(text, sizeof text)), bad);
        ck_assert_uint_eq(utf8_valid_prefix(str_make(text, bad)), bad);
        memcpy(text, "\xE2\x82\xAC", 3);
        ck_assert_uint_eq(utf8_valid_prefix(str_make(text, sizeof text)),
                          bad < 3 ? sizeof text : bad);
    }
}
END_TEST

START_TEST(encodes_what_it_decodes)
{
    uint32_t wrong = 0;
    for (uint32_t codepoint = 0; codepoint <= 0x10FFFF; codepoint++) {
        char bytes[4];
        uint32_t back;
        unsigned length = utf8_encode(codepoint, bytes);
        bool surrogate = codepoint >= 0xD800 && codepoint <= 0xDFFF;
        wrong += !utf8_valid(str_make(bytes, length));
        wrong += utf8_decode(str_make(bytes, length), &back) != length;
        wrong += back != (surrogate ? 0xFFFD : codepoint);
    }
    ck_assert_uint_eq(wrong, 0);
    char bytes[4];
    ck_assert_uint_eq(utf8_encode(0x110000, bytes), 3);
}
END_TEST

START_TEST(counts_characters)
{
    ck_assert_uint_eq(utf8_length(STR("")), 0);
    ck_assert_uint_eq(utf8_length(STR("abc")), 3);
    ck_assert_uint_eq(utf8_length(STR("\xE2\x82\xAC\xF0\x9F\x98\x80x")), 3);
}
END_TEST

static const struct {
    const char *text;
    size_t max, bytes, columns;
} CUTS[] = {
    {"", 9, 0, 0},
    {"abc", 9, 3, 3},
    {"abc", 2, 2, 2},
    {"\xED\x95\x9C\xEA\xB8\x80", 9, 6, 4}, /* two syllables */
    {"\xED\x95\x9C\xEA\xB8\x80", 3, 3, 2},
    {"\xED\x95\x9C\xEA\xB8\x80", 1, 0, 0},
    {"e\xCC\x81"
     "a",
     1, 3, 1}, /* a combining accent stays with its letter */
    {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", 2, 9, 2}, /* one syllable of three Jamo */
    {"\xE2\x82\xAC\xF0\x9F\x98\x80", 9, 7, 3},         /* a sign and an emoji */
    {"\xEF\xBC\xA1\xE2\x96\x88", 9, 6, 3},             /* a full-width letter and a block */
};

START_TEST(counts_columns)
{
    size_t columns;
    struct str cut = utf8_cut_to_columns(str_from(CUTS[_i].text), CUTS[_i].max, &columns);
    ck_assert_uint_eq(cut.len, CUTS[_i].bytes);
    ck_assert_uint_eq(columns, CUTS[_i].columns);
}
END_TEST

START_TEST(knows_what_changes_the_text_around_it)
{
    static const uint32_t HIDDEN[] = {0,      0x1B,   0x7F,   0x9F,    0xAD,
                                      0x061C, 0x200B, 0x200F, 0x2028,  0x202E,
                                      0x2066, 0xFEFF, 0xFFFF, 0x1D173, 0xE0001};
    static const uint32_t SHOWN[] = {' ', '~', 0xA0, 0xE9, 0x200A, 0x2010, 0x2030, 0xAC00, 0x1F600};
    for (size_t i = 0; i < sizeof HIDDEN / sizeof *HIDDEN; i++)
        ck_assert_msg(!utf8_is_showable(HIDDEN[i]), "%#x", HIDDEN[i]);
    for (size_t i = 0; i < sizeof SHOWN / sizeof *SHOWN; i++)
        ck_assert_msg(utf8_is_showable(SHOWN[i]), "%#x", SHOWN[i]);
}
END_TEST

Suite *utf8_suite(void)
{
    Suite *suite = suite_create("utf8");
    TCase *tcase = tcase_create("utf8");
    tcase_add_loop_test(tcase, checks_and_repairs, 0, sizeof TEXTS / sizeof *TEXTS);
    tcase_add_test(tcase, finds_a_bad_byte_anywhere);
    tcase_add_test(tcase, encodes_what_it_decodes);
    tcase_add_test(tcase, counts_characters);
    tcase_add_test(tcase, knows_what_changes_the_text_around_it);
    tcase_add_loop_test(tcase, counts_columns, 0, sizeof CUTS / sizeof *CUTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
