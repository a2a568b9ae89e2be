/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory budget by its invariants (budget.h): floors, the common part, the order of those who wait, and who wakes them.
 * One thread; grants are looked for in the inbox of a lane.
 */
#include "pipeline/engine/budget.h"

#include "pipeline/engine/engine_private.h"
#include "tests/unit/pipeline/suites.h"

enum { LIMIT = 8000, COMMON = 3000, ALL = 6000, LEASES = 6 };

struct world {
    struct plugin_settings settings;
    struct engine engine;
    struct lane lane;
    uv_loop_t loop;
    struct budget budget;
    struct budget_share shares[2];
    atomic_size_t batches[2];
    struct budget_lease leases[LEASES];
    char granted[LEASES + 1]; /* in which order grants arrived */
    size_t granted_count;
};

static struct world world;

static void on_granted(struct inbox_item *item)
{
    struct budget_lease *lease = (struct budget_lease *)item;
    budget_lease_arrived(lease);
    world.granted[world.granted_count++] = (char)('0' + (lease - world.leases));
    world.granted[world.granted_count] = 0;
}

/* Leases 0, 2 and 4 are of the first share, the others of the last. */
static void open_world(size_t shares)
{
    struct error err;
    memset(&world, 0, sizeof world);
    world.engine.options.settings = &world.settings;
    uv_loop_init(&world.loop);
    ck_assert(lane_init(&world.lane, &world.engine, 0, &world.loop, &err));
    budget_init(&world.budget, LIMIT);
    for (size_t i = 0; i < shares; i++) {
        atomic_init(&world.batches[i],
                    1); /* something is under way, so nobody gets more than there is */
        budget_share_open(&world.shares[i], &world.budget, &world.batches[i]);
    }
    for (size_t i = 0; i < LEASES; i++)
        budget_lease_init(&world.leases[i], &world.shares[i % shares], &world.lane, on_granted);
}

static void close_world(size_t shares)
{
    for (size_t i = 0; i < LEASES; i++)
        if (!budget_lease_cancel(&world.leases[i])) {
            lane_drain_inbox(&world.lane);
            ck_assert(budget_lease_cancel(&world.leases[i]));
        }
    for (size_t i = 0; i < shares; i++)
        budget_share_close(&world.shares[i]);
    budget_release(&world.budget);
    lane_close_inbox(&world.lane);
    uv_run(&world.loop, UV_RUN_DEFAULT);
    lane_release(&world.lane);
    ck_assert_int_eq(uv_loop_close(&world.loop), 0);
}

static struct account *arenas(size_t share)
{
    return budget_account(&world.shares[share], BUDGET_ARENAS);
}

static void expect_granted(const char *order)
{
    lane_drain_inbox(&world.lane);
    ck_assert_str_eq(world.granted, order);
}

START_TEST(leases_never_add_up_to_more_than_there_is)
{
    open_world(1);
    ck_assert(budget_lease_get(&world.leases[0], ALL - 1000));
    account_charge(arenas(0), 400);
    ck_assert(!budget_lease_get(&world.leases[1], 601));
    ck_assert_uint_eq(budget_share_leased(&world.shares[0]), ALL - 1000);
    account_return(arenas(0), 400);
    expect_granted("1");
    close_world(1);
}
END_TEST

START_TEST(those_who_wait_are_served_in_order_whatever_they_ask)
{
    open_world(1);
    ck_assert(budget_lease_get(&world.leases[0], ALL));
    ck_assert(!budget_lease_get(&world.leases[1], 5000)); /* large, and first */
    ck_assert(!budget_lease_get(&world.leases[2], 10));
    budget_lease_give_back(&world.leases[0], 100);
    ck_assert(!budget_lease_get(&world.leases[3], 10)); /* there is room, but others wait */
    expect_granted("");
    budget_lease_give_back(&world.leases[0], 4900);
    expect_granted("1");
    budget_lease_give_back(&world.leases[1], 5000);
    expect_granted("123");
    close_world(1);
}
END_TEST

START_TEST(a_grant_is_counted_before_it_arrives)
{
    open_world(1);
    ck_assert(budget_lease_get(&world.leases[0], ALL));
    ck_assert(!budget_lease_get(&world.leases[1], 4000));
    budget_lease_give_back(&world.leases[0], ALL);
    ck_assert(!budget_lease_get(&world.leases[2], 2001));
    expect_granted("1");
    ck_assert_uint_eq(world.leases[1].bytes, 4000);
    close_world(1);
}
END_TEST

START_TEST(a_floor_is_there_whatever_others_hold)
{
    open_world(2);
    account_charge(arenas(0),
                   3 * LIMIT); /* an outage: the first share has much more than it should */
    ck_assert(!budget_lease_get(&world.leases[0], 10));
    ck_assert(budget_lease_get(&world.leases[1], COMMON / 2));
    ck_assert(!budget_lease_get(&world.leases[3], 10)); /* above its floor nothing is left */
    budget_lease_give_back(&world.leases[1], 100);
    expect_granted("3");
    account_return(arenas(0), 3 * LIMIT);
    expect_granted("30");
    close_world(2);
}
END_TEST

START_TEST(the_common_part_goes_to_who_waits_longest)
{
    open_world(2);
    ck_assert(budget_lease_get(&world.leases[0], COMMON / 2 + COMMON));
    ck_assert(budget_lease_get(&world.leases[1], COMMON / 2));
    ck_assert(!budget_lease_get(&world.leases[3], 2000)); /* second share */
    ck_assert(!budget_lease_get(&world.leases[2], 100));  /* first share, small, later */
    budget_lease_give_back(&world.leases[0], 500);
    expect_granted("");
    budget_lease_give_back(&world.leases[0], 1500);
    expect_granted("3");
    close_world(2);
}
END_TEST

START_TEST(who_has_nothing_under_way_gets_what_it_asks_for)
{
    open_world(1);
    account_charge(arenas(0), 2 * LIMIT); /* kept for later, not to be given back soon */
    ck_assert(!budget_lease_get(&world.leases[0], 10 * LIMIT));
    ck_assert(!budget_lease_get(&world.leases[1], 10));
    atomic_store(&world.batches[0], 0);
    budget_share_is_idle(&world.shares[0]);
    expect_granted("0"); /* one at a time */
    budget_lease_give_back(&world.leases[0], world.leases[0].bytes);
    expect_granted("01");
    account_return(arenas(0), 2 * LIMIT);
    close_world(1);
}
END_TEST

START_TEST(cancelling_lets_the_next_one_through)
{
    open_world(1);
    ck_assert(budget_lease_get(&world.leases[0], ALL - 1000));
    ck_assert(!budget_lease_get(&world.leases[1], 5000));
    ck_assert(!budget_lease_get(&world.leases[2], 900));
    ck_assert(budget_lease_cancel(&world.leases[1]));
    expect_granted("2");
    /* A grant on its way cannot be stopped; what it brings is given back afterwards. */
    ck_assert(!budget_lease_get(&world.leases[3], 500));
    budget_lease_give_back(&world.leases[0], 1000);
    ck_assert(!budget_lease_cancel(&world.leases[3]));
    expect_granted("23");
    ck_assert(budget_lease_cancel(&world.leases[3]));
    close_world(1);
}
END_TEST

START_TEST(a_share_that_closes_leaves_its_floor)
{
    open_world(2);
    ck_assert(budget_lease_get(&world.leases[0], COMMON / 2 + COMMON));
    ck_assert(!budget_lease_get(&world.leases[2], 1000));
    budget_share_close(&world.shares[1]);
    expect_granted("2");
    world.leases[1].share = world.leases[3].share = world.leases[5].share = &world.shares[0];
    close_world(1);
}
END_TEST

Suite *budget_suite(void)
{
    Suite *suite = suite_create("budget");
    TCase *tcase = tcase_create("budget");
    tcase_add_test(tcase, leases_never_add_up_to_more_than_there_is);
    tcase_add_test(tcase, those_who_wait_are_served_in_order_whatever_they_ask);
    tcase_add_test(tcase, a_grant_is_counted_before_it_arrives);
    tcase_add_test(tcase, a_floor_is_there_whatever_others_hold);
    tcase_add_test(tcase, the_common_part_goes_to_who_waits_longest);
    tcase_add_test(tcase, who_has_nothing_under_way_gets_what_it_asks_for);
    tcase_add_test(tcase, cancelling_lets_the_next_one_through);
    tcase_add_test(tcase, a_share_that_closes_leaves_its_floor);
    suite_add_tcase(suite, tcase);
    return suite;
}
