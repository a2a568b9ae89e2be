/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/ticks.h"

#include <assert.h>

#include "pipeline/engine/engine_private.h"

enum { TICK_MS = 1000 };

struct tick_run {
    struct event_sink sink; /* first */
    struct batch *batch;
};

static void add_ticked(struct event_sink *sink, struct event *event)
{
    batch_add(((struct tick_run *)sink)->batch, event);
}

/* Nobody can send such events again: that they are settled is all that is asked. */
static void settle(struct inbox_item *item)
{
    struct receipt *receipt = (struct receipt *)item;
    struct engine *engine = receipt->home->engine;
    receipt->is_home = true;
    size_t events = receipt->events;
    receipt_free(receipt);
    engine_receipt_settled(engine, events);
}

static void run_batch(struct program *program, struct batch *batch)
{
    struct lane *lane = program->lane;
    batch->lane = lane;
    batch->receipt = receipt_new(NULL, lane, settle);
    batch->receipt->handed_over_ms = uv_now(lane->loop);
    batch->receipt->events = (uint32_t)batch->count;
    engine_receipt_out(lane->engine, batch->count);
    program_run(program, batch);
}

static void tick(struct program *program, const struct instance *instance, bool final)
{
    struct engine *engine = program->lane->engine;
    struct batch *batch = batch_new(engine);
    struct tick_run run = {
        .sink = {.arena = &batch->arena, .emit = add_ticked},
        .batch = batch,
    };
    batch->behind = instance->plugin;
    instance->plugin->as.filter->tick(instance->self, uv_now(program->lane->loop), final,
                                      &run.sink);
    if (batch->count == 0) {
        batch_free(batch);
        return;
    }
    counter_add(instance->events_out, batch->count);
    counter_add(&program->created, batch->count);
    run_batch(program, batch);
}

static bool ticks(const struct plan_plugin *plugin)
{
    return plugin->section == CONF_FILTER && plugin->as.filter->tick;
}

static void on_tick(uv_timer_t *timer)
{
    struct program *program = timer->data;
    for (size_t i = 0; i < program->plan->plugin_count; i++)
        if (program->instances[i] && ticks(program->plan->plugins[i]))
            tick(program, program->instances[i], false);
}

void ticks_open(struct program *program)
{
    uv_timer_init(program->lane->loop, &program->tick);
    program->tick.data = program;
}

void ticks_start(struct program *program)
{
    for (size_t i = 0; i < program->plan->plugin_count; i++)
        if (ticks(program->plan->plugins[i]))
            uv_timer_start(&program->tick, on_tick, TICK_MS, TICK_MS);
}

void ticks_finish(struct program *program, size_t filter)
{
    const struct instance *instance = program->instances[filter];
    assert(!program->closed && ticks(program->plan->plugins[filter]));
    uv_timer_stop(&program->tick);
    if (instance)
        tick(program, instance, true);
}

void ticks_close(struct program *program)
{
    uv_close((uv_handle_t *)&program->tick, NULL);
}
