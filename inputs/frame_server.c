/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/frame_server.h"

#include <assert.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "inputs/frame_cutter.h"
#include "inputs/proxy_header.h"
#include "inputs/server.h"
#include "io/loop_timer.h"

enum { BIND_AGAIN_MS = 5000, CLIENT_TEXT_MAX = 128 };

struct frame_server {
    struct frame_server_options options;
    struct server server;
    bool is_open, stopped;
    struct loop_timer *again;
    struct counter *too_long, *timed_out, *proxy_errors;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct connection {
    struct server_connection base; /* first */
    struct frame_server *server;
    struct origin origin;
    struct frame_source source;
    struct frame_cutter cutter;
    struct loop_timer *half;      /* set while a message is not whole */
    struct buf held;              /* what is not decoded yet */
    bool waiting;                 /* for memory */
    bool waits_for_header;        /* of a proxy, which says who the client is */
    char client[CLIENT_TEXT_MAX]; /* as the proxy said; "": the peer */
    uint64_t token, last_ms;
};

static struct connection *of_base(struct server_connection *base)
{
    return (struct connection *)(void *)base;
}

static struct connection *of_origin(struct origin *origin)
{
    return (struct connection *)(void *)((char *)origin - offsetof(struct connection, origin));
}

/* ---- messages ------------------------------------------------------------------------------------- */

static void acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* nobody waits for it */
    (void)token;
}

static void complete(struct origin *origin, struct event *event)
{
    struct connection *connection = of_origin(origin);
    struct frame_server *server = connection->server;
    if (server->options.complete)
        server->options.complete(server->options.ctx, &connection->source, event);
}

static void take(struct connection *connection, struct str message)
{
    const struct frame_server_options *options = &connection->server->options;
    struct frame_source *source = &connection->source;
    if (message.len <= options->keeps_delimiter && options->counts_octets)
        return; /* a line break behind a message that said its length */
    struct arena *arena = stream_arena(source->stream);
    if (!source->address.ptr)
        source->address =
            arena_dup(arena, str_from(connection->client[0] ? connection->client
                                                            : connection->base.peer.text));
    struct str bytes = arena_dup(arena, message);
    if (options->take) {
        options->take(options->ctx, source, bytes);
        return;
    }
    stream_decode(source->stream, bytes);
    stream_flush_codec(source->stream);
}

static void hand_over(struct connection *connection)
{
    struct stream *stream = connection->source.stream;
    connection->source.address.ptr = NULL;
    if (stream_count(stream) > 0)
        stream_hand_over(stream, ++connection->token);
    stream_rest(stream);
}

static void note_too_long(struct connection *connection)
{
    uint64_t suppressed;
    server_count(connection->server->too_long, 1);
    if (server_may_log(&connection->base, &suppressed))
        log_warn(connection->server->options.env->log, "message_too_long",
                 "a message is longer than its limit, and is left out",
                 LOG_CSTR("client", connection->base.peer.text),
                 LOG_INT("limit", connection->cutter.max_bytes),
                 LOG_INT_IF("not_logged_before", suppressed));
}

static void refuse_header(struct connection *connection)
{
    uint64_t suppressed;
    server_count(connection->server->proxy_errors, 1);
    if (server_may_log(&connection->base, &suppressed))
        log_error(connection->server->options.env->log, "proxy_header",
                  "a connection without a PROXY header is closed: proxy_protocol wants one first",
                  LOG_CSTR("client", connection->base.peer.text),
                  LOG_INT_IF("not_logged_before", suppressed));
    server_end(&connection->base);
}

/* Takes the line of a proxy off the bytes. False: it is not whole yet, or none, and then nothing is left. */
static bool take_header(struct connection *connection, struct str bytes, size_t *used_out)
{
    struct proxy_header header;
    switch (proxy_header_read(bytes, &header, used_out)) {
    case PROXY_HEADER_MORE:
        *used_out = 0;
        return false;
    case PROXY_HEADER_BROKEN:
        *used_out = bytes.len;
        refuse_header(connection);
        return false;
    case PROXY_HEADER_WHOLE:
        break;
    }
    connection->waits_for_header = false;
    snprintf(connection->client, sizeof connection->client, "%.*s", STR_FMT(header.source));
    return true;
}

/* Whole messages; returns how many bytes they took. */
static size_t decode(struct connection *connection, struct str bytes)
{
    size_t done = 0, used;
    struct str message;
    if (connection->waits_for_header && !take_header(connection, bytes, &done))
        return done;
    for (;;) {
        enum frame_cut cut =
            frame_cutter_next(&connection->cutter, str_from_offset(bytes, done), &message, &used);
        done += used;
        if (cut == FRAME_PART)
            break;
        if (cut == FRAME_TOO_LONG)
            note_too_long(connection);
        if (cut == FRAME_WHOLE)
            take(connection, message);
        if (stream_full(connection->source.stream))
            hand_over(connection);
    }
    hand_over(connection);
    return done;
}

static void note_held(struct connection *connection)
{
    const struct frame_server_options *options = &connection->server->options;
    server_note_held(&connection->base, connection->held.len);
    if (connection->held.len == 0 || connection->waiting)
        loop_timer_stop(connection->half);
    else if (options->frame_timeout_ms > 0 && !loop_timer_is_set(connection->half))
        loop_timer_start(connection->half, (uint64_t)options->frame_timeout_ms);
}

static void keep(struct connection *connection, struct str bytes)
{
    bool fits = buf_append_str(&connection->held, bytes);
    assert(fits); /* a part is at most a message and one read */
    (void)fits;
}

static void decode_held(struct connection *connection)
{
    buf_consume(&connection->held, decode(connection, buf_str(&connection->held)));
    if (connection->held.len == 0)
        buf_release(&connection->held);
}

/* ---- a connection --------------------------------------------------------------------------------- */

static uv_buf_t on_room(void *ctx)
{
    return server_room(ctx);
}

static void on_read(void *ctx, struct str bytes)
{
    struct connection *connection = ctx;
    connection->last_ms = server_now_ms(&connection->base);
    if (!stream_admit(connection->source.stream, SERVER_READ_BYTES)) {
        keep(connection, bytes);
        connection->waiting = true;
        server_read(&connection->base, false);
    } else if (connection->held.len > 0) {
        keep(connection, bytes);
        decode_held(connection);
    } else {
        size_t done = decode(connection, bytes);
        keep(connection, str_from_offset(bytes, done));
    }
    note_held(connection);
    server_shed(&connection->base);
}

static void resume(struct origin *origin)
{
    struct connection *connection = of_origin(origin);
    if (connection->base.ended)
        return;
    assert(connection->waiting);
    connection->waiting = false;
    decode_held(connection);
    note_held(connection);
    server_read(&connection->base, true);
}

static void end(struct connection *connection, bool rest_counts)
{
    if (connection->base.ended)
        return;
    if (connection->waiting) { /* what is whole goes now, memory or not: it is bounded */
        connection->waiting = false;
        decode_held(connection);
    }
    struct str rest = frame_cutter_rest(&connection->cutter, buf_str(&connection->held));
    if (rest_counts && rest.len > 0 && !connection->waits_for_header) {
        take(connection, rest);
        hand_over(connection);
    }
    buf_release(&connection->held);
    note_held(connection);
    server_end(&connection->base);
}

static void on_ended(void *ctx, int status)
{
    (void)status; /* a reset says no more than an end: what came is there */
    end(ctx, true);
}

static void on_half(void *ctx)
{
    struct connection *connection = ctx;
    uint64_t suppressed;
    server_count(connection->server->timed_out, 1);
    if (server_may_log(&connection->base, &suppressed))
        log_warn(connection->server->options.env->log, "message_timeout",
                 "a client did not send the rest of a message in time, and is disconnected",
                 LOG_CSTR("client", connection->base.peer.text),
                 LOG_INT_IF("not_logged_before", suppressed));
    end(connection, true);
}

static struct stream *open_stream(const struct frame_server *server, struct lane *lane,
                                  struct origin *origin, struct error *err)
{
    struct stream_options options = {
        .env = server->options.env,
        .lane = lane,
        .origin = origin,
        .codec = server->options.codec,
        .codec_default = server->options.codec_default,
        .complete = complete,
    };
    return stream_open(&options, err);
}

static bool open_connection(struct server_connection *base)
{
    struct connection *connection = of_base(base);
    struct frame_server *server = server_of(base)->options.input;
    const struct frame_server_options *options = &server->options;
    struct lane *lane = base->home->lane;
    struct error err;
    connection->server = server;
    connection->origin = (struct origin){.acked = acked, .resume = resume};
    connection->source.stream = open_stream(server, lane, &connection->origin, &err);
    if (!connection->source.stream)
        mem_abort("a codec that could be opened at the start cannot be opened again");
    connection->source.regex = lane_regex(lane);
    connection->source.json = lane_json(lane);
    connection->half = loop_timer_new(lane_loop(lane), on_half, connection);
    connection->cutter = (struct frame_cutter){
        .delimiter = options->delimiter,
        .keeps_delimiter = options->keeps_delimiter,
        .counts_octets = options->counts_octets,
        .max_bytes = (size_t)options->max_frame_bytes,
    };
    connection->waits_for_header = options->proxy_protocol;
    buf_init(&connection->held, (size_t)options->max_frame_bytes + 2 * SERVER_READ_BYTES);
    connection->last_ms = server_now_ms(base);
    server_read(base, true);
    return true;
}

static void stop_connection(struct server_connection *base)
{
    end(of_base(base), true);
}

static void release_connection(struct server_connection *base)
{
    struct connection *connection = of_base(base);
    stream_close(connection->source.stream);
    loop_timer_close(connection->half);
    buf_release(&connection->held);
    server_note_held(base, 0);
}

static bool goes_before(const struct server_connection *one, const struct server_connection *other)
{
    const struct connection *a = (const struct connection *)(const void *)one;
    const struct connection *b = (const struct connection *)(const void *)other;
    return a->waiting != b->waiting ? b->waiting : a->last_ms < b->last_ms;
}

static bool may_give_up(const struct server_connection *base)
{
    return !base->ended;
}

static void give_up(struct server_connection *base)
{
    end(of_base(base), true);
}

/* ---- the server ----------------------------------------------------------------------------------- */

struct frame_server *frame_server_new(const struct frame_server_options *options, struct error *err)
{
    const struct plugin_env *env = options->env;
    struct origin origin = {.acked = acked, .resume = resume};
    struct frame_server *server = mem_zero(1, sizeof *server);
    server->options = *options;
    server->too_long = env->counter(env, "messages_too_long");
    server->timed_out = env->counter(env, "message_timeouts");
    if (options->proxy_protocol)
        server->proxy_errors = env->counter(env, "proxy_header_errors");
    struct stream *stream = open_stream(server, NULL, &origin, err);
    stream_close(stream);
    if (stream)
        return server;
    mem_free(server);
    return NULL;
}

static bool open_server(struct frame_server *server, struct error *err)
{
    struct server_options options = {
        .env = server->options.env,
        .waiting = server->options.waiting,
        .host = server->options.host,
        .port = server->options.port,
        .max_connections = server->options.max_connections,
        .protocol =
            {
                .connection_size = sizeof(struct connection),
                .io = {.room = on_room, .read = on_read, .ended = on_ended},
                .open = open_connection,
                .stop = stop_connection,
                .close = stop_connection,
                .release = release_connection,
                .goes_before = goes_before,
                .may_give_up = may_give_up,
                .give_up = give_up,
            },
        .input = server,
    };
    server->server = (struct server){.listener = NULL};
    server->is_open = server_open(&server->server, &options, err);
    return server->is_open && server_start(&server->server, err);
}

static void begin(void *ctx)
{
    struct frame_server *server = ctx;
    struct error err;
    assert(!server->is_open && !server->stopped);
    if (open_server(server, &err))
        return;
    log_error(server->options.env->log, "listen_failed", err.text,
              LOG_INT_IF("next_try_in_s", server->is_open ? 0 : BIND_AGAIN_MS / 1000));
    if (!server->is_open)
        loop_timer_start(server->again, BIND_AGAIN_MS);
}

void frame_server_start(struct frame_server *server)
{
    server->again = loop_timer_new(server->options.env->loop, begin, server);
    begin(server);
}

void frame_server_stop(struct frame_server *server)
{
    if (server->stopped)
        return;
    server->stopped = true;
    if (server->again)
        loop_timer_stop(server->again);
    if (server->is_open)
        server_stop(&server->server);
    else
        input_finished(server->options.env);
}

static void on_closed(void *ctx)
{
    struct frame_server *server = ctx;
    void (*closed)(void *ctx) = server->closed;
    void *closed_ctx = server->closed_ctx;
    mem_free(server);
    closed(closed_ctx);
}

void frame_server_close(struct frame_server *server, void (*closed)(void *ctx), void *ctx)
{
    server->closed = closed;
    server->closed_ctx = ctx;
    loop_timer_close(server->again);
    if (server->is_open)
        server_close(&server->server, on_closed, server);
    else
        on_closed(server);
}
