/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/flush.h"

#include <assert.h>
#include <stddef.h>

#include "pipeline/engine/engine_private.h"
#include "pipeline/program/ticks.h"

static void flush_lane(struct inbox_item *item)
{
    struct lane *lane = (struct lane *)(void *)((char *)item - offsetof(struct lane, flush));
    struct engine *engine = lane->engine;
    if (!lane->program->closed)
        ticks_finish(lane->program, engine->flushed);
    if (atomic_fetch_sub_explicit(&engine->flushing_lanes, 1, memory_order_acq_rel) == 1)
        uv_async_send(&engine->drained);
}

static void flush_filter(struct engine *engine)
{
    atomic_store_explicit(&engine->flushing_lanes, engine->lane_count, memory_order_release);
    for (size_t i = 0; i < engine->lane_count; i++) {
        engine->lanes[i].flush.run = flush_lane;
        lane_post(&engine->lanes[i], &engine->lanes[i].flush);
    }
}

bool flush_go_on(struct engine *engine)
{
    const struct plan *plan = engine->options.plan;
    assert(engine->state == ENGINE_FLUSHING);
    /* A lane counts the batch that it makes before it says that it is through. */
    if (atomic_load_explicit(&engine->flushing_lanes, memory_order_acquire) > 0 ||
        atomic_load_explicit(&engine->unsettled, memory_order_acquire) > 0)
        return false;
    if (engine->flush_begun)
        engine->flushed++;
    engine->flush_begun = true;
    for (; engine->flushed < plan->plugin_count; engine->flushed++) {
        const struct plan_plugin *plugin = plan->plugins[engine->flushed];
        if (plugin->section != CONF_FILTER || !plugin->as.filter->tick)
            continue;
        flush_filter(engine);
        return false;
    }
    return true;
}
