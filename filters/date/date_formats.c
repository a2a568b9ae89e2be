/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/date/date_formats.h"

enum {
    TAI64N_SECONDS_DIGITS = 16,
    TAI64N_NANOSECONDS_DIGITS = 8,
    TAI_AHEAD_SECONDS = 10, /* Logstash takes off ten seconds whatever the date */
};

static const int64_t UNIX_SECONDS_MAX = INT32_MAX; /* Logstash's bound */

bool date_format_compile(struct arena *arena, struct str text, struct date_format *out,
                         struct error *err)
{
    static const struct {
        struct str name;
        enum date_format_type type;
    } NAMED[] = {
        {STR_INIT("ISO8601"), DATE_FORMAT_ISO8601},
        {STR_INIT("UNIX"), DATE_FORMAT_UNIX},
        {STR_INIT("UNIX_MS"), DATE_FORMAT_UNIX_MS},
        {STR_INIT("TAI64N"), DATE_FORMAT_TAI64N},
    };
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++) {
        if (str_equal(text, NAMED[i].name)) {
            *out = (struct date_format){.type = NAMED[i].type};
            return true;
        }
    }
    *out = (struct date_format){.type = DATE_FORMAT_PATTERN};
    out->pattern = date_pattern_compile(arena, text, DATE_JODA, err);
    if (out->pattern && !date_pattern_can_parse(out->pattern))
        return error_set(
            err, ERROR_CONFIG,
            "the date pattern '%.*s' has the full name of a time zone, which cannot be "
            "read; use Z or ZZZ",
            STR_FMT(text));
    return out->pattern != NULL;
}

static struct instant instant_from_ms(int64_t ms)
{
    int64_t seconds = ms / 1000 - (ms % 1000 < 0);
    return (struct instant){seconds, (uint32_t)(ms - seconds * 1000) * 1000000};
}

static bool unix_seconds(int64_t seconds, int64_t extra_ms, struct instant *out)
{
    if (seconds > UNIX_SECONDS_MAX || seconds < INT64_MIN / 1000)
        return false;
    *out = instant_from_ms(seconds * 1000 + extra_ms);
    return true;
}

/* Seconds, and after a point milliseconds: the first three digits count, what follows them does not. */
static bool unix_text(struct str text, struct instant *out)
{
    size_t point = str_find(text, STR("."));
    int64_t seconds, ms = 0;
    if (point == SIZE_MAX)
        return str_to_int(text, &seconds) && unix_seconds(seconds, 0, out);
    struct str fraction = str_from_offset(text, point + 1);
    if (fraction.len == 0 || !str_to_int(str_make(text.ptr, point), &seconds))
        return false;
    for (size_t i = 0; i < 3; i++) {
        unsigned digit = i < fraction.len ? (unsigned char)fraction.ptr[i] - '0' : 0;
        if (digit > 9)
            return false;
        ms = ms * 10 + digit;
    }
    return unix_seconds(seconds, ms, out);
}

static bool unix_value(const struct value *value, struct instant *out)
{
    if (value_type(value) == VALUE_INT)
        return unix_seconds(value_as_int(value), 0, out);
    if (value_type(value) == VALUE_STRING)
        return unix_text(value_as_str(value), out);
    if (value_type(value) != VALUE_FLOAT)
        return false;
    double seconds = value_as_float(value);
    if (!(seconds < (double)UNIX_SECONDS_MAX + 1 && seconds > (double)INT64_MIN / 1000))
        return false;
    *out = instant_from_ms((int64_t)(seconds * 1000));
    return true;
}

static bool unix_ms_value(const struct value *value, struct instant *out)
{
    int64_t ms;
    if (value_type(value) == VALUE_INT) {
        ms = value_as_int(value);
    } else if (value_type(value) == VALUE_FLOAT) {
        double real = value_as_float(value);
        if (!(real > (double)INT64_MIN && real < (double)INT64_MAX))
            return false;
        ms = (int64_t)real;
    } else if (!value_is_str(value) || !str_to_int(value_as_str(value), &ms)) {
        return false;
    }
    *out = instant_from_ms(ms);
    return true;
}

static bool hexadecimal(const char *at, size_t len, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)at[i] | 0x20;
        unsigned digit = c >= 'a' ? c - 'a' + 10u : c - (unsigned)'0';
        if (digit > 15 || (c < 'a' && digit > 9))
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

/* [@]16 hexadecimal digits of seconds since 2^62, 8 of nanoseconds; what follows is not looked at. */
static bool tai64n(struct str text, struct instant *out)
{
    uint64_t seconds, nanoseconds;
    if (str_starts_with(text, STR("@")))
        text = str_from_offset(text, 1);
    if (text.len < TAI64N_SECONDS_DIGITS + TAI64N_NANOSECONDS_DIGITS ||
        !hexadecimal(text.ptr, TAI64N_SECONDS_DIGITS, &seconds) || seconds > INT64_MAX ||
        !hexadecimal(text.ptr + TAI64N_SECONDS_DIGITS, TAI64N_NANOSECONDS_DIGITS, &nanoseconds) ||
        nanoseconds > INT32_MAX)
        return false;
    int64_t since_1970 = (int64_t)(seconds & ((UINT64_C(1) << 62) - 1)) - TAI_AHEAD_SECONDS;
    if (since_1970 > INT64_MAX / 1000 - 3)
        return false;
    *out = instant_from_ms(since_1970 * 1000 + (int64_t)(nanoseconds / 1000000));
    return true;
}

bool date_format_asks_now(const struct date_format *format)
{
    return format->type == DATE_FORMAT_PATTERN && date_pattern_asks_now(format->pattern);
}

bool date_format_parse(const struct date_format *format, const struct date_parse_context *ctx,
                       const struct value *value, struct instant *out)
{
    switch (format->type) {
    case DATE_FORMAT_UNIX:
        return unix_value(value, out);
    case DATE_FORMAT_UNIX_MS:
        return unix_ms_value(value, out);
    case DATE_FORMAT_TAI64N:
        return value_is_str(value) && tai64n(value_as_str(value), out);
    case DATE_FORMAT_ISO8601:
        return value_is_str(value) && date_parse_iso8601(ctx, value_as_str(value), out);
    case DATE_FORMAT_PATTERN:
        break;
    }
    return value_is_str(value) &&
           date_pattern_parse(format->pattern, ctx, value_as_str(value), out);
}
