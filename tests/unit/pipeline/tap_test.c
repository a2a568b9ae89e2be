/* SPDX-License-Identifier: Apache-2.0
 *
 * Taps on real lanes: each point shows what is there, limits hold and are counted, and the pipeline does not notice.
 */
#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/engine/tap.h"
#include "tests/unit/pipeline/fakes.h"
#include "tests/unit/pipeline/suites.h"

static struct taps taps;
static atomic_uint wakes;
static uint64_t clock_ms;

static uint64_t read_clock(void)
{
    return clock_ms;
}

static void wake(void *ctx)
{
    (void)ctx;
    atomic_fetch_add(&wakes, 1);
}

static void setup(void)
{
    taps_init(&taps);
    atomic_store(&wakes, 0);
    clock_ms = 1000;
}

static void teardown(void)
{
    taps_release(&taps);
}

static struct tap_options options_for(const char *plugin)
{
    return (struct tap_options){.pipeline = STR("main"),
                                .plugin = str_from(plugin),
                                .rate = TAP_RATE_MAX,
                                .now_ms = read_clock,
                                .wake = wake};
}

static struct tap *open_tap(struct tap_options options)
{
    struct error err = {0};
    struct tap *tap = tap_open(&taps, &options, &err);
    ck_assert_msg(tap, "%s", err.text);
    return tap;
}

static void run(const char *text, unsigned events, size_t lanes)
{
    struct fake_world world = {.batches = 1, .batch_events = events, .taps = &taps};
    fake_run(&world, text, lanes, 0);
}

/* Takes all lines; how many. The text of the last one is kept for looking at. */
static char last[TAP_EVENT_MAX_BYTES];
static unsigned take_all(struct tap *tap)
{
    unsigned count = 0;
    for (struct tap_line *line; (line = tap_take(tap)); count++) {
        ck_assert_uint_lt(line->len, sizeof last);
        memcpy(last, line->text, line->len);
        last[line->len] = 0;
        mem_free(line);
    }
    return count;
}

#define CHAIN                                                                                      \
    "input { feed { id => in } } filter { even { id => half add_field => { mark => \"m\" } }\n"    \
    "if ![mark] { fall { id => fall } } else { twin { id => twin } } }\n"                          \
    "output { if [number] < 4 { sink { id => out } } }"

static const struct point {
    const char *plugin;
    bool before, diff;
    unsigned seen;
    const char *has, *has_not;
} POINTS[] = {
    {"in", false, false, 10, "\"point\":\"behind\",\"event\":{", "mark"},
    {"half", true, false, 10, "\"point\":\"before\"", "mark"},
    {"half", false, false, 10, "\"point\":\"behind\"", "before"},
    {"fall", true, false, 5, "\"number\":9", "mark"},
    {"fall", false, false, 0, "", NULL},
    {"fall", false, true, 5, "\"after\":null", NULL},
    {"twin", true, false, 5, "\"mark\":\"m\"", "\"mark\":\"twin"},
    {"twin", false, false, 10, "\"mark\":\"twin\"", NULL},
    {"twin", false, true, 10, "\"before\":null,\"after\":{", NULL},
    {"half", false, true, 10, "\"before\":{", NULL},
    {"", false, false, 10, "\"point\":\"outputs\"", "plugin"},
    {"out", false, false, 4, "\"plugin\":\"out\",\"point\":\"before\"", NULL},
    {"elsewhere", false, false, 0, "", NULL},
};

START_TEST(each_point_shows_what_is_there)
{
    const struct point *point = &POINTS[_i];
    struct tap_options options = options_for(point->plugin);
    options.before = point->before;
    options.diff = point->diff;
    struct tap *tap = open_tap(options);
    last[0] = 0;
    run(CHAIN, 10, 1);
    ck_assert_uint_eq(take_all(tap), point->seen);
    ck_assert_ptr_nonnull(strstr(last, point->has));
    if (point->has_not)
        ck_assert_msg(!strstr(last, point->has_not), "%s", last);
    ck_assert_uint_eq(tap_counts(tap).matched, point->seen);
    ck_assert_uint_eq(atomic_load(&wakes), point->seen > 0);
    tap_close(&taps, tap);
}
END_TEST

START_TEST(a_dropped_event_has_no_after)
{
    struct tap_options options = options_for("fall");
    options.diff = true;
    options.where = STR("[number] == 1");
    struct tap *tap = open_tap(options);
    run(CHAIN, 10, 1);
    ck_assert_uint_eq(take_all(tap), 1);
    ck_assert_ptr_nonnull(strstr(last, "\"after\":null"));
    tap_close(&taps, tap);
}
END_TEST

/* The condition may hold before the filter, or only behind it. */
START_TEST(a_difference_is_found_by_what_the_filter_made)
{
    struct tap_options options = options_for("half");
    options.diff = true;
    options.where = STR("[mark] == 'm'");
    struct tap *tap = open_tap(options);
    run(CHAIN, 10, 1);
    ck_assert_uint_eq(take_all(tap), 5);
    ck_assert_ptr_nonnull(strstr(last, "\"after\":{"));
    tap_close(&taps, tap);
}
END_TEST

START_TEST(a_condition_a_sample_and_a_rate)
{
    struct tap_options options = options_for("in");
    options.where = STR("[number] >= 4");
    options.sample = 2;
    options.rate = 2;
    struct tap *tap = open_tap(options);
    run(CHAIN, 10, 1); /* 4..9 match, 4 6 8 are sampled, 4 6 are shown */
    struct tap_counts counts = tap_counts(tap);
    ck_assert_uint_eq(counts.matched, 6);
    ck_assert_uint_eq(counts.shown, 2);
    ck_assert_uint_eq(counts.limited, 1);
    ck_assert_uint_eq(take_all(tap), 2);
    ck_assert_ptr_nonnull(strstr(last, "\"number\":6"));
    clock_ms += 500; /* room for one more */
    run(CHAIN, 10, 1);
    ck_assert_uint_eq(take_all(tap), 1);
    tap_close(&taps, tap);
}
END_TEST

START_TEST(who_does_not_read_loses_events_and_holds_nothing_up)
{
    struct fake_world world = {.batches = 4, .batch_events = 100, .taps = &taps};
    struct tap *tap = open_tap(options_for("in"));
    fake_run(&world, "input { feed { id => in } } output { sink {} }", (size_t)_i, 0);
    struct tap_counts counts = tap_counts(tap);
    ck_assert_uint_eq(world.delivered, 400);
    ck_assert_uint_eq(counts.matched, 400);
    ck_assert_uint_eq(counts.shown, TAP_QUEUE_MAX_EVENTS);
    ck_assert_uint_eq(counts.dropped, 400 - TAP_QUEUE_MAX_EVENTS);
    ck_assert_uint_eq(take_all(tap), TAP_QUEUE_MAX_EVENTS);
    tap_close(&taps, tap);
}
END_TEST

/* A filter on the main lane, seen by batches of other lanes; one that waits; both with their state between the points. */
START_TEST(filters_that_stop_a_slice_are_seen_once)
{
    struct tap_options options = options_for("stop");
    options.diff = _i % 2;
    struct tap *tap = open_tap(options);
    run(_i < 2 ? "input { feed {} } filter { lone { id => stop } } output { sink {} }"
               : "input { feed {} } filter { wait { id => stop turns => 3 } } output { sink {} }",
        50, 3);
    ck_assert_uint_eq(take_all(tap), _i < 2 ? 51 : 50); /* the last tick makes one */
    ck_assert_ptr_nonnull(strstr(last, options.diff ? "\"after\":{" : "\"event\":{"));
    tap_close(&taps, tap);
}
END_TEST

START_TEST(several_taps_and_too_many)
{
    struct tap *open[TAPS_MAX];
    struct error err = {0};
    struct tap_options options = options_for("");
    for (size_t i = 0; i < TAPS_MAX; i++)
        open[i] = open_tap(options);
    ck_assert_ptr_null(tap_open(&taps, &options, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "are open already"));
    run(CHAIN, 10, 2);
    for (size_t i = 0; i < TAPS_MAX; i++) {
        ck_assert_uint_eq(take_all(open[i]), 10);
        tap_close(&taps, open[i]);
    }
    ck_assert(!taps_are_open(&taps));
}
END_TEST

START_TEST(what_is_no_condition_opens_nothing)
{
    static char long_text[TAP_WHERE_MAX_BYTES + 2];
    struct error err = {0};
    struct tap_options options = options_for("in");
    memset(long_text, ' ', sizeof long_text - 1);
    const struct str texts[] = {STR("[a] =="), STR("true } } filter { if [a]"),
                                str_from(long_text)};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        options.where = texts[i];
        ck_assert_ptr_null(tap_open(&taps, &options, &err));
    }
    ck_assert(!taps_are_open(&taps));
}
END_TEST

Suite *tap_suite(void)
{
    Suite *suite = suite_create("tap");
    TCase *cases = tcase_create("tap");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, each_point_shows_what_is_there, 0, sizeof POINTS / sizeof *POINTS);
    tcase_add_test(cases, a_dropped_event_has_no_after);
    tcase_add_test(cases, a_difference_is_found_by_what_the_filter_made);
    tcase_add_test(cases, a_condition_a_sample_and_a_rate);
    tcase_add_loop_test(cases, who_does_not_read_loses_events_and_holds_nothing_up, 1, 4);
    tcase_add_loop_test(cases, filters_that_stop_a_slice_are_seen_once, 0, 4);
    tcase_add_test(cases, several_taps_and_too_many);
    tcase_add_test(cases, what_is_no_condition_opens_nothing);
    suite_add_tcase(suite, cases);
    return suite;
}
