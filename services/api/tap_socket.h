/* SPDX-License-Identifier: Apache-2.0
 *
 * Taps for `millrace tap`, over a Unix socket of this process: PATH.DATA/tap/PID.sock, mode 0600 in a directory of mode
 * 0700, so that only its user and root can look on. A client sends one line, the request (tap_request.h) as JSON, and gets
 * lines of JSON until it hangs up: {"tap":…} or {"error":…} first, then events, and {"counts":…} about once a second when
 * they have changed. One that does not read is sent nothing more; what comes meanwhile is dropped and counted. The request
 * {"page":true} is answered {"page":URL}, the address of the page that may show events (api_tap.h). Main thread.
 */
#ifndef MILLRACE_SERVICES_API_TAP_SOCKET_H
#define MILLRACE_SERVICES_API_TAP_SOCKET_H

#include "base/log.h"
#include "services/api/tap_request.h"

enum {
    TAP_CLIENTS_MAX = 32, /* also such that have not asked yet; others are hung up on */
    TAP_REQUEST_MAX_BYTES = 16 * 1024,
    TAP_REQUEST_TIMEOUT_MS = 5000,
    TAP_WRITE_BYTES = 64 * 1024, /* about so much at once, more only for one long line */
    TAP_COUNTS_EACH_MS = 1000,
};

struct tap_socket;

struct tap_socket_options {
    uv_loop_t *loop;
    const struct log *log;
    const char *path_data;
    const struct tap_node *node; /* as long as the socket */
};

/* Sockets of processes that are gone are removed. NULL when it cannot be made, which the log says; all else goes on. It keeps
 * no loop running. */
struct tap_socket *tap_socket_open(const struct tap_socket_options *options);
/* Hangs up on all and removes the socket; gone as soon as the loop has run its close callbacks. NULL is ok. */
void tap_socket_close(struct tap_socket *server);

#endif
