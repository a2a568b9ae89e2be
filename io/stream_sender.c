/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream_sender.h"

#include <assert.h>

#include "base/mem.h"

enum { DISCARD_BYTES = 4096 };

enum sender_state { SENDER_IDLE, SENDER_CONNECTING, SENDER_CONNECTED, SENDER_WRITING };

struct stream_sender {
    struct stream_sender_options options;
    enum sender_state state;
    struct connector *connector;
    struct byte_stream *stream;
    struct str bytes; /* to be sent once there is a connection */
    unsigned parts;   /* streams that are not closed yet, a connector that ends */
    bool closing;
    char discard[DISCARD_BYTES];
};

static void free_if_over(struct stream_sender *sender)
{
    if (sender->closing && sender->parts == 0)
        mem_free(sender);
}

static void tell(struct stream_sender *sender, const char *reason)
{
    if (!sender->closing)
        sender->options.done(sender->options.ctx, reason);
}

/* ---- the connection ------------------------------------------------------------------------------- */

static void drop_stream(struct stream_sender *sender)
{
    struct byte_stream *stream = sender->stream;
    sender->stream = NULL;
    sender->state = SENDER_IDLE;
    if (stream)
        byte_stream_close(stream);
}

static uv_buf_t on_room(void *ctx)
{
    struct stream_sender *sender = ctx;
    return uv_buf_init(sender->discard, sizeof sender->discard);
}

static void on_read(void *ctx, struct str bytes)
{
    (void)ctx;
    (void)bytes;
}

static void on_ended(void *ctx, int status)
{
    struct stream_sender *sender = ctx;
    bool was_writing = sender->state == SENDER_WRITING;
    if (!sender->stream)
        return;
    drop_stream(sender);
    if (was_writing)
        tell(sender, status == UV_EOF ? "the peer closed the connection" : uv_strerror(status));
}

static void on_written(void *ctx, int status)
{
    struct stream_sender *sender = ctx;
    if (sender->state != SENDER_WRITING)
        return; /* given up before */
    if (status == 0) {
        sender->state = SENDER_CONNECTED;
        tell(sender, NULL);
        return;
    }
    drop_stream(sender);
    tell(sender, uv_strerror(status));
}

static void on_stream_closed(void *ctx)
{
    struct stream_sender *sender = ctx;
    assert(sender->parts > 0);
    sender->parts--;
    free_if_over(sender);
}

static const struct byte_stream_handler HANDLER = {
    .room = on_room,
    .read = on_read,
    .ended = on_ended,
    .written = on_written,
    .closed = on_stream_closed,
};

/* ---- sending -------------------------------------------------------------------------------------- */

static bool write_bytes(struct stream_sender *sender)
{
    sender->state = SENDER_WRITING;
    return byte_stream_write(sender->stream, sender->bytes) == 0;
}

static void on_connected(void *ctx, struct byte_stream *stream, const struct peer_address *peer)
{
    struct stream_sender *sender = ctx;
    (void)peer;
    assert(sender->state == SENDER_CONNECTING);
    sender->connector = NULL;
    sender->stream = stream;
    sender->parts++;
    if (byte_stream_read_start(stream) == 0 && write_bytes(sender))
        return;
    drop_stream(sender);
    tell(sender, "the connection broke at once");
}

static void on_failed(void *ctx, const char *reason)
{
    struct stream_sender *sender = ctx;
    sender->connector = NULL;
    sender->state = SENDER_IDLE;
    tell(sender, reason);
}

static void connect_now(struct stream_sender *sender)
{
    struct connector_options options = {
        .loop = sender->options.loop,
        .host = sender->options.host,
        .port = sender->options.port,
        .keep_alive = true,
        .timeout_ms = sender->options.connect_timeout_ms,
        .tls = sender->options.tls,
        .charged = sender->options.charged,
        .handler = &HANDLER,
        .connected = on_connected,
        .failed = on_failed,
        .ctx = sender,
    };
    sender->state = SENDER_CONNECTING;
    sender->connector = connector_start(&options);
}

struct stream_sender *stream_sender_new(const struct stream_sender_options *options)
{
    struct stream_sender *sender = mem_zero(1, sizeof *sender);
    sender->options = *options;
    return sender;
}

void stream_sender_send(struct stream_sender *sender, struct str bytes)
{
    assert(!sender->closing);
    assert(sender->state == SENDER_IDLE || sender->state == SENDER_CONNECTED);
    sender->bytes = bytes;
    if (sender->state == SENDER_CONNECTED && write_bytes(sender))
        return;
    drop_stream(sender);
    connect_now(sender);
}

static void on_cancelled(void *ctx)
{
    on_stream_closed(ctx);
}

void stream_sender_close(struct stream_sender *sender)
{
    if (!sender)
        return;
    assert(!sender->closing);
    sender->closing = true;
    struct connector *connector = sender->connector;
    sender->connector = NULL;
    sender->parts++; /* this call itself */
    if (connector) {
        sender->parts++;
        connector_cancel(connector, on_cancelled, sender);
    }
    drop_stream(sender);
    on_stream_closed(sender);
}
