/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time/cron.h"

#include "base/time/clock.h"
#include "tests/unit/base/suites.h"

static int64_t at(const char *text)
{
    struct instant instant;
    ck_assert(instant_parse_iso8601(str_from(text), &instant));
    return instant.seconds;
}

static const struct {
    const char *cron, *after, *next;
} NEXT[] = {
    {"* * * * * UTC", "2024-02-29T12:34:56Z", "2024-02-29T12:35:00Z"},
    {"*/5 * * * * UTC", "2024-02-29T12:35:00Z", "2024-02-29T12:40:00Z"},
    {"10-20/5 * * * * UTC", "2024-02-29T12:15:00Z", "2024-02-29T12:20:00Z"},
    {"10/20 * * * * UTC", "2024-02-29T12:15:00Z", "2024-02-29T12:30:00Z"},
    {"0 5 * * mon UTC", "2024-02-29T12:34:56Z", "2024-03-04T05:00:00Z"},
    {"0 5 * * 7 UTC", "2024-02-29T12:34:56Z", "2024-03-03T05:00:00Z"},
    {"0 0 * * fri-mon UTC", "2024-02-25T12:00:00Z", "2024-02-26T00:00:00Z"},
    {"0 22-2 * * * UTC", "2024-02-25T02:30:00Z", "2024-02-25T22:00:00Z"},
    {"0 22-2 * * * UTC", "2024-02-25T23:30:00Z", "2024-02-26T00:00:00Z"},
    {"0 0 29 feb * UTC", "2024-02-29T12:00:00Z", "2028-02-29T00:00:00Z"},
    {"0 0 L * * UTC", "2024-02-01T00:00:00Z", "2024-02-29T00:00:00Z"},
    {"0 0 13 * 5 UTC", "2024-02-29T12:00:00Z", "2024-03-01T00:00:00Z"}, /* either day */
    {"*/15 * * * * * UTC", "2024-02-29T12:34:46Z", "2024-02-29T12:35:00Z"},
    {"30 10 * * * Asia/Seoul", "2024-02-29T02:00:00Z", "2024-03-01T01:30:00Z"},
    {"30 2 * * * Europe/Berlin", "2024-03-30T12:00:00Z", "2024-04-01T00:30:00Z"}, /* no 2:30 */
    {"30 2 * * * Europe/Berlin", "2024-10-27T00:00:00Z", "2024-10-27T00:30:00Z"},
    {"30 2 * * * Europe/Berlin", "2024-10-27T00:30:00Z", "2024-10-28T01:30:00Z"}, /* once */
    {"0 24 * * * UTC", "2024-02-29T12:00:00Z", "2024-03-01T00:00:00Z"},
    {"0,30 1,3 1 1,jul * UTC", "2024-02-29T12:00:00Z", "2024-07-01T01:00:00Z"},
};

START_TEST(next)
{
    struct cron cron;
    struct error err;
    int64_t found;
    ck_assert_msg(cron_parse(str_from(NEXT[_i].cron), &cron, &err), "%s", err.text);
    ck_assert_msg(cron_next(&cron, at(NEXT[_i].after), &found), "%s", NEXT[_i].cron);
    char text[INSTANT_TEXT_MAX + 1];
    text[instant_format((struct instant){found, 0}, text)] = '\0';
    ck_assert_msg(found == at(NEXT[_i].next), "%s: %s", NEXT[_i].cron, text);
}
END_TEST

static const char *const BAD[] = {
    "",
    "* * * *",
    "* * * * * * * *",
    "60 * * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "a * * * *",
    "1- * * * *",
    "*/0 * * * *",
    ", * * * *",
    "1, * * * *",
    "* * * * mondays",
    "1-2-3 * * * *",
    "* * * * * Mars/Base",
    "-1 * * * *",
    "* * * * * * UTC UTC",
};

START_TEST(refused)
{
    struct cron cron;
    struct error err;
    ck_assert_msg(!cron_parse(str_from(BAD[_i]), &cron, &err), "%s", BAD[_i]);
}
END_TEST

START_TEST(never)
{
    struct cron cron;
    struct error err;
    int64_t found;
    ck_assert(cron_parse(STR("0 0 30 2 * UTC"), &cron, &err));
    ck_assert(!cron_next(&cron, at("2024-02-29T12:00:00Z"), &found));
}
END_TEST

/* What comes out fits and nothing before it does: against a walk of every second, across both changes of the clocks. */
START_TEST(walk)
{
    struct cron cron;
    struct error err;
    ck_assert(cron_parse(STR("*/7 1-4 * * 0,3 Europe/Berlin"), &cron, &err));
    int64_t now = at("2024-03-30T20:00:00Z"), end = at("2024-03-31T06:00:00Z"), found;
    size_t count = 0;
    for (; cron_next(&cron, now, &found) && found < end; now = found, count++)
        ck_assert_int_eq(0, found % 60);
    ck_assert_uint_eq(3 * 9, count); /* 1, 3 and 4 o'clock */
}
END_TEST

Suite *cron_suite(void)
{
    Suite *suite = suite_create("cron");
    TCase *tests = tcase_create("cron");
    tcase_add_loop_test(tests, next, 0, sizeof NEXT / sizeof *NEXT);
    tcase_add_loop_test(tests, refused, 0, sizeof BAD / sizeof *BAD);
    tcase_add_test(tests, never);
    tcase_add_test(tests, walk);
    suite_add_tcase(suite, tests);
    return suite;
}
