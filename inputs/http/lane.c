/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP server of a lane is made with its first connection. It closes when the input stops: what is under way is
 * answered, then all connections end. Its memory goes when it has closed and the lane has ended.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "inputs/http/http.h"
#include "io/stream_relay.h"
#include "io/tcp_stream.h"
#include "pipeline/engine/budget.h"

enum {
    IDLE_TIMEOUT_S = 60,
    REQUEST_TIMEOUT_S = 600,
    CONNECTIONS_MAX = 1000000, /* inputs/server.h has the limit that counts */
};

struct http_connection {
    struct server_connection base; /* first */
    struct stream_relay *relay;    /* with TLS */
};

static struct http_connection *connection_of(struct server_connection *base)
{
    return (struct http_connection *)(void *)base;
}

/* ---- the server ---- */

static void release_holder(void *ctx)
{
    struct http_lane *lane = ctx;
    assert(lane->holders > 0);
    if (--lane->holders == 0)
        mem_free(lane);
}

static void close_lane(struct http_lane *lane)
{
    if (lane->closing)
        return;
    lane->closing = true;
    http_server_close(lane->server, release_holder, lane);
}

/* libmicrohttpd has closed what it was given. */
static void on_gone(void *ctx, void *connection)
{
    struct server_connection *base = connection;
    (void)ctx;
    if (!connection_of(base)->relay) /* else its own end says so */
        server_end(base);
    server_release(base);
}

static struct http_lane *lane_of(struct server_lane *home)
{
    struct http_input *input = home->server->options.input;
    struct error err;
    if (home->shared)
        return home->shared;
    struct http_lane *lane = mem_zero(1, sizeof *lane);
    struct http_server_options options = {
        .loop = lane_loop(home->lane),
        .max_connections = CONNECTIONS_MAX,
        .idle_timeout_s = IDLE_TIMEOUT_S,
        .request_timeout_s = REQUEST_TIMEOUT_S,
        .max_body_bytes = (size_t)input->options.max_content_length,
        .max_all_bodies_bytes = home->server->options.max_held_bytes,
        .bodies = &input->bodies,
        .charged = engine_account(input->env->engine, BUDGET_RECEIVE),
        .any_request = true,
        .handle = request_handle,
        .admit = request_admit,
        .refuse = request_refuse,
        .gone = on_gone,
        .ctx = lane,
    };
    lane->input = input;
    lane->lane = home->lane;
    lane->server = http_server_open(&options, &err);
    if (!lane->server) {
        log_error(input->env->log, "server_failed", "HTTP cannot be served",
                  LOG_CSTR("reason", err.text));
        mem_free(lane);
        return NULL;
    }
    lane->holders = 2;
    home->shared = lane;
    return lane;
}

/* ---- connections ---- */

static void on_relay_finished(void *ctx)
{
    struct server_connection *base = ctx;
    base->stream = NULL; /* closed with the relay */
    server_end(base);
    server_release(base);
}

/* The decrypted side is a socket for libmicrohttpd. */
static bool begin_relay(struct http_lane *lane, struct http_connection *connection)
{
    int ends[2];
    struct server_connection *base = &connection->base;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        log_warn(lane->input->env->log, "client_failed", "a client could not be served",
                 LOG_CSTR("reason", strerror(errno)));
        return false;
    }
    struct byte_stream *plain =
        tcp_stream_new(lane_loop(lane->lane), ends[0], base->stream->handler, connection);
    connection->relay = stream_relay_new(base->stream, plain,
                                         engine_account(lane->input->env->engine, BUDGET_RECEIVE),
                                         on_relay_finished, connection);
    server_hold(base);
    http_server_add(lane->server, ends[1], connection);
    return true;
}

static bool open_connection(struct server_connection *base)
{
    struct http_lane *lane = lane_of(base->home);
    if (base->stream)
        return lane && begin_relay(lane, connection_of(base));
    if (lane) {
        http_server_add(lane->server, base->fd, base);
        return true;
    }
    close(base->fd);
    server_end(base);
    server_release(base);
    return true;
}

static void stop_connection(struct server_connection *base)
{
    if (base->home->shared)
        close_lane(base->home->shared);
}

static void close_connection(struct server_connection *base)
{
    stop_connection(base);
    if (base->home->shared)
        requests_give_up(base->home->shared);
}

static void release_connection(struct server_connection *base)
{
    assert(base->ended);
    (void)base;
}

static void end_lane(struct server_lane *home)
{
    struct http_lane *lane = home->shared;
    if (!lane)
        return;
    home->shared = NULL;
    close_lane(lane);
    release_holder(lane);
}

static uv_buf_t no_room(void *ctx)
{
    return server_room(ctx);
}

static void no_read(void *ctx, struct str bytes)
{
    (void)ctx, (void)bytes;
}

static void no_event(void *ctx, int status)
{
    (void)ctx, (void)status;
}

/* What a stream would say before the relay has it: nothing is read until then. */
const struct server_protocol http_protocol = {
    .connection_size = sizeof(struct http_connection),
    .takes_descriptors = true,
    .io = {.room = no_room,
           .read = no_read,
           .ended = no_event,
           .written = no_event,
           .shut = no_event},
    .open = open_connection,
    .stop = stop_connection,
    .close = close_connection,
    .release = release_connection,
    .end_lane = end_lane,
};
