/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/utf8.h"
#include "codecs/charset.h"
#include "tests/unit/codecs/suites.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena, NULL);
}

static void tear_down(void)
{
    arena_release(&arena);
}

static int choice_of(const char *name)
{
    for (int i = 0; charset_names[i]; i++) {
        if (strcmp(charset_names[i], name) == 0)
            return i;
    }
    ck_abort_msg("no charset '%s'", name);
}

static const struct {
    const char *charset;
    struct str in;
    const char *out;
} DECODED[] = {
    {"UTF-8", STR_INIT("h\xC3\xA9"), "h\xC3\xA9"},
    {"UTF-8", STR_INIT("a\xFFz"), "a\\xFFz"},
    {"UTF-8", STR_INIT("\xED\xB9\x81\xC3\xC3\xBB\xD3"), "\\xED\\xB9\\x81\\xC3\xC3\xBB\\xD3"},
    {"UTF-8", STR_INIT("\xE9 \"#{a}#\\\t\x01\x7F\xC2\x85\xC2\x9F"),
     "\\xE9 \\\"\\#{a}#\\\\\\t\\u0001\\u007F\xC2\x85\\u009F"},
    {"ISO-8859-1", STR_INIT("caf\xE9"), "caf\xC3\xA9"},
    {"ISO-8859-15", STR_INIT("\xA4"), "\xE2\x82\xAC"},
    {"CP1252", STR_INIT("\x80\x93x\x94"), "\xE2\x82\xAC\xE2\x80\x9Cx\xE2\x80\x9D"},
    {"Windows-1252", STR_INIT("a\x81z"), "a\xEF\xBF\xBDz"},
    {"UTF-16LE", STR_INIT("h\0\xE9\0"), "h\xC3\xA9"},
    {"UTF-16BE", STR_INIT("\xD8\x3D\xDE\x00"), "\xF0\x9F\x98\x80"},
    {"UTF-16LE", STR_INIT("\xFF\xFEh\0"), "h"},
    {"UTF-16LE", STR_INIT("h\0\xE9"), "h\xEF\xBF\xBD"},
    {"UTF-32BE", STR_INIT("\0\0\0h"), "h"},
    {"EUC-KR", STR_INIT("\xB0\xA1"), "\xEA\xB0\x80"},
    {"CP949", STR_INIT("\xB0\xA1 a"), "\xEA\xB0\x80 a"},
    {"Shift_JIS", STR_INIT("\x82\xA0\x82"), "\xE3\x81\x82\xEF\xBF\xBD"},
    {"BINARY", STR_INIT("a\xE9z"), "a\xEF\xBF\xBDz"},
    {"US-ASCII", STR_INIT("plain"), "plain"},
    {"ASCII-8BIT", STR_INIT(""), ""},
};

START_TEST(decodes)
{
    struct charset charset;
    ck_assert(charset_open(&charset, choice_of(DECODED[_i].charset), NULL));
    struct str text = charset_to_utf8(&charset, &arena, DECODED[_i].in);
    ck_assert(utf8_valid(text));
    ck_assert_str_eq(arena_cstr(&arena, text), DECODED[_i].out);
    charset_close(&charset);
}
END_TEST

START_TEST(opens_every_name_and_stays_valid)
{
    char bytes[256];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (int i = 0; charset_names[i]; i++) {
        struct charset charset;
        struct error err;
        bool opened = charset_open(&charset, i, &err);
        ck_assert_msg(opened, "%s", opened ? "" : err.text);
        for (size_t cut = 0; cut < sizeof bytes; cut++) {
            struct str text =
                charset_to_utf8(&charset, &arena, str_make(bytes + cut, sizeof bytes - cut));
            ck_assert_msg(utf8_valid(text), "%s", charset_names[i]);
        }
        charset_close(&charset);
    }
}
END_TEST

START_TEST(encodes_a_delimiter)
{
    struct charset charset;
    ck_assert(charset_open(&charset, choice_of("UTF-16BE"), NULL));
    struct str wide = charset_encode(&charset, &arena, STR("\r\n"));
    ck_assert_uint_eq(wide.len, 4);
    ck_assert_mem_eq(wide.ptr, "\0\r\0\n", 4);
    ck_assert_uint_eq(charset.unit, 2);
    charset_close(&charset);
    ck_assert(charset_open(&charset, choice_of("CP1252"), NULL));
    ck_assert(str_equal(charset_encode(&charset, &arena, STR("\n")), STR("\n")));
    charset_close(&charset);
}
END_TEST

Suite *charset_suite(void)
{
    Suite *suite = suite_create("charset");
    TCase *cases = tcase_create("charset");
    tcase_add_checked_fixture(cases, set_up, tear_down);
    tcase_add_loop_test(cases, decodes, 0, sizeof DECODED / sizeof *DECODED);
    tcase_add_test(cases, opens_every_name_and_stays_valid);
    tcase_add_test(cases, encodes_a_delimiter);
    suite_add_tcase(suite, cases);
    return suite;
}
