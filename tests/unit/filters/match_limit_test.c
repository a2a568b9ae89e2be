/* SPDX-License-Identifier: Apache-2.0
 *
 * Searches that are given up at regex.match_limit: the filter's own failure, and one more in the scratch's count, from
 * which the engine has the counter match_limits. And searches that only the time ends (regex.timeout).
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

/* ---- time ---- */

static uint64_t looks;

static uint64_t ticking_clock(void)
{
    return ++looks;
}

enum { TIMEOUT_LOOKS = 20, MEGABYTE = 1 << 20 };

/* The field a is a megabyte of the text; each search would take minutes. */
static const struct {
    const struct filter *filter;
    const char *options, *text, *tag; /* NULL: nothing is said, no match */
} ENDLESS[] = {
    {&filter_grok, "match => { 'a' => 'a(?=.*\\d)' }", "a", "_groktimeout"},
    {&filter_grok, "match => { 'a' => ['x(?=.*\\d)', 'a(?=.*\\d)'] } timeout_scope => event", "a",
     "_groktimeout"},
    {&filter_mutate, "gsub => ['a', 'a(?=.*\\d)', '_']", "a", "_mutate_error"},
    {&filter_mutate, "gsub => ['a', '(?<=a)(?=.*\\d)', '_', 'a', 'b', 'c']", "a", "_mutate_error"},
    {&filter_kv, "source => 'a' value_split_pattern => '=+'", "=", "_kv_filter_timeout"},
    {&filter_kv, "source => 'a' field_split_pattern => '(?=.*\\d)'", "a=", "_kv_filter_timeout"},
    {&filter_kv, "source => 'a' trim_value => 'x-y' field_split => '|'", "a=xz",
     "_kv_filter_timeout"},
    {&filter_prune, "whitelist_values => ['a', 'a(?=.*\\d)']", "a", NULL},
    {&filter_translate, "source => 'a' regex => true dictionary => { 'a(?=.*\\d)' => 'x' }", "a",
     NULL},
    {&filter_ruby, "code => 'event.set(\"a\", event.get(\"a\").gsub(/a(?=.*\\d)/, \"x\"))'", "a",
     "_rubyexception"},
    {&filter_ruby, "code => '1000000.times { event.get(\"a\") =~ /a(?=.*\\d)/ }'", "a",
     "_rubyexception"},
};

static const char *large_event(struct buf *out, const char *text)
{
    buf_init(out, 2 * MEGABYTE);
    buf_append_str(out, STR("{\"a\":\""));
    while (out->len < MEGABYTE)
        buf_append_str(out, str_from(text));
    buf_append_str(out, STR("\"}"));
    buf_append_char(out, '\0');
    return out->ptr;
}

/* The clock goes by looks: that the test ends is the point, and it may look only so often. */
START_TEST(ends_in_time)
{
    static const struct regex_limits LIMITS = {.timeout_ms = TIMEOUT_LOOKS,
                                               .clock_ms = ticking_clock};
    struct bench bench;
    struct buf event;
    bench_init(&bench);
    regex_scratch_free(bench.env.regex);
    bench.env.regex = regex_scratch_new(&LIMITS);
    ck_assert_ptr_null(bench_open(&bench, ENDLESS[_i].filter, ENDLESS[_i].options));
    looks = 0;
    regex_budget_begin(bench.env.regex);
    const char *result = bench_apply(&bench, large_event(&event, ENDLESS[_i].text));
    ck_assert_uint_ge(regex_limits_met(bench.env.regex), 1);
    ck_assert_uint_le(looks, 3 * TIMEOUT_LOOKS); /* it begins anew for each watched code */
    if (ENDLESS[_i].tag)
        ck_assert_msg(strstr(result, ENDLESS[_i].tag), "%.100s … %s", result,
                      result + strlen(result) - 100);
    buf_release(&event);
    bench_release(&bench);
}
END_TEST

Suite *match_limit_suite(void)
{
    Suite *suite = suite_create("match_limit");
    TCase *tcase = tcase_create("match_limit");
    tcase_add_loop_test(tcase, gives_up, 0, sizeof ROWS / sizeof *ROWS);
    tcase_add_loop_test(tcase, ends_in_time, 0, sizeof ENDLESS / sizeof *ENDLESS);
    suite_add_tcase(suite, tcase);
    return suite;
}
