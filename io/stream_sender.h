/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends bytes over a connection, TCP or TLS, that is made when it is first needed and made anew after it broke. What the peer
 * says is thrown away. Nothing blocks. One thread.
 *
 *   IDLE ──send──▶ CONNECTING ──▶ WRITING ──written──▶ CONNECTED ──send──▶ WRITING
 *    ▲                 └──failed──┐    └──broken──┐        └──the peer's end──┐
 *    └────────────────────────────┴───────────────┴──────────────────────────┘
 *
 * Bytes count as sent when the system has taken them: what a peer has not read when it resets the connection is lost, and nobody
 * says so.
 */
#ifndef MILLRACE_IO_STREAM_SENDER_H
#define MILLRACE_IO_STREAM_SENDER_H

#include <stdbool.h>

#include "io/connector.h"

struct stream_sender;

struct stream_sender_options {
    uv_loop_t *loop;
    const char *host; /* lives as long as the sender */
    uint16_t port;
    unsigned connect_timeout_ms;
    const struct tls_context *tls; /* NULL: none */
    struct account *charged;       /* may be NULL */
    /* What was to be sent has gone (reason NULL), or not: some of it may have gone all the same. */
    void (*done)(void *ctx, const char *reason);
    void *ctx;
};

struct stream_sender *stream_sender_new(const struct stream_sender_options *options);
/* One at a time. The bytes stay until done, which is never called from inside. */
void stream_sender_send(struct stream_sender *sender, struct str bytes);
/* Forgets what is being sent (done is not called) and frees it when the loop allows. NULL is ok. */
void stream_sender_close(struct stream_sender *sender);

#endif
