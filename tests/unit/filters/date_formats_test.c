/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/date/date_formats.h"

#include <math.h>

#include "base/time/zone.h"
#include "tests/unit/filters/suites.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena, NULL);
}

static void tear_down(void)
{
    arena_release(&arena);
}

static void check_format(const char *name, const char *zone, struct value value,
                         const char *expected)
{
    struct date_format format;
    struct instant at;
    struct date_parse_context ctx = {.zone = zone_find(str_from(zone), NULL),
                                     .now = {1795000000, 0}};
    ck_assert_ptr_nonnull(ctx.zone);
    ck_assert(date_format_compile(&arena, str_from(name), &format, NULL));
    bool ok = date_format_parse(&format, &ctx, &value, &at);
    ck_assert_int_eq(ok, expected != NULL);
    if (!ok)
        return;
    char text[INSTANT_TEXT_MAX];
    size_t len = instant_format(at, text);
    ck_assert_msg(str_equal(str_make(text, len), str_from(expected)), "%.*s", (int)len, text);
}

static const struct {
    const char *format;
    const char *text;
    const char *instant; /* NULL: refused */
} TEXTS[] = {
    {"ISO8601", "2001-11-06T20:46:06.123Z", "2001-11-06T20:46:06.123Z"},
    {"ISO8601", "2001-11-06T20:46:06,123Z", "2001-11-06T20:46:06.123Z"},
    {"ISO8601", "2001-11-06T20:46:06.1Z", "2001-11-06T20:46:06.100Z"},
    {"ISO8601", "2001-11-06T20:46:06.123456789Z", "2001-11-06T20:46:06.123Z"},
    {"ISO8601", "2001-11-06T20:46:06.1234567891Z", NULL},
    {"ISO8601", "2001-11-06T20:46:06.999999Z", "2001-11-06T20:46:06.999Z"},
    {"ISO8601", "2001-11-06T20:46:06-0800", "2001-11-07T04:46:06.000Z"},
    {"ISO8601", "2001-11-06T20:46:06+08:00", "2001-11-06T12:46:06.000Z"},
    {"ISO8601", "2001-11-06T20:46:06+08", "2001-11-06T12:46:06.000Z"},
    {"ISO8601", "2001-11-06T20:46:06.5+23:59", "2001-11-05T20:47:06.500Z"},
    {"ISO8601", "2001-11-06T20:46:06+24:00", NULL},
    {"ISO8601", "2001-11-06T20:46:06+08:60", NULL},
    {"ISO8601", "2001-11-06T20:46:06+0860", NULL},
    {"ISO8601", "2001-11-06T20:46:06 Z", NULL},
    {"ISO8601", "2001-11-06t20:46:06z", "2001-11-06T20:46:06.000Z"},
    /* without a zone: Seoul's */
    {"ISO8601", "2001-11-06T20:46:06", "2001-11-06T11:46:06.000Z"},
    {"ISO8601", "2001-11-06T20:46", "2001-11-06T11:46:00.000Z"},
    {"ISO8601", "2001-11-06T20", "2001-11-06T11:00:00.000Z"},
    {"ISO8601", "2001-11-06T", "2001-11-05T15:00:00.000Z"},
    {"ISO8601", "2001-11-06TZ", "2001-11-06T00:00:00.000Z"},
    {"ISO8601", "2001-11-06", "2001-11-05T15:00:00.000Z"},
    {"ISO8601", "2001-11", "2001-10-31T15:00:00.000Z"},
    {"ISO8601", "2001", "2000-12-31T15:00:00.000Z"},
    {"ISO8601", "2001-1-6T2:6:6Z", "2001-01-06T02:06:06.000Z"},
    {"ISO8601", "2001-310", "2001-11-05T15:00:00.000Z"},
    {"ISO8601", "2001-366", NULL},
    {"ISO8601", "2001-W45-2T00:00Z", "2001-11-06T00:00:00.000Z"},
    {"ISO8601", "2001-W45TZ", "2001-11-05T00:00:00.000Z"},
    {"ISO8601", "2001-W54", NULL},
    {"ISO8601", "T20:46:06Z", "1970-01-01T20:46:06.000Z"},
    {"ISO8601", "2001-11-06T20.5Z", "2001-11-06T20:30:00.000Z"},
    {"ISO8601", "2001-11-06T20:46.25Z", "2001-11-06T20:46:15.000Z"},
    {"ISO8601", "2001-11-06 20:46:06.123Z", "2001-11-06T20:46:06.123Z"},
    {"ISO8601", "2001-11-06 20:46:06,123", "2001-11-06T11:46:06.123Z"},
    {"ISO8601", "2001-11-06 20:46:06.1+0100", "2001-11-06T19:46:06.100Z"},
    {"ISO8601", "2001-11-06 20:46:06.1234", NULL},
    {"ISO8601", "2001-11-06 20:46:06", NULL},
    {"ISO8601", "2001-11-06 20:46", NULL},
    {"ISO8601", "20011106T204606Z", NULL},
    {"ISO8601", "2001-02-29T00:00:00Z", NULL},
    {"ISO8601", "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"},
    {"ISO8601", "2001-00-06T20:46:06Z", NULL},
    {"ISO8601", "2001-11-31T20:46:06Z", NULL},
    {"ISO8601", "2001-11-06T24:00:00Z", NULL},
    {"ISO8601", "2001-11-06T20:60:00Z", NULL},
    {"ISO8601", "2001-11-06T20:46:60Z", NULL},
    {"ISO8601", "2001-11-06T20:46:", NULL},
    {"ISO8601", "2001-11-06T20:46:06.", NULL},
    {"ISO8601", "2001-11-", NULL},
    {"ISO8601", "-0044-03-15T00:00:00Z", "-0044-03-15T00:00:00.000Z"},
    {"ISO8601", "1478207457", NULL},
    {"ISO8601", "", NULL},
    {"ISO8601", "yesterday", NULL},
    {"UNIX", "0", "1970-01-01T00:00:00.000Z"},
    {"UNIX", "1350414944.123456", "2012-10-16T19:15:44.123Z"},
    {"UNIX", "1000000000.5", "2001-09-09T01:46:40.500Z"},
    {"UNIX", "1000000000.05", "2001-09-09T01:46:40.050Z"},
    {"UNIX", "-1", "1969-12-31T23:59:59.000Z"},
    {"UNIX", "-1.5", "1969-12-31T23:59:59.500Z"},
    {"UNIX", "2147483647", "2038-01-19T03:14:07.000Z"},
    {"UNIX", "2147483648", NULL},
    {"UNIX", "-99999999999999999", NULL},
    {"UNIX", "1e9", NULL},
    {"UNIX", "1000.", NULL},
    {"UNIX", ".5", NULL},
    {"UNIX", "1000.x", NULL},
    {"UNIX", " 1", NULL},
    {"UNIX", "", NULL},
    {"UNIX", "%{bad_value}", NULL},
    {"UNIX_MS", "1000000000123", "2001-09-09T01:46:40.123Z"},
    {"UNIX_MS", "-1", "1969-12-31T23:59:59.999Z"},
    {"UNIX_MS", "1.5", NULL},
    {"UNIX_MS", "", NULL},
    {"TAI64N", "4000000050d506482dbdf024", "2012-12-22T01:00:46.767Z"},
    {"TAI64N", "@4000000050d506482dbdf024", "2012-12-22T01:00:46.767Z"},
    {"TAI64N", "@4000000050D506482DBDF024 more", "2012-12-22T01:00:46.767Z"},
    {"TAI64N", "4000000050d506482dbdf02", NULL},
    {"TAI64N", "4000000050d50648ffffffff", NULL},
    {"TAI64N", "c000000050d506482dbdf024", NULL},
    {"TAI64N", "7fffffffffffffff2dbdf024", NULL},
    {"TAI64N", "400000005:d506482dbdf024", NULL},
    {"TAI64N", "", NULL},
    {"dd/MM/yyyy", "02/01/2020", "2020-01-01T15:00:00.000Z"},
    {"dd/MM/yyyy", "nope", NULL},
};

START_TEST(reads_texts)
{
    check_format(TEXTS[_i].format, "Asia/Seoul", value_str(str_from(TEXTS[_i].text)),
                 TEXTS[_i].instant);
}
END_TEST

START_TEST(reads_numbers)
{
    check_format("UNIX", "UTC", value_int(1478207457), "2016-11-03T21:10:57.000Z");
    check_format("UNIX", "UTC", value_int(INT64_C(2147483648)), NULL);
    check_format("UNIX", "UTC", value_int(INT64_MIN), NULL);
    check_format("UNIX", "UTC", value_float(1000000000.5), "2001-09-09T01:46:40.500Z");
    check_format("UNIX", "UTC", value_float(2147483647.9), "2038-01-19T03:14:07.900Z");
    check_format("UNIX", "UTC", value_float(2147483648.0), NULL);
    check_format("UNIX", "UTC", value_float((double)NAN), NULL);
    check_format("UNIX", "UTC", value_float(-(double)INFINITY), NULL);
    check_format("UNIX_MS", "UTC", value_int(456), "1970-01-01T00:00:00.456Z");
    check_format("UNIX_MS", "UTC", value_float(456.9), "1970-01-01T00:00:00.456Z");
    check_format("UNIX_MS", "UTC", value_float(1e300), NULL);
    check_format("UNIX", "UTC", value_bool(true), NULL);
    check_format("UNIX", "UTC", value_big_int(STR("99999999999999999999")), NULL);
    check_format("UNIX", "UTC", value_array_new(&arena, 0), NULL);
    check_format("ISO8601", "UTC", value_int(2001), NULL);
    check_format("yyyy", "UTC", value_int(2001), NULL);
    check_format("TAI64N", "UTC", value_int(2001), NULL);
}
END_TEST

START_TEST(refuses_bad_formats)
{
    struct date_format format;
    struct error err = {0};
    ck_assert(!date_format_compile(&arena, STR("yyyy-QQ"), &format, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "yyyy-QQ"));
    ck_assert(!date_format_compile(&arena, STR("HH:mm zzzz"), &format, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "zzzz"));
    ck_assert(!date_format_compile(&arena, STR(""), &format, &err));
}
END_TEST

Suite *date_formats_suite(void)
{
    Suite *suite = suite_create("date_formats");
    TCase *tcase = tcase_create("date_formats");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, reads_texts, 0, sizeof TEXTS / sizeof *TEXTS);
    tcase_add_test(tcase, reads_numbers);
    tcase_add_test(tcase, refuses_bad_formats);
    suite_add_tcase(suite, tcase);
    return suite;
}
