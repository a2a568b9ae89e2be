/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads that run the loops of several owners (runtime.h): how many there are, who sits where, that each loop has its turns
 * beside busy ones, and that what is over is left.
 */
#include "pipeline/engine/runtime.h"

#include "tests/unit/pipeline/suites.h"

enum { SEATS = 6, ROUNDS = 500 };

/* A loop with something open on it, which ends when it is told to. */
struct guest {
    struct runtime_seat seat;
    uv_loop_t loop;
    uv_async_t bell;  /* closes all */
    uv_idle_t busy;   /* always something to do */
    uv_timer_t timer; /* counts */
    atomic_uint turns, ticks;
    uv_thread_t on; /* the thread of the last turn */
    atomic_bool seen;
    struct guest *_Atomic rival; /* whose turns it looks at */
    unsigned rival_turns, alone;
    atomic_uint most_alone; /* its turns in a row without one of the rival */
};

static struct guest guests[SEATS];
static struct runtime *runtime;

static void open_runtime(void)
{
    runtime = runtime_new();
}

static void close_runtime(void)
{
    runtime_free(runtime);
}

static void on_bell(uv_async_t *bell)
{
    struct guest *guest = bell->data;
    uv_close((uv_handle_t *)&guest->bell, NULL);
    uv_close((uv_handle_t *)&guest->busy, NULL);
    uv_close((uv_handle_t *)&guest->timer, NULL);
}

static void note_turn(struct guest *guest)
{
    guest->on = uv_thread_self();
    atomic_store(&guest->seen, true);
}

/* Both are on one thread. */
static void look_at_rival(struct guest *guest, struct guest *rival)
{
    unsigned turns = atomic_load(&rival->turns);
    guest->alone = turns == guest->rival_turns ? guest->alone + 1 : 0;
    guest->rival_turns = turns;
    if (guest->alone > atomic_load(&guest->most_alone))
        atomic_store(&guest->most_alone, guest->alone);
}

static void on_busy(uv_idle_t *idle)
{
    struct guest *guest = idle->data, *rival = atomic_load(&guest->rival);
    note_turn(guest);
    if (rival)
        look_at_rival(guest, rival);
    atomic_fetch_add(&guest->turns, 1);
}

static void on_tick(uv_timer_t *timer)
{
    struct guest *guest = timer->data;
    note_turn(guest);
    atomic_fetch_add(&guest->ticks, 1);
}

static void open_guest(struct guest *guest)
{
    memset(guest, 0, sizeof *guest);
    uv_loop_init(&guest->loop);
    uv_async_init(&guest->loop, &guest->bell, on_bell);
    uv_idle_init(&guest->loop, &guest->busy);
    uv_timer_init(&guest->loop, &guest->timer);
    guest->bell.data = guest->busy.data = guest->timer.data = guest;
    uv_timer_start(&guest->timer, on_tick, 1, 1);
    guest->seat.loop = &guest->loop;
}

static void seat_guests(size_t first, size_t count)
{
    struct runtime_seat *seats[SEATS];
    struct error err;
    for (size_t i = 0; i < count; i++)
        seats[i] = &guests[first + i].seat;
    ck_assert_msg(runtime_seat(runtime, seats, count, &err), "%s", err.text);
}

static void open_guests(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        open_guest(&guests[i]);
    seat_guests(first, count);
}

static void close_guests(size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++)
        uv_async_send(&guests[i].bell);
    for (size_t i = first; i < first + count; i++) {
        runtime_wait(runtime, &guests[i].seat);
        ck_assert(runtime_seat_is_over(&guests[i].seat));
        ck_assert_int_eq(uv_loop_close(&guests[i].loop), 0);
    }
}

static void wait_for(atomic_uint *counter, unsigned more)
{
    unsigned until = atomic_load(counter) + more;
    while (atomic_load(counter) < until)
        uv_sleep(1);
}

/* Of the guests: how many different threads run them. */
static size_t threads_of(size_t first, size_t count)
{
    size_t different = 0;
    for (size_t i = first; i < first + count; i++) {
        while (!atomic_load(&guests[i].seen))
            uv_sleep(1);
        bool known = false;
        for (size_t k = first; k < i; k++)
            known |= uv_thread_equal(&guests[i].on, &guests[k].on);
        different += !known;
    }
    return different;
}

START_TEST(no_more_threads_than_the_largest_has_seats)
{
    open_guests(0, 1);
    ck_assert_uint_eq(runtime_thread_count(runtime), 1);
    open_guests(1, 2);
    open_guests(3, 2);
    open_guests(5, 1);
    ck_assert_uint_eq(runtime_thread_count(runtime), 2);
    close_guests(0, SEATS);
}
END_TEST

START_TEST(the_seats_of_one_are_on_different_threads)
{
    open_guests(0, 1);
    open_guests(1, 3);
    close_guests(0, 1);
    ck_assert_uint_eq(threads_of(1, 3), 3);
    close_guests(1, 3);
}
END_TEST

START_TEST(small_ones_spread_over_the_threads)
{
    open_guests(0, 3);
    for (size_t i = 3; i < SEATS; i++)
        open_guests(i, 1);
    ck_assert_uint_eq(threads_of(3, 3), 3);
    close_guests(0, SEATS);
}
END_TEST

START_TEST(each_has_its_turns_beside_busy_ones)
{
    for (size_t i = 0; i < 3; i++) {
        open_guest(&guests[i]);
        uv_idle_start(&guests[i].busy, on_busy);
        seat_guests(i, 1);
    }
    open_guests(3, 1); /* it has a timer alone */
    ck_assert_uint_eq(runtime_thread_count(runtime), 1);
    wait_for(&guests[3].ticks, 20);
    for (size_t i = 0; i < 3; i++)
        wait_for(&guests[i].turns, ROUNDS);
    close_guests(0, 4);
}
END_TEST

START_TEST(busy_ones_have_as_many_turns)
{
    for (size_t i = 0; i < 2; i++) {
        open_guest(&guests[i]);
        uv_idle_start(&guests[i].busy, on_busy);
    }
    seat_guests(0, 1);
    wait_for(&guests[0].turns, 1);
    seat_guests(1, 1);
    wait_for(&guests[1].turns, 1);
    atomic_store(&guests[0].rival, &guests[1]);
    atomic_store(&guests[1].rival, &guests[0]);
    wait_for(&guests[0].turns, ROUNDS);
    wait_for(&guests[1].turns, ROUNDS);
    atomic_store(&guests[0].rival, NULL);
    atomic_store(&guests[1].rival, NULL);
    close_guests(0, 2);
    ck_assert_uint_le(atomic_load(&guests[0].most_alone), 1);
    ck_assert_uint_le(atomic_load(&guests[1].most_alone), 1);
}
END_TEST

START_TEST(threads_are_used_again)
{
    for (unsigned round = 0; round < 20; round++) {
        open_guests(0, 2);
        wait_for(&guests[1].ticks, 1);
        close_guests(0, 2);
    }
    ck_assert_uint_eq(runtime_thread_count(runtime), 2);
}
END_TEST

START_TEST(it_knows_how_long_a_thread_slept)
{
    open_guests(0, 1);
    wait_for(&guests[0].ticks, 10);
    ck_assert_uint_gt(runtime_slept_ns(guests[0].seat.thread), 0);
    close_guests(0, 1);
}
END_TEST

Suite *runtime_suite(void)
{
    Suite *suite = suite_create("runtime");
    TCase *tcase = tcase_create("threads");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, open_runtime, close_runtime);
    tcase_add_test(tcase, no_more_threads_than_the_largest_has_seats);
    tcase_add_test(tcase, the_seats_of_one_are_on_different_threads);
    tcase_add_test(tcase, small_ones_spread_over_the_threads);
    tcase_add_test(tcase, each_has_its_turns_beside_busy_ones);
    tcase_add_test(tcase, busy_ones_have_as_many_turns);
    tcase_add_test(tcase, threads_are_used_again);
    tcase_add_test(tcase, it_knows_how_long_a_thread_slept);
    suite_add_tcase(suite, tcase);
    return suite;
}
