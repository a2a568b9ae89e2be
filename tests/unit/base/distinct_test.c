/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers of different things: exact while there are few, within 1 % however many there are.
 */
#include "base/distinct.h"

#include <check.h>
#include <math.h>

#include "base/murmur3.h"
#include "tests/unit/base/suites.h"

enum { MANY = 1000000 };

static struct distinct distinct;

static void setup(void)
{
    distinct_init(&distinct);
}

static void teardown(void)
{
    distinct_release(&distinct);
}

/* As a caller hashes: the text of a number. */
static uint64_t hash_of(uint64_t number, uint32_t seed)
{
    unsigned char bytes[MURMUR3_128_BYTES];
    uint64_t hash;
    murmur3_128(str_make((const char *)&number, sizeof number), seed, bytes);
    memcpy(&hash, bytes, sizeof hash);
    return hash;
}

START_TEST(few_are_counted_exactly)
{
    ck_assert_double_eq(distinct_count(&distinct), 0);
    for (uint64_t i = 0; i < DISTINCT_EXACT_MAX; i++) {
        distinct_add(&distinct, hash_of(i, 0));
        distinct_add(&distinct, hash_of(i / 2, 0)); /* seen before */
        ck_assert_double_eq(distinct_count(&distinct), (double)(i + 1));
    }
    distinct_add(&distinct, 0);
    ck_assert_double_eq_tol(distinct_count(&distinct), DISTINCT_EXACT_MAX + 1, 40);
}
END_TEST

/* Looked at often on the way, with several seeds: there is no size at which the estimate is worse. */
START_TEST(many_within_one_percent)
{
    double worst = 0;
    for (uint64_t i = 1; i <= MANY; i++) {
        distinct_add(&distinct, hash_of(i, (uint32_t)_i));
        if (i % (MANY / 500) != 0)
            continue;
        double error = fabs(distinct_count(&distinct) / (double)i - 1);
        worst = error > worst ? error : worst;
    }
    ck_assert_double_lt(worst, 0.01);
    double before = distinct_count(&distinct);
    for (uint64_t i = 1; i <= MANY; i++)
        distinct_add(&distinct, hash_of(i, (uint32_t)_i));
    ck_assert_double_eq(distinct_count(&distinct), before);
}
END_TEST

START_TEST(emptied_it_begins_anew)
{
    for (uint64_t i = 0; i < 3 * DISTINCT_EXACT_MAX; i++)
        distinct_add(&distinct, hash_of(i, 0));
    distinct_release(&distinct);
    ck_assert_double_eq(distinct_count(&distinct), 0);
    distinct_add(&distinct, 7);
    ck_assert_double_eq(distinct_count(&distinct), 1);
}
END_TEST

Suite *distinct_suite(void)
{
    Suite *suite = suite_create("distinct");
    TCase *cases = tcase_create("distinct");
    tcase_set_timeout(cases, 0);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, few_are_counted_exactly);
    tcase_add_loop_test(cases, many_within_one_percent, 0, 2);
    tcase_add_test(cases, emptied_it_begins_anew);
    suite_add_tcase(suite, cases);
    return suite;
}
