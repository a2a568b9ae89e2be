/* SPDX-License-Identifier: Apache-2.0
 *
 * An outlet by itself, with a clock that the test moves.
 */
#include "pipeline/delivery/outlet.h"

#include "pipeline/delivery/retry.h"
#include "pipeline/plugin.h"
#include "tests/unit/pipeline/suites.h"

enum { MAX_BYTES = 1024 * 1024, MAX_IN_FLIGHT = 32, FIRST_IN_FLIGHT = 4, LATENCY_US = 20000 };

struct sender {
    struct outlet_member member; /* first */
    unsigned nudges;
};

static struct outlet *outlet;
static struct sender sender;
static uint64_t now_us, chance;

static void count_nudge(struct outlet_member *member)
{
    ((struct sender *)member)->nudges++;
}

static void setup(void)
{
    struct output_limits limits = {.max_items = 2000,
                                   .max_bytes = MAX_BYTES,
                                   .max_in_flight = MAX_IN_FLIGHT,
                                   .flush_ms = 50,
                                   .retry_initial_ms = 2000,
                                   .retry_max_ms = 64000};
    now_us = 1000000;
    outlet = outlet_new();
    sender = (struct sender){.member = {.nudge = count_nudge}};
    outlet_join(outlet, &sender.member, &limits);
}

static void teardown(void)
{
    outlet_leave(outlet, &sender.member);
    outlet_free(outlet);
}

static bool take_for(struct sender *who)
{
    uint64_t again_ms;
    return outlet_take_permit(outlet, &who->member, now_us / 1000, &again_ms);
}

static bool take(void)
{
    return take_for(&sender);
}

static void finish_with(enum send_cause cause, uint64_t took_us, size_t bytes)
{
    struct outlet_report report = {.cause = cause,
                                   .bytes = bytes,
                                   .full = true,
                                   .fresh = true,
                                   .random = chance += 7919,
                                   .sent_us = now_us - took_us,
                                   .now_us = now_us};
    outlet_finish(outlet, &report);
}

/* Takes what it gets, then all of it ends so: requests that were under way at once. */
static unsigned round_of(enum send_cause cause, uint64_t took_us)
{
    unsigned taken = 0;
    while (take())
        taken++;
    now_us += took_us;
    for (unsigned i = 0; i < taken; i++)
        finish_with(cause, took_us, MAX_BYTES);
    return taken;
}

static unsigned grow(void)
{
    unsigned most = 0;
    for (int i = 0; i < 100; i++)
        most = round_of(SEND_ANSWERED, LATENCY_US);
    return most;
}

START_TEST(more_are_under_way_while_the_latency_is_flat)
{
    ck_assert_uint_eq(round_of(SEND_ANSWERED, LATENCY_US), FIRST_IN_FLIGHT);
    ck_assert_uint_eq(grow(), MAX_IN_FLIGHT);
}
END_TEST

START_TEST(no_more_than_are_wanted)
{
    for (int i = 0; i < 100; i++) {
        ck_assert(take());
        now_us += LATENCY_US;
        finish_with(SEND_ANSWERED, LATENCY_US, MAX_BYTES);
    }
    ck_assert_uint_eq(round_of(SEND_ANSWERED, LATENCY_US), FIRST_IN_FLIGHT);
}
END_TEST

/* Answers that come in one turn of the loop count one by one, though nobody asked for a permit between them. */
START_TEST(they_double_in_the_time_of_an_answer)
{
    for (unsigned allowed = FIRST_IN_FLIGHT; allowed < MAX_IN_FLIGHT; allowed *= 2)
        ck_assert_uint_eq(round_of(SEND_ANSWERED, LATENCY_US), allowed);
    ck_assert_uint_eq(round_of(SEND_ANSWERED, LATENCY_US), MAX_IN_FLIGHT);
}
END_TEST

START_TEST(fewer_are_under_way_when_the_latency_grows)
{
    grow();
    for (int i = 0; i < 20; i++)
        round_of(SEND_ANSWERED, 10 * LATENCY_US);
    ck_assert_uint_lt(round_of(SEND_ANSWERED, 10 * LATENCY_US), MAX_IN_FLIGHT / 2);
}
END_TEST

/* Every third request is refused, for ever: two thirds of the limit stay. */
START_TEST(a_share_of_refusals_costs_its_share)
{
    grow();
    unsigned taken = 0, least = MAX_IN_FLIGHT;
    for (int request = 0; request < 3000; request++) {
        while (take())
            taken++;
        ck_assert_uint_gt(taken, 0);
        if (request > 100 && taken < least)
            least = taken;
        now_us += LATENCY_US / taken;
        taken--;
        finish_with(request % 3 == 0 ? SEND_OVERLOADED : SEND_ANSWERED, LATENCY_US, MAX_BYTES);
    }
    ck_assert_uint_ge(least, MAX_IN_FLIGHT * 55 / 100);
    ck_assert_uint_eq(outlet_max_bytes(outlet), MAX_BYTES);
    while (taken-- > 0)
        finish_with(SEND_ANSWERED, LATENCY_US, MAX_BYTES);
}
END_TEST

START_TEST(an_outage_is_probed_by_one_request_with_growing_pauses)
{
    grow();
    round_of(SEND_UNREACHABLE, 1000);
    uint64_t longest = 0, sum = 0, again_ms;
    enum { PROBES = 100, GROWN = 20 };
    for (unsigned probe = 0; probe < PROBES; probe++) {
        ck_assert(!outlet_take_permit(outlet, &sender.member, now_us / 1000, &again_ms));
        ck_assert(again_ms != UINT64_MAX);
        uint64_t pause = again_ms - now_us / 1000;
        longest = pause > longest ? pause : longest;
        sum += probe < GROWN ? 0 : pause;
        now_us = again_ms * 1000;
        ck_assert_uint_eq(round_of(SEND_UNREACHABLE, 1000), 1);
    }
    ck_assert_uint_ge(longest, 60000);
    ck_assert_uint_le(longest, 64000);
    ck_assert_uint_ge(sum / (PROBES - GROWN),
                      25000); /* any pause up to the longest: half of it on average */
    ck_assert_uint_le(sum / (PROBES - GROWN), 39000);
}
END_TEST

START_TEST(after_an_outage_it_comes_back_to_full)
{
    grow();
    round_of(SEND_OVERLOADED, 1000);
    for (int probe = 0; probe < 12; probe++) {
        uint64_t again_ms;
        ck_assert(!outlet_take_permit(outlet, &sender.member, now_us / 1000, &again_ms));
        now_us = again_ms * 1000;
        round_of(SEND_OVERLOADED, 1000);
    }
    uint64_t again_ms;
    ck_assert(!outlet_take_permit(outlet, &sender.member, now_us / 1000, &again_ms));
    now_us = again_ms * 1000;
    uint64_t start_us = now_us;
    while (round_of(SEND_ANSWERED, LATENCY_US) < MAX_IN_FLIGHT ||
           outlet_max_bytes(outlet) < MAX_BYTES)
        ck_assert_uint_lt(now_us - start_us, 2000000);
}
END_TEST

START_TEST(a_retry_after_is_waited_for_when_it_is_down)
{
    uint64_t again_ms;
    ck_assert(take());
    struct outlet_report report = {
        .cause = SEND_OVERLOADED, .retry_after_ms = 5000, .sent_us = now_us, .now_us = now_us};
    outlet_finish(outlet, &report);
    ck_assert(!outlet_take_permit(outlet, &sender.member, now_us / 1000, &again_ms));
    ck_assert_uint_ge(again_ms, now_us / 1000 + 5000);
}
END_TEST

/* Twelve 413 and then none: full size again within two seconds. */
START_TEST(after_a_413_requests_are_smaller_for_a_while)
{
    for (int i = 0; i < 12; i++) {
        ck_assert(take());
        finish_with(SEND_TOO_LARGE, LATENCY_US, outlet_max_bytes(outlet));
    }
    ck_assert_uint_le(outlet_max_bytes(outlet), 1024);
    uint64_t start_us = now_us;
    while (outlet_max_bytes(outlet) < MAX_BYTES) {
        ck_assert(take());
        now_us += LATENCY_US;
        finish_with(SEND_ANSWERED, LATENCY_US, outlet_max_bytes(outlet));
        ck_assert_uint_lt(now_us - start_us, 2000000);
    }
}
END_TEST

/* A server that never takes more than half: larger requests are tried more and more rarely. */
START_TEST(a_lasting_limit_is_met_rarely)
{
    unsigned refused = 0;
    for (int i = 0; i < 30000; i++) { /* ten minutes */
        ck_assert(take());
        now_us += LATENCY_US;
        bool large = outlet_max_bytes(outlet) > MAX_BYTES / 2;
        refused += large;
        finish_with(large ? SEND_TOO_LARGE : SEND_ANSWERED, LATENCY_US, outlet_max_bytes(outlet));
    }
    ck_assert_uint_lt(refused, 30);
}
END_TEST

START_TEST(who_was_denied_is_told)
{
    while (take())
        ;
    ck_assert_uint_eq(sender.nudges, 0);
    now_us += LATENCY_US;
    finish_with(SEND_ANSWERED, LATENCY_US, MAX_BYTES);
    ck_assert_uint_eq(sender.nudges, 1);
    finish_with(SEND_ANSWERED, LATENCY_US, MAX_BYTES);
    ck_assert_uint_eq(sender.nudges, 1); /* it has not asked again */
}
END_TEST

/* A second one; all permits are taken, both were denied one, and the second was told of one that has come free. */
static struct sender second;

static void second_is_told(void)
{
    struct output_limits limits = {.max_in_flight = MAX_IN_FLIGHT, .max_bytes = MAX_BYTES};
    second = (struct sender){.member = {.nudge = count_nudge}};
    outlet_join(outlet, &second.member, &limits);
    while (take())
        ;
    ck_assert(!take_for(&second));
    finish_with(SEND_STOPPED, 0, 0);
    ck_assert_uint_eq(second.nudges, 1);
    ck_assert_uint_eq(sender.nudges, 0);
}

/* The first takes that permit by itself and wants no more, and the second is denied it. */
START_TEST(who_has_got_a_permit_waits_for_none)
{
    second_is_told();
    ck_assert(take());
    ck_assert(!take_for(&second));
    finish_with(SEND_STOPPED, 0, 0);
    ck_assert_uint_eq(second.nudges, 2);
    ck_assert_uint_eq(sender.nudges, 0);
    outlet_leave(outlet, &second.member);
}
END_TEST

START_TEST(a_permit_that_is_not_used_is_passed_on)
{
    second_is_told();
    outlet_pass_on(outlet);
    ck_assert_uint_eq(sender.nudges, 1);
    outlet_pass_on(outlet);
    ck_assert_uint_eq(sender.nudges, 1);
    outlet_leave(outlet, &second.member);
}
END_TEST

START_TEST(who_leaves_takes_no_permit_along)
{
    second_is_told();
    outlet_leave(outlet, &second.member);
    ck_assert_uint_eq(sender.nudges, 1);
}
END_TEST

/* Only a request that was sent after the rejection and got through shows that the item is to blame. */
START_TEST(an_item_is_to_blame_when_others_get_through)
{
    ck_assert(take() && take());
    finish_with(SEND_REJECTED, LATENCY_US, 100);
    ck_assert(!outlet_blames_item(outlet));
    finish_with(SEND_ANSWERED, LATENCY_US, 100); /* was under way already */
    ck_assert(!outlet_blames_item(outlet));
    now_us += 1000000;
    ck_assert(take());
    finish_with(SEND_ANSWERED, LATENCY_US, 100);
    ck_assert(outlet_blames_item(outlet));
    ck_assert(take());
    finish_with(SEND_REJECTED, LATENCY_US, 100);
    ck_assert(!outlet_blames_item(outlet));
}
END_TEST

START_TEST(the_first_rule_that_fits_decides)
{
    const struct retry_rule rules[] = {{200, 299, STR_INIT(""), VERDICT_DELIVERED},
                                       {400, 400, STR_INIT("busy"), VERDICT_RETRY},
                                       {400, 499, STR_INIT(""), VERDICT_REFUSED}};
    struct retry_table table = {rules, 3};
    ck_assert_int_eq(retry_verdict(&table, 201, STR("")), VERDICT_DELIVERED);
    ck_assert_int_eq(retry_verdict(&table, 400, STR("busy")), VERDICT_RETRY);
    ck_assert_int_eq(retry_verdict(&table, 400, STR("bad")), VERDICT_REFUSED);
    ck_assert_int_eq(retry_verdict(&table, 500, STR("bad")), VERDICT_RETRY);
}
END_TEST

START_TEST(backoff_doubles_within_its_bounds)
{
    struct output_limits limits = {.retry_initial_ms = 1000, .retry_max_ms = 10000};
    ck_assert_uint_eq(retry_backoff_ms(&limits, 0, 0, 0), 1);
    ck_assert_uint_eq(retry_backoff_ms(&limits, 0, 0, 500), 500);
    ck_assert_uint_eq(retry_backoff_ms(&limits, 0, 0, 1000), 1000);
    ck_assert_uint_eq(retry_backoff_ms(&limits, 0, 0, 1001), 1);
    ck_assert_uint_eq(retry_backoff_ms(&limits, 2, 0, 4000), 4000);
    ck_assert_uint_eq(retry_backoff_ms(&limits, 9, 0, 10000), 10000);
    ck_assert_uint_eq(retry_backoff_ms(&limits, UINT32_MAX, 0, 10001 + 5000), 5000);
    ck_assert_uint_eq(retry_backoff_ms(&limits, 0, 60000, 0), 60000);
    ck_assert_uint_eq(retry_backoff_ms(&limits, 0, 60000, 30000), 90000);
    ck_assert_uint_eq(retry_backoff_ms(&limits, 0, 60000, 30001), 60000);
}
END_TEST

static struct conf_value word(const char *text)
{
    return (struct conf_value){.type = CONF_STRING, .text = str_from(text)};
}

START_TEST(the_rules_of_a_user)
{
    const struct conf_pair pairs[] = {{word("5xx"), word("hold")},
                                      {word("400"), word("dead_letter")},
                                      {word("503"), word("retry")},
                                      {word(" 400  mapper_parsing_exception "), word("drop")},
                                      {word("4xx odd"), word("retry")}};
    static const struct {
        int status;
        const char *type;
        enum verdict verdict;
    } EXPECTED[] = {
        {500, "", VERDICT_HELD},     {503, "odd", VERDICT_RETRY},
        {400, "", VERDICT_REFUSED},  {400, "mapper_parsing_exception", VERDICT_DROPPED},
        {400, "odd", VERDICT_RETRY}, {404, "odd", VERDICT_RETRY},
        {404, "", VERDICT_NONE},     {200, "", VERDICT_NONE},
    };
    struct option_hash option = {pairs, sizeof pairs / sizeof *pairs};
    struct retry_table table;
    struct arena arena;
    struct error err = {0};
    arena_init(&arena, NULL);
    ck_assert(retry_rules_parse(&arena, &option, true, &table, &err));
    for (size_t i = 0; i < sizeof EXPECTED / sizeof *EXPECTED; i++)
        ck_assert_int_eq(retry_rule_verdict(&table, EXPECTED[i].status, str_from(EXPECTED[i].type)),
                         EXPECTED[i].verdict);
    ck_assert(!retry_rules_parse(&arena, &option, false, &table, &err));
    arena_release(&arena);
}
END_TEST

START_TEST(rules_that_say_nothing_are_refused)
{
    static const struct {
        const char *key, *value, *says;
    } WRONG[] = {
        {"busy", "retry", "'busy' is not a status"},    {"42", "retry", "'42' is not a status"},
        {"xxx", "retry", "'xxx' is not a status"},      {"", "retry", "'' is not a status"},
        {"1000", "retry", "'1000' is not a status"},    {"0xx", "retry", "'0xx' is not a status"},
        {"429", "ignore", "'ignore' is not one of"},    {"429", "", "'' is not one of"},
        {"5xx busy", "later", "'later' is not one of"},
    };
    struct arena arena;
    arena_init(&arena, NULL);
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        const struct conf_pair pair = {word(WRONG[i].key), word(WRONG[i].value)};
        struct retry_table table;
        struct error err = {0};
        ck_assert(!retry_rules_parse(&arena, &(struct option_hash){&pair, 1}, true, &table, &err));
        ck_assert_msg(strstr(err.text, WRONG[i].says), "%s", err.text);
    }
    arena_release(&arena);
}
END_TEST

Suite *outlet_suite(void)
{
    Suite *suite = suite_create("outlet");
    TCase *tcase = tcase_create("outlet");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, more_are_under_way_while_the_latency_is_flat);
    tcase_add_test(tcase, no_more_than_are_wanted);
    tcase_add_test(tcase, they_double_in_the_time_of_an_answer);
    tcase_add_test(tcase, fewer_are_under_way_when_the_latency_grows);
    tcase_add_test(tcase, a_share_of_refusals_costs_its_share);
    tcase_add_test(tcase, an_outage_is_probed_by_one_request_with_growing_pauses);
    tcase_add_test(tcase, after_an_outage_it_comes_back_to_full);
    tcase_add_test(tcase, a_retry_after_is_waited_for_when_it_is_down);
    tcase_add_test(tcase, after_a_413_requests_are_smaller_for_a_while);
    tcase_add_test(tcase, a_lasting_limit_is_met_rarely);
    tcase_add_test(tcase, who_was_denied_is_told);
    tcase_add_test(tcase, who_has_got_a_permit_waits_for_none);
    tcase_add_test(tcase, a_permit_that_is_not_used_is_passed_on);
    tcase_add_test(tcase, who_leaves_takes_no_permit_along);
    tcase_add_test(tcase, an_item_is_to_blame_when_others_get_through);
    tcase_add_test(tcase, the_first_rule_that_fits_decides);
    tcase_add_test(tcase, the_rules_of_a_user);
    tcase_add_test(tcase, rules_that_say_nothing_are_refused);
    tcase_add_test(tcase, backoff_doubles_within_its_bounds);
    suite_add_tcase(suite, tcase);
    return suite;
}
