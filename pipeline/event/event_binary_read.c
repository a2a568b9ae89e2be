/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading: whatever the bytes are, an event or none.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "pipeline/event/event_binary.h"
#include "pipeline/event/event_binary_private.h"
#include "pipeline/event/json_private.h"
#include "pipeline/event/origin.h"
#include "pipeline/event/value_store.h"

/* ---- bytes ---------------------------------------------------------------------------------------- */

static inline size_t left(const struct event_reader *reader)
{
    assert(reader->at <= reader->end);
    return (size_t)(reader->end - reader->at);
}

static bool take_long_number(struct event_reader *reader, uint64_t *out)
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

static inline bool take_number(struct event_reader *reader, uint64_t *out)
{
    if (reader->at < reader->end && *reader->at < 0x80) { /* most are */
        *out = *reader->at++;
        return true;
    }
    return take_long_number(reader, out);
}

bool binary_take_number(struct event_reader *reader, uint64_t *out)
{
    return take_number(reader, out);
}

static bool take_signed(struct event_reader *reader, int64_t *out)
{
    uint64_t number;
    if (!take_number(reader, &number))
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

static inline bool take_bytes(struct event_reader *reader, struct str *out)
{
    uint64_t len;
    if (!take_number(reader, &len) || len > left(reader) || len > UINT32_MAX)
        return false;
    *out = str_make((const char *)reader->at, (size_t)len);
    reader->at += len;
    return true;
}

static inline bool take_text(struct event_reader *reader, struct str *out)
{
    return take_bytes(reader, out) && utf8_valid(*out);
}

/* ---- values --------------------------------------------------------------------------------------- */

/* How many things of at least so many bytes follow. */
static bool take_count(struct event_reader *reader, size_t bytes_each, size_t *out)
{
    uint64_t count;
    if (!take_number(reader, &count) || count > left(reader) / bytes_each)
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

/* The keys of a shape, in an object of nulls that nobody else has. A key that comes twice is no shape. */
static struct object *take_shape(struct event_reader *reader)
{
    size_t count;
    if (!take_count(reader, 1, &count) || count == 0 || count > OBJECT_LINEAR_MAX)
        return NULL;
    struct value keys = value_object_new(reader->arena, count);
    for (size_t i = 0; i < count; i++) {
        struct str key;
        if (!take_text(reader, &key))
            return NULL;
        value_object_set(reader->arena, &keys, key, value_null());
    }
    return keys.as.object->live == count ? keys.as.object : NULL;
}

static const struct object *shape_of(struct event_reader *reader, uint64_t number)
{
    if (number > reader->shape_count || number >= EVENT_SHAPES_MAX)
        return NULL;
    if (number < reader->shape_count)
        return reader->shapes[number];
    if (!reader->shapes)
        reader->shapes = arena_alloc(reader->arena, EVENT_SHAPES_MAX * sizeof(struct object *));
    struct object *shape = take_shape(reader);
    if (shape)
        reader->shapes[reader->shape_count++] = shape;
    return shape;
}

/* Its type is next. */
static inline bool take_string(struct event_reader *reader, struct value *out)
{
    struct str text;
    reader->at++;
    if (!take_text(reader, &text))
        return false;
    *out = value_str(text);
    return true;
}

static bool take_shaped(struct event_reader *reader, struct value *out, unsigned depth)
{
    uint64_t number;
    if (depth == 0 || !take_number(reader, &number))
        return false;
    const struct object *shape = shape_of(reader, number);
    if (!shape)
        return false;
    *out = object_like(reader->arena, shape, depth > EVENT_BINARY_DEPTH ? JSON_ROOT_SPARE : 0);
    struct object *object = out->as.object;
    for (uint32_t i = 0; i < object->used; i++) {
        struct value *value = &object->entries[i].value;
        bool taken = reader->at < reader->end && *reader->at == WRITTEN_STRING
                         ? take_string(reader, value)
                         : take_value(reader, value, depth - 1);
        if (!taken)
            return false;
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
    if (!take_signed(reader, &seconds) || !take_number(reader, &nanoseconds) ||
        nanoseconds > 999999999)
        return false;
    *out = value_timestamp((struct instant){seconds, (uint32_t)nanoseconds});
    return true;
}

/* A container as JSON. */
static bool take_json(struct event_reader *reader, struct value *out, unsigned depth)
{
    const struct json_decoding how = {.documents = JSON_ONLY,
                                      .keep_decimals = reader->at[-1] == WRITTEN_JSON_DECIMALS};
    struct str text;
    assert(reader->json);
    return depth > JSON_MAX_DEPTH && take_bytes(reader, &text) &&
           json_decode_as(reader->json, reader->arena, text, &how, out, NULL) &&
           (value_type(out) == VALUE_OBJECT || value_type(out) == VALUE_ARRAY);
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
    case WRITTEN_SHAPED:
        return take_shaped(reader, out, depth);
    case WRITTEN_JSON:
    case WRITTEN_JSON_DECIMALS:
        return take_json(reader, out, depth);
    }
    return false;
}

/* ---- events --------------------------------------------------------------------------------------- */

static bool take_record(struct event_reader *reader)
{
    struct str place, raw;
    uint64_t position;
    if (!take_bytes(reader, &place) || !take_number(reader, &position) || !take_bytes(reader, &raw))
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
    if (!take_number(reader, &ordinal) || ordinal > UINT32_MAX)
        return false;
    event->record = reader->record;
    event->ordinal = (uint32_t)ordinal;
    return true;
}

static bool take_made(struct event_reader *reader, struct event *event)
{
    uint64_t made;
    if (!take_fixed(reader, &event->path) || !take_number(reader, &made) || made > UINT32_MAX)
        return false;
    event->made = (uint32_t)made;
    return true;
}

static bool take_fields(struct event_reader *reader, int marks, struct value *out)
{
    if (!(marks & MARK_VALUES))
        return take_object(reader, out, EVENT_BINARY_DEPTH + 1);
    return take_value(reader, out, EVENT_BINARY_DEPTH + 1) && value_type(out) == VALUE_OBJECT;
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
    else if (!take_fields(reader, marks, &event->metadata))
        return NULL;
    return take_fields(reader, marks, &event->fields) ? event : NULL;
}
