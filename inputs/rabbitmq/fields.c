/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/rabbitmq/fields.h"

#include "base/text/utf8.h"

static const struct field_ref HEADERS = FIELD_REF_METADATA("rabbitmq_headers");
static const struct field_ref PROPERTIES = FIELD_REF_METADATA("rabbitmq_properties");
static const struct field_ref PAYLOAD = FIELD_REF_METADATA("rabbitmq_payload");

static const char *const PROPERTY_NAMES[RABBIT_TEXT_PROPERTIES] = {
    [RABBIT_APP_ID] = "app-id",
    [RABBIT_CLUSTER_ID] = "cluster-id",
    [RABBIT_CONTENT_ENCODING] = "content-encoding",
    [RABBIT_CONTENT_TYPE] = "content-type",
    [RABBIT_CORRELATION_ID] = "correlation-id",
    [RABBIT_EXPIRATION] = "expiration",
    [RABBIT_MESSAGE_ID] = "message-id",
    [RABBIT_REPLY_TO] = "reply-to",
    [RABBIT_TYPE] = "type",
    [RABBIT_USER_ID] = "user-id",
};

enum { TABLE_DEPTH_MAX = 16 };

static struct value text_value(struct arena *arena, struct str text)
{
    return value_str_dup(arena, utf8_repair(arena, text));
}

static struct value value_of(struct arena *arena, const struct rabbit_value *from, unsigned depth)
{
    struct str key;
    struct value out = from->kind == RABBIT_LIST ? value_array_new(arena, from->count)
                                                 : value_object_new(arena, from->count);
    switch (from->kind) {
    case RABBIT_NULL:
        return value_null();
    case RABBIT_BOOL:
        return value_bool(from->boolean);
    case RABBIT_INT:
    case RABBIT_TIME:
        return value_int(from->integer);
    case RABBIT_FLOAT:
        return value_float(from->real);
    case RABBIT_TEXT:
        return text_value(arena, from->text);
    case RABBIT_TABLE:
    case RABBIT_LIST:
        break;
    }
    for (size_t i = 0; i < from->count && depth < TABLE_DEPTH_MAX; i++) {
        struct rabbit_value item = rabbit_value_at(from, i, &key);
        struct value inner = value_of(arena, &item, depth + 1);
        if (from->kind == RABBIT_LIST)
            value_array_push(arena, &out, inner);
        else
            value_object_set(arena, &out, arena_dup(arena, utf8_repair(arena, key)), inner);
    }
    return out;
}

static void set_text(struct arena *arena, struct value *object, const char *name, struct str text)
{
    if (text.ptr)
        value_object_set(arena, object, str_from(name), text_value(arena, text));
}

static void set_int(struct arena *arena, struct value *object, const char *name, int64_t number)
{
    if (number >= 0)
        value_object_set(arena, object, str_from(name), value_int(number));
}

static struct value properties_of(struct arena *arena, const struct rabbit_message *message)
{
    const struct rabbit_properties *properties = &message->properties;
    struct value object = value_object_new(arena, 8);
    for (size_t i = 0; i < RABBIT_TEXT_PROPERTIES; i++)
        set_text(arena, &object, PROPERTY_NAMES[i], properties->texts[i]);
    set_text(arena, &object, "consumer-tag", message->consumer_tag);
    set_text(arena, &object, "exchange", message->exchange);
    set_text(arena, &object, "routing-key", message->routing_key);
    set_int(arena, &object, "delivery-mode", properties->delivery_mode);
    set_int(arena, &object, "priority", properties->priority);
    set_int(arena, &object, "timestamp", properties->timestamp);
    value_object_set(arena, &object, STR("redeliver"), value_bool(message->redelivered));
    return object;
}

void rabbitmq_add_metadata(struct event *event, const struct rabbit_message *message,
                           bool with_body)
{
    struct arena *arena = event->arena;
    struct value headers = message->properties.headers.kind == RABBIT_TABLE
                               ? value_of(arena, &message->properties.headers, 0)
                               : value_object_new(arena, 1);
    (void)event_set(event, &HEADERS, headers, NULL);
    (void)event_set(event, &PROPERTIES, properties_of(arena, message), NULL);
    if (with_body)
        (void)event_set(event, &PAYLOAD, text_value(arena, message->body), NULL);
}
