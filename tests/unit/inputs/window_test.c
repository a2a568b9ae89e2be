/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/window.h"

#include "tests/unit/inputs/suites.h"

static void add(struct windows *windows, enum lumberjack_version version, uint32_t first,
                uint32_t last, uint64_t token)
{
    windows_begin(windows, version);
    for (uint32_t sequence = first; sequence != last + 1; sequence++)
        windows_event(windows, sequence);
    windows_end(windows, token);
}

static void expect_ack(struct windows *windows, enum lumberjack_version version, uint32_t sequence)
{
    enum lumberjack_version got_version;
    uint32_t got;
    ck_assert(windows_next_ack(windows, &got_version, &got));
    ck_assert_int_eq(got_version, version);
    ck_assert_uint_eq(got, sequence);
}

static void expect_none(struct windows *windows)
{
    enum lumberjack_version version;
    uint32_t sequence;
    ck_assert(!windows_next_ack(windows, &version, &sequence));
}

START_TEST(acknowledges_in_order_once)
{
    struct windows windows;
    windows_init(&windows);
    add(&windows, LUMBERJACK_V2, 1, 10, 3);
    add(&windows, LUMBERJACK_V1, 41, 43, 4);
    add(&windows, LUMBERJACK_V2, 1, 5, 6);
    windows_delivered(&windows, 2);
    expect_none(&windows);
    windows_delivered(&windows, 5);
    expect_ack(&windows, LUMBERJACK_V2, 10);
    expect_ack(&windows, LUMBERJACK_V1, 43);
    expect_none(&windows);
    ck_assert(windows_are_waiting(&windows));
    windows_delivered(&windows, 6);
    expect_ack(&windows, LUMBERJACK_V2, 5);
    expect_none(&windows);
    ck_assert(!windows_are_waiting(&windows));
    windows_release(&windows);
}
END_TEST

START_TEST(forgets_what_will_never_be_acknowledged)
{
    struct windows windows;
    windows_init(&windows);
    add(&windows, LUMBERJACK_V2, 1, 10, 3);
    add(&windows, LUMBERJACK_V2, 1, 4, 4);
    windows_begin(&windows, LUMBERJACK_V2);
    windows_delivered(&windows, 3);
    expect_ack(&windows, LUMBERJACK_V2, 10);
    windows_drop_all(&windows);
    ck_assert(!windows_are_waiting(&windows));
    windows_delivered(&windows, 9);
    expect_none(&windows);
    windows_release(&windows);
}
END_TEST

START_TEST(acknowledges_the_last_number_of_the_client)
{
    struct windows windows;
    windows_init(&windows);
    add(&windows, LUMBERJACK_V2, UINT32_MAX - 1, 1, 0);
    expect_ack(&windows, LUMBERJACK_V2, 1);
    add(&windows, LUMBERJACK_V2, UINT32_MAX, UINT32_MAX, 0);
    expect_ack(&windows, LUMBERJACK_V2, UINT32_MAX);
    windows_begin(&windows, LUMBERJACK_V2);
    windows_event(&windows, 3);
    windows_event(&windows, 2);
    windows_end(&windows, 0);
    expect_ack(&windows, LUMBERJACK_V2, 2);
    windows_release(&windows);
}
END_TEST

/* A window of no events is acknowledged in its turn, at once when nothing is before it. */
START_TEST(acknowledges_an_empty_window_in_its_turn)
{
    struct windows windows;
    windows_init(&windows);
    windows_begin(&windows, LUMBERJACK_V2);
    windows_end(&windows, 0);
    expect_ack(&windows, LUMBERJACK_V2, 0);
    add(&windows, LUMBERJACK_V2, 1, 2, 1);
    windows_begin(&windows, LUMBERJACK_V2);
    windows_end(&windows, 1);
    expect_none(&windows);
    windows_delivered(&windows, 1);
    expect_ack(&windows, LUMBERJACK_V2, 2);
    expect_ack(&windows, LUMBERJACK_V2, 0);
    windows_release(&windows);
}
END_TEST

START_TEST(keeps_alive_only_complete_windows_of_version_2)
{
    struct windows windows;
    windows_init(&windows);
    ck_assert(!windows_want_keepalive(&windows));
    windows_begin(&windows, LUMBERJACK_V2);
    windows_event(&windows, 1);
    ck_assert(!windows_want_keepalive(&windows));
    windows_end(&windows, 1);
    ck_assert(windows_want_keepalive(&windows));
    windows_begin(&windows, LUMBERJACK_V2);
    ck_assert(windows_want_keepalive(&windows));
    windows_delivered(&windows, 1);
    expect_ack(&windows, LUMBERJACK_V2, 1);
    ck_assert(!windows_want_keepalive(&windows));
    windows_drop_incomplete(&windows);
    ck_assert_uint_eq(windows.count, 0);
    add(&windows, LUMBERJACK_V1, 1, 1, 2);
    ck_assert(windows_are_waiting(&windows));
    ck_assert(!windows_want_keepalive(&windows));
    windows_release(&windows);
}
END_TEST

START_TEST(holds_many_windows_and_no_more)
{
    struct windows windows;
    windows_init(&windows);
    uint32_t next_ack = 1, next = 1;
    for (int round = 0; round < 3; round++) {
        while (!windows_is_full(&windows)) {
            add(&windows, LUMBERJACK_V2, next, next, next);
            next++;
        }
        ck_assert_uint_eq(windows.count, WINDOWS_MAX);
        windows_delivered(&windows, next - 100);
        for (; next_ack <= next - 100; next_ack++)
            expect_ack(&windows, LUMBERJACK_V2, next_ack);
        expect_none(&windows);
    }
    windows_release(&windows);
}
END_TEST

START_TEST(forgets_only_what_is_incomplete)
{
    struct windows windows;
    windows_init(&windows);
    windows_drop_incomplete(&windows);
    add(&windows, LUMBERJACK_V2, 1, 4, 1);
    windows_drop_incomplete(&windows);
    windows_begin(&windows, LUMBERJACK_V2);
    windows_event(&windows, 1);
    windows_drop_incomplete(&windows);
    windows_delivered(&windows, 9);
    expect_ack(&windows, LUMBERJACK_V2, 4);
    expect_none(&windows);
    windows_release(&windows);
}
END_TEST

Suite *window_suite(void)
{
    Suite *suite = suite_create("window");
    TCase *tcase = tcase_create("window");
    tcase_add_test(tcase, acknowledges_in_order_once);
    tcase_add_test(tcase, forgets_what_will_never_be_acknowledged);
    tcase_add_test(tcase, acknowledges_the_last_number_of_the_client);
    tcase_add_test(tcase, acknowledges_an_empty_window_in_its_turn);
    tcase_add_test(tcase, keeps_alive_only_complete_windows_of_version_2);
    tcase_add_test(tcase, holds_many_windows_and_no_more);
    tcase_add_test(tcase, forgets_only_what_is_incomplete);
    suite_add_tcase(suite, tcase);
    return suite;
}
