/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers that keep their digits. What is stored is the text that Java's BigDecimal has for the number: it is what
 * templates and JSON show, and all other forms are made from it.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "pipeline/event/value.h"

/* From here on BigDecimal writes an exponent. */
enum { PLAIN_MIN_EXPONENT = -6, EXPONENT_TEXT_MAX = 6 };

/* The number is digits × 10^exponent. */
struct parts {
    char digits[DECIMAL_TEXT_MAX];
    int count;
    int exponent;
    bool negative;
};

static int number_at(const char *at, const char *end)
{
    int number = 0;
    for (; at < end; at++)
        number = number * 10 + (*at - '0');
    return number;
}

/* A number as JSON writes it, or as it is stored; no zeros in front but for zero itself. */
static bool split(struct str text, struct parts *out)
{
    *out = (struct parts){.negative = text.len > 0 && text.ptr[0] == '-'};
    const char *at = text.ptr + out->negative, *end = text.ptr + text.len;
    bool fraction = false;
    if (text.len > DECIMAL_TEXT_MAX)
        return false;
    for (; at < end && (*at == '.' || (*at >= '0' && *at <= '9')); at++) {
        fraction |= *at == '.';
        if (*at == '.')
            continue;
        out->exponent -= fraction;
        if (out->count == 1 && out->digits[0] == '0')
            out->count = 0;
        out->digits[out->count++] = *at;
    }
    if (at == end)
        return out->count > 0;
    bool down = ++at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    if (end - at > EXPONENT_TEXT_MAX || at == end)
        return false;
    out->exponent += down ? -number_at(at, end) : number_at(at, end);
    return out->count > 0;
}

static bool is_zero(const struct parts *parts)
{
    return parts->count == 1 && parts->digits[0] == '0';
}

static char *put(char *at, const char *text, size_t len)
{
    return (char *)memcpy(at, text, len) + len;
}

/* Zeros in front, where the digits do not reach the point, and the point. */
static char *put_plain(char *at, const struct parts *parts)
{
    int before = parts->count + parts->exponent;
    if (parts->exponent == 0)
        return put(at, parts->digits, (size_t)parts->count);
    if (before > 0) {
        at = put(at, parts->digits, (size_t)before);
        *at++ = '.';
        return put(at, parts->digits + before, (size_t)(parts->count - before));
    }
    at = put(at, "0.", 2);
    memset(at, '0', (size_t)-before);
    return put(at - before, parts->digits, (size_t)parts->count);
}

static char *put_scientific(char *at, const struct parts *parts, int adjusted)
{
    *at++ = parts->digits[0];
    if (parts->count > 1) {
        *at++ = '.';
        at = put(at, parts->digits + 1, (size_t)parts->count - 1);
    }
    return at + snprintf(at, EXPONENT_TEXT_MAX + 4, "E%+d", adjusted);
}

bool value_decimal(struct arena *arena, struct str number, struct value *out)
{
    struct parts parts;
    char text[2 * DECIMAL_TEXT_MAX], *at = text;
    if (!split(number, &parts))
        return false;
    if (parts.negative && !is_zero(&parts))
        *at++ = '-';
    int adjusted = parts.count + parts.exponent - 1;
    at = parts.exponent <= 0 && adjusted >= PLAIN_MIN_EXPONENT
             ? put_plain(at, &parts)
             : put_scientific(at, &parts, adjusted);
    size_t len = (size_t)(at - text);
    assert(len < sizeof text);
    if (len > DECIMAL_TEXT_MAX)
        return false;
    *out = (struct value){.type = VALUE_FLOAT,
                          .flags = VALUE_IS_DECIMAL,
                          .extra = (uint32_t)len,
                          .as.text = arena_dup(arena, str_make(text, len)).ptr};
    return true;
}

double value_decimal_as_float(const struct value *decimal)
{
    double real = 0;
    assert(value_is_decimal(decimal));
    bool read = str_to_double(str_make(decimal->as.text, decimal->extra), &real);
    assert(read);
    (void)read;
    return real;
}

size_t value_decimal_ruby_format(const struct value *decimal, char out[DECIMAL_TEXT_MAX + 16])
{
    struct parts parts;
    char *at = out;
    bool read = split(str_make(decimal->as.text, decimal->extra), &parts);
    assert(read && value_is_decimal(decimal));
    (void)read;
    if (is_zero(&parts))
        return (size_t)(put(at, "0.0", 3) - out);
    int adjusted = parts.count + parts.exponent;
    while (parts.count > 1 && parts.digits[parts.count - 1] == '0')
        parts.count--;
    if (parts.negative)
        *at++ = '-';
    at = put(put(at, "0.", 2), parts.digits, (size_t)parts.count);
    return (size_t)(at + snprintf(at, EXPONENT_TEXT_MAX + 4, "e%d", adjusted) - out);
}
