/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/rabbitmq_private.h"

/* ---- the end -------------------------------------------------------------------------------------- */

static void on_released(void *ctx)
{
    struct rabbit *rabbit = ctx;
    amqp_destroy_connection(rabbit->decoder);
    buf_release(&rabbit->texts);
    buf_release(&rabbit->properties);
    buf_release(&rabbit->body);
    empty_amqp_pool(&rabbit->pool);
    mem_free(rabbit);
}

void rabbit_lose(struct rabbit *rabbit, const char *reason)
{
    client_stream_lose(rabbit->stream, reason);
}

bool rabbit_is_lost(const struct rabbit *rabbit)
{
    return rabbit->closing || client_stream_is_lost(rabbit->stream);
}

static void on_lost(void *ctx, const char *reason)
{
    struct rabbit *rabbit = ctx;
    rabbit->options.lost(rabbit->options.ctx, reason);
}

void rabbit_close(struct rabbit *rabbit)
{
    if (!rabbit)
        return;
    assert(!rabbit->closing);
    rabbit->closing = true;
    loop_timer_close(rabbit->heartbeat);
    client_stream_close(rabbit->stream);
}

/* ---- writing -------------------------------------------------------------------------------------- */

void rabbit_send_method(struct rabbit *rabbit, amqp_channel_t channel, amqp_method_number_t id,
                        void *method)
{
    if (rabbit_is_lost(rabbit))
        return;
    if (frame_method(client_stream_out(rabbit->stream), channel, id, method))
        client_stream_flush(rabbit->stream);
    else
        rabbit_lose(rabbit, "names or arguments are longer than AMQP allows");
}

static void on_heartbeat(void *ctx)
{
    struct rabbit *rabbit = ctx;
    if (rabbit_is_lost(rabbit))
        return;
    if (!client_stream_is_paused(rabbit->stream) && ++rabbit->silent_beats > 4) {
        rabbit_lose(rabbit, "the broker is silent: no heartbeat");
        return;
    }
    frame_heartbeat(client_stream_out(rabbit->stream));
    client_stream_flush(rabbit->stream);
    loop_timer_start(rabbit->heartbeat, rabbit->options.heartbeat_s * 500u);
}

/* ---- methods that arrive -------------------------------------------------------------------------- */

static void lose_with_reply(struct rabbit *rabbit, uint16_t code, amqp_bytes_t reply)
{
    char reason[REASON_MAX];
    snprintf(reason, sizeof reason, "the broker says %u %.*s", code, (int)reply.len,
             (const char *)reply.bytes);
    rabbit_lose(rabbit, reason);
}

static void confirmed(struct rabbit *rabbit, uint64_t tag, bool multiple, bool taken)
{
    if (rabbit->options.confirmed && !rabbit->leaving)
        rabbit->options.confirmed(rabbit->options.ctx, tag, multiple, taken);
}

static void blocked(struct rabbit *rabbit, bool on)
{
    if (rabbit->options.blocked)
        rabbit->options.blocked(rabbit->options.ctx, on);
}

static void cancelled(struct rabbit *rabbit)
{
    if (!rabbit->leaving)
        rabbit_lose(rabbit, "the broker ended the consumer: its queue is gone");
}

static void on_close_of(struct rabbit *rabbit, const amqp_method_t *method)
{
    const amqp_connection_close_t *close = method->decoded; /* channel.close has the same members */
    lose_with_reply(rabbit, close->reply_code, close->reply_text);
}

static void on_method(struct rabbit *rabbit, const amqp_method_t *method)
{
    const amqp_basic_ack_t *ack = method->decoded;
    const amqp_basic_nack_t *nack = method->decoded;
    switch (method->id) {
    case AMQP_CONNECTION_CLOSE_METHOD:
    case AMQP_CHANNEL_CLOSE_METHOD:
        on_close_of(rabbit, method);
        return;
    case AMQP_CONNECTION_BLOCKED_METHOD:
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        blocked(rabbit, method->id == AMQP_CONNECTION_BLOCKED_METHOD);
        return;
    case AMQP_CONNECTION_CLOSE_OK_METHOD:
        rabbit_lose(rabbit, "closed");
        return;
    default:
        break;
    }
    if (rabbit->state == RABBIT_GREETING) {
        rabbit_on_greeting(rabbit, method);
        return;
    }
    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
        rabbit_begin_delivery(rabbit, method->decoded);
        break;
    case AMQP_BASIC_RETURN_METHOD:
    case AMQP_BASIC_GET_OK_METHOD:
        rabbit_begin_content(rabbit, false);
        break;
    case AMQP_BASIC_ACK_METHOD:
        confirmed(rabbit, ack->delivery_tag, ack->multiple, true);
        break;
    case AMQP_BASIC_NACK_METHOD:
        confirmed(rabbit, nack->delivery_tag, nack->multiple, false);
        break;
    case AMQP_BASIC_CANCEL_METHOD:
        cancelled(rabbit);
        break;
    default:
        rabbit_on_step(rabbit, method);
    }
}

/* ---- reading -------------------------------------------------------------------------------------- */

static void on_frame(struct rabbit *rabbit, const amqp_frame_t *frame)
{
    rabbit->silent_beats = 0;
    switch (frame->frame_type) {
    case AMQP_FRAME_METHOD:
        if (rabbit->has_content)
            rabbit_lose(rabbit, "the broker sends a method within a message");
        else
            on_method(rabbit, &frame->payload.method);
        break;
    case AMQP_FRAME_HEADER:
        rabbit_on_header(rabbit, frame);
        break;
    case AMQP_FRAME_BODY:
        rabbit_on_body(rabbit, frame->payload.body_fragment);
        break;
    case AMQP_FRAME_HEARTBEAT:
        break;
    default: /* a protocol header of another version */
        rabbit_lose(rabbit, "the server does not speak AMQP 0-9-1");
    }
}

static void decode(struct rabbit *rabbit, struct str bytes)
{
    while (bytes.len > 0 && !rabbit_is_lost(rabbit)) {
        amqp_frame_t frame;
        int used = amqp_handle_input(rabbit->decoder, rabbit_bytes(bytes), &frame);
        if (used < 0) {
            rabbit_lose(rabbit, amqp_error_string2(used));
            return;
        }
        bytes = str_from_offset(bytes, (size_t)used);
        if (frame.frame_type != 0)
            on_frame(rabbit, &frame);
        else if (used == 0)
            return;
        amqp_maybe_release_buffers(rabbit->decoder);
    }
}

static void on_read(void *ctx, struct str bytes)
{
    struct rabbit *rabbit = ctx;
    decode(rabbit, bytes);
    if (rabbit->state == RABBIT_READY && !rabbit_is_lost(rabbit) && !rabbit->leaving &&
        rabbit->options.rested)
        rabbit->options.rested(rabbit->options.ctx);
}

void rabbit_pause(struct rabbit *rabbit, bool on)
{
    if (client_stream_is_paused(rabbit->stream) != on)
        rabbit->silent_beats = 0;
    client_stream_pause(rabbit->stream, on);
}

/* ---- connecting ----------------------------------------------------------------------------------- */

static void greet(void *ctx)
{
    struct rabbit *rabbit = ctx;
    rabbit->state = RABBIT_GREETING;
    bool fits = buf_append(client_stream_out(rabbit->stream), "AMQP\0\0\x09\x01", 8);
    assert(fits);
    (void)fits;
    client_stream_flush(rabbit->stream);
}

static void open_stream(struct rabbit *rabbit)
{
    const struct rabbit_options *options = &rabbit->options;
    struct client_stream_options stream = {
        .loop = options->loop,
        .host = options->host,
        .port = options->port,
        .tls = options->tls,
        .connect_timeout_ms = options->timeout_ms,
        .out_max_bytes = OUT_MAX,
        .peer = "broker",
        .ctx = rabbit,
        .connected = greet,
        .read = on_read,
        .lost = on_lost,
        .released = on_released,
    };
    rabbit->stream = client_stream_new(&stream);
    client_stream_wait(rabbit->stream, options->timeout_ms);
}

struct rabbit *rabbit_connect(const struct rabbit_options *options)
{
    struct rabbit *rabbit = mem_zero(1, sizeof *rabbit);
    rabbit->options = *options;
    rabbit->decoder = amqp_new_connection();
    if (!rabbit->decoder)
        mem_abort("amqp_new_connection");
    rabbit->heartbeat = loop_timer_new(options->loop, on_heartbeat, rabbit);
    buf_init(&rabbit->texts, RABBIT_KEEP_BYTES);
    buf_init(&rabbit->properties, RABBIT_KEEP_BYTES);
    init_amqp_pool(&rabbit->pool, POOL_PAGE_BYTES);
    buf_init(&rabbit->body, options->max_message_bytes);
    if (options->setup->queue)
        snprintf(rabbit->queue, sizeof rabbit->queue, "%s", options->setup->queue);
    open_stream(rabbit);
    return rabbit;
}

void rabbit_leave(struct rabbit *rabbit)
{
    amqp_connection_close_t close = {.reply_code = AMQP_REPLY_SUCCESS,
                                     .reply_text = rabbit_bytes(STR("bye"))};
    assert(!rabbit->leaving && !rabbit->closing);
    rabbit->leaving = true;
    if (rabbit->state != RABBIT_READY) {
        rabbit_lose(rabbit, "closed");
        return;
    }
    rabbit_pause(rabbit, false); /* what is not read would make the socket's end a reset */
    rabbit_send_method(rabbit, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
    client_stream_wait(rabbit->stream, LEAVE_MS);
}

/* ---- what the owner sends ------------------------------------------------------------------------- */

void rabbit_ack(struct rabbit *rabbit, uint64_t tag)
{
    amqp_basic_ack_t ack = {.delivery_tag = tag, .multiple = true};
    rabbit_send_method(rabbit, RABBIT_CHANNEL, AMQP_BASIC_ACK_METHOD, &ack);
}

void rabbit_reject(struct rabbit *rabbit, uint64_t tag)
{
    amqp_basic_reject_t reject = {.delivery_tag = tag, .requeue = false};
    rabbit_send_method(rabbit, RABBIT_CHANNEL, AMQP_BASIC_REJECT_METHOD, &reject);
}

uint64_t rabbit_publish(struct rabbit *rabbit, struct str exchange, struct str routing_key,
                        const struct rabbit_properties *properties, struct str body)
{
    amqp_table_entry_t entries[RABBIT_TABLE_MAX];
    amqp_basic_properties_t header;
    amqp_basic_publish_t publish = {.exchange = rabbit_bytes(exchange),
                                    .routing_key = rabbit_bytes(routing_key)};
    struct buf *out = client_stream_out(rabbit->stream);
    size_t before = out->len;
    assert(rabbit->state == RABBIT_READY || rabbit_is_lost(rabbit));
    rabbit_properties_write(properties, entries, &header);
    if (!frame_method(out, RABBIT_CHANNEL, AMQP_BASIC_PUBLISH_METHOD, &publish) ||
        !frame_header(out, &header, body.len)) {
        out->len = before;
        return 0;
    }
    frames_body(out, body, rabbit->frame_max);
    client_stream_flush(rabbit->stream);
    return ++rabbit->published;
}
