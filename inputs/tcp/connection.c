/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "inputs/tcp/tcp.h"

static struct tcp_connection *connection_of(struct server_connection *base)
{
    return (struct tcp_connection *)(void *)base;
}

static struct tcp_connection *of_intake(struct codec_intake *intake)
{
    return (struct tcp_connection *)(void *)((char *)intake -
                                             offsetof(struct tcp_connection, intake));
}

static struct tcp_input *input_of(const struct tcp_connection *connection)
{
    return server_of(&connection->base)->options.input;
}

/* What has come is kept: an unfinished line is an event. */
static void finish(struct server_connection *base)
{
    struct tcp_connection *connection = connection_of(base);
    codec_intake_end(&connection->intake);
    loop_timer_close(connection->idle);
    connection->idle = NULL;
    server_note_held(base, 0);
    server_end(base);
}

/* ---- reading ---- */

static uv_buf_t on_room(void *ctx)
{
    struct tcp_connection *connection = ctx;
    uv_buf_t room = server_room(&connection->base);
    connection->room = room.len;
    return room;
}

static void refuse_header(struct tcp_connection *connection)
{
    const struct tcp_input *input = input_of(connection);
    uint64_t suppressed;
    server_count(input->proxy_errors, 1);
    if (server_may_log(&connection->base, &suppressed))
        log_error(input->env->log, "proxy_header",
                  "a connection without a PROXY header is closed: proxy_protocol wants one first",
                  LOG_CSTR("client", connection->base.peer.text),
                  LOG_INT_IF("not_logged_before", suppressed));
    finish(&connection->base);
}

static void start_idle(struct tcp_connection *connection)
{
    if (connection->idle)
        loop_timer_start(connection->idle, (uint64_t)input_of(connection)->options.idle_timeout_ms);
}

static void on_idle(void *ctx)
{
    struct tcp_connection *connection = ctx;
    if (connection->intake.paused) { /* it waits for us */
        start_idle(connection);
        return;
    }
    server_count(input_of(connection)->idle_timeouts, 1);
    finish(&connection->base);
}

static void on_read(void *ctx, struct str bytes)
{
    struct tcp_connection *connection = ctx;
    bool more = bytes.len == connection->room;
    connection->last_activity_ms = server_now_ms(&connection->base);
    server_count(input_of(connection)->bytes, bytes.len);
    start_idle(connection);
    if (connection->source.waits_for_header && !source_take_header(&connection->source, &bytes))
        refuse_header(connection);
    else if (bytes.len > 0)
        codec_intake_take(&connection->intake, bytes, more);
}

static void on_settled(struct codec_intake *intake)
{
    struct tcp_connection *connection = of_intake(intake);
    server_note_held(&connection->base, codec_intake_held_bytes(intake));
    server_shed(&connection->base);
}

static void on_handed_over(struct codec_intake *intake)
{
    source_batch_ended(&of_intake(intake)->source);
}

static void on_ended(void *ctx, int status)
{
    (void)status; /* a reset ends a connection as its end does */
    finish(ctx);
}

static void decorate(struct origin *origin, struct event *event)
{
    source_decorate(&of_intake((struct codec_intake *)(void *)origin)->source, event);
}

/* ---- the beginning and the end ---- */

void tcp_connection_start(struct tcp_connection *connection)
{
    const struct tcp_input *input = input_of(connection);
    struct error err;
    struct stream_options options = {
        .env = input->env,
        .codec = input->options.codec,
        .codec_default = "line",
        .line_based = true,
        .decorate = decorate,
    };
    connection->intake.socket = connection->base.stream;
    connection->intake.settled = on_settled;
    connection->intake.handed_over = on_handed_over;
    if (!codec_intake_open(&connection->intake, connection->base.home->lane, &options, &err)) {
        log_error(input->env->log, "client_failed", "a client could not be served",
                  LOG_CSTR("reason", err.text));
        server_end(&connection->base);
        return;
    }
    if (input->options.idle_timeout_ms > 0)
        connection->idle =
            loop_timer_new(lane_loop(connection->base.home->lane), on_idle, connection);
    start_idle(connection);
    server_read(&connection->base, true);
}

static bool open_connection(struct server_connection *base)
{
    struct tcp_connection *connection = connection_of(base);
    const struct tcp_input *input = input_of(connection);
    connection->last_activity_ms = server_now_ms(base);
    source_init(&connection->source, input, &base->peer);
    if (input->options.tls.enabled)
        source_set_subject(&connection->source, base->stream);
    if (!input->options.reverse_lookup || input->options.proxy_protocol || names_ask(connection))
        tcp_connection_start(connection);
    return true;
}

static void release_connection(struct server_connection *base)
{
    struct tcp_connection *connection = connection_of(base);
    assert(base->ended);
    names_forget(connection);
    loop_timer_close(connection->idle);
    codec_intake_close(&connection->intake);
    server_note_held(base, 0);
}

static bool goes_before(const struct server_connection *one, const struct server_connection *other)
{
    const struct tcp_connection *a = (const struct tcp_connection *)(const void *)one;
    const struct tcp_connection *b = (const struct tcp_connection *)(const void *)other;
    return a->intake.paused != b->intake.paused ? b->intake.paused
                                                : a->last_activity_ms < b->last_activity_ms;
}

static bool may_give_up(const struct server_connection *base)
{
    (void)base;
    return true;
}

static void on_written(void *ctx, int status)
{
    (void)ctx, (void)status; /* nothing is written */
}

const struct server_protocol tcp_protocol = {
    .connection_size = sizeof(struct tcp_connection),
    .io =
        {
            .room = on_room,
            .read = on_read,
            .ended = on_ended,
            .written = on_written,
            .shut = on_written,
        },
    .open = open_connection,
    .stop = finish,
    .close = finish,
    .release = release_connection,
    .goes_before = goes_before,
    .may_give_up = may_give_up,
    .give_up = finish,
    .end_lane = names_end_lane,
};
