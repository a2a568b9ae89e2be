/* SPDX-License-Identifier: Apache-2.0
 *
 * rabbitmq: a message for each event, published to an exchange and delivered when the broker confirms it. An item of a group is
 * the routing key, then each property that comes from the event, all with their lengths in four bytes, and then the message.
 *
 *   AWAY ──send──▶ CONNECTING ──ready──▶ READY ──send──▶ PUBLISHED ──all are confirmed──▶ READY
 *     ▲                 └────────────────── lost ───────────────────┘
 *     └── the group is given back: what was not confirmed goes again; its pause is connect_retry_interval
 *
 * P1. An item is delivered when the broker has confirmed its number; of a lost connection only those that were.
 */
#include <assert.h>

#include "base/mem.h"
#include "outputs/describe.h"
#include "outputs/item_parts.h"
#include "outputs/outputs.h"
#include "outputs/rabbitmq/properties.h"
#include "pipeline/delivery/group.h"
#include "pipeline/program/evaluate.h"
#include "pipeline/rabbitmq_options.h"

enum {
    GROUP_ITEMS = 1000,
    GROUP_BYTES = 1024 * 1024,
    FLUSH_MS = 5,
    RETRY_MAX_MS = 60 * 1000,
    LOG_WINDOW_MS = 10 * 1000,
};

struct rabbitmq_output {
    struct rabbitmq_client client;
    struct str exchange;
    int exchange_type;
    struct template key;
    bool durable, persistent, passive;
    struct option_hash arguments, message_properties;
    const struct conf_plugin *codec_option;

    const struct plugin_env *env;
    struct codec_instance codec;
    struct properties properties;
    struct rabbit_setup setup;
    struct tls_context *tls;
    struct rabbit *rabbit;
    bool ready, is_blocked;
    size_t attempts;
    struct group *group;
    uint64_t first;   /* the number of its first item */
    size_t confirmed; /* items of it that are answered for */
    bool *answered;   /* each of them */
    struct log_limit log_limit;
};

static const char *const TYPES[] = {"fanout",         "direct", "topic", "x-consistent-hash",
                                    "x-modulus-hash", NULL};

/* ---- items ---------------------------------------------------------------------------------------- */

static enum encode_result rabbitmq_encode(void *self, const struct event *event,
                                          struct arena *scratch, struct buf *out, struct error *err)
{
    struct rabbitmq_output *output = self;
    struct str key;
    if (!properties_fill_in(&output->key, PROPERTY_SHORT_TEXT_MAX, event, scratch, &key, err))
        return ENCODE_REFUSED;
    if (!item_append_part(out, key))
        return ENCODE_FULL;
    enum encode_result result = properties_append(&output->properties, event, scratch, out, err);
    if (result != ENCODE_DONE)
        return result;
    return codec_encode(&output->codec, event, scratch, out, err);
}

static uint32_t rabbitmq_form(const void *self)
{
    const struct rabbitmq_output *output = self;
    return properties_form(&output->properties);
}

/* ---- giving back ---------------------------------------------------------------------------------- */

static void give_back(struct rabbitmq_output *output, enum send_cause cause, const char *reason)
{
    struct group *group = output->group;
    struct send_result result = {.cause = cause, .reason = str_from(reason)};
    output->group = NULL;
    mem_free(output->answered);
    output->answered = NULL;
    group_done(group, &result);
}

static void disconnect(struct rabbitmq_output *output)
{
    rabbit_close(output->rabbit);
    output->rabbit = NULL;
    output->ready = output->is_blocked = false;
}

static void give_up(struct rabbitmq_output *output, enum send_cause cause, const char *reason)
{
    disconnect(output);
    if (!output->group)
        return;
    if (output->confirmed == 0) {
        give_back(output, cause, reason);
        return;
    }
    for (size_t i = 0; i < group_count(output->group); i++)
        if (!output->answered[i])
            group_answer(output->group, i, VERDICT_RETRY, str_from(reason));
    give_back(output, SEND_ANSWERED, "");
}

static void warn(struct rabbitmq_output *output, const char *sentence, const char *reason)
{
    uint64_t suppressed;
    if (log_limit_allow(&output->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(output->env->log, "rabbitmq_waits", sentence, LOG_CSTR("reason", reason),
                 LOG_INT_IF("not_logged_before", suppressed));
}

static void on_lost(void *ctx, const char *reason)
{
    struct rabbitmq_output *output = ctx;
    warn(output, "no connection to RabbitMQ, trying again", reason);
    give_up(output, SEND_UNREACHABLE, reason);
}

/* ---- publishing ----------------------------------------------------------------------------------- */

static void answer(struct rabbitmq_output *output, size_t index, enum verdict verdict,
                   struct str reason)
{
    if (output->answered[index])
        return;
    output->answered[index] = true;
    output->confirmed++;
    group_answer(output->group, index, verdict, reason);
}

static void finish_when_confirmed(struct rabbitmq_output *output)
{
    if (output->group && output->confirmed == group_count(output->group))
        give_back(output, SEND_ANSWERED, "");
}

/* Numbers of a group that was given back are behind us. */
static void on_confirmed(void *ctx, uint64_t tag, bool multiple, bool taken)
{
    struct rabbitmq_output *output = ctx;
    if (!output->group || !output->answered || tag < output->first)
        return;
    size_t last = (size_t)(tag - output->first), count = group_count(output->group);
    if (last >= count)
        last = count - 1;
    for (size_t i = multiple ? 0 : last; i <= last; i++)
        answer(output, i, taken ? VERDICT_DELIVERED : VERDICT_RETRY,
               taken ? STR("") : STR("the broker could not take the message"));
    finish_when_confirmed(output);
}

static void publish_group(struct rabbitmq_output *output)
{
    struct rabbit_pair headers[RABBIT_TABLE_MAX];
    size_t count = group_count(output->group);
    output->answered = mem_zero(count, sizeof *output->answered);
    output->confirmed = 0;
    output->first = 0;
    for (size_t i = 0; i < count; i++) {
        struct rabbit_properties properties = {
            .delivery_mode = output->persistent ? 2 : 1, .priority = -1, .timestamp = -1};
        struct str item = group_item(output->group, i), key = item_take_part(&item);
        properties_read(&output->properties, &item, headers, &properties);
        uint64_t number = rabbit_publish(output->rabbit, output->exchange, key, &properties, item);
        if (i == 0)
            output->first = number;
        assert(number > 0 && number == output->first + i); /* its properties fit: rabbitmq_encode */
    }
}

/* ---- connecting ----------------------------------------------------------------------------------- */

static void on_ready(void *ctx)
{
    struct rabbitmq_output *output = ctx;
    output->ready = true;
    if (output->group && !output->answered && !output->is_blocked)
        publish_group(output);
}

static void on_blocked(void *ctx, bool on)
{
    struct rabbitmq_output *output = ctx;
    output->is_blocked = on;
    if (on)
        warn(output, "the broker takes no messages for now", "it is out of memory or disk");
    else if (output->ready && output->group && !output->answered)
        publish_group(output);
}

static void connect_now(struct rabbitmq_output *output)
{
    struct rabbit_options options = {
        .loop = output->env->loop,
        .tls = output->tls,
        .max_message_bytes = GROUP_BYTES,
        .setup = &output->setup,
        .ctx = output,
        .ready = on_ready,
        .lost = on_lost,
        .confirmed = on_confirmed,
        .blocked = on_blocked,
    };
    rabbitmq_client_fill(&output->client, output->env->arena, output->attempts++, &options);
    output->rabbit = rabbit_connect(&options);
}

static void rabbitmq_send(void *self, struct group *group)
{
    struct rabbitmq_output *output = self;
    assert(!output->group && !output->answered);
    output->group = group;
    output->confirmed = 0;
    if (!output->rabbit)
        connect_now(output);
    else if (output->ready && !output->is_blocked)
        publish_group(output);
}

/* While there is no connection, and while the broker takes nothing, nothing of the group has gone. */
static void rabbitmq_recall(void *self)
{
    struct rabbitmq_output *output = self;
    if (output->group && !output->answered && group_waits_too_long(output->group))
        give_back(output, SEND_STOPPED, "");
}

static void rabbitmq_stop(void *self)
{
    give_up(self, SEND_STOPPED, "the output stops");
}

/* ---- the output ----------------------------------------------------------------------------------- */

static bool rabbitmq_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct rabbitmq_output *output = self;
    struct properties properties;
    return rabbitmq_client_check(&output->client, err) &&
           properties_compile(env, &output->message_properties, &properties, err);
}

static bool rabbitmq_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct rabbitmq_output *output = self;
    return properties_compile(env, &output->message_properties, &output->properties, err) &&
           codec_open_writer(env, output->codec_option, "json", &output->codec, err);
}

static bool rabbitmq_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                          struct error *err)
{
    struct rabbitmq_output *output = self;
    unsigned retry_ms = (unsigned)output->client.retry_ms;
    output->env = env;
    output->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    output->setup = (struct rabbit_setup){
        .exchange = output->exchange.ptr,
        .exchange_type = TYPES[output->exchange_type],
        .exchange_durable = output->durable,
        .exchange_passive = output->passive,
        .confirm = true,
    };
    *limits = (struct output_limits){
        .max_items = GROUP_ITEMS,
        .max_bytes = GROUP_BYTES,
        .max_in_flight = 1,
        .flush_ms = FLUSH_MS,
        .retry_initial_ms = retry_ms,
        .retry_max_ms = retry_ms > RETRY_MAX_MS ? retry_ms : RETRY_MAX_MS,
    };
    return rabbitmq_client_tls(&output->client, env->arena, &output->tls, err);
}

static void rabbitmq_close(void *self)
{
    struct rabbitmq_output *output = self;
    assert(!output->group);
    disconnect(output);
    tls_context_free(output->tls);
    output->tls = NULL;
}

static void rabbitmq_close_encoder(void *self)
{
    struct rabbitmq_output *output = self;
    codec_close(&output->codec);
}

#define ROW(kind, member) OPTION_IN_##kind(struct rabbitmq_output, member)

static const struct option rabbitmq_rows[] = {
    RABBITMQ_CLIENT_OPTIONS(struct rabbitmq_output, client),
    {
        .name = "exchange",
        .doc = "The exchange that messages are published to; it is declared.",
        ROW(STRING, exchange),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "exchange_type",
        .doc = "Its type.",
        ROW(CHOICE, exchange_type),
        .choices = TYPES,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "key",
        .doc = "The routing key; may come from the event.",
        ROW(TEMPLATE, key),
        .def = "logstash",
    },
    {
        .name = "durable",
        .doc = "The exchange outlives the broker.",
        ROW(BOOL, durable),
        .def = "true",
    },
    {
        .name = "passive",
        .doc = "The exchange must be there.",
        ROW(BOOL, passive),
        .def = "false",
    },
    {
        .name = "persistent",
        .doc = "Messages outlive the broker.",
        ROW(BOOL, persistent),
        .def = "true",
    },
    {
        .name = "message_properties",
        .doc = "Properties of messages: content_type, priority, headers and so on; values may come "
               "from "
               "the event.",
        ROW(HASH, message_properties),
    },
    {
        .name = "arguments",
        .doc = "Further arguments.",
        .note = "an exchange is declared without any",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "codec",
        .doc = "How an event becomes a message; json when not given.",
        ROW(CODEC, codec_option),
    },
    OPTION_END,
};

static struct str rabbitmq_describe_item(const void *self, struct str item, struct arena *arena,
                                         struct value *object)
{
    const struct rabbitmq_output *output = self;
    struct str key = item_take_part(&item);
    describe_text(arena, object, "exchange", output->exchange);
    describe_text(arena, object, "key", key);
    properties_describe(&output->properties, &item, arena, object);
    return item;
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"port",
                                      "vhost",
                                      "heartbeat",
                                      "connection_timeout",
                                      "connect_retry_interval",
                                      "automatic_recovery",
                                      "durable",
                                      "passive",
                                      "arguments",
                                      NULL};

const struct output output_rabbitmq = {
    .plugin = {.name = "rabbitmq",
               .summary = "messages to an exchange of RabbitMQ, confirmed by the broker",
               .options = rabbitmq_rows,
               .size = sizeof(struct rabbitmq_output),
               .shared_size = sizeof(struct codec_shared),
               .scope = SCOPE_LANE,
               .check = rabbitmq_check},
    .sent_by = SENT_BY,
    .open_encoder = rabbitmq_open_encoder,
    .open = rabbitmq_open,
    .encode = rabbitmq_encode,
    .form = rabbitmq_form,
    .describe_item = rabbitmq_describe_item,
    .send = rabbitmq_send,
    .recall = rabbitmq_recall,
    .stop = rabbitmq_stop,
    .close = rabbitmq_close,
    .close_encoder = rabbitmq_close_encoder,
};
