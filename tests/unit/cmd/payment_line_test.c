/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/payment_line.h"

#include <stdlib.h>

#include "tests/unit/cmd/suites.h"

enum { SAMPLE = 50000, USER_BYTES = 12 };

static const struct instant START = {1767225600, 0};

static bool has(struct str line, struct str text)
{
    return str_find(line, text) != SIZE_MAX;
}

static struct str make(struct buf *out, uint64_t seed, uint64_t index)
{
    buf_clear(out, SIZE_MAX);
    ck_assert(payment_line(out, seed, index, START));
    return buf_str(out);
}

/* Within a twentieth, and a little for the small ones: far more than chance does to this sample. */
static void expect_share(const char *what, size_t count, double percent)
{
    double got = 100.0 * (double)count / SAMPLE;
    double slack = percent / 20 + 0.2;
    ck_assert_msg(got > percent - slack && got < percent + slack, "%s: %.2f %%, not %.2f", what,
                  got, percent);
}

START_TEST(keeps_the_shares_it_promises)
{
    struct buf out;
    buf_init(&out, PAYMENT_LINE_MAX_BYTES);
    size_t errors = 0, uncoded = 0, untimed = 0, korean = 0, escapes = 0, security = 0,
           performance = 0;
    size_t bytes = 0;
    for (uint64_t i = 0; i < SAMPLE; i++) {
        struct str line = make(&out, 1, i);
        bool error = has(line, STR("\"level\":\"ERROR\""));
        errors += error;
        uncoded += error && !has(line, STR("\"error_code\""));
        untimed += !has(line, STR("\"duration_ms\""));
        korean += has(line, STR("습니다")) || has(line, STR("주세요"));
        escapes += has(line, STR("\\"));
        security += has(line, STR("\"SECURITY_EVENT\""));
        performance += has(line, STR("\"PERFORMANCE\""));
        bytes += line.len;
    }
    expect_share("ERROR", errors, 15);
    expect_share("ERROR without error_code", uncoded, 3.75);
    expect_share("without duration_ms", untimed, 3);
    expect_share("Korean text", korean, 12);
    expect_share("JSON escapes", escapes, 5);
    expect_share("SECURITY_EVENT", security, 3);
    expect_share("PERFORMANCE", performance, 10);
    ck_assert_uint_ge(bytes / SAMPLE, 410);
    ck_assert_uint_le(bytes / SAMPLE, 430);
    buf_release(&out);
}
END_TEST

START_TEST(depends_on_seed_and_index_alone)
{
    struct buf one, two;
    buf_init(&one, PAYMENT_LINE_MAX_BYTES);
    buf_init(&two, PAYMENT_LINE_MAX_BYTES);
    for (uint64_t i = 0; i < 200; i++) {
        ck_assert(str_equal(make(&one, 7, i), make(&two, 7, i)));
        ck_assert(!str_equal(make(&one, 7, i), make(&two, 8, i)));
        ck_assert(!str_equal(make(&one, 7, i), make(&two, 7, i + 1)));
    }
    buf_release(&one);
    buf_release(&two);
}
END_TEST

static int compare_users(const void *a, const void *b)
{
    return memcmp(a, b, USER_BYTES);
}

START_TEST(never_repeats_a_user)
{
    struct buf out;
    buf_init(&out, PAYMENT_LINE_MAX_BYTES);
    char(*users)[USER_BYTES] = malloc(SAMPLE * sizeof *users);
    for (uint64_t i = 0; i < SAMPLE; i++) {
        struct str line = make(&out, 3, i);
        size_t at = str_find(line, STR("\"userId\":\"user"));
        ck_assert_uint_ne(at, SIZE_MAX);
        memcpy(users[i], line.ptr + at + sizeof "\"userId\":\"user" - 1, USER_BYTES);
    }
    qsort(users, SAMPLE, sizeof *users, compare_users);
    for (size_t i = 1; i < SAMPLE; i++)
        ck_assert_int_ne(memcmp(users[i - 1], users[i], USER_BYTES), 0);
    free(users);
    buf_release(&out);
}
END_TEST

Suite *payment_line_suite(void)
{
    Suite *suite = suite_create("payment_line");
    TCase *tcase = tcase_create("payment_line");
    tcase_add_test(tcase, keeps_the_shares_it_promises);
    tcase_add_test(tcase, depends_on_seed_and_index_alone);
    tcase_add_test(tcase, never_repeats_a_user);
    suite_add_tcase(suite, tcase);
    return suite;
}
