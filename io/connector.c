/* SPDX-License-Identifier: Apache-2.0
 *
 *   RESOLVING ── on_resolved ──▶ CONNECTING (each address) ── on_writable ──▶ SHAKING (TLS) ── on_shaken ──▶ DONE
 *   any ── no address left, time over, cancelled ──▶ DONE
 *
 * It is freed in DONE when the lookup, the handles and a stream that nobody took have let go (holders).
 */
#include "io/connector.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/listen_socket.h"
#include "io/loop_timer.h"
#include "io/tcp_stream.h"
#include "io/tls_stream.h"

enum { PORT_TEXT_MAX = 8, REASON_MAX = 192 };

enum connector_state { RESOLVING, CONNECTING, SHAKING, DONE };

struct connector {
    struct connector_options options;
    enum connector_state state;
    unsigned holders;
    bool is_name; /* that can be looked up */
    uv_getaddrinfo_t lookup;
    struct addrinfo *found;
    const struct addrinfo *next; /* address to try */
    uv_poll_t *poll;             /* frees itself */
    int fd;                      /* of the attempt; -1: none */
    struct byte_stream *stream;  /* while SHAKING */
    struct loop_timer *limit;
    char host[LISTEN_SOCKET_ADDRESS_MAX * 4];
    char reason[REASON_MAX]; /* of the last attempt */
    struct peer_address peer;
    void (*finished)(void *ctx);
    void *finished_ctx;
};

static void release_holder(struct connector *connector)
{
    assert(connector->holders > 0);
    if (--connector->holders > 0)
        return;
    assert(connector->state == DONE && connector->fd < 0);
    if (connector->found)
        uv_freeaddrinfo(connector->found);
    void (*finished)(void *ctx) = connector->finished;
    void *ctx = connector->finished_ctx;
    mem_free(connector);
    if (finished)
        finished(ctx);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct connector *connector = handle->data;
    mem_free(handle);
    release_holder(connector);
}

static void close_poll(struct connector *connector)
{
    if (connector->poll)
        uv_close((uv_handle_t *)connector->poll, on_poll_closed);
    connector->poll = NULL;
}

/* Everything but what the thread pool still has. */
static void let_go(struct connector *connector)
{
    assert(connector->state != DONE);
    connector->state = DONE;
    loop_timer_close(connector->limit);
    close_poll(connector);
    if (connector->fd >= 0)
        close(connector->fd);
    connector->fd = -1;
    if (connector->stream)
        byte_stream_close(connector->stream);
    connector->stream = NULL;
}

static void fail(struct connector *connector, const char *reason)
{
    void (*failed)(void *ctx, const char *reason) = connector->options.failed;
    void *ctx = connector->options.ctx;
    char kept[REASON_MAX];
    snprintf(kept, sizeof kept, "%s", reason);
    let_go(connector);
    release_holder(connector); /* its own */
    failed(ctx, kept);
}

static void succeed(struct connector *connector, struct byte_stream *stream)
{
    const struct connector_options options = connector->options;
    const struct peer_address peer = connector->peer;
    connector->stream = NULL;
    let_go(connector);
    release_holder(connector);
    options.connected(options.ctx, stream, &peer);
}

static void on_late(void *ctx)
{
    struct connector *connector = ctx;
    fail(connector, connector->is_name ? "no connection in time" : "this is no host name");
}

/* ---- TLS ---- */

static void on_shaken(void *ctx)
{
    struct connector *connector = ctx;
    struct byte_stream *stream = connector->stream;
    byte_stream_set_handler(stream, connector->options.handler, connector->options.ctx);
    release_holder(connector); /* the stream's */
    succeed(connector, stream);
}

static void on_handshake_failed(void *ctx, int status)
{
    struct connector *connector = ctx;
    const char *reason = tls_stream_reason(connector->stream);
    fail(connector, reason ? reason : uv_strerror(status));
}

static void on_stream_closed(void *ctx)
{
    release_holder(ctx);
}

static const struct byte_stream_handler HANDSHAKE = {
    .opened = on_shaken,
    .ended = on_handshake_failed,
    .closed = on_stream_closed,
};

static void shake(struct connector *connector, int fd)
{
    const struct connector_options *options = &connector->options;
    connector->state = SHAKING;
    connector->holders++;
    struct tls_stream_options tls = {
        .below = tcp_stream_new(options->loop, fd, &HANDSHAKE, connector),
        .use = tls_context_use(options->tls),
        .host = connector->host,
        .verify_host = tls_context_verifies_host(options->tls),
        .handshake_timeout_ms = options->timeout_ms,
        .charged = options->charged,
        .handler = &HANDSHAKE,
        .ctx = connector,
    };
    connector->stream = tls_stream_new(&tls);
}

/* ---- TCP ---- */

static void try_next(struct connector *connector);

static void on_writable(uv_poll_t *poll, int status, int events)
{
    struct connector *connector = poll->data;
    int reason = 0;
    socklen_t len = sizeof reason;
    (void)status;
    (void)events;
    getsockopt(connector->fd, SOL_SOCKET, SO_ERROR, &reason, &len);
    int fd = connector->fd;
    peer_address_of(fd, &connector->peer);
    close_poll(connector);
    connector->fd = -1;
    if (reason != 0) {
        close(fd);
        snprintf(connector->reason, sizeof connector->reason, "%s", strerror(reason));
        try_next(connector);
    } else if (connector->options.tls) {
        shake(connector, fd);
    } else {
        const struct connector_options *options = &connector->options;
        succeed(connector, tcp_stream_new(options->loop, fd, options->handler, options->ctx));
    }
}

/* False: not even begun, for the reason in errno. */
static bool begin(struct connector *connector, const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    int on = connector->options.keep_alive;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS) {
        int reason = errno;
        close(fd);
        errno = reason;
        return false;
    }
    connector->fd = fd;
    connector->poll = mem_zero(1, sizeof *connector->poll);
    int failure = uv_poll_init_socket(connector->options.loop, connector->poll, fd);
    assert(failure == 0);
    (void)failure;
    connector->holders++;
    connector->poll->data = connector;
    uv_poll_start(connector->poll, UV_WRITABLE, on_writable);
    return true;
}

static void try_next(struct connector *connector)
{
    while (connector->next) {
        const struct addrinfo *address = connector->next;
        connector->next = address->ai_next;
        if (begin(connector, address))
            return;
        snprintf(connector->reason, sizeof connector->reason, "%s", strerror(errno));
    }
    fail(connector, connector->reason);
}

static void on_resolved(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct connector *connector = lookup->data;
    connector->found = found;
    if (connector->state != DONE) {
        connector->state = CONNECTING;
        connector->next = found;
        if (status != 0)
            snprintf(connector->reason, sizeof connector->reason, "%s", uv_strerror(status));
        try_next(connector);
    }
    release_holder(connector);
}

struct connector *connector_start(const struct connector_options *options)
{
    struct connector *connector = mem_zero(1, sizeof *connector);
    char service[PORT_TEXT_MAX];
    size_t len = strlen(options->host);
    bool bracketed = len > 2 && options->host[0] == '[' && options->host[len - 1] == ']';
    connector->options = *options;
    connector->fd = -1;
    snprintf(connector->host, sizeof connector->host, "%.*s", (int)(bracketed ? len - 2 : len),
             options->host + bracketed);
    snprintf(service, sizeof service, "%u", options->port);
    connector->limit = loop_timer_new(options->loop, on_late, connector);
    uv_update_time(options->loop); /* what the turn did before is not the server's fault */
    loop_timer_start(connector->limit, options->timeout_ms);
    connector->lookup.data = connector;
    connector->holders = 2; /* itself, until it is done, and the lookup */
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    int failure = uv_getaddrinfo(options->loop, &connector->lookup, on_resolved, connector->host,
                                 service, &hints);
    connector->is_name = failure == 0;
    if (!connector->is_name) { /* said from the loop */
        connector->holders--;
        loop_timer_start(connector->limit, 0);
    }
    return connector;
}

void connector_cancel(struct connector *connector, void (*finished)(void *ctx), void *ctx)
{
    connector->finished = finished;
    connector->finished_ctx = ctx;
    if (connector->state == RESOLVING)
        uv_cancel((uv_req_t *)&connector->lookup); /* if it has not begun */
    let_go(connector);
    release_holder(connector);
}
