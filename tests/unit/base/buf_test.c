/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "tests/unit/base/suites.h"

START_TEST(keeps_its_maximum)
{
    struct buf buf;
    buf_init(&buf, 10);
    ck_assert(buf_append(&buf, "12345678", 8));
    ck_assert(!buf_append(&buf, "abc", 3));
    ck_assert_uint_eq(buf.len, 8);
    ck_assert(buf_append(&buf, "ab", 2));
    ck_assert(!buf_append_char(&buf, 'x'));
    buf_consume(&buf, 4);
    ck_assert(str_equal(buf_str(&buf), STR("5678ab")));
    ck_assert(!buf_reserve(&buf, SIZE_MAX));
    buf_release(&buf);
}
END_TEST

START_TEST(charges_its_capacity)
{
    struct account charged = {0};
    struct buf buf, other;
    buf_init(&buf, 1 << 20);
    buf_init(&other, 1 << 20);
    buf.charged = other.charged = &charged;
    ck_assert(buf_printf(&buf, "%0999d", 1));
    ck_assert_uint_eq(buf.len, 999);
    ck_assert_uint_eq(charged.used, buf.capacity);
    buf_move(&other, &buf);
    ck_assert_uint_eq(charged.used, other.capacity);
    buf_clear(&other, 0);
    ck_assert_uint_eq(charged.used, 0);
}
END_TEST

/* A buffer whose size is known does not have half as much again; what is larger still fits. */
START_TEST(growing_stops_at_what_is_expected)
{
    enum { EXPECTED = 100000 };
    struct account account = {0};
    struct buf buf;
    buf_init(&buf, 1 << 20);
    buf.charged = &account;
    buf.expected = EXPECTED;
    bool fits = true, spare = false;
    while (fits && buf.len < EXPECTED) {
        fits = buf_append_char(&buf, 'x');
        spare = spare || buf.capacity > EXPECTED;
    }
    ck_assert(fits && !spare);
    ck_assert_uint_eq(account_used(&account), EXPECTED);
    ck_assert(buf_append_char(&buf, 'x'));
    ck_assert_uint_gt(buf.capacity, EXPECTED);
    ck_assert_uint_eq(account_used(&account), buf.capacity);
    buf_release(&buf);
    ck_assert_uint_eq(account_used(&account), 0);
}
END_TEST

Suite *buf_suite(void)
{
    Suite *suite = suite_create("buf");
    TCase *tcase = tcase_create("buf");
    tcase_add_test(tcase, keeps_its_maximum);
    tcase_add_test(tcase, charges_its_capacity);
    tcase_add_test(tcase, growing_stops_at_what_is_expected);
    suite_add_tcase(suite, tcase);
    return suite;
}
