/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/ruby_text.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const size_t TEXT_MAX_BYTES = UINT32_MAX;

/* ---- inspect ---- */

static void inspect(const struct value *value, struct buf *out);

static void inspect_str(struct str text, struct buf *out)
{
    static const char SPECIAL[] = "\"\\\a\b\t\n\v\f\r\033", LETTERS[] = "\"\\abtnvfre";
    buf_append_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        const char *special = c ? strchr(SPECIAL, c) : NULL;
        bool opens = c == '#' && i + 1 < text.len && strchr("{$@", text.ptr[i + 1]);
        if (special)
            buf_append(out, (char[]){'\\', LETTERS[special - SPECIAL]}, 2);
        else if ((unsigned char)c < 0x20 || c == 0x7f)
            buf_printf(out, "\\u%04X", (unsigned)c);
        else
            buf_append(out, (char[]){'\\', c} + !opens, 1 + opens);
    }
    buf_append_char(out, '"');
}

static void inspect_array(const struct value *array, struct buf *out)
{
    buf_append_char(out, '[');
    for (size_t i = 0; i < value_array_count(array); i++) {
        if (i > 0)
            buf_append_str(out, STR(", "));
        inspect(value_array_at(array, i), out);
    }
    buf_append_char(out, ']');
}

static void inspect_object(const struct value *object, struct buf *out)
{
    buf_append_char(out, '{');
    for (size_t i = 0; i < value_object_count(object); i++) {
        struct str key;
        const struct value *item = value_object_at(object, i, &key);
        if (i > 0)
            buf_append_str(out, STR(", "));
        inspect_str(key, out);
        buf_append_str(out, STR(" => "));
        inspect(item, out);
    }
    buf_append_char(out, '}');
}

static void append_scalar(const struct value *value, struct buf *out)
{
    char text[FLOAT_TEXT_MAX], decimal[DECIMAL_TEXT_MAX + 16];
    if (value_is_decimal(value))
        buf_append(out, decimal, value_decimal_ruby_format(value, decimal));
    else if (value_type(value) == VALUE_FLOAT)
        buf_append(out, text, float_format_ruby(value_as_float(value), text));
    else
        value_append_text(value, out);
}

static void inspect(const struct value *value, struct buf *out)
{
    switch (value_type(value)) {
    case VALUE_NULL:
        buf_append_str(out, STR("nil"));
        return;
    case VALUE_STRING:
        inspect_str(value_as_str(value), out);
        return;
    case VALUE_ARRAY:
        inspect_array(value, out);
        return;
    case VALUE_OBJECT:
        inspect_object(value, out);
        return;
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_BIG_INT:
    case VALUE_TIMESTAMP:
        append_scalar(value, out);
        return;
    }
}

/* ---- to_s and join ---- */

static bool is_container(const struct value *value)
{
    return value_type(value) == VALUE_ARRAY || value_type(value) == VALUE_OBJECT;
}

static struct str finish(struct arena *arena, struct buf *buf)
{
    struct str text = arena_dup(arena, buf_str(buf));
    buf_release(buf);
    return text;
}

struct str ruby_text(struct arena *arena, const struct value *value)
{
    if (!is_container(value) && value_type(value) != VALUE_FLOAT)
        return value_to_text(arena, value);
    struct buf buf;
    buf_init(&buf, TEXT_MAX_BYTES);
    if (is_container(value))
        inspect(value, &buf);
    else
        append_scalar(value, &buf);
    return finish(arena, &buf);
}

static void append_joined(const struct value *array, struct str separator, struct buf *out)
{
    for (size_t i = 0; i < value_array_count(array); i++) {
        const struct value *item = value_array_at(array, i);
        if (i > 0)
            buf_append_str(out, separator);
        if (value_type(item) == VALUE_ARRAY)
            append_joined(item, separator, out);
        else if (value_type(item) == VALUE_OBJECT)
            inspect(item, out);
        else
            append_scalar(item, out);
    }
}

struct str ruby_join(struct arena *arena, const struct value *array, struct str separator)
{
    struct buf buf;
    buf_init(&buf, TEXT_MAX_BYTES);
    append_joined(array, separator, &buf);
    return finish(arena, &buf);
}

/* ---- numbers from text ---- */

/* What is read of text is copied to digits without underscores, in one pass however long the text is. */
struct reader {
    struct str text;
    size_t at;
    char *digits;
    size_t count;
    bool has_digits;
};

static bool is_at(const struct reader *reader, size_t at, const char *any)
{
    return at < reader->text.len && reader->text.ptr[at] && strchr(any, reader->text.ptr[at]);
}

static bool is_digit(const struct reader *reader, size_t at)
{
    return is_at(reader, at, "0123456789");
}

static void take(struct reader *reader)
{
    assert(reader->at < reader->text.len && reader->count < reader->text.len);
    reader->digits[reader->count++] = reader->text.ptr[reader->at++];
}

static void take_sign(struct reader *reader)
{
    if (is_at(reader, reader->at, "-+"))
        take(reader);
}

static void take_digits(struct reader *reader)
{
    while (is_digit(reader, reader->at)) {
        reader->has_digits = true;
        take(reader);
        reader->at += is_at(reader, reader->at, "_") && is_digit(reader, reader->at + 1);
    }
}

static void take_fraction(struct reader *reader)
{
    if (!is_at(reader, reader->at, ".") || !is_digit(reader, reader->at + 1))
        return;
    take(reader);
    take_digits(reader);
}

static void take_exponent(struct reader *reader)
{
    size_t next = reader->at + 1;
    if (!reader->has_digits || !is_at(reader, reader->at, "eE") ||
        !is_digit(reader, next + is_at(reader, next, "-+")))
        return;
    take(reader);
    take_sign(reader);
    take_digits(reader);
}

static struct reader read_integer(struct arena *arena, struct str text)
{
    struct reader reader = {.text = str_trim(text)};
    reader.digits = arena_zero(arena, reader.text.len + 1);
    take_sign(&reader);
    take_digits(&reader);
    return reader;
}

/* As JSON has it: no plus, no zeros in front. For digits that do not fit into an int64_t. */
static struct str plain_digits(struct reader *reader)
{
    bool negative = reader->digits[0] == '-';
    size_t first = negative || reader->digits[0] == '+';
    while (reader->digits[first] == '0')
        first++;
    assert(first < reader->count);
    if (negative)
        reader->digits[--first] = '-';
    return str_make(reader->digits + first, reader->count - first);
}

/* Nothing but digits, and few enough to fit: most numbers are written so. */
static bool read_plain(struct str text, int64_t *out)
{
    enum { DIGITS_THAT_FIT = 18 };
    int64_t integer = 0;
    if (text.len == 0 || text.len > DIGITS_THAT_FIT)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned char)text.ptr[i] - (unsigned)'0';
        if (digit > 9)
            return false;
        integer = integer * 10 + (int64_t)digit;
    }
    *out = integer;
    return true;
}

struct value ruby_to_i(struct arena *arena, struct str text)
{
    int64_t plain;
    if (read_plain(text, &plain))
        return value_int(plain);
    struct reader reader = read_integer(arena, text);
    struct str digits = str_make(reader.digits, reader.count);
    int64_t integer = 0;
    if (!reader.has_digits || str_to_int(digits, &integer))
        return value_int(integer);
    return value_big_int(plain_digits(&reader));
}

double ruby_to_f(struct arena *arena, struct str text)
{
    struct reader reader = read_integer(arena, text);
    take_fraction(&reader);
    take_exponent(&reader);
    double real = 0;
    return str_to_double(str_make(reader.digits, reader.count), &real) ? real : 0;
}
