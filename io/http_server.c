/* SPDX-License-Identifier: Apache-2.0
 *
 * libmicrohttpd watches its sockets with an epoll descriptor of its own; the loop watches that one, and a timer runs what
 * libmicrohttpd wants to do later.
 *
 * 1. libmicrohttpd runs in run() only, which is called from the poll and from the timer and never from itself.
 * 2. A resumed connection moves at the next MHD_run: whoever resumes one sets the timer to 0.
 * 3. The daemon is stopped only when no connection is suspended.
 */
#include "io/http_server_private.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    SERVER_BACKLOG = 1024,
    SERVER_MEMORY_BYTES =
        2 * HTTP_SERVER_HEADER_BYTES, /* of a connection: what it reads into, and its headers */
    SERVER_READ_BYTES = 32 * 1024,
    SERVER_SWEEP_MS = 1000,
    SERVER_CLOSE_GRACE_MS = 5000,
    SERVER_HANDLES = 3,
    SERVER_POLLED = 256, /* sockets looked at with one call */
    SERVER_SPARE = 32,   /* connections that are taken while others are being closed for them */
    SERVER_NEWCOMER_MS =
        1000, /* what a connection has for its first line before it counts as idle */
};

struct server_hang_ups {
    struct pollfd fds[SERVER_POLLED];
    nfds_t count;
};

/* ---- connections ---- */

/* How much would be lost with it, the least first. */
enum peer_use {
    PEER_IDLE,
    PEER_NEW, /* just come, or just answered: its request may be under way */
    PEER_RECEIVING,
    PEER_WORKING,
};

static enum peer_use use_of(const struct http_server *server, const struct peer *peer)
{
    if (!peer->exchange)
        return uv_now(server->options.loop) - peer->since_ms < SERVER_NEWCOMER_MS ? PEER_NEW
                                                                                  : PEER_IDLE;
    return peer->exchange->state <= EXCHANGE_RECEIVING ? PEER_RECEIVING : PEER_WORKING;
}

/* There are more than wanted: the one that has done nothing for longest goes, as libmicrohttpd learns from its socket. Where none
 * is idle it is one of those of whom there are most, so that neither many that only connect nor many that send slowly keep
 * others out. */
static void close_idlest(struct http_server *server)
{
    struct {
        struct peer *oldest;
        unsigned count;
    } uses[PEER_WORKING] = {{NULL, 0}};
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        enum peer_use use = use_of(server, peer);
        if (peer->shut || use == PEER_WORKING)
            continue;
        uses[use].count++;
        if (!uses[use].oldest || peer->since_ms <= uses[use].oldest->since_ms)
            uses[use].oldest = peer;
    }
    enum peer_use most = uses[PEER_IDLE].oldest                              ? PEER_IDLE
                         : uses[PEER_NEW].count > uses[PEER_RECEIVING].count ? PEER_NEW
                                                                             : PEER_RECEIVING;
    struct peer *idlest = uses[most].oldest;
    if (!idlest)
        return;
    idlest->shut = true;
    shutdown(idlest->fd, SHUT_RDWR);
}

static void on_connection(void *ctx, struct MHD_Connection *connection, void **peer_inout,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = ctx;
    struct peer *peer = *peer_inout;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (peer->exchange) /* libmicrohttpd has refused the request itself */
            http_exchange_free(peer->exchange);
        server->peer_count--;
        *peer->link = peer->next;
        if (peer->next)
            peer->next->link = peer->link;
        void *added = peer->added;
        mem_free(peer);
        *peer_inout = NULL;
        if (added)
            server->options.gone(server->options.ctx, added);
        return;
    }
    peer = mem_zero(1, sizeof *peer);
    peer->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    peer->since_ms = uv_now(server->options.loop);
    peer->added = server->adding;
    server->adding = NULL;
    peer->next = server->peers;
    peer->link = &server->peers;
    if (peer->next)
        peer->next->link = &peer->next;
    server->peers = peer;
    *peer_inout = peer;
    if (++server->peer_count > server->options.max_connections)
        close_idlest(server);
}

/* ---- running ---- */

static void on_timer(uv_timer_t *timer);
static void stop_if_done(struct http_server *server);

void http_server_wake(struct http_server *server)
{
    server->resumed = true;
    if (!server->running)
        uv_timer_start(&server->timer, on_timer, 0, 0);
}

static void set_timer(struct http_server *server)
{
    unsigned long long delay_ms;
    if (server->resumed)
        delay_ms = 0;
    else if (MHD_get_timeout(server->daemon, &delay_ms) != MHD_YES) {
        uv_timer_stop(&server->timer);
        return;
    }
    uv_timer_start(&server->timer, on_timer, delay_ms, 0);
}

static void run(struct http_server *server)
{
    assert(!server->running && server->daemon);
    server->running = true;
    server->resumed = false;
    MHD_run(server->daemon);
    server->running = false;
    set_timer(server);
    stop_if_done(server);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

/* libmicrohttpd does not see the end of a client whose last bytes it read a moment before, until its idle timeout. Whose
 * request is not whole and will not become so is told by the socket's other side. */
static void shut_half_closed(struct server_hang_ups *seen)
{
    int found = poll(seen->fds, seen->count, 0);
    for (nfds_t i = 0; found > 0 && i < seen->count; i++) {
        char byte;
        if ((seen->fds[i].revents & (POLLRDHUP | POLLHUP)) &&
            recv(seen->fds[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
            shutdown(seen->fds[i].fd, SHUT_RDWR);
    }
    seen->count = 0;
}

static void look_for_hang_ups(const struct http_server *server)
{
    struct server_hang_ups seen = {.count = 0};
    for (struct peer *peer = server->peers; peer; peer = peer->next) {
        if (use_of(server, peer) == PEER_WORKING)
            continue;
        seen.fds[seen.count++] = (struct pollfd){.fd = peer->fd, .events = POLLRDHUP};
        if (seen.count == SERVER_POLLED)
            shut_half_closed(&seen);
    }
    shut_half_closed(&seen);
}

/* The idle timeout starts again with each byte; this one does not. Also ends the wait of a close. */
static void on_sweep(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    const struct http_server_options *options = &server->options;
    if (server->closing) {
        run(server);
        return;
    }
    look_for_hang_ups(server);
    uint64_t limit_ms = 1000 * (uint64_t)(options->idle_timeout_s + options->request_timeout_s);
    uint64_t now_ms = uv_now(options->loop);
    for (struct peer *peer = server->peers; peer; peer = peer->next)
        if (!peer->in_handler && now_ms - peer->since_ms > limit_ms)
            shutdown(peer->fd, SHUT_RDWR);
}

/* ---- opening and closing ---- */

static bool start_daemon(struct http_server *server, int fd, struct error *err)
{
    const struct http_server_options *options = &server->options;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    if (fd < 0)
        flags |= MHD_USE_NO_LISTEN_SOCKET;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, http_exchange_on_request, server, MHD_OPTION_CONNECTION_LIMIT,
        options->max_connections + SERVER_SPARE, MHD_OPTION_CONNECTION_TIMEOUT,
        options->idle_timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_MEMORY_BYTES,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)SERVER_READ_BYTES,
        MHD_OPTION_URI_LOG_CALLBACK, http_exchange_on_target, server, MHD_OPTION_NOTIFY_COMPLETED,
        http_exchange_on_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, fd < 0 ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET,
        fd, MHD_OPTION_END);
    return server->daemon || error_set(err, ERROR_IO, "cannot serve HTTP on %s", server->address);
}

static void start_handles(struct http_server *server)
{
    uv_loop_t *loop = server->options.loop;
    int fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    int failure = uv_poll_init(loop, &server->poll, fd);
    assert(failure == 0);
    (void)failure;
    uv_timer_init(loop, &server->timer);
    uv_timer_init(loop, &server->sweep);
    server->poll.data = server->timer.data = server->sweep.data = server;
    server->open_handles = SERVER_HANDLES;
    uv_poll_start(&server->poll, UV_READABLE, on_readable);
    uv_timer_start(&server->timer, on_timer, 0, 0);
    uv_timer_start(&server->sweep, on_sweep, SERVER_SWEEP_MS, SERVER_SWEEP_MS);
}

struct http_server *http_server_open(const struct http_server_options *options, struct error *err)
{
    assert(options->handle && options->max_connections > 0 && options->max_body_bytes > 0);
    assert(!options->tls || (options->host && !options->gone));
    int fd = -1;
    if (options->host && (fd = listen_socket_bind(options->host, options->port, err)) < 0)
        return NULL;
    struct http_server *server = mem_zero(1, sizeof *server);
    server->options = *options;
    server->options.host = NULL; /* borrowed for the call */
    if (!options->bodies)
        server->options.bodies = &server->body_bytes;
    if (fd >= 0) {
        server->port = listen_socket_address(fd, server->address);
        server->loopback = listen_socket_is_loopback(fd);
    }
    int front = options->tls ? fd : -1;
    fd = options->tls ? -1 : fd;
    if (fd >= 0 && listen(fd, SERVER_BACKLOG) != 0) {
        error_set(err, errno == EADDRINUSE ? ERROR_BUSY : ERROR_IO, "cannot listen on %s: %s",
                  server->address, strerror(errno));
        close(fd);
    } else if (start_daemon(server, fd, err)) {
        start_handles(server);
        if (front < 0 || http_front_open(server, front, err))
            return server;
        http_server_close(server, NULL, NULL);
        return NULL;
    }
    mem_free(server);
    return NULL;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

bool http_server_is_loopback(const struct http_server *server)
{
    return server->loopback;
}

void http_server_handle_closed(struct http_server *server)
{
    if (--server->open_handles > 0)
        return;
    assert(!server->peers && account_used(&server->body_bytes) == 0);
    void (*closed)(void *ctx) = server->closed;
    void *ctx = server->closed_ctx;
    http_front_free(server);
    mem_free(server);
    if (closed)
        closed(ctx);
}

static void on_handle_closed(uv_handle_t *handle)
{
    http_server_handle_closed(handle->data);
}

static void stop_if_done(struct http_server *server)
{
    if (!server->closing || server->handling > 0)
        return;
    uint64_t now_ms = uv_now(server->options.loop);
    if (server->sending > 0 && now_ms < server->close_deadline_ms)
        return;
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->sweep, on_handle_closed);
    MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
    http_front_stopped(server);
}

void http_server_add(struct http_server *server, int fd, void *connection)
{
    struct sockaddr_in nobody = {.sin_family = AF_INET};
    assert(!server->closing && !server->adding && server->options.gone);
    server->adding = connection;
    if (MHD_add_connection(server->daemon, fd, (struct sockaddr *)&nobody, sizeof nobody) !=
            MHD_YES &&
        server->adding) {
        server->adding = NULL;
        server->options.gone(server->options.ctx, connection);
    }
    assert(!server->adding);
    http_server_wake(server);
}

void http_server_close(struct http_server *server, void (*closed)(void *ctx), void *ctx)
{
    assert(!server->closing);
    server->closing = true;
    server->closed = closed;
    server->closed_ctx = ctx;
    server->close_deadline_ms = uv_now(server->options.loop) + SERVER_CLOSE_GRACE_MS;
    http_front_close(server);
    int fd = MHD_quiesce_daemon(server->daemon);
    if (fd >= 0)
        close(fd);
    http_server_wake(server);
}
