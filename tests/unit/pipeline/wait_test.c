/* SPDX-License-Identifier: Apache-2.0
 *
 * Filters that have to wait: the slice is suspended, others go on, and afterwards everything is as if nobody had waited.
 */
#include <check.h>

#include "tests/unit/pipeline/fakes.h"
#include "tests/unit/pipeline/suites.h"

/* Several slices of several batches wait at the same time, on one to three lanes. */
START_TEST(everything_arrives_that_waited)
{
    struct fake_world world = {.batches = 20, .batch_events = 300};
    fake_run(&world,
             "input { feed {} } filter { wait { turns => 0 spread => 7 } }\n"
             "output { sink {} lone_sink {} }",
             (size_t)_i, 0);
    ck_assert_uint_eq(world.delivered, 2 * 20 * 300);
    ck_assert_uint_eq(world.prepared, 20 * 300);
    ck_assert_uint_eq(world.mistakes, 0);
    ck_assert_uint_eq(world.applied, 20 * 300);
    ck_assert_uint_eq(world.last_token, 20);
    ck_assert(!world.tokens_out_of_order);
}
END_TEST

/* More suspended slices than are asked at once. */
START_TEST(a_long_line_comes_through)
{
    struct fake_world world = {.batches = 100, .batch_events = 5, .unordered = true};
    fake_run(&world, "input { feed {} } filter { wait { turns => 300 } } output { sink {} }", 1, 0);
    ck_assert_uint_eq(world.delivered, 500);
    ck_assert_uint_eq(world.last_token, 100);
}
END_TEST

/* The same pipeline as new_events_run_through_the_rest_of_the_pipeline, with waiting in every arm and behind. */
static const char *const ARMS =
    "input { feed {} }\n"
    "filter { even { add_tag => \"even\" }\n"
    "  if \"even\" in [tags] {\n"
    "    wait {} twin {}\n"
    "    if [mark] == \"twin\" { wait { turns => 3 } even { add_tag => \"deep\" } wait {} }\n"
    "    else if [number] == 4 { wait { turns => 6 } }\n"
    "    else { wait { spread => 3 } }\n"
    "  } else { wait { turns => 2 } fall {} }\n"
    "  wait { turns => 0 spread => 2 }\n"
    "  if \"deep\" in [tags] { twin {} wait {} } }\n"
    "output { sink {} }";

START_TEST(arms_are_continued_where_they_waited)
{
    struct fake_world world = {.batches = 1, .batch_events = 10, .unordered = _i == 0};
    fake_run(&world, ARMS, (size_t)(_i == 0 ? 1 : _i), 0);
    ck_assert_uint_eq(world.delivered, 5 + 5 + 5);
    /* first wait 5, second 5 twice, 4 alone 1 and else 4; odd ones 5; behind the branch 10; the end 5 and their twins */
    ck_assert_uint_eq(world.applied, 5 + 2 * 5 + 1 + 4 + 5 + 10 + 10);
    ck_assert_uint_eq(world.prepared, world.applied);
    ck_assert_uint_eq(world.mistakes, 0);
    ck_assert_uint_eq(world.last_token, 1);
}
END_TEST

static const struct {
    const char *filters;
    unsigned batches, batch_events;
    bool unordered;
    const char *order;
} ORDERS[] = {
    {"if [number] == 3 { wait { turns => 20 } }", 10, 1, false, "0123456789"},
    {"if [number] == 3 { wait { turns => 20 } }", 10, 1, true, "0124567893"},
    {"if [number] == 3 { wait { turns => 20 } }", 1, 10, false, "0123456789"},
    {"if [number] == 3 { wait {} } else if [number] < 2 { wait {} }", 1, 10, true, "0123456789"},
    {"wait { turns => 0 spread => 5 } wait { turns => 0 spread => 3 }", 5, 2, false, "0123456789"},
    /* What a filter makes stands behind what it was made from, wherever that is. */
    {"twin {}", 1, 5, false, "0011223344"},
    {"twin {}", 1, 5, true, "0011223344"},
    {"if [number] == 3 { twin {} twin {} } else { if [number] < 2 { twin {} } }", 1, 5, true,
     "0011233334"},
    {"if [number] == 4 { twin {} if ![mark] { fall {} } }", 1, 10, true, "0123456789"},
    {"if [number] < 3 { twin {} wait {} if [mark] == \"twin\" { twin {} } else { fall {} } }", 1, 7,
     false, "0011223456"},
    {"if [number] in [1, 3] { wait { turns => 3 } twin {} }", 1, 8, false, "0112334567"},
    {"even {} if [number] == 2 { wait {} twin {} wait { turns => 4 } twin {} }", 1, 7, true,
     "0122223456"},
};

START_TEST(order_is_kept_when_it_must_be)
{
    struct fake_world world = {.batches = ORDERS[_i].batches,
                               .batch_events = ORDERS[_i].batch_events,
                               .unordered = ORDERS[_i].unordered};
    char text[512];
    snprintf(text, sizeof text,
             "input { feed {} } filter { %s } output { sink { in_flight => 1 } }",
             ORDERS[_i].filters);
    fake_run(&world, text, 1, 0);
    ck_assert_uint_eq(world.order_len, 10);
    ck_assert_msg(memcmp(world.order, ORDERS[_i].order, 10) == 0, "%.10s", world.order);
}
END_TEST

/* Ten events, and behind them what filters said in their last tick: how many events they had had. */
static const struct {
    const char *filters, *order;
} LAST_TICKS[] = {
    {"late {}", "01234567891"},
    {"fall {} late {} twin {}", "00"},
    {"fall {} late {} late {} twin {} late {}", "00114"},
    /* an earlier filter never sees it, the rest of its arm and what is behind the branch do */
    {"twin {} fall {} late {} if [number] > 3 { late {} wait {} twin {} } else { late {} }",
     "0001"},
    {"if [number] < 4 { fall {} } else if [number] < 6 { late {} twin {} } else { fall {} }",
     "445522"},
    {"if [number] > 40 { late {} if [number] > 50 { late {} fall {} } } else { fall {} }", "0"},
    {"late {} wait { turns => 0 spread => 3 } fall {}", ""},
};

START_TEST(filters_have_a_last_word)
{
    struct fake_world world = {.batches = 2, .batch_events = 5};
    char text[512];
    snprintf(text, sizeof text, "input { feed {} } filter { %s } output { lone_sink {} }",
             LAST_TICKS[_i].filters);
    fake_run(&world, text, 1, 0);
    ck_assert_msg(str_equal(str_make(world.order, world.order_len), str_from(LAST_TICKS[_i].order)),
                  "%.*s", (int)world.order_len, world.order);
    ck_assert_uint_eq(world.last_token, 2);
    ck_assert_uint_eq(world.mistakes, 0);
}
END_TEST

START_TEST(every_lane_has_a_last_word)
{
    struct fake_world world = {.batches = 20, .batch_events = 30};
    fake_run(&world, "input { feed {} } filter { late {} wait {} } output { sink {} lone_sink {} }",
             (size_t)_i, _i == 2 ? 3000 : 0);
    ck_assert_uint_eq(world.delivered, 2 * (20 * 30 + (unsigned)_i));
    ck_assert_uint_eq(world.last_token, 20);
}
END_TEST

/* A filter with one instance, passed by the batches of all lanes; how many events it saw, and how many come out. */
static const struct {
    const char *filters;
    unsigned delivered;
} CUTS[] = {
    {"lone {}", 6001},
    {"if [number] < 100 { lone {} } else if [number] >= 5990 { fall {} }", 5991},
    {"lone {} wait { turns => 0 spread => 3 } twin {}", 12002},
    {"if [number] < 3000 { wait { spread => 3 } lone {} twin {} } else { lone {} } wait {}", 9003},
    {"lone {} if [number] < 10 { lone {} twin {} wait {} }", 6000 + 10 + 1 + 2},
    {"fall {} lone {} lone {}", 2},
};

static unsigned lanes_of(int i)
{
    return 1 + (unsigned)i % 3;
}

START_TEST(all_lanes_pass_a_filter_that_sees_everything)
{
    struct fake_world world = {.batches = 20, .batch_events = 300, .unordered = true};
    char text[512];
    snprintf(text, sizeof text, "input { feed {} } filter { %s } output { lone_sink {} sink {} }",
             CUTS[_i / 3].filters);
    fake_run(&world, text, lanes_of(_i), 0);
    ck_assert_uint_eq(world.delivered, 2 * CUTS[_i / 3].delivered);
    ck_assert_uint_eq(world.last_token, 20);
    ck_assert_uint_eq(world.mistakes, 0);
}
END_TEST

START_TEST(batches_of_all_lanes_visit_the_main_lane)
{
    struct fake_world world = {.batches = 20, .batch_events = 300, .unordered = true};
    unsigned lanes = (unsigned)_i;
    fake_run(
        &world,
        "input { spread_feed {} } filter { twin {} lone {} if [number] > 7 { lone {} } twin {} } "
        "output { sink {} }",
        lanes, 0);
    ck_assert_uint_eq(world.delivered, lanes * 4 * 6000 + 2 * 2);
    ck_assert_uint_eq(world.spread_acked, lanes * 20);
}
END_TEST

START_TEST(stop_delivers_what_waits)
{
    struct fake_world world = {.batch_events = 200, .feed_endless = true, .shutdown_ms = 20000};
    fake_run(&world,
             "input { feed {} } filter { wait { turns => 0 spread => 3 } } output { sink {} }",
             (size_t)_i, 30);
    ck_assert_uint_gt(world.last_token, 0);
    ck_assert_uint_eq(world.delivered, 200 * world.last_token);
    ck_assert(!world.summary.timed_out);
}
END_TEST

/* What never becomes ready is given up at the timeout: freed, and not acknowledged. Of the others, some slices of a batch
 * come through. */
static const char *const STUCK[] = {
    "input { feed {} } filter { wait { never => true } } output { sink {} }",
    "input { feed {} } filter { if [number] > 150 { wait { never => true } } } output { sink {} }",
    "input { feed {} } filter { if [number] > 150 { lone {} } else { wait { never => true } } }\n"
    "output { sink {} }",
    "input { feed {} } filter { if [number] < 150 { wait { turns => 3 } wait { never => true } } "
    "}\n"
    "output { lone_sink {} }",
};

START_TEST(closing_gives_up_what_waits)
{
    for (size_t lanes = 1; lanes <= 2; lanes++) {
        struct fake_world world = {
            .batch_events = 300, .feed_endless = true, .unordered = true, .batches = 0};
        fake_run(&world, STUCK[_i], lanes, 20);
        ck_assert(world.summary.timed_out);
        ck_assert_uint_gt(world.summary.undelivered, 0);
        ck_assert_uint_eq(world.last_token, 0);
        world = (struct fake_world){.batch_events = 300, .feed_endless = true};
        fake_run(&world, STUCK[_i], lanes, 20);
        ck_assert(world.summary.timed_out);
        ck_assert_uint_eq(world.last_token, 0);
    }
}
END_TEST

Suite *wait_suite(void)
{
    Suite *suite = suite_create("wait");
    TCase *tcase = tcase_create("wait");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, everything_arrives_that_waited, 1, 4);
    tcase_add_test(tcase, a_long_line_comes_through);
    tcase_add_loop_test(tcase, arms_are_continued_where_they_waited, 0, 3);
    tcase_add_loop_test(tcase, order_is_kept_when_it_must_be, 0, sizeof ORDERS / sizeof *ORDERS);
    tcase_add_loop_test(tcase, filters_have_a_last_word, 0, sizeof LAST_TICKS / sizeof *LAST_TICKS);
    tcase_add_loop_test(tcase, every_lane_has_a_last_word, 1, 4);
    tcase_add_loop_test(tcase, all_lanes_pass_a_filter_that_sees_everything, 0,
                        3 * sizeof CUTS / sizeof *CUTS);
    tcase_add_loop_test(tcase, batches_of_all_lanes_visit_the_main_lane, 1, 5);
    tcase_add_loop_test(tcase, stop_delivers_what_waits, 1, 4);
    tcase_add_loop_test(tcase, closing_gives_up_what_waits, 0, sizeof STUCK / sizeof *STUCK);
    suite_add_tcase(suite, tcase);
    return suite;
}
