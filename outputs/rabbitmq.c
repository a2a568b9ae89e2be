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
#include "base/murmur3.h"
#include "outputs/describe.h"
#include "outputs/item_parts.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"
#include "pipeline/program/evaluate.h"
#include "pipeline/rabbitmq_options.h"

enum {
    FORM_LIMIT = (1 << 24) - 1,
    GROUP_ITEMS = 1000,
    GROUP_BYTES = 1024 * 1024,
    FLUSH_MS = 5,
    RETRY_MAX_MS = 60 * 1000,
    LOG_WINDOW_MS = 10 * 1000,
    SHORT_TEXT_MAX = 255,          /* of a routing key and most properties, by the protocol */
    HEADERS_BYTES_MAX = 64 * 1024, /* so that they fit into a frame */
    PROPERTIES_MAX = RABBIT_TEXT_PROPERTIES + 3 + RABBIT_TABLE_MAX,
};

/* Which property a setting is: one of enum rabbit_property, or these. */
enum { SET_DELIVERY_MODE = RABBIT_TEXT_PROPERTIES, SET_PRIORITY, SET_TIMESTAMP, SET_HEADER };

struct setting {
    int property;
    struct str header; /* its name */
    bool is_number;    /* a header that stays one when it is written as one */
    struct template text;
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
    struct setting *settings;
    size_t setting_count;
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

/* ---- settings ------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int property;
} NAMES[] = {
    {"app_id", RABBIT_APP_ID},
    {"cluster_id", RABBIT_CLUSTER_ID},
    {"content_encoding", RABBIT_CONTENT_ENCODING},
    {"content_type", RABBIT_CONTENT_TYPE},
    {"correlation_id", RABBIT_CORRELATION_ID},
    {"expiration", RABBIT_EXPIRATION},
    {"message_id", RABBIT_MESSAGE_ID},
    {"reply_to", RABBIT_REPLY_TO},
    {"type", RABBIT_TYPE},
    {"user_id", RABBIT_USER_ID},
    {"delivery_mode", SET_DELIVERY_MODE},
    {"priority", SET_PRIORITY},
    {"timestamp", SET_TIMESTAMP},
};

static int property_of(struct str name)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        if (str_equal(name, str_from(NAMES[i].name)))
            return NAMES[i].property;
    return -1;
}

static bool add_setting(struct rabbitmq_output *output, const struct plugin_env *env, int property,
                        struct str header, const struct conf_value *value, struct error *err)
{
    if (output->setting_count == PROPERTIES_MAX)
        return error_set(err, ERROR_CONFIG, "message_properties: too many");
    if (!value->text.ptr)
        return error_set(err, ERROR_CONFIG, "message_properties needs texts and numbers");
    struct setting *setting = &output->settings[output->setting_count++];
    *setting = (struct setting){
        .property = property, .header = header, .is_number = value->type == CONF_NUMBER};
    template_parse(env->arena, value->text, env->settings->escape, &setting->text);
    return true;
}

static bool add_headers(struct rabbitmq_output *output, const struct plugin_env *env,
                        const struct conf_value *value, struct error *err)
{
    if (value->type != CONF_HASH || value->count > RABBIT_TABLE_MAX)
        return error_set(err, ERROR_CONFIG,
                         "message_properties: headers is a hash of at most %d entries",
                         RABBIT_TABLE_MAX);
    for (size_t i = 0; i < value->count; i++)
        if (!add_setting(output, env, SET_HEADER, value->pairs[i].key.text, &value->pairs[i].value,
                         err))
            return false;
    return true;
}

static bool compile_settings(struct rabbitmq_output *output, const struct plugin_env *env,
                             struct error *err)
{
    output->settings = arena_zero(env->arena, PROPERTIES_MAX * sizeof *output->settings);
    output->setting_count = 0;
    for (size_t i = 0; i < output->message_properties.count; i++) {
        const struct conf_pair *pair = &output->message_properties.pairs[i];
        int property = property_of(pair->key.text);
        bool is_headers = str_equal(pair->key.text, STR("headers"));
        if (property < 0 && !is_headers)
            return error_set(err, ERROR_CONFIG, "message_properties: '%.*s' is none",
                             STR_FMT(pair->key.text));
        if (is_headers ? !add_headers(output, env, &pair->value, err)
                       : !add_setting(output, env, property, STR(""), &pair->value, err))
            return false;
    }
    return true;
}

/* ---- items ---------------------------------------------------------------------------------------- */

/* *text_out: made of the template. False when it cannot be, or is too long for its place. */
static bool fill_in(const struct template *template, size_t max_bytes, const struct event *event,
                    struct arena *scratch, struct str *text_out, struct error *err)
{
    return (template_text(template, event, scratch, text_out) && text_out->len <= max_bytes) ||
           error_set(err, ERROR_FORMAT, "'%.*s' cannot be filled in, or is longer than %zu bytes",
                     STR_FMT(template->text), max_bytes);
}

static enum encode_result append_settings(const struct rabbitmq_output *output,
                                          const struct event *event, struct arena *scratch,
                                          struct buf *out, struct error *err)
{
    size_t left = HEADERS_BYTES_MAX;
    for (size_t i = 0; i < output->setting_count; i++) {
        const struct setting *setting = &output->settings[i];
        bool is_header = setting->property == SET_HEADER;
        struct str text;
        if (!fill_in(&setting->text, is_header ? left : SHORT_TEXT_MAX, event, scratch, &text, err))
            return ENCODE_REFUSED;
        left -= is_header ? text.len : 0;
        if (!item_append_part(out, text))
            return ENCODE_FULL;
    }
    return ENCODE_DONE;
}

static enum encode_result rabbitmq_encode(void *self, const struct event *event,
                                          struct arena *scratch, struct buf *out, struct error *err)
{
    struct rabbitmq_output *output = self;
    struct str key;
    if (!fill_in(&output->key, SHORT_TEXT_MAX, event, scratch, &key, err))
        return ENCODE_REFUSED;
    if (!item_append_part(out, key))
        return ENCODE_FULL;
    enum encode_result result = append_settings(output, event, scratch, out, err);
    if (result != ENCODE_DONE)
        return result;
    return codec_encode(&output->codec, event, scratch, out, err);
}

/* Of the settings, whose texts are parts of an item: which they are, in their order. */
static uint32_t rabbitmq_form(const void *self)
{
    const struct rabbitmq_output *output = self;
    uint32_t form = 1;
    for (size_t i = 0; i < output->setting_count; i++) {
        const struct setting *setting = &output->settings[i];
        form = form * 31 + (uint32_t)setting->property * 2 + setting->is_number;
        form = murmur3_32(setting->header, form);
    }
    return form % FORM_LIMIT + 1;
}

static struct rabbit_value header_value(const struct setting *setting, struct str text)
{
    struct rabbit_value value = {.kind = RABBIT_TEXT, .text = text};
    if (setting->is_number && str_to_int(text, &value.integer))
        value.kind = RABBIT_INT;
    else if (setting->is_number && str_to_double(text, &value.real))
        value.kind = RABBIT_FLOAT;
    return value;
}

static void set_number(int64_t *number, struct str text, int64_t max)
{
    int64_t value;
    if (str_to_int(text, &value) && value >= 0 && value <= max)
        *number = value;
}

/* Takes what was made of the settings off the item. */
static void read_properties(const struct rabbitmq_output *output, struct str *item,
                            struct rabbit_pair *headers, struct rabbit_properties *out)
{
    *out = (struct rabbit_properties){.delivery_mode = output->persistent ? 2 : 1,
                                      .priority = -1,
                                      .timestamp = -1,
                                      .send_headers = headers};
    for (size_t i = 0; i < output->setting_count; i++) {
        const struct setting *setting = &output->settings[i];
        struct str text = item_take_part(item);
        if (setting->property < RABBIT_TEXT_PROPERTIES)
            out->texts[setting->property] = text;
        else if (setting->property == SET_DELIVERY_MODE)
            set_number(&out->delivery_mode, text, 255);
        else if (setting->property == SET_PRIORITY)
            set_number(&out->priority, text, 255);
        else if (setting->property == SET_TIMESTAMP)
            set_number(&out->timestamp, text, INT64_MAX);
        else
            headers[out->send_header_count++] =
                (struct rabbit_pair){setting->header, header_value(setting, text)};
    }
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
        struct rabbit_properties properties;
        struct str item = group_item(output->group, i), key = item_take_part(&item);
        read_properties(output, &item, headers, &properties);
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
    struct rabbitmq_output copy = *(struct rabbitmq_output *)self;
    return rabbitmq_client_check(&copy.client, err) && compile_settings(&copy, env, err);
}

static bool rabbitmq_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct rabbitmq_output *output = self;
    return compile_settings(output, env, err) &&
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
    for (size_t i = 0; i < output->setting_count; i++) {
        struct str text = item_take_part(&item);
        struct str header = output->settings[i].header;
        for (size_t n = 0; header.len == 0 && n < sizeof NAMES / sizeof *NAMES; n++)
            if (NAMES[n].property == output->settings[i].property)
                header = str_from(NAMES[n].name);
        describe_text(arena, object, arena_cstr(arena, header), text);
    }
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
