/* SPDX-License-Identifier: Apache-2.0
 *
 * From bytes to batches. A batch ends with the window, or earlier when it is full; then memory for the next one is asked
 * for, and the lane's other work comes first. While decoding waits, nothing is read from the socket: what was
 * read already is kept.
 */
#include <assert.h>

#include "inputs/beats/connection.h"

static size_t expected_bytes(const struct beats_connection *connection, uint32_t events)
{
    size_t mean = connection->mean_event_bytes;
    return events > BEATS_BATCH_BYTES / mean ? BEATS_BATCH_BYTES : events * mean;
}

static void hand_over(struct beats_connection *connection)
{
    size_t events = stream_count(connection->stream);
    if (events == 0)
        return;
    beats_count(connection_input(connection), BEATS_EVENTS, events);
    connection->mean_event_bytes =
        (connection->mean_event_bytes * 7 + connection->batch_bytes / events) / 8 + 1;
    connection->batch_bytes = 0;
    connection->in_batch = (struct beats_in_batch){0};
    stream_hand_over(connection->stream, ++connection->token);
}

/* ---- what the decoder says ---- */

static void on_window(void *ctx, enum lumberjack_version version, uint32_t events)
{
    struct beats_connection *connection = ctx;
    windows_begin(&connection->windows, version);
    connection->wanted_bytes = expected_bytes(connection, events);
    lumberjack_pause(&connection->decoder);
}

static void on_event(void *ctx, const struct lumberjack_event *event)
{
    struct beats_connection *connection = ctx;
    windows_event(&connection->windows, event->sequence);
    beats_event_emit(connection, event);
    connection->batch_bytes += event->payload.len;
    if (connection->decoder.events_left == 0 ||
        (!stream_full(connection->stream) && connection->batch_bytes < BEATS_BATCH_BYTES))
        return;
    hand_over(connection);
    connection->wanted_bytes = expected_bytes(connection, connection->decoder.events_left);
    connection->wants_turn = true;
    lumberjack_pause(&connection->decoder);
}

static void on_window_end(void *ctx)
{
    struct beats_connection *connection = ctx;
    hand_over(connection);
    if (!windows_are_waiting(&connection->windows))
        connection->waiting_since_ms = connection_now_ms(connection);
    windows_end(&connection->windows, connection->token);
    beats_count(connection_input(connection), BEATS_WINDOWS, 1);
    connection->window_ended = true;
}

static const struct lumberjack_handler HANDLER = {on_window, on_event, on_window_end};

/* ---- pauses ---- */

static void on_turn(struct inbox_item *item)
{
    struct beats_connection *connection = (struct beats_connection *)(void *)item;
    connection->turn_posted = connection->wants_turn = false;
    if (connection->state == CONNECTION_OPEN)
        intake_go_on(connection);
    server_release(&connection->base);
}

/* What is handed over to this lane was posted before, so it runs before. */
static void post_turn(struct beats_connection *connection)
{
    if (connection->turn_posted)
        return;
    connection->turn_posted = true;
    server_hold(&connection->base);
    connection->base.link.run = on_turn;
    lane_post(connection->base.home->lane, &connection->base.link);
}

void intake_acks_sent(struct beats_connection *connection)
{
    if (!connection->waits_for_acks || windows_is_full(&connection->windows))
        return;
    connection->waits_for_acks = false;
    post_turn(connection);
}

/* Each window begins with a pause, so that this is asked, and the list of windows never runs over. */
static bool may_go_on(struct beats_connection *connection)
{
    connection->waits_for_acks = windows_is_full(&connection->windows);
    if (connection->waits_for_acks)
        return false;
    if (connection->wants_turn) {
        post_turn(connection);
        return false;
    }
    if (connection->wanted_bytes > 0 && !stream_admit(connection->stream, connection->wanted_bytes))
        return false;
    connection->wanted_bytes = 0;
    return true;
}

static void keep_rest(struct beats_connection *connection, struct str rest)
{
    assert(!connection->paused && connection->rest.len == 0);
    bool fits = buf_append_str(&connection->rest, rest);
    assert(fits); /* never more than one read */
    (void)fits;
    connection->paused = true;
    connection->paused_since_ms = connection->starved_since_ms = connection_now_ms(connection);
    beats_count(connection_input(connection), BEATS_PAUSES, 1);
    connection_read(connection, false);
}

/* The time that we did not read does not count against the client. */
static void unpause(struct beats_connection *connection)
{
    uint64_t now_ms = connection_now_ms(connection);
    connection->paused = false;
    connection->incomplete_since_ms += now_ms - connection->paused_since_ms;
    connection->last_activity_ms = now_ms;
}

/* ---- half frames hold a part of the budget at most; half windows claim theirs while the client goes on ---- */

/* What the budget granted is a claim on it; what nobody granted is held, as half frames are. */
static void note_held(struct beats_connection *connection)
{
    const struct stream *stream = connection->stream;
    size_t overdrawn = stream ? stream_overdrawn_bytes(stream) : 0;
    server_note_held(&connection->base, lumberjack_held_bytes(&connection->decoder) +
                                            connection->rest.capacity + overdrawn);
    server_note_claimed(&connection->base, stream ? stream_held_bytes(stream) - overdrawn : 0);
}

/* ---- decoding ---- */

static void note_progress(struct beats_connection *connection, size_t len)
{
    bool incomplete = lumberjack_is_incomplete(&connection->decoder);
    if (incomplete && (!connection->is_incomplete || connection->window_ended)) {
        connection->incomplete_since_ms = connection_now_ms(connection);
        connection->incomplete_bytes = len;
    }
    connection->is_incomplete = incomplete;
    connection->window_ended = false;
}

void intake_bytes(struct beats_connection *connection, struct str bytes)
{
    struct lumberjack *decoder = &connection->decoder;
    struct error err;
    size_t len = bytes.len;
    while (bytes.len > 0 || lumberjack_has_pending(decoder)) {
        size_t consumed;
        if (!lumberjack_feed(decoder, bytes, &consumed, &err)) {
            connection_refuse(connection, &err);
            return;
        }
        bytes = str_from_offset(bytes, consumed);
        if (!may_go_on(connection)) {
            keep_rest(connection, bytes);
            break;
        }
    }
    note_progress(connection, len);
    note_held(connection);
    connection_update(connection);
    server_shed(&connection->base);
}

bool intake_waits_for_memory(const struct beats_connection *connection)
{
    return connection->paused && connection->wanted_bytes > 0 && !connection->waits_for_acks &&
           !connection->wants_turn;
}

void intake_go_on(struct beats_connection *connection)
{
    if (!connection->paused || !may_go_on(connection))
        return;
    unpause(connection);
    struct buf rest;
    buf_init(&rest, SERVER_READ_BYTES);
    buf_move(&rest, &connection->rest);
    intake_bytes(connection, buf_str(&rest));
    buf_release(&rest);
    if (connection->state == CONNECTION_OPEN && !connection->paused)
        connection_read(connection, true);
}

/* ---- what the engine says ---- */

#define CONNECTION_OF(pointer)                                                                     \
    ((struct beats_connection *)(void *)((char *)(pointer)-offsetof(struct beats_connection,       \
                                                                    origin)))

static void on_acked(struct origin *origin, uint64_t token)
{
    struct beats_connection *connection = CONNECTION_OF(origin);
    windows_delivered(&connection->windows, token);
    connection_update(connection);
}

/* The client sends again what it gets no acknowledgement for, on a new connection. */
static void on_abandoned(struct origin *origin)
{
    struct beats_connection *connection = CONNECTION_OF(origin);
    beats_count(connection_input(connection), BEATS_ABANDONED, 1);
    windows_drop_all(&connection->windows);
    connection_finish(connection);
    connection_update(connection);
}

static void on_resume(struct origin *origin)
{
    struct beats_connection *connection = CONNECTION_OF(origin);
    if (connection->state == CONNECTION_OPEN)
        intake_go_on(connection);
}

/* ---- opening and closing ---- */

/* Frames that are inflated at once have a part of what clients may hold together, so no client is closed for them. */
static struct lumberjack_inflaters *inflaters_of(struct beats_connection *connection)
{
    enum { PART = 4, MAX_BYTES = 8 * 1024 * 1024 };
    struct server_lane *home = connection->base.home;
    size_t share = home->server->options.max_held_bytes / PART / home->server->lane_count;
    if (!home->shared)
        home->shared = lumberjack_inflaters_new(share < MAX_BYTES ? share : MAX_BYTES);
    return home->shared;
}

void intake_open(struct beats_connection *connection)
{
    const struct beats_input *input = connection_input(connection);
    connection->origin =
        (struct origin){.acked = on_acked, .abandoned = on_abandoned, .resume = on_resume};
    struct stream_options options = {
        .env = input->env,
        .lane = connection->base.home->lane,
        .origin = &connection->origin,
        .codec = input->options.codec,
        .codec_default = "plain",
    };
    struct error err;
    connection->stream = stream_open(&options, &err);
    if (!connection->stream)
        log_error(input->env->log, "client_failed", "a client could not be served",
                  LOG_CSTR("reason", err.text));
    connection->mean_event_bytes = BEATS_EVENT_GUESS_BYTES;
    struct account *memory = connection->stream ? stream_account(connection->stream) : NULL;
    lumberjack_init(&connection->decoder, &HANDLER, connection, &input->limits, memory);
    connection->decoder.shared = inflaters_of(connection);
    windows_init(&connection->windows);
    buf_init(&connection->rest, SERVER_READ_BYTES);
    connection->rest.charged = memory;
}

void intake_drop(struct beats_connection *connection)
{
    lumberjack_release(&connection->decoder);
    buf_release(&connection->rest);
    if (connection->stream)
        stream_drop(connection->stream);
    note_held(connection);
}

void intake_close(struct beats_connection *connection)
{
    intake_drop(connection);
    windows_release(&connection->windows);
    stream_close(connection->stream);
    connection->stream = NULL;
    assert(connection->base.held_bytes == 0 && connection->base.claimed_bytes == 0);
}
