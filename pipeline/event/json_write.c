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
    /* The last text that was written with escapes, which an event often has twice (message and event.original), and where
     * its JSON is in the buf. */
    struct str escaped;
    size_t json_at, json_len;
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
    for (; at < len && !byte_needs_escape((unsigned char)text[at]); at++)
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

static char *put_again(struct writer *writer, char *at)
{
    at = room(writer, at, writer->json_len);
    if (at)
        at = (char *)memcpy(at, writer->buf->ptr + writer->json_at, writer->json_len) +
             writer->json_len;
    return at;
}

static __attribute__((noinline)) char *put_str(struct writer *writer, char *at, struct str text)
{
    if (text.ptr == writer->escaped.ptr && text.len == writer->escaped.len && text.len > 0)
        return put_again(writer, at);
    at = room(writer, at, text.len + 2);
    if (!at)
        return NULL;
    size_t start = (size_t)(at - writer->buf->ptr);
    at = put_quoted(writer, at, text, 0);
    if (at && (size_t)(at - writer->buf->ptr) - start != text.len + 2) {
        writer->escaped = text;
        writer->json_at = start;
        writer->json_len = (size_t)(at - writer->buf->ptr) - start;
    }
    return at;
}

static inline char *copy(char *to, const char *from, size_t len)
{
    uint64_t head, tail;
    if (len >= 8 && len <= BLOCK) {
        memcpy(&head, from, 8);
        memcpy(&tail, from + len - 8, 8);
        memcpy(to, &head, 8);
        memcpy(to + len - 8, &tail, 8);
    } else if (len > BLOCK && len <= 2 * BLOCK) {
        struct block first = block_load(from), last = block_load(from + len - BLOCK);
        block_store(to, first);
        block_store(to + len - BLOCK, last);
    } else if (len >= 4 && len < 8) {
        uint32_t start, end;
        memcpy(&start, from, 4);
        memcpy(&end, from + len - 4, 4);
        memcpy(to, &start, 4);
        memcpy(to + len - 4, &end, 4);
    } else {
        memcpy(to, from, len);
    }
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

/* Copies what is at most two blocks long; false, and something is written, when it needs an escape. */
static inline bool copy_if_clean(char *to, const char *from, size_t len)
{
    if (len <= BLOCK)
        return copy_clean_short(to, from, len) == len;
    struct block first = block_load(from), last = block_load(from + len - BLOCK);
    block_store(to, first);
    block_store(to + len - BLOCK, last);
    return !block_any(block_escapes(first)) && !block_any(block_escapes(last));
}

/* There is room for the text and its quotes. */
static inline char *put_string(struct writer *writer, char *at, const struct value *value)
{
    struct str text = value_as_str(value);
    if (value->flags == VALUE_HAS_JSON)
        return put_json(writer, at, value_json(value));
    if (value->flags != VALUE_IS_PLAIN) {
        if (text.len > 2 * BLOCK || !copy_if_clean(at + 1, text.ptr, text.len))
            return put_str(writer, at, text);
    } else {
        copy(at + 1, text.ptr, text.len);
    }
    *at = '"';
    at += text.len + 1;
    *at++ = '"';
    return at;
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

/* The key in quotes, a colon. */
static char *put_key(struct writer *writer, char *at, struct str key)
{
    at = room(writer, at, key.len + 3);
    if (at)
        at = put_quoted(writer, at, key, 1);
    if (at)
        *at++ = ':';
    return at;
}

/* A brace or comma, a key that is not odd, the value. */
static inline char *put_member(struct writer *writer, char *at, char before,
                               const struct object_entry *entry)
{
    const struct value *value = &entry->value;
    bool is_string = value->type == VALUE_STRING;
    at = room(writer, at, entry->key.len + 4 + (is_string ? (size_t)value->extra + 2 : 0));
    if (!at)
        return NULL;
    *at++ = before;
    *at++ = '"';
    at = copy(at, entry->key.ptr, entry->key.len);
    *at++ = '"';
    *at++ = ':';
    return is_string ? put_string(writer, at, value) : put_value(writer, at, value);
}

/* Where the value ends in its document, when it stands there right behind its key and is written as it stands there. NULL
 * when not. The key is not odd. */
static inline const char *end_in_document(const struct object_entry *entry)
{
    const char *behind = entry->key.ptr + entry->key.len;
    const struct value *value = &entry->value;
    if (value->type == VALUE_STRING && value->flags == VALUE_IS_PLAIN)
        return value->as.text == behind + 3 && memcmp(behind, "\":\"", 3) == 0
                   ? value->as.text + value->extra + 1
                   : NULL;
    if (value->type != VALUE_ARRAY && value->type != VALUE_OBJECT)
        return NULL;
    const struct span *span = container_span(value);
    return span_is_good(span) && span->text == behind + 2 && memcmp(behind, "\":", 2) == 0
               ? span->text + span->len
               : NULL;
}

/* How many entries from this one on stand behind one another in their document as they are to be written; *end is where they
 * end there. */
static inline size_t count_unchanged(const struct object_entry *entry, size_t left,
                                     const char **end)
{
    size_t count = 0;
    for (const char *next = end_in_document(entry); next; next = end_in_document(&entry[count])) {
        *end = next;
        count++;
        if (count == left || entry[count].key.ptr != next + 2 || memcmp(next, ",\"", 2) != 0)
            break;
    }
    return count;
}

/* An object without odd keys: what nobody changed since it was read is copied in one. */
static char *put_entries(struct writer *writer, char *at, const struct object *object)
{
    const struct object_entry *end = object->entries + object->used;
    char before = '{';
    for (const struct object_entry *entry = object->entries; at && entry < end;) {
        const char *behind = NULL;
        size_t unchanged = count_unchanged(entry, (size_t)(end - entry), &behind);
        if (unchanged == 0) {
            at = put_member(writer, at, before, entry++);
        } else {
            at = room(writer, at, 2 + (size_t)(behind - entry->key.ptr));
            if (!at)
                return NULL;
            *at++ = before;
            *at++ = '"';
            at = copy(at, entry->key.ptr, (size_t)(behind - entry->key.ptr));
            entry += unchanged;
        }
        before = ',';
    }
    return at;
}

static char *put_odd_entries(struct writer *writer, char *at, const struct object *object)
{
    const struct object_entry *end = object->entries + object->used;
    char before = '{';
    for (const struct object_entry *entry = object->entries; at && entry < end; entry++) {
        if (object_entry_is_dead(entry))
            continue;
        at = put(writer, at, &before, 1);
        if (at)
            at = put_key(writer, at, object_key_text(entry));
        if (at)
            at = put_value(writer, at, &entry->value);
        before = ',';
    }
    return at;
}

static char *put_object(struct writer *writer, char *at, const struct object *object)
{
    if (span_is_good(object->span))
        return put_span(writer, at, object->span);
    if (object->live == 0)
        return put(writer, at, "{}", 2);
    bool all_plain = !object->has_odd_keys && object->live == object->used;
    at = all_plain ? put_entries(writer, at, object) : put_odd_entries(writer, at, object);
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
        at = room(writer, at, (size_t)value->extra + 2);
        return at ? put_string(writer, at, value) : NULL;
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
