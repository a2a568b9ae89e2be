/* SPDX-License-Identifier: Apache-2.0
 *
 * Connects to a server by name or address, over TCP or TLS, without blocking the loop: the name is looked up in the thread
 * pool, and its addresses are tried one after the other.
 *
 *   connector_start ── connected(ctx, stream), or failed(ctx, reason): once, later ──▶ gone
 *   connector_cancel ── neither is called any more; finished(ctx) when nothing is under way
 *
 * The stream belongs to whoever is connected; its handler is options.handler from the start. On the loop's thread.
 */
#ifndef MILLRACE_IO_CONNECTOR_H
#define MILLRACE_IO_CONNECTOR_H

#include "base/account.h"
#include "io/byte_stream.h"
#include "io/listener.h"
#include "io/tls_context.h"

struct connector;

struct connector_options {
    uv_loop_t *loop;
    const char *host; /* also [::1]; lives until the end */
    uint16_t port;
    bool keep_alive;
    unsigned timeout_ms;                       /* for all of it, the handshake too */
    const struct tls_context *tls;             /* NULL: none */
    struct account *charged;                   /* for TLS; may be NULL */
    const struct byte_stream_handler *handler; /* of the stream, with ctx */
    void (*connected)(void *ctx, struct byte_stream *stream, const struct peer_address *peer);
    void (*failed)(void *ctx, const char *reason);
    void *ctx;
};

struct connector *connector_start(const struct connector_options *options);
/* finished may be NULL, and may be called before it returns. */
void connector_cancel(struct connector *connector, void (*finished)(void *ctx), void *ctx);

#endif
