/* SPDX-License-Identifier: Apache-2.0 */
#include "io/kafka_consumer.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "io/kafka_private.h"
#include "io/loop_timer.h"

enum {
    SERVE_MS =
        500, /* the group's queue is served this often at least: librdkafka counts that as being alive */
    CLOSE_POLL_MS = 20,
    CLOSE_MAX_MS = 5000, /* then the group finds out by itself that we are gone */
    ERROR_WINDOW_MS = 10 * 1000,
    RECORD_COST = 384,   /* what librdkafka takes for a record beside its bytes, about */
    RECORD_GUESS = 1024, /* bytes of a record before one was read */
    RECORD_AVERAGE = 16, /* of so many */
};

struct kafka_partition {
    struct kafka_consumer *consumer;
    struct kafka_partition *next;
    char *topic;
    int32_t number;
    bool revoked;
    rd_kafka_queue_t *queue;
    rd_kafka_message_t *message; /* the last one read */
    size_t record_bytes;         /* of the last ones read, on average */
    int64_t next_offset;         /* behind the last one read; -1: none was */
    void *ctx;
};

struct kafka_consumer {
    struct kafka_consumer_options options;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue; /* of the group: rebalances, errors, log lines */
    struct kafka_wake *wake;
    struct loop_timer *timer;
    struct kafka_partition *partitions;
    rd_kafka_topic_partition_list_t *revoking; /* until released */
    bool cooperative;                          /* the group was, when it was last asked */
    struct log_limit errors;
    struct kafka_reach reach;
    bool closing;
    uint64_t close_by_ms;
    void (*done)(void *ctx);
    void *done_ctx;
};

/* ---- partitions ----------------------------------------------------------------------------------- */

struct kafka_partition *kafka_consumer_first(const struct kafka_consumer *consumer)
{
    return consumer->partitions;
}

struct kafka_partition *kafka_partition_next(const struct kafka_partition *partition)
{
    return partition->next;
}

void *kafka_partition_ctx(const struct kafka_partition *partition)
{
    return partition->ctx;
}

const char *kafka_partition_topic(const struct kafka_partition *partition)
{
    return partition->topic;
}

int32_t kafka_partition_number(const struct kafka_partition *partition)
{
    return partition->number;
}

bool kafka_partition_is_revoked(const struct kafka_partition *partition)
{
    return partition->revoked;
}

static struct kafka_partition **find(struct kafka_consumer *consumer,
                                     const rd_kafka_topic_partition_t *wanted)
{
    struct kafka_partition **at = &consumer->partitions;
    while (*at && ((*at)->number != wanted->partition || strcmp((*at)->topic, wanted->topic) != 0))
        at = &(*at)->next;
    return at;
}

/* Before the partition is assigned: else its messages would come through the group's queue. */
static void open_partition(struct kafka_consumer *consumer,
                           const rd_kafka_topic_partition_t *wanted)
{
    struct kafka_partition **at = find(consumer, wanted);
    if (*at)
        return;
    struct kafka_partition *partition = mem_zero(1, sizeof *partition);
    partition->consumer = consumer;
    partition->topic = mem_strdup(wanted->topic);
    partition->number = wanted->partition;
    partition->record_bytes = RECORD_GUESS;
    partition->next_offset = -1;
    partition->queue =
        rd_kafka_queue_get_partition(consumer->client, wanted->topic, wanted->partition);
    if (!partition->queue)
        mem_abort("librdkafka has no queue for a partition");
    rd_kafka_queue_forward(partition->queue, NULL);
    kafka_wake_watch(consumer->wake, partition->queue);
    *at = partition;
    partition->ctx = consumer->options.opened(consumer->options.ctx, partition);
}

static void forget_message(struct kafka_partition *partition)
{
    if (partition->message)
        rd_kafka_message_destroy(partition->message);
    partition->message = NULL;
}

static void close_partition(struct kafka_partition **at)
{
    struct kafka_partition *partition = *at;
    *at = partition->next;
    partition->consumer->options.closed(partition->consumer->options.ctx, partition);
    forget_message(partition);
    kafka_wake_unwatch(partition->queue);
    rd_kafka_queue_destroy(partition->queue);
    mem_free(partition->topic);
    mem_free(partition);
}

static void log_failure(struct kafka_partition *partition, const rd_kafka_message_t *message)
{
    struct kafka_consumer *consumer = partition->consumer;
    uint64_t held_back;
    if (log_limit_allow(&consumer->errors, uv_now(consumer->options.loop), &held_back))
        log_warn(consumer->options.log, "kafka_error", rd_kafka_message_errstr(message),
                 LOG_CSTR("topic", partition->topic), LOG_INT("partition", partition->number),
                 LOG_INT_IF("not_logged_before", held_back));
}

size_t kafka_partition_queued_bytes(const struct kafka_partition *partition)
{
    return rd_kafka_queue_length(partition->queue) * (partition->record_bytes + RECORD_COST);
}

static void set_paused(struct kafka_partition *partition, bool paused)
{
    rd_kafka_t *client = partition->consumer->client;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, partition->topic, partition->number);
    /* It fails for a partition that has just been taken away, which is as good. */
    (void)(paused ? rd_kafka_pause_partitions(client, list)
                  : rd_kafka_resume_partitions(client, list));
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_partition_pause(struct kafka_partition *partition)
{
    set_paused(partition, true);
}

void kafka_partition_resume(struct kafka_partition *partition)
{
    set_paused(partition, false);
}

uint64_t kafka_partition_behind(const struct kafka_partition *partition)
{
    int64_t low, high;
    if (partition->next_offset < 0 ||
        rd_kafka_get_watermark_offsets(partition->consumer->client, partition->topic,
                                       partition->number, &low, &high) ||
        high <= partition->next_offset)
        return 0;
    return (uint64_t)(high - partition->next_offset);
}

static void note_read(struct kafka_partition *partition, rd_kafka_message_t *message)
{
    size_t bytes = message->len + message->key_len;
    partition->record_bytes =
        partition->next_offset >= 0
            ? (partition->record_bytes * (RECORD_AVERAGE - 1) + bytes) / RECORD_AVERAGE
            : bytes;
    partition->message = message;
    partition->next_offset = message->offset + 1;
}

bool kafka_partition_read(struct kafka_partition *partition, struct kafka_message *out)
{
    forget_message(partition);
    for (;;) {
        rd_kafka_message_t *message = rd_kafka_consume_queue(partition->queue, 0);
        if (!message)
            return false;
        if (!message->err) {
            rd_kafka_timestamp_type_t type;
            note_read(partition, message);
            *out = (struct kafka_message){
                .value = str_make(message->payload, message->len),
                .key = str_make(message->key, message->key_len),
                .offset = message->offset,
                .timestamp_ms = rd_kafka_message_timestamp(message, &type),
                .handle = message,
            };
            return true;
        }
        log_failure(partition, message);
        rd_kafka_message_destroy(message);
    }
}

bool kafka_message_header(const struct kafka_message *message, size_t index, struct str *name_out,
                          struct str *value_out)
{
    rd_kafka_headers_t *headers;
    const char *name;
    const void *value;
    size_t size;
    if (rd_kafka_message_headers(message->handle, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_all(headers, index, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    *name_out = str_from(name);
    *value_out = str_make(value, size);
    return true;
}

void kafka_partition_store(struct kafka_partition *partition, int64_t next)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, partition->topic, partition->number)->offset = next;
    /* It fails when the partition has just been taken away: the next owner reads on from what was committed. */
    (void)rd_kafka_offsets_store(partition->consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- rebalances ----------------------------------------------------------------------------------- */

/* Nobody answers while the group comes down; then it is as it was. */
static bool is_cooperative(struct kafka_consumer *consumer)
{
    const char *protocol = rd_kafka_rebalance_protocol(consumer->client);
    if (protocol)
        consumer->cooperative = strcmp(protocol, "COOPERATIVE") == 0;
    return consumer->cooperative;
}

static void log_refusal(const struct kafka_consumer *consumer, rd_kafka_error_t *error,
                        rd_kafka_resp_err_t code)
{
    if (error || code)
        log_warn(consumer->options.log, "kafka_rebalance", "an assignment was not taken",
                 LOG_CSTR("reason", error ? rd_kafka_error_string(error) : rd_kafka_err2str(code)));
    if (error)
        rd_kafka_error_destroy(error);
}

static void assign(struct kafka_consumer *consumer, const rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++)
        open_partition(consumer, &list->elems[i]);
    if (is_cooperative(consumer))
        log_refusal(consumer, rd_kafka_incremental_assign(consumer->client, list),
                    RD_KAFKA_RESP_ERR_NO_ERROR);
    else
        log_refusal(consumer, NULL, rd_kafka_assign(consumer->client, list));
    log_info(consumer->options.log, "kafka_assigned", "partitions are ours",
             LOG_INT("partitions", list->cnt));
    kafka_consumer_wake(consumer);
}

/* Closes the partitions first: what they finish later must not be stored for a later assignment. */
void kafka_consumer_release(struct kafka_consumer *consumer)
{
    rd_kafka_topic_partition_list_t *list = consumer->revoking;
    if (!list)
        return;
    consumer->revoking = NULL;
    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition **at = find(consumer, &list->elems[i]);
        if (*at)
            close_partition(at);
    }
    if (is_cooperative(consumer))
        log_refusal(consumer, rd_kafka_incremental_unassign(consumer->client, list),
                    RD_KAFKA_RESP_ERR_NO_ERROR);
    else
        log_refusal(consumer, NULL, rd_kafka_assign(consumer->client, NULL));
    log_info(consumer->options.log, "kafka_released", "partitions go",
             LOG_INT("partitions", list->cnt));
    rd_kafka_topic_partition_list_destroy(list);
}

static void begin_revoke(struct kafka_consumer *consumer,
                         const rd_kafka_topic_partition_list_t *list)
{
    kafka_consumer_release(consumer); /* an earlier one that was not answered */
    consumer->revoking = rd_kafka_topic_partition_list_copy(list);
    for (int i = 0; i < list->cnt; i++) {
        struct kafka_partition *partition = *find(consumer, &list->elems[i]);
        if (partition)
            partition->revoked = true;
    }
    /* Lost: others have them already, and nothing can be committed. */
    if (consumer->closing || rd_kafka_assignment_lost(consumer->client))
        kafka_consumer_release(consumer);
    else
        consumer->options.revoked(consumer->options.ctx);
}

static void take_rebalance(struct kafka_consumer *consumer, rd_kafka_event_t *event)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_event_topic_partition_list(event);
    if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS && !consumer->closing)
        assign(consumer, list);
    else if (rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS)
        begin_revoke(consumer, list);
    else
        log_refusal(consumer, NULL, rd_kafka_assign(consumer->client, NULL));
}

static bool take_event(struct kafka_consumer *consumer)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(consumer->queue, 0);
    if (!event)
        return false;
    uint64_t now_ms = uv_now(consumer->options.loop);
    kafka_reach_event(&consumer->reach, event, now_ms, 0);
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_REBALANCE)
        take_rebalance(consumer, event);
    else
        kafka_log_event(consumer->options.log, &consumer->errors, now_ms, event);
    rd_kafka_event_destroy(event);
    return true;
}

static void finish_close(struct kafka_consumer *consumer);

static void serve(void *ctx)
{
    struct kafka_consumer *consumer = ctx;
    while (take_event(consumer))
        ;
    if (consumer->closing && (rd_kafka_consumer_closed(consumer->client) ||
                              uv_now(consumer->options.loop) >= consumer->close_by_ms)) {
        finish_close(consumer);
        return;
    }
    loop_timer_start(consumer->timer, consumer->closing ? CLOSE_POLL_MS : SERVE_MS);
    if (!consumer->closing)
        consumer->options.readable(consumer->options.ctx);
}

void kafka_consumer_wake(struct kafka_consumer *consumer)
{
    kafka_wake_again(consumer->wake);
}

/* ---- begin and end -------------------------------------------------------------------------------- */

static bool subscribe(struct kafka_consumer *consumer, struct error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    for (const char *const *topic = consumer->options.topics; *topic; topic++)
        rd_kafka_topic_partition_list_add(list, *topic, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(consumer->client, list);
    rd_kafka_topic_partition_list_destroy(list);
    return !code || error_set(err, ERROR_CONFIG, "cannot subscribe to the topics: %s",
                              rd_kafka_err2str(code));
}

static void free_consumer(struct kafka_consumer *consumer)
{
    loop_timer_close(consumer->timer);
    kafka_wake_close(consumer->wake);
    kafka_conf_free(consumer->options.conf);
    mem_free(consumer);
}

static void release_client(struct kafka_consumer *consumer)
{
    kafka_wake_unwatch(consumer->queue);
    rd_kafka_queue_destroy(consumer->queue);
    rd_kafka_destroy_flags(consumer->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

struct kafka_consumer *kafka_consumer_new(const struct kafka_consumer_options *options,
                                          struct error *err)
{
    struct kafka_consumer *consumer = mem_zero(1, sizeof *consumer);
    consumer->options = *options;
    consumer->errors = (struct log_limit){.window_ms = ERROR_WINDOW_MS, .burst = 3};
    kafka_reach_init(&consumer->reach, options->log,
                     "no broker answers: nothing is read until one does, what was read goes on");
    consumer->wake = kafka_wake_new(options->loop, serve, consumer);
    consumer->timer = loop_timer_new(options->loop, serve, consumer);
    consumer->client =
        kafka_client_new(RD_KAFKA_CONSUMER, options->conf, RD_KAFKA_EVENT_REBALANCE, err);
    if (!consumer->client) {
        free_consumer(consumer);
        return NULL;
    }
    rd_kafka_poll_set_consumer(consumer->client);
    consumer->queue = rd_kafka_queue_get_consumer(consumer->client);
    rd_kafka_set_log_queue(consumer->client, consumer->queue);
    kafka_wake_watch(consumer->wake, consumer->queue);
    if (!subscribe(consumer, err)) {
        release_client(consumer);
        free_consumer(consumer);
        return NULL;
    }
    loop_timer_start(consumer->timer, SERVE_MS);
    return consumer;
}

static void finish_close(struct kafka_consumer *consumer)
{
    void (*done)(void *ctx) = consumer->done;
    void *done_ctx = consumer->done_ctx;
    while (consumer->partitions)
        close_partition(&consumer->partitions);
    if (consumer->revoking)
        rd_kafka_topic_partition_list_destroy(consumer->revoking);
    release_client(consumer);
    free_consumer(consumer);
    done(done_ctx);
}

void kafka_consumer_close(struct kafka_consumer *consumer, void (*done)(void *ctx), void *ctx)
{
    assert(!consumer->closing);
    consumer->closing = true;
    consumer->done = done;
    consumer->done_ctx = ctx;
    consumer->close_by_ms = uv_now(consumer->options.loop) + CLOSE_MAX_MS;
    kafka_consumer_release(consumer);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(consumer->client, consumer->queue);
    if (error) {
        log_refusal(consumer, error, RD_KAFKA_RESP_ERR_NO_ERROR);
        consumer->close_by_ms = 0;
    }
    loop_timer_start(consumer->timer, 1);
}
