/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/hub.h"

#include <assert.h>

#include "base/mem.h"
#include "inputs/beats/connection.h"

enum { HUB_LOG_WINDOW_MS = 10000, HUB_LOG_BURST = 5 };

#define HUB_OF(item, member)                                                                       \
    ((struct beats_hub *)(void *)((char *)(item)-offsetof(struct beats_hub, member)))

static struct lane *main_lane(const struct beats_input *input)
{
    return input->env->lane;
}

/* ---- on the main lane ---- */

static void on_stopped(struct inbox_item *item)
{
    struct beats_input *input = HUB_OF(item, stopped)->input;
    if (++input->hubs_stopped == input->hub_count)
        input_finished(input->env);
}

static void on_closed(struct inbox_item *item)
{
    struct beats_input *input = HUB_OF(item, closed)->input;
    if (++input->hubs_closed == input->hub_count)
        beats_closed_part(input);
}

/* ---- on the hub's lane ---- */

static void end_if_empty(struct beats_hub *hub)
{
    if (!hub->is_closing || hub->connections)
        return;
    if (atomic_exchange(&hub->shed_posted,
                        true)) /* nobody posts from here on; what was posted ends it */
        return;
    mem_free(hub->read_buffer);
    hub->read_buffer = NULL;
    /* From here on the main lane may free the hub. */
    lane_post(main_lane(hub->input), &hub->closed);
}

static void on_stop(struct inbox_item *item)
{
    struct beats_hub *hub = HUB_OF(item, stop);
    hub->is_stopping = true;
    for (struct beats_connection *at = hub->connections; at; at = at->next)
        connection_finish(at);
    lane_post(main_lane(hub->input), &hub->stopped);
}

static void on_close(struct inbox_item *item)
{
    struct beats_hub *hub = HUB_OF(item, close);
    hub->is_stopping = hub->is_closing = true;
    for (struct beats_connection *at = hub->connections; at; at = at->next) {
        connection_linger(at);
        connection_update(at); /* one that lingers already has less time now */
    }
    end_if_empty(hub);
}

void hub_add(struct beats_hub *hub, struct beats_connection *connection)
{
    if (!hub->read_buffer)
        hub->read_buffer = mem_alloc(BEATS_READ_BYTES);
    connection->next = hub->connections;
    if (hub->connections)
        hub->connections->previous = connection;
    hub->connections = connection;
}

void hub_remove(struct beats_hub *hub, struct beats_connection *connection)
{
    assert(hub->connections);
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        hub->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    end_if_empty(hub);
}

/* A connection that is paused waits for us, so it goes after those that we wait for. */
static bool goes_before(const struct beats_connection *one, const struct beats_connection *other)
{
    if (one->paused != other->paused)
        return other->paused;
    return one->last_activity_ms < other->last_activity_ms;
}

static struct beats_connection *most_stale(const struct beats_hub *hub)
{
    struct beats_connection *stale = NULL;
    for (struct beats_connection *at = hub->connections; at; at = at->next)
        if (at->state == CONNECTION_OPEN && at->held_bytes > 0 &&
            (!stale || goes_before(at, stale)))
            stale = at;
    return stale;
}

void hub_note_held(struct beats_hub *hub, size_t before, size_t now)
{
    atomic_size_t *sums[] = {&hub->held_bytes, &hub->input->held_bytes};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        if (now >= before)
            atomic_fetch_add_explicit(sums[i], now - before, memory_order_relaxed);
        else
            atomic_fetch_sub_explicit(sums[i], before - now, memory_order_relaxed);
    }
}

static bool holds_too_much(const struct beats_input *input)
{
    return atomic_load_explicit(&input->held_bytes, memory_order_relaxed) > input->max_held_bytes;
}

static void shed_one(struct beats_hub *hub, struct beats_connection *stale)
{
    struct beats_input *input = hub->input;
    uint64_t suppressed;
    beats_count(input, BEATS_SHED, 1);
    if (log_limit_allow(&hub->log_limit, connection_now_ms(stale), &suppressed))
        log_warn(input->env->log, "client_shed",
                 "half-received windows hold too much memory: the connection that made no progress "
                 "for longest is closed",
                 LOG_CSTR("client", stale->address), LOG_INT("bytes", stale->held_bytes),
                 LOG_INT_IF("suppressed", suppressed));
    connection_finish(stale);
    assert(stale->held_bytes == 0);
}

static void shed_here(struct beats_hub *hub)
{
    struct beats_connection *stale;
    while (holds_too_much(hub->input) && (stale = most_stale(hub)))
        shed_one(hub, stale);
}

static void on_shed(struct inbox_item *item)
{
    struct beats_hub *hub = HUB_OF(item, shed);
    atomic_store(&hub->shed_posted, false);
    shed_here(hub);
    end_if_empty(hub);
}

static struct beats_hub *holds_most(struct beats_input *input)
{
    struct beats_hub *most = &input->hubs[0];
    for (size_t i = 1; i < input->hub_count; i++)
        if (atomic_load_explicit(&input->hubs[i].held_bytes, memory_order_relaxed) >
            atomic_load_explicit(&most->held_bytes, memory_order_relaxed))
            most = &input->hubs[i];
    return most;
}

void hub_shed(struct beats_hub *hub)
{
    if (!holds_too_much(hub->input))
        return;
    struct beats_hub *most = holds_most(hub->input);
    if (most == hub)
        shed_here(hub);
    else if (!atomic_exchange(&most->shed_posted, true))
        lane_post(most->lane, &most->shed);
}

/* ---- opening and closing ---- */

void hubs_open(struct beats_input *input)
{
    struct engine *engine = input->env->engine;
    input->hub_count = engine_lane_count(engine);
    input->hubs = mem_zero(input->hub_count, sizeof *input->hubs);
    for (size_t i = 0; i < input->hub_count; i++) {
        struct beats_hub *hub = &input->hubs[i];
        hub->input = input;
        hub->lane = engine_lane(engine, i);
        hub->stop.run = on_stop;
        hub->stopped.run = on_stopped;
        hub->close.run = on_close;
        hub->shed.run = on_shed;
        hub->closed.run = on_closed;
        hub->log_limit = (struct log_limit){.window_ms = HUB_LOG_WINDOW_MS, .burst = HUB_LOG_BURST};
    }
}

void hubs_stop(struct beats_input *input)
{
    assert(input->hubs);
    for (size_t i = 0; i < input->hub_count; i++)
        lane_post(input->hubs[i].lane, &input->hubs[i].stop);
}

void hubs_close(struct beats_input *input)
{
    assert(input->hubs);
    for (size_t i = 0; i < input->hub_count; i++)
        lane_post(input->hubs[i].lane, &input->hubs[i].close);
}
