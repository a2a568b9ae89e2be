/* SPDX-License-Identifier: Apache-2.0
 *
 * A member of a consumer group: partitions come and go, each with a queue of its own that is read when the reader has
 * room, and offsets are stored for each partition once the reader says that everything before them is safe. librdkafka
 * commits what is stored: at intervals, when a partition goes, and at the end. Nothing else is ever committed.
 *
 *   opened(partition) ─▶ readable ─▶ kafka_partition_read … kafka_partition_store
 *   revoked ─▶ the reader has what is under way finished ─▶ kafka_consumer_release ─▶ closed(partition) for each
 *
 * While a revocation is awaited the group is served all the same. One thread.
 */
#ifndef MILLRACE_IO_KAFKA_CONSUMER_H
#define MILLRACE_IO_KAFKA_CONSUMER_H

#include <uv.h>

#include "base/log.h"
#include "base/str.h"
#include "io/kafka_conf.h"

struct kafka_consumer;
struct kafka_partition;

struct kafka_message {
    struct str value, key; /* ptr NULL: none; live until the next read of the partition */
    int64_t offset;
    int64_t timestamp_ms; /* -1: none */
    const void *handle;   /* for kafka_message_header */
};

struct kafka_consumer_options {
    uv_loop_t *loop;
    const struct log *log;
    struct kafka_conf *conf;   /* becomes the consumer's, also when it cannot be made */
    const char *const *topics; /* NULL-terminated; one that begins with ^ is a pattern */
    void *ctx;
    /* A partition is ours; what is returned belongs to it (kafka_partition_ctx). */
    void *(*opened)(void *ctx, struct kafka_partition *partition);
    /* There may be something to read in any partition. */
    void (*readable)(void *ctx);
    /* Partitions will go (kafka_partition_is_revoked). Answered by kafka_consumer_release, at once or later: in seconds, or
     * the group counts us out. */
    void (*revoked)(void *ctx);
    /* The partition is no longer ours, and is freed after this. */
    void (*closed)(void *ctx, struct kafka_partition *partition);
};

/* Joins the group. No broker there is not an error. */
struct kafka_consumer *kafka_consumer_new(const struct kafka_consumer_options *options,
                                          struct error *err);
/* readable is called soon, though nothing has come. */
void kafka_consumer_wake(struct kafka_consumer *consumer);
/* Revoked partitions go now. Nothing happens when none is. */
void kafka_consumer_release(struct kafka_consumer *consumer);
/* Leaves the group: partitions are released without asking, what is stored is committed. `done` is called once, from the
 * loop; then everything is freed. */
void kafka_consumer_close(struct kafka_consumer *consumer, void (*done)(void *ctx), void *ctx);

/* The partitions that are ours; NULL at the end. Not while they come or go. */
struct kafka_partition *kafka_consumer_first(const struct kafka_consumer *consumer);
struct kafka_partition *kafka_partition_next(const struct kafka_partition *partition);
void *kafka_partition_ctx(const struct kafka_partition *partition);
const char *kafka_partition_topic(const struct kafka_partition *partition);
int32_t kafka_partition_number(const struct kafka_partition *partition);
bool kafka_partition_is_revoked(const struct kafka_partition *partition);

/* How much librdkafka has fetched of it that was not read, with what it takes to keep it: an estimate by the size of the
 * records that were read last. */
size_t kafka_partition_queued_bytes(const struct kafka_partition *partition);
/* Fetches nothing any more, and throws away what was fetched and not read, when it is tried to be read at the latest. Undone by
 * _resume, which goes on behind the last record read. Dear: for who will not read for long. */
void kafka_partition_pause(struct kafka_partition *partition);
void kafka_partition_resume(struct kafka_partition *partition);
/* How many records are behind the last one read, as far as the last answer of the broker told; 0 when nothing did. */
uint64_t kafka_partition_behind(const struct kafka_partition *partition);
/* False when nothing is there now. Never waits. */
bool kafka_partition_read(struct kafka_partition *partition, struct kafka_message *out);
/* Everything before `next` is safe. Forgotten when the partition is not ours any more. */
void kafka_partition_store(struct kafka_partition *partition, int64_t next);
/* The index-th header; false when there are no more. A value that is null has no ptr. */
bool kafka_message_header(const struct kafka_message *message, size_t index, struct str *name_out,
                          struct str *value_out);

#endif
