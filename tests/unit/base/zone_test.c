/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time/zone.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/time/clock.h"
#include "base/time/zone_data.h"
#include "tests/unit/base/suites.h"

static const struct {
    const char *id;
    const char *at;
    int32_t offset; /* minutes */
} OFFSETS[] = {
    {"UTC", "2020-01-01T00:00:00Z", 0},
    {"GMT", "2020-07-01T00:00:00Z", 0},
    {"Z", "2020-07-01T00:00:00Z", 0},
    {"Asia/Seoul", "2020-01-01T00:00:00Z", 540},
    {"Asia/Kolkata", "2020-01-01T00:00:00Z", 330},
    {"Asia/Calcutta", "2020-01-01T00:00:00Z", 330},
    {"Europe/Paris", "2020-03-29T00:59:59Z", 60},
    {"Europe/Paris", "2020-03-29T01:00:00Z", 120},
    {"Europe/Paris", "2020-10-25T00:59:59Z", 120},
    {"Europe/Paris", "2020-10-25T01:00:00Z", 60},
    {"Europe/Paris", "2150-07-01T00:00:00Z", 120},
    {"Europe/Paris", "2150-12-01T00:00:00Z", 60},
    {"America/New_York", "2400-07-04T00:00:00Z", -240},
    {"Australia/Sydney", "2150-01-01T00:00:00Z", 660},
    {"Australia/Sydney", "2150-07-01T00:00:00Z", 600},
    {"America/Sao_Paulo", "2018-01-01T00:00:00Z", -120},
    {"America/Sao_Paulo", "2030-01-01T00:00:00Z", -180},
    {"EST", "2020-07-01T00:00:00Z", -300},
    {"EST5EDT", "2020-07-01T00:00:00Z", -240},
    {"US/Pacific", "2020-07-01T00:00:00Z", -420},
    {"Etc/GMT+5", "2020-07-01T00:00:00Z", -300},
    {"+05:30", "2020-07-01T00:00:00Z", 330},
    {"-0330", "2020-07-01T00:00:00Z", -210},
    {"+09", "2020-07-01T00:00:00Z", 540},
    {"+00:00", "2020-07-01T00:00:00Z", 0},
    {"UTC+02:00", "2020-07-01T00:00:00Z", 120},
    {"GMT-03:00", "2020-07-01T00:00:00Z", -180},
};

static int64_t seconds_at(const char *text)
{
    struct instant at;
    ck_assert(instant_parse_iso8601(str_from(text), &at));
    return at.seconds;
}

START_TEST(knows_offsets)
{
    struct error err = {0};
    const struct zone *zone = zone_find(str_from(OFFSETS[_i].id), &err);
    ck_assert_msg(zone != NULL, "%s", err.text);
    ck_assert_int_eq(zone_offset_at(zone, seconds_at(OFFSETS[_i].at)), OFFSETS[_i].offset * 60);
    ck_assert_ptr_eq(zone, zone_find(str_from(OFFSETS[_i].id), &err));
}
END_TEST

static const char *const UNKNOWN[] = {
    "",
    "Nowhere",
    "America",
    "../../../etc/passwd",
    "/etc/passwd",
    "utc",
    "+",
    "+5",
    "+25:00",
    "+05:60",
    "+05:",
    "+05:30:",
    "+05:3",
    "+053",
    "Europe/Paris ",
    "zone.tab",
    "tzdata.zi",
    "UTC+",
    "posix/Europe/Paris",
    "Europe\nParis",
    "%{tz}",
};

START_TEST(refuses_unknown_ids)
{
    struct error err = {0};
    ck_assert_ptr_null(zone_find(str_from(UNKNOWN[_i]), &err));
    ck_assert_int_eq(err.code, ERROR_NOT_FOUND);
}
END_TEST

static const struct {
    const char *id;
    const char *local;
    const char *utc; /* NULL: left out by a change of the clocks */
} LOCALS[] = {
    {"UTC", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"},
    {"+14:00", "2020-01-01T00:00:00Z", "2019-12-31T10:00:00Z"},
    {"America/New_York", "2020-03-08T01:59:59Z", "2020-03-08T06:59:59Z"},
    {"America/New_York", "2020-03-08T02:00:00Z", NULL},
    {"America/New_York", "2020-03-08T02:59:59Z", NULL},
    {"America/New_York", "2020-03-08T03:00:00Z", "2020-03-08T07:00:00Z"},
    {"America/New_York", "2020-11-01T00:59:59Z", "2020-11-01T04:59:59Z"},
    {"America/New_York", "2020-11-01T01:00:00Z", "2020-11-01T05:00:00Z"},
    {"America/New_York", "2020-11-01T01:59:59Z", "2020-11-01T05:59:59Z"},
    {"America/New_York", "2020-11-01T02:00:00Z", "2020-11-01T07:00:00Z"},
    {"Europe/Berlin", "2100-03-28T02:30:00Z", NULL},
    {"Australia/Lord_Howe", "2020-10-04T02:15:00Z", NULL},
    {"Australia/Lord_Howe", "2020-10-04T02:30:00Z", "2020-10-03T15:30:00Z"},
    /* a whole day was left out */
    {"Pacific/Apia", "2011-12-30T12:00:00Z", NULL},
};

START_TEST(turns_local_time_into_utc)
{
    const struct zone *zone = zone_find(str_from(LOCALS[_i].id), NULL);
    int64_t utc;
    bool ok = zone_local_to_utc(zone, seconds_at(LOCALS[_i].local), &utc);
    ck_assert_int_eq(ok, LOCALS[_i].utc != NULL);
    if (ok)
        ck_assert_int_eq(utc, seconds_at(LOCALS[_i].utc));
}
END_TEST

static const struct {
    const char *text;
    bool ok;
    int32_t winter, summer; /* offsets on 2021-01-15 and 2021-07-15 */
} RULES[] = {
    {"UTC0", true, 0, 0},
    {"CET-1CEST,M3.5.0,M10.5.0/3", true, 3600, 7200},
    {"EST5EDT", true, -18000, -14400},
    {"EST5EDT4,M3.2.0/2:00:00,M11.1.0", true, -18000, -14400},
    {"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", true, 39600, 37800},
    {"<-02>2<-01>,M3.4.0/-1,M10.4.0/0", true, -7200, -3600},
    {"IST-2IDT,M3.4.4/26,M10.5.0", true, 7200, 10800},
    {"XXX3YYY,J60,J300", true, -10800, -7200},
    {"XXX3YYY,59/0,299/0", true, -10800, -7200},
    {"XXX3EDT4,0/0,J365/23", true, -14400, -14400},
    {"", false, 0, 0},
    {"UTC", false, 0, 0},
    {"AB1", false, 0, 0},
    {"<abc", false, 0, 0},
    {"<>1", false, 0, 0},
    {"CET-25", false, 0, 0},
    {"CET-1CEST,", false, 0, 0},
    {"CET-1CEST,M3.5.0", false, 0, 0},
    {"CET-1CEST,M13.5.0,M10.5.0", false, 0, 0},
    {"CET-1CEST,M3.6.0,M10.5.0", false, 0, 0},
    {"CET-1CEST,M3.5.7,M10.5.0", false, 0, 0},
    {"CET-1CEST,J0,J5", false, 0, 0},
    {"CET-1CEST,J1,366", false, 0, 0},
    {"CET-1CEST,M3.5.0/168,M10.5.0", false, 0, 0},
    {"CET-1CEST,M3.5.0,M10.5.0x", false, 0, 0},
    {"CET-99999999999999", false, 0, 0},
};

START_TEST(reads_rules)
{
    struct zone_rule rule;
    ck_assert_int_eq(zone_rule_parse(str_from(RULES[_i].text), &rule), RULES[_i].ok);
    if (!RULES[_i].ok)
        return;
    ck_assert_int_eq(zone_rule_offset_at(&rule, seconds_at("2021-01-15T12:00:00Z")),
                     RULES[_i].winter);
    ck_assert_int_eq(zone_rule_offset_at(&rule, seconds_at("2021-07-15T12:00:00Z")),
                     RULES[_i].summer);
}
END_TEST

/* A file of version 2: an empty first block with one type, then a second with two transitions. */
#define TZIF_HEADER(version, transitions, types)                                                   \
    "TZif" version "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* reserved */                                 \
    "\0\0\0\0"                                                                                     \
    "\0\0\0\0"                                                                                     \
    "\0\0\0\0" /* indicators, leap seconds */                                                      \
    "\0\0\0" transitions "\0\0\0" types "\0\0\0\4"
#define TZIF_UTC_TYPE  "\0\0\0\0\0\0"
#define TZIF_HOUR_TYPE "\0\0\x0e\x10\1\0"
#define TZIF_FIRST     TZIF_HEADER("2", "\0", "\1") TZIF_UTC_TYPE "UTC\0"
#define TZIF_TIMES                                                                                 \
    "\0\0\0\0\0\0\0\x64"                                                                           \
    "\0\0\0\0\0\0\0\xc8" /* 100, 200 */
#define TZIF_GOOD                                                                                  \
    TZIF_FIRST TZIF_HEADER("2", "\2", "\2") TZIF_TIMES "\1\0" TZIF_UTC_TYPE TZIF_HOUR_TYPE "UTC\0"

START_TEST(reads_files)
{
    struct zone *zone = zone_parse_file(STR(TZIF_GOOD "\nXXX-2\n"), NULL);
    ck_assert_ptr_nonnull(zone);
    ck_assert_int_eq(zone_offset_at(zone, INT64_MIN / 4), 0);
    ck_assert_int_eq(zone_offset_at(zone, 99), 0);
    ck_assert_int_eq(zone_offset_at(zone, 100), 3600);
    ck_assert_int_eq(zone_offset_at(zone, 199), 3600);
    ck_assert_int_eq(zone_offset_at(zone, 200), 7200);
    zone_free(zone);
    zone = zone_parse_file(STR(TZIF_GOOD "\n\n"), NULL);
    ck_assert_ptr_nonnull(zone);
    ck_assert_int_eq(zone_offset_at(zone, 200), 0);
    zone_free(zone);
    zone = zone_parse_file(
        STR(TZIF_HEADER("\0", "\1", "\1") "\xff\xff\xff\x9c\0" TZIF_HOUR_TYPE "UTC\0"), NULL);
    ck_assert_ptr_nonnull(zone);
    ck_assert_int_eq(zone_offset_at(zone, -100), 3600);
    zone_free(zone);
}
END_TEST

static const struct str BROKEN[] = {
    STR_INIT(""),
    STR_INIT("TZif"),
    STR_INIT("tzif2" TZIF_GOOD),
    STR_INIT(TZIF_HEADER("\0", "\0", "\0") "UTC\0"),
    STR_INIT(TZIF_HEADER("\0", "\1", "\1") TZIF_UTC_TYPE "UTC"),
    STR_INIT(TZIF_GOOD),
    STR_INIT(TZIF_GOOD "\n"),
    STR_INIT(TZIF_GOOD "\nXXX-2"),
    STR_INIT(TZIF_GOOD "\nnonsense\n"),
    STR_INIT(TZIF_FIRST),
    /* a type that is not there, times out of order, an offset of 2^24 seconds */
    STR_INIT(TZIF_FIRST TZIF_HEADER("2", "\2", "\2") TZIF_TIMES "\2\0" TZIF_UTC_TYPE TZIF_HOUR_TYPE
                                                                "UTC\0\n\n"),
    STR_INIT(TZIF_FIRST TZIF_HEADER("2", "\2", "\1") "\0\0\0\0\0\0\0\2"
                                                     "\0\0\0\0\0\0\0\1"
                                                     "\0\0" TZIF_UTC_TYPE "UTC\0\n\n"),
    STR_INIT(TZIF_HEADER("\0", "\0", "\1") "\1\0\0\0\0\0"
                                           "UTC\0"),
    /* counts of 2^32 - 1 */
    STR_INIT("TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
             "\0\0\0\0"
             "\0\0\0\0"
             "\0\0\0\0"
             "\xff\xff\xff\xff"
             "\0\0\0\1"
             "\0\0\0\1" TZIF_UTC_TYPE "\0"),
    STR_INIT("TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
             "\0\0\0\0"
             "\0\0\0\0"
             "\xff\xff\xff\xff"
             "\0\0\0\0"
             "\0\0\0\1"
             "\0\0\0\1" TZIF_UTC_TYPE "\0"),
    /* a leap second */
    STR_INIT("TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
             "\0\0\0\0"
             "\0\0\0\0"
             "\0\0\0\1"
             "\0\0\0\0"
             "\0\0\0\1"
             "\0\0\0\1" TZIF_UTC_TYPE "\0"
             "\0\0\0\0\0\0\0\1"),
};

START_TEST(refuses_broken_files)
{
    struct error err = {0};
    ck_assert_ptr_null(zone_parse_file(BROKEN[_i], &err));
    ck_assert_int_ne(err.code, ERROR_NONE);
}
END_TEST

START_TEST(refuses_huge_files)
{
    struct error err = {0};
    char *bytes = mem_zero(1, ZONE_FILE_BYTES_MAX + 1);
    ck_assert_ptr_null(zone_parse_file(str_make(bytes, ZONE_FILE_BYTES_MAX + 1), &err));
    mem_free(bytes);
    ck_assert_int_eq(err.code, ERROR_LIMIT);
}
END_TEST

static const struct {
    const char *value;
    const char *at;
    int32_t offset;
} HOSTS[] = {
    {"", "2020-07-01T00:00:00Z", 0},
    {"Asia/Seoul", "2020-07-01T00:00:00Z", 32400},
    {":Europe/Paris", "2020-07-01T00:00:00Z", 7200},
    {"CET-1CEST,M3.5.0,M10.5.0/3", "2020-07-01T00:00:00Z", 7200},
    {"/usr/share/zoneinfo/Asia/Tokyo", "2020-07-01T00:00:00Z", 32400},
    {"no such zone", "2020-07-01T00:00:00Z", 0},
};

/* Check runs each test in its own process, so each sees its own TZ. */
START_TEST(the_host_has_a_zone)
{
    setenv("TZ", HOSTS[_i].value, 1);
    ck_assert_int_eq(zone_offset_at(zone_host(), seconds_at(HOSTS[_i].at)), HOSTS[_i].offset);
    unsetenv("TZ");
    ck_assert_int_eq(zone_offset_at(zone_host(), seconds_at(HOSTS[_i].at)), HOSTS[_i].offset);
}
END_TEST

Suite *zone_suite(void)
{
    Suite *suite = suite_create("zone");
    TCase *tcase = tcase_create("zone");
    tcase_add_loop_test(tcase, knows_offsets, 0, sizeof OFFSETS / sizeof *OFFSETS);
    tcase_add_loop_test(tcase, refuses_unknown_ids, 0, sizeof UNKNOWN / sizeof *UNKNOWN);
    tcase_add_loop_test(tcase, turns_local_time_into_utc, 0, sizeof LOCALS / sizeof *LOCALS);
    tcase_add_loop_test(tcase, reads_rules, 0, sizeof RULES / sizeof *RULES);
    tcase_add_test(tcase, reads_files);
    tcase_add_loop_test(tcase, refuses_broken_files, 0, sizeof BROKEN / sizeof *BROKEN);
    tcase_add_test(tcase, refuses_huge_files);
    tcase_add_loop_test(tcase, the_host_has_a_zone, 0, sizeof HOSTS / sizeof *HOSTS);
    suite_add_tcase(suite, tcase);
    return suite;
}
