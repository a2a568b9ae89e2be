/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of a TLS stream share: tls_stream.c, which says what holds of it, and tls_handshake.c.
 */
#ifndef MILLRACE_IO_TLS_STREAM_PRIVATE_H
#define MILLRACE_IO_TLS_STREAM_PRIVATE_H

#include "base/buf.h"
#include "io/tls_private.h"
#include "io/tls_stream.h"

enum {
    TLS_READ_BYTES = 32 * 1024,  /* one read of the stream below */
    TLS_OUT_BYTES = 64 * 1024,   /* so much is encrypted before some of it is sent */
    TLS_OUT_MAX = 1024 * 1024,   /* what OpenSSL adds by itself, such as alerts, is far less */
    TLS_PIECE_BYTES = 16 * 1024, /* a record's content */
    TLS_LIMIT_AGAIN_MS = 10,
    TLS_REASON_BYTES = 160,
    TLS_SUBJECT_BYTES = 1024,
};

enum tls_state { TLS_SHAKING, TLS_OPEN, TLS_ENDED };

struct tls_stream {
    struct byte_stream shown; /* first */
    struct byte_stream *below;
    SSL *ssl;
    enum tls_state state;
    unsigned holders;
    bool working, closing, reading, timed_out, peer_ended;
    bool sending; /* `flying` is on its way */
    bool shutting;
    struct str in;
    struct buf kept, out, flying;
    struct str unsent; /* of the owner's write */
    bool has_write;
    uv_timer_t timer; /* the handshake's limit, then: a turn of its own */
    unsigned limit_ms;
    uv_work_t work;
    int shaken; /* SSL_get_error of the last step */
    int status; /* of a stream below that failed during a flush */
    char reason[TLS_REASON_BYTES];
    struct account *charged;
};

static inline struct tls_stream *tls_of(const struct byte_stream *stream)
{
    return (struct tls_stream *)(uintptr_t)stream;
}

/* ---- tls_stream.c */

void tls_stream_end(struct tls_stream *tls, int status);
void tls_stream_note_reason(struct tls_stream *tls, const char *reason);
/* Sends what OpenSSL has written; 0, or an error of the stream below. */
int tls_stream_flush(struct tls_stream *tls);
void tls_stream_keep_rest(struct tls_stream *tls);
void tls_stream_release_holder(struct tls_stream *tls);

/* ---- tls_handshake.c */

void tls_handshake_begin(struct tls_stream *tls);
/* With what came, which is kept. */
void tls_handshake_go_on(struct tls_stream *tls);
/* The name that the peer is asked for, and must have when verify. */
void tls_handshake_name(struct tls_stream *tls, const char *host, bool verify);

#endif
