/* SPDX-License-Identifier: Apache-2.0
 *
 * Writing. A value is written with one look at the room that is left.
 */
#include "pipeline/event/event_binary.h"

#include <assert.h>

#include "pipeline/event/event_binary_private.h"
#include "pipeline/event/origin.h"
#include "pipeline/event/value_store.h"

enum { QUARTER = 4, HALF = 8, BLOCK = 16 /* bytes that the processor copies at once */ };

/* ---- bytes ---------------------------------------------------------------------------------------- */

static inline char *format_number(char *to, uint64_t number)
{
    for (; number >= 0x80; number >>= 7)
        *to++ = (char)(number | 0x80);
    *to++ = (char)number;
    return to;
}

/* As memcpy does, without a call for what most keys and values are: two copies that meet or overlap. */
static inline char *copy(char *to, const char *from, size_t len)
{
    if (len > 2 * BLOCK) {
        memcpy(to, from, len);
    } else if (len >= BLOCK) {
        memcpy(to, from, BLOCK);
        memcpy(to + len - BLOCK, from + len - BLOCK, BLOCK);
    } else if (len >= HALF) {
        memcpy(to, from, HALF);
        memcpy(to + len - HALF, from + len - HALF, HALF);
    } else if (len >= QUARTER) {
        memcpy(to, from, QUARTER);
        memcpy(to + len - QUARTER, from + len - QUARTER, QUARTER);
    } else if (len > 0) {
        to[0] = from[0];
        to[len / 2] = from[len / 2];
        to[len - 1] = from[len - 1];
    }
    return to + len;
}

static inline char *format_text(char *to, struct str text)
{
    return copy(format_number(to, text.len), text.ptr, text.len);
}

/* Where so many bytes may be written, which `wrote` tells the buffer of; NULL: it is at its maximum. */
static inline char *room(struct buf *out, size_t most)
{
    return buf_reserve(out, most) ? out->ptr + out->len : NULL;
}

static inline bool wrote(struct buf *out, const char *end)
{
    out->len = (size_t)(end - out->ptr);
    return true;
}

bool binary_put_number(struct buf *out, uint64_t number)
{
    char *to = room(out, NUMBER_MAX_BYTES);
    return to && wrote(out, format_number(to, number));
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
    char *to = room(out, NUMBER_MAX_BYTES + text.len);
    return to && wrote(out, format_text(to, text));
}

/* ---- values --------------------------------------------------------------------------------------- */

static inline bool put_typed(struct buf *out, char type, struct str text)
{
    char *to = room(out, 1 + NUMBER_MAX_BYTES + text.len);
    if (!to)
        return false;
    *to = type;
    return wrote(out, format_text(to + 1, text));
}

static inline bool put_int(struct buf *out, int64_t number)
{
    char *to = room(out, 1 + NUMBER_MAX_BYTES);
    if (!to)
        return false;
    *to = WRITTEN_INT;
    return wrote(out, format_number(to + 1, zigzag(number)));
}

static bool put_timestamp(struct buf *out, int64_t seconds, uint32_t nanoseconds)
{
    char *to = room(out, 1 + 2 * NUMBER_MAX_BYTES);
    if (!to)
        return false;
    *to = WRITTEN_TIMESTAMP;
    return wrote(out, format_number(format_number(to + 1, zigzag(seconds)), nanoseconds));
}

static bool put_float(struct buf *out, const struct value *value)
{
    uint64_t bits;
    if (value_is_decimal(value))
        return put_typed(out, WRITTEN_DECIMAL, str_make(value->as.text, value->extra));
    memcpy(&bits, &value->as.real, sizeof bits);
    return buf_append_char(out, WRITTEN_FLOAT) && put_fixed(out, bits);
}

static bool put_value(struct event_writer *writer, const struct value *value, unsigned depth);

static bool put_array(struct event_writer *writer, const struct array *array, unsigned depth)
{
    bool fits = binary_put_number(writer->out, array->count);
    for (uint32_t i = 0; fits && i < array->count; i++)
        fits = put_value(writer, &array->items[i], depth);
    return fits;
}

static bool put_object(struct event_writer *writer, const struct object *object, unsigned depth)
{
    struct buf *out = writer->out;
    bool fits = binary_put_number(out, object->live);
    for (uint32_t i = 0; fits && i < object->used; i++) {
        const struct object_entry *entry = &object->entries[i];
        if (!object_entry_is_dead(entry))
            fits = put_text(out, object_key_text(entry)) && put_value(writer, &entry->value, depth);
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

/* ---- objects of one shape ------------------------------------------------------------------------- */

static bool has_same_keys(const struct object *one, const struct object *other)
{
    if (one->used != other->used)
        return false;
    for (uint32_t i = 0; i < one->used; i++) {
        const struct object_key *a = &one->entries[i].key, *b = &other->entries[i].key;
        if (object_key_tag(a) != object_key_tag(b) || !object_key_same_text(a, b->ptr))
            return false;
    }
    return true;
}

static bool may_have_shape(const struct event_writer *writer, const struct object *object)
{
    return writer->shapes && object->live > 0 && object->live == object->used &&
           object->used <= OBJECT_LINEAR_MAX;
}

/* Where an object of these keys was noted, if one was. */
static struct event_shape *place_of(const struct event_writer *writer, const struct object *object)
{
    uint64_t mixed = (object->shapes ^ object->used) * UINT64_C(0x9e3779b97f4a7c15);
    return &writer->shapes[mixed >> 32 & (EVENT_SHAPES_NOTED - 1)];
}

static bool put_keys(struct buf *out, const struct object *object)
{
    bool fits = binary_put_number(out, object->used);
    for (uint32_t i = 0; fits && i < object->used; i++)
        fits = put_text(out, object_key_text(&object->entries[i]));
    return fits;
}

/* False: it has none, and nothing is written. *fits: there was room. */
static bool put_shape(struct event_writer *writer, const struct object *object, bool *fits)
{
    if (!may_have_shape(writer, object))
        return false;
    struct event_shape *shape = place_of(writer, object);
    bool known =
        shape->like && shape->number < writer->shape_count && has_same_keys(shape->like, object);
    if (!known && writer->shape_count == EVENT_SHAPES_MAX)
        return false;
    if (!known)
        *shape = (struct event_shape){object, writer->shape_count++};
    *fits = buf_append_char(writer->out, WRITTEN_SHAPED) &&
            binary_put_number(writer->out, shape->number) &&
            (known || put_keys(writer->out, object));
    return true;
}

static bool put_typed_object(struct event_writer *writer, const struct object *object,
                             unsigned depth)
{
    bool fits = false;
    if (!put_shape(writer, object, &fits))
        return buf_append_char(writer->out, WRITTEN_OBJECT) && put_object(writer, object, depth);
    for (uint32_t i = 0; fits && i < object->used; i++) {
        const struct value *value = &object->entries[i].value;
        fits = value_type(value) == VALUE_STRING
                   ? put_typed(writer->out, WRITTEN_STRING, value_as_str(value))
                   : put_value(writer, value, depth);
    }
    return fits;
}

/* A container that nobody looked into is copied as the text that it is. What is in it counts for the depth as well. */
static bool put_container(struct event_writer *writer, const struct value *value, unsigned depth)
{
    bool is_array = value_type(value) == VALUE_ARRAY;
    const struct span *span = container_span(value);
    if (depth > JSON_MAX_DEPTH && span_is_good(span))
        return put_typed(writer->out, span->keep_decimals ? WRITTEN_JSON_DECIMALS : WRITTEN_JSON,
                         span_text(span));
    if (depth == 0)
        return put_as_text(writer->out, value);
    if (!is_array)
        return put_typed_object(writer, object_look(value), depth - 1);
    return buf_append_char(writer->out, WRITTEN_ARRAY) &&
           put_array(writer, array_look(value), depth - 1);
}

static bool put_value(struct event_writer *writer, const struct value *value, unsigned depth)
{
    struct buf *out = writer->out;
    switch (value_type(value)) {
    case VALUE_NULL:
        return buf_append_char(out, WRITTEN_NULL);
    case VALUE_BOOL:
        return buf_append_char(out, value->as.boolean ? WRITTEN_TRUE : WRITTEN_FALSE);
    case VALUE_INT:
        return put_int(out, value->as.integer);
    case VALUE_FLOAT:
        return put_float(out, value);
    case VALUE_BIG_INT:
        return put_typed(out, WRITTEN_BIG_INT, value_as_str(value));
    case VALUE_STRING:
        return put_typed(out, WRITTEN_STRING, value_as_str(value));
    case VALUE_TIMESTAMP:
        return put_timestamp(out, value->as.integer, value->extra);
    case VALUE_ARRAY:
    case VALUE_OBJECT:
        return put_container(writer, value, depth);
    }
    return false;
}

/* ---- events --------------------------------------------------------------------------------------- */

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

static bool put_fields(struct event_writer *writer, const struct value *fields)
{
    return writer->shapes ? put_typed_object(writer, object_look(fields), EVENT_BINARY_DEPTH)
                          : put_object(writer, object_look(fields), EVENT_BINARY_DEPTH);
}

bool event_write(struct event_writer *writer, const struct event *event)
{
    struct buf *out = writer->out;
    bool made = event->path != 0 || event->made != 0;
    bool has_metadata = value_object_count(&event->metadata) > 0;
    int marks = (event->record ? MARK_ORIGIN : 0) |
                (event->record && event->record == writer->record ? MARK_SAME_ORIGIN : 0) |
                (made ? MARK_MADE : 0) | (has_metadata ? MARK_METADATA : 0) |
                (writer->shapes ? MARK_VALUES : 0);
    assert(value_type(&event->fields) == VALUE_OBJECT);
    return buf_append_char(out, (char)marks) && put_origin(writer, event) &&
           (!made || (put_fixed(out, event->path) && binary_put_number(out, event->made))) &&
           (!has_metadata || put_fields(writer, &event->metadata)) &&
           put_fields(writer, &event->fields);
}
