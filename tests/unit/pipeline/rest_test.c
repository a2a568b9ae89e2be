/* SPDX-License-Identifier: Apache-2.0
 *
 * Events that take long: the loop has a turn behind each, and the slice goes on as if it had not. The clock goes by looks.
 */
#include <check.h>

#include "pipeline/program/slice.h"
#include "tests/unit/pipeline/fake_plugins.h"
#include "tests/unit/pipeline/fakes.h"
#include "tests/unit/pipeline/suites.h"

enum { TIMEOUT_LOOKS = 30, FEW = 10 };

static struct fake_world slow_world(unsigned batches, unsigned batch_events)
{
    return (struct fake_world){
        .batches = batches,
        .batch_events = batch_events,
        .regex = {.timeout_ms = TIMEOUT_LOOKS, .clock_ms = fake_clock},
    };
}

static void run(struct fake_world *world, const char *filters, const char *outputs, size_t lanes)
{
    char text[1024];
    snprintf(text, sizeof text, "input { feed {} } filter { %s } output { %s }", filters, outputs);
    fake_run(world, text, lanes, 0);
}

START_TEST(each_slow_event_has_a_turn_of_its_own)
{
    struct fake_world world = slow_world(3, 300);
    world.unordered = _i % 2;
    run(&world, "slow {} even {}", "sink {}", (size_t)(1 + _i / 2));
    ck_assert_uint_eq(world.delivered, 900);
    ck_assert_uint_eq(world.applied, 900);
    ck_assert_uint_eq(world.most_in_turn, 1);
    ck_assert_uint_eq(world.last_token, 3);
    ck_assert(!world.tokens_out_of_order);
}
END_TEST

/* Ten batches of 1 to 2 events come within a turn, and one of them has a filter for each event in turn. */
START_TEST(slow_events_of_many_batches_too)
{
    struct fake_world world = slow_world(40, 1 + (unsigned)_i / 2);
    world.unordered = _i % 2;
    run(&world, "slow {} if [number] >= 0 { slow {} }", "sink {} lone_sink {}", 1);
    ck_assert_uint_eq(world.delivered, 2 * 40 * (1 + (unsigned)_i / 2));
    ck_assert_uint_le(world.most_looks, 25 + FEW);
    ck_assert_uint_eq(world.last_token, 40);
}
END_TEST

START_TEST(a_little_many_times_is_long)
{
    struct fake_world world = slow_world(2, 300);
    run(&world, "slow { ticks => 3 } slow { ticks => 3 }", "sink {}", 1);
    ck_assert_uint_eq(world.delivered, 600);
    ck_assert_uint_le(world.most_looks, 2 * SLICE_TURN_MS + FEW);
    ck_assert_uint_gt(world.most_in_turn, 1);
}
END_TEST

START_TEST(what_is_quick_has_no_turns)
{
    struct fake_world world = slow_world(1, 300);
    run(&world, "slow { ticks => 0 }", "sink {}", 1);
    ck_assert_uint_eq(world.delivered, 300);
    ck_assert_uint_eq(world.most_in_turn, 300);
}
END_TEST

/* In a filter, in the arm of a branch, in the middle of a condition, and in one of the outputs. */
static const struct {
    const char *filters, *outputs, *order;
} ORDERS[] = {
    {"slow {}", "sink {}", "0123456789"},
    {"if [number] < 5 { slow {} } else { slow {} slow {} }", "sink {}", "0123456789"},
    {"slow {} twin {} slow {} if [number] == 2 { fall {} }", "sink {}", "0011334455"},
    {"twin {} if [number] in [1, 3] { slow {} twin {} } else if [mark] == 'twin' { fall {} }",
     "sink {}", "0111123333"},
    {"slow { marks => true } if [mark] =~ /^(a+)+$/ { fall {} } else { even {} }", "sink {}",
     "0123456789"},
    {"slow { marks => true } if [number] == 4 or [mark] =~ /^(a+)+$/ { twin {} }", "sink {}",
     "0123445678"},
    {"slow { marks => true } if [mark] =~ /^(a+)+$/ { fall {} } else if [number] < 3 { slow {} } "
     "else if [mark] =~ /^(a+)+$/ { fall {} } else { twin {} }",
     "sink {}", "0123344556"},
    {"slow { marks => true }", "if [mark] =~ /^(a+)+$/ { lone_sink {} } else { sink {} }",
     "0123456789"},
    {"slow { marks => true ticks => 1 }",
     "if [number] == 3 or [mark] =~ /^(a+)+$/ { sink {} } else if [mark] =~ /^(a+)+$/ { sink {} }",
     "3"},
    {"slow {} wait { turns => 0 spread => 3 } slow {} wait {}", "sink {}", "0123456789"},
    {"slow_lone {} slow {} slow_lone {}", "sink {}", "0123456789"},
};

START_TEST(everything_stays_in_its_place)
{
    size_t row = (size_t)_i / 2, len = strlen(ORDERS[row].order);
    struct fake_world world = slow_world(_i % 2 ? 1 : 5, _i % 2 ? 10 : 2);
    run(&world, ORDERS[row].filters, ORDERS[row].outputs, 1);
    ck_assert_uint_ge(world.order_len, len);
    ck_assert_msg(memcmp(world.order, ORDERS[row].order, len) == 0, "%.*s", (int)world.order_len,
                  world.order);
    ck_assert_uint_le(world.most_looks, SLICE_TURN_MS + TIMEOUT_LOOKS + FEW);
    ck_assert_uint_eq(world.mistakes, 0);
}
END_TEST

START_TEST(slow_visits_hold_the_main_lane_for_one_event)
{
    struct fake_world world = slow_world(10, 200);
    world.unordered = true;
    run(&world, "slow_lone {} twin {} if [number] < 1000 { slow_lone {} }", "sink {}", (size_t)_i);
    ck_assert_uint_eq(world.delivered, 4000);
    ck_assert_uint_eq(world.applied, 4000);
    ck_assert_uint_eq(world.most_in_turn, 1);
    ck_assert_uint_eq(world.last_token, 10);
}
END_TEST

/* Whatever has come through by then: it can be closed at any place, and gives everything back. */
START_TEST(closing_gives_up_what_rests)
{
    static const char *const TEXTS[] = {
        "input { feed {} } filter { slow { ticks => 100000 } } output { sink {} }",
        "input { feed {} } filter { slow_lone { ticks => 100000 } } output { sink {} }",
        "input { feed {} } filter { slow { marks => true } if [mark] =~ /^(a+)+$/ { fall {} } }\n"
        "output { if [mark] =~ /^(a+)+$/ { sink {} } else { sink {} } }",
    };
    for (size_t lanes = 1; lanes <= 3; lanes++) {
        struct fake_world world = slow_world(0, 500);
        world.feed_endless = true;
        world.unordered = lanes != 2;
        world.shutdown_ms = 1;
        fake_run(&world, TEXTS[_i], lanes, 20);
        ck_assert_uint_le(world.last_token * 500, world.delivered);
    }
}
END_TEST

Suite *rest_suite(void)
{
    Suite *suite = suite_create("rest");
    TCase *tcase = tcase_create("rest");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, each_slow_event_has_a_turn_of_its_own, 0, 6);
    tcase_add_loop_test(tcase, slow_events_of_many_batches_too, 0, 4);
    tcase_add_test(tcase, a_little_many_times_is_long);
    tcase_add_test(tcase, what_is_quick_has_no_turns);
    tcase_add_loop_test(tcase, everything_stays_in_its_place, 0,
                        2 * sizeof ORDERS / sizeof *ORDERS);
    tcase_add_loop_test(tcase, slow_visits_hold_the_main_lane_for_one_event, 1, 4);
    tcase_add_loop_test(tcase, closing_gives_up_what_rests, 0, 3);
    suite_add_tcase(suite, tcase);
    return suite;
}
