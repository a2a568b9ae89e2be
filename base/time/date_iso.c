/* SPDX-License-Identifier: Apache-2.0
 *
 * ISO 8601 by hand: the shape that nearly every log has first (clock.h), then its kin at fixed offsets, then all that Joda-Time
 * takes.
 */
#include "base/time/date_pattern.h"
#include "base/time/date_pattern_parts.h"

enum {
    DIGITS_MAX = 9, /* of a year or a fraction */
    MS_PER_MINUTE = 60 * 1000,
    MS_PER_HOUR = 60 * MS_PER_MINUTE,
    PLAIN_BYTES = 19, /* yyyy-MM-ddTHH:mm:ss */
};

/* ---- much like the usual shape ---------------------------------------------------------------------- */

/* Two digits as a number; a huge one when they are not digits. */
static inline unsigned two_digits(const char *at)
{
    unsigned tens = (unsigned char)at[0] - '0', ones = (unsigned char)at[1] - '0';
    return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

/* .SSS to .SSSSSSSSS, cut to milliseconds. NULL when there is something else. */
static const char *plain_fraction(const char *at, const char *end, uint32_t *nanoseconds_out)
{
    unsigned digits = 0;
    uint32_t ms = 0;
    for (at++; at < end && (unsigned char)(*at - '0') <= 9; at++, digits++) {
        if (digits < 3)
            ms = ms * 10 + (uint32_t)(*at - '0');
    }
    *nanoseconds_out = ms * 1000000;
    return digits >= 3 && digits <= DIGITS_MAX ? at : NULL;
}

/* Z, +HHMM or +HH:MM at the end of the text. */
static bool plain_offset(const char *at, const char *end, int64_t *seconds_out)
{
    *seconds_out = 0;
    if (end - at == 1)
        return *at == 'Z';
    bool colon = end - at == 6 && at[3] == ':';
    if ((*at != '+' && *at != '-') || (end - at != 5 && !colon))
        return false;
    unsigned hours = two_digits(at + 1), minutes = two_digits(end - 2);
    int64_t seconds = hours * 3600 + minutes * 60;
    *seconds_out = *at == '-' ? -seconds : seconds;
    return hours <= 23 && minutes <= 59;
}

/* yyyy-MM-ddTHH:mm:ss[.SSS…](Z|+HHMM|+HH:MM). False says nothing: the general parser decides. */
static bool parse_plain(struct str text, struct instant *out)
{
    const char *at = text.ptr;
    if (text.len <= PLAIN_BYTES || at[4] != '-' || at[7] != '-' || at[10] != 'T' || at[13] != ':' ||
        at[16] != ':')
        return false;
    unsigned century = two_digits(at), year = two_digits(at + 2), month = two_digits(at + 5);
    unsigned day = two_digits(at + 8), hour = two_digits(at + 11), minute = two_digits(at + 14);
    unsigned second = two_digits(at + 17);
    if (century > 99 || year > 99 || month - 1 > 11 || hour > 23 || minute > 59 || second > 59)
        return false;
    int64_t full_year = century * 100 + year;
    if (day < 1 || (day > 28 && (int)day > civil_days_in_month(full_year, (int)month)))
        return false;
    int64_t seconds =
        civil_to_days(full_year, (int)month, (int)day) * 86400 + hour * 3600 + minute * 60 + second;
    const char *end = at + text.len;
    uint32_t nanoseconds = 0;
    int64_t offset = 0;
    at += PLAIN_BYTES;
    if (*at == '.' || *at == ',')
        at = plain_fraction(at, end, &nanoseconds);
    if (!at || at == end || !plain_offset(at, end, &offset))
        return false;
    *out = (struct instant){seconds - offset, nanoseconds};
    return true;
}

/* ---- everything else ------------------------------------------------------------------------------ */

static size_t digits_ahead(const struct date_reader *reader)
{
    size_t count = 0;
    while (reader->at + count < reader->end && (unsigned char)(reader->at[count] - '0') <= 9)
        count++;
    return count;
}

/* Optional parts that do not match leave the reader where they began; the caller finds what is left over. */
static bool take_date(struct date_reader *reader)
{
    if (!date_take_number(reader, DATE_YEAR, DIGITS_MAX, true))
        return false;
    if (!date_take_char(reader, '-'))
        return true;
    if (date_take_char(reader, 'W')) {
        date_store(reader, DATE_WEEK_YEAR, reader->out->values[DATE_YEAR]);
        reader->out->present &= ~(1u << DATE_YEAR);
        return date_take_number(reader, DATE_WEEK, 2, false) &&
               (!date_take_char(reader, '-') || date_take_number(reader, DATE_WEEKDAY, 1, false));
    }
    if (digits_ahead(reader) >= 3)
        return date_take_number(reader, DATE_DAY_OF_YEAR, 3, false);
    return date_take_number(reader, DATE_MONTH, 2, false) &&
           (!date_take_char(reader, '-') || date_take_number(reader, DATE_DAY_OF_MONTH, 2, false));
}

static bool take_decimal_point(struct date_reader *reader)
{
    return date_take_char(reader, '.') || date_take_char(reader, ',');
}

/* A fraction of an hour or a minute, as milliseconds. */
static bool take_fraction_of(struct date_reader *reader, int64_t unit_ms, int32_t *ms_out)
{
    int64_t value = 0, scale = 1;
    size_t digits = digits_ahead(reader);
    if (digits == 0 || digits > DIGITS_MAX)
        return false;
    for (; digits > 0; digits--, scale *= 10)
        value = value * 10 + (*reader->at++ - '0');
    *ms_out = (int32_t)(value * unit_ms / scale);
    return true;
}

static bool take_hour_fraction(struct date_reader *reader)
{
    int32_t ms;
    if (!take_fraction_of(reader, MS_PER_HOUR, &ms))
        return false;
    date_store(reader, DATE_MINUTE, ms / MS_PER_MINUTE);
    date_store(reader, DATE_SECOND, ms / 1000 % 60);
    date_store(reader, DATE_FRACTION, ms % 1000);
    return true;
}

static bool take_minute_fraction(struct date_reader *reader)
{
    int32_t ms;
    if (!take_fraction_of(reader, MS_PER_MINUTE, &ms))
        return false;
    date_store(reader, DATE_SECOND, ms / 1000);
    date_store(reader, DATE_FRACTION, ms % 1000);
    return true;
}

static bool take_time(struct date_reader *reader)
{
    if (!date_take_number(reader, DATE_HOUR, 2, false))
        return false;
    if (take_decimal_point(reader))
        return take_hour_fraction(reader);
    if (!date_take_char(reader, ':'))
        return true;
    if (!date_take_number(reader, DATE_MINUTE, 2, false))
        return false;
    if (take_decimal_point(reader))
        return take_minute_fraction(reader);
    if (!date_take_char(reader, ':'))
        return true;
    return date_take_number(reader, DATE_SECOND, 2, false) &&
           (!take_decimal_point(reader) || date_take_fraction(reader, DIGITS_MAX));
}

/* After the date and a blank. */
static bool take_almost_iso(struct date_reader *reader)
{
    return date_take_number(reader, DATE_HOUR, 2, false) && date_take_char(reader, ':') &&
           date_take_number(reader, DATE_MINUTE, 2, false) && date_take_char(reader, ':') &&
           date_take_number(reader, DATE_SECOND, 2, false) && take_decimal_point(reader) &&
           date_take_fraction(reader, 3);
}

/* After the T. A date may be followed by nothing but it. */
static bool take_rest(struct date_reader *reader, bool has_date)
{
    if (!has_date || digits_ahead(reader) > 0) {
        if (!take_time(reader))
            return false;
    }
    return reader->at == reader->end || date_take_offset(reader);
}

static bool take_text(struct date_reader *reader)
{
    enum { WHOLE_DATE = 1u << DATE_YEAR | 1u << DATE_MONTH | 1u << DATE_DAY_OF_MONTH };
    if (date_take_char(reader, 'T'))
        return take_rest(reader, false);
    if (!take_date(reader))
        return false;
    if (date_take_char(reader, 'T'))
        return take_rest(reader, true);
    if (reader->out->present == WHOLE_DATE && date_take_char(reader, ' '))
        return take_almost_iso(reader) && (reader->at == reader->end || date_take_offset(reader));
    return true;
}

bool date_parse_iso8601(const struct date_parse_context *ctx, struct str text, struct instant *out)
{
    if (instant_parse_usual(text, out) || parse_plain(text, out))
        return true;
    struct date_parsed parsed = {0};
    struct date_reader reader = {text.ptr, text.ptr + text.len, ctx, &parsed};
    return text.len > 0 && take_text(&reader) && reader.at == reader.end &&
           date_resolve(false, ctx, &parsed, out);
}
