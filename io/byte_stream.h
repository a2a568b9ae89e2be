/* SPDX-License-Identifier: Apache-2.0
 *
 * A connected stream of bytes, over TCP as it is (tcp_stream.h) or over TLS (tls_stream.h), with the same five calls:
 *
 *   byte_stream_read_start / _stop    handler.room says where the next bytes go, handler.read that they are there
 *   byte_stream_try_write             as much as goes at once
 *   byte_stream_write                 all of it; handler.written when it has gone
 *   byte_stream_shutdown              nothing more will be written; handler.shut when the peer can know
 *   byte_stream_close                 from anywhere, also a callback; handler.closed when nothing more will be called
 *
 * 1. One write and one shutdown are under way at a time, and no shutdown during a write.
 * 2. What is given to byte_stream_write stays the caller's and unchanged until handler.written or handler.closed.
 * 3. No call runs a callback before it returns.
 * 4. After byte_stream_close only `written` and `shut` (UV_ECANCELED) may still come, then `closed`, once; the stream is
 *    freed behind it.
 *
 * All on the loop's thread.
 */
#ifndef MILLRACE_IO_BYTE_STREAM_H
#define MILLRACE_IO_BYTE_STREAM_H

#include <uv.h>

#include "base/str.h"

struct byte_stream;

struct byte_stream_handler {
    uv_buf_t (*room)(void *ctx); /* of at least a byte; used until the next call */
    void (*read)(void *ctx, struct str bytes);
    /* UV_EOF: the peer's end, in order. Else the connection is of no more use. Nothing is read from here on. */
    void (*ended)(void *ctx, int status);
    void (*written)(void *ctx, int status);
    void (*shut)(void *ctx, int status);
    void (*closed)(void *ctx);
    void (*opened)(void *ctx); /* of TLS: the handshake is over, and the five calls may be used */
};

struct byte_stream_kind {
    int (*read_start)(struct byte_stream *stream);
    void (*read_stop)(struct byte_stream *stream);
    ssize_t (*try_write)(struct byte_stream *stream, struct str bytes);
    int (*write)(struct byte_stream *stream, struct str bytes);
    int (*shutdown)(struct byte_stream *stream);
    void (*close)(struct byte_stream *stream);
};

/* First in the struct of each kind. */
struct byte_stream {
    const struct byte_stream_kind *kind;
    const struct byte_stream_handler *handler;
    void *ctx;
    uv_loop_t *loop;
};

/* From the next callback on. */
static inline void byte_stream_set_handler(struct byte_stream *stream,
                                           const struct byte_stream_handler *handler, void *ctx)
{
    stream->handler = handler;
    stream->ctx = ctx;
}

/* 0 or a code of libuv. */
static inline int byte_stream_read_start(struct byte_stream *stream)
{
    return stream->kind->read_start(stream);
}

static inline void byte_stream_read_stop(struct byte_stream *stream)
{
    stream->kind->read_stop(stream);
}

/* How many bytes were taken, which may be none; or a negative code. */
static inline ssize_t byte_stream_try_write(struct byte_stream *stream, struct str bytes)
{
    return stream->kind->try_write(stream, bytes);
}

static inline int byte_stream_write(struct byte_stream *stream, struct str bytes)
{
    return stream->kind->write(stream, bytes);
}

static inline int byte_stream_shutdown(struct byte_stream *stream)
{
    return stream->kind->shutdown(stream);
}

static inline void byte_stream_close(struct byte_stream *stream)
{
    stream->kind->close(stream);
}

#endif
