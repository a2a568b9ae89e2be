/* SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "pipeline/event/value.h"

/* The shortest digits that read back as the same double: 0.d1d2d3… × 10^(exponent + 1), d1 not 0. */
struct decimal {
    char digits[24];
    int count;
    int exponent; /* of d1 */
};

enum {
    EXACT_DIGITS = 15,
    EXACT_POWER = 22,
    JAVA_PLAIN_MAX_EXPONENT = 6,
    JAVA_PLAIN_MIN_EXPONENT = -3,
    RUBY_PLAIN_MAX_EXPONENT = 18,
    RUBY_ROUNDED_EXPONENT = 19, /* JRuby writes 15 digits of these, and all of what is larger */
    RUBY_PLAIN_MIN_EXPONENT = -4
};

static const double POWERS[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/* Digits of mantissa × 10^-scale without the zeros at its end. */
static void decimal_from_integer(uint64_t mantissa, int scale, struct decimal *out)
{
    char reversed[24];
    int count = 0, zeros = 0;
    for (; mantissa % 10 == 0; mantissa /= 10)
        zeros++;
    for (; mantissa; mantissa /= 10)
        reversed[count++] = (char)('0' + mantissa % 10);
    for (int i = 0; i < count; i++)
        out->digits[i] = reversed[count - 1 - i];
    out->count = count;
    out->exponent = count - 1 + zeros - scale;
}

/* Most doubles in logs are integers or have a few decimals: m / 10^k is exact to the last bit when m < 10^15
 * and k ≤ 22 (both are doubles, and division rounds correctly), and 15 digits name at most one double. */
static bool decimal_short(double real, struct decimal *out)
{
    for (int scale = 0; scale <= EXACT_POWER; scale++) {
        double scaled = real * POWERS[scale];
        if (scaled >= POWERS[EXACT_DIGITS])
            return false;
        uint64_t mantissa = (uint64_t)(scaled + 0.5);
        if (mantissa > 0 && (double)mantissa / POWERS[scale] == real) {
            decimal_from_integer(mantissa, scale, out);
            return true;
        }
    }
    return false;
}

static void decimal_any(double real, struct decimal *out)
{
    char text[40];
    /* Below the normal range fewer digits are enough; Java never asks for fewer than two. */
    int first = real < DBL_MIN ? 2 : EXACT_DIGITS;
    for (int precision = first; precision <= DBL_DECIMAL_DIG; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, real);
        if (strtod(text, NULL) == real)
            break;
    }
    const char *at = text;
    out->count = 0;
    for (; *at != 'e'; at++)
        if (*at != '.')
            out->digits[out->count++] = *at;
    while (out->count > 1 && out->digits[out->count - 1] == '0')
        out->count--;
    out->exponent = (int)strtol(at + 1, NULL, 10);
}

static char *put_zeros(char *at, int count)
{
    for (; count > 0; count--)
        *at++ = '0';
    return at;
}

static char *put_digits(char *at, const struct decimal *decimal, int from, int to)
{
    for (int i = from; i < to && i < decimal->count; i++)
        *at++ = decimal->digits[i];
    return put_zeros(at, to - (from > decimal->count ? from : decimal->count));
}

/* The fraction from digit `from` on, at least one digit. */
static char *put_fraction(char *at, const struct decimal *decimal, int from)
{
    *at++ = '.';
    return put_digits(at, decimal, from, decimal->count > from ? decimal->count : from + 1);
}

static char *put_plain(char *at, const struct decimal *decimal)
{
    if (decimal->exponent >= 0) {
        at = put_digits(at, decimal, 0, decimal->exponent + 1);
        return put_fraction(at, decimal, decimal->exponent + 1);
    }
    *at++ = '0';
    *at++ = '.';
    at = put_zeros(at, -decimal->exponent - 1);
    return put_digits(at, decimal, 0, decimal->count);
}

/* What is no ordinary number: its length, or 0. */
static size_t put_special(double real, char *out)
{
    bool negative = signbit(real) && !isnan(real);
    struct str name = isnan(real) ? STR("NaN") : isinf(real) ? STR("Infinity") : STR("0.0");
    if (isfinite(real) && real != 0)
        return 0;
    *out = '-';
    memcpy(out + negative, name.ptr, name.len);
    return name.len + negative;
}

static char *put_sign_and_find(double real, struct decimal *decimal, char *out)
{
    if (signbit(real))
        *out++ = '-';
    real = fabs(real);
    if (!decimal_short(real, decimal))
        decimal_any(real, decimal);
    return out;
}

static char *put_exponent(char *at, int exponent, bool ruby)
{
    return at + (ruby ? snprintf(at, 8, "e%+03d", exponent) : snprintf(at, 8, "E%d", exponent));
}

/* d.dddde+NN with 15 digits, without zeros behind the first. */
static size_t put_rounded(double real, char out[FLOAT_TEXT_MAX])
{
    char text[FLOAT_TEXT_MAX];
    int len = snprintf(text, sizeof text, "%.14e", real);
    const char *mark = memchr(text, 'e', (size_t)len);
    assert(mark && len < FLOAT_TEXT_MAX);
    const char *end = mark;
    while (end[-1] == '0' && end[-2] != '.')
        end--;
    size_t kept = (size_t)(end - text), rest = (size_t)(text + len - mark);
    memcpy(out, text, kept);
    memcpy(out + kept, mark, rest);
    return kept + rest;
}

static size_t format(double real, bool ruby, char out[FLOAT_TEXT_MAX])
{
    size_t special = put_special(real, out);
    if (special > 0)
        return special;
    struct decimal decimal;
    char *at = put_sign_and_find(real, &decimal, out);
    if (ruby && decimal.exponent == RUBY_ROUNDED_EXPONENT)
        return put_rounded(real, out);
    int min = ruby ? RUBY_PLAIN_MIN_EXPONENT : JAVA_PLAIN_MIN_EXPONENT;
    int max = ruby ? RUBY_PLAIN_MAX_EXPONENT : JAVA_PLAIN_MAX_EXPONENT;
    if (decimal.exponent >= min && decimal.exponent <= max) {
        at = put_plain(at, &decimal);
    } else {
        *at++ = decimal.digits[0];
        at = put_exponent(put_fraction(at, &decimal, 1), decimal.exponent, ruby);
    }
    assert(at - out <= FLOAT_TEXT_MAX);
    return (size_t)(at - out);
}

size_t float_format(double real, char out[FLOAT_TEXT_MAX])
{
    return format(real, false, out);
}

size_t float_format_ruby(double real, char out[FLOAT_TEXT_MAX])
{
    return format(real, true, out);
}

static const char DIGIT_PAIRS[] = "0001020304050607080910111213141516171819202122232425262728293031"
                                  "3233343536373839404142434445464748"
                                  "4950515253545556575859606162636465666768697071727374757677787980"
                                  "8182838485868788899091929394959697"
                                  "9899";

size_t int_format(int64_t integer, char out[INT_TEXT_MAX])
{
    char reversed[INT_TEXT_MAX];
    char *at = reversed + sizeof reversed;
    uint64_t left = integer < 0 ? -(uint64_t)integer : (uint64_t)integer;
    for (; left >= 100; left /= 100)
        at = memcpy(at - 2, DIGIT_PAIRS + left % 100 * 2, 2);
    if (left >= 10)
        at = memcpy(at - 2, DIGIT_PAIRS + left * 2, 2);
    else
        *--at = (char)('0' + left);
    if (integer < 0)
        *--at = '-';
    size_t len = (size_t)(reversed + sizeof reversed - at);
    memcpy(out, at, len);
    return len;
}
