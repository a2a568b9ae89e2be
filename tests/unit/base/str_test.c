/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "tests/unit/base/suites.h"

static const struct {
    const char *text;
    bool ok;
    int64_t value;
} INTEGERS[] = {
    {"0", true, 0},
    {"-1", true, -1},
    {"+7", true, 7},
    {"9223372036854775807", true, INT64_MAX},
    {"-9223372036854775808", true, INT64_MIN},
    {"9223372036854775808", false, 0},
    {"-9223372036854775809", false, 0},
    {"99999999999999999999", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {"1 ", false, 0},
    {"1.0", false, 0},
};

START_TEST(reads_integers)
{
    int64_t value = 0;
    ck_assert_int_eq(str_to_int(str_from(INTEGERS[_i].text), &value), INTEGERS[_i].ok);
    if (INTEGERS[_i].ok)
        ck_assert_int_eq(value, INTEGERS[_i].value);
}
END_TEST

static const struct {
    const char *text;
    bool ok;
    double value;
} DOUBLES[] = {
    {"1", true, 1},      {"-1.5", true, -1.5}, {".5", true, 0.5}, {"1.", true, 1},
    {"1e3", true, 1000}, {"1E-2", true, 0.01}, {"1e", false, 0},  {"", false, 0},
    {"0x10", false, 0},  {"nan", false, 0},    {"inf", false, 0}, {" 1", false, 0},
    {"1,5", false, 0},   {".", false, 0},
};

START_TEST(reads_doubles)
{
    double value = 0;
    ck_assert_int_eq(str_to_double(str_from(DOUBLES[_i].text), &value), DOUBLES[_i].ok);
    if (DOUBLES[_i].ok)
        ck_assert_double_eq(value, DOUBLES[_i].value);
}
END_TEST

START_TEST(finds_and_orders)
{
    ck_assert_uint_eq(str_find(STR("abcabd"), STR("abd")), 3);
    ck_assert_uint_eq(str_find(STR("abc"), STR("x")), SIZE_MAX);
    ck_assert_uint_eq(str_find(STR(""), STR("")), 0);
    ck_assert_int_lt(str_compare(STR("ab"), STR("abc")), 0);
    ck_assert_int_gt(str_compare(STR("b"), STR("abc")), 0);
    ck_assert(str_equal(str_trim(STR(" \ta b\r\n")), STR("a b")));
    ck_assert(str_equal_nocase(STR("AbC"), STR("aBc")));
    ck_assert_uint_eq(str_hash(STR("same")), str_hash(STR("same")));
}
END_TEST

Suite *str_suite(void)
{
    Suite *suite = suite_create("str");
    TCase *tcase = tcase_create("str");
    tcase_add_loop_test(tcase, reads_integers, 0, sizeof INTEGERS / sizeof *INTEGERS);
    tcase_add_loop_test(tcase, reads_doubles, 0, sizeof DOUBLES / sizeof *DOUBLES);
    tcase_add_test(tcase, finds_and_orders);
    suite_add_tcase(suite, tcase);
    return suite;
}
