/* SPDX-License-Identifier: Apache-2.0
 *
 * A value begins with a byte for its type. Symbols (; and a number) and objects (@ and a number) may be told by the order
 * in which they came; every text, array, hash, float and big number counts as an object, before what is inside it.
 */
#include "filters/memcached/marshal.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/text/utf8.h"
#include "conf/number.h"
#include "pipeline/event/value.h"

enum {
    FIXNUM_MIN = -(1 << 30),
    FIXNUM_MAX = (1 << 30) - 1,
    SHORT_OFFSET = 5,
    SHORT_MAX = 122,
    BIG_BYTES_MAX = 4096,
    ITEMS_MAX = 1 << 24,
};

/* ---- writing -------------------------------------------------------------------------------------- */

static bool put_int(int64_t number, struct buf *out)
{
    unsigned char bytes[5];
    size_t count = 0;
    if (number == 0)
        return buf_append_char(out, 0);
    if (number > 0 && number <= SHORT_MAX)
        return buf_append_char(out, (char)(number + SHORT_OFFSET));
    if (number < 0 && number > -SHORT_MAX - 2)
        return buf_append_char(out, (char)(number - SHORT_OFFSET));
    int64_t end = number < 0 ? -1 : 0;
    for (int64_t rest = number; rest != end; rest >>= 8)
        bytes[++count] = (unsigned char)(rest & 0xff);
    assert(count <= 4);
    bytes[0] = (unsigned char)(number < 0 ? -(int)count : (int)count);
    return buf_append(out, bytes, count + 1);
}

static bool put_text(struct str text, struct buf *out, bool *has_symbol)
{
    bool first = !*has_symbol;
    *has_symbol = true;
    return buf_append_str(out, STR("I\"")) && put_int((int64_t)text.len, out) &&
           buf_append_str(out, text) && put_int(1, out) &&
           (first ? buf_append_str(out, STR(":\x06"
                                            "E"))
                  : buf_append(out, ";\0", 2)) &&
           buf_append_char(out, 'T');
}

/* Sign, half the number of bytes, bytes from the lowest on. */
static bool put_big(bool negative, uint64_t rest, struct buf *out)
{
    unsigned char bytes[8];
    size_t count = 0;
    for (; rest > 0; rest >>= 8)
        bytes[count++] = (unsigned char)(rest & 0xff);
    if (count % 2)
        bytes[count++] = 0;
    return buf_append_char(out, 'l') && buf_append_char(out, negative ? '-' : '+') &&
           put_int((int64_t)count / 2, out) && buf_append(out, bytes, count);
}

static bool put_integer(int64_t number, struct buf *out)
{
    if (number >= FIXNUM_MIN && number <= FIXNUM_MAX)
        return buf_append_char(out, 'i') && put_int(number, out);
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    return put_big(number < 0, size, out);
}

static bool put_float(double real, struct buf *out)
{
    char text[FLOAT_TEXT_MAX];
    struct str shown;
    if (isnan(real))
        shown = STR("nan");
    else if (isinf(real))
        shown = real < 0 ? STR("-inf") : STR("inf");
    else
        shown = str_make(text, float_format_ruby(real, text));
    return buf_append_char(out, 'f') && put_int((int64_t)shown.len, out) &&
           buf_append_str(out, shown);
}

static bool put(const struct value *value, struct buf *out, unsigned depth, bool *has_symbol);

static bool put_array(const struct value *array, struct buf *out, unsigned depth, bool *has_symbol)
{
    bool fits = buf_append_char(out, '[') && put_int((int64_t)value_array_count(array), out);
    for (size_t i = 0; fits && i < value_array_count(array); i++)
        fits = put(value_array_at(array, i), out, depth + 1, has_symbol);
    return fits;
}

static bool put_object(const struct value *object, struct buf *out, unsigned depth,
                       bool *has_symbol)
{
    bool fits = buf_append_char(out, '{') && put_int((int64_t)value_object_count(object), out);
    for (size_t i = 0; fits && i < value_object_count(object); i++) {
        struct str key;
        const struct value *item = value_object_at(object, i, &key);
        fits = put_text(key, out, has_symbol) && put(item, out, depth + 1, has_symbol);
    }
    return fits;
}

static bool put_as_text(const struct value *value, struct buf *out, bool *has_symbol)
{
    struct arena arena;
    arena_init(&arena, NULL);
    bool fits = put_text(value_to_text(&arena, value), out, has_symbol);
    arena_release(&arena);
    return fits;
}

static bool put(const struct value *value, struct buf *out, unsigned depth, bool *has_symbol)
{
    if (depth > MARSHAL_DEPTH_MAX)
        return false;
    switch (value_type(value)) {
    case VALUE_NULL:
        return buf_append_char(out, '0');
    case VALUE_BOOL:
        return buf_append_char(out, value_as_bool(value) ? 'T' : 'F');
    case VALUE_INT:
        return put_integer(value_as_int(value), out);
    case VALUE_FLOAT:
        return put_float(value_as_float(value), out);
    case VALUE_STRING:
        return put_text(value_as_str(value), out, has_symbol);
    case VALUE_ARRAY:
        return put_array(value, out, depth, has_symbol);
    case VALUE_OBJECT:
        return put_object(value, out, depth, has_symbol);
    case VALUE_BIG_INT:
    case VALUE_TIMESTAMP:
        break;
    }
    return put_as_text(value, out, has_symbol);
}

bool marshal_write(const struct value *value, struct buf *out)
{
    bool has_symbol = false;
    return buf_append(out, "\x04\x08", 2) && put(value, out, 0, &has_symbol);
}

/* ---- reading -------------------------------------------------------------------------------------- */

struct reading {
    struct arena *arena;
    struct str rest;
    struct str *symbols;
    struct value *objects;
    size_t symbol_count, symbol_room, object_count, object_room;
    bool failed;
};

static bool fail(struct reading *reading)
{
    reading->failed = true;
    return false;
}

static unsigned char take_byte(struct reading *reading)
{
    if (reading->rest.len == 0) {
        reading->failed = true;
        return 0;
    }
    unsigned char byte = (unsigned char)reading->rest.ptr[0];
    reading->rest = str_from_offset(reading->rest, 1);
    return byte;
}

static int64_t take_int(struct reading *reading)
{
    int first = (signed char)take_byte(reading);
    if (first == 0)
        return 0;
    if (first > 4 || first < -4)
        return first > 0 ? first - SHORT_OFFSET : first + SHORT_OFFSET;
    int count = first < 0 ? -first : first;
    int64_t number = first < 0 ? -1 : 0;
    for (int i = 0; i < count; i++) {
        number &= ~((int64_t)0xff << (8 * i));
        number |= (int64_t)take_byte(reading) << (8 * i);
    }
    return number;
}

/* A length or a count of what follows, each of which takes a byte at least. */
static size_t take_count(struct reading *reading)
{
    int64_t count = take_int(reading);
    if (count < 0 || count > ITEMS_MAX || (uint64_t)count > reading->rest.len) {
        reading->failed = true;
        return 0;
    }
    return (size_t)count;
}

static struct str take_bytes(struct reading *reading)
{
    size_t len = take_count(reading);
    struct str bytes = str_make(reading->rest.ptr, len);
    reading->rest = str_from_offset(reading->rest, len);
    return bytes;
}

static size_t keep_object(struct reading *reading, struct value value)
{
    if (reading->object_count == reading->object_room) {
        size_t room = reading->object_room ? reading->object_room * 2 : 16;
        reading->objects = arena_grow(reading->arena, reading->objects,
                                      reading->object_count * sizeof value, room * sizeof value);
        reading->object_room = room;
    }
    reading->objects[reading->object_count] = value;
    return reading->object_count++;
}

static void keep_symbol(struct reading *reading, struct str text)
{
    if (reading->symbol_count == reading->symbol_room) {
        size_t room = reading->symbol_room ? reading->symbol_room * 2 : 16;
        reading->symbols = arena_grow(reading->arena, reading->symbols,
                                      reading->symbol_count * sizeof text, room * sizeof text);
        reading->symbol_room = room;
    }
    reading->symbols[reading->symbol_count++] = text;
}

static struct str text_of(struct reading *reading, struct str bytes)
{
    return utf8_repair(reading->arena, arena_dup(reading->arena, bytes));
}

static bool take_symbol(struct reading *reading, unsigned char type, struct str *out)
{
    if (type == ':') {
        *out = text_of(reading, take_bytes(reading));
        keep_symbol(reading, *out);
        return !reading->failed;
    }
    int64_t number = take_int(reading);
    if (reading->failed || number < 0 || (uint64_t)number >= reading->symbol_count)
        return fail(reading);
    *out = reading->symbols[number];
    return true;
}

static bool take_value(struct reading *reading, unsigned depth, struct value *out);

/* What stands behind a text: its encoding, of which nothing is needed. */
static bool skip_variables(struct reading *reading, unsigned depth)
{
    size_t count = take_count(reading);
    struct str name;
    struct value ignored;
    for (size_t i = 0; i < count && !reading->failed; i++) {
        unsigned char type = take_byte(reading);
        if ((type != ':' && type != ';') || !take_symbol(reading, type, &name) ||
            !take_value(reading, depth + 1, &ignored))
            return fail(reading);
    }
    return !reading->failed;
}

static bool take_array(struct reading *reading, unsigned depth, struct value *out)
{
    size_t count = take_count(reading), number = keep_object(reading, value_null());
    *out = value_array_new(reading->arena, count);
    for (size_t i = 0; i < count && !reading->failed; i++) {
        struct value item = value_null();
        if (take_value(reading, depth + 1, &item))
            value_array_push(reading->arena, out, item);
    }
    reading->objects[number] = *out;
    return !reading->failed;
}

static bool take_hash(struct reading *reading, unsigned depth, struct value *out)
{
    size_t count = take_count(reading), number = keep_object(reading, value_null());
    *out = value_object_new(reading->arena, count);
    for (size_t i = 0; i < count && !reading->failed; i++) {
        struct value key = value_null(), item = value_null();
        if (take_value(reading, depth + 1, &key) && take_value(reading, depth + 1, &item))
            value_object_set(reading->arena, out, value_to_text(reading->arena, &key), item);
    }
    reading->objects[number] = *out;
    return !reading->failed;
}

static bool take_float(struct reading *reading, struct value *out)
{
    struct str text = take_bytes(reading);
    double real = 0;
    if (str_equal(text, STR("inf")) || str_equal(text, STR("-inf")))
        real = text.ptr[0] == '-' ? -INFINITY : INFINITY;
    else if (str_equal(text, STR("nan")))
        real = NAN;
    else if (!str_to_double(text, &real))
        return fail(reading);
    *out = value_float(real);
    keep_object(reading, *out);
    return !reading->failed;
}

/* Divides the bytes, highest last, by ten; the digit that is left. */
static unsigned divide(unsigned char *bytes, size_t *count)
{
    unsigned rest = 0;
    for (size_t i = *count; i-- > 0;) {
        unsigned now = rest << 8 | bytes[i];
        bytes[i] = (unsigned char)(now / 10);
        rest = now % 10;
    }
    while (*count > 0 && bytes[*count - 1] == 0)
        (*count)--;
    return rest;
}

static bool take_big(struct reading *reading, struct value *out)
{
    bool negative = take_byte(reading) == '-';
    size_t count = take_count(reading) * 2;
    if (reading->failed || count > reading->rest.len || count > BIG_BYTES_MAX)
        return fail(reading);
    unsigned char bytes[BIG_BYTES_MAX];
    char digits[BIG_BYTES_MAX * 3];
    size_t at = sizeof digits;
    memcpy(bytes, reading->rest.ptr, count);
    reading->rest = str_from_offset(reading->rest, count);
    do
        digits[--at] = (char)('0' + divide(bytes, &count));
    while (count > 0);
    if (negative)
        digits[--at] = '-';
    struct str text = str_make(digits + at, sizeof digits - at);
    int64_t integer;
    *out = str_to_int(text, &integer) ? value_int(integer)
                                      : value_big_int(arena_dup(reading->arena, text));
    keep_object(reading, *out);
    return true;
}

static bool take_link(struct reading *reading, struct value *out)
{
    int64_t number = take_int(reading);
    if (reading->failed || number < 0 || (uint64_t)number >= reading->object_count)
        return fail(reading);
    *out = value_dup(reading->arena, &reading->objects[number]);
    return true;
}

static bool take_text(struct reading *reading, struct value *out)
{
    *out = value_str(text_of(reading, take_bytes(reading)));
    keep_object(reading, *out);
    return !reading->failed;
}

static bool take_typed(struct reading *reading, unsigned char type, unsigned depth,
                       struct value *out)
{
    struct str symbol;
    switch (type) {
    case '0':
        *out = value_null();
        return true;
    case 'T':
    case 'F':
        *out = value_bool(type == 'T');
        return true;
    case 'i':
        *out = value_int(take_int(reading));
        return !reading->failed;
    case 'I':
        return take_value(reading, depth + 1, out) && skip_variables(reading, depth);
    case '"':
        return take_text(reading, out);
    case ':':
    case ';':
        if (!take_symbol(reading, type, &symbol))
            return false;
        *out = value_str(symbol);
        return true;
    case '[':
        return take_array(reading, depth, out);
    case '{':
        return take_hash(reading, depth, out);
    case 'f':
        return take_float(reading, out);
    case 'l':
        return take_big(reading, out);
    case '@':
        return take_link(reading, out);
    default:
        return fail(reading);
    }
}

static bool take_value(struct reading *reading, unsigned depth, struct value *out)
{
    if (depth > MARSHAL_DEPTH_MAX || reading->failed)
        return fail(reading);
    unsigned char type = take_byte(reading);
    return !reading->failed && take_typed(reading, type, depth, out);
}

bool marshal_read(struct arena *arena, struct str bytes, struct value *out)
{
    struct reading reading = {.arena = arena, .rest = bytes};
    if (take_byte(&reading) != 4 || take_byte(&reading) > 8 || reading.failed)
        return false;
    return take_value(&reading, 0, out) && reading.rest.len == 0;
}
