/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/event_binary.h"

#include <assert.h>

#include "base/text/utf8.h"
#include "pipeline/event/origin.h"
#include "pipeline/event/value_store.h"

/* Marks of an event. */
enum {
    MARK_ORIGIN = 1,
    MARK_SAME_ORIGIN = 2, /* the record is that of the event before */
    MARK_MADE = 4,        /* by filters, or filters made others of it */
    MARK_METADATA = 8,
    MARKS_KNOWN = 15,
};

/* Types as they are written; never renumbered. */
enum {
    WRITTEN_NULL,
    WRITTEN_FALSE,
    WRITTEN_TRUE,
    WRITTEN_INT,
    WRITTEN_FLOAT,
    WRITTEN_DECIMAL,
    WRITTEN_BIG_INT,
    WRITTEN_STRING,
    WRITTEN_TIMESTAMP,
    WRITTEN_ARRAY,
    WRITTEN_OBJECT,
};

enum { NUMBER_MAX_BYTES = 10, FIXED_BYTES = 8 };

/* ---- writing -------------------------------------------------------------------------------------- */

static size_t format_number(unsigned char *to, uint64_t number)
{
    size_t len = 0;
    for (; number >= 0x80; number >>= 7)
        to[len++] = (unsigned char)(number | 0x80);
    to[len++] = (unsigned char)number;
    return len;
}

bool binary_put_number(struct buf *out, uint64_t number)
{
    if (!buf_reserve(out, NUMBER_MAX_BYTES))
        return false;
    out->len += format_number((unsigned char *)out->ptr + out->len, number);
    return true;
}

static uint64_t zigzag(int64_t number)
{
    return (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
}

static bool put_fixed(struct buf *out, uint64_t number)
{
    unsigned char bytes[FIXED_BYTES];
    for (size_t i = 0; i < FIXED_BYTES; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    return buf_append(out, bytes, sizeof bytes);
}

static bool put_text(struct buf *out, struct str text)
{
    if (!buf_reserve(out, NUMBER_MAX_BYTES + text.len))
        return false;
    out->len += format_number((unsigned char *)out->ptr + out->len, text.len);
    if (text.len > 0)
        memcpy(out->ptr + out->len, text.ptr, text.len);
    out->len += text.len;
    return true;
}

static bool put_typed(struct buf *out, char type, struct str text)
{
    return buf_append_char(out, type) && put_text(out, text);
}

static bool put_float(struct buf *out, const struct value *value)
{
    uint64_t bits;
    if (value_is_decimal(value))
        return put_typed(out, WRITTEN_DECIMAL, str_make(value->as.text, value->extra));
    memcpy(&bits, &value->as.real, sizeof bits);
    return buf_append_char(out, WRITTEN_FLOAT) && put_fixed(out, bits);
}

static bool put_value(struct buf *out, const struct value *value, unsigned depth);

static bool put_array(struct buf *out, const struct array *array, unsigned depth)
{
    bool fits = binary_put_number(out, array->count);
    for (uint32_t i = 0; fits && i < array->count; i++)
        fits = put_value(out, &array->items[i], depth);
    return fits;
}

static bool put_object(struct buf *out, const struct object *object, unsigned depth)
{
    bool fits = binary_put_number(out, object->live);
    for (uint32_t i = 0; fits && i < object->used; i++) {
        const struct object_entry *entry = &object->entries[i];
        if (!object_entry_is_dead(entry))
            fits = put_text(out, object_key_text(entry)) && put_value(out, &entry->value, depth);
    }
    return fits;
}

/* Deeper than is read again. */
static bool put_as_text(struct buf *out, const struct value *value)
{
    struct arena scratch;
    arena_init(&scratch, NULL);
    bool fits = put_typed(out, WRITTEN_STRING, value_to_text(&scratch, value));
    arena_release(&scratch);
    return fits;
}

static bool put_value(struct buf *out, const struct value *value, unsigned depth)
{
    switch (value_type(value)) {
    case VALUE_NULL:
        return buf_append_char(out, WRITTEN_NULL);
    case VALUE_BOOL:
        return buf_append_char(out, value->as.boolean ? WRITTEN_TRUE : WRITTEN_FALSE);
    case VALUE_INT:
        return buf_append_char(out, WRITTEN_INT) &&
               binary_put_number(out, zigzag(value->as.integer));
    case VALUE_FLOAT:
        return put_float(out, value);
    case VALUE_BIG_INT:
        return put_typed(out, WRITTEN_BIG_INT, value_as_str(value));
    case VALUE_STRING:
        return put_typed(out, WRITTEN_STRING, value_as_str(value));
    case VALUE_TIMESTAMP:
        return buf_append_char(out, WRITTEN_TIMESTAMP) &&
               binary_put_number(out, zigzag(value->as.integer)) &&
               binary_put_number(out, value->extra);
    case VALUE_ARRAY:
        if (depth == 0)
            return put_as_text(out, value);
        return buf_append_char(out, WRITTEN_ARRAY) && put_array(out, value->as.array, depth - 1);
    case VALUE_OBJECT:
        if (depth == 0)
            return put_as_text(out, value);
        return buf_append_char(out, WRITTEN_OBJECT) && put_object(out, value->as.object, depth - 1);
    }
    return false;
}

static bool put_origin(struct event_writer *writer, const struct event *event)
{
    struct buf *out = writer->out;
    const struct origin_record *record = event->record;
    if (!record)
        return true;
    bool same = record == writer->record;
    writer->record = record;
    return (same || (put_text(out, record->place) && binary_put_number(out, record->position) &&
                     put_text(out, record->raw))) &&
           binary_put_number(out, event->ordinal);
}

bool event_write(struct event_writer *writer, const struct event *event)
{
    struct buf *out = writer->out;
    bool made = event->path != 0 || event->made != 0;
    bool has_metadata = value_object_count(&event->metadata) > 0;
    int marks = (event->record ? MARK_ORIGIN : 0) |
                (event->record && event->record == writer->record ? MARK_SAME_ORIGIN : 0) |
                (made ? MARK_MADE : 0) | (has_metadata ? MARK_METADATA : 0);
    return buf_append_char(out, (char)marks) && put_origin(writer, event) &&
           (!made || (put_fixed(out, event->path) && binary_put_number(out, event->made))) &&
           (!has_metadata || put_object(out, event->metadata.as.object, EVENT_BINARY_DEPTH)) &&
           put_object(out, event->fields.as.object, EVENT_BINARY_DEPTH);
}

/* ---- reading -------------------------------------------------------------------------------------- */

static size_t left(const struct event_reader *reader)
{
    assert(reader->at <= reader->end);
    return (size_t)(reader->end - reader->at);
}

bool binary_take_number(struct event_reader *reader, uint64_t *out)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        unsigned char byte = *reader->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = number;
            return true;
        }
    }
    return false;
}

static bool take_signed(struct event_reader *reader, int64_t *out)
{
    uint64_t number;
    if (!binary_take_number(reader, &number))
        return false;
    *out = (int64_t)(number >> 1 ^ (~(number & 1) + 1));
    return true;
}

static bool take_fixed(struct event_reader *reader, uint64_t *out)
{
    if (left(reader) < FIXED_BYTES)
        return false;
    *out = 0;
    for (size_t i = 0; i < FIXED_BYTES; i++)
        *out |= (uint64_t)*reader->at++ << 8 * i;
    return true;
}

static bool take_bytes(struct event_reader *reader, struct str *out)
{
    uint64_t len;
    if (!binary_take_number(reader, &len) || len > left(reader) || len > UINT32_MAX)
        return false;
    *out = str_make((const char *)reader->at, (size_t)len);
    reader->at += len;
    return true;
}

static bool take_text(struct event_reader *reader, struct str *out)
{
    return take_bytes(reader, out) && utf8_valid(*out);
}

/* How many things of at least so many bytes follow. */
static bool take_count(struct event_reader *reader, size_t bytes_each, size_t *out)
{
    uint64_t count;
    if (!binary_take_number(reader, &count) || count > left(reader) / bytes_each)
        return false;
    *out = (size_t)count;
    return true;
}

static bool take_value(struct event_reader *reader, struct value *out, unsigned depth);

static bool take_array(struct event_reader *reader, struct value *out, unsigned depth)
{
    size_t count;
    if (depth == 0 || !take_count(reader, 1, &count))
        return false;
    *out = value_array_new(reader->arena, count);
    for (size_t i = 0; i < count; i++) {
        struct value item;
        if (!take_value(reader, &item, depth - 1))
            return false;
        value_array_push(reader->arena, out, item);
    }
    return true;
}

static bool take_object(struct event_reader *reader, struct value *out, unsigned depth)
{
    size_t count;
    if (depth == 0 || !take_count(reader, 2, &count))
        return false;
    *out = value_object_new(reader->arena, count);
    for (size_t i = 0; i < count; i++) {
        struct str key;
        struct value item;
        if (!take_text(reader, &key) || !take_value(reader, &item, depth - 1))
            return false;
        value_object_set(reader->arena, out, key, item);
    }
    return true;
}

static bool take_float(struct event_reader *reader, struct value *out)
{
    uint64_t bits;
    double real;
    if (!take_fixed(reader, &bits))
        return false;
    memcpy(&real, &bits, sizeof real);
    *out = value_float(real);
    return true;
}

static bool is_digits(struct str text)
{
    size_t at = text.len > 0 && text.ptr[0] == '-';
    bool ok = at < text.len;
    for (; ok && at < text.len; at++)
        ok = text.ptr[at] >= '0' && text.ptr[at] <= '9';
    return ok;
}

/* A number as JSON writes it. */
static bool is_decimal(struct str text)
{
    double ignored;
    return text.len <= DECIMAL_TEXT_MAX && str_to_double(text, &ignored);
}

static bool take_timestamp(struct event_reader *reader, struct value *out)
{
    int64_t seconds;
    uint64_t nanoseconds;
    if (!take_signed(reader, &seconds) || !binary_take_number(reader, &nanoseconds) ||
        nanoseconds > 999999999)
        return false;
    *out = value_timestamp((struct instant){seconds, (uint32_t)nanoseconds});
    return true;
}

static bool take_value(struct event_reader *reader, struct value *out, unsigned depth)
{
    int64_t integer;
    struct str text;
    if (reader->at >= reader->end)
        return false;
    *out = value_null();
    switch (*reader->at++) {
    case WRITTEN_NULL:
        return true;
    case WRITTEN_FALSE:
    case WRITTEN_TRUE:
        *out = value_bool(reader->at[-1] == WRITTEN_TRUE);
        return true;
    case WRITTEN_INT:
        if (!take_signed(reader, &integer))
            return false;
        *out = value_int(integer);
        return true;
    case WRITTEN_FLOAT:
        return take_float(reader, out);
    case WRITTEN_DECIMAL:
        return take_bytes(reader, &text) && is_decimal(text) &&
               value_decimal(reader->arena, text, out);
    case WRITTEN_BIG_INT:
        if (!take_bytes(reader, &text) || !is_digits(text))
            return false;
        *out = value_big_int(text);
        return true;
    case WRITTEN_STRING:
        if (!take_text(reader, &text))
            return false;
        *out = value_str(text);
        return true;
    case WRITTEN_TIMESTAMP:
        return take_timestamp(reader, out);
    case WRITTEN_ARRAY:
        return take_array(reader, out, depth);
    case WRITTEN_OBJECT:
        return take_object(reader, out, depth);
    }
    return false;
}

static bool take_record(struct event_reader *reader)
{
    struct str place, raw;
    uint64_t position;
    if (!take_bytes(reader, &place) || !binary_take_number(reader, &position) ||
        !take_bytes(reader, &raw))
        return false;
    reader->record = origin_record_new(reader->arena, raw, place, position);
    return true;
}

static bool take_origin(struct event_reader *reader, int marks, struct event *event)
{
    uint64_t ordinal;
    if (!(marks & MARK_ORIGIN))
        return !(marks & MARK_SAME_ORIGIN);
    if (marks & MARK_SAME_ORIGIN ? !reader->record : !take_record(reader))
        return false;
    if (!binary_take_number(reader, &ordinal) || ordinal > UINT32_MAX)
        return false;
    event->record = reader->record;
    event->ordinal = (uint32_t)ordinal;
    return true;
}

static bool take_made(struct event_reader *reader, struct event *event)
{
    uint64_t made;
    if (!take_fixed(reader, &event->path) || !binary_take_number(reader, &made) ||
        made > UINT32_MAX)
        return false;
    event->made = (uint32_t)made;
    return true;
}

struct event *event_read(struct event_reader *reader)
{
    if (reader->at >= reader->end || *reader->at > MARKS_KNOWN)
        return NULL;
    int marks = *reader->at++;
    struct event *event = arena_alloc(reader->arena, sizeof *event);
    *event = (struct event){.arena = reader->arena};
    if (!take_origin(reader, marks, event) || (marks & MARK_MADE && !take_made(reader, event)))
        return NULL;
    if (!(marks & MARK_METADATA))
        event->metadata = value_object_new(reader->arena, 1);
    else if (!take_object(reader, &event->metadata, EVENT_BINARY_DEPTH + 1))
        return NULL;
    return take_object(reader, &event->fields, EVENT_BINARY_DEPTH + 1) ? event : NULL;
}
