/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/mem.h"
#include "base/time/date_names.h"
#include "base/time/date_pattern.h"
#include "base/time/date_pattern_parts.h"

enum {
    NUMBER_TEXT_MAX = 24 + DATE_LETTERS_MAX, /* a 64-bit number with its sign, or padding */
    THURSDAY = 4,
};

/* An instant with what its fields are computed from. */
struct moment {
    struct civil civil;
    int64_t days;
    int weekday;     /* 1 Monday */
    int day_of_year; /* 1.. */
};

static struct moment moment_at(struct instant at)
{
    struct moment moment = {.civil = civil_from_instant(at)};
    const struct civil *civil = &moment.civil;
    moment.days = civil_to_days(civil->year, civil->month, civil->day);
    moment.weekday = civil_weekday(moment.days);
    moment.day_of_year = civil_day_of_year(civil->year, civil->month, civil->day);
    return moment;
}

/* A week belongs to the year that its Thursday is in. */
static int64_t iso_week(const struct moment *moment, int64_t *year_out)
{
    int month, day;
    civil_from_days(moment->days - moment->weekday + THURSDAY, year_out, &month, &day);
    return (civil_day_of_year(*year_out, month, day) - 1) / 7 + 1;
}

/* Weeks from Sunday to Saturday; the first week of a year is the one with 1 January in it, so a week belongs to the
 * year that its Saturday is in. */
static int64_t local_week(const struct moment *moment, int64_t *year_out)
{
    int month, day;
    int64_t saturday = moment->days + 6 - moment->weekday % 7;
    civil_from_days(saturday, year_out, &month, &day);
    return (civil_day_of_year(*year_out, month, day) - 1) / 7 + 1;
}

static int64_t week_year(const struct moment *moment, bool local)
{
    int64_t year;
    (void)(local ? local_week(moment, &year) : iso_week(moment, &year));
    return year;
}

static int64_t week_of_month(const struct moment *moment)
{
    int first_weekday = civil_weekday(moment->days - moment->civil.day + 1) % 7; /* 0 Sunday */
    return (moment->civil.day - 1 + first_weekday) / 7 + 1;
}

static int64_t day_nanoseconds(const struct civil *civil)
{
    return (civil->hour * 3600 + civil->minute * 60 + civil->second) * INT64_C(1000000000) +
           civil->nanosecond;
}

static int64_t value_of(enum date_field field, const struct moment *moment)
{
    const struct civil *civil = &moment->civil;
    int64_t year_of_era = civil->year > 0 ? civil->year : 1 - civil->year;
    int64_t year;
    switch (field) {
    case DATE_ERA:
        return civil->year > 0;
    case DATE_CENTURY:
        return year_of_era / 100;
    case DATE_YEAR:
        return civil->year;
    case DATE_YEAR_OF_ERA:
        return year_of_era;
    case DATE_WEEK_YEAR:
    case DATE_LOCAL_WEEK_YEAR:
        return week_year(moment, field == DATE_LOCAL_WEEK_YEAR);
    case DATE_QUARTER:
        return (civil->month - 1) / 3 + 1;
    case DATE_MONTH:
        return civil->month;
    case DATE_WEEK:
        return iso_week(moment, &year);
    case DATE_LOCAL_WEEK:
        return local_week(moment, &year);
    case DATE_WEEK_OF_MONTH:
        return week_of_month(moment);
    case DATE_ALIGNED_WEEK:
        return (civil->day - 1) / 7 + 1;
    case DATE_DAY_OF_YEAR:
        return moment->day_of_year;
    case DATE_DAY_OF_MONTH:
        return civil->day;
    case DATE_WEEKDAY:
        return moment->weekday;
    case DATE_LOCAL_WEEKDAY:
        return moment->weekday % 7 + 1;
    case DATE_HALF_DAY:
        return civil->hour / 12;
    case DATE_HOUR:
        return civil->hour;
    case DATE_CLOCK_HOUR:
        return civil->hour == 0 ? 24 : civil->hour;
    case DATE_HALF_HOUR:
        return civil->hour % 12;
    case DATE_CLOCK_HALF_HOUR:
        return civil->hour % 12 == 0 ? 12 : civil->hour % 12;
    case DATE_MINUTE:
        return civil->minute;
    case DATE_SECOND:
        return civil->second;
    case DATE_FRACTION:
    case DATE_NANOSECOND:
        return civil->nanosecond;
    case DATE_MILLISECOND_OF_DAY:
        return day_nanoseconds(civil) / 1000000;
    case DATE_NANOSECOND_OF_DAY:
        return day_nanoseconds(civil);
    case DATE_LITERAL:
    case DATE_ZONE_NAME:
    case DATE_ZONE_OFFSET:
    case DATE_ZONE_ID:
        break;
    }
    mem_abort("a date field without a value");
}

static bool append_number(const struct date_part *part, int64_t value, struct buf *out)
{
    char text[NUMBER_TEXT_MAX];
    char *at = text + sizeof text;
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (part->form == DATE_TWO_DIGITS)
        left %= 100;
    unsigned digits = 0;
    for (; left > 0 || digits < part->min_digits || digits == 0; left /= 10, digits++)
        *--at = (char)('0' + left % 10);
    if (value < 0 && part->form != DATE_TWO_DIGITS)
        *--at = '-';
    else if (part->plus_when_longer && digits > part->min_digits)
        *--at = '+';
    assert(at >= text);
    return buf_append(out, at, (size_t)(text + sizeof text - at));
}

/* The first digits of the nine; what is asked for beyond them is zero. */
static bool append_fraction(const struct date_part *part, uint32_t nanosecond, struct buf *out)
{
    char text[DATE_LETTERS_MAX];
    uint32_t divisor = 100000000;
    assert(part->min_digits <= sizeof text);
    for (unsigned i = 0; i < part->min_digits; i++, divisor /= 10)
        text[i] = divisor > 0 ? (char)('0' + nanosecond / divisor % 10) : '0';
    return buf_append(out, text, part->min_digits);
}

static bool append_quarter(enum date_form form, int64_t quarter, struct buf *out)
{
    static const char *const FULL[] = {"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"};
    if (form == DATE_FULL_TEXT)
        return buf_append_str(out, str_from(FULL[quarter - 1]));
    char text[] = {'Q', (char)('0' + quarter)};
    return form == DATE_NARROW_TEXT ? buf_append(out, text + 1, 1) : buf_append(out, text, 2);
}

static bool append_text(const struct date_part *part, int64_t value, struct buf *out)
{
    const struct date_names *names = date_names_english();
    bool full = part->form == DATE_FULL_TEXT;
    const char *text = NULL;
    if (part->field == DATE_QUARTER)
        return append_quarter(part->form, value, out);
    if (part->field == DATE_MONTH)
        text = full ? names->months[value - 1] : names->short_months[value - 1];
    else if (part->field == DATE_WEEKDAY)
        text = full ? names->weekdays[value - 1] : names->short_weekdays[value - 1];
    else if (part->field == DATE_HALF_DAY)
        text = names->half_days[value];
    else if (full)
        text = value ? "Anno Domini" : "Before Christ";
    else
        text = value ? "AD" : "BC";
    return buf_append(out, text, part->form == DATE_NARROW_TEXT ? 1 : strlen(text));
}

static bool append_zone(const struct date_part *part, struct buf *out)
{
    if (part->field == DATE_ZONE_OFFSET)
        return buf_append_str(out, part->min_digits == 1 ? STR("+0000") : STR("+00:00"));
    bool full_name = part->field == DATE_ZONE_NAME && part->form == DATE_FULL_TEXT;
    return buf_append_str(out, full_name ? STR("Coordinated Universal Time") : STR("UTC"));
}

static bool append_part(const struct date_part *part, const struct moment *moment, struct buf *out)
{
    if (part->field == DATE_LITERAL)
        return buf_append_str(out, part->literal);
    if (part->field >= DATE_ZONE_NAME)
        return append_zone(part, out);
    if (part->field == DATE_FRACTION)
        return append_fraction(part, moment->civil.nanosecond, out);
    int64_t value = value_of(part->field, moment);
    if (part->form == DATE_NUMBER || part->form == DATE_TWO_DIGITS)
        return append_number(part, value, out);
    return append_text(part, value, out);
}

bool date_pattern_format(const struct date_pattern *pattern, struct instant at, struct buf *out)
{
    /* Joda-Time counts in milliseconds. */
    if (pattern->dialect == DATE_JODA)
        at.nanoseconds -= at.nanoseconds % 1000000;
    struct moment moment = moment_at(at);
    for (size_t i = 0; i < pattern->count; i++) {
        if (!append_part(&pattern->parts[i], &moment, out))
            return false;
    }
    return true;
}
