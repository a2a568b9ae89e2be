/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters that keep something from one event to the next, and make events when time passes: aggregate, elapsed, metrics.
 */
#include <check.h>
#include <stdio.h>
#include <unistd.h>

#include "filters/aggregate/tasks.h"
#include "filters/filters.h"
#include "filters/metrics/meter.h"
#include "tests/unit/filters/bench.h"
#include "tests/unit/filters/suites.h"

static void open_filter(const struct filter *filter, const char *options)
{
    const char *refusal = bench_open(&the_bench, filter, options);
    ck_assert_msg(!refusal, "%s: %s", options, refusal);
}

#define APPLY(event) bench_apply(&the_bench, event)
#define COUNT        "map['n'] = (map['n'] || 0) + 1; "

/* ---- aggregate ------------------------------------------------------------------------------------ */

START_TEST(old_maps_become_events)
{
    open_filter(&filter_aggregate,
                "task_id => '%{t}' code => \"" COUNT
                "\" timeout => 60 inactivity_timeout => 20 push_map_as_event_on_timeout => true "
                "timeout_task_id_field => 'id' timeout_tags => ['over', '%{n}'] timeout_code => "
                "\"event.set('m', event.get('n') * 10)\"");
    ck_assert_str_eq(APPLY("{\"t\":\"a\"}"), "matched {\"t\":\"a\"}");
    bench_advance(15);
    ck_assert_str_eq(APPLY("{\"t\":\"b\"}"), "matched {\"t\":\"b\"}");
    bench_advance(5); /* a was seen 20 seconds ago, which is not more than 20 */
    ck_assert_str_eq(bench_tick(&the_bench, 5000, false), "");
    bench_advance(11);
    ck_assert_str_eq(bench_tick(&the_bench, 9999, false), ""); /* not five seconds after the last */
    ck_assert_str_eq(bench_tick(&the_bench, 10000, false),
                     " + {\"n\":1,\"id\":\"a\",\"tags\":[\"over\",\"1\"],\"m\":10}");
    ck_assert_str_eq(APPLY("{\"t\":\"b\"}"), "matched {\"t\":\"b\"}");
    bench_advance(1000);
    ck_assert_str_eq(bench_tick(&the_bench, 10001, true),
                     " + {\"n\":2,\"id\":\"b\",\"tags\":[\"over\",\"2\",\"_aggregatefinalflush\"],"
                     "\"m\":20}");
    ck_assert_str_eq(bench_tick(&the_bench, 20000, false), "");
}
END_TEST

START_TEST(a_cancelled_map_is_no_event)
{
    open_filter(&filter_aggregate,
                "task_id => '%{t}' code => \"" COUNT "\" push_previous_map_as_event => true "
                "timeout => 60 timeout_code => 'event.cancel if event.get(\"n\") == 1'");
    APPLY("{\"t\":1}");
    ck_assert_str_eq(bench_tick(&the_bench, 0, true), "");
    APPLY("{\"t\":2}");
    bench_advance(100);
    ck_assert_str_eq(bench_tick(&the_bench, 100000, false), "");
}
END_TEST

START_TEST(a_new_task_pushes_the_oldest)
{
    open_filter(&filter_aggregate, "task_id => '%{t}' code => \"map['t'] = event.get('t')\" "
                                   "push_previous_map_as_event => true");
    APPLY("{\"t\":1}");
    ck_assert_str_eq(APPLY("{\"t\":\"1\"}"), "matched {\"t\":\"1\"}"); /* the same task */
    ck_assert_str_eq(APPLY("{\"t\":2}"), "matched {\"t\":2} + {\"t\":\"1\"}");
    ck_assert_str_eq(bench_tick(&the_bench, 0, true),
                     " + {\"t\":2,\"tags\":[\"_aggregatefinalflush\"]}");
}
END_TEST

START_TEST(code_may_end_a_task)
{
    open_filter(&filter_aggregate,
                "task_id => '%{t}' code => \"" COUNT "map_meta.timeout = 0 if event.get('end')\" "
                "push_map_as_event_on_timeout => true");
    APPLY("{\"t\":1}");
    ck_assert_str_eq(APPLY("{\"t\":1,\"end\":1}"), "matched {\"t\":1,\"end\":1} + {\"n\":2}");
    ck_assert_str_eq(APPLY("{\"t\":1,\"end\":1}"), "matched {\"t\":1,\"end\":1} + {\"n\":1}");
}
END_TEST

START_TEST(limits_of_one_task)
{
    open_filter(&filter_aggregate,
                "task_id => '%{t}' code => \"" COUNT "map_meta.inactivity_timeout = 3 if "
                "event.get('t') == 1\" push_map_as_event_on_timeout => true timeout => 1000");
    APPLY("{\"t\":1}");
    APPLY("{\"t\":2}");
    bench_advance(4);
    ck_assert_str_eq(bench_tick(&the_bench, 5000, false), " + {\"n\":1}");
    bench_advance(4);
    ck_assert_str_eq(bench_tick(&the_bench, 10000, false), "");
}
END_TEST

START_TEST(an_exception_tags_and_end_of_task_holds)
{
    open_filter(&filter_aggregate, "task_id => '%{t}' code => \"" COUNT
                                   "raise 'x' if event.get('bad'); event.set('n', map['n'])\" "
                                   "end_of_task => true");
    ck_assert_str_eq(APPLY("{\"t\":1,\"bad\":1}"),
                     "skipped {\"t\":1,\"bad\":1,\"tags\":[\"_aggregateexception\"]}");
    ck_assert_str_eq(APPLY("{\"t\":1}"), "matched {\"t\":1,\"n\":1}");
    ck_assert_str_eq(APPLY("{\"x\":1}"), "skipped {\"x\":1}");
}
END_TEST

START_TEST(new_events_of_the_code_come_first)
{
    open_filter(&filter_aggregate,
                "task_id => '%{t}' code => \"" COUNT
                "new_event_block.call(LogStash::Event.new('new' => 1)); event.cancel\" "
                "push_previous_map_as_event => true");
    APPLY("{\"t\":1}");
    ck_assert_str_eq(APPLY("{\"t\":2}"), "cancelled {\"t\":2} + {\"new\":1} + {\"n\":1}");
}
END_TEST

START_TEST(maps_are_saved_and_read_again)
{
    char path[64], options[256];
    snprintf(path, sizeof path, "/tmp/aggregate-%ld", (long)getpid());
    snprintf(options, sizeof options,
             "task_id => '%%{t}' code => \"" COUNT "event.set('n', map['n'])\" aggregate_maps_path "
             "=> '%s'",
             path);
    open_filter(&filter_aggregate, options);
    APPLY("{\"t\":\"a\"}");
    open_filter(&filter_aggregate, options); /* closes the first */
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_str_eq(APPLY("{\"t\":\"a\"}"), "matched {\"t\":\"a\",\"n\":2}");
    open_filter(&filter_elapsed, "start_tag => 'a' end_tag => 'b' unique_id_field => 'c'");
    FILE *file = fopen(path, "w");
    fputs("\x04\x08{\x06", file);
    fclose(file);
    const char *refusal = bench_open(&the_bench, &filter_aggregate, options);
    ck_assert_ptr_nonnull(refusal);
    ck_assert_ptr_nonnull(strstr(refusal, "move it away"));
    ck_assert_int_eq(access(path, F_OK), 0);
    unlink(path);
}
END_TEST

static const struct {
    const struct filter *filter;
    const char *options, *says;
} REFUSED[] = {
    {&filter_aggregate, "task_id => 'x' code => ''", "names no field"},
    {&filter_aggregate, "task_id => '%{}' code => ''", "names no field"},
    {&filter_aggregate, "task_id => 'a %{ b' code => ''", "names no field"},
    {&filter_aggregate, "task_id => '%{t}' code => '' timeout => 2 inactivity_timeout => 3",
     "longer"},
    {&filter_aggregate, "task_id => '%{t}' code => 'if'", "code"},
    {&filter_aggregate, "task_id => '%{t}' code => '' timeout_code => ')'", "timeout_code"},
    {&filter_metrics, "rates => [2]", "1, 5 and 15"},
    {&filter_metrics, "percentiles => [101]", "0 to 100"},
    {&filter_multiline, "what => next", "pattern"},
    {&filter_multiline, "pattern => '%{NO_SUCH}' what => next", "NO_SUCH"},
    {&filter_elapsed, "start_tag => 'a' end_tag => 'b'", "unique_id_field"},
};

START_TEST(refuses_options)
{
    const char *refusal = bench_open(&the_bench, REFUSED[_i].filter, REFUSED[_i].options);
    ck_assert_msg(refusal && strstr(refusal, REFUSED[_i].says), "%s: %s", REFUSED[_i].options,
                  refusal ? refusal : "not refused");
}
END_TEST

START_TEST(tasks_are_charged)
{
    struct account charged = {0};
    struct tasks tasks;
    tasks_init(&tasks, &charged);
    struct task *first = tasks_add(&tasks, STR("a"));
    struct task *second = tasks_add(&tasks, STR(""));
    ck_assert_uint_gt(charged.used, 2 * sizeof *first);
    ck_assert_ptr_eq(tasks_find(&tasks, STR("")), second);
    tasks_remove(&tasks, first);
    ck_assert_ptr_eq(tasks.oldest, second);
    ck_assert_ptr_eq(tasks.newest, second);
    ck_assert_ptr_null(tasks_find(&tasks, STR("a")));
    tasks_release(&tasks);
    ck_assert_uint_eq(charged.used, 0);
}
END_TEST

/* ---- elapsed -------------------------------------------------------------------------------------- */

#define AT(time) "\"@timestamp\":\"2026-01-01T00:00:" time "Z\""

START_TEST(a_pair_gives_its_time)
{
    open_filter(&filter_elapsed, "start_tag => 's' end_tag => 'e' unique_id_field => '[o][id]'");
    APPLY("{\"tags\":[\"s\"],\"o\":{\"id\":1}," AT("01") "}");
    ck_assert_str_eq(
        APPLY("{\"tags\":[\"e\"],\"o\":{\"id\":\"1\"}," AT("02") "}"),
        "skipped {\"tags\":[\"e\",\"elapsed_end_without_start\"],\"o\":{\"id\":\"1\"}}");
    ck_assert_str_eq(
        APPLY("{\"tags\":\"xex\",\"o\":{\"id\":1}," AT("00.25") "}"),
        "skipped {\"tags\":[\"xex\",\"elapsed\",\"elapsed_match\"],\"o\":{\"id\":1},"
        "\"elapsed_time\":-0.75,\"elapsed_timestamp_start\":\"2026-01-01T00:00:01.000Z\"}");
    ck_assert_str_eq(APPLY("{\"tags\":[\"e\"],\"o\":{\"id\":1}}"),
                     "skipped {\"tags\":[\"e\",\"elapsed_end_without_start\"],\"o\":{\"id\":1}}");
}
END_TEST

START_TEST(starts_expire_by_flushes)
{
    open_filter(&filter_elapsed,
                "start_tag => 's' end_tag => 'e' unique_id_field => id timeout => 10");
    APPLY("{\"tags\":[\"s\"],\"id\":[1]," AT("01") "}");
    ck_assert_str_eq(bench_tick(&the_bench, 5000, false), "");
    ck_assert_str_eq(bench_tick(&the_bench, 6000, false), "");
    ck_assert_str_eq(
        bench_tick(&the_bench, 6001, true),
        " + {\"tags\":[\"elapsed\",\"elapsed_expired_error\"],\"host\":\"here\",\"elapsed_"
        "time\":10,\"elapsed_timestamp_start\":\"2026-01-01T00:00:01.000Z\",\"id\":[1]}");
    ck_assert_str_eq(bench_tick(&the_bench, 20000, true), "");
}
END_TEST

/* ---- multiline ------------------------------------------------------------------------------------ */

START_TEST(lines_that_belong_to_the_previous_one)
{
    open_filter(&filter_multiline, "pattern => '^\\s' what => previous stream_identity => '%{s}'");
    ck_assert_ptr_nonnull(strstr(APPLY("{\"s\":1,\"message\":\"a\",\"x\":1}"), "cancelled"));
    ck_assert_ptr_nonnull(strstr(APPLY("{\"s\":2,\"message\":\"other\"}"), "cancelled"));
    APPLY("{\"s\":1,\"message\":\" b\",\"x\":2,\"o\":{\"k\":1}}");
    APPLY("{\"s\":1,\"message\":\" b\",\"x\":[2,3]}");
    ck_assert_str_eq(APPLY("{\"s\":1,\"message\":\"c\"}"),
                     "skipped {\"s\":1,\"message\":\"a\\n b\\n b\",\"x\":[1,2,3],\"o\":{\"k\":1},"
                     "\"tags\":[\"multiline\"]}");
    bench_advance(4);
    ck_assert_str_eq(bench_tick(&the_bench, 1000, false), "");
    bench_advance(1);
    ck_assert_str_eq(bench_tick(&the_bench, 2000, false),
                     " + {\"s\":2,\"message\":\"other\"} + {\"s\":1,\"message\":\"c\"}");
    ck_assert_str_eq(bench_tick(&the_bench, 3000, true), "");
}
END_TEST

START_TEST(lines_that_belong_to_the_next_one)
{
    open_filter(&filter_multiline, "pattern => '\\\\$' what => next allow_duplicates => false");
    ck_assert_str_eq(APPLY("{\"message\":\"alone\"}"), "skipped {\"message\":\"alone\"}");
    APPLY("{\"message\":\"a\\\\\"}");
    APPLY("{\"message\":\"a\\\\\"}");
    ck_assert_str_eq(APPLY("{\"message\":\"b\"}"),
                     "skipped {\"message\":\"a\\\\\\nb\",\"tags\":[\"multiline\"]}");
    APPLY("{\"message\":\"open\\\\\"}");
    ck_assert_str_eq(bench_tick(&the_bench, 0, true),
                     " + {\"message\":\"open\\\\\",\"tags\":[\"multiline\"]}");
}
END_TEST

/* ---- metrics -------------------------------------------------------------------------------------- */

START_TEST(meters_and_timers_are_reported)
{
    open_filter(&filter_metrics, "meter => ['m', 'x_%{c}'] timer => { 't' => '%{d}' } rates => [1] "
                                 "percentiles => [50, 99.9] clear_interval => 10");
    APPLY("{\"c\":1,\"d\":1}");
    APPLY("{\"c\":2,\"d\":\"3ms\"}");
    APPLY("{\"c\":1,\"d\":-5}");
    bench_advance(6);
    ck_assert_str_eq(
        bench_tick(&the_bench, 5000, false),
        " + "
        "{\"message\":\"here\",\"m\":{\"count\":3,\"rate_1m\":0.6},\"x_1\":{\"count\":2,\"rate_"
        "1m\":"
        "0.4},\"t\":{\"count\":2,\"rate_1m\":0.4,\"min\":1.0,\"max\":3.0,\"stddev\":1."
        "189207115002721,"
        "\"mean\":2.0,\"p50\":2.0,\"p99.9\":3.0},\"x_2\":{\"count\":1,\"rate_1m\":0.2}}");
    ck_assert_ptr_nonnull(strstr(bench_tick(&the_bench, 10000, false), "\"count\":3"));
    ck_assert_str_eq(bench_tick(&the_bench, 15000, true), ""); /* cleared, and nothing since */
}
END_TEST

START_TEST(names_of_meters_are_paths)
{
    open_filter(&filter_metrics, "meter => ['[n][%{c}]', 'a.b'] rates => []");
    APPLY("{\"c\":1}");
    APPLY("{\"c\":\"x\"}");
    APPLY("{\"c\":\"[\"}"); /* no path: the name of a field */
    ck_assert_str_eq(bench_tick(&the_bench, 5000, false),
                     " + {\"message\":\"here\",\"n\":{\"1\":{\"count\":1},\"x\":{\"count\":1}},"
                     "\"a.b\":{\"count\":3},\"[n][[]\":{\"count\":1}}");
}
END_TEST

START_TEST(rates_move_in_ticks)
{
    struct meter meter;
    meter_init(&meter, 100);
    for (int i = 0; i < 50; i++)
        meter_mark(&meter, 101);
    ck_assert_double_eq(meter.rates[0], 0);
    meter_look(&meter, 105.5);
    ck_assert_double_eq(meter.rates[0], 10);
    meter_look(&meter, 165.5); /* twelve ticks without a mark: a minute */
    ck_assert_double_eq_tol(meter.rates[0], 10 * 0.36787944117, 1e-9);
    ck_assert_double_eq_tol(meter.rates[2], 10 * 0.93550698503, 1e-9);
}
END_TEST

START_TEST(a_sample_keeps_its_size)
{
    struct distribution distribution;
    double sorted[SAMPLE_MAX];
    distribution_init(&distribution, 0);
    for (int i = 0; i < 10000; i++)
        distribution_add(&distribution, i, i, (i % 997 + 1) / 1000.0);
    ck_assert_uint_eq(distribution_sorted(&distribution, sorted), SAMPLE_MAX);
    for (int i = 1; i < SAMPLE_MAX; i++)
        ck_assert_double_lt(sorted[i - 1], sorted[i]);
    ck_assert_double_gt(sorted[0], 8000); /* of long ago nothing is left */
    ck_assert_double_eq(distribution.mean, 4999.5);
    distribution_release(&distribution);
}
END_TEST

static const double SORTED[] = {1, 2, 4, 8};

START_TEST(percentiles_are_interpolated)
{
    ck_assert_double_eq(percentile_of(SORTED, 0, 0.5), 0);
    ck_assert_double_eq(percentile_of(SORTED, 4, 0), 1);
    ck_assert_double_eq(percentile_of(SORTED, 4, 0.5), 3);
    ck_assert_double_eq(percentile_of(SORTED, 4, 0.7), 6);
    ck_assert_double_eq(percentile_of(SORTED, 4, 1), 8);
}
END_TEST

Suite *aggregate_suite(void)
{
    const TTest *const tests[] = {
        old_maps_become_events,
        a_cancelled_map_is_no_event,
        a_new_task_pushes_the_oldest,
        code_may_end_a_task,
        limits_of_one_task,
        an_exception_tags_and_end_of_task_holds,
        new_events_of_the_code_come_first,
        maps_are_saved_and_read_again,
        tasks_are_charged,
        a_pair_gives_its_time,
        starts_expire_by_flushes,
        lines_that_belong_to_the_previous_one,
        lines_that_belong_to_the_next_one,
        meters_and_timers_are_reported,
        names_of_meters_are_paths,
        rates_move_in_ticks,
        a_sample_keeps_its_size,
        percentiles_are_interpolated,
    };
    Suite *suite = suite_create("aggregate");
    TCase *tcase = tcase_create("aggregate");
    tcase_add_checked_fixture(tcase, bench_set_up, bench_tear_down);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tcase, tests[i]);
    tcase_add_loop_test(tcase, refuses_options, 0, sizeof REFUSED / sizeof *REFUSED);
    suite_add_tcase(suite, tcase);
    return suite;
}
