/* SPDX-License-Identifier: Apache-2.0
 *
 * What the producer and the consumer have in common. Only for io/kafka_*.c.
 */
#ifndef MILLRACE_IO_KAFKA_PRIVATE_H
#define MILLRACE_IO_KAFKA_PRIVATE_H

#include <librdkafka/rdkafka.h>
#include <uv.h>

#include "base/log.h"
#include "io/kafka_conf.h"

struct kafka_conf {
    rd_kafka_conf_t *rd;
};

/* Whether any broker answers, by librdkafka's statistics: its errors say that a connection failed, not whether another one
 * is there, the same one once in 30 s only, and never that all is well again. One line says that nobody answers and what
 * that means, one that it is over. (Asking, by any request, makes librdkafka connect hundreds of times a second.) */
enum { KAFKA_REASON_BYTES = 256 };
struct kafka_reach {
    const struct log *log;
    const char *consequence; /* "no broker answers: …" */
    bool away;
    unsigned without; /* statistics in a row that had no connection */
    uint64_t away_since_ms;
    char reason[KAFKA_REASON_BYTES]; /* the last error since there was one */
};
void kafka_reach_init(struct kafka_reach *reach, const struct log *log, const char *consequence);
/* Every event of the client, of which it takes what concerns it. waiting: how many records wait meanwhile. */
void kafka_reach_event(struct kafka_reach *reach, rd_kafka_event_t *event, uint64_t now_ms,
                       size_t waiting);

/* Wakes the loop when one of the watched queues has something, whichever thread put it there. It frees itself when it
 * is closed, so that its owner may be freed at once. */
struct kafka_wake;
struct kafka_wake *kafka_wake_new(uv_loop_t *loop, void (*run)(void *ctx), void *ctx);
/* A queue wakes only when it was empty: whoever is woken reads until there is nothing more, or calls kafka_wake_again. It
 * may have something already, so the loop is woken once in any case. */
void kafka_wake_watch(struct kafka_wake *wake, rd_kafka_queue_t *queue);
void kafka_wake_unwatch(rd_kafka_queue_t *queue);
void kafka_wake_again(struct kafka_wake *wake);
/* No queue may be watched any more. */
void kafka_wake_close(struct kafka_wake *wake);

/* A client with a copy of conf, whose log lines come as events. NULL and *err when it cannot be. */
rd_kafka_t *kafka_client_new(rd_kafka_type_t type, const struct kafka_conf *conf, int events,
                             struct error *err);
/* Events that only say something: log lines and errors, which librdkafka deals with itself. */
void kafka_log_event(const struct log *log, struct log_limit *limit, uint64_t now_ms,
                     rd_kafka_event_t *event);

#endif
