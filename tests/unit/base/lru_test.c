/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lru.h"

#include "tests/unit/base/suites.h"

static int discarded;

static void discard(void *value)
{
    discarded += *(int *)value;
}

static int ONE = 1, TEN = 10, HUNDRED = 100;

START_TEST(the_oldest_goes)
{
    struct lru lru;
    discarded = 0;
    lru_init(&lru, 2, discard);
    lru_add(&lru, STR("one"), &ONE);
    lru_add(&lru, STR("ten"), &TEN);
    ck_assert_ptr_eq(lru_get(&lru, STR("one")), &ONE);
    lru_add(&lru, STR("hundred"), &HUNDRED);
    ck_assert_int_eq(discarded, 10);
    ck_assert_ptr_null(lru_get(&lru, STR("ten")));
    ck_assert_ptr_eq(lru_get(&lru, STR("one")), &ONE);
    ck_assert_ptr_eq(lru_get(&lru, STR("hundred")), &HUNDRED);
    ck_assert_uint_eq(lru_count(&lru), 2);
    lru_release(&lru);
    ck_assert_int_eq(discarded, 111);
}
END_TEST

START_TEST(drops_in_the_middle)
{
    struct lru lru;
    discarded = 0;
    lru_init(&lru, 3, discard);
    lru_add(&lru, STR("one"), &ONE);
    lru_add(&lru, STR(""), &TEN);
    lru_add(&lru, STR("hundred"), &HUNDRED);
    lru_drop(&lru, lru.oldest->newer);
    ck_assert_int_eq(discarded, 10);
    ck_assert_ptr_null(lru_get(&lru, STR("")));
    ck_assert_ptr_eq(lru.oldest->newer, lru.newest);
    ck_assert_ptr_eq(lru.newest->older, lru.oldest);
    lru_release(&lru);
    ck_assert_int_eq(discarded, 111);
}
END_TEST

START_TEST(long_keys_are_told_apart)
{
    static char a[LRU_KEY_BYTES_MAX * 4], b[LRU_KEY_BYTES_MAX * 4];
    struct lru lru;
    memset(a, 'a', sizeof a);
    memset(b, 'a', sizeof b);
    b[sizeof b - 1] = 'b';
    lru_init(&lru, 10, NULL);
    lru_add(&lru, str_make(a, sizeof a), &ONE);
    ck_assert_ptr_null(lru_get(&lru, str_make(b, sizeof b)));
    lru_add(&lru, str_make(b, sizeof b), &TEN);
    ck_assert_ptr_eq(lru_get(&lru, str_make(a, sizeof a)), &ONE);
    ck_assert_ptr_eq(lru_get(&lru, str_make(b, sizeof b)), &TEN);
    ck_assert_uint_le(lru.newest->key_len, LRU_KEY_BYTES_MAX);
    lru_release(&lru);
}
END_TEST

Suite *lru_suite(void)
{
    Suite *suite = suite_create("lru");
    TCase *tcase = tcase_create("lru");
    tcase_add_test(tcase, the_oldest_goes);
    tcase_add_test(tcase, drops_in_the_middle);
    tcase_add_test(tcase, long_keys_are_told_apart);
    suite_add_tcase(suite, tcase);
    return suite;
}
