/* SPDX-License-Identifier: Apache-2.0 */
#include "io/client_stream.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/connector.h"
#include "io/loop_timer.h"
#include "io/tcp_stream.h"

enum { READ_BYTES = 64 * 1024, OUT_KEEP_BYTES = 256 * 1024, REASON_MAX = 320 };

struct client_stream {
    struct client_stream_options options;
    struct connector *connector; /* while it connects */
    struct byte_stream *stream;  /* while it is open */
    struct buf out, sending;     /* what waits for what is being written */
    bool writing, reading, paused, lost, closing, released;
    bool fresh;               /* a Unix socket whose connection has not been told yet */
    bool late;                /* the time is over; what has arrived meanwhile is read first */
    struct loop_timer *timer; /* for what is awaited, or for the news that it is lost */
    unsigned parts;           /* stream and connector, until they are gone */
    char reason[REASON_MAX];
    char read_buffer[READ_BYTES];
};

/* ---- the end ---- */

static void release_if_over(struct client_stream *stream)
{
    if (!stream->closing || stream->parts > 0 || stream->reading || stream->released)
        return;
    stream->released = true;
    assert(!stream->connector && !stream->stream);
    buf_release(&stream->out);
    buf_release(&stream->sending);
    struct client_stream_options options = stream->options;
    mem_free(stream);
    if (options.released)
        options.released(options.ctx);
}

static void on_part_gone(void *ctx)
{
    struct client_stream *stream = ctx;
    assert(stream->parts > 0);
    stream->parts--;
    release_if_over(stream);
}

static void drop_connection(struct client_stream *stream)
{
    struct connector *connector = stream->connector;
    struct byte_stream *bytes = stream->stream;
    stream->connector = NULL;
    stream->stream = NULL;
    if (connector) {
        stream->parts++;
        connector_cancel(connector, on_part_gone, stream);
    }
    if (bytes)
        byte_stream_close(bytes);
}

void client_stream_lose(struct client_stream *stream, const char *reason)
{
    if (stream->lost)
        return;
    stream->lost = true;
    snprintf(stream->reason, sizeof stream->reason, "%s", reason);
    drop_connection(stream);
    loop_timer_start(stream->timer, 0);
}

bool client_stream_is_lost(const struct client_stream *stream)
{
    return stream->lost;
}

void client_stream_close(struct client_stream *stream)
{
    if (!stream)
        return;
    assert(!stream->closing);
    stream->parts++; /* this call itself */
    stream->closing = stream->lost = true;
    loop_timer_close(stream->timer);
    drop_connection(stream);
    on_part_gone(stream);
}

/* ---- waiting ---- */

void client_stream_wait(struct client_stream *stream, unsigned timeout_ms)
{
    assert(!stream->fresh);
    if (stream->lost)
        return;
    stream->late = false;
    uv_update_time(stream->options.loop); /* what the turn did before is not the server's fault */
    loop_timer_start(stream->timer, timeout_ms);
}

void client_stream_wait_over(struct client_stream *stream)
{
    if (!stream->lost)
        loop_timer_stop(stream->timer);
}

/* ---- writing ---- */

struct buf *client_stream_out(struct client_stream *stream)
{
    assert(!stream->closing);
    return &stream->out;
}

void client_stream_flush(struct client_stream *stream)
{
    if (stream->lost)
        stream->out.len = 0;
    if (stream->writing || stream->reading || stream->out.len == 0 || !stream->stream)
        return;
    struct buf empty = stream->sending;
    stream->sending = stream->out;
    stream->out = empty;
    buf_clear(&stream->out, OUT_KEEP_BYTES);
    stream->writing = true;
    if (byte_stream_write(stream->stream, buf_str(&stream->sending)) != 0)
        client_stream_lose(stream, "the connection broke");
}

static void on_written(void *ctx, int status)
{
    struct client_stream *stream = ctx;
    stream->writing = false;
    if (stream->lost)
        return;
    if (status != 0)
        client_stream_lose(stream, uv_strerror(status));
    else
        client_stream_flush(stream);
}

/* ---- reading ---- */

static uv_buf_t on_room(void *ctx)
{
    struct client_stream *stream = ctx;
    return uv_buf_init(stream->read_buffer, sizeof stream->read_buffer);
}

static void on_read(void *ctx, struct str bytes)
{
    struct client_stream *stream = ctx;
    assert(!stream->reading && !stream->lost);
    stream->reading = true;
    stream->options.read(stream->options.ctx, bytes);
    stream->reading = false;
    if (stream->closing)
        release_if_over(stream);
    else
        client_stream_flush(stream);
}

static void on_ended(void *ctx, int status)
{
    struct client_stream *stream = ctx;
    char reason[REASON_MAX];
    snprintf(reason, sizeof reason, "the %s closed the connection", stream->options.peer);
    client_stream_lose(stream, status == UV_EOF ? reason : uv_strerror(status));
}

static const struct byte_stream_handler HANDLER = {
    .room = on_room,
    .read = on_read,
    .ended = on_ended,
    .written = on_written,
    .closed = on_part_gone,
};

void client_stream_pause(struct client_stream *stream, bool on)
{
    assert(!stream->closing);
    if (stream->paused == on || !stream->stream)
        return;
    stream->paused = on;
    if (on)
        byte_stream_read_stop(stream->stream);
    else if (byte_stream_read_start(stream->stream) != 0)
        client_stream_lose(stream, "the connection broke");
}

bool client_stream_is_paused(const struct client_stream *stream)
{
    return stream->paused;
}

/* ---- connecting ---- */

static void begin(struct client_stream *stream)
{
    stream->fresh = false;
    if (byte_stream_read_start(stream->stream) != 0)
        client_stream_lose(stream, "the connection broke at once");
    else
        stream->options.connected(stream->options.ctx);
}

static void take_stream(struct client_stream *stream, struct byte_stream *bytes)
{
    stream->stream = bytes;
    stream->parts++;
}

static void on_connected(void *ctx, struct byte_stream *bytes, const struct peer_address *peer)
{
    struct client_stream *stream = ctx;
    (void)peer;
    stream->connector = NULL;
    take_stream(stream, bytes);
    begin(stream);
}

static void on_failed(void *ctx, const char *reason)
{
    struct client_stream *stream = ctx;
    stream->connector = NULL;
    client_stream_lose(stream, reason);
}

static void connect_tcp(struct client_stream *stream)
{
    struct connector_options options = {
        .loop = stream->options.loop,
        .host = stream->options.host,
        .port = stream->options.port,
        .keep_alive = true,
        .timeout_ms = stream->options.connect_timeout_ms,
        .tls = stream->options.tls,
        .handler = &HANDLER,
        .connected = on_connected,
        .failed = on_failed,
        .ctx = stream,
    };
    stream->connector = connector_start(&options);
}

/* A Unix socket is connected at once or not at all; who asks is told later all the same. */
static void connect_unix(struct client_stream *stream)
{
    const char *path = stream->options.path;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        client_stream_lose(stream, "the path is too long for a socket");
        return;
    }
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        client_stream_lose(stream, strerror(errno));
        if (fd >= 0)
            close(fd);
        return;
    }
    take_stream(stream, tcp_stream_new(stream->options.loop, fd, &HANDLER, stream));
    stream->fresh = true;
    loop_timer_start(stream->timer, 0);
}

static void on_timer(void *ctx)
{
    struct client_stream *stream = ctx;
    char reason[REASON_MAX]; /* whoever is told closes it, and goes on to say why */
    assert(!stream->closing);
    if (stream->lost) {
        memcpy(reason, stream->reason, sizeof reason);
        stream->options.lost(stream->options.ctx, reason);
    } else if (stream->fresh) {
        begin(stream);
    } else if (!stream->late) { /* where the loop stood still, the answer may be there */
        stream->late = true;
        loop_timer_start(stream->timer, 1);
    } else {
        client_stream_lose(stream, "no answer in time");
    }
}

struct client_stream *client_stream_new(const struct client_stream_options *options)
{
    struct client_stream *stream = mem_zero(1, sizeof *stream);
    assert(options->connected && options->read && options->lost && options->peer);
    stream->options = *options;
    stream->timer = loop_timer_new(options->loop, on_timer, stream);
    buf_init(&stream->out, options->out_max_bytes);
    buf_init(&stream->sending, options->out_max_bytes);
    if (options->path)
        connect_unix(stream);
    else
        connect_tcp(stream);
    return stream;
}
