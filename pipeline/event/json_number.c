/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "pipeline/event/json_private.h"
#include "pipeline/event/value_store.h"

enum {
    NUMBER_MAX_BYTES = 10000,
    EXACT_POWER = 22, /* 10^22 is the last power of ten that is a double */
};

/* What a number says, when it has at most 19 digits. */
struct number {
    uint64_t digits;
    unsigned digit_count;
    int exponent;
    bool negative, is_integer;
};

static const char *take_digits(const char *at, const char *end, struct number *number)
{
    for (; at < end && *at >= '0' && *at <= '9'; at++) {
        number->digits = number->digits * 10 + (uint64_t)(*at - '0');
        number->digit_count++;
    }
    return at;
}

/* The parser has checked the form. False when there are too many digits for a uint64_t. */
static bool split_number(struct str text, struct number *out)
{
    enum { DIGITS_MAX = 19, EXPONENT_TEXT_MAX = 5 };
    const char *at = text.ptr, *end = text.ptr + text.len;
    *out = (struct number){.negative = *at == '-'};
    at = take_digits(at + out->negative, end, out);
    out->is_integer = at == end;
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = take_digits(fraction, end, out);
        out->exponent = -(int)(at - fraction);
    }
    if (out->digit_count > DIGITS_MAX)
        return false;
    if (at == end)
        return true;
    bool down = at[1] == '-';
    at += 1 + (at[1] == '-' || at[1] == '+');
    struct number exponent = {0};
    if (end - at > EXPONENT_TEXT_MAX)
        return false;
    take_digits(at, end, &exponent);
    out->exponent += down ? -(int)exponent.digits : (int)exponent.digits;
    return true;
}

static bool exact_double(const struct number *number, double *out)
{
    static const double POWERS[EXACT_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (number->digits > UINT64_C(1) << 53 || number->exponent > EXACT_POWER ||
        number->exponent < -EXACT_POWER)
        return false;
    double real = (double)number->digits;
    real =
        number->exponent < 0 ? real / POWERS[-number->exponent] : real * POWERS[number->exponent];
    *out = number->negative ? -real : real;
    return true;
}

static struct value integer_value(struct str text, const struct number *number, bool fits)
{
    uint64_t limit = (uint64_t)INT64_MAX + number->negative;
    if (fits && number->digits <= limit)
        return value_int((int64_t)(number->negative ? -number->digits : number->digits));
    return value_big_int(text);
}

const char *json_number(struct arena *arena, struct str text, bool keep_decimals, struct value *out)
{
    assert(text.len > 0);
    if (text.len > NUMBER_MAX_BYTES)
        return "a number has too many digits";
    struct number number;
    bool fits = split_number(text, &number);
    if (number.is_integer) {
        *out = integer_value(text, &number, fits);
        return NULL;
    }
    if (keep_decimals && value_decimal(arena, text, out))
        return NULL;
    double real;
    if ((!fits || !exact_double(&number, &real)) && !str_to_double(text, &real))
        return "a number cannot be read";
    *out = value_float(real);
    return NULL;
}
