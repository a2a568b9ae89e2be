/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/msgpack/msgpack_value.h"

#include <assert.h>

#include "base/text/utf8.h"

/* ---- reading -------------------------------------------------------------------------------------- */

enum { UNSIGNED_TEXT_MAX = 24 };

static uint64_t big_endian(const char *at, size_t len)
{
    uint64_t number = 0;
    assert(len <= 8);
    for (size_t i = 0; i < len; i++)
        number = number << 8 | (unsigned char)at[i];
    return number;
}

/* A token whose head (the type byte and `width` more) says its size. */
struct head {
    struct str bytes; /* behind the type byte */
    uint64_t number;  /* big endian, of `width` bytes */
    size_t width;
};

static bool take_head(struct str bytes, size_t width, struct head *out)
{
    if (bytes.len < 1 + width)
        return false;
    *out =
        (struct head){str_from_offset(bytes, 1 + width), big_endian(bytes.ptr + 1, width), width};
    return true;
}

/* What stands behind the head: `len` bytes. */
static enum msgpack_result take_bytes(struct str *bytes, struct str rest, uint64_t len,
                                      struct msgpack_token *out)
{
    if (rest.len < len)
        return MSGPACK_MORE;
    out->bytes = str_make(rest.ptr, (size_t)len);
    *bytes = str_from_offset(rest, (size_t)len);
    return MSGPACK_DONE;
}

static enum msgpack_result take_scalar(struct str *bytes, struct str rest, struct value value,
                                       struct msgpack_token *out)
{
    out->kind = MSGPACK_SCALAR;
    out->scalar = value;
    *bytes = rest;
    return MSGPACK_DONE;
}

static enum msgpack_result take_counted(struct str *bytes, struct str rest, uint64_t count,
                                        struct msgpack_token *out)
{
    out->count = (uint32_t)count;
    *bytes = rest;
    return MSGPACK_DONE;
}

static struct value float_of(uint64_t bits, size_t width)
{
    double real;
    float small;
    uint32_t small_bits = (uint32_t)bits;
    static_assert(sizeof real == sizeof bits && sizeof small == sizeof small_bits, "IEEE 754");
    if (width == sizeof real) {
        memcpy(&real, &bits, sizeof real);
        return value_float(real);
    }
    memcpy(&small, &small_bits, sizeof small);
    return value_float((double)small);
}

static int64_t sign_extended(uint64_t number, size_t width)
{
    unsigned shift = (unsigned)(64 - 8 * width);
    return (int64_t)(number << shift) >> shift;
}

/* 0xca..0xd3. An unsigned number beyond 63 bits stays in `bytes` for the reader, which has an arena for its digits. */
static enum msgpack_result next_number(struct str *bytes, unsigned type, struct msgpack_token *out)
{
    static const unsigned char WIDTHS[] = {4, 8, 1, 2, 4, 8, 1, 2, 4, 8};
    struct head head;
    if (!take_head(*bytes, WIDTHS[type - 0xca], &head))
        return MSGPACK_MORE;
    if (type <= 0xcb)
        return take_scalar(bytes, head.bytes, float_of(head.number, head.width), out);
    if (type >= 0xd0)
        return take_scalar(bytes, head.bytes, value_int(sign_extended(head.number, head.width)),
                           out);
    out->bytes = str_make(bytes->ptr + 1, head.number > INT64_MAX ? head.width : 0);
    return take_scalar(bytes, head.bytes, value_int((int64_t)(head.number & INT64_MAX)), out);
}

/* 0xc7..0xc9 with a length before the type, 0xd4..0xd8 of fixed length. */
static enum msgpack_result next_ext(struct str *bytes, unsigned type, struct msgpack_token *out)
{
    struct head head;
    bool fixed = type >= 0xd4;
    size_t width = fixed ? 0 : (size_t)1 << (type - 0xc7);
    if (!take_head(*bytes, width, &head) || head.bytes.len < 1)
        return MSGPACK_MORE;
    uint64_t len = fixed ? (uint64_t)1 << (type - 0xd4) : head.number;
    out->kind = MSGPACK_EXT;
    out->ext_type = (int8_t)head.bytes.ptr[0];
    return take_bytes(bytes, str_from_offset(head.bytes, 1), len, out);
}

/* A type byte, then a length or count of 1, 2 or 4 bytes, then what it counts. */
static enum msgpack_result next_sized(struct str *bytes, unsigned type, struct msgpack_token *out)
{
    static const struct {
        unsigned char first, last, width; /* width of the first; each next one is twice as wide */
        enum msgpack_kind kind;
    } ROWS[] = {{0xc4, 0xc6, 1, MSGPACK_BYTES},
                {0xd9, 0xdb, 1, MSGPACK_TEXT},
                {0xdc, 0xdd, 2, MSGPACK_ARRAY},
                {0xde, 0xdf, 2, MSGPACK_MAP}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct head head;
        if (type < ROWS[i].first || type > ROWS[i].last)
            continue;
        if (!take_head(*bytes, (size_t)ROWS[i].width << (type - ROWS[i].first), &head))
            return MSGPACK_MORE;
        out->kind = ROWS[i].kind;
        if (out->kind == MSGPACK_ARRAY || out->kind == MSGPACK_MAP)
            return take_counted(bytes, head.bytes, head.number, out);
        return take_bytes(bytes, head.bytes, head.number, out);
    }
    return MSGPACK_BROKEN; /* 0xc1, which is never used */
}

/* The types whose byte holds the number, the length or the count as well. */
static enum msgpack_result next_short(struct str *bytes, unsigned type, struct msgpack_token *out)
{
    struct str rest = str_from_offset(*bytes, 1);
    if (type < 0x80 || type >= 0xe0)
        return take_scalar(bytes, rest, value_int(sign_extended(type, 1)), out);
    if (type >= 0xa0) {
        out->kind = MSGPACK_TEXT;
        return take_bytes(bytes, rest, type & 0x1f, out);
    }
    out->kind = type < 0x90 ? MSGPACK_MAP : MSGPACK_ARRAY;
    return take_counted(bytes, rest, type & 0x0f, out);
}

enum msgpack_result msgpack_next(struct str *bytes, struct msgpack_token *out)
{
    *out = (struct msgpack_token){.kind = MSGPACK_SCALAR};
    if (bytes->len == 0)
        return MSGPACK_MORE;
    unsigned type = (unsigned char)bytes->ptr[0];
    struct str rest = str_from_offset(*bytes, 1);
    if (type < 0xc0 || type >= 0xe0)
        return next_short(bytes, type, out);
    if (type == 0xc0)
        return take_scalar(bytes, rest, value_null(), out);
    if (type == 0xc2 || type == 0xc3)
        return take_scalar(bytes, rest, value_bool(type == 0xc3), out);
    if (type >= 0xca && type <= 0xd3)
        return next_number(bytes, type, out);
    if ((type >= 0xc7 && type <= 0xc9) || (type >= 0xd4 && type <= 0xd8))
        return next_ext(bytes, type, out);
    return next_sized(bytes, type, out);
}

static enum msgpack_result read_value(struct arena *arena, struct str *bytes, unsigned depth,
                                      struct value *out);

static enum msgpack_result read_array(struct arena *arena, struct str *bytes, uint32_t count,
                                      unsigned depth, struct value *out)
{
    if (count > bytes->len) /* an item takes at least a byte */
        return MSGPACK_MORE;
    *out = value_array_new(arena, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct value item;
        enum msgpack_result result = read_value(arena, bytes, depth + 1, &item);
        if (result != MSGPACK_DONE)
            return result;
        value_array_push(arena, out, item);
    }
    return MSGPACK_DONE;
}

/* A list or a map as a key would be its JSON text: as the key of a key of a key it would double with each. */
static bool is_key(const struct value *value)
{
    return value_type(value) != VALUE_ARRAY && value_type(value) != VALUE_OBJECT;
}

static enum msgpack_result read_map(struct arena *arena, struct str *bytes, uint32_t count,
                                    unsigned depth, struct value *out)
{
    if (count > bytes->len / 2)
        return MSGPACK_MORE;
    *out = value_object_new(arena, 0);
    for (uint32_t i = 0; i < count; i++) {
        struct value key, item;
        enum msgpack_result result = read_value(arena, bytes, depth + 1, &key);
        if (result == MSGPACK_DONE)
            result = read_value(arena, bytes, depth + 1, &item);
        if (result != MSGPACK_DONE)
            return result;
        if (!is_key(&key))
            return MSGPACK_BROKEN;
        value_object_set(arena, out, value_to_text(arena, &key), item);
    }
    return MSGPACK_DONE;
}

static enum msgpack_result read_value(struct arena *arena, struct str *bytes, unsigned depth,
                                      struct value *out)
{
    struct msgpack_token token;
    if (depth > MSGPACK_MAX_DEPTH)
        return MSGPACK_BROKEN;
    enum msgpack_result result = msgpack_next(bytes, &token);
    if (result != MSGPACK_DONE)
        return result;
    switch (token.kind) {
    case MSGPACK_SCALAR:
        *out = token.scalar;
        if (token.bytes.len > 0)
            *out = value_big_int(arena_printf(
                arena, "%llu", (unsigned long long)big_endian(token.bytes.ptr, token.bytes.len)));
        return MSGPACK_DONE;
    case MSGPACK_TEXT:
        *out = value_str(utf8_repair(arena, token.bytes));
        return MSGPACK_DONE;
    case MSGPACK_BYTES:
        *out = value_str(utf8_or_octets(arena, token.bytes));
        return MSGPACK_DONE;
    case MSGPACK_ARRAY:
        return read_array(arena, bytes, token.count, depth, out);
    case MSGPACK_MAP:
        return read_map(arena, bytes, token.count, depth, out);
    case MSGPACK_EXT:
        *out = value_null();
        return MSGPACK_DONE;
    }
    return MSGPACK_BROKEN;
}

enum msgpack_result msgpack_read(struct arena *arena, struct str *bytes, struct value *out)
{
    struct str rest = *bytes;
    enum msgpack_result result = read_value(arena, &rest, 0, out);
    if (result == MSGPACK_DONE)
        *bytes = rest;
    return result;
}

/* ---- writing -------------------------------------------------------------------------------------- */

static bool write_number(unsigned type, uint64_t number, size_t width, struct buf *out)
{
    char bytes[9] = {(char)type};
    assert(width < sizeof bytes);
    for (size_t i = 0; i < width; i++)
        bytes[1 + i] = (char)(number >> 8 * (width - 1 - i));
    return buf_append(out, bytes, 1 + width);
}

/* A count in its shortest form: in the type byte below `small_max`, else of 1 (when there is such a type), 2 or 4 bytes. */
static bool write_count(uint32_t count, unsigned small, uint32_t small_max, unsigned wide,
                        struct buf *out)
{
    if (count < small_max)
        return write_number(small | count, 0, 0, out);
    return count <= UINT16_MAX ? write_number(wide, count, 2, out)
                               : write_number(wide + 1, count, 4, out);
}

bool msgpack_write_array(uint32_t count, struct buf *out)
{
    return write_count(count, 0x90, 16, 0xdc, out);
}

bool msgpack_write_map(uint32_t count, struct buf *out)
{
    return write_count(count, 0x80, 16, 0xde, out);
}

bool msgpack_write_text(struct str text, struct buf *out)
{
    uint32_t len = (uint32_t)text.len;
    assert(text.len <= UINT32_MAX);
    bool head = len >= 32 && len <= UINT8_MAX ? write_number(0xd9, len, 1, out)
                                              : write_count(len, 0xa0, 32, 0xda, out);
    return head && buf_append_str(out, text);
}

static bool write_int(int64_t number, struct buf *out)
{
    if (number >= -32 && number < 128)
        return write_number((unsigned)number & 0xff, 0, 0, out);
    static const unsigned char WIDTHS[] = {1, 2, 4, 8};
    for (unsigned i = 0; i < sizeof WIDTHS; i++) {
        unsigned bits = 8 * WIDTHS[i];
        if (number >= 0 && (bits == 64 || (uint64_t)number < (uint64_t)1 << bits))
            return write_number(0xcc + i, (uint64_t)number, WIDTHS[i], out);
        if (number < 0 && (bits == 64 || number >= -((int64_t)1 << (bits - 1))))
            return write_number(0xd0 + i, (uint64_t)number, WIDTHS[i], out);
    }
    return false;
}

/* As a number where it fits into 64 bits without a sign, else as its digits. */
static bool write_big_int(struct str digits, struct buf *out)
{
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        unsigned digit = (unsigned)(digits.ptr[i] - '0'); /* of a '-' more than 9 */
        if (digit > 9 || number > (UINT64_MAX - digit) / 10)
            return msgpack_write_text(digits, out);
        number = number * 10 + digit;
    }
    return write_number(0xcf, number, sizeof number, out);
}

static bool write_float(double real, struct buf *out)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    return write_number(0xcb, bits, sizeof bits, out);
}

static bool write_array(const struct value *array, struct buf *out)
{
    bool fits = msgpack_write_array((uint32_t)value_array_count(array), out);
    for (size_t i = 0; i < value_array_count(array) && fits; i++)
        fits = msgpack_write(value_array_at(array, i), out);
    return fits;
}

static bool write_object(const struct value *object, struct buf *out)
{
    bool fits = msgpack_write_map((uint32_t)value_object_count(object), out);
    for (size_t i = 0; i < value_object_count(object) && fits; i++) {
        struct str key;
        const struct value *item = value_object_at(object, i, &key);
        fits = msgpack_write_text(key, out) && msgpack_write(item, out);
    }
    return fits;
}

bool msgpack_write(const struct value *value, struct buf *out)
{
    char text[INSTANT_TEXT_MAX];
    switch (value_type(value)) {
    case VALUE_NULL:
        return write_number(0xc0, 0, 0, out);
    case VALUE_BOOL:
        return write_number(value_as_bool(value) ? 0xc3 : 0xc2, 0, 0, out);
    case VALUE_INT:
        return write_int(value_as_int(value), out);
    case VALUE_FLOAT:
        return write_float(value_as_float(value), out);
    case VALUE_BIG_INT:
        return write_big_int(value_as_str(value), out);
    case VALUE_STRING:
        return msgpack_write_text(value_as_str(value), out);
    case VALUE_TIMESTAMP:
        return msgpack_write_text(str_make(text, instant_format(value_as_instant(value), text)),
                                  out);
    case VALUE_ARRAY:
        return write_array(value, out);
    case VALUE_OBJECT:
        return write_object(value, out);
    }
    return false;
}

bool msgpack_write_event(const struct event *event, struct buf *out)
{
    return write_object(&event->fields, out);
}
