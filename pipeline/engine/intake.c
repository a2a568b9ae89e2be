/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/intake.h"

#include <assert.h>

#include "pipeline/engine/batch.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/queue_intake.h"

struct budget_share *engine_share(struct engine *engine)
{
    return &engine->share;
}

size_t engine_batch_events(const struct engine *engine)
{
    return engine->options.batch_events;
}

bool engine_keeps_provenance(const struct engine *engine)
{
    return engine->options.provenance;
}

/* ---- to a lane ------------------------------------------------------------------------------------ */

static bool is_on_one_lane(const struct engine *engine)
{
    return atomic_load_explicit(&engine->one_lane, memory_order_relaxed) ||
           atomic_load_explicit(&engine->generation->firsts, memory_order_relaxed) > 0;
}

struct lane *engine_lane_from_outside(struct engine *engine, size_t index)
{
    if (is_on_one_lane(engine))
        return &engine->lanes[0];
    return pick_lane_from_outside(engine, index % engine->lane_count);
}

void engine_post_batch(struct lane *lane, struct batch *batch, void (*run)(struct inbox_item *item))
{
    assert(batch->receipt && !batch->link.next);
    batch->lane = lane;
    batch->link.run = run;
    lane_batch_comes(lane);
    lane_post(lane, &batch->link);
}

static void run_batch(struct inbox_item *item)
{
    struct batch *batch = (struct batch *)item;
    lane_run_batch(batch->lane, batch);
}

void engine_hand_over(struct engine *engine, struct lane *home, struct batch *batch)
{
    assert(batch->count > 0 && batch->receipt && home->engine == engine);
    if (engine->queue)
        queue_intake_put(engine->queue, batch);
    else
        engine_post_batch(is_on_one_lane(engine) ? &engine->lanes[0] : pick_lane(engine, home),
                          batch, run_batch);
}

/* ---- and home again ------------------------------------------------------------------------------- */

void engine_receipt_out(struct engine *engine, size_t events)
{
    atomic_fetch_add_explicit(&engine->unsettled_events, events, memory_order_relaxed);
    atomic_fetch_add_explicit(&engine->unsettled, 1, memory_order_relaxed);
}

void engine_receipt_settled(struct engine *engine, size_t events)
{
    atomic_fetch_sub_explicit(&engine->unsettled_events, events, memory_order_relaxed);
    size_t before = atomic_fetch_sub(&engine->unsettled, 1);
    assert(before > 0);
    if (before > 1)
        return;
    budget_share_is_idle(&engine->share);
    if (atomic_load(&engine->draining))
        uv_async_send(&engine->drained);
}

void engine_latency_begin(struct engine *engine, uint64_t handed_over_ms)
{
    latency_begin(&engine->latency, handed_over_ms);
}

void engine_latency_end(struct engine *engine, uint64_t handed_over_ms, uint64_t now_ms,
                        size_t events)
{
    latency_end(&engine->latency, handed_over_ms, now_ms, events);
}
