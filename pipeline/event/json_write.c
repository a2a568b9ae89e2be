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

static inline char *copy(char *to, const char *from, size_t len)
{
    if (len <= BLOCK) {
        copy_short(to, from, len);
    } else if (len <= 2 * BLOCK) {
        struct block first = block_load(from), last = block_load(from + len - BLOCK);
        block_store(to, first);
        block_store(to + len - BLOCK, last);
    } else {
        memcpy(to, from, len);
    }
    return to + len;
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

/* How many bytes stand before the first one that needs an escape; these are copied, and there is room for all. */
static inline size_t copy_clean(char *to, const char *from, size_t len)
{
    if (len < BLOCK) {
        size_t at = 0;
        if (!block_any(block_escapes(block_of_text(from, len)))) {
            copy_short(to, from, len);
            return len;
        }
        for (; !byte_needs_escape((unsigned char)from[at]); at++)
            to[at] = from[at];
        return at;
    }
    for (size_t at = 0;;) {
        struct block block = block_load(from + at);
        struct block_set escapes = block_escapes(block);
        block_store(to + at, block);
        if (block_any(escapes))
            return at + block_first(escapes);
        if (at + BLOCK == len)
            return len;
        at = at + 2 * BLOCK <= len ? at + BLOCK : len - BLOCK;
    }
}

/* The text without quotes. There is room for it as it is, and will be for `behind` more bytes afterwards. */
static inline char *put_text(struct writer *writer, char *at, struct str text, size_t behind)
{
    for (const char *from = text.ptr, *end = from + text.len;;) {
        size_t clean = copy_clean(at, from, (size_t)(end - from));
        at += clean;
        from += clean;
        if (from == end)
            return at;
        at = room(writer, at, ESCAPE_MAX + (size_t)(end - from) - 1 + behind);
        if (!at)
            return NULL;
        at += escape((unsigned char)*from++, at);
    }
}

/* The text between quotes, when the room for it and for `behind` more bytes was asked for. */
static inline char *put_quoted(struct writer *writer, char *at, struct str text, size_t behind)
{
    *at++ = '"';
    at = put_text(writer, at, text, 1 + behind);
    if (at)
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

/* Has a text that is at most two blocks long nothing that needs an escape? */
static inline bool is_clean(const char *text, size_t len)
{
    if (len <= BLOCK)
        return !block_any(block_escapes(block_of_text(text, len)));
    return !block_any(block_union(block_escapes(block_load(text)),
                                  block_escapes(block_load(text + len - BLOCK))));
}

static char *put_any_string(struct writer *writer, char *at, const struct value *value)
{
    return value->flags == VALUE_HAS_JSON
               ? put_json(writer, at, value_json(value))
               : put_str(writer, at, str_make(value->as.text, value->extra));
}

/* There is room for the text and its quotes. */
static inline char *put_string(struct writer *writer, char *at, const struct value *value)
{
    const char *text = value->as.text;
    size_t len = value->extra;
    if (value->flags != VALUE_IS_PLAIN &&
        (value->flags == VALUE_HAS_JSON || len > 2 * BLOCK || !is_clean(text, len)))
        return put_any_string(writer, at, value);
    *at++ = '"';
    at = copy(at, text, len);
    *at++ = '"';
    return at;
}

/* ---- values ---- */

static char *put_value(struct writer *writer, char *at, const struct value *value);
static char *put_object(struct writer *writer, char *at, const struct object *object);

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

/* Where the value ends in its document, when it stands there right behind its key and is written as it stands there. NULL
 * when not. The key is not odd. */
static inline const char *end_in_document(const struct object_entry *entry)
{
    const struct value *value = &entry->value;
    const char *behind = entry->key.ptr + entry->key.len;
    if (value->type == VALUE_STRING)
        return value->flags == VALUE_IS_PLAIN && value->as.text == behind + 3 &&
                       memcmp(behind, "\":\"", 3) == 0
                   ? value->as.text + value->extra + 1
                   : NULL;
    if (value->type < VALUE_ARRAY)
        return NULL;
    const struct span *span = container_span(value);
    return span_is_good(span) && span->text == behind + 2 && memcmp(behind, "\":", 2) == 0
               ? span->text + span->len
               : NULL;
}

/* A brace or comma, a key that is not odd, a colon. There is room. */
static inline char *put_plain_key(char *at, char before, const struct object_key *key)
{
    *at++ = before;
    *at++ = '"';
    at = copy(at, key->ptr, key->len);
    memcpy(at, "\":", 2);
    return at + 2;
}

/* A member whose key is not odd. */
static inline char *put_member(struct writer *writer, char *at, char before,
                               const struct object_entry *entry)
{
    const struct value *value = &entry->value;
    size_t size = (size_t)entry->key.len + 4;
    if (value->type == VALUE_STRING) {
        at = room(writer, at, size + value->extra + 2);
        return at ? put_string(writer, put_plain_key(at, before, &entry->key), value) : NULL;
    }
    at = room(writer, at, size);
    if (!at)
        return NULL;
    at = put_plain_key(at, before, &entry->key);
    return value->type == VALUE_OBJECT ? put_object(writer, at, value->as.object)
                                       : put_value(writer, at, value);
}

/* Returned in registers. */
struct written {
    char *at;
    const struct object_entry *next; /* the first entry that was not written */
};

/* Writes the entries from this one on that stand behind one another in their document, where the first one ends at `behind`. */
static __attribute__((noinline)) struct written put_unchanged(struct writer *writer, char *at,
                                                              const struct object_entry *entry,
                                                              const struct object_entry *end,
                                                              const char *behind)
{
    const char *start = entry->key.ptr;
    while (++entry < end && entry->key.ptr == behind + 2 && memcmp(behind, ",\"", 2) == 0) {
        const char *next = end_in_document(entry);
        if (!next)
            break;
        behind = next;
    }
    size_t len = (size_t)(behind - start);
    at = room(writer, at, len);
    return (struct written){at ? copy(at, start, len) : NULL, entry};
}

/* Of any keys, and maybe none. */
static char *put_any_object(struct writer *writer, char *at, const struct object *object)
{
    const struct object_entry *end = object->entries + object->used;
    char before = '{';
    if (object->live == 0)
        return put(writer, at, "{}", 2);
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
    return at ? put(writer, at, "}", 1) : NULL;
}

/* An object without odd keys: what nobody changed since it was read is copied in one. */
static char *put_object(struct writer *writer, char *at, const struct object *object)
{
    if (span_is_good(object->span))
        return put_span(writer, at, object->span);
    if (object->has_odd_keys || object->live != object->used || object->live == 0)
        return put_any_object(writer, at, object);
    const struct object_entry *entry = object->entries, *end = entry + object->used;
    for (char before = '{'; entry < end; before = ',') {
        const char *behind = end_in_document(entry);
        if (!behind) {
            at = put_member(writer, at, before, entry++);
        } else {
            at = room(writer, at, 2);
            if (!at)
                return NULL;
            *at++ = before;
            *at++ = '"';
            struct written written = put_unchanged(writer, at, entry, end, behind);
            at = written.at;
            entry = written.next;
        }
        if (!at)
            return NULL;
    }
    return put(writer, at, "}", 1);
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
    char text[INSTANT_TEXT_MAX + 2], *to = text;
    bool fits = (size_t)(writer->end - at) >= sizeof text;
    if (fits)
        to = at;
    size_t len = instant_format(instant, to + 1);
    to[0] = to[len + 1] = '"';
    return fits ? at + len + 2 : put(writer, at, text, len + 2);
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
