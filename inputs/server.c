/* SPDX-License-Identifier: Apache-2.0
 *
 * The main lane's part: listening, handing connections to lanes, and the end.
 */
#include "inputs/server.h"

#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/mem.h"
#include "conf/listen_at.h"
#include "inputs/server_private.h"

enum {
    REFUSAL_LOG_WINDOW_MS = 10000,
    LANE_LOG_WINDOW_MS = 10000,
    LANE_LOG_BURST = 5,
    HELD_BYTES_DEFAULT = 32 * 1024 * 1024,
};

static const char *const COUNTER_NAMES[SERVER_COUNTERS] = {
    [SERVER_ACCEPTED] = "connections_accepted",
    [SERVER_REFUSED] = "connections_refused",
    [SERVER_CLOSED] = "connections_closed",
    [SERVER_SHED] = "connections_shed",
    [SERVER_HANDSHAKE_FAILURES] = "tls_handshake_failures",
    [SERVER_HANDSHAKE_TIMEOUTS] = "tls_handshake_timeouts",
};

#define LANE_OF(item, member)                                                                      \
    ((struct server_lane *)(void *)((char *)(item)-offsetof(struct server_lane, member)))

/* ---- accepting ---- */

static void log_refusal(struct server *server, const char *event, const char *sentence)
{
    const struct plugin_env *env = server->options.env;
    uint64_t suppressed;
    if (log_limit_allow(&server->log_limit, uv_now(env->loop), &suppressed))
        log_warn(env->log, event, sentence, LOG_INT("port", server->options.port),
                 LOG_INT("connections", atomic_load(&server->connections)),
                 LOG_INT_IF("not_logged_before", suppressed));
}

/* Certificates that changed on disk are taken for connections from here on. */
static void refresh_tls(struct server *server)
{
    const struct plugin_env *env = server->options.env;
    struct error err;
    switch (tls_context_refresh(server->options.tls, &err)) {
    case TLS_UNCHANGED:
        break;
    case TLS_RENEWED:
        log_info(env->log, "certificates_renewed",
                 "new connections use the certificates that changed on disk",
                 LOG_INT("port", server->options.port));
        break;
    case TLS_KEPT_OLD:
        log_warn(env->log, "certificates_kept",
                 "certificates changed on disk and cannot be used: the old ones stay",
                 LOG_INT("port", server->options.port), LOG_CSTR("reason", err.text));
        break;
    }
}

static void turn_away(struct server *server, int fd)
{
    server_count(server->counters[SERVER_REFUSED], 1);
    shutdown(fd, SHUT_WR);
    close(fd);
}

static void on_accepted(void *ctx, int fd, const struct peer_address *peer)
{
    struct server *server = ctx;
    if (atomic_load(&server->connections) >= (unsigned)server->options.max_connections) {
        log_refusal(server, "connection_refused",
                    "a client was turned away: max_connections is reached");
        turn_away(server, fd);
    } else if ((size_t)fd >= server->descriptor_limit) {
        log_refusal(server, "connection_refused",
                    "a client was turned away: the descriptors that are left are for outputs; see "
                    "`ulimit -n`");
        turn_away(server, fd);
    } else {
        if (server->options.tls)
            refresh_tls(server);
        int on = server->options.keep_alive;
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        server_count(server->counters[SERVER_ACCEPTED], 1);
        server_connection_post(server, fd, peer);
    }
}

static void on_exhausted(void *ctx)
{
    log_refusal(ctx, "accept_failed", "no connection can be accepted for now: out of descriptors");
}

static const struct listener_handler LISTENER_HANDLER = {on_accepted, on_exhausted};

/* ---- lanes ---- */

static struct lane *main_lane(const struct server *server)
{
    return server->options.env->lane;
}

static void close_part(void *ctx)
{
    struct server *server = ctx;
    assert(server->parts_open > 0);
    if (--server->parts_open > 0 || !server->closing)
        return;
    mem_free(server->lanes);
    server->lanes = NULL;
    tls_context_free(server->options.tls);
    server->options.tls = NULL;
    server->closed(server->closed_ctx);
}

static void on_stopped(struct inbox_item *item)
{
    struct server *server = LANE_OF(item, stopped)->server;
    if (++server->lanes_stopped == server->lane_count)
        input_finished(server->options.env);
}

static void on_closed(struct inbox_item *item)
{
    struct server *server = LANE_OF(item, closed)->server;
    if (++server->lanes_closed == server->lane_count)
        close_part(server);
}

static void on_stop(struct inbox_item *item)
{
    struct server_lane *lane = LANE_OF(item, stop);
    server_lane_stop(lane);
    lane_post(main_lane(lane->server), &lane->stopped);
}

static void on_close(struct inbox_item *item)
{
    server_lane_close(LANE_OF(item, close));
}

static void on_shed(struct inbox_item *item)
{
    server_lane_shed(LANE_OF(item, shed));
}

static void open_lanes(struct server *server)
{
    struct engine *engine = server->options.env->engine;
    server->lane_count = engine_lane_count(engine);
    server->lanes = mem_zero(server->lane_count, sizeof *server->lanes);
    server->parts_open++;
    for (size_t i = 0; i < server->lane_count; i++) {
        struct server_lane *lane = &server->lanes[i];
        lane->server = server;
        lane->lane = engine_lane(engine, i);
        lane->stop.run = on_stop;
        lane->stopped.run = on_stopped;
        lane->close.run = on_close;
        lane->closed.run = on_closed;
        lane->shed.run = on_shed;
        lane->log_limit =
            (struct log_limit){.window_ms = LANE_LOG_WINDOW_MS, .burst = LANE_LOG_BURST};
    }
}

/* ---- the life of the server ---- */

/* An event is at most an eighth of the memory budget; what is incomplete gets a quarter. */
static size_t held_limit(const struct server *server)
{
    const struct plugin_settings *settings = server->options.env->settings;
    if (server->options.max_held_bytes > 0)
        return server->options.max_held_bytes;
    return settings && settings->max_event_bytes > 0 ? 2 * settings->max_event_bytes
                                                     : HELD_BYTES_DEFAULT;
}

bool server_open(struct server *server, const struct server_options *options, struct error *err)
{
    const struct plugin_env *env = options->env;
    assert(options->protocol.connection_size >= sizeof(struct server_connection));
    server->options = *options;
    server->options.max_held_bytes = held_limit(server);
    server->options.protocol.io.closed = server_connection_closed;
    server->log_limit = (struct log_limit){.window_ms = REFUSAL_LOG_WINDOW_MS, .burst = 1};
    server->descriptor_limit = machine_descriptors_for_inputs();
    if (env->settings)
        listen_at_lead(env->settings->listen_at, &server->options.host, &server->options.port);
    size_t counters = options->tls ? SERVER_COUNTERS : SERVER_HANDSHAKE_FAILURES;
    for (size_t i = 0; i < counters; i++)
        server->counters[i] = env->counter(env, COUNTER_NAMES[i]);
    server->listener = listener_bind(arena_cstr(env->arena, server->options.host),
                                     (uint16_t)server->options.port, err);
    if (server->listener) {
        server->parts_open = 1;
        return true;
    }
    tls_context_free(server->options.tls);
    server->options.tls = NULL;
    return false;
}

bool server_start(struct server *server, struct error *err)
{
    const struct plugin_env *env = server->options.env;
    if (!listener_start(server->listener, env->loop, &LISTENER_HANDLER, server, err))
        return false;
    open_lanes(server);
    /* --listen-at may have asked for any free port. */
    log_info(env->log, "listening", server->options.waiting, LOG_STR("host", server->options.host),
             LOG_INT("port", listener_port(server->listener)));
    return true;
}

static void close_listener(struct server *server)
{
    struct listener *listener = server->listener;
    server->listener = NULL;
    if (listener)
        listener_close(listener, close_part, server);
}

void server_stop(struct server *server)
{
    if (server->stopped)
        return;
    server->stopped = true;
    close_listener(server);
    for (size_t i = 0; i < server->lane_count; i++)
        lane_post(server->lanes[i].lane, &server->lanes[i].stop);
    if (server->lane_count == 0)
        input_finished(server->options.env);
}

void server_close(struct server *server, void (*closed)(void *ctx), void *ctx)
{
    assert(!server->closing);
    server->closing = true;
    server->closed = closed;
    server->closed_ctx = ctx;
    server->parts_open++;
    close_listener(server);
    for (size_t i = 0; i < server->lane_count; i++)
        lane_post(server->lanes[i].lane, &server->lanes[i].close);
    close_part(server);
}
