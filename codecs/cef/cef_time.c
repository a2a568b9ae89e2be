/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/cef/cef_time.h"

#include <assert.h>

enum {
    YEAR_UNKNOWN = -1,
    LEAP_YEAR = 2000,
    AHEAD_SECONDS = 2 * 24 * 3600,
    DAY_SECONDS = 24 * 3600,
    MONTHS = 12
};

/* Takes exactly `digits` digits. */
static bool take_number(struct str *text, size_t digits, int64_t *out)
{
    if (text->len < digits)
        return false;
    *out = 0;
    for (size_t i = 0; i < digits; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        *out = *out * 10 + (text->ptr[i] - '0');
    }
    *text = str_from_offset(*text, digits);
    return true;
}

static bool take_char(struct str *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    *text = str_from_offset(*text, 1);
    return true;
}

static bool take_month(const struct date_names *names, struct str *text, int *out)
{
    for (int i = 0; i < MONTHS; i++) {
        struct str name = str_from(names->short_months[i]);
        if (!str_starts_with(*text, name))
            continue;
        *text = str_from_offset(*text, name.len);
        *out = i + 1;
        return true;
    }
    return false;
}

/* " 2024" when it is there: the time of day begins with two digits and a colon. */
static bool take_year(struct str *text, int64_t *year)
{
    struct str rest = *text;
    if (!take_char(&rest, ' ') || !take_number(&rest, 4, year)) {
        *year = YEAR_UNKNOWN;
        return true;
    }
    *text = rest;
    return true;
}

static bool take_time(struct str *text, struct civil *civil)
{
    int64_t hour, minute, second;
    if (!take_char(text, ' ') || !take_number(text, 2, &hour) || !take_char(text, ':') ||
        !take_number(text, 2, &minute) || !take_char(text, ':') || !take_number(text, 2, &second) ||
        hour > 23 || minute > 59 || second > 59)
        return false;
    civil->hour = (int)hour;
    civil->minute = (int)minute;
    civil->second = (int)second;
    return true;
}

/* Nine, six or three digits behind a point, or nothing. */
static bool take_fraction(struct str *text, uint32_t *nanosecond)
{
    static const struct {
        size_t digits;
        uint32_t unit;
    } FORMS[] = {{9, 1}, {6, 1000}, {3, 1000000}};
    *nanosecond = 0;
    if (!take_char(text, '.'))
        return true;
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        int64_t number;
        if (!take_number(text, FORMS[i].digits, &number))
            continue;
        *nanosecond = (uint32_t)number * FORMS[i].unit;
        return true;
    }
    return false;
}

/* In the hour that a change of the clocks leaves out, the clock that was before it goes on. */
static struct instant in_zone(const struct civil *civil, const struct zone *zone)
{
    int64_t local = civil_to_seconds(civil), utc;
    if (!zone_local_to_utc(zone, local, &utc))
        utc = local - zone_offset_at(zone, local - DAY_SECONDS);
    return (struct instant){utc, civil->nanosecond};
}

/* In a month that is shorter, the day is its last. */
static struct instant in_year(const struct civil *given, int year, const struct zone *zone)
{
    struct civil civil = *given;
    civil.year = year;
    if (civil.day > civil_days_in_month(year, civil.month))
        civil.day = civil_days_in_month(year, civil.month);
    return in_zone(&civil, zone);
}

/* The year that makes it recent: this one, the last when it would lie too far ahead, in December the next when that is
 * near. */
static struct instant with_year(const struct cef_time *time, const struct civil *civil)
{
    int32_t offset = zone_offset_at(time->zone, time->now.seconds);
    struct civil now = civil_from_instant((struct instant){time->now.seconds + offset, 0});
    int64_t limit = time->now.seconds + AHEAD_SECONDS;
    struct instant current = in_year(civil, now.year, time->zone);
    struct instant next = in_year(civil, now.year + 1, time->zone);
    if (current.seconds > limit)
        return in_year(civil, now.year - 1, time->zone);
    return now.month == MONTHS && next.seconds <= limit ? next : current;
}

static bool parse_written(const struct cef_time *given, struct str text, struct instant *out)
{
    struct cef_time time = *given;
    struct civil civil = {.year = YEAR_UNKNOWN};
    int64_t day;
    if (!take_month(time.names, &text, &civil.month) || !take_char(&text, ' ') ||
        !take_number(&text, 2, &day) || !take_year(&text, &civil.year) ||
        !take_time(&text, &civil) || !take_fraction(&text, &civil.nanosecond))
        return false;
    civil.day = (int)day;
    if (take_char(&text, ' ')) {
        struct error err;
        time.zone = zone_find(text, &err);
        if (!time.zone)
            return false;
    } else if (text.len > 0) {
        return false;
    }
    bool has_year = civil.year != YEAR_UNKNOWN; /* without one, what is a day in no year is none */
    if (day < 1 || day > (has_year ? 31 : civil_days_in_month(LEAP_YEAR, civil.month)))
        return false;
    *out = has_year ? in_year(&civil, civil.year, time.zone) : with_year(&time, &civil);
    return true;
}

/* [1-9] digits, with a fraction or without: milliseconds. */
static bool parse_millis(struct str text, struct instant *out)
{
    size_t at = 0;
    int64_t whole, fraction = 0;
    uint32_t unit = 100000;
    while (at < text.len && text.ptr[at] != '.')
        at++;
    if (text.len == 0 || text.ptr[0] < '1' || text.ptr[0] > '9' ||
        !str_to_int(str_make(text.ptr, at), &whole))
        return false;
    if (at + 1 == text.len)
        return false;
    for (size_t i = at + 1; i < text.len; i++, unit /= 10) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        fraction += (text.ptr[i] - '0') * (int64_t)unit;
    }
    *out = (struct instant){whole / 1000, (uint32_t)(whole % 1000 * 1000000 + fraction)};
    return true;
}

bool cef_time_parse(const struct cef_time *time, struct str text, struct instant *out)
{
    assert(time->zone && time->names);
    return parse_millis(text, out) || parse_written(time, text, out);
}
