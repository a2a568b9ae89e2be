/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "filters/filters.h"
#include "tests/unit/filters/bench.h"
#include "tests/unit/filters/suites.h"

static void set_up(void)
{
    setenv("TZ", "Europe/Paris", 1); /* the host's zone, in this test's process only */
    bench_set_up();
}

static const struct {
    const char *options;
    const char *event;
    const char *result;
} CASES[] = {
    {"match => ['m', 'ISO8601'] target => 't'", "{\"m\":\"2020-01-02T03:04:05Z\"}",
     "matched {\"m\":\"2020-01-02T03:04:05Z\",\"t\":\"2020-01-02T03:04:05.000Z\"}"},
    {"match => ['[a][b]', 'UNIX'] target => '[t][u]'", "{\"a\":{\"b\":0}}",
     "matched {\"a\":{\"b\":0},\"t\":{\"u\":\"1970-01-01T00:00:00.000Z\"}}"},
    {"match => ['m', 'ISO8601']", "{\"m\":null}", "skipped {\"m\":null}"},
    {"match => ['m', 'ISO8601']", "{\"x\":1}", "skipped {\"x\":1}"},
    {"match => ['m', 'ISO8601']", "{\"m\":\"nope\"}",
     "skipped {\"m\":\"nope\",\"tags\":[\"_dateparsefailure\"]}"},
    {"match => ['m', 'ISO8601']", "{\"m\":[\"2020-01-02T03:04:05Z\"]}",
     "skipped {\"m\":[\"2020-01-02T03:04:05Z\"],\"tags\":[\"_dateparsefailure\"]}"},
    {"match => ['m', 'ISO8601'] tag_on_failure => ['x', 'y']", "{\"m\":\"nope\"}",
     "skipped {\"m\":\"nope\",\"tags\":[\"x\",\"y\"]}"},
    {"match => ['m', 'ISO8601'] tag_on_failure => []", "{\"m\":\"nope\"}",
     "skipped {\"m\":\"nope\"}"},
    {"match => ['m', 'ISO8601'] target => '[x][y]'", "{\"m\":\"2020-01-02T03:04:05Z\",\"x\":1}",
     "skipped {\"m\":\"2020-01-02T03:04:05Z\",\"x\":1,\"tags\":[\"_dateparsefailure\"]}"},
    /* formats in order */
    {"match => ['m', 'dd/MM/yyyy', 'UNIX', 'MM/dd/yyyy'] target => 't' timezone => 'UTC'",
     "{\"m\":\"01/31/2020\"}", "matched {\"m\":\"01/31/2020\",\"t\":\"2020-01-31T00:00:00.000Z\"}"},
    /* the host's zone, the option's, the event's */
    {"match => ['m', 'yyyy-MM-dd HH:mm'] target => 't'", "{\"m\":\"2020-01-02 03:04\"}",
     "matched {\"m\":\"2020-01-02 03:04\",\"t\":\"2020-01-02T02:04:00.000Z\"}"},
    {"match => ['m', 'yyyy-MM-dd HH:mm'] target => 't' timezone => 'Asia/Seoul'",
     "{\"m\":\"2020-01-02 03:04\"}",
     "matched {\"m\":\"2020-01-02 03:04\",\"t\":\"2020-01-01T18:04:00.000Z\"}"},
    {"match => ['m', 'yyyy-MM-dd HH:mm'] target => 't' timezone => '%{z}'",
     "{\"m\":\"2020-01-02 03:04\",\"z\":\"+02:00\"}",
     "matched {\"m\":\"2020-01-02 03:04\",\"z\":\"+02:00\",\"t\":\"2020-01-02T01:04:00.000Z\"}"},
    {"match => ['m', 'yyyy-MM-dd HH:mm'] target => 't' timezone => '%{z}'",
     "{\"m\":\"2020-01-02 03:04\",\"z\":\"Nowhere\"}",
     "skipped {\"m\":\"2020-01-02 03:04\",\"z\":\"Nowhere\",\"tags\":[\"_dateparsefailure\"]}"},
    {"match => ['m', 'yyyy-MM-dd HH:mm'] target => 't' timezone => '%{z}'",
     "{\"m\":\"2020-01-02 03:04\"}",
     "skipped {\"m\":\"2020-01-02 03:04\",\"tags\":[\"_dateparsefailure\"]}"},
    {"match => ['m', 'ISO8601'] target => 't' timezone => '%{z}'",
     "{\"m\":\"2020-01-02T03:04\",\"z\":\"Asia/Seoul\"}",
     "matched "
     "{\"m\":\"2020-01-02T03:04\",\"z\":\"Asia/Seoul\",\"t\":\"2020-01-01T18:04:00.000Z\"}"},
    {"match => ['m', 'ISO8601'] target => 't' timezone => '%{z}'",
     "{\"m\":\"2020-01-02T03:04Z\",\"z\":\"Nowhere\"}",
     "skipped {\"m\":\"2020-01-02T03:04Z\",\"z\":\"Nowhere\",\"tags\":[\"_dateparsefailure\"]}"},
    {"match => ['m', 'UNIX'] target => 't' timezone => '%{z}'", "{\"m\":1}",
     "matched {\"m\":1,\"t\":\"1970-01-01T00:00:01.000Z\"}"},
    {"match => ['m', 'dd MMMM yyyy'] target => 't' locale => 'fr' timezone => 'UTC'",
     "{\"m\":\"14 juillet 1789\"}",
     "matched {\"m\":\"14 juillet 1789\",\"t\":\"1789-07-14T00:00:00.000Z\"}"},
    {"match => ['m', 'dd MMMM yyyy'] target => 't' locale => 'tlh' timezone => 'UTC'",
     "{\"m\":\"14 July 1789\"}",
     "matched {\"m\":\"14 July 1789\",\"t\":\"1789-07-14T00:00:00.000Z\"}"},
    {"match => ['m', 'MMM dd HH:mm'] target => 't' timezone => 'UTC'", "{\"m\":\"Nov 21 10:11\"}",
     "matched {\"m\":\"Nov 21 10:11\",\"t\":\"2026-11-21T10:11:00.000Z\"}"},
};

START_TEST(sets_the_target)
{
    const char *refusal = bench_open(&the_bench, &filter_date, CASES[_i].options);
    ck_assert_msg(!refusal, "%s", refusal);
    /* Twice: the zone of the event before is kept. */
    ck_assert_str_eq(bench_apply(&the_bench, CASES[_i].event), CASES[_i].result);
    ck_assert_str_eq(bench_apply(&the_bench, CASES[_i].event), CASES[_i].result);
}
END_TEST

START_TEST(sets_the_timestamp)
{
    the_bench.with_timestamp = true;
    ck_assert_ptr_null(bench_open(&the_bench, &filter_date, "match => ['m', 'UNIX_MS']"));
    ck_assert_str_eq(
        bench_apply(&the_bench,
                    "{\"m\":\"1000000000123\",\"@timestamp\":\"2020-01-01T00:00:00Z\"}"),
        "matched {\"m\":\"1000000000123\",\"@timestamp\":\"2001-09-09T01:46:40.123Z\"}");
    ck_assert_str_eq(
        bench_apply(&the_bench, "{\"m\":\"x\",\"@timestamp\":\"2020-01-01T00:00:00Z\"}"),
        "skipped {\"m\":\"x\",\"@timestamp\":\"2020-01-01T00:00:00.000Z\","
        "\"tags\":[\"_dateparsefailure\"]}");
}
END_TEST

static void check_read(const char *event, const char *target)
{
    const char *result = bench_apply(&the_bench, event);
    ck_assert_msg(strstr(result, target) != NULL, "%s", result);
}

/* The text that was read last is known; others, as long as it and alike, are not taken for it. */
START_TEST(knows_the_last_text)
{
    ck_assert_ptr_null(bench_open(&the_bench, &filter_date,
                                  "match => ['m', 'dd/MMM/yyyy:HH:mm:ss Z', 'ISO8601', 'UNIX', "
                                  "\"'the day of the first payment was on a Monday, 'yyyy\"] "
                                  "target => 't' timezone => 'UTC'"));
    check_read("{\"m\":\"23/Nov/2025:00:00:07 +0000\"}", "\"t\":\"2025-11-23T00:00:07.000Z\"");
    check_read("{\"m\":\"23/Nov/2025:00:00:08 +0000\"}", "\"t\":\"2025-11-23T00:00:08.000Z\"");
    check_read("{\"m\":\"23/Nov/2025:00:00:08 +0000\"}", "\"t\":\"2025-11-23T00:00:08.000Z\"");
    check_read("{\"m\":\"23/Nov/2025:00:00:08 +000x\"}", "_dateparsefailure");
    check_read("{\"m\":\"23/Nov/2025:00:00:08 +0000\"}", "\"t\":\"2025-11-23T00:00:08.000Z\"");
    check_read("{\"m\":\"2020-01-02T03:04:05Z\"}", "\"t\":\"2020-01-02T03:04:05.000Z\"");
    check_read("{\"m\":7}", "\"t\":\"1970-01-01T00:00:07.000Z\"");
    check_read("{\"m\":\"8\"}", "\"t\":\"0008-01-01T");
    check_read("{\"m\":\"\"}", "_dateparsefailure");
    check_read("{\"m\":\"the day of the first payment was on a Monday, 2020\"}",
               "\"t\":\"2020-01-01T00:00:00.000Z\"");
}
END_TEST

/* The same text means something else in another zone, and without a year at another time. */
START_TEST(knows_no_text_that_changes_its_meaning)
{
    ck_assert_ptr_null(
        bench_open(&the_bench, &filter_date,
                   "match => ['m', 'yyyy-MM-dd HH:mm'] target => 't' timezone => '%{z}'"));
    check_read("{\"m\":\"2020-01-02 03:04\",\"z\":\"+02:00\"}", "2020-01-02T01:04:00.000Z");
    check_read("{\"m\":\"2020-01-02 03:04\",\"z\":\"+03:00\"}", "2020-01-02T00:04:00.000Z");
    check_read("{\"m\":\"2020-01-02 03:04\",\"z\":\"Nowhere\"}", "_dateparsefailure");
}
END_TEST

static void check_two_times(const char *options, const char *event, const char *first,
                            const char *later)
{
    enum { SECONDS_OF_400_DAYS = 400 * 86400 };
    const char *refusal = bench_open(&the_bench, &filter_date, options);
    ck_assert_msg(!refusal, "%s", refusal);
    check_read(event, first);
    bench_advance(SECONDS_OF_400_DAYS);
    check_read(event, later);
}

START_TEST(asks_the_clock_each_time)
{
    check_two_times("match => ['m', 'ISO8601', 'MMM dd HH:mm'] target => 't' timezone => 'UTC'",
                    "{\"m\":\"Nov 21 10:11\"}", "2026-11-21T10:11:00.000Z",
                    "2027-11-21T10:11:00.000Z");
}
END_TEST

START_TEST(asks_the_clock_for_two_digits)
{
    check_two_times("match => ['m', 'dd/MM/YY'] target => 't' timezone => 'UTC'",
                    "{\"m\":\"01/02/46\"}", "1946-02-01T00:00:00.000Z", "2046-02-01T00:00:00.000Z");
}
END_TEST

static const struct {
    const char *options;
    const char *part;
} REFUSED[] = {
    {"match => ['m']", "at least one format"},
    {"", "at least one format"},
    {"match => ['m', 'yyyy-QQ']", "'Q' is not a letter"},
    {"match => ['m', 'HH zzzz']", "zzzz"},
    {"match => ['m', 'ISO8601'] timezone => 'Nowhere/Land'", "Nowhere/Land"},
    {"match => ['m', 'ISO8601'] timezone => '+25:00'", "+25:00"},
};

START_TEST(refuses_bad_options)
{
    const char *refusal = bench_open(&the_bench, &filter_date, REFUSED[_i].options);
    ck_assert_ptr_nonnull(refusal);
    ck_assert_msg(strstr(refusal, REFUSED[_i].part) != NULL, "%s", refusal);
}
END_TEST

Suite *date_suite(void)
{
    Suite *suite = suite_create("date");
    TCase *tcase = tcase_create("date");
    tcase_add_checked_fixture(tcase, set_up, bench_tear_down);
    tcase_add_loop_test(tcase, sets_the_target, 0, sizeof CASES / sizeof *CASES);
    tcase_add_test(tcase, sets_the_timestamp);
    tcase_add_test(tcase, knows_the_last_text);
    tcase_add_test(tcase, knows_no_text_that_changes_its_meaning);
    tcase_add_test(tcase, asks_the_clock_each_time);
    tcase_add_test(tcase, asks_the_clock_for_two_digits);
    tcase_add_loop_test(tcase, refuses_bad_options, 0, sizeof REFUSED / sizeof *REFUSED);
    suite_add_tcase(suite, tcase);
    return suite;
}
