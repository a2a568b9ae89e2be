/* SPDX-License-Identifier: Apache-2.0
 *
 * The connection of a client to one server, over TCP, TLS or a Unix socket: it connects, what is appended goes out behind
 * each other, what arrives is handed over, and it is lost once. The protocol is its owner's.
 *
 *   client_stream_new ──▶ CONNECTING ──connected()──▶ OPEN ──▶ LOST ──lost(), later──▶ LOST
 *                             └──────────────────────────────────┘
 *   client_stream_close, from anywhere ──▶ nothing is told any more but released(), when nothing will be called again
 *
 * 1. lost() comes once, from the loop and never from inside of a call. Nothing is read or written after the loss itself.
 * 2. What is appended while read() runs goes out behind it, as one write.
 * 3. One wait at a time: an answer that does not come in time loses the connection.
 *
 * All on the loop's thread.
 */
#ifndef MILLRACE_IO_CLIENT_STREAM_H
#define MILLRACE_IO_CLIENT_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "io/tls_context.h"

struct client_stream;

struct client_stream_options {
    uv_loop_t *loop;
    const char *host; /* lives as long as the connection */
    uint16_t port;
    const char *path;              /* of a Unix socket, instead of both; or NULL */
    const struct tls_context *tls; /* or NULL */
    unsigned connect_timeout_ms;   /* the handshake is in it */
    size_t out_max_bytes;          /* that wait to be written */
    const char *peer;              /* what the server is called in reasons: "server" */
    void *ctx;
    void (*connected)(void *ctx);
    void (*read)(void *ctx, struct str bytes); /* may close or lose the connection */
    void (*lost)(void *ctx, const char *reason);
    void (*released)(void *ctx); /* may be NULL */
};

struct client_stream *client_stream_new(const struct client_stream_options *options);
void client_stream_close(struct client_stream *stream); /* NULL is ok */

/* Where to append what is to be sent; lives until the next call. What was appended to a lost one goes nowhere. */
struct buf *client_stream_out(struct client_stream *stream);
/* Writes what was appended. */
void client_stream_flush(struct client_stream *stream);
/* Reads no more, or again. Before it is connected this does nothing. */
void client_stream_pause(struct client_stream *stream, bool on);
bool client_stream_is_paused(const struct client_stream *stream);

/* From now on an answer is awaited for so long; an earlier wait is forgotten. */
void client_stream_wait(struct client_stream *stream, unsigned timeout_ms);
void client_stream_wait_over(struct client_stream *stream);

/* Gives the connection up; the first reason is the one that is told. */
void client_stream_lose(struct client_stream *stream, const char *reason);
bool client_stream_is_lost(const struct client_stream *stream);

#endif
