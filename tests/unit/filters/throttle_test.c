/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/filters.h"
#include "tests/unit/filters/bench.h"
#include "tests/unit/filters/suites.h"

/* An event of the key, `at` seconds after an hour. */
static bool throttled(const char *key, int at)
{
    struct str event = arena_printf(&the_bench.arena,
                                    "{\"key\":\"%s\",\"@timestamp\":\"2026-01-01T00:%02d:%02dZ\"}",
                                    key, at / 60, at % 60);
    const char *result = bench_apply(&the_bench, event.ptr);
    ck_assert_msg(strncmp(result, "cancelled", 9) != 0, "%s", result);
    return strncmp(result, "matched", 7) == 0;
}

static const struct {
    const char *options;
    int times[10];         /* up to a negative number */
    const char *throttled; /* of each event: x or . */
} CASES[] = {
    {"before_count => 3 after_count => 5", {0, 1, 2, 3, 4, 5, 6, 60, 61, -1}, "xx...xxxx"},
    {"after_count => 1", {0, 59, 60, 61, -1}, ".x.x"},
    {"before_count => 2", {0, 0, 0, -1}, "x.."},
    {"", {0, 0, 0, -1}, "..."},
    {"after_count => 0", {0, 100, -1}, "xx"},
    /* slots start at the first event, also those before it */
    {"after_count => 1", {90, 149, 150, 89, 31, 30, 29, -1}, ".x..xx."},
    {"after_count => 1 period => 10", {0, 9, 10, 19, -1}, ".x.x"},
    {"after_count => 1 period => '10 minutes'", {0, 9, 10, 19, -1}, ".x.x"},
    {"after_count => 1 period => 'soon'", {0, 59, 60, -1}, ".x."},
    {"after_count => 1 period => 0", {0, 59, 60, -1}, ".x."},
    {"after_count => 1 period => '%{missing}'", {0, 59, 60, -1}, ".x."},
    {"after_count => 1 period => '-10'", {0, 1, 5, 10, 11, -1}, "..xx."},
    /* a slot older than the latest by more than max_age is forgotten */
    {"after_count => 1 period => 10 max_age => 60", {0, 60, 0, 70, 0, 0, -1}, "..x..."},
    {"after_count => 1 period => 10 max_age => 0", {0, 10, 0, 10, -1}, "...x"},
};

START_TEST(counts)
{
    struct str options = arena_printf(&the_bench.arena, "key => '%%{key}' %s", CASES[_i].options);
    const char *refusal = bench_open(&the_bench, &filter_throttle, options.ptr);
    ck_assert_msg(!refusal, "%s", refusal);
    for (size_t i = 0; CASES[_i].times[i] >= 0; i++)
        ck_assert_msg(throttled("a", CASES[_i].times[i]) == (CASES[_i].throttled[i] == 'x'),
                      "event %zu", i);
}
END_TEST

START_TEST(keys_are_apart)
{
    ck_assert_ptr_null(
        bench_open(&the_bench, &filter_throttle, "key => '%{key}' after_count => 1"));
    ck_assert(!throttled("a", 0));
    ck_assert(!throttled("b", 0));
    ck_assert(throttled("a", 0));
    ck_assert_ptr_nonnull(bench_open(&the_bench, &filter_throttle, "after_count => 1"));
    ck_assert_ptr_nonnull(
        bench_open(&the_bench, &filter_throttle, "key => 'a' max_counters => -2"));
}
END_TEST

START_TEST(counters_are_bounded)
{
    ck_assert_ptr_null(
        bench_open(&the_bench, &filter_throttle,
                   "key => '%{key}' after_count => 1 max_counters => 2 period => 1"));
    ck_assert(!throttled("a", 0));
    ck_assert(!throttled("b", 0));
    ck_assert(throttled("a", 0));
    ck_assert(!throttled("c", 0)); /* b goes */
    ck_assert(throttled("a", 0));
    ck_assert(!throttled("b", 0));
    /* within one key the oldest slot goes */
    ck_assert(throttled("b", 0));
    ck_assert(!throttled("b", 1));
    ck_assert(throttled("b", 0));
    ck_assert(!throttled("b", 2));
    ck_assert(throttled("b", 1));
    ck_assert(!throttled("b", 0));
}
END_TEST

START_TEST(old_keys_are_forgotten)
{
    ck_assert_ptr_null(
        bench_open(&the_bench, &filter_throttle, "key => '%{key}' after_count => 1 max_age => 60"));
    ck_assert(!throttled("old", 0));
    ck_assert(!throttled("new", 120));
    filter_throttle.tick(the_bench.self, 100000, false, NULL);
    ck_assert(!throttled("old", 0));
    ck_assert(throttled("new", 120));
}
END_TEST

Suite *throttle_suite(void)
{
    Suite *suite = suite_create("throttle");
    TCase *tcase = tcase_create("throttle");
    tcase_add_checked_fixture(tcase, bench_set_up, bench_tear_down);
    tcase_add_loop_test(tcase, counts, 0, sizeof CASES / sizeof *CASES);
    tcase_add_test(tcase, keys_are_apart);
    tcase_add_test(tcase, counters_are_bounded);
    tcase_add_test(tcase, old_keys_are_forgotten);
    suite_add_tcase(suite, tcase);
    return suite;
}
