/* SPDX-License-Identifier: Apache-2.0
 *
 * kafka: a record for each event. All lanes encode, the main lane sends: a group's records go to the producer at once, and
 * the group is given back when the last delivery report is there.
 */
#include "outputs/kafka/kafka.h"
#include "outputs/describe.h"

#include <assert.h>

#include "base/mem.h"
#include "outputs/kafka/record.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"
#include "pipeline/engine/budget.h"

enum {
    KAFKA_GROUP_ITEMS = 5000,
    KAFKA_GROUP_BYTES = 1024 * 1024,
    KAFKA_ITEM_EXTRA_BYTES = 64 * 1024, /* lengths, topic, headers */
    KAFKA_GROUPS_IN_FLIGHT = 8,
    KAFKA_FLUSH_MS = 5,
    KAFKA_RETRY_INITIAL_MS = 500,
    KAFKA_RETRY_MAX_MS = 10 * 1000,
    KAFKA_MEMORY_PART = 8,   /* of pipeline.memory, for records that wait to be sent */
    KAFKA_RECORD_COST = 256, /* what librdkafka takes for a record beside its bytes, about */
};

struct kafka_output {
    struct kafka_output_options options; /* first */

    const struct plugin_env *env;
    struct record_encoder encoder;
    struct kafka_producer *producer;
    struct account *account; /* NULL: it is only tried */
    struct sent *under_way;
    bool stopping;
};

struct sent_item {
    struct sent *sent;
    enum kafka_outcome outcome;
    const char *reason; /* a text that lives for ever */
};

/* A group that is under way. */
struct sent {
    struct sent *next, **at;
    struct kafka_output *output;
    struct group *group;
    size_t missing; /* reports, and one for the sending itself */
    size_t again;
    size_t charged;     /* for the copy that librdkafka has */
    const char *reason; /* of one that is to be sent again */
    struct sent_item items[];
};

/* ---- answers -------------------------------------------------------------------------------------- */

static void answer_items(struct sent *sent)
{
    size_t count = group_count(sent->group);
    for (size_t i = 0; i < count; i++) {
        const struct sent_item *item = &sent->items[i];
        if (item->outcome == KAFKA_DELIVERED)
            group_answer(sent->group, i, VERDICT_DELIVERED, STR(""));
        else
            group_answer(sent->group, i,
                         item->outcome == KAFKA_REFUSED ? VERDICT_REFUSED : VERDICT_RETRY,
                         str_from(item->reason));
    }
    group_answered(sent->group);
}

static void enlist(struct sent *sent)
{
    sent->at = &sent->output->under_way;
    sent->next = *sent->at;
    if (sent->next)
        sent->next->at = &sent->next;
    *sent->at = sent;
}

static void strike_off(struct sent *sent)
{
    assert(*sent->at == sent);
    *sent->at = sent->next;
    if (sent->next)
        sent->next->at = sent->at;
}

static void finish(struct sent *sent)
{
    assert(sent->missing == 0);
    strike_off(sent);
    struct send_result result = {
        .cause = sent->output->stopping ? SEND_STOPPED : SEND_UNREACHABLE,
        .reason = str_from(sent->reason ? sent->reason : ""),
    };
    account_return(sent->output->account, sent->charged);
    if (sent->again == group_count(sent->group))
        group_done(sent->group, &result);
    else
        answer_items(sent);
    mem_free(sent);
}

static void settle(struct sent_item *item, enum kafka_outcome outcome, const char *reason)
{
    struct sent *sent = item->sent;
    assert(sent->missing > 0 && outcome != KAFKA_QUEUED);
    item->outcome = outcome;
    item->reason = reason;
    if (outcome == KAFKA_AGAIN) {
        sent->again++;
        sent->reason = reason;
    }
    if (--sent->missing == 0)
        finish(sent);
}

static void reported(void *ctx, void *tag, enum kafka_outcome outcome, const char *reason)
{
    (void)ctx;
    settle(tag, outcome, reason);
}

/* ---- the output ----------------------------------------------------------------------------------- */

/* What the codec json writes is the event. */
static struct str kafka_carried_event(const void *self, struct str item)
{
    const struct kafka_output *output = self;
    struct kafka_header headers[RECORD_HEADERS_MAX];
    bool is_event = strcmp(output->encoder.codec.codec->plugin.name, "json") == 0;
    return is_event ? record_read(item, headers).value : (struct str){0};
}

static void kafka_send(void *self, struct group *group)
{
    struct kafka_output *output = self;
    struct kafka_header headers[RECORD_HEADERS_MAX];
    size_t count = group_count(group), bytes = 0;
    struct sent *sent = mem_zero(1, sizeof *sent + count * sizeof *sent->items);
    sent->output = output;
    sent->group = group;
    sent->missing = count + 1;
    enlist(sent);
    for (size_t i = 0; i < count; i++) {
        struct kafka_record record = record_read(group_item(group, i), headers);
        struct sent_item *item = &sent->items[i];
        const char *reason;
        bytes += group_item(group, i).len;
        item->sent = sent;
        enum kafka_outcome outcome = kafka_producer_send(output->producer, &record, item, &reason);
        if (outcome != KAFKA_QUEUED)
            settle(item, outcome, reason);
    }
    sent->charged = bytes + count * KAFKA_RECORD_COST;
    account_charge(output->account, sent->charged);
    if (--sent->missing == 0)
        finish(sent);
}

static bool kafka_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct kafka_output *output = self;
    struct arena arena;
    (void)env;
    arena_init(&arena, NULL);
    struct kafka_conf *conf = kafka_output_conf(&output->options, &arena, err);
    bool ok = conf != NULL;
    kafka_conf_free(conf);
    if (ok && output->options.topic.is_literal && !kafka_topic_is_valid(output->options.topic.text))
        ok = error_set(err, ERROR_CONFIG, "topic_id '%.*s' is no name that a topic can have",
                       STR_FMT(output->options.topic.text));
    arena_release(&arena);
    return ok;
}

static bool kafka_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct kafka_output *output = self;
    struct record_encoder *encoder = &output->encoder;
    if (!codec_open_writer(env, output->options.codec, "plain", &encoder->codec, err))
        return false;
    encoder->topic = &output->options.topic;
    encoder->key = &output->options.key;
    return record_headers_compile(encoder, &output->options.headers, env, err);
}

/* What may wait in librdkafka: as much as the option says and its part of the memory allows, but a group at least. Its queue is
 * never full then, because no more groups are given to it than fit. */
static size_t buffer_bytes(struct kafka_output *output, const struct plugin_env *env, size_t group)
{
    size_t bytes = (size_t)output->options.buffer_memory;
    size_t part = env->engine ? engine_memory_bytes(env->engine) / KAFKA_MEMORY_PART : bytes;
    bytes = bytes < part ? bytes : part;
    bytes = bytes > group ? bytes : group;
    output->options.buffer_memory = (int64_t)bytes;
    return bytes;
}

static bool kafka_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                       struct error *err)
{
    struct kafka_output *output = self;
    size_t most = (size_t)output->options.max_request_size + KAFKA_ITEM_EXTRA_BYTES;
    size_t group = most > KAFKA_GROUP_BYTES ? most : KAFKA_GROUP_BYTES;
    size_t groups = buffer_bytes(output, env, group) / group;
    output->env = env;
    output->account = engine_account(env->engine, BUDGET_KAFKA);
    *limits = (struct output_limits){
        .max_items = KAFKA_GROUP_ITEMS,
        .max_bytes = group,
        .max_in_flight =
            groups < KAFKA_GROUPS_IN_FLIGHT ? (unsigned)groups : KAFKA_GROUPS_IN_FLIGHT,
        .flush_ms = KAFKA_FLUSH_MS,
        .retry_initial_ms = KAFKA_RETRY_INITIAL_MS,
        .retry_max_ms = KAFKA_RETRY_MAX_MS,
    };
    struct kafka_producer_options options = {
        .loop = env->loop,
        .log = env->log,
        .conf = kafka_output_conf(&output->options, env->arena, err),
        .round_robin = kafka_output_is_round_robin(&output->options),
        .reported = reported,
        .ctx = output,
    };
    if (!options.conf)
        return false;
    output->producer = kafka_producer_new(&options, err);
    return output->producer != NULL;
}

static enum encode_result kafka_encode(void *self, const struct event *event, struct arena *scratch,
                                       struct buf *out, struct error *err)
{
    struct kafka_output *output = self;
    return record_encode(&output->encoder, event, scratch, out, err);
}

static bool kafka_connect(void *self, struct buf *said, struct error *err)
{
    const struct kafka_output_options *options = &((struct kafka_output *)self)->options;
    const char *topics[] = {options->topic.is_literal ? options->topic.text.ptr : NULL, NULL};
    struct arena arena;
    arena_init(&arena, NULL);
    struct kafka_conf *conf = kafka_output_conf(options, &arena, err);
    bool ok = conf && kafka_try(conf, options->client.bootstrap_servers, topics, said, err);
    arena_release(&arena);
    return ok;
}

/* What librdkafka keeps because no broker takes it; younger records come back with it and go again. */
static void kafka_recall(void *self)
{
    struct kafka_output *output = self;
    const struct sent *sent = output->under_way;
    while (sent && !group_waits_too_long(sent->group))
        sent = sent->next;
    if (sent)
        kafka_producer_recall(output->producer);
}

static void kafka_stop(void *self)
{
    struct kafka_output *output = self;
    output->stopping = true;
    if (output->producer)
        kafka_producer_stop(output->producer);
}

static void kafka_close(void *self)
{
    struct kafka_output *output = self;
    kafka_producer_close(output->producer);
    output->producer = NULL;
}

static void kafka_close_encoder(void *self)
{
    struct kafka_output *output = self;
    codec_close(&output->encoder.codec);
}

static struct str kafka_describe_item(const void *self, struct str item, struct arena *arena,
                                      struct value *object)
{
    const struct kafka_output *output = self;
    struct kafka_header headers[RECORD_HEADERS_MAX];
    struct kafka_record record = record_read(item, headers);
    describe_text(arena, object, "to", output->options.client.bootstrap_servers);
    describe_text(arena, object, "topic", record.topic);
    describe_text(arena, object, "key", record.key);
    struct value list = value_object_new(arena, record.header_count);
    for (size_t i = 0; i < record.header_count; i++)
        describe_text(arena, &list, arena_cstr(arena, headers[i].name), headers[i].value);
    if (record.header_count > 0)
        value_object_set(arena, object, STR("headers"), list);
    return record.value;
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"bootstrap_servers",
                                      "client_id",
                                      "client_dns_lookup",
                                      "connections_max_idle_ms",
                                      "metadata_max_age_ms",
                                      "request_timeout_ms",
                                      "receive_buffer_bytes",
                                      "send_buffer_bytes",
                                      "reconnect_backoff_ms",
                                      "reconnect_backoff_max_ms",
                                      "retry_backoff_ms",
                                      "security_protocol",
                                      "sasl_mechanism",
                                      "sasl_jaas_config",
                                      "properties",
                                      "acks",
                                      "compression_type",
                                      "batch_size",
                                      "linger_ms",
                                      "max_request_size",
                                      "partitioner",
                                      "retries",
                                      NULL};

const struct output output_kafka = {
    .plugin = {.name = "kafka",
               .summary = "records in topics of Apache Kafka",
               .options = kafka_output_rows,
               .size = sizeof(struct kafka_output),
               .shared_size = sizeof(struct codec_shared),
               .scope = SCOPE_PIPELINE,
               .check = kafka_check},
    .sent_by = SENT_BY,
    .open_encoder = kafka_open_encoder,
    .open = kafka_open,
    .encode = kafka_encode,
    .describe_item = kafka_describe_item,
    .refuses = true,
    .carried_event = kafka_carried_event,
    .send = kafka_send,
    .recall = kafka_recall,
    .stop = kafka_stop,
    .close = kafka_close,
    .connect = kafka_connect,
    .close_encoder = kafka_close_encoder,
};
