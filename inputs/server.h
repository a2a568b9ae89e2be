/* SPDX-License-Identifier: Apache-2.0
 *
 * A TCP server for inputs: a listener on the main loop, its connections spread over the lanes. What bytes mean is the
 * protocol's; the server accepts, counts, limits, closes, and ends the input in order.
 *
 *   open    server_open       binds; SCARCE memory and descriptors are known from here
 *   start   server_start      listens
 *   stop    server_stop       nothing is accepted; protocol.stop for each connection; then input_finished
 *   close   server_close      protocol.close for each connection; closed() when the last one is gone
 *
 * A connection is the protocol's own struct with struct server_connection first (connection_size bytes, zeroed). It lives on
 * one lane, and all of the protocol's functions are called there:
 *
 *   protocol.open     bytes can be exchanged, over TLS after the handshake: opens its stream and reads (server_read). False:
 *                     it is closed again
 *   io.room, read, ended, written, shut     as byte_stream.h says; ctx is the connection
 *   server_end        by the protocol, from anywhere: closes the socket
 *   protocol.release  everything is closed, nobody holds it: frees what hangs on it, then it is freed
 *
 * 1. A connection is in its lane's list from before `open` until `release` has returned. Before `open` (a handshake) none
 *    of the protocol's functions is called; one that never opened is not released either.
 * 2. protocol.stop and .close may call server_end; the list stays valid, because nothing is freed inside of them.
 * 3. What connections hold for what is incomplete (server_note_held) is at most max_held_bytes together: above that the
 *    protocol gives up the one that has been without progress for longest, on the lane that holds most.
 * 4. What they claim of the budget beyond that (server_note_claimed: what is reserved for messages that have begun, and what came
 *    of them so far) is bounded by the budget alone, and a client that goes on keeps it. When one has to wait for memory
 *    (server_shed_idle), those are given up that do not go on, until no more than max_held_bytes are held and claimed.
 */
#ifndef MILLRACE_INPUTS_SERVER_H
#define MILLRACE_INPUTS_SERVER_H

#include "io/byte_stream.h"
#include "io/listener.h"
#include "io/tls_context.h"
#include "pipeline/engine/lane.h"
#include "pipeline/plugin.h"

struct server;
struct server_lane;

enum {
    SERVER_READ_BYTES = 64 * 1024,  /* one read from a socket */
    SERVER_SCARCE_READ_BYTES = 4096 /* while half of what may be held is */
};

struct server_connection {
    struct inbox_item link; /* first: from the listener to the lane; afterwards the protocol's */
    struct server_lane *home;
    struct server_connection *previous, *next; /* on the lane */
    struct byte_stream *stream;                /* NULL: not opened yet */
    struct peer_address peer;
    int fd;                 /* until the lane adopts it */
    unsigned holders;       /* the stream, and what the protocol adds */
    bool is_open;           /* protocol.open was called */
    bool ended;             /* server_end was called */
    struct ssl_ctx_st *use; /* for the handshake; NULL: no TLS */
    size_t held_bytes, claimed_bytes;
};

struct server_protocol {
    size_t connection_size;
    /* Without TLS `open` gets the descriptor (connection->fd, taken) and no stream; then the protocol calls server_release when
     * it is closed, after server_end. */
    bool takes_descriptors;
    struct byte_stream_handler io; /* closed and opened are the server's */
    bool (*open)(struct server_connection *connection);
    void (*stop)(struct server_connection *connection);
    void (*close)(struct server_connection *connection);
    void (*release)(struct server_connection *connection);
    /* Of two that hold something, whether `one` is to be given up first; and whether it can be. NULL: none ever. */
    bool (*goes_before)(const struct server_connection *one, const struct server_connection *other);
    bool (*may_give_up)(const struct server_connection *connection);
    void (*give_up)(struct server_connection *connection); /* holds nothing afterwards */
    /* It claims memory and has not gone on for long enough that others may have it. NULL: nothing is ever claimed. */
    bool (*is_idle)(const struct server_connection *connection);
    /* The lane has no connections any more and gets none: what the protocol put into lane->shared. NULL: nothing. */
    void (*end_lane)(struct server_lane *lane);
};

struct server_options {
    const struct plugin_env *env;
    const char *waiting; /* what the log says when it listens: "waiting for Beats" */
    struct str host;     /* --listen-at is looked at by server_open */
    int64_t port;
    int64_t max_connections;
    size_t max_held_bytes;           /* 0: a quarter of the memory budget */
    struct server_protocol protocol; /* io.closed and io.opened are filled in */
    void *input;                     /* the protocol's */
    bool keep_alive;                 /* the system looks after silent peers */
    struct tls_context *tls;         /* NULL: none. Taken by server_open, also when it fails */
    int64_t handshake_timeout_ms;
};

enum server_counter {
    SERVER_ACCEPTED,
    SERVER_REFUSED,
    SERVER_CLOSED,
    SERVER_SHED,
    SERVER_HANDSHAKE_FAILURES,
    SERVER_HANDSHAKE_TIMEOUTS,
    SERVER_COUNTERS,
};

/* What the connections of one lane share. */
struct server_lane {
    struct server *server;
    struct lane *lane;
    struct inbox_item stop, stopped, close, closed, shed;
    struct server_connection *connections;
    char *read_buffer;                       /* SERVER_READ_BYTES, from the first connection on */
    atomic_size_t held_bytes, claimed_bytes; /* the part of the server's sums */
    atomic_bool shed_posted;
    bool is_stopping, is_closing;
    struct log_limit log_limit; /* for what the protocol says of clients */
    void *shared;               /* the protocol's */
};

struct server {
    struct server_options options;
    struct listener *listener;
    struct counter *counters[SERVER_COUNTERS];
    struct log_limit log_limit; /* of refusals */
    size_t descriptor_limit;    /* descriptors from this number on are kept for others */
    atomic_size_t held_bytes, claimed_bytes;
    atomic_uint connections;   /* of all lanes, also those on their way to one */
    struct server_lane *lanes; /* NULL: not started */
    size_t lane_count, lanes_stopped, lanes_closed;
    bool stopped, closing;
    unsigned parts_open; /* listener, lanes, and server_close itself while it runs */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- main lane ---- */

bool server_open(struct server *server, const struct server_options *options, struct error *err);
bool server_start(struct server *server, struct error *err);
void server_stop(struct server *server);
/* After open; also without start. */
void server_close(struct server *server, void (*closed)(void *ctx), void *ctx);

/* ---- the connection's lane ---- */

/* Room that all connections of a lane read into: the answer of protocol.io.room for who keeps nothing of it. */
uv_buf_t server_room(struct server_connection *connection);
/* A socket that fails at once is ended. */
void server_read(struct server_connection *connection, bool on);
void server_end(struct server_connection *connection); /* again: no effect */
/* Whoever posts the connection's link, or lends it to something that ends later, holds it. */
void server_hold(struct server_connection *connection);
void server_release(struct server_connection *connection);
/* So many bytes are held for what is incomplete. */
void server_note_held(struct server_connection *connection, size_t held_bytes);
void server_note_claimed(struct server_connection *connection, size_t claimed_bytes);
/* Looks whether all hold too much. May end this connection. */
void server_shed(struct server_connection *connection);
/* This connection has waited for memory for long. */
void server_shed_idle(struct server_connection *connection);
/* Lines about clients are limited for each lane. */
bool server_may_log(struct server_connection *connection, uint64_t *suppressed_out);

static inline struct server *server_of(const struct server_connection *connection)
{
    return connection->home->server;
}
static inline uint64_t server_now_ms(const struct server_connection *connection)
{
    return uv_now(lane_loop(connection->home->lane));
}
/* Any lane. */
static inline void server_count(struct counter *counter, uint64_t n)
{
    atomic_fetch_add_explicit(&counter->value, n, memory_order_relaxed);
}

#endif
