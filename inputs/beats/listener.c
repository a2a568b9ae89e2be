/* SPDX-License-Identifier: Apache-2.0
 *
 * The listening socket. libuv cannot move an accepted handle to another loop, so accept4 is called here, from a poll on
 * the socket, and the bare descriptor is sent to the lane with the fewest connections.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "inputs/beats/connection.h"
#include "io/listen_socket.h"

enum {
    LISTENER_BACKLOG = 1024,
    LISTENER_ACCEPTS_PER_TURN = 64,
    LISTENER_RETRY_MS = 100,
    LISTENER_LOG_WINDOW_MS = 10000,
};

/* ---- binding ---- */

bool listener_open(struct beats_input *input, struct error *err)
{
    input->listener.log_limit = (struct log_limit){.window_ms = LISTENER_LOG_WINDOW_MS, .burst = 1};
    const char *host = arena_cstr(input->env->arena, input->options.host);
    input->listener.fd = listen_socket_bind(host, (uint16_t)input->options.port, err);
    return input->listener.fd >= 0;
}

/* ---- accepting ---- */

static void write_address(const struct sockaddr_storage *from, char out[CONNECTION_ADDRESS_MAX])
{
    out[0] = '\0';
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
        inet_ntop(AF_INET, &v4->sin_addr, out, CONNECTION_ADDRESS_MAX);
        return;
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, CONNECTION_ADDRESS_MAX);
    else
        inet_ntop(AF_INET6, &v6->sin6_addr, out, CONNECTION_ADDRESS_MAX);
}

static void log_refusal(struct beats_input *input, const char *event, const char *sentence)
{
    uint64_t suppressed;
    if (log_limit_allow(&input->listener.log_limit, uv_now(input->env->loop), &suppressed))
        log_warn(input->env->log, event, sentence, LOG_INT("port", input->options.port),
                 LOG_INT("connections", atomic_load(&input->connections)),
                 LOG_INT_IF("suppressed", suppressed));
}

static void take_client(struct beats_input *input, int fd, const struct sockaddr_storage *from)
{
    if (atomic_load(&input->connections) >= (unsigned)input->options.max_connections) {
        beats_count(input, BEATS_REFUSED, 1);
        log_refusal(input, "connection_refused",
                    "a client was turned away: max_connections is reached");
        shutdown(fd, SHUT_WR);
        close(fd);
        return;
    }
    char address[CONNECTION_ADDRESS_MAX];
    write_address(from, address);
    beats_count(input, BEATS_ACCEPTED, 1);
    connection_post(input, fd, address);
}

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_retry(uv_timer_t *timer)
{
    struct beats_input *input = timer->data;
    uv_poll_start(&input->listener.poll, UV_READABLE, on_readable);
}

/* Out of descriptors or memory: the clients wait in the backlog. */
static void wait_a_little(struct beats_input *input)
{
    log_refusal(input, "accept_failed",
                "no connection can be accepted for now: out of descriptors");
    uv_poll_stop(&input->listener.poll);
    uv_timer_start(&input->listener.retry, on_retry, LISTENER_RETRY_MS, 0);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct beats_input *input = poll->data;
    (void)status;
    (void)events;
    for (int i = 0; i < LISTENER_ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage from;
        socklen_t len = sizeof from;
        int fd = accept4(input->listener.fd, (struct sockaddr *)&from, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_client(input, fd, &from);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            wait_a_little(input);
        if (errno != ECONNABORTED && errno != EINTR)
            return;
    }
}

bool listener_start(struct beats_input *input, struct error *err)
{
    struct beats_listener *listener = &input->listener;
    assert(listener->fd >= 0 && listener->open_handles == 0);
    if (listen(listener->fd, LISTENER_BACKLOG) != 0)
        return error_set(err, ERROR_IO, "cannot listen on port %lld: %s",
                         (long long)input->options.port, strerror(errno));
    int failure = uv_poll_init_socket(input->env->loop, &listener->poll, listener->fd);
    if (failure != 0)
        return error_set(err, ERROR_IO, "cannot watch port %lld: %s",
                         (long long)input->options.port, uv_strerror(failure));
    uv_timer_init(input->env->loop, &listener->retry);
    listener->poll.data = listener->retry.data = input;
    listener->open_handles = 2;
    uv_poll_start(&listener->poll, UV_READABLE, on_readable);
    /* --listen-at may have asked for any free port. */
    char address[LISTEN_SOCKET_ADDRESS_MAX];
    uint16_t port = listen_socket_address(listener->fd, address);
    log_info(input->env->log, "listening", "waiting for Beats",
             LOG_STR("host", input->options.host), LOG_INT("port", port));
    return true;
}

/* ---- closing ---- */

static void close_socket(struct beats_listener *listener)
{
    if (listener->fd >= 0)
        close(listener->fd);
    listener->fd = -1;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct beats_input *input = handle->data;
    if (--input->listener.open_handles > 0)
        return;
    close_socket(&input->listener);
    beats_closed_part(input);
}

void listener_close(struct beats_input *input)
{
    struct beats_listener *listener = &input->listener;
    if (listener->open_handles == 0) {
        close_socket(listener);
        beats_closed_part(input);
        return;
    }
    uv_close((uv_handle_t *)&listener->poll, on_handle_closed);
    uv_close((uv_handle_t *)&listener->retry, on_handle_closed);
}
