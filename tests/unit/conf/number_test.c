/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/bind.h"
#include "conf/number.h"
#include "tests/unit/conf/suites.h"

static const struct {
    double value;
    const char *text;
} FLOATS[] = {
    {0, "0.0"},
    {-0.0, "-0.0"},
    {1, "1.0"},
    {1.5, "1.5"},
    {-2.25, "-2.25"},
    {0.1, "0.1"},
    {0.0001, "0.0001"},
    {0.00001, "1.0e-05"},
    {0.00012345, "0.00012345"},
    {1e15, "1000000000000000.0"},
    {1e16, "1.0e+16"},
    {123456789012345680.0, "1.2345678901234568e+17"},
    {1e20, "1.0e+20"},
    {2.5e-7, "2.5e-07"},
    {100, "100.0"},
    {1234.5, "1234.5"},
    {1.7976931348623157e308, "1.7976931348623157e+308"},
};

START_TEST(prints_floats)
{
    char text[NUMBER_TEXT_MAX];
    struct str result = number_float_text(FLOATS[_i].value, text);
    ck_assert_msg(str_equal(result, str_from(FLOATS[_i].text)), "%.*s", STR_FMT(result));
}
END_TEST

static const struct {
    const char *text;
    int64_t option, setting; /* -1: refused */
} SIZES[] = {
    {"0", 0, 0},
    {"1048576", 1048576, 1048576},
    {"10 MiB", 10485760, 10485760},
    {"10mb", 10000000, 10485760},
    {"64MB", 64000000, 67108864},
    {"1.5 kb", 1500, 1536},
    {"3b", 3, 3},
    {" 2 GiB ", 2147483648, 2147483648},
    {"9223372036854775807", INT64_MAX, INT64_MAX},
    {"9223372036854775808", -1, -1},
    {"99999999999 EiB", -1, -1},
    {"10m", -1, -1},
    {"mb", -1, -1},
    {"-1", -1, -1},
    {"1 2 mb", -1, -1},
    {"", -1, -1},
    {".5mb", -1, -1},
    {"1..5mb", -1, -1},
    {"1e3", -1, -1},
};

START_TEST(reads_sizes)
{
    int64_t bytes = -1;
    ck_assert_int_eq(bind_parse_bytes(str_from(SIZES[_i].text), &bytes), SIZES[_i].option >= 0);
    ck_assert_int_eq(bytes, SIZES[_i].option);
    bytes = -1;
    ck_assert_int_eq(number_parse_setting_bytes(str_from(SIZES[_i].text), &bytes),
                     SIZES[_i].setting >= 0);
    ck_assert_int_eq(bytes, SIZES[_i].setting);
}
END_TEST

static const struct {
    const char *text;
    int64_t unit_ms;
    bool ok;
    int64_t ms;
} TIMES[] = {
    {"5", 1000, true, 5000},
    {"0.5", 1000, true, 500},
    {"250", 1, true, 250},
    {"3s", 1, true, 3000},
    {"500 ms", 1000, true, 500},
    {"1 hour", 1, true, 3600000},
    {"2 min", 1, true, 120000},
    {"1.5h", 1, true, 5400000},
    {"7d", 1, true, 604800000},
    {"1 week", 1, true, 604800000},
    {"1500 us", 1, true, 1},
    {"-1", 1000, true, -1000},
    {"5 parsecs", 1, false, 0},
    {"", 1, false, 0},
    {"s", 1, false, 0},
    {"1 h 5", 1, false, 0},
    {"99999999999999999 d", 1, false, 0},
};

START_TEST(reads_times)
{
    int64_t ms = 0;
    bool ok = bind_parse_duration_ms(str_from(TIMES[_i].text), TIMES[_i].unit_ms, &ms);
    ck_assert_int_eq(ok, TIMES[_i].ok);
    if (ok)
        ck_assert_int_eq(ms, TIMES[_i].ms);
}
END_TEST

Suite *number_suite(void)
{
    Suite *suite = suite_create("number");
    TCase *tcase = tcase_create("number");
    tcase_add_loop_test(tcase, prints_floats, 0, sizeof FLOATS / sizeof *FLOATS);
    tcase_add_loop_test(tcase, reads_sizes, 0, sizeof SIZES / sizeof *SIZES);
    tcase_add_loop_test(tcase, reads_times, 0, sizeof TIMES / sizeof *TIMES);
    suite_add_tcase(suite, tcase);
    return suite;
}
