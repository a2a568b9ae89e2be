/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine on real lanes with plugins that do as they are told: nothing is acknowledged before it is delivered, nothing
 * is lost, and the books balance.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/pipeline/fakes.h"
#include "tests/unit/pipeline/suites.h"

START_TEST(delivers_and_acknowledges_everything)
{
    struct fake_world world = {.batches = 40, .batch_events = 37};
    fake_run(&world, "input { feed {} } output { sink {} }", (size_t)_i, 0);
    ck_assert_uint_eq(world.delivered, 40 * 37);
    ck_assert_uint_eq(world.last_token, 40);
    ck_assert(!world.tokens_out_of_order);
    ck_assert_uint_eq(world.summary.events_in, 40 * 37);
    ck_assert_uint_eq(world.summary.events_out, 40 * 37);
    ck_assert_uint_le(world.most_items, 10);
    ck_assert_uint_le(world.most_in_flight, 2);
}
END_TEST

START_TEST(hands_over_to_an_output_of_the_main_lane)
{
    struct fake_world world = {.batches = 60, .batch_events = 11};
    fake_run(&world, "input { feed {} } output { lone_sink {} sink {} }", 3, 0);
    ck_assert_uint_eq(world.delivered, 2 * 60 * 11);
    ck_assert_uint_eq(world.last_token, 60);
}
END_TEST

/* Each item fails twice before it is taken; the group's whole answer is RETRY. */
static enum verdict third_time(struct fake_world *world, struct str item, unsigned attempts)
{
    (void)world;
    (void)item;
    return attempts < 2 ? VERDICT_RETRY : VERDICT_DELIVERED;
}

START_TEST(tries_a_whole_group_again)
{
    struct fake_world world = {.batches = 3, .batch_events = 25, .answer = third_time};
    fake_run(&world, "input { feed {} } output { sink {} }", (size_t)_i, 0);
    ck_assert_uint_eq(world.delivered, 75);
    ck_assert_uint_eq(world.last_token, 3);
    ck_assert(!world.tokens_out_of_order);
}
END_TEST

/* What the item begins with. */
static long number_of(struct str item)
{
    return fake_number(item);
}

/* Odd numbers need a second try, so each group comes back in part. */
static enum verdict odd_again(struct fake_world *world, struct str item, unsigned attempts)
{
    (void)world;
    return attempts == 0 && number_of(item) % 2 ? VERDICT_RETRY : VERDICT_DELIVERED;
}

START_TEST(tries_only_the_rest_of_a_group_again)
{
    struct fake_world world = {.batches = 20, .batch_events = 30, .answer = odd_again};
    fake_run(&world, "input { feed {} } output { sink {} }", (size_t)_i, 0);
    ck_assert_uint_eq(world.delivered, 600);
    ck_assert_uint_eq(world.last_token, 20);
}
END_TEST

static enum verdict refuse_fives(struct fake_world *world, struct str item, unsigned attempts)
{
    (void)world;
    (void)attempts;
    return number_of(item) % 5 == 0 ? VERDICT_REFUSED : VERDICT_DELIVERED;
}

START_TEST(a_refused_event_is_counted_and_holds_nothing_up)
{
    struct fake_world world = {.batches = 10, .batch_events = 10, .answer = refuse_fives};
    fake_run(&world, "input { feed {} } output { sink {} }", 2, 0);
    ck_assert_uint_eq(world.delivered, 80);
    ck_assert_uint_eq(world.summary.refused, 20);
    ck_assert_uint_eq(world.last_token, 10);
}
END_TEST

/* More than four items at once are too many. */
static enum verdict small_groups_only(struct fake_world *world, struct str item, unsigned attempts)
{
    (void)item;
    (void)attempts;
    return atomic_exchange(&world->most_items, 0) > 4 ? VERDICT_RETRY : VERDICT_DELIVERED;
}

START_TEST(makes_groups_smaller_when_the_destination_asks)
{
    struct fake_world world = {.batches = 1,
                               .batch_events = 100,
                               .answer = small_groups_only,
                               .retry_cause = SEND_TOO_LARGE};
    fake_run(&world, "input { feed {} } output { sink { items => 64 in_flight => 1 } }", 1, 0);
    ck_assert_uint_eq(world.delivered, 100);
    ck_assert_uint_eq(world.last_token, 1);
}
END_TEST

/* What is charged to the budget for a group that waits is what it may hold, not half as much again. */
START_TEST(a_full_group_has_little_memory_to_spare)
{
    enum { BYTES = 2200 };
    struct fake_world world = {.batches = 10, .batch_events = 1000};
    fake_run(&world, "input { feed {} } output { sink { items => 1000 bytes => 2200 } }", 1, 0);
    ck_assert_uint_eq(world.delivered, 10 * 1000);
    ck_assert_uint_ge(world.most_capacity, BYTES);
    ck_assert_uint_le(world.most_capacity, BYTES + BYTES / 16);
}
END_TEST

START_TEST(an_ordered_pipeline_keeps_the_order_through_retries)
{
    struct fake_world world = {.batches = 1, .batch_events = 10, .answer = third_time};
    fake_run(&world, "input { feed {} } output { sink { items => 2 in_flight => 4 } }", 1, 0);
    ck_assert_uint_eq(world.order_len, 10);
    ck_assert_mem_eq(world.order, "0123456789", 10);
    ck_assert_uint_eq(world.most_in_flight, 1);
}
END_TEST

START_TEST(routes_by_condition_and_decorates_on_success)
{
    struct fake_world world = {.batches = 1, .batch_events = 10};
    fake_run(&world,
             "input { feed {} } filter { even { add_field => { mark => \"even\" } } }\n"
             "output { if [mark] == \"even\" { sink {} } }",
             1, 0);
    ck_assert_uint_eq(world.delivered, 5);
    ck_assert_uint_eq(world.last_token, 1);
}
END_TEST

/* Lists and hashes inside are their texts, a hash is its entries, an empty one nothing: as Ruby's Array() and to_s. */
START_TEST(adds_nested_values_as_text)
{
    struct fake_world world = {.batches = 1, .batch_events = 2};
    fake_run(
        &world,
        "input { feed {} }\n"
        "filter { even { add_field => { lists => [[\"x\", 1], \"y\"] hash => { \"k\" => [2] }\n"
        "  empty => {} } } }\n"
        "output { if '[\"x\", 1]' in [lists] and 'y' in [lists] {\n"
        "  if [hash] == '[\"k\", [2]]' and ![empty] { sink {} } } }",
        1, 0);
    ck_assert_uint_eq(world.delivered, 1);
}
END_TEST

/* 10 events: 5 even ones get a twin inside the branch; the twins go on through the rest of it and behind it. */
START_TEST(new_events_run_through_the_rest_of_the_pipeline)
{
    struct fake_world world = {.batches = 1, .batch_events = 10};
    fake_run(&world,
             "input { feed {} }\n"
             "filter { even { add_tag => \"even\" }\n"
             "  if \"even\" in [tags] { twin {} if [mark] == \"twin\" { even { add_tag => \"deep\" "
             "} } }\n"
             "  else { fall {} }\n"
             "  if \"deep\" in [tags] { twin {} } }\n"
             "output { sink {} }",
             1, 0);
    ck_assert_uint_eq(world.delivered, 5 + 5 + 5);
    ck_assert_uint_eq(world.last_token, 1);
}
END_TEST

/* Number 75 is in the eighth batch. What was thrown away stops the acknowledgements for good, also of what was handed over
 * later and delivered; everything else goes on. */
START_TEST(what_is_thrown_away_is_not_acknowledged)
{
    struct fake_world world = {.batches = 20, .batch_events = 10, .lost = 75};
    fake_run(&world, "input { feed {} } output { sink {} }", (size_t)_i, 0);
    ck_assert_uint_eq(world.last_token, 7);
    ck_assert_uint_eq(world.abandoned, 1);
    ck_assert_uint_eq(world.delivered, 200);
    ck_assert(!world.summary.timed_out);
}
END_TEST

/* Nobody but their own lane writes what streams and their codecs count, and the sum is right. The input is finished while
 * much is under way elsewhere: the last receipt, on whatever lane, ends the run. */
START_TEST(streams_on_several_lanes_count_and_end)
{
    struct fake_world world = {.batches = 30, .batch_events = 20};
    unsigned events = (unsigned)_i * 30 * 20;
    fake_run(&world, "input { spread_feed {} } output { sink {} }", (size_t)_i, 0);
    ck_assert_uint_eq(world.delivered, events);
    ck_assert_uint_eq(world.spread_acked, (unsigned)_i * 30);
    ck_assert_uint_eq(world.summary.events_in, events);
    char expected[64];
    snprintf(expected, sizeof expected, "\"decoded\":%u,", events);
    ck_assert_msg(strstr(world.counters, expected), "%s", world.counters);
}
END_TEST

/* What a later branch takes is not taken from an output before it that encodes on another lane. */
START_TEST(an_output_of_the_main_lane_keeps_its_events)
{
    struct fake_world world = {.batches = 10, .batch_events = 20};
    fake_run(&world,
             "input { spread_feed {} }\n"
             "output { lone_sink {} if [number] == 4 { sink {} } else { lone_sink {} } }",
             3, 0);
    ck_assert_uint_eq(world.delivered, 3 * 10 * (20 + 20));
    ck_assert_uint_eq(world.spread_acked, 3 * 10);
}
END_TEST

START_TEST(an_event_without_an_output_is_done)
{
    struct fake_world world = {.batches = 5, .batch_events = 5};
    fake_run(&world, "input { feed {} } filter { fall {} } output { sink {} }", 2, 0);
    ck_assert_uint_eq(world.delivered, 0);
    ck_assert_uint_eq(world.last_token, 5);
}
END_TEST

/* What the feed handed over in 30 ms takes the sinks many times that: the timeout must not come into it. */
START_TEST(stop_delivers_what_is_under_way)
{
    struct fake_world world = {.batch_events = 50, .feed_endless = true, .shutdown_ms = 20000};
    fake_run(&world, "input { feed {} } output { sink {} lone_sink {} }", (size_t)_i, 30);
    ck_assert_uint_gt(world.last_token, 0);
    ck_assert_uint_eq(world.delivered, 2 * 50 * world.last_token);
    ck_assert(!world.summary.timed_out);
}
END_TEST

START_TEST(the_timeout_gives_up_without_acknowledging)
{
    struct fake_world world = {.batch_events = 50, .feed_endless = true, .sink_holds = true};
    fake_run(&world, "input { feed {} } output { sink {} }", (size_t)_i, 20);
    ck_assert(world.summary.timed_out);
    ck_assert_uint_gt(world.summary.undelivered, 0);
    ck_assert_uint_eq(world.last_token, 0);
    ck_assert_uint_eq(world.delivered, 0);
}
END_TEST

START_TEST(what_cannot_be_opened_closes_the_rest)
{
    const char *text = "input { feed {} } filter { even {} }\n"
                       "output { sink {} sink { fails => true } lone_sink {} }";
    const char *error = fake_open_error(text, (size_t)_i);
    ck_assert_msg(strstr(error, "told to fail"), "%s", error);
}
END_TEST

static const struct {
    const char *text, *refusal;
} REFUSALS[] = {
    {"input { feeed {} }", "did you mean 'feed'"},
    {"input { feed { id => \"aa\" } } filter { even { id => aa } }",
     "id 'aa' is used by two plugins"},
    {"input { feed {} } output { sink { itms => 3 } }", "items"},
    {"input { feed { codec => rwa } }", "raw"},
    {"input { if [a] { feed {} } }", "not allowed inside input"},
};

START_TEST(refuses_what_cannot_run)
{
    const char *errors = fake_refusal(REFUSALS[_i].text);
    ck_assert_msg(strstr(errors, REFUSALS[_i].refusal), "%s", errors);
}
END_TEST

Suite *engine_suite(void)
{
    Suite *suite = suite_create("engine");
    TCase *tcase = tcase_create("engine");
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, delivers_and_acknowledges_everything, 1, 4);
    tcase_add_test(tcase, hands_over_to_an_output_of_the_main_lane);
    tcase_add_loop_test(tcase, tries_a_whole_group_again, 1, 3);
    tcase_add_loop_test(tcase, tries_only_the_rest_of_a_group_again, 1, 3);
    tcase_add_test(tcase, a_refused_event_is_counted_and_holds_nothing_up);
    tcase_add_test(tcase, makes_groups_smaller_when_the_destination_asks);
    tcase_add_test(tcase, a_full_group_has_little_memory_to_spare);
    tcase_add_test(tcase, an_ordered_pipeline_keeps_the_order_through_retries);
    tcase_add_test(tcase, routes_by_condition_and_decorates_on_success);
    tcase_add_test(tcase, adds_nested_values_as_text);
    tcase_add_test(tcase, new_events_run_through_the_rest_of_the_pipeline);
    tcase_add_loop_test(tcase, what_is_thrown_away_is_not_acknowledged, 1, 4);
    tcase_add_loop_test(tcase, streams_on_several_lanes_count_and_end, 1, 5);
    tcase_add_test(tcase, an_output_of_the_main_lane_keeps_its_events);
    tcase_add_test(tcase, an_event_without_an_output_is_done);
    tcase_add_loop_test(tcase, stop_delivers_what_is_under_way, 1, 4);
    tcase_add_loop_test(tcase, the_timeout_gives_up_without_acknowledging, 1, 3);
    tcase_add_loop_test(tcase, what_cannot_be_opened_closes_the_rest, 1, 4);
    tcase_add_loop_test(tcase, refuses_what_cannot_run, 0, sizeof REFUSALS / sizeof *REFUSALS);
    suite_add_tcase(suite, tcase);
    return suite;
}
