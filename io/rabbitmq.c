/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/rabbitmq_private.h"

/* ---- the end -------------------------------------------------------------------------------------- */

static void free_if_over(struct rabbit *rabbit)
{
    if (!rabbit->closing || rabbit->parts > 0 || rabbit->busy || rabbit->freed)
        return;
    rabbit->freed = true;
    amqp_destroy_connection(rabbit->decoder);
    buf_release(&rabbit->out);
    buf_release(&rabbit->sending);
    buf_release(&rabbit->texts);
    buf_release(&rabbit->properties);
    buf_release(&rabbit->body);
    empty_amqp_pool(&rabbit->pool);
    mem_free(rabbit);
}

static void on_part_gone(void *ctx)
{
    struct rabbit *rabbit = ctx;
    assert(rabbit->parts > 0);
    rabbit->parts--;
    free_if_over(rabbit);
}

static void drop_connection(struct rabbit *rabbit)
{
    struct connector *connector = rabbit->connector;
    struct byte_stream *stream = rabbit->stream;
    rabbit->connector = NULL;
    rabbit->stream = NULL;
    if (connector) {
        rabbit->parts++;
        connector_cancel(connector, on_part_gone, rabbit);
    }
    if (stream)
        byte_stream_close(stream);
}

void rabbit_lose(struct rabbit *rabbit, const char *reason)
{
    if (rabbit->state == RABBIT_LOST)
        return;
    rabbit->state = RABBIT_LOST;
    snprintf(rabbit->reason, sizeof rabbit->reason, "%s", reason);
    drop_connection(rabbit);
    loop_timer_stop(rabbit->heartbeat);
    loop_timer_start(rabbit->timer, 0);
}

/* Who is told closes the connection, which may be gone at once, and goes on to say why. */
static void tell_lost(struct rabbit *rabbit)
{
    char reason[REASON_MAX];
    memcpy(reason, rabbit->reason, sizeof reason);
    rabbit->options.lost(rabbit->options.ctx, reason);
}

static void on_timer(void *ctx)
{
    struct rabbit *rabbit = ctx;
    if (rabbit->closing)
        return;
    if (rabbit->state == RABBIT_LOST)
        tell_lost(rabbit);
    else
        rabbit_lose(rabbit, "no answer in time");
}

void rabbit_close(struct rabbit *rabbit)
{
    if (!rabbit)
        return;
    assert(!rabbit->closing);
    rabbit->parts++; /* this call itself */
    rabbit->closing = true;
    rabbit->state = RABBIT_LOST;
    loop_timer_close(rabbit->timer);
    loop_timer_close(rabbit->heartbeat);
    drop_connection(rabbit);
    on_part_gone(rabbit);
}

/* ---- writing -------------------------------------------------------------------------------------- */

static void write_out(struct rabbit *rabbit)
{
    if (rabbit->writing || rabbit->busy || rabbit->out.len == 0 || !rabbit->stream)
        return;
    struct buf empty = rabbit->sending;
    rabbit->sending = rabbit->out;
    rabbit->out = empty;
    buf_clear(&rabbit->out, RABBIT_KEEP_BYTES);
    rabbit->writing = true;
    if (byte_stream_write(rabbit->stream, buf_str(&rabbit->sending)) != 0)
        rabbit_lose(rabbit, "the connection broke");
}

static void on_written(void *ctx, int status)
{
    struct rabbit *rabbit = ctx;
    rabbit->writing = false;
    if (rabbit->state == RABBIT_LOST)
        return;
    if (status != 0)
        rabbit_lose(rabbit, uv_strerror(status));
    else
        write_out(rabbit);
}

void rabbit_send_method(struct rabbit *rabbit, amqp_channel_t channel, amqp_method_number_t id,
                        void *method)
{
    if (rabbit->state == RABBIT_LOST)
        return;
    if (frame_method(&rabbit->out, channel, id, method))
        write_out(rabbit);
    else
        rabbit_lose(rabbit, "names or arguments are longer than AMQP allows");
}

static void on_heartbeat(void *ctx)
{
    struct rabbit *rabbit = ctx;
    if (rabbit->state == RABBIT_LOST)
        return;
    if (!rabbit->paused && ++rabbit->silent_beats > 4) {
        rabbit_lose(rabbit, "the broker is silent: no heartbeat");
        return;
    }
    frame_heartbeat(&rabbit->out);
    write_out(rabbit);
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
    while (bytes.len > 0 && rabbit->state != RABBIT_LOST) {
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

static uv_buf_t on_room(void *ctx)
{
    struct rabbit *rabbit = ctx;
    return uv_buf_init(rabbit->read_buffer, sizeof rabbit->read_buffer);
}

static void on_read(void *ctx, struct str bytes)
{
    struct rabbit *rabbit = ctx;
    rabbit->busy = true;
    decode(rabbit, bytes);
    if (rabbit->state == RABBIT_READY && rabbit->options.rested && !rabbit->leaving)
        rabbit->options.rested(rabbit->options.ctx);
    rabbit->busy = false;
    if (rabbit->closing)
        free_if_over(rabbit);
    else if (rabbit->state != RABBIT_LOST)
        write_out(rabbit);
}

static void on_ended(void *ctx, int status)
{
    rabbit_lose(ctx, status == UV_EOF ? "the broker closed the connection" : uv_strerror(status));
}

static const struct byte_stream_handler HANDLER = {
    .room = on_room,
    .read = on_read,
    .ended = on_ended,
    .written = on_written,
    .closed = on_part_gone,
};

void rabbit_pause(struct rabbit *rabbit, bool on)
{
    assert(!rabbit->closing);
    if (rabbit->paused == on || !rabbit->stream)
        return;
    rabbit->paused = on;
    rabbit->silent_beats = 0;
    if (on)
        byte_stream_read_stop(rabbit->stream);
    else if (byte_stream_read_start(rabbit->stream) != 0)
        rabbit_lose(rabbit, "the connection broke");
}

/* ---- connecting ----------------------------------------------------------------------------------- */

static void on_connected(void *ctx, struct byte_stream *stream, const struct peer_address *peer)
{
    struct rabbit *rabbit = ctx;
    (void)peer;
    rabbit->connector = NULL;
    rabbit->stream = stream;
    rabbit->parts++;
    rabbit->state = RABBIT_GREETING;
    bool fits = buf_append(&rabbit->out, "AMQP\0\0\x09\x01", 8);
    assert(fits);
    (void)fits;
    if (byte_stream_read_start(stream) == 0)
        write_out(rabbit);
    else
        rabbit_lose(rabbit, "the connection broke at once");
}

static void on_failed(void *ctx, const char *reason)
{
    struct rabbit *rabbit = ctx;
    rabbit->connector = NULL;
    rabbit_lose(rabbit, reason);
}

struct rabbit *rabbit_connect(const struct rabbit_options *options)
{
    struct rabbit *rabbit = mem_zero(1, sizeof *rabbit);
    rabbit->options = *options;
    rabbit->decoder = amqp_new_connection();
    if (!rabbit->decoder)
        mem_abort("amqp_new_connection");
    rabbit->timer = loop_timer_new(options->loop, on_timer, rabbit);
    rabbit->heartbeat = loop_timer_new(options->loop, on_heartbeat, rabbit);
    buf_init(&rabbit->out, OUT_MAX);
    buf_init(&rabbit->sending, OUT_MAX);
    buf_init(&rabbit->texts, RABBIT_KEEP_BYTES);
    buf_init(&rabbit->properties, RABBIT_KEEP_BYTES);
    init_amqp_pool(&rabbit->pool, POOL_PAGE_BYTES);
    buf_init(&rabbit->body, options->max_message_bytes);
    if (options->setup->queue)
        snprintf(rabbit->queue, sizeof rabbit->queue, "%s", options->setup->queue);
    loop_timer_start(rabbit->timer, options->timeout_ms);
    struct connector_options connector = {
        .loop = options->loop,
        .host = options->host,
        .port = options->port,
        .keep_alive = true,
        .timeout_ms = options->timeout_ms,
        .tls = options->tls,
        .handler = &HANDLER,
        .connected = on_connected,
        .failed = on_failed,
        .ctx = rabbit,
    };
    rabbit->connector = connector_start(&connector);
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
    loop_timer_start(rabbit->timer, LEAVE_MS);
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
    size_t before = rabbit->out.len;
    assert(rabbit->state == RABBIT_READY || rabbit->state == RABBIT_LOST);
    rabbit_properties_write(properties, entries, &header);
    if (!frame_method(&rabbit->out, RABBIT_CHANNEL, AMQP_BASIC_PUBLISH_METHOD, &publish) ||
        !frame_header(&rabbit->out, &header, body.len)) {
        rabbit->out.len = before;
        return 0;
    }
    frames_body(&rabbit->out, body, rabbit->frame_max);
    write_out(rabbit);
    return ++rabbit->published;
}
