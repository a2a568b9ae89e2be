/* SPDX-License-Identifier: Apache-2.0
 *
 * Rates out of samples, with the clock of the test.
 */
#include "services/api/api_flow.h"

#include <check.h>

#include "tests/unit/services/suites.h"

static struct metric_page page;
static struct metric_pipeline pipelines[2];
static struct flow *flow;
static struct arena arena;

static void setup(void)
{
    metric_page_init(&page);
    arena_init(&arena, NULL);
    memset(pipelines, 0, sizeof pipelines);
    pipelines[0].id = STR("a");
    pipelines[1].id = STR("b");
    page.pipelines = pipelines;
    page.count = 2;
    flow = flow_new(0);
}

static void teardown(void)
{
    flow_free(flow);
    arena_release(&arena);
    metric_page_release(&page);
}

/* So many events by then, one each millisecond of work, on two workers. */
static void count(uint64_t in)
{
    for (size_t i = 0; i < 2; i++) {
        pipelines[i].values.count = 0;
        metric_add(&page, &pipelines[i].values, metric_events_in, in * (i + 1));
        metric_add(&page, &pipelines[i].values, metric_events_busy, in * (i + 1));
        metric_add(&page, &pipelines[i].values, metric_workers, 2);
    }
}

/* NaN: it is not there. */
static double rate(size_t pipeline, const char *name, const char *window, uint64_t now_ms)
{
    struct value all = flow_json(flow, &arena, &page, pipeline, now_ms);
    const struct value *of = value_object_get(&all, str_from(name));
    const struct value *found = of ? value_object_get(of, str_from(window)) : NULL;
    return found ? value_as_float(found) : -1;
}

START_TEST(before_the_first_sample)
{
    count(500);
    ck_assert_double_eq(rate(0, "input_throughput", "current", 5000), 100);
    ck_assert_double_eq(rate(0, "input_throughput", "lifetime", 5000), 100);
    ck_assert_double_eq(rate(0, "input_throughput", "last_1_minute", 5000), -1);
}
END_TEST

/* 100 a second for ten minutes, then nothing for two. */
START_TEST(each_window_has_its_rate)
{
    uint64_t now_ms = 0;
    for (; now_ms < 12 * 60 * 1000; now_ms += FLOW_SAMPLE_MS) {
        count(now_ms < 10 * 60 * 1000 ? now_ms / 10 : 60 * 1000);
        flow_sample(flow, &page, now_ms);
    }
    ck_assert_double_eq(rate(0, "input_throughput", "current", now_ms), 0);
    ck_assert_double_eq(rate(0, "input_throughput", "last_1_minute", now_ms), 0);
    ck_assert_double_eq(rate(0, "input_throughput", "last_5_minutes", now_ms), 60);
    ck_assert_double_eq(rate(0, "input_throughput", "last_15_minutes", now_ms), -1);
    ck_assert_double_eq_tol(rate(0, "input_throughput", "lifetime", now_ms), 83.333, 0.001);
    ck_assert_double_eq(rate(1, "input_throughput", "last_5_minutes", now_ms), 120);
    ck_assert_double_eq(rate(SIZE_MAX, "input_throughput", "last_5_minutes", now_ms), 180);
    ck_assert_double_eq_tol(rate(0, "worker_concurrency", "last_5_minutes", now_ms), 0.06, 1e-9);
    ck_assert_double_eq_tol(rate(0, "worker_utilization", "last_5_minutes", now_ms), 3, 1e-9);
    ck_assert_double_eq(rate(SIZE_MAX, "worker_utilization", "lifetime", now_ms), -1);
}
END_TEST

START_TEST(a_day_is_kept)
{
    const uint64_t DAY = 24 * 60 * 60 * 1000;
    uint64_t now_ms = 0;
    for (; now_ms < DAY + 30 * 60 * 1000; now_ms += FLOW_SAMPLE_MS) {
        count(now_ms / 100);
        flow_sample(flow, &page, now_ms);
    }
    count(now_ms / 100);
    ck_assert_double_eq_tol(rate(0, "input_throughput", "last_15_minutes", now_ms), 10, 0.01);
    ck_assert_double_eq_tol(rate(0, "input_throughput", "last_1_hour", now_ms), 10, 0.01);
    ck_assert_double_eq_tol(rate(0, "input_throughput", "last_24_hours", now_ms), 10, 0.01);
}
END_TEST

Suite *flow_suite(void)
{
    Suite *suite = suite_create("flow");
    TCase *cases = tcase_create("flow");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, before_the_first_sample);
    tcase_add_test(cases, each_window_has_its_rate);
    tcase_add_test(cases, a_day_is_kept);
    suite_add_tcase(suite, cases);
    return suite;
}
