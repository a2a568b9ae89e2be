/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches that are given up at regex.match_limit: the filter's own failure, and one more in the scratch's count, from
 * which the engine has the counter match_limits.
 */
#include "filters/filters.h"
#include "tests/unit/filters/bench.h"
#include "tests/unit/filters/suites.h"

#define AAAB "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"

static const struct {
    const struct filter *filter;
    const char *options, *event, *result;
    uint64_t limits_met;
} ROWS[] = {
    {&filter_grok, "match => { 'a' => '^(?<x>(y+)+)$' }", "{\"a\":\"" AAAB "\"}",
     "skipped {\"a\":\"" AAAB "\",\"tags\":[\"_grokparsefailure\"]}", 0},
    {&filter_grok, "match => { 'a' => '^(?<x>(a+)+)$' }", "{\"a\":\"" AAAB "\"}",
     "skipped {\"a\":\"" AAAB "\",\"tags\":[\"_groktimeout\"]}", 1},
    {&filter_grok, "match => { 'a' => ['^(?<x>(a+)+)$', '^%{DATA:y}b'] } tag_on_timeout => 'late'",
     "{\"a\":\"" AAAB "\"}", "skipped {\"a\":\"" AAAB "\",\"tags\":[\"late\"]}", 1},
    {&filter_mutate, "gsub => ['a', '^(a+)+$', 'x'] uppercase => ['b']",
     "{\"a\":\"" AAAB "\",\"b\":\"c\"}",
     "skipped {\"a\":\"" AAAB "\",\"b\":\"c\",\"tags\":[\"_mutate_error\"]}", 1},
    {&filter_mutate, "gsub => ['a', '^(a+)+$', 'x'] tag_on_failure => 'bad'",
     "{\"a\":[\"" AAAB "\",\"aa\"]}", "skipped {\"a\":[\"" AAAB "\",\"aa\"],\"tags\":[\"bad\"]}",
     1},
    {&filter_mutate, "gsub => ['a', '^(a+)+$', 'x']", "{\"a\":\"aaaa\"}", "matched {\"a\":\"x\"}",
     0},
};

START_TEST(gives_up)
{
    static const struct regex_limits LIMITS = {.match_limit = 10000};
    struct bench bench;
    bench_init(&bench);
    regex_scratch_free(bench.env.regex);
    bench.env.regex = regex_scratch_new(&LIMITS);
    ck_assert_ptr_null(bench_open(&bench, ROWS[_i].filter, ROWS[_i].options));
    ck_assert_str_eq(bench_apply(&bench, ROWS[_i].event), ROWS[_i].result);
    ck_assert_uint_eq(regex_limits_met(bench.env.regex), ROWS[_i].limits_met);
    bench_release(&bench);
}
END_TEST

Suite *match_limit_suite(void)
{
    Suite *suite = suite_create("match_limit");
    TCase *tcase = tcase_create("match_limit");
    tcase_add_loop_test(tcase, gives_up, 0, sizeof ROWS / sizeof *ROWS);
    suite_add_tcase(suite, tcase);
    return suite;
}
