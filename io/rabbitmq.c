/* SPDX-License-Identifier: Apache-2.0 */
#include "io/rabbitmq.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/connector.h"
#include "io/loop_timer.h"
#include "io/rabbitmq_frames.h"

enum {
    READ_BYTES = 64 * 1024,
    OUT_KEEP_BYTES = 256 * 1024,
    OUT_MAX = 1024 * 1024 * 1024,
    REASON_MAX = 300,
    PLAIN_MAX = 512,
    LEAVE_MS = 2000,
    POOL_PAGE_BYTES = 4096,
    FRAME_MIN = 4096, /* the least that the protocol lets a broker ask for */
};

enum rabbit_state {
    RABBIT_CONNECTING,
    RABBIT_GREETING,
    RABBIT_SETTING_UP,
    RABBIT_READY,
    RABBIT_LOST
};

enum setup_step {
    STEP_QOS,
    STEP_QUEUE,
    STEP_EXCHANGE,
    STEP_BIND,
    STEP_CONSUME,
    STEP_CONFIRM,
    STEP_DONE
};

struct rabbit {
    struct rabbit_options options;
    enum rabbit_state state;
    enum setup_step step;
    struct connector *connector;
    struct byte_stream *stream;
    amqp_connection_state_t decoder;
    struct buf out, sending;
    bool writing, paused, leaving, closing, busy, freed;
    size_t frame_max;
    char queue[256]; /* as the broker calls it */
    uint64_t published;

    /* The message that arrives. */
    bool has_content; /* a method that brings content came; its header, then its body follow */
    bool is_delivery, has_header;
    amqp_basic_deliver_t delivery;
    uint64_t body_bytes, body_got;
    /* Copies: the decoder's memory is given back behind each frame. */
    struct buf texts, properties, body; /* of the delivery; of the header, as they came */
    amqp_pool_t pool;                   /* for reading the properties */

    struct loop_timer *timer;     /* of the setup; then the news that it is lost */
    struct loop_timer *heartbeat; /* half of the interval */
    unsigned silent_beats;
    char reason[REASON_MAX];
    unsigned parts;
    char read_buffer[READ_BYTES];
};

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

static void lose(struct rabbit *rabbit, const char *reason)
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
        lose(rabbit, "no answer in time");
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
    buf_clear(&rabbit->out, OUT_KEEP_BYTES);
    rabbit->writing = true;
    if (byte_stream_write(rabbit->stream, buf_str(&rabbit->sending)) != 0)
        lose(rabbit, "the connection broke");
}

static void on_written(void *ctx, int status)
{
    struct rabbit *rabbit = ctx;
    rabbit->writing = false;
    if (rabbit->state == RABBIT_LOST)
        return;
    if (status != 0)
        lose(rabbit, uv_strerror(status));
    else
        write_out(rabbit);
}

static void send_method(struct rabbit *rabbit, amqp_channel_t channel, amqp_method_number_t id,
                        void *method)
{
    if (rabbit->state == RABBIT_LOST)
        return;
    if (frame_method(&rabbit->out, channel, id, method))
        write_out(rabbit);
    else
        lose(rabbit, "names or arguments are longer than AMQP allows");
}

static void on_heartbeat(void *ctx)
{
    struct rabbit *rabbit = ctx;
    if (rabbit->state == RABBIT_LOST)
        return;
    if (!rabbit->paused && ++rabbit->silent_beats > 4) {
        lose(rabbit, "the broker is silent: no heartbeat");
        return;
    }
    frame_heartbeat(&rabbit->out);
    write_out(rabbit);
    loop_timer_start(rabbit->heartbeat, rabbit->options.heartbeat_s * 500u);
}

/* ---- setting up ----------------------------------------------------------------------------------- */

static amqp_bytes_t text(const char *text_or_null)
{
    return rabbit_bytes(str_from(text_or_null ? text_or_null : ""));
}

static void send_qos(struct rabbit *rabbit)
{
    amqp_basic_qos_t qos = {.prefetch_count = rabbit->options.setup->prefetch};
    send_method(rabbit, RABBIT_CHANNEL, AMQP_BASIC_QOS_METHOD, &qos);
}

static void send_queue(struct rabbit *rabbit)
{
    const struct rabbit_setup *setup = rabbit->options.setup;
    amqp_table_entry_t entries[RABBIT_TABLE_MAX];
    amqp_queue_declare_t declare = {
        .queue = text(setup->queue),
        .passive = setup->queue_passive,
        .durable = setup->queue_durable,
        .exclusive = setup->queue_exclusive,
        .auto_delete = setup->queue_auto_delete,
        .arguments = rabbit_table(setup->arguments, setup->argument_count, entries),
    };
    send_method(rabbit, RABBIT_CHANNEL, AMQP_QUEUE_DECLARE_METHOD, &declare);
}

static void send_exchange(struct rabbit *rabbit)
{
    const struct rabbit_setup *setup = rabbit->options.setup;
    amqp_exchange_declare_t declare = {
        .exchange = text(setup->exchange),
        .type = text(setup->exchange_type),
        .passive = setup->exchange_passive,
        .durable = setup->exchange_durable,
    };
    send_method(rabbit, RABBIT_CHANNEL, AMQP_EXCHANGE_DECLARE_METHOD, &declare);
}

static void send_bind(struct rabbit *rabbit)
{
    amqp_queue_bind_t bind = {
        .queue = text(rabbit->queue),
        .exchange = text(rabbit->options.setup->exchange),
        .routing_key = text(rabbit->options.setup->binding),
    };
    send_method(rabbit, RABBIT_CHANNEL, AMQP_QUEUE_BIND_METHOD, &bind);
}

static void send_consume(struct rabbit *rabbit)
{
    amqp_basic_consume_t consume = {
        .queue = text(rabbit->queue),
        .no_ack = !rabbit->options.setup->acknowledges,
    };
    send_method(rabbit, RABBIT_CHANNEL, AMQP_BASIC_CONSUME_METHOD, &consume);
}

static void send_confirm(struct rabbit *rabbit)
{
    amqp_confirm_select_t confirm = {0};
    send_method(rabbit, RABBIT_CHANNEL, AMQP_CONFIRM_SELECT_METHOD, &confirm);
}

static bool needs_qos(const struct rabbit_setup *setup)
{
    return setup->consume && setup->acknowledges && setup->prefetch > 0;
}
static bool needs_queue(const struct rabbit_setup *setup)
{
    return setup->queue != NULL;
}
static bool needs_exchange(const struct rabbit_setup *setup)
{
    return setup->exchange && setup->exchange_type;
}
static bool needs_bind(const struct rabbit_setup *setup)
{
    return setup->exchange && setup->binding;
}
static bool needs_consume(const struct rabbit_setup *setup)
{
    return setup->consume;
}
static bool needs_confirm(const struct rabbit_setup *setup)
{
    return setup->confirm;
}

static const struct {
    bool (*needed)(const struct rabbit_setup *setup);
    void (*send)(struct rabbit *rabbit);
    amqp_method_number_t answer;
} STEPS[STEP_DONE] = {
    [STEP_QOS] = {needs_qos, send_qos, AMQP_BASIC_QOS_OK_METHOD},
    [STEP_QUEUE] = {needs_queue, send_queue, AMQP_QUEUE_DECLARE_OK_METHOD},
    [STEP_EXCHANGE] = {needs_exchange, send_exchange, AMQP_EXCHANGE_DECLARE_OK_METHOD},
    [STEP_BIND] = {needs_bind, send_bind, AMQP_QUEUE_BIND_OK_METHOD},
    [STEP_CONSUME] = {needs_consume, send_consume, AMQP_BASIC_CONSUME_OK_METHOD},
    [STEP_CONFIRM] = {needs_confirm, send_confirm, AMQP_CONFIRM_SELECT_OK_METHOD},
};

/* The next step that the setup has; behind the last it is ready. */
static void set_up_from(struct rabbit *rabbit, enum setup_step step)
{
    while (step < STEP_DONE && !STEPS[step].needed(rabbit->options.setup))
        step++;
    rabbit->step = step;
    if (step < STEP_DONE) {
        STEPS[step].send(rabbit);
        return;
    }
    rabbit->state = RABBIT_READY;
    loop_timer_stop(rabbit->timer);
    rabbit->options.ready(rabbit->options.ctx);
}

/* ---- greeting ------------------------------------------------------------------------------------- */

static void answer_start(struct rabbit *rabbit)
{
    static const struct rabbit_pair ABLE[] = {
        {STR_INIT("publisher_confirms"), {.kind = RABBIT_BOOL, .boolean = true}},
        {STR_INIT("consumer_cancel_notify"), {.kind = RABBIT_BOOL, .boolean = true}},
        {STR_INIT("connection.blocked"), {.kind = RABBIT_BOOL, .boolean = true}},
        {STR_INIT("authentication_failure_close"), {.kind = RABBIT_BOOL, .boolean = true}},
    };
    amqp_table_entry_t able[RABBIT_TABLE_MAX], properties[2];
    char plain[PLAIN_MAX];
    int len = snprintf(plain, sizeof plain, "%c%s%c%s", '\0', rabbit->options.user, '\0',
                       rabbit->options.password);
    if (len < 0 || (size_t)len >= sizeof plain) {
        lose(rabbit, "user and password are longer than 500 bytes");
        return;
    }
    properties[0] = (amqp_table_entry_t){
        .key = text("product"),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = text("millrace")}};
    properties[1] = (amqp_table_entry_t){
        .key = text("capabilities"),
        .value = {.kind = AMQP_FIELD_KIND_TABLE,
                  .value.table = rabbit_table(ABLE, sizeof ABLE / sizeof *ABLE, able)}};
    amqp_connection_start_ok_t start = {
        .client_properties = {.num_entries = 2, .entries = properties},
        .mechanism = text("PLAIN"),
        .response = rabbit_bytes(str_make(plain, (size_t)len)),
        .locale = text("en_US"),
    };
    send_method(rabbit, 0, AMQP_CONNECTION_START_OK_METHOD, &start);
}

static void answer_tune(struct rabbit *rabbit, const amqp_connection_tune_t *tune)
{
    rabbit->frame_max = RABBIT_FRAME_MAX;
    if (tune->frame_max >= FRAME_MIN && tune->frame_max < RABBIT_FRAME_MAX)
        rabbit->frame_max = tune->frame_max;
    amqp_connection_tune_ok_t answer = {
        .channel_max = tune->channel_max,
        .frame_max = (uint32_t)rabbit->frame_max,
        .heartbeat = (uint16_t)rabbit->options.heartbeat_s,
    };
    amqp_connection_open_t open = {.virtual_host = text(rabbit->options.vhost)};
    (void)amqp_tune_connection(rabbit->decoder, 0, RABBIT_FRAME_MAX, 0);
    send_method(rabbit, 0, AMQP_CONNECTION_TUNE_OK_METHOD, &answer);
    send_method(rabbit, 0, AMQP_CONNECTION_OPEN_METHOD, &open);
    if (rabbit->options.heartbeat_s > 0)
        loop_timer_start(rabbit->heartbeat, rabbit->options.heartbeat_s * 500u);
}

static void open_channel(struct rabbit *rabbit)
{
    amqp_channel_open_t open = {.out_of_band = amqp_empty_bytes};
    send_method(rabbit, RABBIT_CHANNEL, AMQP_CHANNEL_OPEN_METHOD, &open);
}

/* ---- methods that arrive -------------------------------------------------------------------------- */

static void lose_with_reply(struct rabbit *rabbit, uint16_t code, amqp_bytes_t reply)
{
    char reason[REASON_MAX];
    snprintf(reason, sizeof reason, "the broker says %u %.*s", code, (int)reply.len,
             (const char *)reply.bytes);
    lose(rabbit, reason);
}

static void keep_queue_name(struct rabbit *rabbit, const amqp_queue_declare_ok_t *declared)
{
    snprintf(rabbit->queue, sizeof rabbit->queue, "%.*s", (int)declared->queue.len,
             (const char *)declared->queue.bytes);
}

static void begin_content(struct rabbit *rabbit, bool is_delivery)
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

static void begin_delivery(struct rabbit *rabbit, const amqp_basic_deliver_t *delivery)
{
    size_t len = delivery->consumer_tag.len + delivery->exchange.len + delivery->routing_key.len;
    buf_clear(&rabbit->texts, OUT_KEEP_BYTES);
    bool fits = buf_reserve(&rabbit->texts, len + 1);
    assert(fits); /* three short strings */
    (void)fits;
    rabbit->delivery = *delivery;
    size_t at = keep_text(rabbit, &rabbit->delivery.consumer_tag, 0);
    at = keep_text(rabbit, &rabbit->delivery.exchange, at);
    at = keep_text(rabbit, &rabbit->delivery.routing_key, at);
    assert(at == len);
    begin_content(rabbit, true);
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
        lose(rabbit, "the broker ended the consumer: its queue is gone");
}

static void on_step(struct rabbit *rabbit, const amqp_method_t *method)
{
    if (rabbit->state != RABBIT_SETTING_UP || rabbit->step >= STEP_DONE ||
        method->id != STEPS[rabbit->step].answer)
        return; /* nothing that concerns us */
    if (method->id == AMQP_QUEUE_DECLARE_OK_METHOD)
        keep_queue_name(rabbit, method->decoded);
    set_up_from(rabbit, rabbit->step + 1);
}

static void on_close_of(struct rabbit *rabbit, const amqp_method_t *method)
{
    const amqp_connection_close_t *close = method->decoded; /* channel.close has the same members */
    lose_with_reply(rabbit, close->reply_code, close->reply_text);
}

static void on_greeting(struct rabbit *rabbit, const amqp_method_t *method)
{
    switch (method->id) {
    case AMQP_CONNECTION_START_METHOD:
        answer_start(rabbit);
        break;
    case AMQP_CONNECTION_TUNE_METHOD:
        answer_tune(rabbit, method->decoded);
        break;
    case AMQP_CONNECTION_OPEN_OK_METHOD:
        open_channel(rabbit);
        break;
    case AMQP_CHANNEL_OPEN_OK_METHOD:
        rabbit->state = RABBIT_SETTING_UP;
        set_up_from(rabbit, STEP_QOS);
        break;
    default:
        lose(rabbit, "the broker greets in an unknown way");
    }
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
        lose(rabbit, "closed");
        return;
    default:
        break;
    }
    if (rabbit->state == RABBIT_GREETING) {
        on_greeting(rabbit, method);
        return;
    }
    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
        begin_delivery(rabbit, method->decoded);
        break;
    case AMQP_BASIC_RETURN_METHOD:
    case AMQP_BASIC_GET_OK_METHOD:
        begin_content(rabbit, false);
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
        on_step(rabbit, method);
    }
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
    buf_clear(&rabbit->body, OUT_KEEP_BYTES);
}

static void on_header(struct rabbit *rabbit, const amqp_frame_t *frame)
{
    if (!rabbit->has_content || rabbit->has_header ||
        frame->payload.properties.class_id != AMQP_BASIC_CLASS) {
        lose(rabbit, "the broker sends a header without a message");
        return;
    }
    rabbit->has_header = true;
    buf_clear(&rabbit->properties, OUT_KEEP_BYTES);
    bool fits = buf_append_str(&rabbit->properties, rabbit_str(frame->payload.properties.raw));
    assert(fits); /* at most a frame */
    (void)fits;
    rabbit->body_bytes = frame->payload.properties.body_size;
    rabbit->body_got = 0;
    buf_clear(&rabbit->body, OUT_KEEP_BYTES);
    if (rabbit->body_bytes == 0)
        tell_message(rabbit);
}

static void on_body(struct rabbit *rabbit, amqp_bytes_t part)
{
    if (!rabbit->has_content || !rabbit->has_header ||
        part.len > rabbit->body_bytes - rabbit->body_got) {
        lose(rabbit, "the broker sends more than a message has");
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

/* ---- reading -------------------------------------------------------------------------------------- */

static void on_frame(struct rabbit *rabbit, const amqp_frame_t *frame)
{
    rabbit->silent_beats = 0;
    switch (frame->frame_type) {
    case AMQP_FRAME_METHOD:
        if (rabbit->has_content)
            lose(rabbit, "the broker sends a method within a message");
        else
            on_method(rabbit, &frame->payload.method);
        break;
    case AMQP_FRAME_HEADER:
        on_header(rabbit, frame);
        break;
    case AMQP_FRAME_BODY:
        on_body(rabbit, frame->payload.body_fragment);
        break;
    case AMQP_FRAME_HEARTBEAT:
        break;
    default: /* a protocol header of another version */
        lose(rabbit, "the server does not speak AMQP 0-9-1");
    }
}

static void decode(struct rabbit *rabbit, struct str bytes)
{
    while (bytes.len > 0 && rabbit->state != RABBIT_LOST) {
        amqp_frame_t frame;
        int used = amqp_handle_input(rabbit->decoder, rabbit_bytes(bytes), &frame);
        if (used < 0) {
            lose(rabbit, amqp_error_string2(used));
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
    lose(ctx, status == UV_EOF ? "the broker closed the connection" : uv_strerror(status));
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
        lose(rabbit, "the connection broke");
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
        lose(rabbit, "the connection broke at once");
}

static void on_failed(void *ctx, const char *reason)
{
    struct rabbit *rabbit = ctx;
    rabbit->connector = NULL;
    lose(rabbit, reason);
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
    buf_init(&rabbit->texts, OUT_KEEP_BYTES);
    buf_init(&rabbit->properties, OUT_KEEP_BYTES);
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
    amqp_connection_close_t close = {.reply_code = AMQP_REPLY_SUCCESS, .reply_text = text("bye")};
    assert(!rabbit->leaving && !rabbit->closing);
    rabbit->leaving = true;
    if (rabbit->state != RABBIT_READY) {
        lose(rabbit, "closed");
        return;
    }
    rabbit_pause(rabbit, false); /* what is not read would make the socket's end a reset */
    send_method(rabbit, 0, AMQP_CONNECTION_CLOSE_METHOD, &close);
    loop_timer_start(rabbit->timer, LEAVE_MS);
}

/* ---- what the owner sends ------------------------------------------------------------------------- */

void rabbit_ack(struct rabbit *rabbit, uint64_t tag)
{
    amqp_basic_ack_t ack = {.delivery_tag = tag, .multiple = true};
    send_method(rabbit, RABBIT_CHANNEL, AMQP_BASIC_ACK_METHOD, &ack);
}

void rabbit_reject(struct rabbit *rabbit, uint64_t tag)
{
    amqp_basic_reject_t reject = {.delivery_tag = tag, .requeue = false};
    send_method(rabbit, RABBIT_CHANNEL, AMQP_BASIC_REJECT_METHOD, &reject);
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
