/* SPDX-License-Identifier: Apache-2.0
 *
 * A TCP socket bound to where a server is to listen.
 */
#ifndef MILLRACE_IO_LISTEN_SOCKET_H
#define MILLRACE_IO_LISTEN_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { LISTEN_SOCKET_ADDRESS_MAX = 64 };

/* A non-blocking socket bound to the first address of host (a name, an address, or an address in brackets), IPv4 before
 * IPv6; port 0: a free one. It does not listen yet. -1 with *err, which is ERROR_BUSY when somebody else has the port. */
int listen_socket_bind(const char *host, uint16_t port, struct error *err);
/* Closes it; or, from listen_socket_keep(true) on, keeps it bound and listening, with the clients that connect meanwhile, until
 * somebody binds the same address: it gets this one. listen_socket_keep(false) closes what nobody wanted. One table for the
 * process, main thread. */
void listen_socket_close(int fd);
void listen_socket_keep(bool keep);
/* Where it is bound, as ADDRESS:PORT or [ADDRESS]:PORT. Returns the port. */
uint16_t listen_socket_address(int fd, char out[LISTEN_SOCKET_ADDRESS_MAX]);
/* Nobody but this machine can reach it. */
bool listen_socket_is_loopback(int fd);

#endif
