/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/case_map.h"
#include "tests/unit/base/suites.h"

static const struct {
    const char *text, *upper, *lower, *capitalized;
} TEXTS[] = {
    {"", "", "", ""},
    {"hELLO wORLD", "HELLO WORLD", "hello world", "Hello world"},
    {"@[`{", "@[`{", "@[`{", "@[`{"},
    {"straße é", "STRASSE É", "straße é", "Straße é"},
    {"ßx", "SSX", "ßx", "Ssx"},
    {"АБВгд", "АБВГД", "абвгд", "Абвгд"},
    {"nÎcË gÛŸ", "NÎCË GÛŸ", "nîcë gûÿ", "Nîcë gûÿ"},
    {"xYzółć", "XYZÓŁĆ", "xyzółć", "Xyzółć"},
    {"こにちわ 결제", "こにちわ 결제", "こにちわ 결제", "こにちわ 결제"},
    {"ǆ", "Ǆ", "ǆ", "ǅ"},
    {"ﬃ", "FFI", "ﬃ", "Ffi"},
    {"İI", "İI", "i̇i", "İi"},
    {"ΑΣ", "ΑΣ", "ασ", "Ασ"},
    {"ა", "Ა", "ა", "ა"},
    {"\xf0\x90\x90\xa8", "\xf0\x90\x90\x80", "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80"},
    {"\xce\x90", "\xce\x99\xcc\x88\xcc\x81", "\xce\x90", "\xce\x99\xcc\x88\xcc\x81"},
};

START_TEST(maps_text)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct str text = str_from(TEXTS[_i].text);
    ck_assert_str_eq(arena_cstr(&arena, case_upper(&arena, text)), TEXTS[_i].upper);
    ck_assert_str_eq(arena_cstr(&arena, case_lower(&arena, text)), TEXTS[_i].lower);
    ck_assert_str_eq(arena_cstr(&arena, case_capitalize(&arena, text)), TEXTS[_i].capitalized);
    arena_release(&arena);
}
END_TEST

Suite *case_map_suite(void)
{
    Suite *suite = suite_create("case_map");
    TCase *tcase = tcase_create("case_map");
    tcase_add_loop_test(tcase, maps_text, 0, sizeof TEXTS / sizeof *TEXTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
