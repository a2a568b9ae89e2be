/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time/date_pattern.h"

#include "base/time/date_names.h"
#include "base/time/zone.h"
#include "tests/unit/base/suites.h"

static struct arena arena;

static void set_up(void)
{
    arena_init(&arena, NULL);
}

static void tear_down(void)
{
    arena_release(&arena);
}

static struct instant instant_from(const char *text)
{
    struct instant at;
    ck_assert_msg(instant_parse_iso8601(str_from(text), &at), "%s", text);
    return at;
}

static const struct {
    enum date_dialect dialect;
    const char *at;
    const char *pattern;
    const char *text;
} FORMATS[] = {
    {DATE_JODA, "2015-10-01T00:00:00Z", "YYYY.MM.dd", "2015.10.01"},
    {DATE_JODA, "2015-10-01T00:00:00Z", "YYYY-MM-dd'T'HH:mm:ssZZ", "2015-10-01T00:00:00+00:00"},
    {DATE_JODA, "2015-10-01T13:14:15.167899Z", "HH:mm:ss.SSS", "13:14:15.167"},
    {DATE_JODA, "2015-10-01T13:14:15.167899Z", "S SS SSSS SSSSSSSSSS", "1 16 1670 1670000000"},
    {DATE_JODA, "2015-10-01T00:00:00Z", "EEEE d MMMM", "Thursday 1 October"},
    {DATE_JODA, "2015-09-01T00:00:00Z", "E EEE MMM M MM", "Tue Tue Sep 9 09"},
    {DATE_JODA, "2015-10-01T00:00:00Z", "xxxx.ww.e", "2015.40.4"},
    {DATE_JODA, "2021-01-03T00:00:00Z", "xxxx-'W'ww-e xx", "2020-W53-7 20"},
    {DATE_JODA, "2018-12-31T00:00:00Z", "xxxx-ww", "2019-01"},
    {DATE_JODA, "2016-12-31T00:00:00Z", "D DDDD", "366 0366"},
    {DATE_JODA, "2015-10-01T00:05:00Z", "k K h H a kk hh", "24 0 12 0 AM 24 12"},
    {DATE_JODA, "2015-10-01T13:05:09Z", "k K h H a m s", "13 1 1 13 PM 5 9"},
    {DATE_JODA, "2015-10-01T00:00:00Z", "y yy yyy yyyyy C G", "2015 15 2015 02015 20 AD"},
    {DATE_JODA, "-0043-03-15T00:00:00Z", "yyyy YYYY G", "-0043 0044 BC"},
    {DATE_JODA, "2015-10-01T00:00:00Z", "z zzzz Z ZZ ZZZ",
     "UTC Coordinated Universal Time +0000 +00:00 UTC"},
    {DATE_JODA, "2015-10-01T00:00:00Z", "''yyyy'' 'o''clock' 'open", "'2015' o'clock open"},
    {DATE_JODA, "2015-10-01T00:00:00Z", "yyyy\xC3\xA9MM",
     "2015\xC3\xA9"
     "10"},
    {DATE_JODA, "2015-10-01T00:00:00Z", "-", "-"},
    {DATE_JAVA_TIME, "2015-10-01T00:00:00Z", "YYYY-'W'ww", "2015-W40"},
    {DATE_JAVA_TIME, "2015-12-27T00:00:00Z", "YYYY ww w e ee W", "2016 01 1 1 01 5"},
    {DATE_JAVA_TIME, "2015-12-26T00:00:00Z", "YYYY ww e c", "2015 52 7 7"},
    {DATE_JAVA_TIME, "2015-10-01T00:00:00Z", "uuuu-MM-dd'T'HH:mm:ssXXX", "2015-10-01T00:00:00Z"},
    {DATE_JAVA_TIME, "2015-10-01T13:14:15.123456789Z", "SSS SSSSSS SSSSSSSSS n A N",
     "123 123456 123456789 123456789 47655123 47655123456789"},
    {DATE_JAVA_TIME, "2015-10-01T13:14:15Z", "E EEEE EEEEE eee cccc M MMM MMMM MMMMM LLL",
     "Thu Thursday T Thu Thursday 10 Oct October O Oct"},
    {DATE_JAVA_TIME, "2015-10-01T13:14:15Z", "Q QQ QQQ QQQQ QQQQQ G GGGG GGGGG a",
     "4 04 Q4 4th quarter 4 AD Anno Domini A PM"},
    {DATE_JAVA_TIME, "2015-10-01T13:14:15Z", "VV z O OOOO X XX x xx xxx Z ZZZZ ZZZZZ v",
     "Z Z GMT GMT Z Z +00 +0000 +00:00 +0000 GMT Z Z"},
    {DATE_JAVA_TIME, "2015-10-08T13:14:15Z", "D DDD F y yy h K k", "281 281 2 2015 15 1 1 13"},
    {DATE_JAVA_TIME, "+12345-10-01T00:00:00Z", "yyyy uuu yyyyyy", "+12345 12345 012345"},
    {DATE_JAVA_TIME, "-0043-10-01T00:00:00Z", "uuuu yyyy G", "-0043 0044 BC"},
    {DATE_JAVA_TIME, "2015-10-01T00:00:00Z", "yyyy[-MM['x']]'o''clock'''", "2015-10xo'clock'"},
};

START_TEST(formats)
{
    struct error err = {0};
    struct buf out;
    buf_init(&out, 1024);
    const struct date_pattern *pattern =
        date_pattern_compile(&arena, str_from(FORMATS[_i].pattern), FORMATS[_i].dialect, &err);
    ck_assert_msg(pattern != NULL, "%s", err.text);
    ck_assert(date_pattern_format(pattern, instant_from(FORMATS[_i].at), &out));
    ck_assert_msg(str_equal(buf_str(&out), str_from(FORMATS[_i].text)), "%.*s",
                  STR_FMT(buf_str(&out)));
    buf_release(&out);
}
END_TEST

static const struct {
    enum date_dialect dialect;
    const char *pattern;
} BAD[] = {
    {DATE_JODA, ""},
    {DATE_JODA, "yyyy-QQ"},
    {DATE_JODA, "T"},
    {DATE_JODA, "yyyy-MM-ddTHH"},
    {DATE_JODA, "%Y-%m-%d %b"},
    {DATE_JODA,
     "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"},
    {DATE_JAVA_TIME, "yyyy-MM-ddTHH"},
    {DATE_JAVA_TIME, "'open"},
    {DATE_JAVA_TIME, "yyyy]"},
    {DATE_JAVA_TIME, "{yyyy}"},
    {DATE_JAVA_TIME, "#"},
    {DATE_JAVA_TIME, "ddd"},
    {DATE_JAVA_TIME, "MMMMMM"},
    {DATE_JAVA_TIME, "aa"},
    {DATE_JAVA_TIME, "SSSSSSSSSS"},
    {DATE_JAVA_TIME, "V"},
    {DATE_JAVA_TIME, "cc"},
};

START_TEST(refuses_bad_patterns)
{
    struct error err = {0};
    ck_assert_ptr_null(
        date_pattern_compile(&arena, str_from(BAD[_i].pattern), BAD[_i].dialect, &err));
    ck_assert_int_ne(err.text[0], 0);
}
END_TEST

START_TEST(stops_at_a_full_buffer)
{
    struct buf out;
    buf_init(&out, 8);
    const struct date_pattern *pattern =
        date_pattern_compile(&arena, STR("yyyy-MM-dd"), DATE_JODA, NULL);
    ck_assert(!date_pattern_format(pattern, (struct instant){0, 0}, &out));
    buf_release(&out);
}
END_TEST

static const struct {
    const char *pattern;
    const char *text;
    const char *zone;
    const char *instant; /* NULL: no match */
} PARSES[] = {
    {"yyyy-MM-dd HH:mm:ss", "2020-01-02 03:04:05", "UTC", "2020-01-02T03:04:05Z"},
    {"yyyy-MM-dd HH:mm:ss", "2020-01-02 03:04:05", "America/New_York", "2020-01-02T08:04:05Z"},
    {"yyyy-MM-dd HH:mm:ss", "2020-07-02 03:04:05", "America/New_York", "2020-07-02T07:04:05Z"},
    /* left out and repeated by a change of the clocks */
    {"yyyy-MM-dd HH:mm:ss", "2020-03-08 02:30:00", "America/New_York", NULL},
    {"yyyy-MM-dd HH:mm:ss", "2020-11-01 01:30:00", "America/New_York", "2020-11-01T05:30:00Z"},
    {"yyyy-MM-dd HH:mm:ss", "2016-03-27 02:00:37", "CET", NULL},
    {"yyyy-MM-dd HH:mm:ss", "2016-03-26 02:00:37", "CET", "2016-03-26T01:00:37Z"},
    {"yyyy-MM-dd", "2020-1-2", "UTC", "2020-01-02T00:00:00Z"},
    {"yyyy-MM-dd", "2020-13-02", "UTC", NULL},
    {"yyyy-MM-dd", "2020-02-30", "UTC", NULL},
    {"yyyy-MM-dd", "2020-02-29", "UTC", "2020-02-29T00:00:00Z"},
    {"yyyy-MM-dd", "2020-01-02 extra", "UTC", NULL},
    {"yyyy-MM-dd", "2020-01", "UTC", NULL},
    {"yyyy-MM-dd", "", "UTC", NULL},
    {"yyyy-MM-dd", " 2020-01-02", "UTC", NULL},
    {"yyyy-MM-dd", "12020-01-02", "UTC", "+12020-01-02T00:00:00Z"},
    {"yyyy-MM-dd", "-0044-03-15", "UTC", "-0044-03-15T00:00:00Z"},
    {"yyyyMMddHHmmss", "20200102030405", "UTC", "2020-01-02T03:04:05Z"},
    {"yyyy-MM-dd", "999999999-01-02", "UTC", NULL},
    {"yyyy-MM-dd", "9999999999-01-02", "UTC", NULL},
    {"d/M/yyyy H:m:s", "1/2/2020 3:4:5", "UTC", "2020-02-01T03:04:05Z"},
    {"d/M/yyyy H:m:s", "11/12/2020 13:14:15", "UTC", "2020-12-11T13:14:15Z"},
    {"HH:mm dd.MM.yyyy", "24:00 01.01.2020", "UTC", NULL},
    {"HH:mm:ss dd.MM.yyyy", "23:59:60 01.01.2020", "UTC", NULL},
    {"kk:mm dd.MM.yyyy", "24:30 01.01.2020", "UTC", "2020-01-01T00:30:00Z"},
    {"MM/dd/yyyy hh:mm:ss a", "01/02/2020 03:04:05 PM", "UTC", "2020-01-02T15:04:05Z"},
    {"MM/dd/yyyy hh:mm:ss a", "01/02/2020 12:00:00 AM", "UTC", "2020-01-02T00:00:00Z"},
    {"MM/dd/yyyy hh:mm:ss a", "01/02/2020 12:00:00 pm", "UTC", "2020-01-02T12:00:00Z"},
    {"MM/dd/yyyy hh:mm:ss a", "01/02/2020 13:00:00 pm", "UTC", NULL},
    {"MM/dd/yyyy hh:mm", "01/02/2020 03:04", "UTC", "2020-01-02T03:04:00Z"},
    {"MM/dd/yyyy K a", "01/02/2020 0 PM", "UTC", "2020-01-02T12:00:00Z"},
    {"HH 'h' a dd/MM/yyyy", "09 H PM 01/02/2020", "UTC", "2020-02-01T09:00:00Z"},
    /* names */
    {"MMMM dd yyyy", "January 02 2020", "UTC", "2020-01-02T00:00:00Z"},
    {"MMMM dd yyyy", "Feb 03 2020", "UTC", "2020-02-03T00:00:00Z"},
    {"MMM dd yyyy", "MARCH 04 2020", "UTC", "2020-03-04T00:00:00Z"},
    {"MMM dd yyyy", "sep 05 2020", "UTC", "2020-09-05T00:00:00Z"},
    {"MMM dd yyyy", "sept 05 2020", "UTC", NULL},
    {"MMM dd yyyy", "sEp 05 2020", "UTC", NULL},
    {"MMM dd yyyy", "13 05 2020", "UTC", NULL},
    /* a weekday moves the date within its week */
    {"EEE MMM dd yyyy", "Thu Jan 02 2020", "UTC", "2020-01-02T00:00:00Z"},
    {"EEE MMM dd yyyy", "Fri Jan 02 2020", "UTC", "2020-01-03T00:00:00Z"},
    {"EEE MMM dd HH:mm:ss Z yyyy", "Tuesday Mar 31 10:11:12 +0200 2020", "UTC",
     "2020-03-31T08:11:12Z"},
    {"EEE MMM dd yyyy", "Sun Mar 31 2020", "UTC", "2020-04-05T00:00:00Z"},
    {"xxxx-'W'ww-e", "2020-W53-7", "UTC", "2026-01-03T00:00:00Z"},
    {"yyyy ww", "2021 05", "UTC", "2021-02-01T00:00:00Z"},
    {"yyyy-DDD", "2020-366", "UTC", "2020-12-31T00:00:00Z"},
    {"yyyy-DDD", "2019-366", "UTC", NULL},
    {"yyyy G", "0044 BC", "UTC", "0044-01-01T00:00:00Z"},
    {"YYYY G", "0044 BC", "UTC", "-0043-01-01T00:00:00Z"},
    {"C yyyy", "20 2020", "UTC", NULL},
    /* two digits of a year: 30 years ago plus or minus 50, as of 2026 */
    {"dd/MM/yy", "01/02/45", "UTC", "2045-02-01T00:00:00Z"},
    {"dd/MM/yy", "01/02/46", "UTC", "1946-02-01T00:00:00Z"},
    {"dd/MM/yy", "01/02/69", "UTC", "1969-02-01T00:00:00Z"},
    {"dd/MM/yy", "01/02/00", "UTC", "2000-02-01T00:00:00Z"},
    {"dd/MM/yy", "01/02/2013", "UTC", "2013-02-01T00:00:00Z"},
    {"dd/MM/yy", "01/02/3", "UTC", "0003-02-01T00:00:00Z"},
    {"yyMMdd", "200102", "UTC", "2020-01-02T00:00:00Z"},
    {"yyMMdd", "2-0102", "UTC", NULL},
    /* fractions */
    {"HH:mm:ss.SSS yyyy", "01:02:03.4 2020", "UTC", "2020-01-01T01:02:03.400Z"},
    {"HH:mm:ss,SSSSSSSSS yyyy", "01:02:03,456789012 2020", "UTC", "2020-01-01T01:02:03.456Z"},
    {"HH:mm:ss.SSS yyyy", "01:02:03.4567 2020", "UTC", NULL},
    {"HH:mm:ss.SSS yyyy", "01:02:03. 2020", "UTC", NULL},
    /* zones in the text win */
    {"yyyy-MM-dd HH:mm:ss Z", "2020-01-02 03:04:05 +0100", "Asia/Seoul", "2020-01-02T02:04:05Z"},
    {"yyyy-MM-dd HH:mm:ss Z", "2020-01-02 03:04:05 +01:00", "UTC", "2020-01-02T02:04:05Z"},
    {"yyyy-MM-dd HH:mm:ss Z", "2020-01-02 03:04:05 Z", "Asia/Seoul", "2020-01-02T03:04:05Z"},
    {"yyyy-MM-dd HH:mm:ss Z", "2020-01-02 03:04:05 -01", "UTC", "2020-01-02T04:04:05Z"},
    {"yyyy-MM-dd HH:mm:ssZZ", "2020-01-02 03:04:05-013059", "UTC", "2020-01-02T04:35:04Z"},
    {"yyyy-MM-dd HH:mm:ssZ", "2020-01-02 03:04:05+0", "UTC", NULL},
    {"yyyy-MM-dd HH:mm:ssZ", "2020-01-02 03:04:05+2400", "UTC", NULL},
    {"yyyy-MM-dd HH:mm:ssZ", "2020-01-02 03:04:05+01:", "UTC", NULL},
    {"yyyy-MM-dd HH:mm:ssZ", "2020-01-02 03:04:05 +01", "UTC", NULL},
    {"yyyy-MM-dd HH:mm:ss ZZZ", "2020-01-02 03:04:05 Europe/Paris", "UTC", "2020-01-02T02:04:05Z"},
    {"yyyy-MM-dd HH:mm:ss ZZZ", "2020-07-02 03:04:05 America/Los_Angeles", "UTC",
     "2020-07-02T10:04:05Z"},
    {"yyyy-MM-dd ZZZ HH", "2020-07-02 US/Pacific 03", "UTC", "2020-07-02T10:00:00Z"},
    {"yyyy-MM-dd ZZZ", "2020-07-02 Nowhere/Land", "UTC", NULL},
    {"yyyy-MM-dd ZZZ", "2020-07-02 ../../etc/passwd", "UTC", NULL},
    {"yyyy-MM-dd HH:mm z", "2020-01-02 03:04 EST", "UTC", "2020-01-02T08:04:00Z"},
    {"yyyy-MM-dd HH:mm z", "2020-01-02 03:04 CEST", "UTC", NULL},
    {"yyyy-MM-dd HH:mm zzzz", "2020-01-02 03:04 Eastern Standard Time", "UTC", NULL},
    /* literals are taken in either case */
    {"yyyy-MM-dd'T'HH", "2020-01-02t03", "UTC", "2020-01-02T03:00:00Z"},
    {"'at' yyyy", "AT 2020", "UTC", "2020-01-01T00:00:00Z"},
    {"'at' yyyy", "on 2020", "UTC", NULL},
};

static struct date_parse_context context_at(const char *now, const char *zone)
{
    struct error err = {0};
    struct date_parse_context ctx = {
        .zone = zone_find(str_from(zone), &err),
        .now = instant_from(now),
    };
    ck_assert_msg(ctx.zone != NULL, "%s", err.text);
    return ctx;
}

static void check_parse(const char *pattern_text, const char *text,
                        const struct date_parse_context *ctx, const char *expected)
{
    struct error err = {0};
    struct instant at;
    const struct date_pattern *pattern =
        date_pattern_compile(&arena, str_from(pattern_text), DATE_JODA, &err);
    ck_assert_msg(pattern != NULL, "%s", err.text);
    bool ok = date_pattern_parse(pattern, ctx, str_from(text), &at);
    ck_assert_msg(ok == (expected != NULL), "%s %s", pattern_text, text);
    if (!ok)
        return;
    struct instant wanted = instant_from(expected);
    char got[INSTANT_TEXT_MAX];
    size_t len = instant_format(at, got);
    ck_assert_msg(at.seconds == wanted.seconds && at.nanoseconds == wanted.nanoseconds,
                  "%s %s: %.*s", pattern_text, text, (int)len, got);
}

START_TEST(parses)
{
    struct date_parse_context ctx = context_at("2026-11-23T00:00:00Z", PARSES[_i].zone);
    check_parse(PARSES[_i].pattern, PARSES[_i].text, &ctx, PARSES[_i].instant);
}
END_TEST

static const struct {
    const char *now;
    const char *pattern;
    const char *text;
    const char *zone;
    const char *instant;
} GUESSES[] = {
    {"2026-11-23T00:00:00Z", "MMM dd HH:mm:ss", "Nov 21 10:11:12", "UTC", "2026-11-21T10:11:12Z"},
    {"2026-11-23T00:00:00Z", "MMM dd HH:mm:ss", "Dec 31 23:59:00", "UTC", "2026-12-31T23:59:00Z"},
    {"2026-12-23T00:00:00Z", "MMM dd HH:mm:ss", "Jan 01 01:00:00", "UTC", "2027-01-01T01:00:00Z"},
    {"2027-01-01T00:00:00Z", "MMM dd HH:mm:ss", "Dec 31 23:59:00", "UTC", "2026-12-31T23:59:00Z"},
    {"2027-01-01T00:00:00Z", "MMM dd HH:mm:ss", "Feb 03 04:05:06", "UTC", "2027-02-03T04:05:06Z"},
    {"2026-11-23T00:00:00Z", "MMM dd HH:mm:ss Z", "Dec 31 23:59:00 +0100", "UTC",
     "2026-12-31T22:59:00Z"},
    /* the offset is that of the guessed year */
    {"2026-11-23T00:00:00Z", "MMM dd HH:mm:ss", "Mar 27 02:00:01", "CET", "2026-03-27T01:00:01Z"},
    {"2026-11-23T00:00:00Z", "MMM dd HH:mm:ss", "Mar 27 03:00:01", "CET", "2026-03-27T02:00:01Z"},
    /* left out by the change of clocks in 2026; no such day in that year */
    {"2026-11-23T00:00:00Z", "MMM dd HH:mm:ss", "Mar 29 02:30:00", "CET", NULL},
    {"2026-11-23T00:00:00Z", "MMM dd", "Feb 29", "UTC", NULL},
    {"2028-11-23T00:00:00Z", "MMM dd", "Feb 29", "UTC", "2028-02-29T00:00:00Z"},
    {"2026-11-23T00:00:00Z", "D:HH:mm", "060:01:02", "UTC", "2026-03-01T01:02:00Z"},
    {"2026-11-23T00:00:00Z", "D:HH:mm", "365:23:59", "UTC", "2026-12-31T23:59:00Z"},
    {"2028-11-23T00:00:00Z", "D:HH:mm", "366:23:59", "UTC", "2028-12-31T23:59:00Z"},
    {"2026-11-23T00:00:00Z", "D:HH:mm", "366:23:59", "UTC", NULL},
    {"2026-11-23T00:00:00Z", "HH:mm", "10:11", "UTC", "2026-01-01T10:11:00Z"},
    {"2026-11-23T00:00:00Z", "xxxx MMM dd", "2013 Feb 28", "UTC", "2026-02-28T00:00:00Z"},
    {"2026-11-23T00:00:00Z", "MMM dd", "Feb 30", "UTC", NULL},
};

START_TEST(guesses_the_year)
{
    struct date_parse_context ctx = context_at(GUESSES[_i].now, GUESSES[_i].zone);
    check_parse(GUESSES[_i].pattern, GUESSES[_i].text, &ctx, GUESSES[_i].instant);
}
END_TEST

static const struct {
    const char *locale;
    const char *text;
    const char *instant;
} LANGUAGES[] = {
    {"fr", "14 juillet 1789", "1789-07-14T00:00:00Z"},
    {"fr_FR.UTF-8", "02 FÉVRIER 2020", "2020-02-02T00:00:00Z"},
    {"fr-CA", "02 févr. 2020", "2020-02-02T00:00:00Z"},
    {"fr", "02 february 2020", NULL},
    {"de", "02 März 2020", "2020-03-02T00:00:00Z"},
    {"es", "02 diciembre 2020", "2020-12-02T00:00:00Z"},
    {"en-GB", "02 May 2020", "2020-05-02T00:00:00Z"},
    {"POSIX", "02 May 2020", "2020-05-02T00:00:00Z"},
};

START_TEST(reads_names_of_other_languages)
{
    struct date_parse_context ctx = context_at("2026-11-23T00:00:00Z", "UTC");
    ctx.names = date_names_find(str_from(LANGUAGES[_i].locale));
    ck_assert_ptr_nonnull(ctx.names);
    check_parse("dd MMMM yyyy", LANGUAGES[_i].text, &ctx, LANGUAGES[_i].instant);
    ck_assert_ptr_null(date_names_find(STR("xx")));
    ck_assert_ptr_null(date_names_find(STR("")));
}
END_TEST

Suite *date_pattern_suite(void)
{
    Suite *suite = suite_create("date_pattern");
    TCase *tcase = tcase_create("date_pattern");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, formats, 0, sizeof FORMATS / sizeof *FORMATS);
    tcase_add_loop_test(tcase, refuses_bad_patterns, 0, sizeof BAD / sizeof *BAD);
    tcase_add_test(tcase, stops_at_a_full_buffer);
    tcase_add_loop_test(tcase, parses, 0, sizeof PARSES / sizeof *PARSES);
    tcase_add_loop_test(tcase, guesses_the_year, 0, sizeof GUESSES / sizeof *GUESSES);
    tcase_add_loop_test(tcase, reads_names_of_other_languages, 0,
                        sizeof LANGUAGES / sizeof *LANGUAGES);
    suite_add_tcase(suite, tcase);
    return suite;
}
