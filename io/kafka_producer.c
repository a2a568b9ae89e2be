/* SPDX-License-Identifier: Apache-2.0 */
#include "io/kafka_producer.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/text/ascii.h"
#include "io/kafka_private.h"

enum {
    STOP_POLL_MS = 100,
    STOP_POLLS =
        50, /* reports of what was purged are there at once; five seconds are for a machine under load */
    ERROR_WINDOW_MS = 10 * 1000,
    /* librdkafka calls a partition available once its leader's thread has taken it over, a moment after the topic is known
     * and one partition after the other: until then all of a new topic count as available. */
    SETTLE_MS = 5000,
    TOPICS_REMEMBERED = 256,
};

struct kafka_producer {
    struct kafka_producer_options options;
    rd_kafka_t *client; /* NULL after a fatal error, until the next record */
    rd_kafka_queue_t *queue;
    struct kafka_wake *wake;
    struct kafka_reach reach;
    size_t under_way; /* reports that are to come */
    bool failed;      /* the client cannot go on */
    struct log_limit errors;
    /* Of round_robin; librdkafka asks on any thread. */
    atomic_uint turn;
    atomic_uint_least64_t topics[TOPICS_REMEMBERED]; /* hash of a name and when it was first seen */
};

/* ---- reports -------------------------------------------------------------------------------------- */

/* Errors that lie in the record itself: no broker at any later time takes it. */
static enum kafka_outcome outcome_of(rd_kafka_resp_err_t code)
{
    switch ((int)code) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return KAFKA_DELIVERED;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        return KAFKA_REFUSED;
    default:
        return KAFKA_AGAIN;
    }
}

static void take_reports(struct kafka_producer *producer, rd_kafka_event_t *event)
{
    const rd_kafka_message_t *message;
    while ((message = rd_kafka_event_message_next(event))) {
        assert(producer->under_way > 0);
        producer->under_way--;
        producer->options.reported(producer->options.ctx, message->_private,
                                   outcome_of(message->err), rd_kafka_err2str(message->err));
    }
}

/* False: there was nothing. */
static bool take_event(struct kafka_producer *producer, int wait_ms)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(producer->queue, wait_ms);
    if (!event)
        return false;
    uint64_t now_ms = uv_now(producer->options.loop);
    kafka_reach_event(&producer->reach, event, now_ms, producer->under_way);
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR)
        take_reports(producer, event);
    else
        kafka_log_event(producer->options.log, &producer->errors, now_ms, event);
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR && rd_kafka_event_error_is_fatal(event))
        producer->failed = true;
    rd_kafka_event_destroy(event);
    return true;
}

static void release_client(struct kafka_producer *producer)
{
    if (!producer->client)
        return;
    assert(producer->under_way == 0);
    kafka_wake_unwatch(producer->queue);
    rd_kafka_queue_destroy(producer->queue);
    rd_kafka_destroy(producer->client);
    producer->client = NULL;
    producer->queue = NULL;
    producer->failed = false;
}

static void on_wake(void *ctx)
{
    struct kafka_producer *producer = ctx;
    while (producer->client && take_event(producer, 0))
        ;
    if (producer->client && producer->failed)
        kafka_producer_stop(producer);
}

/* ---- the client ----------------------------------------------------------------------------------- */

static bool is_settled(struct kafka_producer *producer, const rd_kafka_topic_t *topic)
{
    uint32_t now_ms = (uint32_t)(uv_hrtime() / 1000000);
    uint32_t hash = (uint32_t)str_hash(str_from(rd_kafka_topic_name(topic)));
    atomic_uint_least64_t *slot = &producer->topics[hash % TOPICS_REMEMBERED];
    uint64_t seen = atomic_load_explicit(slot, memory_order_relaxed);
    if (seen >> 32 == hash && seen != 0)
        return now_ms - (uint32_t)seen >= SETTLE_MS;
    atomic_store_explicit(slot, (uint64_t)hash << 32 | now_ms, memory_order_relaxed);
    return false;
}

/* As Java's RoundRobinPartitioner: the next partition that has a leader; without any, the next one. */
static int32_t next_partition(const rd_kafka_topic_t *topic, const void *key, size_t key_len,
                              int32_t count, void *topic_opaque, void *message_opaque)
{
    struct kafka_producer *producer = topic_opaque;
    (void)key;
    (void)key_len;
    (void)message_opaque;
    unsigned turn = atomic_fetch_add_explicit(&producer->turn, 1, memory_order_relaxed);
    bool settled = is_settled(producer, topic);
    for (int32_t i = 0; i < count && settled; i++) {
        int32_t partition = (int32_t)((turn + (unsigned)i) % (unsigned)count);
        if (rd_kafka_topic_partition_available(topic, partition))
            return partition;
    }
    return (int32_t)(turn % (unsigned)count);
}

static void set_round_robin(struct kafka_producer *producer)
{
    rd_kafka_topic_conf_t *topics =
        rd_kafka_conf_get_default_topic_conf(producer->options.conf->rd);
    topics = topics ? rd_kafka_topic_conf_dup(topics) : rd_kafka_topic_conf_new();
    rd_kafka_topic_conf_set_partitioner_cb(topics, next_partition);
    rd_kafka_topic_conf_set_opaque(topics, producer);
    rd_kafka_conf_set_default_topic_conf(producer->options.conf->rd, topics);
}

static bool make_client(struct kafka_producer *producer, struct error *err)
{
    producer->client =
        kafka_client_new(RD_KAFKA_PRODUCER, producer->options.conf, RD_KAFKA_EVENT_DR, err);
    if (!producer->client)
        return false;
    producer->queue = rd_kafka_queue_get_main(producer->client);
    rd_kafka_set_log_queue(producer->client, producer->queue);
    kafka_wake_watch(producer->wake, producer->queue);
    return true;
}

struct kafka_producer *kafka_producer_new(const struct kafka_producer_options *options,
                                          struct error *err)
{
    struct kafka_producer *producer = mem_zero(1, sizeof *producer);
    producer->options = *options;
    producer->errors = (struct log_limit){.window_ms = ERROR_WINDOW_MS, .burst = 3};
    kafka_reach_init(&producer->reach, options->log,
                     "no broker answers: records wait and are sent when one does");
    producer->wake = kafka_wake_new(options->loop, on_wake, producer);
    if (options->round_robin)
        set_round_robin(producer);
    if (make_client(producer, err))
        return producer;
    kafka_producer_close(producer);
    return NULL;
}

bool kafka_topic_is_valid(struct str topic)
{
    if (topic.len == 0 || topic.len > KAFKA_TOPIC_MAX_BYTES || str_equal(topic, STR(".")) ||
        str_equal(topic, STR("..")))
        return false;
    for (size_t i = 0; i < topic.len; i++) {
        char byte = topic.ptr[i];
        if (!(ascii_is_letter(byte) || ascii_is_digit(byte) || byte == '.' || byte == '_' ||
              byte == '-'))
            return false;
    }
    return true;
}

static rd_kafka_headers_t *headers_of(const struct kafka_record *record)
{
    if (record->header_count == 0)
        return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct kafka_header *header = &record->headers[i];
        rd_kafka_header_add(headers, header->name.ptr, (ssize_t)header->name.len,
                            header->value.ptr ? header->value.ptr : "", (ssize_t)header->value.len);
    }
    return headers;
}

static enum kafka_outcome not_queued(rd_kafka_error_t *failure, rd_kafka_headers_t *headers,
                                     const char **reason_out)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(failure);
    *reason_out = rd_kafka_err2str(code);
    rd_kafka_error_destroy(failure);
    if (headers)
        rd_kafka_headers_destroy(headers);
    enum kafka_outcome outcome = outcome_of(code);
    assert(outcome != KAFKA_DELIVERED);
    return outcome;
}

enum kafka_outcome kafka_producer_send(struct kafka_producer *producer,
                                       const struct kafka_record *record, void *tag,
                                       const char **reason_out)
{
    struct error err;
    char topic[KAFKA_TOPIC_MAX_BYTES + 1];
    assert(record->topic.len > 0 && record->topic.len < sizeof topic);
    *reason_out = "the client cannot go on; a new one is made";
    if (producer->failed) /* its reports are being taken, which may lead here */
        return KAFKA_AGAIN;
    if (!producer->client && !make_client(producer, &err))
        return KAFKA_AGAIN;
    memcpy(topic, record->topic.ptr, record->topic.len);
    topic[record->topic.len] = '\0';
    rd_kafka_headers_t *headers = headers_of(record);
    /* librdkafka takes text that it copies by plain pointers */
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = topic},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = tag},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {.ptr = (void *)(uintptr_t)record->value.ptr, .size = record->value.len}},
        {.vtype = RD_KAFKA_VTYPE_KEY,
         .u.mem = {.ptr = (void *)(uintptr_t)record->key.ptr, .size = record->key.len}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof parts / sizeof parts[0] - (headers ? 0 : 1);
    rd_kafka_error_t *failure = rd_kafka_produceva(producer->client, parts, count);
    if (failure)
        return not_queued(failure, headers, reason_out);
    producer->under_way++;
    return KAFKA_QUEUED;
}

/* ---- the end -------------------------------------------------------------------------------------- */

void kafka_producer_recall(struct kafka_producer *producer)
{
    if (producer->client)
        rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void kafka_producer_stop(struct kafka_producer *producer)
{
    if (!producer->client)
        return;
    producer->failed = true;
    rd_kafka_purge(producer->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    for (unsigned i = 0; producer->under_way > 0 && i < STOP_POLLS; i++)
        while (take_event(producer, STOP_POLL_MS))
            if (producer->under_way == 0)
                break;
    if (producer->under_way > 0)
        mem_abort("librdkafka does not report what it was told to give up");
    release_client(producer);
}

void kafka_producer_close(struct kafka_producer *producer)
{
    if (!producer)
        return;
    assert(producer->under_way == 0);
    release_client(producer);
    kafka_wake_close(producer->wake);
    kafka_conf_free(producer->options.conf);
    mem_free(producer);
}
