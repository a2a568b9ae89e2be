/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/translate/yaml_value.h"

#include <assert.h>
#include <math.h>

#include "base/text/ascii.h"

enum { SIXTIES_MAX_PARTS = 3 };

static bool is_one_of(struct str text, const char *const *names)
{
    for (; *names; names++)
        if (str_equal_nocase(text, str_from(*names)))
            return true;
    return false;
}

static bool is_digit_of(char c, int base)
{
    if (base == 16)
        return ascii_hex_value(c) >= 0;
    return c >= '0' && c < '0' + base;
}

/* Digits of the base with '_' (and ',' in decimal ones) between them; what does not fit stays a text. */
static bool read_digits(struct str digits, int base, int64_t *out)
{
    bool any = false;
    *out = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = digits.ptr[i];
        if (c == '_' || (c == ',' && base == 10))
            continue;
        if (!is_digit_of(c, base) || *out > (INT64_MAX - 15) / base)
            return false;
        *out = *out * base + ascii_hex_value(c);
        any = true;
    }
    return any;
}

static bool take_sign(struct str *text)
{
    bool negative = text->len > 0 && text->ptr[0] == '-';
    if (negative || (text->len > 0 && text->ptr[0] == '+'))
        *text = str_from_offset(*text, 1);
    return negative;
}

/* 0b101, 017, 0x1F, 1_000. */
static bool read_integer(struct str text, int64_t *out)
{
    bool negative = take_sign(&text), read;
    if (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '9')
        return false;
    if (str_starts_with(text, STR("0b")))
        read = read_digits(str_from_offset(text, 2), 2, out);
    else if (str_starts_with(text, STR("0x")))
        read = read_digits(str_from_offset(text, 2), 16, out);
    else
        read = read_digits(text, text.len > 1 && text.ptr[0] == '0' ? 8 : 10, out);
    if (read && negative)
        *out = -*out;
    return read;
}

/* 12:30 and 1:02:03, where every part but the first is below sixty. The first counts 3600, also when there are two. */
static bool read_sixties(struct str text, int64_t *out)
{
    static const int64_t UNITS[SIXTIES_MAX_PARTS] = {3600, 60, 1};
    bool negative = take_sign(&text);
    size_t parts = 0;
    *out = 0;
    for (bool last = false; !last; parts++) {
        size_t colon = str_find(text, STR(":"));
        struct str part = str_make(text.ptr, colon == SIZE_MAX ? text.len : colon);
        int64_t number;
        last = colon == SIZE_MAX;
        if (parts == SIXTIES_MAX_PARTS || part.len == 0 || part.len > 9 ||
            !read_digits(part, 10, &number) || (parts > 0 && (number > 59 || part.len > 2)))
            return false;
        *out += number * UNITS[parts];
        text = last ? STR("") : str_from_offset(text, colon + 1);
    }
    if (negative)
        *out = -*out;
    return parts > 1;
}

/* A number with a point, which may have '_' and ',' in front of it: 1_000.5, .5, 1., 2.5e+3. */
static bool read_float(struct arena *arena, struct str text, double *out)
{
    size_t len = 0, point = str_find(text, STR("."));
    char *digits = arena_bytes(arena, text.len + 2);
    if (point == SIZE_MAX || text.len == point + (point == 0))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (i < point && (c == '_' || c == ','))
            continue;
        if (c == '.' && len == (size_t)(len > 0 && (*digits == '-' || *digits == '+')))
            digits[len++] = '0';
        digits[len++] = c;
    }
    if (len > 0 && digits[len - 1] == '.')
        len--;
    bool is_number = len > 0;
    for (size_t i = 0; i < len; i++)
        is_number &= (digits[i] >= '0' && digits[i] <= '9') || memchr("+-.eE", digits[i], 5);
    struct str clean = str_make(digits, len);
    if (*digits == '+')
        clean = str_from_offset(clean, 1);
    return is_number && str_to_double(clean, out);
}

static bool read_infinite(struct str text, double *out)
{
    static const char *const NAN_NAMES[] = {".nan", NULL}, *const INFINITE[] = {".inf", NULL};
    if (is_one_of(text, NAN_NAMES)) {
        *out = NAN;
        return true;
    }
    bool negative = take_sign(&text);
    *out = negative ? -INFINITY : INFINITY;
    return is_one_of(text, INFINITE);
}

/* An integer beyond 64 bits. */
static bool is_big(struct str text)
{
    struct str digits = text;
    take_sign(&digits);
    for (size_t i = 0; i < digits.len; i++)
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            return false;
    return digits.len > 0 && digits.ptr[0] != '0' && text.ptr[0] != '+';
}

static struct value plain_value(struct arena *arena, struct str text)
{
    static const char *const TRUE_NAMES[] = {"true", "yes", "on", NULL};
    static const char *const FALSE_NAMES[] = {"false", "no", "off", NULL};
    static const char *const NULL_NAMES[] = {"null", NULL};
    int64_t integer;
    double real;
    if (is_one_of(text, NULL_NAMES))
        return value_null();
    if (is_one_of(text, TRUE_NAMES))
        return value_bool(true);
    if (is_one_of(text, FALSE_NAMES))
        return value_bool(false);
    if (read_integer(text, &integer) || read_sixties(text, &integer))
        return value_int(integer);
    if (is_big(text))
        return value_big_int(arena_dup(arena, text));
    if (read_float(arena, text, &real) || read_infinite(text, &real))
        return value_float(real);
    return value_str_dup(arena, text);
}

/* A tag says what a scalar is, whatever it looks like. */
struct value yaml_value(struct arena *arena, const struct yaml_tree *scalar)
{
    static const struct str TAGS = STR_INIT("tag:yaml.org,2002:");
    assert(scalar->type == YAML_TREE_SCALAR);
    double real;
    if (str_starts_with(scalar->tag, TAGS)) {
        struct str kind = str_from_offset(scalar->tag, TAGS.len);
        if (str_equal(kind, STR("float")) && str_to_double(scalar->text, &real))
            return value_float(real);
        if (str_equal(kind, STR("null")))
            return value_null();
        return str_equal(kind, STR("int")) || str_equal(kind, STR("bool"))
                   ? plain_value(arena, scalar->text)
                   : value_str_dup(arena, scalar->text);
    }
    if (yaml_tree_is_null(scalar))
        return value_null();
    return scalar->is_plain ? plain_value(arena, scalar->text) : value_str_dup(arena, scalar->text);
}
