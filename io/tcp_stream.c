/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tcp_stream.h"

#include <assert.h>

#include "base/mem.h"

struct tcp_stream {
    struct byte_stream shown; /* first */
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    bool writing, closing;
};

static struct tcp_stream *tcp_of(struct byte_stream *stream)
{
    return (struct tcp_stream *)(void *)stream;
}

static uv_stream_t *socket_of(struct byte_stream *stream)
{
    return (uv_stream_t *)&tcp_of(stream)->tcp;
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct tcp_stream *tcp = handle->data;
    (void)suggested;
    *out = tcp->shown.handler->room(tcp->shown.ctx);
    assert(out->len > 0);
}

static void on_read(uv_stream_t *socket, ssize_t len, const uv_buf_t *buf)
{
    struct tcp_stream *tcp = socket->data;
    const struct byte_stream *shown = &tcp->shown;
    if (len > 0) {
        shown->handler->read(shown->ctx, str_make(buf->base, (size_t)len));
    } else if (len < 0) {
        uv_read_stop(socket);
        shown->handler->ended(shown->ctx, (int)len);
    }
}

static int read_start(struct byte_stream *stream)
{
    int failure = uv_read_start(socket_of(stream), on_alloc, on_read);
    return failure == UV_EALREADY ? 0 : failure;
}

static void read_stop(struct byte_stream *stream)
{
    uv_read_stop(socket_of(stream));
}

/* ---- writing ---- */

static ssize_t try_write(struct byte_stream *stream, struct str bytes)
{
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes.ptr, (unsigned)bytes.len);
    int sent = uv_try_write(socket_of(stream), &buf, 1);
    return sent == UV_EAGAIN ? 0 : sent;
}

static void on_written(uv_write_t *request, int status)
{
    struct tcp_stream *tcp = request->handle->data;
    tcp->writing = false;
    tcp->shown.handler->written(tcp->shown.ctx, status);
}

static int write_all(struct byte_stream *stream, struct str bytes)
{
    struct tcp_stream *tcp = tcp_of(stream);
    assert(!tcp->writing && !tcp->closing);
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes.ptr, (unsigned)bytes.len);
    int failure = uv_write(&tcp->write, socket_of(stream), &buf, 1, on_written);
    tcp->writing = failure == 0;
    return failure;
}

static void on_shut(uv_shutdown_t *request, int status)
{
    struct tcp_stream *tcp = request->handle->data;
    tcp->shown.handler->shut(tcp->shown.ctx, status);
}

static int shut_down(struct byte_stream *stream)
{
    assert(!tcp_of(stream)->writing);
    return uv_shutdown(&tcp_of(stream)->shutdown, socket_of(stream), on_shut);
}

/* ---- the end and the beginning ---- */

static void on_closed(uv_handle_t *handle)
{
    struct tcp_stream *tcp = handle->data;
    assert(!tcp->writing);
    tcp->shown.handler->closed(tcp->shown.ctx);
    mem_free(tcp);
}

static void close_stream(struct byte_stream *stream)
{
    struct tcp_stream *tcp = tcp_of(stream);
    assert(!tcp->closing);
    tcp->closing = true;
    uv_close((uv_handle_t *)&tcp->tcp, on_closed);
}

static const struct byte_stream_kind TCP = {
    read_start, read_stop, try_write, write_all, shut_down, close_stream,
};

struct byte_stream *tcp_stream_new(uv_loop_t *loop, int fd,
                                   const struct byte_stream_handler *handler, void *ctx)
{
    struct tcp_stream *tcp = mem_zero(1, sizeof *tcp);
    tcp->shown = (struct byte_stream){&TCP, handler, ctx, loop};
    uv_tcp_init(loop, &tcp->tcp);
    tcp->tcp.data = tcp;
    int failure = uv_tcp_open(&tcp->tcp, fd);
    assert(failure == 0); /* it fails for what is no descriptor, or another handle's */
    (void)failure;
    uv_tcp_nodelay(&tcp->tcp, 1); /* no such thing on a Unix socket: no matter */
    return &tcp->shown;
}
