/* SPDX-License-Identifier: Apache-2.0
 *
 *   IDLE ── send ──▶ CONNECTING ── connected ──▶ CONNECTED ── the server hangs up, or a write fails ──▶ HANGING_UP ──▶ IDLE
 *   CONNECTING ── failed ──▶ IDLE
 *
 * A send that comes while the old connection is closing waits for that. One that was recalled leaves a connection without one.
 */
#include "io/tcp_sender.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/connector.h"

enum { ROOM_BYTES = 4096, REASON_MAX = 192 };

enum sender_state { SENDER_IDLE, SENDER_CONNECTING, SENDER_CONNECTED, SENDER_HANGING_UP };

struct tcp_sender {
    struct tcp_sender_options options;
    enum sender_state state;
    struct connector *connector;
    struct byte_stream *stream;
    struct str bytes;
    bool has_send;  /* not answered yet */
    bool was_tried; /* some of it may have gone */
    bool writing;
    bool stopped, closing;
    char reason[REASON_MAX]; /* why the connection ended */
    char room[ROOM_BYTES];   /* for what the server says */
};

static void set_state(struct tcp_sender *sender, enum sender_state state)
{
    assert(state == SENDER_IDLE || state > sender->state);
    sender->state = state;
}

static void answer(struct tcp_sender *sender, enum tcp_sent sent, const char *reason)
{
    assert(sender->has_send && !sender->writing);
    sender->has_send = false;
    sender->options.sent(sender->options.ctx, sent, reason);
}

static void free_if_over(struct tcp_sender *sender)
{
    if (!sender->closing || sender->state != SENDER_IDLE)
        return;
    assert(!sender->has_send);
    tls_context_free(sender->options.tls);
    mem_free(sender);
}

static void hang_up(struct tcp_sender *sender, const char *reason)
{
    set_state(sender, SENDER_HANGING_UP);
    snprintf(sender->reason, sizeof sender->reason, "%s", reason);
    byte_stream_close(sender->stream);
}

/* ---- the connection ---- */

static void begin(struct tcp_sender *sender);

static uv_buf_t on_room(void *ctx)
{
    struct tcp_sender *sender = ctx;
    return uv_buf_init(sender->room, sizeof sender->room);
}

static void on_read(void *ctx, struct str bytes)
{
    (void)ctx, (void)bytes;
}

static void on_ended(void *ctx, int status)
{
    struct tcp_sender *sender = ctx;
    hang_up(sender, status == UV_EOF ? "the server hung up" : uv_strerror(status));
}

/* Over, with or without success: the answer to a failed one is given when the connection is closed. */
static void on_written(void *ctx, int status)
{
    struct tcp_sender *sender = ctx;
    sender->writing = false;
    if (status == 0 && sender->state == SENDER_CONNECTED)
        answer(sender, TCP_SENT, "");
    else if (sender->state == SENDER_CONNECTED)
        hang_up(sender, uv_strerror(status));
}

static void on_shut(void *ctx, int status)
{
    (void)ctx, (void)status;
}

static void on_closed(void *ctx)
{
    struct tcp_sender *sender = ctx;
    sender->stream = NULL;
    set_state(sender, SENDER_IDLE);
    if (sender->has_send && !sender->was_tried && !sender->stopped)
        begin(sender);
    else if (sender->has_send)
        answer(sender, sender->stopped ? TCP_STOPPED : TCP_FAILED, sender->reason);
    free_if_over(sender);
}

static const struct byte_stream_handler HANDLER = {
    .room = on_room,
    .read = on_read,
    .ended = on_ended,
    .written = on_written,
    .shut = on_shut,
    .closed = on_closed,
};

static void write_now(struct tcp_sender *sender)
{
    sender->was_tried = true;
    int failure = byte_stream_write(sender->stream, sender->bytes);
    sender->writing = failure == 0;
    if (failure != 0)
        hang_up(sender, uv_strerror(failure));
}

static void on_connected(void *ctx, struct byte_stream *stream, const struct peer_address *peer)
{
    struct tcp_sender *sender = ctx;
    (void)peer;
    sender->connector = NULL;
    sender->stream = stream;
    set_state(sender, SENDER_CONNECTED);
    byte_stream_read_start(stream); /* what cannot be read fails when it is written to */
    if (sender->has_send)
        write_now(sender);
}

static void on_failed(void *ctx, const char *reason)
{
    struct tcp_sender *sender = ctx;
    sender->connector = NULL;
    set_state(sender, SENDER_IDLE);
    if (sender->has_send)
        answer(sender, TCP_FAILED, reason);
}

static void refresh_tls(struct tcp_sender *sender)
{
    struct error err;
    if (sender->options.tls && tls_context_refresh(sender->options.tls, &err) == TLS_KEPT_OLD &&
        sender->options.kept_old)
        sender->options.kept_old(sender->options.ctx, err.text);
}

static void begin(struct tcp_sender *sender)
{
    const struct tcp_sender_options *options = &sender->options;
    refresh_tls(sender);
    struct connector_options connector = {
        .loop = options->loop,
        .host = options->host,
        .port = options->port,
        .timeout_ms = options->connect_timeout_ms,
        .keep_alive = options->keep_alive,
        .tls = options->tls,
        .charged = options->charged,
        .handler = &HANDLER,
        .connected = on_connected,
        .failed = on_failed,
        .ctx = sender,
    };
    set_state(sender, SENDER_CONNECTING);
    sender->connector = connector_start(&connector);
}

/* ---- the owner's ---- */

struct tcp_sender *tcp_sender_new(const struct tcp_sender_options *options)
{
    struct tcp_sender *sender = mem_zero(1, sizeof *sender);
    sender->options = *options;
    return sender;
}

void tcp_sender_send(struct tcp_sender *sender, struct str bytes)
{
    assert(!sender->has_send && !sender->stopped && bytes.len > 0);
    sender->has_send = true;
    sender->bytes = bytes;
    sender->was_tried = false;
    if (sender->state == SENDER_IDLE)
        begin(sender);
    else if (sender->state == SENDER_CONNECTED)
        write_now(sender);
    /* HANGING_UP: on_closed goes on with it; CONNECTING, after a recall: on_connected */
}

void tcp_sender_recall(struct tcp_sender *sender)
{
    if (sender->has_send && !sender->was_tried)
        answer(sender, TCP_STOPPED, "");
}

static void on_cancelled(void *ctx)
{
    struct tcp_sender *sender = ctx;
    set_state(sender, SENDER_IDLE);
    if (sender->has_send)
        answer(sender, TCP_STOPPED, "stopped");
    free_if_over(sender);
}

void tcp_sender_stop(struct tcp_sender *sender)
{
    if (sender->stopped)
        return;
    sender->stopped = true;
    if (sender->state == SENDER_CONNECTING) {
        struct connector *connector = sender->connector;
        sender->connector = NULL;
        connector_cancel(connector, on_cancelled, sender);
    } else if (sender->state == SENDER_CONNECTED) {
        hang_up(sender, "stopped");
    }
}

void tcp_sender_close(struct tcp_sender *sender)
{
    if (!sender)
        return;
    tcp_sender_stop(sender);
    sender->closing = true;
    free_if_over(sender);
}
