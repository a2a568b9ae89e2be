/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS in front of an HTTP server: connections are accepted and decrypted here, and libmicrohttpd has the other end of a pair
 * of sockets for each.
 *
 *   SHAKES ── the handshake is over: on_opened ──▶ RELAYS ── both ends have ended ──▶ freed
 *   SHAKES ── it failed, others want its place, or the server closes ──▶ CLOSES ──▶ freed
 *
 * 1. FRONT_SHAKES_MAX shake at a time; for one more, the one that does so for longest goes. So who connects and says nothing
 *    holds up nobody.
 * 2. How many RELAY is limited by the server, which closes its end of the one that has been idle for longest.
 *
 * When the server closes, connections that are idle then have FRONT_GRACE_MS for what is on its way through the relay.
 */
#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/http_server_private.h"
#include "io/listener.h"
#include "io/loop_timer.h"
#include "io/stream_relay.h"
#include "io/tcp_stream.h"
#include "io/tls_stream.h"

enum { FRONT_SHAKES_MAX = 256, FRONT_HANDSHAKE_MS = 10 * 1000, FRONT_GRACE_MS = 500 };

enum front_state { FRONT_SHAKES, FRONT_RELAYS, FRONT_CLOSES };

struct front_connection {
    struct front_connection *next, **link;
    struct http_server *server;
    enum front_state state;
    struct byte_stream *stream; /* SHAKES, CLOSES */
    struct stream_relay *relay; /* RELAYS */
    struct peer_address peer;
};

struct http_front {
    struct listener *listener;
    struct loop_timer *grace;
    struct front_connection *connections; /* the newest first */
    size_t shaking;
};

/* ---- connections ---------------------------------------------------------------------------------- */

static void set_state(struct front_connection *connection, enum front_state state)
{
    struct http_front *front = connection->server->front;
    assert(connection->state == FRONT_SHAKES && state != FRONT_SHAKES && front->shaking > 0);
    connection->state = state;
    front->shaking--;
}

static void on_finished(void *ctx)
{
    struct front_connection *connection = ctx;
    struct http_server *server = connection->server;
    assert(connection->state != FRONT_SHAKES);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    mem_free(connection);
    http_server_handle_closed(server);
}

static void give_up(struct front_connection *connection)
{
    set_state(connection, FRONT_CLOSES);
    byte_stream_close(connection->stream);
}

static void close_longest_shaking(struct http_front *front)
{
    struct front_connection *longest = NULL;
    for (struct front_connection *at = front->connections; at; at = at->next)
        if (at->state == FRONT_SHAKES)
            longest = at;
    assert(longest);
    give_up(longest);
}

/* ---- handshakes ----------------------------------------------------------------------------------- */

static void on_failed(void *ctx, int status)
{
    struct front_connection *connection = ctx;
    const struct http_server_options *options = &connection->server->options;
    const char *reason = tls_stream_reason(connection->stream);
    options->tls->failed(options->ctx, connection->peer.text,
                         reason ? reason : uv_strerror(status));
    give_up(connection);
}

static void on_opened(void *ctx)
{
    struct front_connection *connection = ctx;
    struct http_server *server = connection->server;
    int ends[2];
    assert(!server->closing);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        give_up(connection);
        return;
    }
    static const struct byte_stream_handler NONE = {0}; /* the relay gives it its own */
    struct byte_stream *plain = tcp_stream_new(server->options.loop, ends[0], &NONE, NULL);
    connection->relay = stream_relay_new(connection->stream, plain, server->options.charged,
                                         on_finished, connection);
    connection->stream = NULL;
    set_state(connection, FRONT_RELAYS);
    http_server_add(server, ends[1], connection);
}

static const struct byte_stream_handler SHAKING = {
    .ended = on_failed,
    .closed = on_finished,
    .opened = on_opened,
};

/* Its own end is the relay's. */
static void on_gone(void *ctx, void *connection)
{
    (void)ctx, (void)connection;
}

static struct front_connection *add_connection(struct http_server *server)
{
    struct http_front *front = server->front;
    struct front_connection *connection = mem_zero(1, sizeof *connection);
    connection->server = server;
    connection->next = front->connections;
    connection->link = &front->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    front->connections = connection;
    server->open_handles++;
    if (++front->shaking > FRONT_SHAKES_MAX)
        close_longest_shaking(front);
    return connection;
}

static void on_accepted(void *ctx, int fd, const struct peer_address *peer)
{
    struct http_server *server = ctx;
    assert(!server->closing);
    struct front_connection *connection = add_connection(server);
    connection->peer = *peer;
    struct tls_stream_options tls = {
        .below = tcp_stream_new(server->options.loop, fd, &SHAKING, connection),
        .use = server->options.tls->use(server->options.ctx),
        .is_server = true,
        .handshake_timeout_ms = FRONT_HANDSHAKE_MS,
        .charged = server->options.charged,
        .handler = &SHAKING,
        .ctx = connection,
    };
    connection->stream = tls_stream_new(&tls);
}

/* Clients wait in the backlog. */
static void on_exhausted(void *ctx)
{
    (void)ctx;
}

/* ---- opening and closing -------------------------------------------------------------------------- */

static void on_grace(void *ctx)
{
    struct http_server *server = ctx;
    for (struct front_connection *connection = server->front->connections, *next; connection;
         connection = next) {
        next = connection->next;
        if (connection->state == FRONT_RELAYS)
            stream_relay_close(connection->relay);
    }
}

bool http_front_open(struct http_server *server, int fd, struct error *err)
{
    static const struct listener_handler HANDLER = {on_accepted, on_exhausted};
    server->front = mem_zero(1, sizeof *server->front);
    server->front->listener = listener_adopt(fd);
    server->front->grace = loop_timer_new(server->options.loop, on_grace, server);
    server->options.gone = on_gone;
    server->open_handles++;
    return listener_start(server->front->listener, server->options.loop, &HANDLER, server, err);
}

static void on_listener_closed(void *ctx)
{
    http_server_handle_closed(ctx);
}

void http_front_close(struct http_server *server)
{
    struct http_front *front = server->front;
    if (!front || !front->listener)
        return;
    struct listener *listener = front->listener;
    front->listener = NULL;
    listener_close(listener, on_listener_closed, server);
    for (struct front_connection *connection = front->connections, *next; connection;
         connection = next) {
        next = connection->next;
        if (connection->state == FRONT_SHAKES)
            give_up(connection);
    }
}

void http_front_stopped(struct http_server *server)
{
    if (server->front)
        loop_timer_start(server->front->grace, FRONT_GRACE_MS);
}

void http_front_free(struct http_server *server)
{
    if (!server->front)
        return;
    assert(!server->front->connections && server->front->shaking == 0);
    loop_timer_close(server->front->grace);
    mem_free(server->front);
}
