/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/kafka/partition.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text/utf8.h"
#include "pipeline/engine/budget.h"

enum {
    READ_BYTES = 256 * 1024, /* room that is asked for at once */
    BATCHES_AT_ONCE = 4,     /* of one partition, so that others and the loop have turns */
    RECORD_COST = 512,       /* what a record costs beside its bytes, about */
    PAUSE_MS = 10 * 1000,
};

static const struct field_ref KAFKA_FIELD = FIELD_REF_METADATA("kafka");

/* ---- decoration ----------------------------------------------------------------------------------- */

static void set_text(struct event *event, struct value *object, const char *name, struct str text)
{
    struct str valid = utf8_repair(event->arena, text);
    value_object_set(event->arena, object, str_from(name), value_str_dup(event->arena, valid));
}

/* The last of a name wins; what is null or no UTF-8 is left out. */
static struct value headers_of(struct event *event, const struct kafka_message *message)
{
    struct value headers = value_object_new(event->arena, 4);
    struct str name, text;
    for (size_t i = 0; kafka_message_header(message, i, &name, &text); i++)
        if (text.ptr && utf8_valid(text) && utf8_valid(name))
            value_object_set(event->arena, &headers, arena_dup(event->arena, name),
                             value_str_dup(event->arena, text));
    return headers;
}

static void decorate(struct origin *origin, struct event *event)
{
    const struct partition *partition = (const struct partition *)origin;
    const struct kafka_input_options *options = &partition->input->options;
    const struct kafka_message *message = partition->message;
    int level = options->decorate;
    assert(message);
    if (level == DECORATE_NONE || level == DECORATE_FALSE)
        return;
    struct value kafka = value_object_new(event->arena, 8);
    set_text(event, &kafka, "topic", str_from(kafka_partition_topic(partition->source)));
    set_text(event, &kafka, "consumer_group", options->group_id);
    value_object_set(event->arena, &kafka, STR("partition"),
                     value_int(kafka_partition_number(partition->source)));
    value_object_set(event->arena, &kafka, STR("offset"), value_int(message->offset));
    if (message->key.ptr)
        set_text(event, &kafka, "key", message->key);
    else
        value_object_set(event->arena, &kafka, STR("key"), value_null());
    value_object_set(event->arena, &kafka, STR("timestamp"), value_int(message->timestamp_ms));
    if (level == DECORATE_EXTENDED)
        value_object_set(event->arena, &kafka, STR("headers"), headers_of(event, message));
    (void)event_set(event, &KAFKA_FIELD, kafka, NULL);
}

/* ---- reading -------------------------------------------------------------------------------------- */

void partition_hand_over(struct partition *partition)
{
    if (stream_count(partition->stream) == 0 && partition->safe == partition->handed)
        return;
    assert(partition->safe >= partition->handed);
    partition->handed = partition->safe;
    partition->admitted = 0;
    stream_hand_over(partition->stream, (uint64_t)partition->safe);
}

static bool has_room(struct partition *partition)
{
    if (partition->admitted > 0)
        return true;
    if (stream_admit(partition->stream, READ_BYTES)) {
        partition->admitted = READ_BYTES;
        return true;
    }
    partition_hand_over(partition);
    partition->waiting = true;
    return false;
}

/* Whether as much is under way as may be. */
static bool is_ahead(const struct partition *partition)
{
    const struct kafka_input_options *options = &partition->input->options;
    uint64_t oldest_ms = stream_oldest_ms(partition->stream);
    uint64_t events = stream_events_in_flight(partition->stream) + stream_count(partition->stream);
    return (options->max_uncommitted > 0 && events >= (uint64_t)options->max_uncommitted) ||
           (options->max_uncommitted_age_ms > 0 && oldest_ms > 0 &&
            uv_now(partition->input->env->loop) - oldest_ms >=
                (uint64_t)options->max_uncommitted_age_ms);
}

static bool may_read(struct partition *partition)
{
    partition->is_ahead = is_ahead(partition);
    if (!partition->is_ahead)
        return has_room(partition);
    partition_hand_over(partition);
    return false;
}

static void begin_anew(struct partition *partition, int64_t offset)
{
    struct error err;
    log_warn(partition->input->env->log, "kafka_rewound",
             "a partition begins again at an offset that was read before",
             LOG_CSTR("topic", kafka_partition_topic(partition->source)),
             LOG_INT("partition", kafka_partition_number(partition->source)),
             LOG_INT("expected", partition->next), LOG_INT("offset", offset));
    partition_hand_over(partition);
    stream_close(partition->stream);
    partition->stream = partition_stream_open(partition->input, &partition->origin, &err);
    if (!partition->stream)
        mem_abort("a codec that could be opened at the start cannot be opened again");
    partition->next = partition->safe = partition->handed = 0;
    partition->admitted = 0;
}

/* The consumer knows nothing that names the cluster; its brokers may change, so they do not either. */
static void set_place(struct partition *partition, const struct kafka_message *message)
{
    enum { PLACE_MAX = 320 }; /* a topic's name has 249 bytes at most */
    char place[PLACE_MAX];
    if (!stream_wants_places(partition->stream))
        return;
    int len =
        snprintf(place, sizeof place, "kafka:%s:%d:%lld", kafka_partition_topic(partition->source),
                 (int)kafka_partition_number(partition->source), (long long)message->offset);
    assert(len > 0 && (size_t)len < sizeof place);
    stream_set_place(partition->stream, str_make(place, (size_t)len), message->value.len);
}

static void take(struct partition *partition, const struct kafka_message *message)
{
    size_t cost = message->value.len + RECORD_COST;
    if (message->offset < partition->next)
        begin_anew(partition, message->offset);
    partition->admitted -= cost < partition->admitted ? cost : partition->admitted;
    partition->message = message;
    set_place(partition, message);
    stream_decode(partition->stream, arena_dup(stream_arena(partition->stream), message->value));
    partition->message = NULL;
    partition->next = message->offset + 1;
    if (stream_codec_pending(partition->stream) == 0)
        partition->safe = partition->next;
}

/* True: there may be more. */
static bool read_all(struct partition *partition)
{
    struct kafka_message message;
    for (unsigned batches = 0; batches < BATCHES_AT_ONCE; batches++) {
        while (!stream_full(partition->stream)) {
            if (!may_read(partition))
                return false;
            if (!kafka_partition_read(partition->source, &message)) {
                partition_hand_over(partition);
                return false;
            }
            take(partition, &message);
        }
        partition_hand_over(partition);
    }
    return true;
}

static void charge(struct partition *partition, size_t bytes)
{
    struct account *account = engine_account(partition->input->env->engine, BUDGET_KAFKA);
    size_t before = partition->charged;
    partition->charged = bytes;
    if (bytes > before)
        account_charge(account, bytes - before);
    else
        account_return(account, before - bytes);
}

/* What was fetched is out of date with a pause, and gone once it was tried to be read. */
static void pause_source(struct partition *partition)
{
    struct kafka_message message;
    kafka_partition_pause(partition->source);
    if (kafka_partition_read(partition->source, &message))
        take(partition, &message); /* in its turn all the same */
}

/* Prefetched records are thrown away by a pause, so it is for those only that will be waited for long. */
static void pause_or_resume(struct partition *partition)
{
    uint64_t now_ms = uv_now(partition->input->env->loop);
    bool reads = !partition->waiting && !partition->is_ahead;
    if (reads && partition->paused)
        kafka_partition_resume(partition->source);
    if (reads)
        partition->waiting_since_ms = now_ms;
    bool pauses = !reads && now_ms - partition->waiting_since_ms >= PAUSE_MS;
    if (pauses && !partition->paused)
        pause_source(partition);
    partition->paused = pauses;
}

bool partition_read(struct partition *partition)
{
    bool more = false;
    if (kafka_partition_is_revoked(partition->source))
        return false;
    if (!partition->waiting)
        more = read_all(partition);
    pause_or_resume(partition);
    charge(partition, kafka_partition_queued_bytes(partition->source));
    return more;
}

/* ---- the stream ----------------------------------------------------------------------------------- */

static void acked(struct origin *origin, uint64_t token)
{
    struct partition *partition = (struct partition *)origin;
    struct kafka_input *input = partition->input;
    assert((int64_t)token <= partition->handed);
    if (token > 0)
        kafka_partition_store(partition->source, (int64_t)token);
    if (partition->is_ahead)
        kafka_consumer_wake(input->consumer);
    kafka_input_settled(input); /* may close the partition */
}

static void resume(struct origin *origin)
{
    struct partition *partition = (struct partition *)origin;
    partition->waiting = false;
    kafka_consumer_wake(partition->input->consumer);
}

struct stream *partition_stream_open(struct kafka_input *input, struct origin *origin,
                                     struct error *err)
{
    *origin = (struct origin){.acked = acked, .resume = resume};
    struct stream_options options = {
        .env = input->env,
        .origin = origin,
        .codec = input->options.codec,
        .codec_default = "plain",
        .decorate = decorate,
    };
    return stream_open(&options, err);
}

struct partition *partition_open(struct kafka_input *input, struct kafka_partition *source)
{
    struct error err;
    struct partition *partition = mem_zero(1, sizeof *partition);
    partition->input = input;
    partition->source = source;
    partition->waiting_since_ms = uv_now(input->env->loop);
    partition->stream = partition_stream_open(input, &partition->origin, &err);
    if (!partition->stream)
        mem_abort("a codec that could be opened at the start cannot be opened again");
    return partition;
}

void partition_close(struct partition *partition)
{
    charge(partition, 0);
    stream_close(partition->stream);
    mem_free(partition);
}

struct value partition_describe(const struct partition *partition, struct arena *arena)
{
    struct value object = value_object_new(arena, 8);
    uint64_t oldest_ms = stream_oldest_ms(partition->stream);
    uint64_t age_ms = oldest_ms > 0 ? uv_now(partition->input->env->loop) - oldest_ms : 0;
    const struct {
        const char *name;
        int64_t number;
    } NUMBERS[] = {
        {"partition", kafka_partition_number(partition->source)},
        {"position", partition->next},
        {"behind", (int64_t)kafka_partition_behind(partition->source)},
        {"in_flight", (int64_t)stream_events_in_flight(partition->stream)},
        {"oldest_in_flight_ms", (int64_t)age_ms},
        {"queued_bytes", (int64_t)partition->charged},
        {"paused", partition->paused},
    };
    value_object_set(arena, &object, STR("topic"),
                     value_str_dup(arena, str_from(kafka_partition_topic(partition->source))));
    for (size_t i = 0; i < sizeof NUMBERS / sizeof NUMBERS[0]; i++)
        value_object_set(arena, &object, str_from(NUMBERS[i].name), value_int(NUMBERS[i].number));
    return object;
}
