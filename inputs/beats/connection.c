/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/connection.h"

#include <assert.h>

#include "base/mem.h"

static void set_state(struct beats_connection *connection, enum connection_state state)
{
    assert(state > connection->state); /* it never goes back */
    connection->state = state;
}

struct beats_input *connection_input(const struct beats_connection *connection)
{
    return server_of(&connection->base)->options.input;
}

uint64_t connection_now_ms(const struct beats_connection *connection)
{
    return server_now_ms(&connection->base);
}

static const struct beats_options *options_of(const struct beats_connection *connection)
{
    return &connection_input(connection)->options;
}

static void count(struct beats_connection *connection, enum beats_counter which)
{
    beats_count(connection_input(connection), which, 1);
}

/* ---- the end ---- */

void connection_close(struct beats_connection *connection)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    set_state(connection, CONNECTION_CLOSED);
    intake_close(connection);
    loop_timer_close(connection->timer);
    server_end(&connection->base);
}

static void on_shut(void *ctx, int status)
{
    struct beats_connection *connection = ctx;
    if (connection->state == CONNECTION_LINGERING && (status != 0 || connection->client_ended))
        connection_close(connection);
}

void connection_linger(struct beats_connection *connection)
{
    if (connection->state >= CONNECTION_LINGERING)
        return;
    set_state(connection, CONNECTION_LINGERING);
    intake_close(connection);
    connection->lingering_since_ms = connection_now_ms(connection);
    if (connection->sending || byte_stream_shutdown(connection->base.stream) != 0) {
        connection_close(connection);
        return;
    }
    if (!connection->client_ended)
        connection_read(connection, true);
    connection_update(connection);
}

void connection_finish(struct beats_connection *connection)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    set_state(connection, CONNECTION_FINISHING);
    connection_read(connection, false);
    windows_drop_incomplete(&connection->windows);
    connection->is_incomplete = connection->paused = false;
    intake_drop(connection);
    connection_update(connection);
}

void connection_refuse(struct beats_connection *connection, const struct error *err)
{
    uint64_t suppressed;
    count(connection, err->code == ERROR_LIMIT ? BEATS_LIMIT_ERRORS : BEATS_PROTOCOL_ERRORS);
    if (server_may_log(&connection->base, &suppressed))
        log_warn(connection_input(connection)->env->log, "client_refused",
                 "a client's connection is closed", LOG_CSTR("client", connection->base.peer.text),
                 LOG_CSTR("reason", err->text), LOG_INT_IF("not_logged_before", suppressed));
    connection_finish(connection);
}

/* ---- writing ---- */

/* False: the connection was closed. */
static bool send_out(struct beats_connection *connection)
{
    assert(!connection->sending && connection->out_len > 0);
    struct byte_stream *stream = connection->base.stream;
    struct str bytes = str_make(connection->out, connection->out_len);
    ssize_t sent = byte_stream_try_write(stream, bytes);
    if (sent < 0) {
        connection_close(connection);
        return false;
    }
    connection->last_write_ms = connection->last_activity_ms = connection_now_ms(connection);
    if ((size_t)sent == connection->out_len) {
        connection->out_len = 0;
        return true;
    }
    connection->sending = true;
    connection->sending_since_ms = connection_now_ms(connection);
    if (byte_stream_write(stream, str_from_offset(bytes, (size_t)sent)) == 0)
        return true;
    connection_close(connection);
    return false;
}

static void on_written(void *ctx, int status)
{
    struct beats_connection *connection = ctx;
    connection->sending = false;
    connection->out_len = 0;
    if (connection->state == CONNECTION_CLOSED)
        return;
    if (status != 0) {
        connection_close(connection);
        return;
    }
    connection->last_write_ms = connection->last_activity_ms = connection_now_ms(connection);
    connection_update(connection);
}

static void append_ack(struct beats_connection *connection, enum lumberjack_version version,
                       uint32_t sequence)
{
    unsigned char ack[LUMBERJACK_ACK_BYTES];
    lumberjack_write_ack(version, sequence, ack);
    assert(connection->out_len + sizeof ack <= sizeof connection->out);
    memcpy(connection->out + connection->out_len, ack, sizeof ack);
    connection->out_len += sizeof ack;
}

/* What does not fit waits in the list of windows, which is bounded. False: the connection was closed. */
static bool send_acks(struct beats_connection *connection)
{
    enum lumberjack_version version;
    uint32_t sequence;
    bool more = true;
    while (more && !connection->sending) {
        more = false;
        while (connection->out_len + LUMBERJACK_ACK_BYTES <= sizeof connection->out &&
               (more = windows_next_ack(&connection->windows, &version, &sequence))) {
            append_ack(connection, version, sequence);
            count(connection, BEATS_ACKS);
        }
        if (connection->out_len > 0 && !send_out(connection))
            return false;
    }
    return true;
}

/* ---- deadlines: when each is due, and what happens then ---- */

static uint64_t write_due(const struct beats_connection *connection)
{
    if (!connection->sending)
        return UINT64_MAX;
    return connection->sending_since_ms + (uint64_t)options_of(connection)->write_timeout_ms;
}

static void give_up_writing(struct beats_connection *connection)
{
    count(connection, BEATS_WRITE_TIMEOUTS);
    connection_close(connection);
}

static uint64_t linger_due(const struct beats_connection *connection)
{
    if (connection->state != CONNECTION_LINGERING)
        return UINT64_MAX;
    return connection->lingering_since_ms +
           (connection->base.home->is_closing ? BEATS_CLOSING_LINGER_MS : BEATS_LINGER_MS);
}

/* A client earns time with the bytes it sends, so that a slow link is served and a trickle is not. */
static uint64_t window_due(const struct beats_connection *connection)
{
    if (connection->state != CONNECTION_OPEN || !connection->is_incomplete || connection->paused)
        return UINT64_MAX;
    return connection->incomplete_since_ms + (uint64_t)options_of(connection)->window_timeout_ms +
           connection->incomplete_bytes * 1000 / BEATS_MIN_BYTES_PER_SECOND;
}

static void give_up_window(struct beats_connection *connection)
{
    count(connection, BEATS_WINDOW_TIMEOUTS);
    connection_finish(connection);
}

static uint64_t inactivity_due(const struct beats_connection *connection)
{
    if (connection->state != CONNECTION_OPEN || connection->paused ||
        windows_are_waiting(&connection->windows) ||
        options_of(connection)->client_inactivity_timeout_ms == 0)
        return UINT64_MAX;
    return connection->last_activity_ms +
           (uint64_t)options_of(connection)->client_inactivity_timeout_ms;
}

static void give_up_client(struct beats_connection *connection)
{
    count(connection, BEATS_INACTIVE);
    connection_finish(connection);
}

static uint64_t keepalive_due(const struct beats_connection *connection)
{
    if (connection->state > CONNECTION_FINISHING || connection->sending ||
        !windows_want_keepalive(&connection->windows))
        return UINT64_MAX;
    uint64_t since = connection->last_write_ms > connection->waiting_since_ms
                         ? connection->last_write_ms
                         : connection->waiting_since_ms;
    return since + (uint64_t)options_of(connection)->keepalive_interval_ms;
}

static void keep_alive(struct beats_connection *connection)
{
    count(connection, BEATS_KEEPALIVES);
    append_ack(connection, LUMBERJACK_V2, 0);
    send_out(connection);
}

/* Others hold what this one needs: those of them that do not go on give it back. */
static uint64_t starved_due(const struct beats_connection *connection)
{
    if (connection->state != CONNECTION_OPEN || !intake_waits_for_memory(connection))
        return UINT64_MAX;
    return connection->starved_since_ms + BEATS_IDLE_MS;
}

static void ask_idle_ones(struct beats_connection *connection)
{
    connection->starved_since_ms = connection_now_ms(connection);
    server_shed_idle(&connection->base);
}

static const struct {
    uint64_t (*due)(const struct beats_connection *connection);
    void (*act)(struct beats_connection *connection);
} DEADLINES[] = {
    {write_due, give_up_writing},     {linger_due, connection_close}, {window_due, give_up_window},
    {inactivity_due, give_up_client}, {keepalive_due, keep_alive},    {starved_due, ask_idle_ones},
};

enum { DEADLINE_COUNT = sizeof DEADLINES / sizeof *DEADLINES };

static void on_timer(void *ctx)
{
    struct beats_connection *connection = ctx;
    connection->timer_due_ms = UINT64_MAX;
    uint64_t now_ms = connection_now_ms(connection);
    for (size_t i = 0; i < DEADLINE_COUNT; i++) {
        if (connection->state == CONNECTION_CLOSED)
            return;
        if (DEADLINES[i].due(connection) <= now_ms)
            DEADLINES[i].act(connection);
    }
    connection_update(connection);
}

/* A timer that is too early is left alone: it looks again when it fires. */
static void set_timer(struct beats_connection *connection)
{
    uint64_t due_ms = UINT64_MAX, now_ms = connection_now_ms(connection);
    for (size_t i = 0; i < DEADLINE_COUNT; i++) {
        uint64_t other_ms = DEADLINES[i].due(connection);
        if (other_ms < due_ms)
            due_ms = other_ms;
    }
    if (due_ms >= connection->timer_due_ms)
        return;
    connection->timer_due_ms = due_ms;
    loop_timer_start(connection->timer, due_ms > now_ms ? due_ms - now_ms : 0);
}

void connection_update(struct beats_connection *connection)
{
    if (connection->state <= CONNECTION_FINISHING && !send_acks(connection))
        return;
    if (connection->state == CONNECTION_OPEN)
        intake_acks_sent(connection);
    if (connection->state == CONNECTION_FINISHING && !connection->sending &&
        !windows_are_waiting(&connection->windows)) {
        connection_linger(connection);
        return;
    }
    if (connection->state != CONNECTION_CLOSED)
        set_timer(connection);
}

/* ---- reading ---- */

static uv_buf_t on_room(void *ctx)
{
    return server_room(ctx);
}

static void on_ended(void *ctx, int status)
{
    struct beats_connection *connection = ctx;
    if (status != UV_EOF || connection->state == CONNECTION_LINGERING) {
        connection_close(connection);
        return;
    }
    connection->client_ended = true;
    connection_finish(connection);
}

static void throw_away(struct beats_connection *connection, size_t len)
{
    connection->lingering_bytes += len;
    if (connection->lingering_bytes > BEATS_LINGER_BYTES)
        connection_close(connection);
}

static void on_read(void *ctx, struct str bytes)
{
    struct beats_connection *connection = ctx;
    if (connection->state == CONNECTION_LINGERING) {
        throw_away(connection, bytes.len);
        return;
    }
    assert(connection->state == CONNECTION_OPEN && !connection->paused);
    connection->last_activity_ms = connection_now_ms(connection);
    connection->incomplete_bytes += (uint64_t)bytes.len;
    beats_count(connection_input(connection), BEATS_BYTES, (uint64_t)bytes.len);
    intake_bytes(connection, bytes);
}

void connection_read(struct beats_connection *connection, bool on)
{
    if (!on)
        byte_stream_read_stop(connection->base.stream);
    else if (byte_stream_read_start(connection->base.stream) != 0)
        connection_close(connection);
}

/* ---- what the server says ---- */

static struct beats_connection *connection_of(struct server_connection *base)
{
    return (struct beats_connection *)(void *)base;
}

static bool open_connection(struct server_connection *base)
{
    struct beats_connection *connection = connection_of(base);
    connection->timer = loop_timer_new(lane_loop(base->home->lane), on_timer, connection);
    connection->timer_due_ms = UINT64_MAX;
    connection->last_activity_ms = connection_now_ms(connection);
    intake_open(connection);
    if (connection->stream)
        connection_read(connection, true);
    else
        connection_close(connection);
    connection_update(connection);
    return true;
}

static void stop_connection(struct server_connection *base)
{
    connection_finish(connection_of(base));
}

static void close_when_told(struct server_connection *base)
{
    connection_linger(connection_of(base));
    connection_update(connection_of(base)); /* one that lingers already has less time now */
}

static void release_connection(struct server_connection *base)
{
    assert(connection_of(base)->state == CONNECTION_CLOSED && !connection_of(base)->sending);
    (void)base;
}

/* A connection that is paused waits for us, so it goes after those that we wait for. */
static bool goes_before(const struct server_connection *one, const struct server_connection *other)
{
    const struct beats_connection *a = (const struct beats_connection *)(const void *)one;
    const struct beats_connection *b = (const struct beats_connection *)(const void *)other;
    return a->paused != b->paused ? b->paused : a->last_activity_ms < b->last_activity_ms;
}

static bool may_give_up(const struct server_connection *base)
{
    return ((const struct beats_connection *)(const void *)base)->state == CONNECTION_OPEN;
}

/* Its memory is claimed, and the client does not go on; one that is paused waits for us. */
static bool is_idle(const struct server_connection *base)
{
    const struct beats_connection *connection = (const struct beats_connection *)(const void *)base;
    return !connection->paused &&
           connection_now_ms(connection) - connection->last_activity_ms >= BEATS_IDLE_MS;
}

static void end_lane(struct server_lane *lane)
{
    lumberjack_inflaters_free(lane->shared);
    lane->shared = NULL;
}

const struct server_protocol connection_protocol = {
    .connection_size = sizeof(struct beats_connection),
    .io =
        {
            .room = on_room,
            .read = on_read,
            .ended = on_ended,
            .written = on_written,
            .shut = on_shut,
        },
    .open = open_connection,
    .stop = stop_connection,
    .close = close_when_told,
    .release = release_connection,
    .goes_before = goes_before,
    .may_give_up = may_give_up,
    .give_up = stop_connection,
    .is_idle = is_idle,
    .end_lane = end_lane,
};
