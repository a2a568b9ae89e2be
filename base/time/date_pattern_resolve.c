/* SPDX-License-Identifier: Apache-2.0
 *
 * From parsed field values to an instant, as Joda-Time computes it: the values are applied to a default date from the
 * largest unit to the smallest, each cutting off what is smaller, and then once more. So a weekday moves the date
 * within its week, and a field that is not there has its first value. Logstash's guess of a missing year comes last.
 */
#include <assert.h>

#include "base/time/date_pattern_parts.h"
#include "base/time/zone.h"

enum {
    SECONDS_PER_DAY = 86400,
    MS_PER_MINUTE = 60 * 1000,
    MS_PER_HOUR = 60 * MS_PER_MINUTE,
    MS_PER_HALF_DAY = 12 * MS_PER_HOUR,
    DEFAULT_YEAR = 2000, /* when only a month or a day is given, and no year is guessed */
    YEAR_MIN = -292275054,
    YEAR_MAX = 292278993,
    THURSDAY = 4,
};

#define FIELD_BIT(field) (1u << (field))

/* A local date and time. */
struct local {
    int64_t days;
    int32_t ms; /* of the day */
};

static bool set_year(struct local *local, int64_t year)
{
    int64_t old_year;
    int month, day;
    if (year < YEAR_MIN || year > YEAR_MAX)
        return false;
    civil_from_days(local->days, &old_year, &month, &day);
    int last = civil_days_in_month(year, month);
    local->days = civil_to_days(year, month, day < last ? day : last);
    return true;
}

static bool set_month(struct local *local, int64_t value)
{
    int64_t year;
    int month, day;
    if (value < 1 || value > 12)
        return false;
    civil_from_days(local->days, &year, &month, &day);
    int last = civil_days_in_month(year, (int)value);
    local->days = civil_to_days(year, (int)value, day < last ? day : last);
    return true;
}

static int64_t first_monday(int64_t week_year)
{
    int64_t fourth = civil_to_days(week_year, 1, 4); /* always in week 1 */
    return fourth - civil_weekday(fourth) + 1;
}

static int64_t week_year_of(int64_t days)
{
    int64_t year;
    int month, day;
    civil_from_days(days - civil_weekday(days) + THURSDAY, &year, &month, &day);
    return year;
}

static int weeks_in(int64_t week_year)
{
    return (int)((first_monday(week_year + 1) - first_monday(week_year)) / 7);
}

static bool set_week_year(struct local *local, int64_t year)
{
    if (year < YEAR_MIN || year > YEAR_MAX)
        return false;
    int64_t week = (local->days - first_monday(week_year_of(local->days))) / 7;
    int last = weeks_in(year) - 1;
    local->days =
        first_monday(year) + (week < last ? week : last) * 7 + civil_weekday(local->days) - 1;
    return true;
}

static bool set_week(struct local *local, int64_t value)
{
    int64_t year = week_year_of(local->days);
    if (value < 1 || value > weeks_in(year))
        return false;
    local->days = first_monday(year) + (value - 1) * 7 + civil_weekday(local->days) - 1;
    return true;
}

static bool set_day_of_year(struct local *local, int64_t value)
{
    int64_t year;
    int month, day;
    civil_from_days(local->days, &year, &month, &day);
    if (value < 1 || value > 337 + civil_days_in_month(year, 2))
        return false;
    local->days = civil_to_days(year, 1, 1) + value - 1;
    return true;
}

static bool set_day_of_month(struct local *local, int64_t value)
{
    int64_t year;
    int month, day;
    civil_from_days(local->days, &year, &month, &day);
    if (value < 1 || value > civil_days_in_month(year, month))
        return false;
    local->days += value - day;
    return true;
}

static bool set_weekday(struct local *local, int64_t value)
{
    if (value < 1 || value > 7)
        return false;
    local->days += value - civil_weekday(local->days);
    return true;
}

static bool set_century(struct local *local, int64_t value)
{
    int64_t year;
    int month, day;
    civil_from_days(local->days, &year, &month, &day);
    return value >= 0 && value < YEAR_MAX / 100 && set_year(local, value * 100 + year % 100);
}

/* The date's fields; NULL for the era, which only says how a year is read (see read_era). */
static bool (*const DATE_SETTERS[DATE_HALF_DAY])(struct local *, int64_t) = {
    [DATE_CENTURY] = set_century,
    [DATE_YEAR] = set_year,
    [DATE_YEAR_OF_ERA] = set_year,
    [DATE_WEEK_YEAR] = set_week_year,
    [DATE_MONTH] = set_month,
    [DATE_WEEK] = set_week,
    [DATE_DAY_OF_YEAR] = set_day_of_year,
    [DATE_DAY_OF_MONTH] = set_day_of_month,
    [DATE_WEEKDAY] = set_weekday,
};

/* The fields of the time of day: digits that count units up to a range. */
static const struct {
    int range;
    int32_t unit_ms;
    bool one_based; /* 12 (or 24) stands for 0 */
} TIME_FIELDS[DATE_FIELDS_PARSED] = {
    [DATE_HALF_DAY] = {2, MS_PER_HALF_DAY, false},
    [DATE_HOUR] = {24, MS_PER_HOUR, false},
    [DATE_CLOCK_HOUR] = {24, MS_PER_HOUR, true},
    [DATE_HALF_HOUR] = {12, MS_PER_HOUR, false},
    [DATE_CLOCK_HALF_HOUR] = {12, MS_PER_HOUR, true},
    [DATE_MINUTE] = {60, MS_PER_MINUTE, false},
    [DATE_SECOND] = {60, 1000, false},
    [DATE_FRACTION] = {1000, 1, false},
};

static bool set_time(struct local *local, enum date_field field, int32_t value)
{
    int range = TIME_FIELDS[field].range;
    int32_t unit_ms = TIME_FIELDS[field].unit_ms;
    if (TIME_FIELDS[field].one_based) {
        if (value < 1 || value > range)
            return false;
        value %= range;
    }
    if (value < 0 || value >= range)
        return false;
    local->ms += (value - local->ms / unit_ms % range) * unit_ms;
    return true;
}

static bool set_field(struct local *local, enum date_field field, int32_t value)
{
    assert(field < DATE_FIELDS_PARSED && field != DATE_ERA);
    return field >= DATE_HALF_DAY ? set_time(local, field, value)
                                  : DATE_SETTERS[field](local, value);
}

/* Cuts off what is smaller than the field's unit. */
static void floor_field(struct local *local, enum date_field field)
{
    int64_t year;
    int month, day;
    if (field >= DATE_HALF_DAY) {
        local->ms -= local->ms % TIME_FIELDS[field].unit_ms;
        return;
    }
    local->ms = 0;
    civil_from_days(local->days, &year, &month, &day);
    if (field == DATE_CENTURY)
        local->days = civil_to_days(year - year % 100, 1, 1);
    else if (field == DATE_YEAR || field == DATE_YEAR_OF_ERA)
        local->days = civil_to_days(year, 1, 1);
    else if (field == DATE_MONTH)
        local->days += 1 - day;
    else if (field == DATE_WEEK_YEAR)
        local->days = first_monday(week_year_of(local->days));
    else if (field == DATE_WEEK)
        local->days += 1 - civil_weekday(local->days);
}

static bool apply_fields(const struct date_parsed *parsed, bool first_pass, struct local *local)
{
    for (uint32_t left = parsed->present; left > 0; left &= left - 1) {
        enum date_field field = (enum date_field)__builtin_ctz(left);
        if (!set_field(local, field, parsed->values[field]))
            return false;
        if (first_pass || (left & (left - 1)) == 0)
            floor_field(local, field);
    }
    return true;
}

enum {
    YEAR_FIELDS = FIELD_BIT(DATE_ERA) | FIELD_BIT(DATE_CENTURY) | FIELD_BIT(DATE_YEAR) |
                  FIELD_BIT(DATE_YEAR_OF_ERA) | FIELD_BIT(DATE_WEEK_YEAR),
    DAY_FIELDS = FIELD_BIT(DATE_MONTH) | FIELD_BIT(DATE_WEEK) | FIELD_BIT(DATE_DAY_OF_YEAR) |
                 FIELD_BIT(DATE_DAY_OF_MONTH) | FIELD_BIT(DATE_WEEKDAY),
    /* What nearly every log has: these do not depend on each other beyond the length of the month. */
    PLAIN_FIELDS = FIELD_BIT(DATE_YEAR) | FIELD_BIT(DATE_MONTH) | FIELD_BIT(DATE_DAY_OF_MONTH) |
                   FIELD_BIT(DATE_HOUR) | FIELD_BIT(DATE_MINUTE) | FIELD_BIT(DATE_SECOND) |
                   FIELD_BIT(DATE_FRACTION),
    PLAIN_DATE = FIELD_BIT(DATE_YEAR) | FIELD_BIT(DATE_MONTH) | FIELD_BIT(DATE_DAY_OF_MONTH),
};

static bool resolve_plain(const struct date_parsed *parsed, struct local *local)
{
    const int32_t *values = parsed->values;
    int32_t year = values[DATE_YEAR], month = values[DATE_MONTH], day = values[DATE_DAY_OF_MONTH];
    if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
        day > civil_days_in_month(year, month))
        return false;
    if (values[DATE_HOUR] > 23 || values[DATE_MINUTE] > 59 || values[DATE_SECOND] > 59)
        return false;
    local->days = civil_to_days(year, month, day);
    local->ms = values[DATE_HOUR] * MS_PER_HOUR + values[DATE_MINUTE] * MS_PER_MINUTE +
                values[DATE_SECOND] * 1000 + values[DATE_FRACTION];
    return true;
}

/* Makes a year of an era a year: 1 BC is 0. Another kind of year does not look at the era. */
static bool read_era(struct date_parsed *parsed)
{
    bool before_christ = (parsed->present & FIELD_BIT(DATE_ERA)) && parsed->values[DATE_ERA] == 0;
    int32_t *year = &parsed->values[DATE_YEAR_OF_ERA];
    if ((parsed->present & FIELD_BIT(DATE_YEAR_OF_ERA)) && *year < 1)
        return false;
    if (before_christ)
        *year = 1 - *year;
    parsed->present &= ~FIELD_BIT(DATE_ERA);
    return true;
}

static bool resolve_local(struct date_parsed *parsed, int64_t default_year, struct local *local)
{
    *local = (struct local){0, 0};
    if (!(parsed->present & YEAR_FIELDS) && (parsed->present & DAY_FIELDS)) {
        parsed->present |= FIELD_BIT(DATE_YEAR);
        parsed->values[DATE_YEAR] = (int32_t)default_year;
    }
    if (!read_era(parsed))
        return false;
    if ((parsed->present & ~(uint32_t)PLAIN_FIELDS) == 0 &&
        (parsed->present & PLAIN_DATE) == PLAIN_DATE)
        return resolve_plain(parsed, local);
    return apply_fields(parsed, true, local) && apply_fields(parsed, false, local);
}

/* UTC and fixed offsets need no zone. */
static bool to_utc(const struct zone *zone, int64_t local_seconds, int64_t *out)
{
    *out = local_seconds;
    return !zone || zone_local_to_utc(zone, local_seconds, out);
}

static int32_t offset_at(const struct zone *zone, int64_t utc_seconds)
{
    return zone ? zone_offset_at(zone, utc_seconds) : 0;
}

static struct instant instant_of(int64_t utc_ms)
{
    int64_t seconds = utc_ms / 1000 - (utc_ms % 1000 < 0);
    return (struct instant){seconds, (uint32_t)(utc_ms - seconds * 1000) * 1000000};
}

static bool resolve_instant(const struct date_parsed *parsed, const struct zone *zone,
                            const struct local *local, struct instant *out)
{
    int64_t seconds = local->days * SECONDS_PER_DAY + local->ms / 1000;
    if (parsed->has_offset) {
        *out = instant_of(seconds * 1000 + local->ms % 1000 - parsed->offset_ms);
        return true;
    }
    *out = (struct instant){0, (uint32_t)(local->ms % 1000) * 1000000};
    return to_utc(parsed->zone ? parsed->zone : zone, seconds, &out->seconds);
}

static struct civil today_here(struct instant now)
{
    now.seconds += zone_offset_at(zone_host(), now.seconds);
    return civil_from_instant(now);
}

/* December's events that arrive in January are of last year, January's in December of next year. */
static int64_t guess_year(int month, struct instant now)
{
    struct civil today = today_here(now);
    if (month == 12 && today.month == 1)
        return today.year - 1;
    if (month == 1 && today.month == 12)
        return today.year + 1;
    return today.year;
}

/* Moves an instant to the guessed year, keeping its local time. The offset it had is kept where that is possible; a
 * local time that does not exist in that year is moved on by the gap. */
static void with_guessed_year(const struct date_parse_context *ctx, struct instant *at)
{
    int32_t offset = offset_at(ctx->zone, at->seconds);
    struct civil civil = civil_from_instant((struct instant){at->seconds + offset, 0});
    civil.year = guess_year(civil.month, ctx->now);
    int last = civil_days_in_month(civil.year, civil.month);
    if (civil.day > last)
        civil.day = last;
    int64_t local_seconds = civil_to_seconds(&civil);
    at->seconds = local_seconds - offset;
    if (offset_at(ctx->zone, at->seconds) != offset &&
        !to_utc(ctx->zone, local_seconds, &at->seconds))
        at->seconds = local_seconds - offset_at(ctx->zone, local_seconds - SECONDS_PER_DAY);
}

bool date_resolve(bool guess_year, const struct date_parse_context *ctx, struct date_parsed *parsed,
                  struct instant *out)
{
    struct local local;
    /* A day of the year and a 29th of February are those of this year. */
    int64_t year = guess_year ? today_here(ctx->now).year : DEFAULT_YEAR;
    if (!resolve_local(parsed, year, &local) || !resolve_instant(parsed, ctx->zone, &local, out))
        return false;
    if (guess_year)
        with_guessed_year(ctx, out);
    return true;
}
