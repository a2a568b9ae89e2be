/* SPDX-License-Identifier: Apache-2.0
 *
 * The inbox is a stack that senders push on with one compare-and-swap; the owner takes it whole and turns it round, so
 * items of one sender keep their order. The eventfd behind uv_async is written only when the inbox was empty.
 */
#include "pipeline/engine/lane_private.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/engine/engine_private.h"

/* What is posted is run for so long, and at least one thing, before the loop goes on. */
enum { TURN_NS = 5 * 1000 * 1000 };

void lane_post(struct lane *lane, struct inbox_item *item)
{
    assert(item->run);
    struct inbox_item *top = atomic_load_explicit(&lane->inbox, memory_order_relaxed);
    do {
        item->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&lane->inbox, &top, item, memory_order_release,
                                                    memory_order_relaxed));
    if (!top)
        uv_async_send(&lane->wake);
}

/* Behind what is taken already. */
static void take_inbox(struct lane *lane)
{
    struct inbox_item *top = atomic_exchange_explicit(&lane->inbox, NULL, memory_order_acquire);
    struct inbox_item *ordered = NULL, **end = &lane->taken;
    while (top) {
        struct inbox_item *next = top->next;
        top->next = ordered;
        ordered = top;
        top = next;
    }
    while (*end)
        end = &(*end)->next;
    *end = ordered;
}

static void run_next(struct lane *lane)
{
    struct inbox_item *item = lane->taken;
    lane->taken = item->next;
    item->next = NULL;
    item->run(item);
}

bool lane_drain_inbox(struct lane *lane)
{
    take_inbox(lane);
    bool had_items = lane->taken;
    while (lane->taken)
        run_next(lane);
    return had_items;
}

/* The lanes of other pipelines share the thread: they have their turn before the rest of a long inbox. */
static void on_wake(uv_async_t *wake)
{
    struct lane *lane = wake->data;
    uint64_t until_ns = uv_hrtime() + TURN_NS;
    take_inbox(lane);
    while (lane->taken) {
        run_next(lane);
        if (uv_hrtime() >= until_ns && !uv_is_closing((uv_handle_t *)wake))
            break;
    }
    if (lane->taken)
        uv_async_send(wake);
}

bool lane_init(struct lane *lane, struct engine *engine, size_t index, uv_loop_t *loop,
               struct error *err)
{
    *lane = (struct lane){.engine = engine, .index = index};
    if (loop) {
        lane->loop = loop;
    } else {
        if (uv_loop_init(&lane->own_loop) != 0)
            return error_set(err, ERROR_IO, "cannot make an event loop for lane %zu", index);
        lane->loop = &lane->own_loop;
    }
    if (uv_loop_configure(lane->loop, UV_METRICS_IDLE_TIME) != 0)
        return error_set(err, ERROR_IO, "cannot measure the rest of lane %zu", index);
    lane->seat.loop = lane->loop;
    lane->rest = (struct lane_rest){.looked_ns = uv_hrtime(), .rests = true};
    if (uv_async_init(lane->loop, &lane->wake, on_wake) != 0)
        return error_set(err, ERROR_IO, "cannot make the inbox of lane %zu", index);
    lane->wake.data = lane;
    lane->json = json_reader_new();
    lane->regex = regex_scratch_new(&engine->options.settings->regex);
    arena_init(&lane->scratch, NULL);
    return true;
}

static void on_closed(uv_handle_t *wake)
{
    struct lane *lane = wake->data;
    atomic_store(&lane->closed, true);
}

void lane_close_inbox(struct lane *lane)
{
    if (!uv_is_closing((uv_handle_t *)&lane->wake))
        uv_close((uv_handle_t *)&lane->wake, on_closed);
}

bool lane_is_over(const struct lane *lane)
{
    if (lane->loop != &lane->own_loop)
        return atomic_load(&lane->closed);
    return !lane->seat.thread || runtime_seat_is_over(&lane->seat);
}

void lane_join(struct lane *lane)
{
    if (lane->seat.thread)
        runtime_wait(lane->engine->options.runtime, &lane->seat);
    else if (lane->loop == &lane->own_loop)
        uv_run(lane->loop, UV_RUN_DEFAULT); /* never started: only the closing is left to do */
}

void lane_release(struct lane *lane)
{
    assert(!atomic_load(&lane->inbox) && !lane->taken);
    if (lane->loop == &lane->own_loop) {
        int left = uv_loop_close(lane->loop);
        assert(left == 0);
        (void)left;
    }
    json_reader_free(lane->json);
    regex_scratch_free(lane->regex);
    arena_release(&lane->scratch);
}

uv_loop_t *lane_loop(struct lane *lane)
{
    return lane->loop;
}

size_t lane_index(const struct lane *lane)
{
    return lane->index;
}

struct engine *lane_engine(struct lane *lane)
{
    return lane->engine;
}

struct json_reader *lane_json(struct lane *lane)
{
    return lane->json;
}

struct regex_scratch *lane_regex(struct lane *lane)
{
    return lane->regex;
}

struct script_vm **lane_script(struct lane *lane)
{
    return &lane->script;
}

struct account *lane_memory(struct lane *lane)
{
    return engine_account(lane->engine, BUDGET_FILTERS);
}

void lane_connection_closed(struct lane *lane)
{
    unsigned before = atomic_fetch_sub_explicit(&lane->connections, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
}

static atomic_uint *thread_batches(const struct lane *lane)
{
    assert(lane->index == 0 || lane->seat.thread);
    return runtime_batches(lane->engine->options.runtime, lane->seat.thread);
}

void lane_batch_comes(struct lane *lane)
{
    atomic_fetch_add_explicit(&lane->batches, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(thread_batches(lane), 1, memory_order_relaxed);
}

void lane_batch_is_done(struct lane *lane)
{
    unsigned before = atomic_fetch_sub_explicit(&lane->batches, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
    atomic_fetch_sub_explicit(thread_batches(lane), 1, memory_order_relaxed);
}

unsigned lane_thread_batches(const struct lane *lane)
{
    return atomic_load_explicit(thread_batches(lane), memory_order_relaxed);
}

uint64_t lane_slept_ns(const struct lane *lane)
{
    return lane->seat.thread ? runtime_slept_ns(lane->seat.thread)
                             : uv_metrics_idle_time(lane->loop);
}
