/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a connection to RabbitMQ share.
 *
 *   rabbitmq.c            the connection: connecting, reading frames, writing, its end
 *   rabbitmq_greeting.c   what is said until it is ready: login, limits, channel, queue, exchange
 *   rabbitmq_content.c    messages that arrive, put together of a method, a header and parts of a body
 */
#ifndef MILLRACE_IO_RABBITMQ_PRIVATE_H
#define MILLRACE_IO_RABBITMQ_PRIVATE_H

#include "io/client_stream.h"
#include "io/loop_timer.h"
#include "io/rabbitmq.h"
#include "io/rabbitmq_frames.h"

enum {
    RABBIT_KEEP_BYTES = 256 * 1024,
    OUT_MAX = 1024 * 1024 * 1024,
    REASON_MAX = 300,
    PLAIN_MAX = 512,
    LEAVE_MS = 2000,
    POOL_PAGE_BYTES = 4096,
    FRAME_MIN = 4096, /* the least that the protocol lets a broker ask for */
};

enum rabbit_state { RABBIT_CONNECTING, RABBIT_GREETING, RABBIT_SETTING_UP, RABBIT_READY };

enum setup_step {
    STEP_QOS,
    STEP_QUEUE,
    STEP_EXCHANGE,
    STEP_BIND,
    STEP_CONSUME,
    STEP_CONFIRM,
    STEP_DONE
};

struct rabbit {
    struct rabbit_options options;
    enum rabbit_state state;
    enum setup_step step;
    struct client_stream *stream; /* it waits for the setup, then for the end of leaving */
    amqp_connection_state_t decoder;
    bool leaving, closing;
    size_t frame_max;
    char queue[256]; /* as the broker calls it */
    uint64_t published;

    /* The message that arrives. */
    bool has_content; /* a method that brings content came; its header, then its body follow */
    bool is_delivery, has_header;
    amqp_basic_deliver_t delivery;
    uint64_t body_bytes, body_got;
    /* Copies: the decoder's memory is given back behind each frame. */
    struct buf texts, properties, body; /* of the delivery; of the header, as they came */
    amqp_pool_t pool;                   /* for reading the properties */

    struct loop_timer *heartbeat; /* half of the interval */
    unsigned silent_beats;
};

/* ---- rabbitmq.c */

/* The connection is over; its owner is told later. */
void rabbit_lose(struct rabbit *rabbit, const char *reason);
bool rabbit_is_lost(const struct rabbit *rabbit);
void rabbit_send_method(struct rabbit *rabbit, amqp_channel_t channel, amqp_method_number_t id,
                        void *method);

/* ---- rabbitmq_greeting.c */

void rabbit_on_greeting(struct rabbit *rabbit, const amqp_method_t *method);
/* An answer to a step of the setup, or something that nobody asked for. */
void rabbit_on_step(struct rabbit *rabbit, const amqp_method_t *method);

/* ---- rabbitmq_content.c */

void rabbit_begin_content(struct rabbit *rabbit, bool is_delivery);
void rabbit_begin_delivery(struct rabbit *rabbit, const amqp_basic_deliver_t *delivery);
void rabbit_on_header(struct rabbit *rabbit, const amqp_frame_t *frame);
void rabbit_on_body(struct rabbit *rabbit, amqp_bytes_t part);

#endif
