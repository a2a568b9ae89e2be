/* SPDX-License-Identifier: Apache-2.0
 *
 * One client of the beats input. Lives on one lane, in the list of its server (inputs/server.h).
 *
 *   OPEN ── the client's end, a broken frame, a deadline, stop ──▶ FINISHING     connection_finish
 *   OPEN ── a batch was abandoned: no window from there on is acknowledged ──▶ FINISHING   connection_finish
 *   FINISHING ── every complete window is acknowledged ──▶ LINGERING             connection_linger
 *   LINGERING ── the client's end, or BEATS_LINGER_MS ──▶ CLOSED                 connection_close
 *   any ── the socket failed, or the client does not read ──▶ CLOSED             connection_close
 *
 * OPEN reads, unless it is paused (no memory, too many windows, or another connection's turn). What was read and not
 * decoded is kept in `rest`. FINISHING reads no more, but acknowledges and keeps alive. LINGERING has sent FIN and throws
 * away what still comes, because closing with unread bytes would send RST, which may destroy acknowledgements on
 * their way.
 */
#ifndef MILLRACE_INPUTS_BEATS_CONNECTION_H
#define MILLRACE_INPUTS_BEATS_CONNECTION_H

#include "inputs/beats/beats.h"
#include "inputs/beats/window.h"
#include "io/loop_timer.h"
#include "pipeline/engine/stream.h"

enum connection_state {
    CONNECTION_OPEN,
    CONNECTION_FINISHING,
    CONNECTION_LINGERING,
    CONNECTION_CLOSED
};

/* Of event.c, in the arena of the current batch. */
struct beats_in_batch {
    struct value address;      /* what is set in @metadata; null: not made yet */
    struct str metadata;       /* the JSON of the last @metadata that had no address in it */
    struct value with_address; /* the same with the address; null: it did not come twice */
};

struct beats_connection {
    struct server_connection base; /* first */
    struct origin origin;
    enum connection_state state;
    struct beats_in_batch in_batch;
    struct loop_timer *timer;
    uint64_t timer_due_ms;
    bool client_ended;

    /* intake.c */
    struct stream *stream;
    struct lumberjack decoder;
    struct windows windows;
    struct buf rest;
    uint64_t token;     /* of the last batch handed over */
    size_t batch_bytes; /* payload in the current batch */
    size_t mean_event_bytes;
    size_t wanted_bytes; /* to be admitted before decoding goes on */
    bool wants_turn;     /* others first, before decoding goes on */
    bool turn_posted;
    bool waits_for_acks; /* the list of windows is full */
    bool paused;
    uint64_t paused_since_ms;
    uint64_t
        starved_since_ms; /* the same, or when memory was last asked of those that do not go on */
    bool is_incomplete;   /* in the middle of a window or frame */
    bool window_ended;    /* by the last piece */
    uint64_t incomplete_since_ms;
    uint64_t incomplete_bytes;

    /* writing */
    char out[BEATS_ACK_BUFFER_BYTES];
    size_t out_len;
    bool sending; /* out belongs to the write under way */
    uint64_t sending_since_ms;
    uint64_t last_write_ms;
    uint64_t last_activity_ms;
    uint64_t waiting_since_ms; /* complete windows wait */
    uint64_t lingering_since_ms;
    uint64_t lingering_bytes;
};

extern const struct server_protocol connection_protocol;

/* The connection's lane. */
void connection_finish(struct beats_connection *connection);
void connection_linger(struct beats_connection *connection);
void connection_close(struct beats_connection *connection);
/* Sends what is due, goes on to the next state if nothing is left, sets the timer. May close. */
void connection_update(struct beats_connection *connection);
void connection_read(struct beats_connection *connection, bool on);
void connection_refuse(struct beats_connection *connection, const struct error *err);
struct beats_input *connection_input(const struct beats_connection *connection);
uint64_t connection_now_ms(const struct beats_connection *connection);

/* ---- intake.c */

void intake_open(struct beats_connection *connection);
void intake_close(struct beats_connection *connection);
/* Decoding goes on when the budget has room. */
bool intake_waits_for_memory(const struct beats_connection *connection);
/* Nothing more will be decoded. */
void intake_drop(struct beats_connection *connection);
/* Decodes what was read. Ends in connection_update unless it refused the connection. */
void intake_bytes(struct beats_connection *connection, struct str bytes);
/* Windows were acknowledged: there may be room for more. */
void intake_acks_sent(struct beats_connection *connection);
/* Something that decoding waited for may have come. */
void intake_go_on(struct beats_connection *connection);

/* ---- event.c */

/* Makes the event and emits it into the connection's stream. */
/* Provenance of what is made of this payload next (place.c); object: what it decodes to, NULL: nothing. */
void beats_place_begin(struct beats_connection *connection, struct str payload,
                       const struct value *object);
void beats_event_emit(struct beats_connection *connection, const struct lumberjack_event *event);

#endif
