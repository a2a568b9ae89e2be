/* SPDX-License-Identifier: Apache-2.0
 *
 * How long batches took, and the age of the oldest one that is out.
 */
#include "pipeline/engine/latency.h"

#include <check.h>

#include "tests/unit/pipeline/suites.h"

static struct latency latency;

static void setup(void)
{
    latency = (struct latency){.sum_ms = 0};
}

START_TEST(each_event_is_in_one_bucket)
{
    static const uint64_t TOOK[] = {0, 1, 2, 60000, 60001};
    static const size_t BUCKETS[] = {0, 0, 1, LATENCY_BOUNDS - 1, LATENCY_BOUNDS};
    for (size_t i = 0; i < sizeof TOOK / sizeof *TOOK; i++) {
        setup();
        latency_begin(&latency, 5000);
        latency_end(&latency, 5000, 5000 + TOOK[i], 7);
        ck_assert_uint_eq(latency.events[BUCKETS[i]], 7);
        ck_assert_uint_eq(latency.sum_ms, 7 * TOOK[i]);
    }
}
END_TEST

START_TEST(the_oldest_one_that_is_out)
{
    uint64_t now = UINT64_C(10) * LATENCY_SECONDS * 1000;
    ck_assert_uint_eq(latency_oldest_ms(&latency, now), 0);
    latency_begin(&latency, now);
    latency_begin(&latency, now + 3000);
    ck_assert_uint_eq(latency_oldest_ms(&latency, now + 8000), 8000);
    latency_end(&latency, now, now + 8000, 1);
    ck_assert_uint_eq(latency_oldest_ms(&latency, now + 8000), 5000);
    latency_end(&latency, now + 3000, now + 8000, 1);
    ck_assert_uint_eq(latency_oldest_ms(&latency, now + 8000), 0);
}
END_TEST

/* Longer than the ring: it is told as less, never lost, and never as young. */
START_TEST(very_old_ones)
{
    uint64_t now = UINT64_C(10) * LATENCY_SECONDS * 1000;
    latency_begin(&latency, now);
    ck_assert_uint_eq(latency_oldest_ms(&latency, now + (LATENCY_SECONDS - 1) * UINT64_C(1000)),
                      (LATENCY_SECONDS - 1) * UINT64_C(1000));
    setup();
    latency_begin(&latency, 2000); /* the clock is younger than the ring */
    ck_assert_uint_eq(latency_oldest_ms(&latency, 4000), 2000);
}
END_TEST

Suite *latency_suite(void)
{
    Suite *suite = suite_create("latency");
    TCase *cases = tcase_create("latency");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_add_test(cases, each_event_is_in_one_bucket);
    tcase_add_test(cases, the_oldest_one_that_is_out);
    tcase_add_test(cases, very_old_ones);
    suite_add_tcase(suite, cases);
    return suite;
}
