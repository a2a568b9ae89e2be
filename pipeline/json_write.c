/* SPDX-License-Identifier: Apache-2.0
 *
 * Values to JSON. Text is copied 16 bytes at a time while none of them needs an escape; the last block of a
 * string overlaps the one before it, so nothing is read or written past an end. The writer keeps its place
 * in registers and gives it back to the buf at the end.
 */
#include <assert.h>
#include <emmintrin.h>
#include <math.h>

#include "base/mem.h"
#include "pipeline/event_json.h"
#include "pipeline/value_store.h"

enum { ESCAPE_MAX = 6 /* \u001F */, SCALAR_TEXT_MAX = 64, BLOCK = 16 };

struct writer {
    char *at;
    char *end; /* of the buf's capacity */
    struct buf *buf;
};

static void writer_open(struct writer *writer, struct buf *buf)
{
    *writer = (struct writer){.buf = buf};
    if (buf->ptr) {
        writer->at = buf->ptr + buf->len;
        writer->end = buf->ptr + buf->capacity;
    }
}

static void writer_close(struct writer *writer)
{
    if (writer->at)
        writer->buf->len = (size_t)(writer->at - writer->buf->ptr);
}

static bool reserve_slow(struct writer *writer, size_t size)
{
    writer_close(writer);
    if (!buf_reserve(writer->buf, size))
        return false;
    writer_open(writer, writer->buf);
    return true;
}

static inline bool reserve(struct writer *writer, size_t size)
{
    return (size_t)(writer->end - writer->at) >= size || reserve_slow(writer, size);
}

static inline bool put(struct writer *writer, const char *text, size_t len)
{
    if (!reserve(writer, len))
        return false;
    memcpy(writer->at, text, len);
    writer->at += len;
    return true;
}

/* ---- strings ---- */

static inline bool needs_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

/* One bit for each byte of the block that needs an escape. */
static inline unsigned escape_mask(__m128i block)
{
    __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
    __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)));
}

/* Copies up to the first byte that needs an escape and returns how many were copied. There is room for all. */
static inline size_t copy_clean_short(char *out, const char *text, size_t len)
{
    if (len >= 8) {
        uint64_t head, tail;
        memcpy(&head, text, 8);
        memcpy(&tail, text + len - 8, 8);
        if (escape_mask(_mm_set_epi64x((long long)tail, (long long)head)) == 0) {
            memcpy(out, &head, 8);
            memcpy(out + len - 8, &tail, 8);
            return len;
        }
    } else if (len >= 4) {
        uint32_t head, tail;
        memcpy(&head, text, 4);
        memcpy(&tail, text + len - 4, 4);
        long long both = (long long)(head | (uint64_t)tail << 32);
        if (escape_mask(_mm_set_epi64x(0x2020202020202020, both)) == 0) {
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
        __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(text + at));
        unsigned mask = escape_mask(block);
        _mm_storeu_si128((__m128i *)(void *)(out + at), block);
        if (mask)
            return at + (size_t)__builtin_ctz(mask);
        if (at + BLOCK == len)
            return len;
        at = at + 2 * BLOCK <= len ? at + BLOCK : len - BLOCK;
    }
}

static size_t escape(unsigned char byte, char out[ESCAPE_MAX])
{
    static const char SHORT[] = "\b\t\n\f\r\"\\", LETTERS[] = "btnfr\"\\",
                      HEX[] = "0123456789ABCDEF";
    const char *found = byte ? strchr(SHORT, byte) : NULL;
    out[0] = '\\';
    if (found) {
        out[1] = LETTERS[found - SHORT];
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = HEX[byte >> 4];
    out[5] = HEX[byte & 15];
    return ESCAPE_MAX;
}

static bool put_str(struct writer *writer, struct str text)
{
    if (!reserve(writer, text.len + 2))
        return false;
    *writer->at++ = '"';
    for (size_t done = 0; done < text.len;) {
        size_t clean = copy_clean(writer->at, text.ptr + done, text.len - done);
        writer->at += clean;
        done += clean;
        if (done == text.len)
            break;
        if (!reserve(writer, ESCAPE_MAX + text.len - done + 1))
            return false;
        writer->at += escape((unsigned char)text.ptr[done++], writer->at);
    }
    *writer->at++ = '"';
    return true;
}

/* ---- values ---- */

static bool put_value(struct writer *writer, const struct value *value);

static bool put_array(struct writer *writer, const struct array *array)
{
    if (array->count == 0)
        return put(writer, "[]", 2);
    for (uint32_t i = 0; i < array->count; i++)
        if (!put(writer, i == 0 ? "[" : ",", 1) || !put_value(writer, &array->items[i]))
            return false;
    return put(writer, "]", 1);
}

static bool put_object(struct writer *writer, const struct object *object)
{
    if (object->live == 0)
        return put(writer, "{}", 2);
    char before = '{';
    for (uint32_t i = 0; i < object->used; i++) {
        const struct object_entry *entry = &object->entries[i];
        if (object_entry_is_dead(entry))
            continue;
        if (!put(writer, &before, 1) || !put_str(writer, entry->key) || !put(writer, ":", 1) ||
            !put_value(writer, &entry->value))
            return false;
        before = ',';
    }
    return put(writer, "}", 1);
}

/* JSON has no word for them; Logstash writes them as strings. */
static bool put_float(struct writer *writer, double real)
{
    char text[FLOAT_TEXT_MAX];
    size_t len = float_format(real, text);
    return isfinite(real) ? put(writer, text, len) : put_str(writer, str_make(text, len));
}

static bool put_timestamp(struct writer *writer, struct instant at)
{
    char text[INSTANT_TEXT_MAX + 2];
    size_t len = instant_format(at, text + 1);
    text[0] = text[len + 1] = '"';
    return put(writer, text, len + 2);
}

static bool put_int(struct writer *writer, int64_t integer)
{
    char text[INT_TEXT_MAX];
    if ((size_t)(writer->end - writer->at) < INT_TEXT_MAX)
        return put(writer, text, int_format(integer, text));
    writer->at += int_format(integer, writer->at);
    return true;
}

static bool put_value(struct writer *writer, const struct value *value)
{
    switch (value_type(value)) {
    case VALUE_NULL:
        return put(writer, "null", 4);
    case VALUE_BOOL:
        return value->as.boolean ? put(writer, "true", 4) : put(writer, "false", 5);
    case VALUE_INT:
        return put_int(writer, value->as.integer);
    case VALUE_FLOAT:
        return put_float(writer, value->as.real);
    case VALUE_TIMESTAMP:
        return put_timestamp(writer, value_as_instant(value));
    case VALUE_BIG_INT:
        return put(writer, value->as.text, value->extra);
    case VALUE_STRING:
        return put_str(writer, value_as_str(value));
    case VALUE_ARRAY:
        return put_array(writer, value->as.array);
    case VALUE_OBJECT:
        return put_object(writer, value->as.object);
    }
    mem_abort("value of an unknown type");
}

bool json_encode_value(const struct value *value, struct buf *out)
{
    struct writer writer;
    writer_open(&writer, out);
    bool fits = put_value(&writer, value);
    writer_close(&writer);
    return fits;
}

bool json_encode_str(struct str text, struct buf *out)
{
    struct writer writer;
    writer_open(&writer, out);
    bool fits = put_str(&writer, text);
    writer_close(&writer);
    return fits;
}

bool json_encode_event(const struct event *event, struct buf *out)
{
    return json_encode_value(&event->fields, out);
}
