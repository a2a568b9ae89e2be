/* SPDX-License-Identifier: Apache-2.0
 *
 * Units of a calendar: rounding, adding, and the expressions made of them (2024-01-31||+1M/d, now-1d/d).
 */
#include <assert.h>

#include "base/time/clock.h"
#include "services/store/mapping/date_layout.h"

enum { MATH_COUNT_DIGITS_MAX = 9, MATH_STEPS_MAX = 32 };

static const int64_t SECOND_MS = 1000, DAY_MS = 86400 * INT64_C(1000);
/* Beyond these dates nothing is rounded and nothing is added. */
static const int64_t DATE_MS_MAX = INT64_C(250000000) * 366 * 86400 * 1000, YEAR_MAX = 250000000;

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t quotient = a / b;
    return a % b < 0 ? quotient - 1 : quotient;
}

int64_t date_unit_ms(enum date_unit unit)
{
    assert(unit <= DATE_WEEK);
    static const int64_t MS[] = {1, 1000, 60000, 3600000, 86400000, 7 * INT64_C(86400000)};
    return MS[unit];
}

static int64_t to_local(int64_t ms, const struct zone *zone)
{
    return zone ? ms + zone_offset_at(zone, floor_div(ms, SECOND_MS)) * SECOND_MS : ms;
}

static int64_t to_utc(int64_t local_ms, const struct zone *zone)
{
    if (!zone)
        return local_ms;
    int64_t local = floor_div(local_ms, SECOND_MS), utc;
    if (!zone_local_to_utc(zone, local, &utc))
        utc = local - zone_offset_at(zone, local - 86400);
    return utc * SECOND_MS + (local_ms - local * SECOND_MS);
}

static int64_t round_local(int64_t ms, enum date_unit unit)
{
    int64_t days = floor_div(ms, DAY_MS), year;
    int month, day;
    if (unit < DATE_WEEK)
        return floor_div(ms, date_unit_ms(unit)) * date_unit_ms(unit);
    if (unit == DATE_WEEK)
        return (days - (civil_weekday(days) - 1)) * DAY_MS;
    civil_from_days(days, &year, &month, &day);
    if (unit == DATE_QUARTER)
        month = (month - 1) / 3 * 3 + 1;
    return civil_to_days(year, unit == DATE_YEAR ? 1 : month, 1) * DAY_MS;
}

int64_t date_round_down(int64_t ms, enum date_unit unit, const struct zone *zone)
{
    if (ms > DATE_MS_MAX || ms < -DATE_MS_MAX)
        return ms;
    return to_utc(round_local(to_local(ms, zone), unit), zone);
}

static int64_t add_months(int64_t local_ms, int64_t months)
{
    int64_t days = floor_div(local_ms, DAY_MS), year;
    int month, day;
    civil_from_days(days, &year, &month, &day);
    int64_t total = year * 12 + month - 1 + months;
    year = floor_div(total, 12);
    month = (int)(total - year * 12) + 1;
    if (year > YEAR_MAX || year < -YEAR_MAX)
        return local_ms;
    int last = civil_days_in_month(year, month);
    return civil_to_days(year, month, day > last ? last : day) * DAY_MS + local_ms - days * DAY_MS;
}

int64_t date_add(int64_t ms, int64_t count, enum date_unit unit, const struct zone *zone)
{
    if (ms > DATE_MS_MAX || ms < -DATE_MS_MAX)
        return ms;
    if (unit < DATE_DAY)
        return ms + count * date_unit_ms(unit);
    int64_t local = to_local(ms, zone);
    if (unit <= DATE_WEEK)
        return to_utc(local + count * date_unit_ms(unit), zone);
    int64_t months = unit == DATE_YEAR ? 12 : unit == DATE_QUARTER ? 3 : 1;
    return to_utc(add_months(local, count * months), zone);
}

int64_t date_next(int64_t rounded_ms, enum date_unit unit, const struct zone *zone)
{
    int64_t next = date_add(rounded_ms, 1, unit, zone);
    return next > rounded_ms ? next : rounded_ms + 1;
}

/* ---- expressions ---------------------------------------------------------------------------------- */

static bool unit_of(char letter, enum date_unit *out)
{
    static const struct {
        char letter;
        enum date_unit unit;
    } UNITS[] = {{'y', DATE_YEAR}, {'M', DATE_MONTH}, {'w', DATE_WEEK},   {'d', DATE_DAY},
                 {'h', DATE_HOUR}, {'H', DATE_HOUR},  {'m', DATE_MINUTE}, {'s', DATE_SECOND}};
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        if (UNITS[i].letter == letter) {
            *out = UNITS[i].unit;
            return true;
        }
    }
    return false;
}

/* One of +1d, -2M, /d; moves *rest behind it. */
static bool apply_step(const struct date_math *math, struct str *rest, int64_t *ms)
{
    char operation = rest->ptr[0];
    if (operation != '+' && operation != '-' && operation != '/')
        return false;
    size_t at = 1;
    int64_t count = 0;
    while (at < rest->len && rest->ptr[at] >= '0' && rest->ptr[at] <= '9') {
        if (at > MATH_COUNT_DIGITS_MAX)
            return false;
        count = count * 10 + rest->ptr[at++] - '0';
    }
    bool has_count = at > 1;
    enum date_unit unit;
    if (at == rest->len || !unit_of(rest->ptr[at], &unit) ||
        (operation == '/' && has_count && count != 1))
        return false;
    *rest = str_from_offset(*rest, at + 1);
    if (operation == '/') {
        *ms = date_round_down(*ms, unit, math->zone);
        if (math->rounds_up)
            *ms = date_next(*ms, unit, math->zone) - 1;
        return true;
    }
    if (!has_count)
        count = 1;
    *ms = date_add(*ms, operation == '-' ? -count : count, unit, math->zone);
    return true;
}

static bool apply_steps(const struct date_math *math, struct str rest, int64_t *ms)
{
    for (int steps = 0; rest.len > 0; steps++) {
        if (steps == MATH_STEPS_MAX || !apply_step(math, &rest, ms))
            return false;
    }
    return true;
}

bool date_math_parse(const struct date_math *math, struct str text, int64_t *ms_out)
{
    if (str_starts_with(text, STR("now"))) {
        *ms_out = math->now_ms;
        return apply_steps(math, str_from_offset(text, 3), ms_out);
    }
    size_t bars = str_find(text, STR("||"));
    struct str date = bars == SIZE_MAX ? text : str_make(text.ptr, bars);
    enum date_unit finest;
    if (!date_layout_parse(math->format, date, math->zone, ms_out, &finest))
        return false;
    if (bars != SIZE_MAX)
        return apply_steps(math, str_from_offset(text, bars + 2), ms_out);
    /* Only times are filled up: 2024-01 is the first of January until its last millisecond. */
    if (math->rounds_up && finest > DATE_MILLISECOND)
        *ms_out = date_next(*ms_out, finest > DATE_DAY ? DATE_DAY : finest, math->zone) - 1;
    return true;
}
