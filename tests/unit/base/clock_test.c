/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time/clock.h"
#include "tests/unit/base/suites.h"

static const struct {
    int64_t year;
    int month, day;
    int64_t days;
    int weekday;
    int day_of_year;
} DAYS[] = {
    {1970, 1, 1, 0, 4, 1},        {1969, 12, 31, -1, 3, 365},   {2000, 2, 29, 11016, 2, 60},
    {2000, 3, 1, 11017, 3, 61},   {1900, 2, 28, -25509, 3, 59}, {1900, 3, 1, -25508, 4, 60},
    {2038, 1, 19, 24855, 2, 19},  {1, 1, 1, -719162, 1, 1},     {0, 12, 31, -719163, 7, 366},
    {0, 2, 29, -719469, 2, 60},   {-400, 3, 1, -865565, 3, 61}, {9999, 12, 31, 2932896, 5, 365},
    {10000, 1, 1, 2932897, 6, 1},
};

START_TEST(counts_days)
{
    int64_t days = civil_to_days(DAYS[_i].year, DAYS[_i].month, DAYS[_i].day);
    ck_assert_int_eq(days, DAYS[_i].days);
    ck_assert_int_eq(civil_weekday(days), DAYS[_i].weekday);
    ck_assert_int_eq(civil_day_of_year(DAYS[_i].year, DAYS[_i].month, DAYS[_i].day),
                     DAYS[_i].day_of_year);
    int64_t year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    ck_assert_int_eq(year, DAYS[_i].year);
    ck_assert_int_eq(month, DAYS[_i].month);
    ck_assert_int_eq(day, DAYS[_i].day);
}
END_TEST

START_TEST(every_day_comes_after_the_one_before)
{
    int64_t days = civil_to_days(1599, 12, 31);
    for (int64_t year = 1600; year < 2001; year++) {
        for (int month = 1; month <= 12; month++) {
            for (int day = 1; day <= civil_days_in_month(year, month); day++)
                ck_assert_int_eq(civil_to_days(year, month, day), ++days);
        }
    }
    ck_assert_int_eq(civil_days_in_month(1900, 2), 28);
    ck_assert_int_eq(civil_days_in_month(2000, 2), 29);
    ck_assert_int_eq(civil_days_in_month(2024, 2), 29);
    ck_assert_int_eq(civil_days_in_month(2023, 2), 28);
}
END_TEST

static const struct {
    int64_t seconds;
    uint32_t nanoseconds;
    const char *text;
} TEXTS[] = {
    {0, 0, "1970-01-01T00:00:00.000Z"},
    {-1, 999000000, "1969-12-31T23:59:59.999Z"},
    {1443657600, 123456000, "2015-10-01T00:00:00.123456Z"},
    {1443657600, 123456789, "2015-10-01T00:00:00.123456789Z"},
    {1443657600, 1, "2015-10-01T00:00:00.000000001Z"},
    {1443657600, 500000000, "2015-10-01T00:00:00.500Z"},
    {253402300800, 0, "+10000-01-01T00:00:00.000Z"},
    {-62167219201, 0, "-0001-12-31T23:59:59.000Z"},
    {-62167219200, 0, "0000-01-01T00:00:00.000Z"},
};

START_TEST(prints_instants)
{
    char text[INSTANT_TEXT_MAX];
    struct instant at = {TEXTS[_i].seconds, TEXTS[_i].nanoseconds};
    size_t len = instant_format(at, text);
    ck_assert_msg(str_equal(str_make(text, len), str_from(TEXTS[_i].text)), "%.*s", (int)len, text);
    struct instant back;
    ck_assert(instant_parse_iso8601(str_make(text, len), &back));
    ck_assert_int_eq(back.seconds, at.seconds);
    ck_assert_uint_eq(back.nanoseconds, at.nanoseconds);
}
END_TEST

START_TEST(prints_the_farthest_instants)
{
    char text[INSTANT_TEXT_MAX];
    ck_assert_uint_le(instant_format((struct instant){INT64_MAX, 999999999}, text), sizeof text);
    ck_assert_int_eq(text[0], '+');
    ck_assert_uint_le(instant_format((struct instant){INT64_MIN, 1}, text), sizeof text);
    ck_assert_int_eq(text[0], '-');
}
END_TEST

/* What is kept of the last day, written or read, is not taken for another. */
START_TEST(days_take_turns)
{
    enum { COUNT = sizeof TEXTS / sizeof *TEXTS };
    static const char *const NO_DAYS[] = {"2015-10-32T00:00:00.000Z", "2015-13-01T00:00:00.000Z",
                                          "2015-10-00T00:00:00.000Z", "0000-00-00T00:00:00.000Z",
                                          "2015-02-29T00:00:00.000Z"};
    for (size_t i = 0; i < COUNT * COUNT; i++) {
        size_t which = i % 2 == 0 ? i / COUNT : i % COUNT;
        struct instant at = {TEXTS[which].seconds, TEXTS[which].nanoseconds}, back;
        char text[INSTANT_TEXT_MAX];
        size_t len = instant_format(at, text);
        ck_assert(str_equal(str_make(text, len), str_from(TEXTS[which].text)));
        ck_assert(instant_parse_iso8601(str_make(text, len), &back));
        ck_assert_int_eq(back.seconds, at.seconds);
        for (size_t no = 0; no < sizeof NO_DAYS / sizeof *NO_DAYS; no++)
            ck_assert(!instant_parse_usual(str_from(NO_DAYS[no]), &back));
    }
}
END_TEST

static const struct {
    const char *text;
    const char *instant; /* NULL: refused */
} READ[] = {
    {"2001-11-06", "2001-11-06T00:00:00.000Z"},
    {"2001-11-06T20:46", "2001-11-06T20:46:00.000Z"},
    {"2001-11-06t20:46:06z", "2001-11-06T20:46:06.000Z"},
    {"2001-11-06 20:46:06,5", "2001-11-06T20:46:06.500Z"},
    {"2001-11-06T20:46:06.1234567891Z", "2001-11-06T20:46:06.123456789Z"},
    {"2001-11-06T20:46:06-0800", "2001-11-07T04:46:06.000Z"},
    {"2001-11-06T20:46:06+08:00", "2001-11-06T12:46:06.000Z"},
    {"2001-11-06T20:46:06+08", "2001-11-06T12:46:06.000Z"},
    {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
    {"1900-02-29T00:00:00Z", NULL},
    {"", NULL},
    {"2001", NULL},
    {"2001-11", NULL},
    {"2001-11-06T", NULL},
    {"2001-11-06T20", NULL},
    {"2001-11-06T20:4", NULL},
    {"2001-11-06T20:46:", NULL},
    {"2001-11-06T20:46:06.", NULL},
    {"2001-11-06T20:46:06.Z", NULL},
    {"2001-11-06T24:00:00", NULL},
    {"2001-11-06T20:60:00", NULL},
    {"2001-11-06T20:46:60", NULL},
    {"2001-13-06", NULL},
    {"2001-00-06", NULL},
    {"2001-11-00", NULL},
    {"2001-11-31", NULL},
    {"01-11-06", NULL},
    {"20011-11-06", NULL},
    {"2001-11-06T20:46:06Zx", NULL},
    {"2001-11-06T20:46:06+", NULL},
    {"2001-11-06T20:46:06+08:", NULL},
    {"2001-11-06T20:46:06+99:00", NULL},
    {"2001-11-06Z", NULL},
    {" 2001-11-06", NULL},
    {"+9999999999-01-01", NULL},
    {"hello", NULL},
};

/* The usual form is read in another way than the others: with each byte changed, it says what they say of the same time with
 * one digit more. */
START_TEST(the_usual_form_with_each_byte_changed)
{
    static const char *const TEXTS_CHANGED[] = {
        "2024-02-29T23:59:58.987Z", "1999-12-31T00:10:20.304Z", "0001-01-01T00:00:00.000Z",
        "2100-02-28T19:29:39.900Z"};
    char usual[32], longer[32];
    const char *text = TEXTS_CHANGED[_i];
    for (size_t place = 0; place < strlen(text); place++)
        for (unsigned byte = 0; byte < 256; byte++) {
            enum { BEFORE_ZONE = 23 };
            if (place == BEFORE_ZONE && byte >= '0' && byte <= '9')
                continue; /* one more digit of the fraction */
            memcpy(usual, text, strlen(text));
            usual[place] = (char)byte;
            memcpy(longer, usual, BEFORE_ZONE);
            longer[BEFORE_ZONE] = '0';
            longer[BEFORE_ZONE + 1] = usual[BEFORE_ZONE];
            struct instant at = {0}, other = {0};
            bool read = instant_parse_iso8601(str_make(usual, BEFORE_ZONE + 1), &at);
            bool same = instant_parse_iso8601(str_make(longer, BEFORE_ZONE + 2), &other);
            if (read != same || at.seconds != other.seconds || at.nanoseconds != other.nanoseconds)
                ck_abort_msg("%.24s with byte %u at %zu", text, byte, place);
        }
}
END_TEST

/* What instant_parse_timestamp reads in another way. */
static const struct {
    const char *text;
    const char *instant; /* NULL: refused */
} TIMESTAMPS[] = {
    {"2001-11-06", "2001-11-06T00:00:00.000Z"},
    {"2001-11-06t20:46:06.5z", "2001-11-06T20:46:06.500Z"},
    {"2001-11-06T20:46:06+0800", "2001-11-06T12:46:06.000Z"},
    {"2001-11-06T20:46:06.", "2001-11-06T20:46:06.000Z"},
    {"2001-11-06T20:46:06.Z", "2001-11-06T20:46:06.000Z"},
    {"2001-11-06T20:46:06.123456789Z", "2001-11-06T20:46:06.123456789Z"},
    {"2001-11-06T24:00:00", "2001-11-07T00:00:00.000Z"},
    {"2001-11-31", "2001-11-30T00:00:00.000Z"},
    {"1900-02-29T00:00:00Z", "1900-02-28T00:00:00.000Z"},
    {"2001-11-06Z", "2001-11-06T00:00:00.000Z"},
    {"2001-11-06+02:00", "2001-11-05T22:00:00.000Z"},
    {"2001-11-06T20:46:06UTC", "2001-11-06T20:46:06.000Z"},
    {"2001-11-06T20:46:06gmt+01:00", "2001-11-06T19:46:06.000Z"},
    {"2001-11-06T20:46:06+02:00:30", "2001-11-06T18:45:36.000Z"},
    {"2001-11-06T20:46:06-020030", "2001-11-06T22:46:36.000Z"},
    {"2001-11-06 20:46:06", NULL},
    {"2001-11-06T20:46:06,5", NULL},
    {"2001-11-06T20:46:06.1234567891Z", NULL},
    {"2001-11-06T24:00:01", NULL},
    {"2001-11-32", NULL},
    {"2001-11-06T20:46:06+02:0030", NULL},
    {"2001-11-06T20:46:06CET", NULL},
    {"2001-11-06T", NULL},
    {"", NULL},
};

START_TEST(reads_timestamps)
{
    struct instant at;
    char text[INSTANT_TEXT_MAX + 1];
    bool ok = instant_parse_timestamp(str_from(TIMESTAMPS[_i].text), &at);
    ck_assert_msg(ok == (TIMESTAMPS[_i].instant != NULL), "%s", TIMESTAMPS[_i].text);
    if (!ok)
        return;
    text[instant_format(at, text)] = 0;
    ck_assert_str_eq(text, TIMESTAMPS[_i].instant);
}
END_TEST

START_TEST(reads_iso8601)
{
    struct instant at;
    bool ok = instant_parse_iso8601(str_from(READ[_i].text), &at);
    ck_assert_int_eq(ok, READ[_i].instant != NULL);
    if (!ok)
        return;
    char text[INSTANT_TEXT_MAX];
    size_t len = instant_format(at, text);
    ck_assert_msg(str_equal(str_make(text, len), str_from(READ[_i].instant)), "%.*s", (int)len,
                  text);
}
END_TEST

START_TEST(clocks_go_forward)
{
    uint64_t before = clock_monotonic_ms();
    ck_assert_uint_le(before, clock_monotonic_ms());
    ck_assert_int_gt(clock_now().seconds, 1700000000);
}
END_TEST

Suite *clock_suite(void)
{
    Suite *suite = suite_create("clock");
    TCase *tcase = tcase_create("clock");
    tcase_add_loop_test(tcase, counts_days, 0, sizeof DAYS / sizeof *DAYS);
    tcase_add_test(tcase, every_day_comes_after_the_one_before);
    tcase_add_loop_test(tcase, prints_instants, 0, sizeof TEXTS / sizeof *TEXTS);
    tcase_add_test(tcase, prints_the_farthest_instants);
    tcase_add_test(tcase, days_take_turns);
    tcase_add_loop_test(tcase, the_usual_form_with_each_byte_changed, 0, 4);
    tcase_add_loop_test(tcase, reads_timestamps, 0, sizeof TIMESTAMPS / sizeof *TIMESTAMPS);
    tcase_add_loop_test(tcase, reads_iso8601, 0, sizeof READ / sizeof *READ);
    tcase_add_test(tcase, clocks_go_forward);
    suite_add_tcase(suite, tcase);
    return suite;
}
