/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection of a Beats client: sends windows, waits for their acknowledgements, comes back after a failure and
 * sends again what was not acknowledged. Windows belong to it from `next` until `acked`.
 *
 *   WAITING ── its time has come ──▶ CONNECTING ── connected ──▶ READY
 *   CONNECTING, READY ── refused, closed, silent too long, a wrong answer ──▶ CLOSING ── closed ──▶ WAITING
 *   any ── beats_client_stop ──▶ CLOSING ──▶ STOPPED
 */
#ifndef MILLRACE_CMD_BEATS_CLIENT_H
#define MILLRACE_CMD_BEATS_CLIENT_H

#include "cmd/beats_window.h"

struct beats_client;

struct beats_client_owner {
    /* The next window to send, or NULL: none now (beats_client_wake says when there is one). */
    struct beats_window *(*next)(struct beats_client_owner *owner);
    void (*acked)(struct beats_client_owner *owner, struct beats_window *window);
    /* The connection was lost; it is tried again by itself. */
    void (*lost)(struct beats_client_owner *owner, const char *reason, uint64_t retry_ms);
};

struct beats_client_options {
    struct sockaddr_storage address;
    unsigned max_in_flight; /* windows on the wire */
    uint64_t timeout_ms;    /* to connect, and of silence while windows wait */
    uv_loop_t *loop;
    struct beats_client_owner *owner;
};

struct beats_client_figures {
    uint64_t windows_sent, windows_resent, bytes_sent, keepalives, connections;
};

struct beats_client *beats_client_new(const struct beats_client_options *options);
void beats_client_wake(struct beats_client *client);
void beats_client_stop(struct beats_client *client);
void beats_client_add_figures(const struct beats_client *client, struct beats_client_figures *sum);
/* After the loop has ended. Windows that were not acknowledged are freed. */
void beats_client_free(struct beats_client *client);

#endif
