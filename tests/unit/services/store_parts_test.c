/* SPDX-License-Identifier: Apache-2.0
 *
 * The parts of the store that need no database: names and identifiers.
 */
#include <stdio.h>

#include "services/store/document_id.h"
#include "services/store/index_name.h"
#include "tests/unit/services/suites.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena, NULL);
}

static void tear_down(void)
{
    arena_release(&arena);
}

/* ---- names of indices ---- */

static const struct {
    const char *name;
    bool good;
} NAMES[] = {
    {"a", true},         {"logs-2026.01.01", true},
    {".hidden", true},   {"\xec\x95\x88", true},
    {"", false},         {".", false},
    {"..", false},       {"A", false},
    {"a b", false},      {"a/b", false},
    {"a*", false},       {"_a", false},
    {"-a", false},       {"+a", false},
    {"a,b", false},      {"a:b", false},
    {"a#b", false},      {"a\"b", false},
    {"a?", false},       {"a\n", false},
    {"\xff\xfe", false},
};

START_TEST(index_names)
{
    struct api_error err;
    bool good = index_name_check(str_from(NAMES[_i].name), &err);
    ck_assert_msg(good == NAMES[_i].good, "'%s'", NAMES[_i].name);
    if (!good)
        ck_assert_str_eq(err.type, "invalid_index_name_exception");
}
END_TEST

START_TEST(index_names_have_a_length)
{
    char name[257];
    struct api_error err;
    memset(name, 'a', sizeof name);
    ck_assert(index_name_check(str_make(name, 255), &err));
    ck_assert(!index_name_check(str_make(name, 256), &err));
}
END_TEST

static const struct {
    const char *expression, *name;
    bool has;
} EXPRESSIONS[] = {
    {"", "a", true},          {"_all", "a", true},        {"*", "a", true},
    {"a", "a", true},         {"a", "b", false},          {"a,b", "b", true},
    {"a*", "ab", true},       {"a*", "b", false},         {"a*,-ab", "ab", false},
    {"a*,-ab", "ac", true},   {"-ab,a*", "ab", true},     {"-ab", "-ab", true},
    {"*,-a*,ab", "ab", true}, {"a*b*c", "axxbyyc", true}, {",,a,", "a", true},
};

START_TEST(index_expressions)
{
    ck_assert_msg(index_expression_has(str_from(EXPRESSIONS[_i].expression),
                                       str_from(EXPRESSIONS[_i].name)) == EXPRESSIONS[_i].has,
                  "%s %s", EXPRESSIONS[_i].expression, EXPRESSIONS[_i].name);
}
END_TEST

static const struct {
    const char *name;
    int64_t end_ms; /* 0: no date */
} DATES[] = {
    {"logs-1970.01.01", 86400000}, {"logs-1970-01-02-000001", 2 * 86400000},
    {"1970.01.01", 86400000},      {"logs-2024.02.29", INT64_C(1709251200000)},
    {"logs-2023.02.29", 0},        {"logs-2024.13.01", 0},
    {"logs-12024.01.01", 0},       {"logs-2024.01.011", 0},
    {"logs-2024.01-01", 0},        {"logs", 0},
};

START_TEST(dates_in_names)
{
    int64_t end_ms = 0;
    bool has = index_name_date(str_from(DATES[_i].name), &end_ms);
    ck_assert_int_eq(has, DATES[_i].end_ms != 0);
    if (has)
        ck_assert_int_eq(end_ms, DATES[_i].end_ms);
}
END_TEST

/* ---- identifiers ---- */

START_TEST(identifiers_say_their_row)
{
    const unsigned char tag[INDEX_TAG_BYTES] = {1, 2, 3, 250, 251, 252, 0, 7, 9};
    const unsigned char other[INDEX_TAG_BYTES] = {1, 2, 3, 250, 251, 252, 0, 7, 8};
    const int64_t seqs[] = {0, 1, 255, 256, 1000000, (INT64_C(1) << 48) - 1};
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++) {
        char text[DOCUMENT_ID_BYTES];
        int64_t seq;
        document_id_make(tag, seqs[i], text);
        ck_assert(document_id_read(tag, str_make(text, sizeof text), &seq));
        ck_assert_int_eq(seq, seqs[i]);
        ck_assert(!document_id_read(other, str_make(text, sizeof text), &seq));
        ck_assert(!document_id_read(tag, str_make(text, sizeof text - 1), &seq));
        text[5] = '\0';
        ck_assert(!document_id_read(tag, str_make(text, sizeof text), &seq));
    }
}
END_TEST

Suite *store_parts_suite(void)
{
    Suite *suite = suite_create("store_parts");
    TCase *tests = tcase_create("store_parts");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, index_names, 0, sizeof NAMES / sizeof *NAMES);
    tcase_add_test(tests, index_names_have_a_length);
    tcase_add_loop_test(tests, index_expressions, 0, sizeof EXPRESSIONS / sizeof *EXPRESSIONS);
    tcase_add_loop_test(tests, dates_in_names, 0, sizeof DATES / sizeof *DATES);
    tcase_add_test(tests, identifiers_say_their_row);
    suite_add_tcase(suite, tests);
    return suite;
}
