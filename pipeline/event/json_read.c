/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON to values. The members of all open containers stand on one stack; when a container ends, its part is copied
 * into the arena once, at its exact size, and becomes a member of the container around it. The stack keeps its memory
 * between documents.
 */
#include <assert.h>

#include "base/json/json.h"
#include "base/mem.h"
#include "base/text/utf8.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/value_store.h"

enum {
    ROOT_SPARE =
        8, /* the document's own object usually becomes an event, which gets a few more fields */
    KEEP_ENTRIES = 4096,
    NUMBER_MAX_BYTES = 10000,
    EXACT_POWER = 22, /* 10^22 is the last power of ten that is a double */
};

struct container {
    size_t start;          /* its first entry */
    struct object_key key; /* its own, in the object around it */
};

struct json_reader {
    struct json_parser *parser;
    struct arena *arena;
    struct str text;
    struct object_entry *entries; /* those of arrays have a key that means nothing */
    size_t count;
    size_t capacity;
    struct object_key key; /* of the value that comes next */
    size_t string_end;     /* the text's offset behind the last string's closing quote */
    const char *stopped;   /* why a callback stopped */
    bool keep_decimals;
    size_t depth;
    struct container open[JSON_MAX_DEPTH];
};

static int stop(struct json_reader *reader, const char *why)
{
    reader->stopped = why;
    return 0;
}

static inline int push(struct json_reader *reader, struct value value)
{
    if (reader->count == reader->capacity)
        reader->entries =
            mem_grow(reader->entries, reader->count, &reader->capacity, sizeof *reader->entries);
    reader->entries[reader->count++] = (struct object_entry){reader->key, value};
    return 1;
}

/* ---- text ---- */

static inline bool is_inside(const struct json_reader *reader, const void *ptr)
{
    return (uintptr_t)ptr - (uintptr_t)reader->text.ptr < reader->text.len;
}

/* The string token that ends where the parser stands. It starts at the first quote since the last string: no other
 * token has one. */
static struct str raw_string(struct json_reader *reader)
{
    struct str rest = str_from_offset(reader->text, reader->string_end);
    const char *quote = memchr(rest.ptr, '"', rest.len);
    size_t end = json_parser_offset(reader->parser) - 1;
    assert(end < reader->text.len && reader->text.ptr[end] == '"');
    assert(quote && quote < reader->text.ptr + end);
    reader->string_end = end + 1;
    return str_make(quote + 1, (size_t)(reader->text.ptr + end - (quote + 1)));
}

/* A string without escapes is a part of the document. For the others yajl's own decoding is not used: it lets halves
 * of surrogate pairs through and loses the character behind them. */
static inline struct str string_text(struct json_reader *reader, const unsigned char *text,
                                     size_t len)
{
    if (is_inside(reader, text)) {
        reader->string_end = (size_t)((const char *)text + len + 1 - reader->text.ptr);
        return str_make((const char *)text, len);
    }
    return json_unescape(reader->arena, raw_string(reader));
}

static int on_string(void *ctx, const unsigned char *text, size_t len)
{
    struct json_reader *reader = ctx;
    return push(reader, value_str(string_text(reader, text, len)));
}

static int on_key(void *ctx, const unsigned char *text, size_t len)
{
    struct json_reader *reader = ctx;
    reader->key = object_key(string_text(reader, text, len));
    return 1;
}

/* ---- numbers ---- */

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

static struct value integer_value(struct json_reader *reader, struct str text,
                                  const struct number *number, bool fits)
{
    uint64_t limit = (uint64_t)INT64_MAX + number->negative;
    if (fits && number->digits <= limit)
        return value_int((int64_t)(number->negative ? -number->digits : number->digits));
    return value_big_int(is_inside(reader, text.ptr) ? text : arena_dup(reader->arena, text));
}

static int on_number(void *ctx, const char *digits, size_t len)
{
    struct json_reader *reader = ctx;
    struct str text = str_make(digits, len);
    if (len > NUMBER_MAX_BYTES)
        return stop(reader, "a number has too many digits");
    struct number number;
    bool fits = split_number(text, &number);
    if (number.is_integer)
        return push(reader, integer_value(reader, text, &number, fits));
    struct value decimal;
    if (reader->keep_decimals && value_decimal(reader->arena, text, &decimal))
        return push(reader, decimal);
    double real;
    if (!fits || !exact_double(&number, &real))
        if (!str_to_double(text, &real))
            return stop(reader, "a number cannot be read");
    return push(reader, value_float(real));
}

/* ---- the rest ---- */

static int on_null(void *ctx)
{
    return push(ctx, value_null());
}

static int on_boolean(void *ctx, int value)
{
    return push(ctx, value_bool(value != 0));
}

static int on_open(void *ctx)
{
    struct json_reader *reader = ctx;
    if (reader->depth == JSON_MAX_DEPTH)
        return stop(reader, "JSON is nested too deep");
    reader->open[reader->depth++] = (struct container){reader->count, reader->key};
    return 1;
}

static struct container close_container(struct json_reader *reader)
{
    assert(reader->depth > 0);
    struct container closed = reader->open[--reader->depth];
    assert(closed.start <= reader->count);
    reader->key = closed.key;
    return closed;
}

static int on_object_end(void *ctx)
{
    struct json_reader *reader = ctx;
    size_t start = close_container(reader).start;
    size_t count = reader->count - start;
    struct value object =
        object_from_entries(reader->arena, count > 0 ? reader->entries + start : NULL, count,
                            reader->depth == 0 ? ROOT_SPARE : 0);
    reader->count = start;
    return push(reader, object);
}

static int on_array_end(void *ctx)
{
    struct json_reader *reader = ctx;
    size_t start = close_container(reader).start, count = reader->count - start;
    struct value array = value_array_new(reader->arena, count);
    for (size_t i = 0; i < count; i++)
        array.as.array->items[i] = reader->entries[start + i].value;
    array.as.array->count = (uint32_t)count;
    reader->count = start;
    return push(reader, array);
}

static const struct json_callbacks CALLBACKS = {
    .on_null = on_null,
    .on_boolean = on_boolean,
    .on_number = on_number,
    .on_string = on_string,
    .on_object = on_open,
    .on_key = on_key,
    .on_object_end = on_object_end,
    .on_array = on_open,
    .on_array_end = on_array_end,
};

struct json_reader *json_reader_new(void)
{
    struct json_reader *reader = mem_zero(1, sizeof *reader);
    reader->parser = json_parser_new(&CALLBACKS, reader);
    return reader;
}

void json_reader_free(struct json_reader *reader)
{
    if (!reader)
        return;
    json_parser_free(reader->parser);
    mem_free(reader->entries);
    mem_free(reader);
}

/* One huge document does not hold its memory for ever. */
static void forget_entries(struct json_reader *reader)
{
    if (reader->capacity > KEEP_ENTRIES) {
        mem_free(reader->entries);
        reader->entries = NULL;
        reader->capacity = 0;
    }
}

/* One document; *text becomes what is behind it unless it must be the only one. */
static bool decode_one(struct json_reader *reader, struct str *text, bool only, struct error *err)
{
    size_t end;
    reader->text = *text;
    reader->count = reader->depth = reader->string_end = 0;
    reader->stopped = NULL;
    bool read = json_parser_run(reader->parser, *text, only ? NULL : &end, err);
    if (!read && reader->stopped)
        error_set(err, ERROR_LIMIT, "%s", reader->stopped);
    if (read && !only) {
        assert(end > 0 && end <= text->len);
        *text = str_from_offset(*text, end);
    }
    return read;
}

bool json_decode_as(struct json_reader *reader, struct arena *arena, struct str text,
                    const struct json_decoding *how, struct value *out, struct error *err)
{
    reader->arena = arena;
    reader->keep_decimals = how->keep_decimals;
    text = utf8_repair(arena, text);
    bool read;
    do {
        read = decode_one(reader, &text, how->documents == JSON_ONLY, err);
        assert(!read || (reader->count == 1 && reader->depth == 0));
        if (read)
            *out = reader->entries[0].value;
    } while (read && how->documents == JSON_LAST && str_trim(text).len > 0);
    forget_entries(reader);
    return read;
}

bool json_decode(struct json_reader *reader, struct arena *arena, struct str text,
                 struct value *out, struct error *err)
{
    static const struct json_decoding ONLY = {.documents = JSON_ONLY};
    return json_decode_as(reader, arena, text, &ONLY, out, err);
}
