/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/number.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "conf/bind.h"

/* The digits of the shortest form and the place of the decimal point: 0.DIGITS × 10^point. */
static size_t shortest_digits(double value, char digits[NUMBER_TEXT_MAX], int *point_out)
{
    enum { MOST_DIGITS = 17 };
    char text[NUMBER_TEXT_MAX];
    for (int precision = 1; precision <= MOST_DIGITS; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, value);
        if (strtod(text, NULL) == value)
            break;
    }
    size_t len = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            digits[len++] = *at;
    *point_out = (int)strtol(at + 1, NULL, 10) + 1;
    while (len > 1 && digits[len - 1] == '0')
        len--;
    return len;
}

struct str number_float_text(double value, char out[NUMBER_TEXT_MAX])
{
    char digits[NUMBER_TEXT_MAX];
    int point = 0, len;
    assert(isfinite(value));
    int count = (int)shortest_digits(fabs(value), digits, &point);
    const char *sign = signbit(value) ? "-" : "";
    if (value == 0)
        len = snprintf(out, NUMBER_TEXT_MAX, "%s0.0", sign);
    else if (point > 16 || point < -3)
        len = snprintf(out, NUMBER_TEXT_MAX, "%s%c.%.*se%+03d", sign, digits[0],
                       count > 1 ? count - 1 : 1, count > 1 ? digits + 1 : "0", point - 1);
    else if (point <= 0)
        len = snprintf(out, NUMBER_TEXT_MAX, "%s0.%.*s%.*s", sign, -point, "000", count, digits);
    else if (count <= point)
        len = snprintf(out, NUMBER_TEXT_MAX, "%s%.*s%.*s.0", sign, count, digits, point - count,
                       "0000000000000000");
    else
        len = snprintf(out, NUMBER_TEXT_MAX, "%s%.*s.%.*s", sign, point, digits, count - point,
                       digits + point);
    assert(len > 0 && len < NUMBER_TEXT_MAX);
    return str_make(out, (size_t)len);
}

bool number_with_unit(struct str text, double *number_out, struct str *unit_out)
{
    size_t len = 0;
    while (len < text.len &&
           ((text.ptr[len] >= '0' && text.ptr[len] <= '9') || text.ptr[len] == '.'))
        len++;
    if (len == 0 || text.ptr[0] == '.' || !str_to_double(str_make(text.ptr, len), number_out))
        return false;
    *unit_out = str_trim(str_from_offset(text, len));
    return true;
}

/* Whole counts keep all their digits; with a fraction the result is cut. */
static bool scale(struct str digits, double number, int64_t factor, int64_t *out)
{
    int64_t whole, scaled;
    if (str_to_int(digits, &whole)) {
        if (__builtin_mul_overflow(whole, factor, &scaled))
            return false;
        *out = scaled;
        return true;
    }
    double product = number * (double)factor;
    if (!(product < 9.0e18))
        return false;
    *out = (int64_t)product;
    return true;
}

static struct str leading_digits(struct str text)
{
    size_t len = 0;
    while (len < text.len &&
           ((text.ptr[len] >= '0' && text.ptr[len] <= '9') || text.ptr[len] == '.'))
        len++;
    return str_make(text.ptr, len);
}

/* kb, mb, … with `base` for each step, kib, mib, … always with 1024. 0: no such unit. */
static int64_t byte_unit(struct str unit, int64_t base)
{
    static const char PREFIXES[] = "kmgtpe";
    char lower[4] = "";
    if (unit.len == 0 || str_equal_nocase(unit, STR("b")))
        return 1;
    if (unit.len > 3)
        return 0;
    for (size_t i = 0; i < unit.len; i++)
        lower[i] = (char)(unit.ptr[i] | 0x20);
    const char *prefix = strchr(PREFIXES, lower[0]);
    bool binary = str_equal(str_from(lower + 1), STR("ib"));
    if (!prefix || !(binary || str_equal(str_from(lower + 1), STR("b"))))
        return 0;
    int64_t factor = 1;
    for (const char *at = PREFIXES; at <= prefix; at++)
        factor *= binary ? 1024 : base;
    return factor;
}

static bool parse_bytes(struct str text, int64_t base, int64_t *out)
{
    double number;
    struct str unit;
    text = str_trim(text);
    if (!number_with_unit(text, &number, &unit))
        return false;
    int64_t factor = byte_unit(unit, base);
    return factor > 0 && scale(leading_digits(text), number, factor, out);
}

bool bind_parse_bytes(struct str text, int64_t *out)
{
    return parse_bytes(text, 1000, out);
}

bool number_parse_setting_bytes(struct str text, int64_t *out)
{
    return parse_bytes(text, 1024, out);
}

static const struct {
    const char *names; /* each between blanks */
    double ms;
} DURATION_UNITS[] = {
    {" ms msec msecs millisecond milliseconds ", 1},
    {" s sec secs second seconds ", 1000},
    {" m min mins minute minutes ", 60 * 1000},
    {" h hr hour hours ", 3600 * 1000.0},
    {" d day days ", 24 * 3600 * 1000.0},
    {" w week weeks ", 7 * 24 * 3600 * 1000.0},
    {" us usec usecs micros microsecond microseconds ", 0.001},
    {" ns nanos nanosecond nanoseconds ", 0.000001},
};

static bool duration_unit(struct str unit, int64_t unit_ms, double *out)
{
    enum { UNIT_MAX = 16 };
    char padded[UNIT_MAX + 3];
    if (unit.len == 0) {
        *out = (double)unit_ms;
        return true;
    }
    if (unit.len > UNIT_MAX || memchr(unit.ptr, ' ', unit.len))
        return false;
    snprintf(padded, sizeof padded, " %.*s ", STR_FMT(unit));
    for (size_t i = 0; i < sizeof DURATION_UNITS / sizeof *DURATION_UNITS; i++)
        if (strstr(DURATION_UNITS[i].names, padded)) {
            *out = DURATION_UNITS[i].ms;
            return true;
        }
    return false;
}

bool bind_parse_duration_ms(struct str text, int64_t unit_ms, int64_t *out)
{
    double number, ms_each;
    struct str unit;
    text = str_trim(text);
    bool negative = text.len > 0 && text.ptr[0] == '-';
    if (negative)
        text = str_from_offset(text, 1);
    if (!number_with_unit(text, &number, &unit) || !duration_unit(unit, unit_ms, &ms_each))
        return false;
    double ms = number * ms_each;
    if (!(ms < 9.0e15))
        return false;
    *out = (int64_t)(negative ? -ms : ms);
    return true;
}
