/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listener.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    LISTENER_BACKLOG = 1024,
    LISTENER_ACCEPTS_PER_TURN = 64,
    LISTENER_RETRY_MS = 100,
};

struct listener {
    int fd;
    uint16_t port;
    uv_poll_t poll;
    uv_timer_t retry; /* after running out of descriptors */
    unsigned open_handles;
    const struct listener_handler *handler;
    void *ctx;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- addresses ---- */

static void write_address(const struct sockaddr_storage *from, struct peer_address *out)
{
    *out = (struct peer_address){0};
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        inet_ntop(AF_INET, &v4->sin_addr, out->text, sizeof out->text);
        out->port = ntohs(v4->sin_port);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
        out->port = ntohs(v6->sin6_port);
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out->text, sizeof out->text);
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, out->text, sizeof out->text);
    }
}

void peer_address_of(int fd, struct peer_address *out)
{
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof name;
    if (getpeername(fd, (struct sockaddr *)&name, &len) != 0)
        name.ss_family = AF_UNSPEC; /* it is gone already */
    write_address(&name, out);
}

/* ---- accepting ---- */

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer)
{
    struct listener *listener = timer->data;
    uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

static void wait_a_little(struct listener *listener)
{
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->retry, on_retry, LISTENER_RETRY_MS, 0);
    listener->handler->exhausted(listener->ctx);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct listener *listener = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < LISTENER_ACCEPTS_PER_TURN && !uv_is_closing((uv_handle_t *)poll); i++) {
        struct sockaddr_storage from = {0};
        socklen_t len = sizeof from;
        int fd =
            accept4(listener->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            struct peer_address peer;
            write_address(&from, &peer);
            listener->handler->accepted(listener->ctx, fd, &peer);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            wait_a_little(listener);
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

/* ---- opening and closing ---- */

struct listener *listener_bind(const char *host, uint16_t port, struct error *err)
{
    int fd = listen_socket_bind(host, port, err);
    return fd < 0 ? NULL : listener_adopt(fd);
}

struct listener *listener_adopt(int fd)
{
    struct listener *listener = mem_zero(1, sizeof *listener);
    char address[LISTEN_SOCKET_ADDRESS_MAX];
    listener->fd = fd;
    listener->port = listen_socket_address(fd, address);
    return listener;
}

uint16_t listener_port(const struct listener *listener)
{
    return listener->port;
}

bool listener_start(struct listener *listener, uv_loop_t *loop,
                    const struct listener_handler *handler, void *ctx, struct error *err)
{
    assert(listener->fd >= 0 && listener->open_handles == 0);
    if (listen(listener->fd, LISTENER_BACKLOG) != 0)
        return error_set(err, errno == EADDRINUSE ? ERROR_BUSY : ERROR_IO,
                         "cannot listen on port %u: %s", listener->port, strerror(errno));
    int failure = uv_poll_init_socket(loop, &listener->poll, listener->fd);
    if (failure != 0)
        return error_set(err, ERROR_IO, "cannot watch port %u: %s", listener->port,
                         uv_strerror(failure));
    uv_timer_init(loop, &listener->retry);
    listener->poll.data = listener->retry.data = listener;
    listener->open_handles = 2;
    listener->handler = handler;
    listener->ctx = ctx;
    uv_poll_start(&listener->poll, UV_READABLE, on_readable);
    return true;
}

static void end(struct listener *listener)
{
    void (*closed)(void *ctx) = listener->closed;
    void *ctx = listener->closed_ctx;
    listen_socket_close(listener->fd);
    mem_free(listener);
    closed(ctx);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    if (--listener->open_handles == 0)
        end(listener);
}

void listener_close(struct listener *listener, void (*closed)(void *ctx), void *ctx)
{
    assert(!listener->closed);
    listener->closed = closed;
    listener->closed_ctx = ctx;
    if (listener->open_handles == 0) {
        end(listener);
        return;
    }
    uv_close((uv_handle_t *)&listener->poll, on_handle_closed);
    uv_close((uv_handle_t *)&listener->retry, on_handle_closed);
}
