/* SPDX-License-Identifier: Apache-2.0 */
#include "io/rabbitmq_frames.h"

#include <assert.h>
#include <string.h>

enum {
    HEAD_BYTES = 7,
    FRAME_END = 0xce,
    METHOD_ID_BYTES = 4,
    HEADER_FIXED_BYTES = 12, /* class, weight, size of the body */
    PAYLOAD_MAX = RABBIT_FRAME_MAX - HEAD_BYTES - 1,
};

amqp_bytes_t rabbit_bytes(struct str text)
{
    return (amqp_bytes_t){.len = text.len, .bytes = (void *)(uintptr_t)text.ptr};
}

struct str rabbit_str(amqp_bytes_t bytes)
{
    return str_make(bytes.bytes, bytes.len);
}

/* ---- frames --------------------------------------------------------------------------------------- */

static void put_number(unsigned char *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (unsigned char)(number >> (8 * (bytes - 1 - i)));
}

/* Room for a frame with the largest payload; the payload begins behind the head. */
static unsigned char *begin_frame(struct buf *out)
{
    bool fits = buf_reserve(out, RABBIT_FRAME_MAX);
    assert(fits);
    (void)fits;
    return (unsigned char *)out->ptr + out->len;
}

static void end_frame(struct buf *out, uint8_t type, amqp_channel_t channel, size_t payload)
{
    unsigned char *head = (unsigned char *)out->ptr + out->len;
    assert(payload <= PAYLOAD_MAX);
    head[0] = type;
    put_number(head + 1, channel, 2);
    put_number(head + 3, payload, 4);
    head[HEAD_BYTES + payload] = FRAME_END;
    out->len += HEAD_BYTES + payload + 1;
}

bool frame_method(struct buf *out, amqp_channel_t channel, amqp_method_number_t id, void *method)
{
    unsigned char *payload = begin_frame(out) + HEAD_BYTES;
    amqp_bytes_t room = {.len = PAYLOAD_MAX - METHOD_ID_BYTES, .bytes = payload + METHOD_ID_BYTES};
    put_number(payload, id, METHOD_ID_BYTES);
    int len = amqp_encode_method(id, method, room);
    if (len < 0)
        return false;
    end_frame(out, AMQP_FRAME_METHOD, channel, METHOD_ID_BYTES + (size_t)len);
    return true;
}

bool frame_header(struct buf *out, const amqp_basic_properties_t *properties, uint64_t body_bytes)
{
    unsigned char *payload = begin_frame(out) + HEAD_BYTES;
    amqp_bytes_t room = {.len = PAYLOAD_MAX - HEADER_FIXED_BYTES,
                         .bytes = payload + HEADER_FIXED_BYTES};
    amqp_basic_properties_t copy = *properties;
    put_number(payload, AMQP_BASIC_CLASS, 2);
    put_number(payload + 2, 0, 2);
    put_number(payload + 4, body_bytes, 8);
    int len = amqp_encode_properties(AMQP_BASIC_CLASS, &copy, room);
    if (len < 0)
        return false;
    end_frame(out, AMQP_FRAME_HEADER, RABBIT_CHANNEL, HEADER_FIXED_BYTES + (size_t)len);
    return true;
}

void frames_body(struct buf *out, struct str body, size_t frame_max)
{
    size_t most = frame_max - HEAD_BYTES - 1;
    assert(frame_max > HEAD_BYTES + 1 && frame_max <= RABBIT_FRAME_MAX);
    while (body.len > 0) {
        size_t len = body.len < most ? body.len : most;
        memcpy(begin_frame(out) + HEAD_BYTES, body.ptr, len);
        end_frame(out, AMQP_FRAME_BODY, RABBIT_CHANNEL, len);
        body = str_from_offset(body, len);
    }
}

void frame_heartbeat(struct buf *out)
{
    (void)begin_frame(out);
    end_frame(out, AMQP_FRAME_HEARTBEAT, 0, 0);
}

/* ---- values to be sent ---------------------------------------------------------------------------- */

static amqp_field_value_t field_of(const struct rabbit_value *value)
{
    switch (value->kind) {
    case RABBIT_BOOL:
        return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_BOOLEAN,
                                    .value.boolean = value->boolean};
    case RABBIT_INT:
        return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_I64, .value.i64 = value->integer};
    case RABBIT_FLOAT:
        return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_F64, .value.f64 = value->real};
    case RABBIT_TEXT:
        return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_UTF8,
                                    .value.bytes = rabbit_bytes(value->text)};
    case RABBIT_NULL:
    case RABBIT_TIME:
    case RABBIT_TABLE:
    case RABBIT_LIST:
        break;
    }
    return (amqp_field_value_t){.kind = AMQP_FIELD_KIND_VOID};
}

amqp_table_t rabbit_table(const struct rabbit_pair *pairs, size_t count,
                          amqp_table_entry_t *entries)
{
    assert(count <= RABBIT_TABLE_MAX);
    for (size_t i = 0; i < count; i++)
        entries[i] = (amqp_table_entry_t){rabbit_bytes(pairs[i].name), field_of(&pairs[i].value)};
    return (amqp_table_t){.num_entries = (int)count, .entries = entries};
}

/* ---- values that arrived -------------------------------------------------------------------------- */

static struct rabbit_value number(int64_t integer)
{
    return (struct rabbit_value){.kind = RABBIT_INT, .integer = integer};
}

static struct rabbit_value real(double value)
{
    return (struct rabbit_value){.kind = RABBIT_FLOAT, .real = value};
}

static double decimal(amqp_decimal_t value)
{
    double result = value.value;
    for (uint8_t i = 0; i < value.decimals; i++)
        result /= 10;
    return result;
}

static struct rabbit_value value_of(const amqp_field_value_t *field)
{
    switch (field->kind) {
    case AMQP_FIELD_KIND_BOOLEAN:
        return (struct rabbit_value){.kind = RABBIT_BOOL, .boolean = field->value.boolean};
    case AMQP_FIELD_KIND_I8:
        return number(field->value.i8);
    case AMQP_FIELD_KIND_U8:
        return number(field->value.u8);
    case AMQP_FIELD_KIND_I16:
        return number(field->value.i16);
    case AMQP_FIELD_KIND_U16:
        return number(field->value.u16);
    case AMQP_FIELD_KIND_I32:
        return number(field->value.i32);
    case AMQP_FIELD_KIND_U32:
        return number(field->value.u32);
    case AMQP_FIELD_KIND_I64:
    case AMQP_FIELD_KIND_U64:
        return number(field->value.i64);
    case AMQP_FIELD_KIND_F32:
        return real(field->value.f32);
    case AMQP_FIELD_KIND_F64:
        return real(field->value.f64);
    case AMQP_FIELD_KIND_DECIMAL:
        return real(decimal(field->value.decimal));
    case AMQP_FIELD_KIND_UTF8:
    case AMQP_FIELD_KIND_BYTES:
        return (struct rabbit_value){.kind = RABBIT_TEXT, .text = rabbit_str(field->value.bytes)};
    case AMQP_FIELD_KIND_TIMESTAMP:
        return (struct rabbit_value){.kind = RABBIT_TIME, .integer = field->value.i64};
    case AMQP_FIELD_KIND_TABLE:
        return (struct rabbit_value){.kind = RABBIT_TABLE,
                                     .inner = field->value.table.entries,
                                     .count = (size_t)field->value.table.num_entries};
    case AMQP_FIELD_KIND_ARRAY:
        return (struct rabbit_value){.kind = RABBIT_LIST,
                                     .inner = field->value.array.entries,
                                     .count = (size_t)field->value.array.num_entries};
    default:
        return (struct rabbit_value){.kind = RABBIT_NULL};
    }
}

struct rabbit_value rabbit_value_at(const struct rabbit_value *value, size_t index,
                                    struct str *key_out)
{
    assert(index < value->count);
    if (value->kind == RABBIT_TABLE) {
        const amqp_table_entry_t *entry = (const amqp_table_entry_t *)value->inner + index;
        *key_out = rabbit_str(entry->key);
        return value_of(&entry->value);
    }
    *key_out = STR("");
    return value_of((const amqp_field_value_t *)value->inner + index);
}

/* ---- properties ----------------------------------------------------------------------------------- */

static const struct {
    amqp_flags_t flag;
    size_t offset;
} TEXTS[RABBIT_TEXT_PROPERTIES] = {
#define TEXT_PROPERTY(FLAG, member)                                                                \
    {                                                                                              \
        AMQP_BASIC_##FLAG##_FLAG, offsetof(amqp_basic_properties_t, member)                        \
    }
    [RABBIT_APP_ID] = TEXT_PROPERTY(APP_ID, app_id),
    [RABBIT_CLUSTER_ID] = TEXT_PROPERTY(CLUSTER_ID, cluster_id),
    [RABBIT_CONTENT_ENCODING] = TEXT_PROPERTY(CONTENT_ENCODING, content_encoding),
    [RABBIT_CONTENT_TYPE] = TEXT_PROPERTY(CONTENT_TYPE, content_type),
    [RABBIT_CORRELATION_ID] = TEXT_PROPERTY(CORRELATION_ID, correlation_id),
    [RABBIT_EXPIRATION] = TEXT_PROPERTY(EXPIRATION, expiration),
    [RABBIT_MESSAGE_ID] = TEXT_PROPERTY(MESSAGE_ID, message_id),
    [RABBIT_REPLY_TO] = TEXT_PROPERTY(REPLY_TO, reply_to),
    [RABBIT_TYPE] = TEXT_PROPERTY(TYPE, type),
    [RABBIT_USER_ID] = TEXT_PROPERTY(USER_ID, user_id),
};

void rabbit_properties_read(const amqp_basic_properties_t *from, struct rabbit_properties *out)
{
    *out = (struct rabbit_properties){.delivery_mode = -1, .priority = -1, .timestamp = -1};
    for (size_t i = 0; i < RABBIT_TEXT_PROPERTIES; i++)
        if (from->_flags & TEXTS[i].flag) {
            amqp_bytes_t bytes;
            memcpy(&bytes, (const char *)from + TEXTS[i].offset, sizeof bytes);
            out->texts[i] = str_make(bytes.bytes ? bytes.bytes : "", bytes.len);
        }
    if (from->_flags & AMQP_BASIC_DELIVERY_MODE_FLAG)
        out->delivery_mode = from->delivery_mode;
    if (from->_flags & AMQP_BASIC_PRIORITY_FLAG)
        out->priority = from->priority;
    if (from->_flags & AMQP_BASIC_TIMESTAMP_FLAG)
        out->timestamp = from->timestamp <= INT64_MAX ? (int64_t)from->timestamp : -1;
    if (from->_flags & AMQP_BASIC_HEADERS_FLAG)
        out->headers = (struct rabbit_value){.kind = RABBIT_TABLE,
                                             .inner = from->headers.entries,
                                             .count = (size_t)from->headers.num_entries};
}

void rabbit_properties_write(const struct rabbit_properties *from, amqp_table_entry_t *entries,
                             amqp_basic_properties_t *out)
{
    *out = (amqp_basic_properties_t){._flags = 0};
    for (size_t i = 0; i < RABBIT_TEXT_PROPERTIES; i++)
        if (from->texts[i].ptr) {
            amqp_bytes_t bytes = rabbit_bytes(from->texts[i]);
            memcpy((char *)out + TEXTS[i].offset, &bytes, sizeof bytes);
            out->_flags |= TEXTS[i].flag;
        }
    if (from->delivery_mode >= 0)
        out->_flags |= AMQP_BASIC_DELIVERY_MODE_FLAG;
    if (from->priority >= 0)
        out->_flags |= AMQP_BASIC_PRIORITY_FLAG;
    if (from->timestamp >= 0)
        out->_flags |= AMQP_BASIC_TIMESTAMP_FLAG;
    out->delivery_mode = (uint8_t)from->delivery_mode;
    out->priority = (uint8_t)from->priority;
    out->timestamp = (uint64_t)from->timestamp;
    if (from->send_header_count > 0) {
        out->headers = rabbit_table(from->send_headers, from->send_header_count, entries);
        out->_flags |= AMQP_BASIC_HEADERS_FLAG;
    }
}
