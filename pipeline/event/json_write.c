/* SPDX-License-Identifier: Apache-2.0
 *
 * Values to JSON. Text is copied 16 bytes at a time while none of them needs an escape; the last block of a
 * string overlaps the one before it, so nothing is read or written past an end. The place to write is handed from
 * function to function, so that it stays in a register; NULL means that the buf is at its maximum.
 */
#include <assert.h>
#include <math.h>

#include "base/mem.h"
#include "base/text/block.h"
#include "pipeline/event/event_json.h"
#include "pipeline/event/value_store.h"

enum { ESCAPE_MAX = 6 /* \u001F */ };

struct writer {
    struct buf *buf;
    char *end; /* of the buf's capacity */
};

static char *room_slow(struct writer *writer, char *at, size_t size)
{
    struct buf *buf = writer->buf;
    if (at)
        buf->len = (size_t)(at - buf->ptr);
    if (!buf_reserve(buf, size))
        return NULL;
    writer->end = buf->ptr + buf->capacity;
    return buf->ptr + buf->len;
}

/* Where to write so that `size` bytes fit. */
static inline char *room(struct writer *writer, char *at, size_t size)
{
    return __builtin_expect((size_t)(writer->end - at) >= size, 1) ? at
                                                                   : room_slow(writer, at, size);
}

static inline char *put(struct writer *writer, char *at, const char *text, size_t len)
{
    at = room(writer, at, len);
    if (at)
        at = (char *)memcpy(at, text, len) + len;
    return at;
}

/* ---- strings ---- */

static const uint64_t BLANKS = UINT64_C(0x2020202020202020);

static inline bool needs_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

/* Copies up to the first byte that needs an escape and returns how many were copied. There is room for all. */
static inline size_t copy_clean_short(char *out, const char *text, size_t len)
{
    if (len >= 8) {
        uint64_t head, tail;
        memcpy(&head, text, 8);
        memcpy(&tail, text + len - 8, 8);
        if (!block_any(block_escapes(block_of(head, tail)))) {
            memcpy(out, &head, 8);
            memcpy(out + len - 8, &tail, 8);
            return len;
        }
    } else if (len >= 4) {
        uint32_t head, tail;
        memcpy(&head, text, 4);
        memcpy(&tail, text + len - 4, 4);
        uint64_t both = head | (uint64_t)tail << 32;
        if (!block_any(block_escapes(block_of(both, BLANKS)))) {
            memcpy(out, &head, 4);
            memcpy(out + len - 4, &tail, 4);
            return len;
        }
    }
    size_t at = 0;
    for (; at < len && !needs_escape((unsigned char)text[at]); at++)
        out[at] = text[at];
    return at;
}

static inline size_t copy_clean(char *out, const char *text, size_t len)
{
    if (len < BLOCK)
        return copy_clean_short(out, text, len);
    for (size_t at = 0;;) {
        struct block block = block_load(text + at);
        struct block_set escapes = block_escapes(block);
        block_store(out + at, block);
        if (block_any(escapes))
            return at + block_first(escapes);
        if (at + BLOCK == len)
            return len;
        at = at + 2 * BLOCK <= len ? at + BLOCK : len - BLOCK;
    }
}

static size_t escape(unsigned char byte, char out[ESCAPE_MAX])
{
    static const char HEX[] = "0123456789ABCDEF";
    static const char LETTERS[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    char letter = byte < sizeof LETTERS ? LETTERS[byte] : (char)byte;
    out[0] = '\\';
    if (letter) {
        out[1] = letter;
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = HEX[byte >> 4];
    out[5] = HEX[byte & 15];
    return ESCAPE_MAX;
}

/* Text of which the next byte needs an escape. There is room for `behind` more bytes afterwards. */
static char *put_escaped(struct writer *writer, char *at, struct str text, size_t behind)
{
    while (text.len > 0) {
        at = room(writer, at, ESCAPE_MAX + text.len - 1 + behind);
        if (!at)
            return NULL;
        at += escape((unsigned char)*text.ptr, at);
        text = str_from_offset(text, 1);
        size_t clean = text.len ? copy_clean(at, text.ptr, text.len) : 0;
        at += clean;
        text = str_from_offset(text, clean);
    }
    return at;
}

/* The text between quotes, when the room for it and for `behind` more bytes was asked for. */
static inline char *put_quoted(struct writer *writer, char *at, struct str text, size_t behind)
{
    *at++ = '"';
    size_t clean = copy_clean(at, text.ptr, text.len);
    at += clean;
    if (__builtin_expect(clean != text.len, 0)) {
        at = put_escaped(writer, at, str_from_offset(text, clean), 1 + behind);
        if (!at)
            return NULL;
    }
    *at++ = '"';
    return at;
}

static char *put_str(struct writer *writer, char *at, struct str text)
{
    at = room(writer, at, text.len + 2);
    return at ? put_quoted(writer, at, text, 0) : NULL;
}

static inline char *copy(char *to, const char *from, size_t len)
{
    if (len > BLOCK || len < 8)
        return (char *)memcpy(to, from, len) + len;
    uint64_t head, tail;
    memcpy(&head, from, 8);
    memcpy(&tail, from + len - 8, 8);
    memcpy(to, &head, 8);
    memcpy(to + len - 8, &tail, 8);
    return to + len;
}

/* A string that is there as JSON already. */
static inline char *put_json(struct writer *writer, char *at, struct str json)
{
    at = room(writer, at, json.len + 2);
    if (!at)
        return NULL;
    *at++ = '"';
    at = copy(at, json.ptr, json.len);
    *at++ = '"';
    return at;
}

static inline char *put_string(struct writer *writer, char *at, const struct value *value)
{
    if (__builtin_expect(value->flags == VALUE_IS_PLAIN, 1))
        return put_json(writer, at, value_as_str(value));
    if (value->flags == VALUE_HAS_JSON)
        return put_json(writer, at, value_json(value));
    return put_str(writer, at, value_as_str(value));
}

/* ---- values ---- */

static char *put_value(struct writer *writer, char *at, const struct value *value);

static char *put_span(struct writer *writer, char *at, const struct span *span)
{
    return put(writer, at, span->text, span->len);
}

static char *put_array(struct writer *writer, char *at, const struct array *array)
{
    if (span_is_good(array->span))
        return put_span(writer, at, array->span);
    if (array->count == 0)
        return put(writer, at, "[]", 2);
    for (uint32_t i = 0; at && i < array->count; i++) {
        at = put(writer, at, i == 0 ? "[" : ",", 1);
        if (at)
            at = put_value(writer, at, &array->items[i]);
    }
    return at ? put(writer, at, "]", 1) : NULL;
}

/* A brace or comma, the key in quotes, a colon. */
static inline char *put_key(struct writer *writer, char *at, char before, struct str key)
{
    at = room(writer, at, key.len + 4);
    if (!at)
        return NULL;
    *at++ = before;
    if (key.len >= 4 && key.len <= BLOCK && copy_clean_short(at + 1, key.ptr, key.len) == key.len) {
        *at = '"';
        at += key.len + 1;
        *at++ = '"';
    } else {
        at = put_quoted(writer, at, key, 1);
    }
    if (at)
        *at++ = ':';
    return at;
}

static char *put_object(struct writer *writer, char *at, const struct object *object)
{
    if (span_is_good(object->span))
        return put_span(writer, at, object->span);
    if (object->live == 0)
        return put(writer, at, "{}", 2);
    char before = '{';
    const struct object_entry *end = object->entries + object->used;
    for (const struct object_entry *entry = object->entries; at && entry < end; entry++) {
        if (object_entry_is_dead(entry))
            continue;
        at = put_key(writer, at, before, object_key_text(entry));
        if (at)
            at = put_value(writer, at, &entry->value);
        before = ',';
    }
    return at ? put(writer, at, "}", 1) : NULL;
}

/* JSON has no word for what is not finite; Logstash writes a string. */
static char *put_float(struct writer *writer, char *at, double real)
{
    char text[FLOAT_TEXT_MAX];
    size_t len = float_format(real, text);
    return isfinite(real) ? put(writer, at, text, len) : put_str(writer, at, str_make(text, len));
}

static char *put_timestamp(struct writer *writer, char *at, struct instant instant)
{
    char text[INSTANT_TEXT_MAX + 2];
    size_t len = instant_format(instant, text + 1);
    text[0] = text[len + 1] = '"';
    return put(writer, at, text, len + 2);
}

static char *put_int(struct writer *writer, char *at, int64_t integer)
{
    char text[INT_TEXT_MAX];
    if ((size_t)(writer->end - at) < INT_TEXT_MAX)
        return put(writer, at, text, int_format(integer, text));
    return at + int_format(integer, at);
}

static char *put_value(struct writer *writer, char *at, const struct value *value)
{
    switch (value_type(value)) {
    case VALUE_NULL:
        return put(writer, at, "null", 4);
    case VALUE_BOOL:
        return value->as.boolean ? put(writer, at, "true", 4) : put(writer, at, "false", 5);
    case VALUE_INT:
        return put_int(writer, at, value->as.integer);
    case VALUE_FLOAT:
        return value_is_decimal(value) ? put(writer, at, value->as.text, value->extra)
                                       : put_float(writer, at, value->as.real);
    case VALUE_TIMESTAMP:
        return put_timestamp(writer, at, value_as_instant(value));
    case VALUE_BIG_INT:
        return put(writer, at, value->as.text, value->extra);
    case VALUE_STRING:
        return put_string(writer, at, value);
    case VALUE_ARRAY:
        return put_array(writer, at, value->as.array);
    case VALUE_OBJECT:
        return put_object(writer, at, value->as.object);
    }
    mem_abort("value of an unknown type");
}

bool json_encode_value(const struct value *value, struct buf *out)
{
    struct writer writer = {.buf = out};
    char *at = room_slow(&writer, NULL, 1);
    if (at)
        at = put_value(&writer, at, value);
    if (at)
        out->len = (size_t)(at - out->ptr);
    return at != NULL;
}

bool json_encode_str(struct str text, struct buf *out)
{
    struct value value = value_str(text);
    return json_encode_value(&value, out);
}

bool json_encode_event(const struct event *event, struct buf *out)
{
    return json_encode_value(&event->fields, out);
}
