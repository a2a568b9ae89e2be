/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/connection.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "inputs/beats/hub.h"

static void set_state(struct beats_connection *connection, enum connection_state state)
{
    assert(state > connection->state); /* it never goes back */
    connection->state = state;
}

uint64_t connection_now_ms(const struct beats_connection *connection)
{
    return uv_now(connection->tcp.loop);
}

static const struct beats_options *options_of(const struct beats_connection *connection)
{
    return &connection->hub->input->options;
}

static void count(struct beats_connection *connection, enum beats_counter which)
{
    beats_count(connection->hub->input, which, 1);
}

/* ---- the end ---- */

void connection_release_holder(struct beats_connection *connection)
{
    assert(connection->holders > 0);
    if (--connection->holders > 0)
        return;
    struct beats_hub *hub = connection->hub;
    beats_count(hub->input, BEATS_CLOSED, 1);
    atomic_fetch_sub(&hub->input->connections, 1);
    lane_connection_closed(hub->lane);
    hub_remove(hub, connection);
    mem_free(connection);
}

static void on_handle_closed(uv_handle_t *handle)
{
    connection_release_holder(handle->data);
}

void connection_close(struct beats_connection *connection)
{
    if (connection->state == CONNECTION_CLOSED)
        return;
    set_state(connection, CONNECTION_CLOSED);
    intake_close(connection);
    uv_close((uv_handle_t *)&connection->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&connection->timer, on_handle_closed);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct beats_connection *connection = request->handle->data;
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
    if (connection->sending ||
        uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, on_shutdown) != 0) {
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
    struct beats_hub *hub = connection->hub;
    uint64_t suppressed;
    count(connection, err->code == ERROR_LIMIT ? BEATS_LIMIT_ERRORS : BEATS_PROTOCOL_ERRORS);
    if (log_limit_allow(&hub->log_limit, connection_now_ms(connection), &suppressed))
        log_warn(hub->input->env->log, "client_refused", "a client's connection is closed",
                 LOG_CSTR("client", connection->address), LOG_CSTR("reason", err->text),
                 LOG_INT_IF("suppressed", suppressed));
    connection_finish(connection);
}

/* ---- writing ---- */

static void on_written(uv_write_t *request, int status);

/* False: the connection was closed. */
static bool send_out(struct beats_connection *connection)
{
    assert(!connection->sending && connection->out_len > 0);
    uv_stream_t *socket = (uv_stream_t *)&connection->tcp;
    uv_buf_t bytes = uv_buf_init(connection->out, (unsigned)connection->out_len);
    int sent = uv_try_write(socket, &bytes, 1);
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0) {
        connection_close(connection);
        return false;
    }
    connection->last_write_ms = connection->last_activity_ms = connection_now_ms(connection);
    if ((size_t)sent == connection->out_len) {
        connection->out_len = 0;
        return true;
    }
    bytes = uv_buf_init(connection->out + sent, (unsigned)(connection->out_len - (size_t)sent));
    connection->sending = true;
    connection->sending_since_ms = connection_now_ms(connection);
    uv_write(&connection->write, socket, &bytes, 1, on_written);
    return true;
}

static void on_written(uv_write_t *request, int status)
{
    struct beats_connection *connection = request->handle->data;
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
           (connection->hub->is_closing ? BEATS_CLOSING_LINGER_MS : BEATS_LINGER_MS);
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

static const struct {
    uint64_t (*due)(const struct beats_connection *connection);
    void (*act)(struct beats_connection *connection);
} DEADLINES[] = {
    {write_due, give_up_writing},     {linger_due, connection_close}, {window_due, give_up_window},
    {inactivity_due, give_up_client}, {keepalive_due, keep_alive},
};

enum { DEADLINE_COUNT = sizeof DEADLINES / sizeof *DEADLINES };

static void on_timer(uv_timer_t *timer)
{
    struct beats_connection *connection = timer->data;
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
    uv_timer_start(&connection->timer, on_timer, due_ms > now_ms ? due_ms - now_ms : 0, 0);
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

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct beats_connection *connection = handle->data;
    struct beats_input *input = connection->hub->input;
    size_t held = atomic_load_explicit(&input->held_bytes, memory_order_relaxed);
    (void)suggested;
    *out =
        uv_buf_init(connection->hub->read_buffer,
                    held > input->max_held_bytes / 2 ? BEATS_SCARCE_READ_BYTES : BEATS_READ_BYTES);
}

static void on_end(struct beats_connection *connection, ssize_t status)
{
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

static void on_read(uv_stream_t *socket, ssize_t len, const uv_buf_t *buf)
{
    struct beats_connection *connection = socket->data;
    if (len < 0)
        on_end(connection, len);
    if (len <= 0)
        return;
    if (connection->state == CONNECTION_LINGERING) {
        throw_away(connection, (size_t)len);
        return;
    }
    assert(connection->state == CONNECTION_OPEN && !connection->paused);
    connection->last_activity_ms = connection_now_ms(connection);
    connection->incomplete_bytes += (uint64_t)len;
    beats_count(connection->hub->input, BEATS_BYTES, (uint64_t)len);
    intake_bytes(connection, str_make(buf->base, (size_t)len));
}

void connection_read(struct beats_connection *connection, bool on)
{
    uv_stream_t *socket = (uv_stream_t *)&connection->tcp;
    if (!on)
        uv_read_stop(socket);
    else if (uv_read_start(socket, on_alloc, on_read) != 0)
        connection_close(connection);
}

/* ---- the beginning ---- */

/* The lane has stopped meanwhile, or libuv does not take the descriptor. */
static void turn_away(struct beats_connection *connection)
{
    struct beats_hub *hub = connection->hub;
    close(connection->fd);
    beats_count(hub->input, BEATS_CLOSED, 1);
    atomic_fetch_sub(&hub->input->connections, 1);
    lane_connection_closed(hub->lane);
    mem_free(connection);
}

static void adopt(struct inbox_item *item)
{
    struct beats_connection *connection = (struct beats_connection *)(void *)item;
    struct beats_hub *hub = connection->hub;
    if (hub->is_stopping) {
        turn_away(connection);
        return;
    }
    uv_tcp_init(lane_loop(hub->lane), &connection->tcp);
    uv_timer_init(lane_loop(hub->lane), &connection->timer);
    connection->tcp.data = connection->timer.data = connection;
    connection->holders = 2;
    connection->timer_due_ms = UINT64_MAX;
    connection->last_activity_ms = connection_now_ms(connection);
    hub_add(hub, connection);
    intake_open(connection);
    if (uv_tcp_open(&connection->tcp, connection->fd) != 0) {
        close(connection->fd);
        connection_close(connection);
        return;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    if (connection->stream)
        connection_read(connection, true);
    else
        connection_close(connection);
    connection_update(connection);
}

void connection_post(struct beats_input *input, int fd, const char *address)
{
    struct lane *lane = engine_lane_for_connection(input->env->engine);
    assert(lane_index(lane) < input->hub_count);
    struct beats_connection *connection = mem_zero(1, sizeof *connection);
    atomic_fetch_add(&input->connections, 1);
    connection->hub = &input->hubs[lane_index(lane)];
    connection->fd = fd;
    snprintf(connection->address, sizeof connection->address, "%s", address);
    connection->link.run = adopt;
    lane_post(lane, &connection->link);
}
