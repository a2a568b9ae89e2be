/* SPDX-License-Identifier: Apache-2.0
 *
 * A listening TCP socket that gives away bare descriptors: libuv cannot move an accepted handle to another loop, so accept4
 * is called here, from a poll on the socket. When the process is out of descriptors the clients wait in the backlog.
 *
 *   listener_bind ─▶ BOUND ── listener_start ─▶ LISTENING ── listener_close ─▶ freed
 */
#ifndef MILLRACE_IO_LISTENER_H
#define MILLRACE_IO_LISTENER_H

#include <uv.h>

#include "io/listen_socket.h"

enum { PEER_ADDRESS_MAX = 64 };

struct listener;

/* Who connected. */
struct peer_address {
    char text[PEER_ADDRESS_MAX]; /* an IPv4 client of an IPv6 socket by its IPv4 address */
    uint16_t port;
};

struct listener_handler {
    /* A non-blocking descriptor, from here on the handler's. */
    void (*accepted)(void *ctx, int fd, const struct peer_address *peer);
    /* No connection could be accepted: out of descriptors or of memory. It is tried again soon. */
    void (*exhausted)(void *ctx);
};

/* host: a name, an address, or an address in brackets. */
struct listener *listener_bind(const char *host, uint16_t port, struct error *err);
/* Of a socket that is bound already (listen_socket.h), and taken. */
struct listener *listener_adopt(int fd);
uint16_t listener_port(const struct listener *listener);
bool listener_start(struct listener *listener, uv_loop_t *loop,
                    const struct listener_handler *handler, void *ctx, struct error *err);
/* closed may be called before it returns. */
void listener_close(struct listener *listener, void (*closed)(void *ctx), void *ctx);

/* Of the other end of a connected socket. */
void peer_address_of(int fd, struct peer_address *out);

#endif
