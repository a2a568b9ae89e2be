/* SPDX-License-Identifier: Apache-2.0
 *
 * A byte stream over TLS (OpenSSL), on top of another one:
 *
 *   SHAKING ── the handshake is over: handler.opened ──▶ OPEN ── byte_stream_close ──▶ CLOSING ──▶ handler.closed
 *   SHAKING ── it failed, or took too long: handler.ended ──▶ ENDED ── byte_stream_close ──▶ CLOSING
 *
 * While SHAKING only byte_stream_close may be called. The work of a handshake, which is milliseconds of arithmetic, is done
 * in the loop's thread pool, one step at a time; the stream below is not read meanwhile. What OpenSSL keeps for a stream
 * and what waits to be sent is charged.
 */
#ifndef MILLRACE_IO_TLS_STREAM_H
#define MILLRACE_IO_TLS_STREAM_H

#include "base/account.h"
#include "base/arena.h"
#include "io/byte_stream.h"
#include "io/tls_context.h"

enum {
    TLS_STREAM_BYTES = 20 * 1024, /* what one costs while nothing is under way, as measured */
};

struct tls_stream_options {
    struct byte_stream *below; /* taken: its handler is replaced, and it is closed with this one */
    struct ssl_ctx_st *use;    /* of tls_context_use; taken */
    bool is_server;
    /* Client: the name or address that was connected to, for SNI, and with TLS_VERIFY_FULL for the certificate. */
    const char *host;
    bool verify_host;
    unsigned handshake_timeout_ms;
    struct account *charged; /* may be NULL */
    const struct byte_stream_handler *handler;
    void *ctx;
};

struct byte_stream *tls_stream_new(const struct tls_stream_options *options);
/* Why it has ended, when the reason is one of TLS; else NULL. Valid until it is closed. */
const char *tls_stream_reason(const struct byte_stream *stream);
/* Whether the handshake took longer than it may. */
bool tls_stream_timed_out(const struct byte_stream *stream);

struct tls_peer {
    bool verified;               /* it showed a certificate, and that is good */
    struct str protocol, cipher; /* TLSv1.3, TLS_AES_256_GCM_SHA384 */
    struct str subject;          /* of the certificate, as RFC 2253 writes it; empty: none */
};
/* Of an OPEN stream. In the arena. */
struct tls_peer tls_stream_peer(const struct byte_stream *stream, struct arena *arena);

#endif
