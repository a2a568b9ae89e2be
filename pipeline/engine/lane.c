/* SPDX-License-Identifier: Apache-2.0
 *
 * The inbox is a stack that senders push on with one compare-and-swap; the owner takes it whole and turns it round, so
 * items of one sender keep their order. The eventfd behind uv_async is written only when the inbox was empty.
 */
#include "pipeline/engine/lane_private.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/engine/engine_private.h"

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

bool lane_drain_inbox(struct lane *lane)
{
    struct inbox_item *top = atomic_exchange_explicit(&lane->inbox, NULL, memory_order_acquire);
    struct inbox_item *ordered = NULL;
    bool had_items = top != NULL;
    while (top) {
        struct inbox_item *next = top->next;
        top->next = ordered;
        ordered = top;
        top = next;
    }
    while (ordered) {
        struct inbox_item *item = ordered;
        ordered = item->next;
        item->next = NULL;
        item->run(item);
    }
    return had_items;
}

static void on_wake(uv_async_t *wake)
{
    lane_drain_inbox(wake->data);
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
    lane->rest = (struct lane_rest){.looked_ns = uv_hrtime(), .rests = true};
    if (uv_async_init(lane->loop, &lane->wake, on_wake) != 0)
        return error_set(err, ERROR_IO, "cannot make the inbox of lane %zu", index);
    lane->wake.data = lane;
    lane->json = json_reader_new();
    lane->regex = regex_scratch_new(&engine->options.settings->regex);
    arena_init(&lane->scratch, NULL);
    return true;
}

static void run_thread(void *arg)
{
    struct lane *lane = arg;
    uv_run(lane->loop, UV_RUN_DEFAULT);
    atomic_store(&lane->over, true);
}

bool lane_start_thread(struct lane *lane, struct error *err)
{
    assert(lane->loop == &lane->own_loop && !lane->has_thread);
    if (uv_thread_create(&lane->thread, run_thread, lane) != 0)
        return error_set(err, ERROR_IO, "cannot start the thread of lane %zu", lane->index);
    lane->has_thread = true;
    return true;
}

static void on_closed(uv_handle_t *wake)
{
    struct lane *lane = wake->data;
    if (lane->loop != &lane->own_loop)
        atomic_store(&lane->over, true);
}

void lane_close_inbox(struct lane *lane)
{
    if (!uv_is_closing((uv_handle_t *)&lane->wake))
        uv_close((uv_handle_t *)&lane->wake, on_closed);
}

void lane_join(struct lane *lane)
{
    if (lane->has_thread)
        uv_thread_join(&lane->thread);
    else if (lane->loop == &lane->own_loop)
        uv_run(lane->loop, UV_RUN_DEFAULT); /* never started: only the closing is left to do */
    lane->has_thread = false;
}

void lane_release(struct lane *lane)
{
    assert(!atomic_load(&lane->inbox));
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
