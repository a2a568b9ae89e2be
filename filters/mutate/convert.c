/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text/ascii.h"
#include "filters/mutate/mutate.h"
#include "pipeline/event/ruby_text.h"

/* A number written with more digits than this, or an exponent that asks for more, is refused. */
enum { INTEGER_MAX_DIGITS = 1000, EXPONENT_TEXT_MAX = 6, HEX_TEXT_MAX = 64 };

static const char *const TYPES[] = {
    [MUTATE_INTEGER] = "integer",       [MUTATE_FLOAT] = "float",
    [MUTATE_STRING] = "string",         [MUTATE_BOOLEAN] = "boolean",
    [MUTATE_INTEGER_EU] = "integer_eu", [MUTATE_FLOAT_EU] = "float_eu",
};

bool mutate_type_parse(struct str name, enum mutate_type *out)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (str_equal(name, str_from(TYPES[i]))) {
            *out = (enum mutate_type)i;
            return true;
        }
    }
    return false;
}

/* ---- numbers written as text ---- */

/* 12.5e3 is digits 125 and exponent 2. The digits have no zeros in front. */
struct decimal {
    char *digits;
    size_t count;
    size_t seen; /* with the zeros in front */
    int64_t exponent;
    bool negative;
};

/* Blanks around the number, and the signs that only group digits, are dropped; ',' of the continental forms becomes
 * the point. NUL-terminated. */
static struct str clean(struct arena *arena, struct str text, bool continental)
{
    char group = continental ? '.' : ',';
    text = str_trim(text);
    char *out = arena_bytes(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != group)
            out[len++] = continental && text.ptr[i] == ',' ? '.' : text.ptr[i];
    out[len] = 0;
    return str_make(out, len);
}

/* Takes digits, which '_' may part; returns what is behind them. */
static const char *take_digits(const char *at, struct decimal *out)
{
    for (;; at++) {
        bool parts = *at == '_' && ascii_is_digit(at[1]) && at[-1] != '_';
        if (!ascii_is_digit(*at) && !parts)
            return at;
        out->seen += !parts;
        if (!parts && (out->count > 0 || *at != '0'))
            out->digits[out->count++] = *at;
    }
}

static bool take_exponent(const char *at, struct decimal *out)
{
    bool down = *at == '-';
    at += *at == '-' || *at == '+';
    int64_t exponent = 0;
    const char *start = at;
    for (; ascii_is_digit(*at) && at - start < EXPONENT_TEXT_MAX; at++)
        exponent = exponent * 10 + (*at - '0');
    out->exponent += down ? -exponent : exponent;
    return *at == 0 && at > start;
}

static bool parse_decimal(struct arena *arena, struct str text, struct decimal *out)
{
    *out = (struct decimal){.digits = arena_bytes(arena, text.len + 1)};
    const char *at = text.ptr;
    out->negative = *at == '-';
    at += *at == '-' || *at == '+';
    if (ascii_is_digit(*at))
        at = take_digits(at, out);
    if (*at == '.') {
        size_t before = out->seen;
        if (ascii_is_digit(*++at))
            at = take_digits(at, out);
        out->exponent = -(int64_t)(out->seen - before);
    }
    if (out->seen == 0)
        return false;
    return *at == 0 || ((*at | 0x20) == 'e' && take_exponent(at + 1, out));
}

static bool is_hex(struct str text)
{
    size_t sign = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    return text.len > sign + 2 && text.ptr[sign] == '0' && (text.ptr[sign + 1] | 0x20) == 'x';
}

/* strtod takes hexadecimal numbers with fraction and exponent as Ruby does. */
static bool parse_hex(struct str text, double *out)
{
    char *end;
    if (text.len > HEX_TEXT_MAX)
        return false;
    *out = strtod(text.ptr, &end);
    return end == text.ptr + text.len && isfinite(*out);
}

/* ---- integer ---- */

/* A double without its fraction. */
static bool truncate_double(struct arena *arena, double real, struct value *out)
{
    if (!isfinite(real))
        return false;
    real = trunc(real);
    if (fabs(real) < 9.2e18)
        *out = value_int((int64_t)real);
    else
        *out = value_big_int(arena_printf(arena, "%.0f", real));
    return true;
}

static bool truncate_decimal(struct arena *arena, struct decimal *decimal, struct value *out)
{
    int64_t count = (int64_t)decimal->count + decimal->exponent;
    int64_t integer;
    if (decimal->count == 0 || count <= 0) {
        *out = value_int(0);
        return true;
    }
    if (count > INTEGER_MAX_DIGITS)
        return false;
    char *text = arena_bytes(arena, (size_t)count + 1);
    text[0] = '-';
    for (size_t i = 0; i < (size_t)count; i++)
        text[i + 1] = i < decimal->count ? decimal->digits[i] : '0';
    struct str digits = str_make(text + !decimal->negative, (size_t)count + decimal->negative);
    *out = str_to_int(digits, &integer) ? value_int(integer) : value_big_int(digits);
    return true;
}

static bool integer_from_text(struct arena *arena, struct str text, bool continental,
                              struct value *out)
{
    struct decimal decimal;
    double real;
    text = clean(arena, text, continental);
    if (is_hex(text))
        return parse_hex(text, &real) && truncate_double(arena, real, out);
    return parse_decimal(arena, text, &decimal) && truncate_decimal(arena, &decimal, out);
}

static bool to_integer(struct arena *arena, bool continental, struct value *value)
{
    switch (value_type(value)) {
    case VALUE_BOOL:
        *value = value_int(value_as_bool(value));
        return true;
    case VALUE_INT:
    case VALUE_BIG_INT:
        return true;
    case VALUE_FLOAT:
        return truncate_double(arena, value_as_float(value), value);
    case VALUE_STRING:
        return integer_from_text(arena, value_as_str(value), continental, value);
    case VALUE_TIMESTAMP:
        *value = value_int(value_as_instant(value).seconds);
        return true;
    case VALUE_NULL:
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        break;
    }
    return false;
}

/* ---- float ---- */

static bool double_from_text(struct arena *arena, struct str text, bool continental, double *out)
{
    struct decimal decimal;
    text = clean(arena, text, continental);
    if (is_hex(text))
        return parse_hex(text, out);
    if (!parse_decimal(arena, text, &decimal))
        return false;
    struct str digits = decimal.count ? str_make(decimal.digits, decimal.count) : STR("0");
    struct str plain = arena_printf(arena, "%s%.*se%lld", decimal.negative ? "-" : "",
                                    STR_FMT(digits), (long long)decimal.exponent);
    return str_to_double(plain, out);
}

static bool to_float(struct arena *arena, bool continental, struct value *value)
{
    double real = 0;
    switch (value_type(value)) {
    case VALUE_BOOL:
        *value = value_float(value_as_bool(value));
        return true;
    case VALUE_FLOAT: /* its digits, where it kept them, are of no use any more */
        *value = value_float(value_as_float(value));
        return true;
    case VALUE_INT:
    case VALUE_BIG_INT:
        if (!value_number(value, &real))
            return false;
        break;
    case VALUE_STRING:
        if (!double_from_text(arena, value_as_str(value), continental, &real))
            return false;
        break;
    case VALUE_TIMESTAMP:
        real = (double)value_as_instant(value).seconds + value_as_instant(value).nanoseconds / 1e9;
        break;
    case VALUE_NULL:
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return false;
    }
    *value = value_float(real);
    return true;
}

/* ---- boolean and string ---- */

/* What each line of a text is compared with. Logstash asks the expression /^(true|…|1.0)$/i: a line is enough, and the
 * point of 1.0 stands for any character. */
struct boolean_words {
    const char *words[5];
    char digit; /* the one before the point */
};
static const struct boolean_words TRUE_WORDS = {{"true", "t", "yes", "y", "1"}, '1'};
static const struct boolean_words FALSE_WORDS = {{"false", "f", "no", "n", "0"}, '0'};

/* digit, any one character, 0 */
static bool is_decimal(struct str line, char digit)
{
    if (line.len < 3 || line.ptr[0] != digit || line.ptr[line.len - 1] != '0')
        return false;
    size_t middle = line.len - 2;
    for (size_t i = 1; i < middle; i++) /* one character has bytes 10xxxxxx after its first */
        if (((unsigned char)line.ptr[i + 1] & 0xC0) != 0x80)
            return false;
    return true;
}

static bool is_word(struct str line, const struct boolean_words *like)
{
    for (size_t i = 0; i < sizeof like->words / sizeof *like->words; i++)
        if (str_equal_nocase(line, str_from(like->words[i])))
            return true;
    return is_decimal(line, like->digit);
}

static bool has_line(struct str text, const struct boolean_words *like)
{
    while (text.len > 0) {
        size_t end = str_find(text, STR("\n"));
        if (is_word(end == SIZE_MAX ? text : str_make(text.ptr, end), like))
            return true;
        text = str_from_offset(text, end == SIZE_MAX ? text.len : end + 1);
    }
    return false;
}

/* What means neither stays as it is. */
static bool to_boolean(struct arena *arena, struct value *value)
{
    struct str text = ruby_text(arena, value);
    if (has_line(text, &TRUE_WORDS))
        *value = value_bool(true);
    else if (text.len == 0 || has_line(text, &FALSE_WORDS))
        *value = value_bool(false);
    return true;
}

bool mutate_convert_value(struct arena *arena, enum mutate_type type, struct value *value)
{
    switch (type) {
    case MUTATE_INTEGER:
    case MUTATE_INTEGER_EU:
        return to_integer(arena, type == MUTATE_INTEGER_EU, value);
    case MUTATE_FLOAT:
    case MUTATE_FLOAT_EU:
        return to_float(arena, type == MUTATE_FLOAT_EU, value);
    case MUTATE_BOOLEAN:
        return to_boolean(arena, value);
    case MUTATE_STRING:
        break;
    }
    *value = value_str(ruby_text(arena, value));
    return true;
}

/* A list is converted whole or not at all. */
static bool convert_list(struct mutate_step *step, struct event *event, const struct value *list)
{
    size_t count = value_array_count(list);
    struct value converted = value_array_new(event->arena, count);
    for (size_t i = 0; i < count; i++) {
        struct value item = *value_array_at(list, i);
        if (value_type(&item) != VALUE_NULL &&
            !mutate_convert_value(event->arena, step->type, &item))
            return false;
        value_array_push(event->arena, &converted, item);
    }
    return event_set(event, &step->field.ref, converted, NULL);
}

bool mutate_convert(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    if (!step->field.is_legal)
        return false;
    const struct value *found = event_get(event, &step->field.ref);
    if (!found || value_type(found) == VALUE_NULL || value_type(found) == VALUE_OBJECT)
        return true;
    if (value_type(found) == VALUE_ARRAY)
        return convert_list(step, event, found);
    struct value value = *found;
    return mutate_convert_value(event->arena, step->type, &value) &&
           event_set(event, &step->field.ref, value, NULL);
}
