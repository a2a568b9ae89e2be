/* SPDX-License-Identifier: Apache-2.0 */
#include "io/udp_sender.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    LOOK_UP_AGAIN_MS = 60 * 1000, /* a name that has an address */
    UNKNOWN_AGAIN_MS = 1000,      /* one that has none */
};

struct udp_sender {
    struct udp_sender_options options;
    uv_getaddrinfo_t lookup;
    bool looking_up, closing, waits; /* waits: wake is owed */
    int failure;                     /* of the last lookup */
    bool is_known;
    uint64_t looked_up_ms;
    struct sockaddr_storage address;
    socklen_t address_len;
    int fd;
    sa_family_t fd_family;
    uv_poll_t *poll; /* allocated, because it is closed after its descriptor changes */
};

/* ---- the address ---------------------------------------------------------------------------------- */

static void wake(struct udp_sender *sender)
{
    if (!sender->waits)
        return;
    sender->waits = false;
    sender->options.wake(sender->options.ctx);
}

static void free_if_over(struct udp_sender *sender)
{
    if (sender->closing && !sender->looking_up)
        mem_free(sender);
}

/* IPv4 before IPv6, as the socket of Logstash is one of IPv4. */
static void take_address(struct udp_sender *sender, const struct addrinfo *found)
{
    const struct addrinfo *best = found;
    for (const struct addrinfo *at = found; at; at = at->ai_next)
        if (at->ai_family == AF_INET) {
            best = at;
            break;
        }
    assert(best->ai_addrlen <= sizeof sender->address);
    memcpy(&sender->address, best->ai_addr, best->ai_addrlen);
    sender->address_len = best->ai_addrlen;
    sender->is_known = true;
}

static void on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct udp_sender *sender = lookup->data;
    sender->looking_up = false;
    sender->failure = status;
    if (status == 0 && found)
        take_address(sender, found);
    uv_freeaddrinfo(found);
    if (sender->closing)
        free_if_over(sender);
    else
        wake(sender);
}

static void look_up(struct udp_sender *sender)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
    assert(!sender->looking_up);
    sender->lookup.data = sender;
    sender->looked_up_ms = uv_now(sender->options.loop);
    sender->failure = uv_getaddrinfo(sender->options.loop, &sender->lookup, on_found,
                                     sender->options.host, NULL, &hints);
    sender->looking_up = sender->failure == 0;
}

static void look_up_when_due(struct udp_sender *sender)
{
    uint64_t age_ms = uv_now(sender->options.loop) - sender->looked_up_ms;
    if (!sender->looking_up && age_ms >= (sender->is_known ? LOOK_UP_AGAIN_MS : UNKNOWN_AGAIN_MS))
        look_up(sender);
}

struct udp_sender *udp_sender_new(const struct udp_sender_options *options)
{
    struct udp_sender *sender = mem_zero(1, sizeof *sender);
    sender->options = *options;
    sender->fd = -1;
    look_up(sender);
    return sender;
}

/* ---- the socket ----------------------------------------------------------------------------------- */

static void on_poll_closed(uv_handle_t *handle)
{
    close((int)(intptr_t)handle->data);
    mem_free(handle);
}

static void close_socket(struct udp_sender *sender)
{
    if (sender->poll) {
        sender->poll->data = (void *)(intptr_t)sender->fd;
        uv_close((uv_handle_t *)sender->poll, on_poll_closed);
    } else if (sender->fd >= 0) {
        close(sender->fd);
    }
    sender->poll = NULL;
    sender->fd = -1;
}

static bool open_socket(struct udp_sender *sender, struct error *err)
{
    if (sender->fd >= 0 && sender->fd_family == sender->address.ss_family)
        return true;
    close_socket(sender);
    sender->fd = socket(sender->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sender->fd_family = sender->address.ss_family;
    if (sender->fd < 0)
        return error_set(err, ERROR_IO, "cannot make a socket: %s", strerror(errno));
    int on = 1;
    (void)setsockopt(sender->fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
    return true;
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
    struct udp_sender *sender = poll->data;
    (void)status;
    (void)events;
    uv_poll_stop(poll);
    wake(sender);
}

static enum udp_sent wait_for_room(struct udp_sender *sender, struct error *err)
{
    if (!sender->poll) {
        sender->poll = mem_zero(1, sizeof *sender->poll);
        int failed = uv_poll_init_socket(sender->options.loop, sender->poll, sender->fd);
        if (failed) {
            mem_free(sender->poll);
            sender->poll = NULL;
            error_set(err, ERROR_IO, "cannot wait for the socket: %s", uv_strerror(failed));
            return UDP_FAILED;
        }
    }
    sender->poll->data = sender;
    sender->waits = true;
    uv_poll_start(sender->poll, UV_WRITABLE, on_writable);
    return UDP_WAIT;
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET)
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    else
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
}

static enum udp_sent send_to_address(struct udp_sender *sender, struct str bytes, struct error *err)
{
    ssize_t sent;
    do
        sent = sendto(sender->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL,
                      (const struct sockaddr *)&sender->address, sender->address_len);
    while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return UDP_SENT;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return wait_for_room(sender, err);
    int reason = errno;
    error_set(err, ERROR_IO, "cannot send %zu bytes to '%s': %s", bytes.len, sender->options.host,
              strerror(reason));
    return reason == EMSGSIZE ? UDP_TOO_LONG : UDP_FAILED;
}

enum udp_sent udp_sender_send(struct udp_sender *sender, uint16_t port, struct str bytes,
                              struct error *err)
{
    assert(!sender->closing && !sender->waits);
    look_up_when_due(sender);
    if (!sender->is_known && sender->looking_up) {
        sender->waits = true;
        return UDP_WAIT;
    }
    if (!sender->is_known) {
        error_set(err, ERROR_NOT_FOUND, "cannot find '%s': %s", sender->options.host,
                  uv_strerror(sender->failure));
        return UDP_NO_HOST;
    }
    if (!open_socket(sender, err))
        return UDP_FAILED;
    set_port(&sender->address, port);
    return send_to_address(sender, bytes, err);
}

void udp_sender_close(struct udp_sender *sender)
{
    if (!sender)
        return;
    assert(!sender->closing);
    sender->closing = true;
    close_socket(sender);
    if (sender->looking_up)
        (void)uv_cancel((uv_req_t *)&sender->lookup);
    free_if_over(sender);
}
