/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to a RabbitMQ broker (AMQP 0-9-1) with one channel, on a loop. librabbitmq reads and makes what is in the frames;
 * its own connections block, so the bytes go over ours, and TLS is the same as everywhere.
 *
 *   rabbit_connect ──▶ CONNECTING ──▶ GREETING ──▶ SETTING_UP ──ready()──▶ READY
 *                          └─────────────┴─────────────┴───────lost()────────┘
 *
 * Setting up: prefetch, exchange, queue, binding, consumer or confirms, as rabbit_setup says.
 *
 * 1. lost() is told once, never from inside of a call; then only rabbit_close may be called.
 * 2. Texts of options and of the setup live as long as the connection.
 */
#ifndef MILLRACE_IO_RABBITMQ_H
#define MILLRACE_IO_RABBITMQ_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/str.h"
#include "io/tls_context.h"

enum { RABBIT_TABLE_MAX = 64 /* entries that we send */ };

struct rabbit;

enum rabbit_kind {
    RABBIT_NULL,
    RABBIT_BOOL,
    RABBIT_INT,
    RABBIT_FLOAT,
    RABBIT_TEXT,
    RABBIT_TIME, /* integer: seconds */
    RABBIT_TABLE,
    RABBIT_LIST,
};

/* A value that arrived, until the call ends; or one to be sent (BOOL, INT, FLOAT, TEXT). */
struct rabbit_value {
    enum rabbit_kind kind;
    bool boolean;
    int64_t integer;
    double real;
    struct str text;
    const void *inner; /* of a TABLE or LIST */
    size_t count;
};
/* key_out: empty in a list. */
struct rabbit_value rabbit_value_at(const struct rabbit_value *value, size_t index,
                                    struct str *key_out);

struct rabbit_pair {
    struct str name;
    struct rabbit_value value;
};

enum rabbit_property {
    RABBIT_APP_ID,
    RABBIT_CLUSTER_ID,
    RABBIT_CONTENT_ENCODING,
    RABBIT_CONTENT_TYPE,
    RABBIT_CORRELATION_ID,
    RABBIT_EXPIRATION,
    RABBIT_MESSAGE_ID,
    RABBIT_REPLY_TO,
    RABBIT_TYPE,
    RABBIT_USER_ID,
    RABBIT_TEXT_PROPERTIES,
};

struct rabbit_properties {
    struct str texts[RABBIT_TEXT_PROPERTIES];   /* ptr NULL: absent */
    int64_t delivery_mode, priority, timestamp; /* negative: absent */
    struct rabbit_value headers;                /* that arrived: a TABLE, or NULL */
    const struct rabbit_pair *send_headers;     /* to be sent */
    size_t send_header_count;
};

struct rabbit_message {
    uint64_t tag;
    bool redelivered;
    struct str exchange, routing_key, consumer_tag, body;
    struct rabbit_properties properties;
    bool too_long; /* more than max_message_bytes: there is no body */
};

struct rabbit_setup {
    const char *exchange, *exchange_type; /* type NULL: it is not declared */
    bool exchange_durable, exchange_passive;
    const char *queue; /* NULL: none; "": the broker names one */
    bool queue_durable, queue_exclusive, queue_auto_delete, queue_passive;
    const struct rabbit_pair *arguments; /* of the queue */
    size_t argument_count;
    const char *binding; /* routing key by which the exchange feeds the queue; NULL: not bound */
    bool consume, acknowledges;
    uint16_t prefetch;
    bool confirm; /* publisher confirms */
};

struct rabbit_options {
    uv_loop_t *loop;
    const char *host;
    uint16_t port;
    const struct tls_context *tls; /* or NULL */
    const char *user, *password, *vhost;
    unsigned heartbeat_s; /* 0: none */
    unsigned timeout_ms;  /* to connect and set up */
    size_t max_message_bytes;
    const struct rabbit_setup *setup;
    void *ctx;
    void (*ready)(void *ctx);
    void (*lost)(void *ctx, const char *reason);
    void (*message)(void *ctx, const struct rabbit_message *message);
    void (*rested)(void *ctx); /* all that has been read is told; may be NULL */
    void (*confirmed)(void *ctx, uint64_t tag, bool multiple, bool taken);
    void (*blocked)(void *ctx, bool on); /* the broker takes no more for now */
};

struct rabbit *rabbit_connect(const struct rabbit_options *options);
/* In order: what was sent before is read by the broker. Nothing is told any more but lost(), when it is over. */
void rabbit_leave(struct rabbit *rabbit);
void rabbit_close(struct rabbit *rabbit); /* nothing is told any more; NULL is ok */

/* When READY. */
void rabbit_ack(struct rabbit *rabbit, uint64_t tag);    /* and all before it */
void rabbit_reject(struct rabbit *rabbit, uint64_t tag); /* for good */
/* Returns its number, from 1 on: that of its confirm. 0: its properties are too many. */
uint64_t rabbit_publish(struct rabbit *rabbit, struct str exchange, struct str routing_key,
                        const struct rabbit_properties *properties, struct str body);
void rabbit_pause(struct rabbit *rabbit, bool on); /* reads no more, or again */

#endif
