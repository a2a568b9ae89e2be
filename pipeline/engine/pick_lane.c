/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/pick_lane.h"

#include <assert.h>

#include "pipeline/engine/engine_private.h"

enum {
    LOOK_NS = 1000 * 1000,  /* more often it is not asked: what was true stays so */
    REST_SHARE = 4,         /* a lane rests when it slept for this part of the time, a quarter */
    RESTING_BATCHES = 2,    /* so many may wait on a lane that rests */
    READING_LOAD = 2,       /* batches that reading a busy source counts for */
    READS_RECENTLY_MS = 20, /* since it last handed over a batch */
};

static unsigned load_of(const struct lane_load *load)
{
    return load->batches + (load->reads ? READING_LOAD : 0);
}

size_t pick_least_loaded(const struct lane_load *loads, size_t count, size_t home)
{
    assert(home < count);
    size_t best = home;
    for (size_t i = 1; i < count; i++) {
        size_t other = (home + i) % count;
        if (load_of(&loads[other]) < load_of(&loads[best]))
            best = other;
    }
    return best;
}

bool lane_rest_look(struct lane_rest *rest, uint64_t now_ns, uint64_t idle_ns)
{
    assert(now_ns >= rest->looked_ns && idle_ns >= rest->idle_ns);
    if (now_ns - rest->looked_ns < LOOK_NS)
        return rest->rests;
    rest->rests = (idle_ns - rest->idle_ns) >= (now_ns - rest->looked_ns) / REST_SHARE;
    rest->looked_ns = now_ns;
    rest->idle_ns = idle_ns;
    return rest->rests;
}

static struct lane_load load_now(const struct lane *lane, uint64_t now_ms)
{
    uint64_t read_ms = atomic_load_explicit(&lane->busy_reading_ms, memory_order_relaxed);
    return (struct lane_load){
        .batches = lane_thread_batches(lane),
        .reads = read_ms > 0 && now_ms < read_ms + READS_RECENTLY_MS,
    };
}

struct lane *pick_lane_from_outside(struct engine *engine, size_t first)
{
    struct lane_load loads[LANES_MAX];
    assert(engine->lane_count <= LANES_MAX);
    for (size_t i = 0; i < engine->lane_count; i++)
        loads[i] = (struct lane_load){.batches = lane_thread_batches(&engine->lanes[i])};
    return &engine->lanes[pick_least_loaded(loads, engine->lane_count, first)];
}

struct lane *pick_lane(struct engine *engine, struct lane *home)
{
    if (engine->lane_count == 1)
        return home;
    bool rests = lane_rest_look(&home->rest, uv_hrtime(), lane_slept_ns(home));
    uint64_t now_ms = uv_now(home->loop);
    if (rests && lane_thread_batches(home) < RESTING_BATCHES)
        return home;
    atomic_store_explicit(&home->busy_reading_ms, now_ms, memory_order_relaxed);
    struct lane_load loads[LANES_MAX];
    assert(engine->lane_count <= LANES_MAX);
    for (size_t i = 0; i < engine->lane_count; i++)
        loads[i] = load_now(&engine->lanes[i], now_ms);
    return &engine->lanes[pick_least_loaded(loads, engine->lane_count, home->index)];
}
