/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/avro/avro_decimal.h"

#include <assert.h>

enum { EXPONENT_MAX = 400 };

/* ---- reading -------------------------------------------------------------------------------------- */

static void negate(unsigned char *bytes, size_t len)
{
    unsigned carry = 1;
    for (size_t i = len; i-- > 0;) {
        carry += (unsigned char)~bytes[i];
        bytes[i] = (unsigned char)carry;
        carry >>= 8;
    }
}

/* Divides the number by ten in place; the remainder. */
static unsigned divide_by_ten(unsigned char *bytes, size_t len)
{
    unsigned rest = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned part = rest << 8 | bytes[i];
        bytes[i] = (unsigned char)(part / 10);
        rest = part % 10;
    }
    return rest;
}

bool avro_decimal_read(struct arena *arena, const struct avro_schema *schema, struct str bytes,
                       struct value *out)
{
    unsigned char magnitude[AVRO_DECIMAL_MAX_BYTES];
    char text[2 * AVRO_DECIMAL_MAX_DIGITS + 4];
    size_t at = sizeof text;
    if (bytes.len == 0 || bytes.len > sizeof magnitude)
        return false;
    memcpy(magnitude, bytes.ptr, bytes.len);
    bool negative = magnitude[0] & 0x80;
    if (negative)
        negate(magnitude, bytes.len);
    size_t digits = 0;
    bool more = true;
    while (more || digits <= schema->scale) {
        if (digits > 0 && digits == schema->scale)
            text[--at] = '.';
        text[--at] = (char)('0' + divide_by_ten(magnitude, bytes.len));
        digits++;
        more = false;
        for (size_t i = 0; i < bytes.len; i++)
            more |= magnitude[i] != 0;
    }
    if (negative)
        text[--at] = '-';
    return value_decimal(arena, str_make(text + at, sizeof text - at), out);
}

/* ---- writing -------------------------------------------------------------------------------------- */

/* The digits of a number as JSON or Java writes it, without point, and how many of them stand behind the point. */
struct digits {
    bool negative;
    unsigned char digit[AVRO_DECIMAL_MAX_DIGITS + DECIMAL_TEXT_MAX];
    size_t count;
    int64_t behind;
};

static bool take_digits(struct str *text, struct digits *out)
{
    bool point = false;
    for (; text->len > 0; *text = str_from_offset(*text, 1)) {
        char c = text->ptr[0];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9')
            return true;
        if (out->count == 0 && c == '0') { /* leading */
            out->behind += point;
            continue;
        }
        if (out->count == sizeof out->digit)
            return false;
        out->digit[out->count++] = (unsigned char)(c - '0');
        out->behind += point;
    }
    return true;
}

static bool parse_digits(struct str text, struct digits *out)
{
    int64_t exponent = 0;
    *out = (struct digits){0};
    if (text.len > 0 && text.ptr[0] == '-') {
        out->negative = true;
        text = str_from_offset(text, 1);
    }
    if (!take_digits(&text, out))
        return false;
    if (text.len > 0 && ((text.ptr[0] != 'e' && text.ptr[0] != 'E') ||
                         !str_to_int(str_from_offset(text, 1), &exponent) ||
                         exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX))
        return false;
    out->behind -= exponent;
    return true;
}

/* Makes exactly `scale` digits stand behind the point; false when others than zeros would be cut off, or there are too many. */
static bool set_scale(struct digits *digits, const struct avro_schema *schema)
{
    while (digits->behind > (int64_t)schema->scale && digits->count > 0) {
        if (digits->digit[--digits->count] != 0)
            return false;
        digits->behind--;
    }
    while (digits->behind < (int64_t)schema->scale && digits->count > 0) {
        if (digits->count == schema->precision)
            return false;
        digits->digit[digits->count++] = 0;
        digits->behind++;
    }
    return digits->count <= schema->precision;
}

bool avro_decimal_write(const struct avro_schema *schema, const struct value *value,
                        struct arena *scratch, unsigned char out[AVRO_DECIMAL_MAX_BYTES],
                        size_t *len_out)
{
    struct digits digits;
    enum value_type type = value_type(value);
    if ((type != VALUE_INT && type != VALUE_FLOAT && type != VALUE_BIG_INT) ||
        !parse_digits(value_to_text(scratch, value), &digits) || !set_scale(&digits, schema))
        return false;
    assert(digits.count <= AVRO_DECIMAL_MAX_DIGITS); /* fits: 10^38 < 2^127 */
    memset(out, 0, AVRO_DECIMAL_MAX_BYTES);
    for (size_t i = 0; i < digits.count; i++) {
        unsigned carry = digits.digit[i];
        for (size_t at = AVRO_DECIMAL_MAX_BYTES; at-- > 0;) {
            carry += out[at] * 10u;
            out[at] = (unsigned char)carry;
            carry >>= 8;
        }
    }
    if (digits.negative)
        negate(out, AVRO_DECIMAL_MAX_BYTES);
    size_t at = 0;
    unsigned char sign = digits.negative && digits.count > 0 ? 0xff : 0;
    while (at < AVRO_DECIMAL_MAX_BYTES - 1 && out[at] == sign &&
           (out[at + 1] & 0x80) == (sign & 0x80))
        at++;
    *len_out = AVRO_DECIMAL_MAX_BYTES - at;
    return true;
}
