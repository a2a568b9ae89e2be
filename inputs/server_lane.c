/* SPDX-License-Identifier: Apache-2.0
 *
 * The connections of one lane: everything here happens on its thread.
 */
#include <assert.h>
#include <unistd.h>

#include "base/mem.h"
#include "inputs/server_private.h"
#include "io/tcp_stream.h"
#include "io/tls_stream.h"
#include "pipeline/engine/budget.h"

static const struct server_protocol *protocol_of(const struct server_connection *connection)
{
    return &server_of(connection)->options.protocol;
}

/* ---- the list ---- */

static void add(struct server_lane *lane, struct server_connection *connection)
{
    if (!lane->read_buffer)
        lane->read_buffer = mem_alloc(SERVER_READ_BYTES);
    connection->next = lane->connections;
    if (lane->connections)
        lane->connections->previous = connection;
    lane->connections = connection;
}

static void drop(struct server_lane *lane, struct server_connection *connection)
{
    assert(lane->connections);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        lane->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
}

static void end_if_empty(struct server_lane *lane)
{
    if (!lane->is_closing || lane->connections)
        return;
    /* Nobody posts `shed` from here on; what was posted comes back here. */
    if (atomic_exchange(&lane->shed_posted, true))
        return;
    mem_free(lane->read_buffer);
    lane->read_buffer = NULL;
    if (lane->server->options.protocol.end_lane)
        lane->server->options.protocol.end_lane(lane);
    /* From here on the main lane may free this. */
    lane_post(lane->server->options.env->lane, &lane->closed);
}

void server_lane_stop(struct server_lane *lane)
{
    lane->is_stopping = true;
    for (struct server_connection *at = lane->connections; at; at = at->next)
        if (!at->ended && at->is_open)
            protocol_of(at)->stop(at);
        else
            server_end(at);
}

void server_lane_close(struct server_lane *lane)
{
    lane->is_stopping = lane->is_closing = true;
    for (struct server_connection *at = lane->connections; at; at = at->next)
        if (!at->ended && at->is_open)
            protocol_of(at)->close(at);
        else
            server_end(at);
    end_if_empty(lane);
}

/* ---- one connection ---- */

static void forget(struct server_connection *connection)
{
    struct server_lane *lane = connection->home;
    server_count(lane->server->counters[SERVER_CLOSED], 1);
    atomic_fetch_sub(&lane->server->connections, 1);
    lane_connection_closed(lane->lane);
    mem_free(connection);
}

void server_hold(struct server_connection *connection)
{
    connection->holders++;
}

void server_release(struct server_connection *connection)
{
    struct server_lane *lane = connection->home;
    assert(connection->holders > 0);
    if (--connection->holders > 0)
        return;
    assert(connection->ended);
    if (connection->is_open)
        protocol_of(connection)->release(connection);
    assert(connection->held_bytes == 0);
    drop(lane, connection);
    forget(connection);
    end_if_empty(lane);
}

void server_connection_closed(void *ctx)
{
    server_release(ctx);
}

void server_end(struct server_connection *connection)
{
    if (connection->ended)
        return;
    connection->ended = true;
    if (connection->stream)
        byte_stream_close(connection->stream);
}

static void open_connection(struct server_connection *connection)
{
    connection->is_open = true;
    if (!protocol_of(connection)->open(connection))
        server_end(connection);
}

/* ---- handshakes ---- */

static void on_shaken(void *ctx)
{
    struct server_connection *connection = ctx;
    byte_stream_set_handler(connection->stream, &protocol_of(connection)->io, connection);
    open_connection(connection);
}

static void on_handshake_failed(void *ctx, int status)
{
    struct server_connection *connection = ctx;
    const struct server *server = server_of(connection);
    const char *reason = tls_stream_reason(connection->stream);
    bool late = tls_stream_timed_out(connection->stream);
    uint64_t suppressed;
    server_count(server->counters[late ? SERVER_HANDSHAKE_TIMEOUTS : SERVER_HANDSHAKE_FAILURES], 1);
    if (server_may_log(connection, &suppressed))
        log_warn(server->options.env->log, "handshake_failed", "a client could not agree on TLS",
                 LOG_CSTR("client", connection->peer.text),
                 LOG_CSTR("reason", reason ? reason : uv_strerror(status)),
                 LOG_INT_IF("not_logged_before", suppressed));
    server_end(connection);
}

static const struct byte_stream_handler HANDSHAKE = {
    .opened = on_shaken,
    .ended = on_handshake_failed,
    .closed = server_connection_closed,
};

static void begin_handshake(struct server_connection *connection)
{
    const struct server_options *options = &server_of(connection)->options;
    struct tls_stream_options tls = {
        .below = connection->stream,
        .use = connection->use,
        .is_server = true,
        .handshake_timeout_ms = (unsigned)options->handshake_timeout_ms,
        .charged = engine_account(options->env->engine, BUDGET_RECEIVE),
        .handler = &HANDSHAKE,
        .ctx = connection,
    };
    connection->stream = tls_stream_new(&tls);
    connection->use = NULL;
}

/* ---- the beginning ---- */

static void adopt(struct inbox_item *item)
{
    struct server_connection *connection = (struct server_connection *)(void *)item;
    struct server_lane *lane = connection->home;
    const struct server_protocol *protocol = protocol_of(connection);
    if (lane->is_stopping) {
        close(connection->fd);
        if (connection->use)
            tls_context_unuse(connection->use);
        forget(connection);
        return;
    }
    add(lane, connection);
    server_hold(connection);
    if (protocol->takes_descriptors && !connection->use) {
        open_connection(connection);
        return;
    }
    connection->stream =
        tcp_stream_new(lane_loop(lane->lane), connection->fd, &protocol->io, connection);
    if (connection->use)
        begin_handshake(connection);
    else
        open_connection(connection);
}

void server_connection_post(struct server *server, int fd, const struct peer_address *peer)
{
    struct lane *lane = engine_lane_for_connection(server->options.env->engine);
    assert(lane_index(lane) < server->lane_count);
    struct server_connection *connection = mem_zero(1, server->options.protocol.connection_size);
    atomic_fetch_add(&server->connections, 1);
    connection->home = &server->lanes[lane_index(lane)];
    connection->fd = fd;
    connection->peer = *peer;
    if (server->options.tls)
        connection->use = tls_context_use(server->options.tls);
    connection->link.run = adopt;
    lane_post(lane, &connection->link);
}

/* ---- reading ---- */

uv_buf_t server_room(struct server_connection *connection)
{
    struct server *server = server_of(connection);
    size_t held = atomic_load_explicit(&server->held_bytes, memory_order_relaxed);
    return uv_buf_init(connection->home->read_buffer, held > server->options.max_held_bytes / 2
                                                          ? SERVER_SCARCE_READ_BYTES
                                                          : SERVER_READ_BYTES);
}

void server_read(struct server_connection *connection, bool on)
{
    if (!on)
        byte_stream_read_stop(connection->stream);
    else if (byte_stream_read_start(connection->stream) != 0)
        server_end(connection);
}

bool server_may_log(struct server_connection *connection, uint64_t *suppressed_out)
{
    return log_limit_allow(&connection->home->log_limit, server_now_ms(connection), suppressed_out);
}

/* ---- half messages ---- */

static void note(atomic_size_t *sums[2], size_t *noted, size_t bytes)
{
    size_t before = *noted;
    *noted = bytes;
    for (size_t i = 0; i < 2 && bytes != before; i++) {
        if (bytes > before)
            atomic_fetch_add_explicit(sums[i], bytes - before, memory_order_relaxed);
        else
            atomic_fetch_sub_explicit(sums[i], before - bytes, memory_order_relaxed);
    }
}

void server_note_held(struct server_connection *connection, size_t held_bytes)
{
    struct server_lane *lane = connection->home;
    note((atomic_size_t *[]){&lane->held_bytes, &lane->server->held_bytes}, &connection->held_bytes,
         held_bytes);
}

void server_note_claimed(struct server_connection *connection, size_t claimed_bytes)
{
    struct server_lane *lane = connection->home;
    assert(lane->server->options.protocol.is_idle);
    note((atomic_size_t *[]){&lane->claimed_bytes, &lane->server->claimed_bytes},
         &connection->claimed_bytes, claimed_bytes);
}

static bool holds_too_much(const struct server *server)
{
    return atomic_load_explicit(&server->held_bytes, memory_order_relaxed) >
           server->options.max_held_bytes;
}

/* With what is claimed as well: what others may have when they need it. */
static bool claims_too_much(const struct server *server)
{
    return atomic_load_explicit(&server->held_bytes, memory_order_relaxed) +
               atomic_load_explicit(&server->claimed_bytes, memory_order_relaxed) >
           server->options.max_held_bytes;
}

static bool holds_something(const struct server_connection *connection)
{
    return connection->held_bytes > 0;
}

static bool claims_idly(const struct server_connection *connection)
{
    const struct server_protocol *protocol = &server_of(connection)->options.protocol;
    return connection->claimed_bytes > 0 && protocol->is_idle(connection);
}

static struct server_connection *
most_stale(const struct server_lane *lane, bool (*fits)(const struct server_connection *connection))
{
    const struct server_protocol *protocol = &lane->server->options.protocol;
    struct server_connection *stale = NULL;
    for (struct server_connection *at = lane->connections; at; at = at->next)
        if (!at->ended && at->is_open && fits(at) && protocol->may_give_up(at) &&
            (!stale || protocol->goes_before(at, stale)))
            stale = at;
    return stale;
}

static void shed_one(struct server_connection *stale)
{
    const struct server *server = server_of(stale);
    uint64_t suppressed;
    server_count(server->counters[SERVER_SHED], 1);
    if (server_may_log(stale, &suppressed))
        log_warn(server->options.env->log, "client_shed",
                 "half-received messages hold too much memory: the connection that made no "
                 "progress for longest is closed",
                 LOG_CSTR("client", stale->peer.text), LOG_INT("bytes", stale->held_bytes),
                 LOG_INT_IF("not_logged_before", suppressed));
    server->options.protocol.give_up(stale);
    assert(stale->held_bytes == 0 && stale->claimed_bytes == 0);
}

static void shed_here(struct server_lane *lane)
{
    struct server_connection *stale;
    while (holds_too_much(lane->server) && (stale = most_stale(lane, holds_something)))
        shed_one(stale);
}

static void shed_idle_here(struct server_lane *lane)
{
    struct server_connection *stale;
    while (claims_too_much(lane->server) && (stale = most_stale(lane, claims_idly)))
        shed_one(stale);
}

void server_lane_shed(struct server_lane *lane)
{
    atomic_store(&lane->shed_posted, false);
    shed_here(lane);
    shed_idle_here(lane);
    end_if_empty(lane);
}

static struct server_lane *holds_most(struct server *server)
{
    struct server_lane *most = &server->lanes[0];
    for (size_t i = 1; i < server->lane_count; i++)
        if (atomic_load_explicit(&server->lanes[i].held_bytes, memory_order_relaxed) >
            atomic_load_explicit(&most->held_bytes, memory_order_relaxed))
            most = &server->lanes[i];
    return most;
}

static void post_shed(struct server_lane *lane)
{
    if (!atomic_exchange(&lane->shed_posted, true))
        lane_post(lane->lane, &lane->shed);
}

void server_shed_idle(struct server_connection *connection)
{
    struct server *server = server_of(connection);
    for (size_t i = 0; i < server->lane_count && claims_too_much(server); i++) {
        struct server_lane *lane = &server->lanes[i];
        if (lane == connection->home)
            shed_idle_here(lane);
        else if (atomic_load_explicit(&lane->claimed_bytes, memory_order_relaxed) > 0)
            post_shed(lane);
    }
}

void server_shed(struct server_connection *connection)
{
    struct server *server = server_of(connection);
    if (!server->options.protocol.give_up || !holds_too_much(server))
        return;
    struct server_lane *most = holds_most(server);
    if (most == connection->home)
        shed_here(most);
    else
        post_shed(most);
}
