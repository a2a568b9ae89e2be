/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/mapping/date_optional_time.h"

#include <assert.h>

#include "base/time/clock.h"

enum {
    YEAR_DIGITS = 4,
    YEAR_DIGITS_MAX = 9,
    YEAR_MAX = 200000000,
    /* milliseconds fit well */ FRACTION_DIGITS_MAX = 9,
    OFFSET_HOURS_MAX = 18
};

struct reader {
    const char *at, *end;
};

static bool is_digit(const struct reader *in, size_t ahead)
{
    return (size_t)(in->end - in->at) > ahead && (unsigned char)(in->at[ahead] - '0') <= 9;
}

/* Two digits, no more and no less, within the bounds. */
static bool two(struct reader *in, int min, int max, int *out)
{
    if (!is_digit(in, 0) || !is_digit(in, 1))
        return false;
    *out = (in->at[0] - '0') * 10 + in->at[1] - '0';
    in->at += 2;
    return *out >= min && *out <= max;
}

static bool take(struct reader *in, char c)
{
    if (in->at == in->end || *in->at != c)
        return false;
    in->at++;
    return true;
}

static bool year(struct reader *in, int64_t *out)
{
    bool negative = take(in, '-');
    bool has_sign = negative || take(in, '+');
    unsigned digits = 0, most = has_sign ? YEAR_DIGITS_MAX : YEAR_DIGITS;
    int64_t number = 0;
    for (; is_digit(in, 0) && digits <= most; digits++)
        number = number * 10 + *in->at++ - '0';
    *out = negative ? -number : number;
    return digits >= YEAR_DIGITS && digits <= most && number <= YEAR_MAX;
}

static bool fraction(struct reader *in, uint32_t *nanosecond_out)
{
    uint32_t number = 0, digits = 0;
    for (; is_digit(in, 0) && digits <= FRACTION_DIGITS_MAX; digits++)
        number = number * 10 + (uint32_t)(*in->at++ - '0');
    if (digits == 0 || digits > FRACTION_DIGITS_MAX)
        return false;
    for (; digits < FRACTION_DIGITS_MAX; digits++)
        number *= 10;
    *nanosecond_out = number;
    return true;
}

/* The time as far as it goes. */
static bool time_of_day(struct reader *in, struct civil *civil, enum date_unit *finest)
{
    if (!is_digit(in, 0))
        return true;
    *finest = DATE_HOUR;
    if (!two(in, 0, 23, &civil->hour))
        return false;
    if (!take(in, ':'))
        return true;
    *finest = DATE_MINUTE;
    if (!two(in, 0, 59, &civil->minute))
        return false;
    if (!take(in, ':'))
        return true;
    *finest = DATE_SECOND;
    if (!two(in, 0, 59, &civil->second))
        return false;
    if (!take(in, '.') && !take(in, ','))
        return true;
    *finest = DATE_MILLISECOND;
    return fraction(in, &civil->nanosecond);
}

static bool date(struct reader *in, struct civil *civil, enum date_unit *finest)
{
    *finest = DATE_YEAR;
    if (!year(in, &civil->year))
        return false;
    if (!take(in, '-'))
        return in->at == in->end;
    *finest = DATE_MONTH;
    if (!two(in, 1, 12, &civil->month))
        return false;
    if (!take(in, '-'))
        return in->at == in->end;
    *finest = DATE_DAY;
    return two(in, 1, civil_days_in_month(civil->year, civil->month), &civil->day) &&
           (!take(in, 'T') || time_of_day(in, civil, finest));
}

static bool numeric_offset(struct reader *in, int64_t *seconds_out)
{
    bool negative = *in->at == '-';
    in->at++;
    int hours, minutes = 0;
    if (!two(in, 0, OFFSET_HOURS_MAX, &hours))
        return false;
    bool colon = take(in, ':');
    if ((colon || is_digit(in, 0)) && !two(in, 0, 59, &minutes))
        return false;
    int64_t seconds = hours * 3600 + minutes * 60;
    *seconds_out = negative ? -seconds : seconds;
    return in->at == in->end;
}

/* Local time to UTC. In the gap of a change to summer time the clocks have moved on by the gap. */
static int64_t local_to_utc(const struct zone *zone, int64_t local)
{
    int64_t utc;
    if (!zone)
        return local;
    if (zone_local_to_utc(zone, local, &utc))
        return utc;
    return local - zone_offset_at(zone, local - 86400);
}

static bool to_utc(struct reader *in, const struct zone *zone, int64_t *seconds)
{
    int64_t offset;
    if (in->at == in->end) {
        *seconds = local_to_utc(zone, *seconds);
        return true;
    }
    if (*in->at == 'Z' && in->end - in->at == 1)
        return true;
    if (*in->at == '+' || *in->at == '-') {
        if (!numeric_offset(in, &offset))
            return false;
        *seconds -= offset;
        return true;
    }
    const struct zone *named = zone_find_region(str_make(in->at, (size_t)(in->end - in->at)));
    if (named)
        *seconds = local_to_utc(named, *seconds);
    return named;
}

bool date_optional_time_parse(struct str text, const struct zone *zone, int64_t *ms_out,
                              enum date_unit *finest_out)
{
    assert(text.ptr || text.len == 0);
    struct reader in = {text.ptr, text.ptr + text.len};
    struct civil civil = {.month = 1, .day = 1};
    if (text.len == 0 || !date(&in, &civil, finest_out))
        return false;
    if (*finest_out >= DATE_DAY && in.at != in.end)
        return false; /* a zone belongs to a time */
    int64_t seconds = civil_to_seconds(&civil);
    if (!to_utc(&in, zone, &seconds))
        return false;
    *ms_out = seconds * 1000 + civil.nanosecond / 1000000;
    return true;
}
