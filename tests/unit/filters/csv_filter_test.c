/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/filters.h"
#include "tests/unit/filters/bench.h"
#include "tests/unit/filters/suites.h"

static const struct {
    const char *options;
    const char *event;
    const char *result;
} CASES[] = {
    {"source => 's'", "{\"s\":\"a,,\\\"\\\"\"}",
     "matched {\"s\":\"a,,\\\"\\\"\",\"column1\":\"a\",\"column2\":null,\"column3\":\"\"}"},
    {"source => 's' skip_empty_columns => true", "{\"s\":\"a,,\\\"\\\",d\"}",
     "matched {\"s\":\"a,,\\\"\\\",d\",\"column1\":\"a\",\"column4\":\"d\"}"},
    {"source => 's' columns => ['x', '[y][z]'] target => 't'", "{\"s\":\"1,2,3\"}",
     "matched {\"s\":\"1,2,3\",\"t\":{\"x\":\"1\",\"y\":{\"z\":\"2\"},\"column3\":\"3\"}}"},
    {"source => 's' columns => ['x'] autogenerate_column_names => false", "{\"s\":\"1,2\"}",
     "matched {\"s\":\"1,2\",\"x\":\"1\"}"},
    {"source => 's' columns => ['x', 'y'] skip_header => true", "{\"s\":\"x,y\"}",
     "cancelled {\"s\":\"x,y\"}"},
    {"source => 's' columns => ['x', 'y'] skip_header => true", "{\"s\":\"x,y,z\"}",
     "matched {\"s\":\"x,y,z\",\"x\":\"x\",\"y\":\"y\",\"column3\":\"z\"}"},
    {"source => 's'", "{\"s\":\"\"}", "skipped {\"s\":\"\",\"tags\":[\"_csvparsefailure\"]}"},
    {"source => 's' skip_empty_rows => true", "{\"s\":\"\"}",
     "skipped {\"s\":\"\",\"tags\":[\"_csvskippedemptyfield\"]}"},
    {"source => 's'", "{\"s\":\"a\\\"b\"}",
     "skipped {\"s\":\"a\\\"b\",\"tags\":[\"_csvparsefailure\"]}"},
    {"source => 's'", "{\"s\":5}", "skipped {\"s\":5,\"tags\":[\"_csvparsefailure\"]}"},
    {"source => 's'", "{\"s\":null}", "skipped {\"s\":null}"},
    {"source => 's'", "{\"s\":false}", "skipped {\"s\":false}"},
    {"source => 's'", "{\"x\":1}", "skipped {\"x\":1}"},
    {"source => 's' quote_char => '\\x00'", "{\"s\":\"a\\\"b,c\"}",
     "matched {\"s\":\"a\\\"b,c\",\"column1\":\"a\\\"b\",\"column2\":\"c\"}"},
    {"source => 's' convert => { column1 => integer column2 => boolean }", "{\"s\":\"7,true\"}",
     "matched {\"s\":\"7,true\",\"column1\":7,\"column2\":true}"},
    /* nothing is no boolean: what was set before stays */
    {"source => 's' convert => { column2 => boolean }", "{\"s\":\"7,\"}",
     "skipped {\"s\":\"7,\",\"column1\":\"7\",\"tags\":[\"_csvparsefailure\"]}"},
    {"source => 's' columns => ['[bad', 'y']", "{\"s\":\"1,2\"}",
     "skipped {\"s\":\"1,2\",\"tags\":[\"_csvparsefailure\"]}"},
};

START_TEST(sets_columns)
{
    const char *refusal = bench_open(&the_bench, &filter_csv, CASES[_i].options);
    ck_assert_msg(!refusal, "%s", refusal);
    ck_assert_str_eq(bench_apply(&the_bench, CASES[_i].event), CASES[_i].result);
}
END_TEST

START_TEST(takes_names_from_the_first_line)
{
    ck_assert_ptr_null(bench_open(&the_bench, &filter_csv,
                                  "source => 's' autodetect_column_names => true "
                                  "convert => { 'n' => integer }"));
    ck_assert_str_eq(bench_apply(&the_bench, "{\"s\":\"n,,m\"}"), "cancelled {\"s\":\"n,,m\"}");
    ck_assert_str_eq(
        bench_apply(&the_bench, "{\"s\":\"1,2,3,4\"}"),
        "matched {\"s\":\"1,2,3,4\",\"n\":1,\"column2\":\"2\",\"m\":\"3\",\"column4\":\"4\"}");
}
END_TEST

START_TEST(lanes_share_the_names)
{
    ck_assert_ptr_null(
        bench_open(&the_bench, &filter_csv, "source => 's' autodetect_column_names => true"));
    void *first = the_bench.self;
    bench_reopen(&the_bench);
    ck_assert_str_eq(bench_apply(&the_bench, "{\"s\":\"a\"}"), "cancelled {\"s\":\"a\"}");
    void *second = the_bench.self;
    the_bench.self = first;
    ck_assert_str_eq(bench_apply(&the_bench, "{\"s\":\"1\"}"), "matched {\"s\":\"1\",\"a\":\"1\"}");
    filter_csv.close(second);
}
END_TEST

static const char *const REFUSED[] = {
    "separator => ''",
    "quote_char => ''",
    "quote_char => 'ab'",
    "convert => { 'a' => wrong_type }",
};

START_TEST(refuses_bad_options)
{
    ck_assert_ptr_nonnull(bench_open(&the_bench, &filter_csv, REFUSED[_i]));
}
END_TEST

Suite *csv_filter_suite(void)
{
    Suite *suite = suite_create("csv_filter");
    TCase *tcase = tcase_create("csv_filter");
    tcase_add_checked_fixture(tcase, bench_set_up, bench_tear_down);
    tcase_add_loop_test(tcase, sets_columns, 0, sizeof CASES / sizeof *CASES);
    tcase_add_test(tcase, takes_names_from_the_first_line);
    tcase_add_test(tcase, lanes_share_the_names);
    tcase_add_loop_test(tcase, refuses_bad_options, 0, sizeof REFUSED / sizeof *REFUSED);
    suite_add_tcase(suite, tcase);
    return suite;
}
