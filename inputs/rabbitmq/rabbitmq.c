/* SPDX-License-Identifier: Apache-2.0
 *
 * rabbitmq: messages of a queue, acknowledged when every output has their events. Each connection is a stream, whose tokens are
 * the numbers that the broker gives its deliveries.
 *
 *   AWAY ──▶ CONNECTING ──ready──▶ CONSUMING ◀──memory is there── WAITING (reads no more)
 *    ▲            └──────lost──────────┴── or something was thrown away: the broker has to deliver it again ──┐
 *    └──────────────────────────────── connect_retry_interval ────────────────────────────────────────────────┘
 *   stop: nothing is taken any more, but acknowledged ──▶ close: leaves in order, so that the broker reads the last of them
 *
 * Q1. Acknowledged is only up to a token that came back through the stream of this connection: every output has all events
 *     of the messages before it.
 */
#include <assert.h>

#include "base/mem.h"
#include "inputs/inputs.h"
#include "inputs/rabbitmq/fields.h"
#include "io/loop_timer.h"
#include "pipeline/engine/stream.h"
#include "pipeline/rabbitmq_options.h"

enum { ADMITTED_BYTES = 256 * 1024, LOG_WINDOW_MS = 10 * 1000 };

enum metadata_level {
    METADATA_NONE,
    METADATA_BASIC,
    METADATA_EXTENDED,
    METADATA_FALSE,
    METADATA_TRUE
};
enum rabbitmq_state { STATE_AWAY, STATE_CONNECTING, STATE_CONSUMING, STATE_WAITING, STATE_LEAVING };

struct rabbitmq_input {
    struct rabbitmq_client client;
    struct str queue, exchange, exchange_type, key;
    struct option_hash arguments;
    int64_t prefetch_count, max_message_bytes;
    bool durable, auto_delete, exclusive, passive, ack;
    int metadata;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct rabbit_setup setup;
    struct tls_context *tls;
    struct origin origin;
    struct stream *stream; /* of this connection */
    struct rabbit *rabbit;
    struct loop_timer *again;
    enum rabbitmq_state state;
    size_t attempts;
    const struct rabbit_message *message; /* that is decoded */
    uint64_t taken, handed;               /* numbers of deliveries */
    bool stopped;
    struct counter *messages, *too_long;
    struct log_limit log_limit;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static struct rabbitmq_input *input_of(struct origin *origin)
{
    return (struct rabbitmq_input *)(void *)((char *)origin -
                                             offsetof(struct rabbitmq_input, origin));
}

/* ---- messages ------------------------------------------------------------------------------------- */

static void decorate(struct origin *origin, struct event *event)
{
    const struct rabbitmq_input *input = input_of(origin);
    assert(input->message);
    if (input->metadata != METADATA_NONE && input->metadata != METADATA_FALSE)
        rabbitmq_add_metadata(event, input->message, input->metadata == METADATA_EXTENDED);
}

static void hand_over(struct rabbitmq_input *input)
{
    if (input->taken == input->handed)
        return;
    input->handed = input->taken;
    stream_hand_over(input->stream, input->taken);
}

static void refuse(struct rabbitmq_input *input, const struct rabbit_message *message)
{
    uint64_t suppressed;
    counter_add(input->too_long, 1);
    if (log_limit_allow(&input->log_limit, uv_now(input->env->loop), &suppressed))
        log_warn(input->env->log, "message_too_long",
                 "a message is longer than max_message_bytes, and is rejected",
                 LOG_INT("max_message_bytes", input->max_message_bytes),
                 LOG_INT_IF("not_logged_before", suppressed));
    if (input->ack)
        rabbit_reject(input->rabbit, message->tag);
}

static void on_message(void *ctx, const struct rabbit_message *message)
{
    struct rabbitmq_input *input = ctx;
    if (input->stopped)
        return; /* the broker gets it back */
    if (message->too_long) {
        refuse(input, message);
        return;
    }
    counter_add(input->messages, 1);
    input->message = message;
    stream_decode(input->stream, arena_dup(stream_arena(input->stream), message->body));
    stream_flush_codec(input->stream);
    input->message = NULL;
    input->taken = message->tag;
    if (stream_full(input->stream))
        hand_over(input);
}

static void on_rested(void *ctx)
{
    struct rabbitmq_input *input = ctx;
    if (input->stopped || input->state != STATE_CONSUMING)
        return;
    hand_over(input);
    if (stream_admit(input->stream, ADMITTED_BYTES)) {
        stream_rest(input->stream);
        return;
    }
    input->state = STATE_WAITING;
    rabbit_pause(input->rabbit, true);
}

/* ---- the stream ----------------------------------------------------------------------------------- */

static void acked(struct origin *origin, uint64_t token)
{
    struct rabbitmq_input *input = input_of(origin);
    assert(token <= input->handed);
    if (input->ack && input->rabbit)
        rabbit_ack(input->rabbit, token);
}

static void resume(struct origin *origin)
{
    struct rabbitmq_input *input = input_of(origin);
    if (input->state != STATE_WAITING)
        return;
    input->state = STATE_CONSUMING;
    rabbit_pause(input->rabbit, false);
}

static void away(struct rabbitmq_input *input, const char *reason)
{
    uint64_t suppressed;
    rabbit_close(input->rabbit);
    input->rabbit = NULL;
    stream_close(input->stream);
    input->stream = NULL;
    input->state = STATE_AWAY;
    if (input->stopped)
        return;
    if (log_limit_allow(&input->log_limit, uv_now(input->env->loop), &suppressed))
        log_warn(input->env->log, "rabbitmq_lost", "no connection to RabbitMQ, trying again",
                 LOG_CSTR("reason", reason), LOG_INT_IF("not_logged_before", suppressed));
    loop_timer_start(input->again, (uint64_t)input->client.retry_ms);
}

static void abandoned(struct origin *origin)
{
    away(input_of(origin), "events were not delivered: the broker is to send them again");
}

static struct stream *open_stream(struct rabbitmq_input *input, struct error *err)
{
    input->origin = (struct origin){.acked = acked, .abandoned = abandoned, .resume = resume};
    struct stream_options options = {
        .env = input->env,
        .origin = &input->origin,
        .codec = input->codec,
        .codec_default = "json",
        .decorate = decorate,
    };
    return stream_open(&options, err);
}

/* ---- the connection ------------------------------------------------------------------------------- */

static void on_ready(void *ctx)
{
    struct rabbitmq_input *input = ctx;
    input->state = STATE_CONSUMING;
    log_info(input->env->log, "rabbitmq_connected", "consuming from RabbitMQ",
             LOG_STR("queue", input->queue));
}

static void on_lost(void *ctx, const char *reason)
{
    struct rabbitmq_input *input = ctx;
    bool left = input->state == STATE_LEAVING;
    away(input, reason);
    if (left)
        input->closed(input->closed_ctx);
}

static void connect_now(void *ctx)
{
    struct rabbitmq_input *input = ctx;
    struct error err;
    struct rabbit_options options = {
        .loop = input->env->loop,
        .tls = input->tls,
        .max_message_bytes = (size_t)input->max_message_bytes,
        .setup = &input->setup,
        .ctx = input,
        .ready = on_ready,
        .lost = on_lost,
        .message = on_message,
        .rested = on_rested,
    };
    assert(!input->stream && !input->rabbit);
    input->stream = open_stream(input, &err);
    if (!input->stream)
        mem_abort("a codec that could be opened at the start cannot be opened again");
    input->taken = input->handed = 0;
    rabbitmq_client_fill(&input->client, input->env->arena, input->attempts++, &options);
    input->state = STATE_CONNECTING;
    input->rabbit = rabbit_connect(&options);
}

/* ---- the input ------------------------------------------------------------------------------------ */

static bool rabbitmq_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct rabbitmq_input *input = self;
    struct rabbit_pair *pairs;
    if (input->exchange_type.len > 0 && input->exchange.len == 0)
        return error_set(err, ERROR_CONFIG, "exchange_type needs exchange");
    return rabbitmq_client_check(&input->client, err) &&
           rabbitmq_pairs("arguments", input->arguments.pairs, input->arguments.count, env->arena,
                          &pairs, err);
}

static bool make_setup(struct rabbitmq_input *input, struct error *err)
{
    struct rabbit_pair *arguments;
    if (!rabbitmq_pairs("arguments", input->arguments.pairs, input->arguments.count,
                        input->env->arena, &arguments, err))
        return false;
    bool bound = input->exchange.len > 0;
    input->setup = (struct rabbit_setup){
        .exchange = bound ? input->exchange.ptr : NULL,
        .exchange_type = input->exchange_type.len > 0 ? input->exchange_type.ptr : NULL,
        .exchange_durable = input->durable,
        .queue = input->queue.len > 0 ? input->queue.ptr : "",
        .queue_durable = input->durable,
        .queue_exclusive = input->exclusive,
        .queue_auto_delete = input->auto_delete,
        .queue_passive = input->passive,
        .arguments = arguments,
        .argument_count = input->arguments.count,
        .binding = bound ? input->key.ptr : NULL,
        .consume = true,
        .acknowledges = input->ack,
        .prefetch = (uint16_t)input->prefetch_count,
    };
    return true;
}

static bool rabbitmq_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct rabbitmq_input *input = self;
    int64_t most = (int64_t)env->settings->max_event_bytes;
    input->env = env;
    input->messages = env->counter(env, "messages");
    input->too_long = env->counter(env, "messages_too_long");
    input->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    if (input->max_message_bytes > most)
        input->max_message_bytes = most;
    if (!make_setup(input, err) ||
        !rabbitmq_client_tls(&input->client, env->arena, &input->tls, err))
        return false;
    struct stream *stream = open_stream(input, err); /* whether the codec can be opened */
    stream_close(stream);
    return stream != NULL;
}

static bool rabbitmq_start(void *self, struct error *err)
{
    struct rabbitmq_input *input = self;
    (void)err;
    input->again = loop_timer_new(input->env->loop, connect_now, input);
    connect_now(input);
    return true;
}

static void rabbitmq_stop(void *self)
{
    struct rabbitmq_input *input = self;
    if (input->stopped)
        return;
    if (input->stream)
        hand_over(input);
    input->stopped = true;
    if (input->again)
        loop_timer_stop(input->again);
    if (input->rabbit)
        rabbit_pause(input->rabbit, true);
    input_finished(input->env);
}

static void rabbitmq_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct rabbitmq_input *input = self;
    input->closed = closed;
    input->closed_ctx = ctx;
    input->stopped = true;
    loop_timer_close(input->again);
    input->again = NULL;
    tls_context_free(input->tls);
    if (!input->rabbit) {
        stream_close(input->stream);
        closed(ctx);
        return;
    }
    input->state = STATE_LEAVING;
    rabbit_leave(input->rabbit);
}

#define ROW(kind, member) OPTION_IN_##kind(struct rabbitmq_input, member)

static const char *const LEVELS[] = {"none", "basic", "extended", "false", "true", NULL};

static const struct option rabbitmq_rows[] = {
    RABBITMQ_CLIENT_OPTIONS(struct rabbitmq_input, client),
    {
        .name = "queue",
        .doc = "The queue; without a name the broker gives it one.",
        ROW(STRING, queue),
        .def = "",
    },
    {
        .name = "durable",
        .doc = "The queue, and an exchange that is declared, outlive the broker.",
        ROW(BOOL, durable),
        .def = "false",
    },
    {
        .name = "auto_delete",
        .doc = "The queue goes with its last consumer.",
        ROW(BOOL, auto_delete),
        .def = "false",
    },
    {
        .name = "exclusive",
        .doc = "Nobody else may use the queue.",
        ROW(BOOL, exclusive),
        .def = "false",
    },
    {
        .name = "passive",
        .doc = "The queue must be there.",
        ROW(BOOL, passive),
        .def = "false",
    },
    {
        .name = "arguments",
        .doc = "Further arguments of the queue.",
        ROW(HASH, arguments),
    },
    {
        .name = "exchange",
        .doc = "The exchange that feeds the queue.",
        ROW(STRING, exchange),
    },
    {
        .name = "exchange_type",
        .doc = "Declare the exchange, with this type.",
        ROW(STRING, exchange_type),
    },
    {
        .name = "key",
        .doc = "The routing key that binds the queue to the exchange.",
        ROW(STRING, key),
        .def = "logstash",
    },
    {
        .name = "prefetch_count",
        .doc = "Messages that are under way without an acknowledgement; 0: any number.",
        ROW(INT, prefetch_count),
        .min = 0,
        .max = 65535,
        .def = "256",
    },
    {
        .name = "ack",
        .doc = "Acknowledge messages, when every output has their events; else the broker forgets "
               "them when it has sent them.",
        ROW(BOOL, ack),
        .def = "true",
    },
    {
        .name = "metadata_enabled",
        .doc = "Headers and properties in [@metadata][rabbitmq_headers] and [rabbitmq_properties] "
               "(basic, "
               "true); the text too in [rabbitmq_payload] (extended).",
        ROW(CHOICE, metadata),
        .choices = LEVELS,
        .def = "none",
    },
    {
        .name = "subscription_retry_interval_seconds",
        .doc = "Seconds after which consuming is tried again.",
        .note = "use connect_retry_interval",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "max_message_bytes",
        .doc = "Longest message; longer ones are rejected and counted.",
        ROW(BYTES, max_message_bytes),
        .min = 1024,
        .max = 268435456,
        .def = "16 MiB",
    },
    {
        .name = "codec",
        .doc = "How a message becomes events; json when not given.",
        ROW(CODEC, codec),
    },
    {
        .name = "threads",
        .doc = "How many connections consume.",
        .note = "one does, the work on the events is spread over pipeline.workers",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    OPTION_END,
};

const struct input input_rabbitmq = {
    .plugin = {.name = "rabbitmq",
               .summary = "messages of a queue of RabbitMQ",
               .options = rabbitmq_rows,
               .size = sizeof(struct rabbitmq_input),
               .scope = SCOPE_PIPELINE,
               .check = rabbitmq_check},
    .open = rabbitmq_open,
    .start = rabbitmq_start,
    .stop = rabbitmq_stop,
    .close = rabbitmq_close,
    .codec_default = "json",
};
