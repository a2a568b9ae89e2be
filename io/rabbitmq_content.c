/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "io/rabbitmq_private.h"

void rabbit_begin_content(struct rabbit *rabbit, bool is_delivery)
{
    rabbit->has_content = true;
    rabbit->is_delivery = is_delivery;
    rabbit->has_header = false;
}

/* Moves the text into the copy, behind `at`. */
static size_t keep_text(struct rabbit *rabbit, amqp_bytes_t *bytes, size_t at)
{
    memcpy(rabbit->texts.ptr + at, bytes->bytes, bytes->len);
    bytes->bytes = rabbit->texts.ptr + at;
    return at + bytes->len;
}

void rabbit_begin_delivery(struct rabbit *rabbit, const amqp_basic_deliver_t *delivery)
{
    size_t len = delivery->consumer_tag.len + delivery->exchange.len + delivery->routing_key.len;
    buf_clear(&rabbit->texts, RABBIT_KEEP_BYTES);
    bool fits = buf_reserve(&rabbit->texts, len + 1);
    assert(fits); /* three short strings */
    (void)fits;
    rabbit->delivery = *delivery;
    size_t at = keep_text(rabbit, &rabbit->delivery.consumer_tag, 0);
    at = keep_text(rabbit, &rabbit->delivery.exchange, at);
    at = keep_text(rabbit, &rabbit->delivery.routing_key, at);
    assert(at == len);
    rabbit_begin_content(rabbit, true);
}

/* ---- content -------------------------------------------------------------------------------------- */

static void tell_message(struct rabbit *rabbit)
{
    bool too_long = rabbit->body_bytes > rabbit->options.max_message_bytes;
    rabbit->has_content = false;
    if (!rabbit->is_delivery || !rabbit->options.message || rabbit->leaving)
        return;
    struct rabbit_message message = {
        .tag = rabbit->delivery.delivery_tag,
        .redelivered = rabbit->delivery.redelivered,
        .exchange = rabbit_str(rabbit->delivery.exchange),
        .routing_key = rabbit_str(rabbit->delivery.routing_key),
        .consumer_tag = rabbit_str(rabbit->delivery.consumer_tag),
        .body = buf_str(&rabbit->body),
        .too_long = too_long,
    };
    void *properties;
    int status = amqp_decode_properties(AMQP_BASIC_CLASS, &rabbit->pool,
                                        rabbit_bytes(buf_str(&rabbit->properties)), &properties);
    assert(status == AMQP_STATUS_OK); /* they were read once already */
    (void)status;
    rabbit_properties_read(properties, &message.properties);
    rabbit->options.message(rabbit->options.ctx, &message);
    recycle_amqp_pool(&rabbit->pool);
    buf_clear(&rabbit->body, RABBIT_KEEP_BYTES);
}

void rabbit_on_header(struct rabbit *rabbit, const amqp_frame_t *frame)
{
    if (!rabbit->has_content || rabbit->has_header ||
        frame->payload.properties.class_id != AMQP_BASIC_CLASS) {
        rabbit_lose(rabbit, "the broker sends a header without a message");
        return;
    }
    rabbit->has_header = true;
    buf_clear(&rabbit->properties, RABBIT_KEEP_BYTES);
    bool fits = buf_append_str(&rabbit->properties, rabbit_str(frame->payload.properties.raw));
    assert(fits); /* at most a frame */
    (void)fits;
    rabbit->body_bytes = frame->payload.properties.body_size;
    rabbit->body_got = 0;
    buf_clear(&rabbit->body, RABBIT_KEEP_BYTES);
    if (rabbit->body_bytes == 0)
        tell_message(rabbit);
}

void rabbit_on_body(struct rabbit *rabbit, amqp_bytes_t part)
{
    if (!rabbit->has_content || !rabbit->has_header ||
        part.len > rabbit->body_bytes - rabbit->body_got) {
        rabbit_lose(rabbit, "the broker sends more than a message has");
        return;
    }
    rabbit->body_got += part.len;
    if (rabbit->is_delivery && rabbit->body_bytes <= rabbit->options.max_message_bytes) {
        bool fits = buf_append(&rabbit->body, part.bytes, part.len);
        assert(fits);
        (void)fits;
    }
    if (rabbit->body_got == rabbit->body_bytes)
        tell_message(rabbit);
}
