/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/stopping.h"

#include <assert.h>
#include <stddef.h>

#include "pipeline/engine/change.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/flush.h"
#include "pipeline/engine/instance.h"
#include "pipeline/engine/queue_intake.h"
#include "pipeline/engine/spools.h"
#include "pipeline/program/program.h"
#include "pipeline/program/retire.h"

enum {
    FAILED_GRACE_MS = 1000, /* what the other outputs of a pipeline get when one cannot go on */
    SPOOL_GRACE_MS = 2000,  /* for what is left when the time to stop is over to come to the disk */
};

static void set_state(struct engine *engine, enum engine_state state)
{
    assert(state == engine->state + 1 ||
           (state == ENGINE_CLOSING && engine->state < ENGINE_CLOSING));
    engine->state = state;
}

static void start_closing(struct engine *engine);

/* ---- draining ------------------------------------------------------------------------------------- */

void input_finished(const struct plugin_env *env)
{
    struct engine *engine = env->engine;
    assert(engine->inputs_open > 0);
    engine->inputs_open--;
    if (engine->inputs_open == 0)
        uv_async_send(&engine->drained);
}

/* `draining` is stored before `unsettled` is loaded, and engine_receipt_settled does both the other way round: with
 * sequential consistency one of the two sees what the other did, and nobody sleeps through the last receipt. */
void stopping_check(struct engine *engine)
{
    if (engine->change)
        return; /* its end comes back here */
    if (engine->state == ENGINE_RUNNING && engine->inputs_open == 0) {
        set_state(engine, ENGINE_DRAINING);
        atomic_store(&engine->draining, true);
    }
    if (engine->state == ENGINE_DRAINING && engine->inputs_open == 0 &&
        queue_intake_is_drained(engine->queue) && atomic_load(&engine->unsettled) == 0)
        set_state(engine, ENGINE_FLUSHING);
    if (engine->state == ENGINE_FLUSHING && (engine->summary.failed || flush_go_on(engine)))
        start_closing(engine);
}

/* Before anything is given up: once, and not while a change has programs in its hands. */
static bool end_in_spools(struct engine *engine)
{
    if (engine->ends_in_spools || engine->change || engine->state >= ENGINE_CLOSING ||
        !spools_take_all(engine))
        return false;
    engine->ends_in_spools = true;
    log_warn(engine->options.log, "ends_in_spools",
             "the time to stop is over: what outputs with a spool have not delivered goes to the "
             "spool, and is sent after the next start",
             LOG_INT("events", atomic_load(&engine->unsettled_events)));
    return true;
}

static void on_deadline(uv_timer_t *timer)
{
    struct engine *engine = timer->data;
    if (end_in_spools(engine)) {
        uv_timer_start(&engine->deadline, on_deadline, SPOOL_GRACE_MS, 0);
        return;
    }
    engine->summary.timed_out = !engine->summary.failed;
    engine->summary.undelivered = atomic_load(&engine->unsettled_events);
    if (engine->state < ENGINE_CLOSING)
        start_closing(engine);
}

void engine_stop(struct engine *engine)
{
    engine_stop_within(engine, engine->options.shutdown_timeout_ms);
}

void engine_stop_within(struct engine *engine, uint64_t timeout_ms)
{
    if (engine->state < ENGINE_RUNNING || engine->state > ENGINE_FLUSHING)
        return;
    if (uv_is_active((uv_handle_t *)&engine->deadline))
        return;
    uv_timer_start(&engine->deadline, on_deadline, timeout_ms, 0);
    queue_intake_end(engine->queue, engine->options.drain_queue && !engine->summary.failed);
    atomic_store(&engine->draining, true);
    if (engine->state == ENGINE_RUNNING)
        set_state(engine, ENGINE_DRAINING);
    const struct plan *plan = engine->options.plan;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        const struct instance *instance = engine->lanes[0].program->instances[i];
        if (plan->plugins[i]->section == CONF_INPUT && instance->open)
            plan->plugins[i]->as.input->stop(instance->self);
    }
    uv_async_send(&engine->drained);
}

void engine_senders_ended(struct engine *engine)
{
    const struct plan *plan = engine->options.plan;
    if (engine->state != ENGINE_RUNNING)
        return;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        const struct plan_plugin *plugin = plan->plugins[i];
        if (plugin->section == CONF_INPUT && plugin->as.input->address)
            plugin->as.input->stop(engine->lanes[0].program->instances[i]->self);
    }
}

void output_failed(const struct plugin_env *env)
{
    struct engine *engine = env->engine;
    assert(env->lane == &engine->lanes[0]);
    if (engine->summary.failed)
        return;
    engine->summary.failed = true;
    engine_stop(engine);
    if (engine->state == ENGINE_DRAINING || engine->state == ENGINE_FLUSHING)
        uv_timer_start(&engine->deadline, on_deadline, FAILED_GRACE_MS, 0);
}

/* ---- closing: inputs first, then each lane's program on its own thread -------------------------------- */

static void close_lane(struct inbox_item *item)
{
    struct lane *lane = (struct lane *)(void *)((char *)item - offsetof(struct lane, task));
    if (lane->program) {
        program_close(lane->program);
        change_close_lane(lane);
    }
    lane_close_inbox(lane);
}

static void close_lanes(struct engine *engine)
{
    retire_hurry(engine);
    for (size_t i = engine->lane_count; i-- > 0;) {
        engine->lanes[i].task.run = close_lane;
        lane_post(&engine->lanes[i], &engine->lanes[i].task);
    }
    uv_close((uv_handle_t *)&engine->drained, NULL);
    uv_close((uv_handle_t *)&engine->deadline, NULL);
    uv_close((uv_handle_t *)&engine->patience, NULL);
    if (engine->closing)
        engine->closing(engine->closing_ctx);
    set_state(engine, ENGINE_CLOSED);
}

static void input_closed(void *ctx)
{
    struct engine *engine = ctx;
    assert(engine->inputs_unclosed > 0);
    if (--engine->inputs_unclosed == 0)
        close_lanes(engine);
}

void stopping_close(struct engine *engine)
{
    set_state(engine, ENGINE_CLOSING);
    queue_intake_end(engine->queue, false);
    const struct plan *plan = engine->options.plan;
    struct program *program = engine->lane_count > 0 ? engine->lanes[0].program : NULL;
    engine->inputs_unclosed = 1; /* this function itself */
    for (size_t i = 0; program && i < plan->plugin_count; i++) {
        struct instance *instance = program->instances[i];
        if (plan->plugins[i]->section != CONF_INPUT || !instance || !instance->open)
            continue;
        instance->open = false;
        engine->inputs_unclosed++;
        plan->plugins[i]->as.input->close(instance->self, input_closed, engine);
    }
    input_closed(engine);
}

static void start_closing(struct engine *engine)
{
    uv_timer_stop(&engine->deadline);
    stopping_close(engine);
}

void engine_on_closing(struct engine *engine, void (*closing)(void *ctx), void *ctx)
{
    engine->closing = closing;
    engine->closing_ctx = ctx;
}
