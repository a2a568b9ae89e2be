/* SPDX-License-Identifier: Apache-2.0
 *
 * A producer: records go out, and for each one a delivery report comes back, on the loop. librdkafka sends again by
 * itself until message.timeout.ms is over. When it cannot go on (a fatal error of the idempotent producer) all that is
 * under way is reported as to be sent again, and the next record makes a new client. One thread.
 */
#ifndef MILLRACE_IO_KAFKA_PRODUCER_H
#define MILLRACE_IO_KAFKA_PRODUCER_H

#include <uv.h>

#include "base/log.h"
#include "base/str.h"
#include "io/kafka_conf.h"

enum { KAFKA_TOPIC_MAX_BYTES = 249 }; /* what brokers allow */

struct kafka_producer;

enum kafka_outcome {
    KAFKA_QUEUED,    /* the report will come */
    KAFKA_DELIVERED, /* with as many acks as were asked for */
    KAFKA_AGAIN,     /* not delivered, or not certain */
    KAFKA_REFUSED,   /* this record never will be */
};

struct kafka_header {
    struct str name, value;
};

struct kafka_record {
    struct str topic; /* 1 to KAFKA_TOPIC_MAX_BYTES */
    struct str key;   /* ptr NULL: none */
    struct str value;
    const struct kafka_header *headers;
    size_t header_count;
};

struct kafka_producer_options {
    uv_loop_t *loop;
    const struct log *log;
    struct kafka_conf *conf; /* becomes the producer's, also when it cannot be made */
    bool round_robin;        /* the partitions in turn, whatever the key */
    /* tag: of kafka_producer_send. Called from the loop, and from inside kafka_producer_stop. */
    void (*reported)(void *ctx, void *tag, enum kafka_outcome outcome, const char *reason);
    void *ctx;
};

struct kafka_producer *kafka_producer_new(const struct kafka_producer_options *options,
                                          struct error *err);
/* Copies the record. What is not KAFKA_QUEUED is final, with *reason_out. */
enum kafka_outcome kafka_producer_send(struct kafka_producer *producer,
                                       const struct kafka_record *record, void *tag,
                                       const char **reason_out);
bool kafka_topic_is_valid(struct str topic);
/* Reports what has not gone to a broker yet, as to be sent again; later. */
void kafka_producer_recall(struct kafka_producer *producer);
/* Reports all that is under way, as to be sent again unless it was delivered. */
void kafka_producer_stop(struct kafka_producer *producer);
void kafka_producer_close(struct kafka_producer *producer); /* stopped, or never used; NULL is ok */

#endif
