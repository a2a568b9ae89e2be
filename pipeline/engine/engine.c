/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/engine.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/delivery/dead_letters.h"
#include "pipeline/delivery/outlet.h"
#include "pipeline/engine/change.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/instance.h"
#include "pipeline/engine/queue_intake.h"
#include "pipeline/engine/spools.h"
#include "pipeline/engine/stopping.h"
#include "pipeline/engine/stream.h"
#include "pipeline/program/program.h"
#include "pipeline/program/retire.h"

struct health *engine_health(struct engine *engine)
{
    return &engine->health;
}

/* ---- lanes ---------------------------------------------------------------------------------------- */

struct account *engine_account(struct engine *engine, enum budget_class which)
{
    return engine ? budget_account(&engine->share, which) : NULL;
}

size_t engine_memory_bytes(const struct engine *engine)
{
    return engine->options.budget->limit_bytes;
}

struct lane *engine_lane_for_connection(struct engine *engine)
{
    struct lane *best = &engine->lanes[0];
    for (size_t i = 1; i < engine->lane_count; i++)
        if (atomic_load(&engine->lanes[i].connections) < atomic_load(&best->connections))
            best = &engine->lanes[i];
    atomic_fetch_add_explicit(&best->connections, 1, memory_order_relaxed);
    return best;
}

size_t engine_lane_count(const struct engine *engine)
{
    return engine->lane_count;
}

struct lane *engine_lane(struct engine *engine, size_t index)
{
    assert(index < engine->lane_count);
    return &engine->lanes[index];
}

/* ---- opening -------------------------------------------------------------------------------------- */

static bool open_lanes(struct engine *engine, struct error *err)
{
    for (size_t i = 0; i < engine->options.lanes; i++) {
        struct lane *lane = &engine->lanes[i];
        if (!lane_init(lane, engine, i, i == 0 ? engine->options.loop : NULL, err))
            return false;
        engine->lane_count++;
        generation_ref(engine->generation);
        lane->program = program_new(lane, engine->generation);
        if (!program_open(lane->program, NULL, err))
            return false;
        program_begin(lane->program);
    }
    return true;
}

/* Streams of an input may live on any lane. There they count, and their codecs, in an instance that does nothing else:
 * each list of counters has one lane that writes it. Returns that of the main lane. */
static struct instance *new_input(struct engine *engine, const struct plan_plugin *plugin)
{
    struct instance **on_lanes = NULL;
    for (size_t i = 0; i < engine->lane_count; i++) {
        struct instance *instance = instance_new(&engine->lanes[i], plugin);
        if (i == 0)
            on_lanes = arena_zero(&instance->arena, engine->lane_count * sizeof *on_lanes);
        instance->born = engine->generation;
        instance->on_lanes = on_lanes;
        on_lanes[i] = engine->lanes[i].program->instances[plugin->index] = instance;
    }
    return on_lanes[0];
}

static void make_generation(struct engine *engine)
{
    const struct plan *plan = engine->options.plan;
    engine->first = generation_new(plan, engine->options.plan_gone, engine->options.owner);
    engine->generation = engine->first;
    generation_ref(engine->first);
    for (size_t i = 0; i < plan->plugin_count; i++)
        if (plan->plugins[i]->section == CONF_OUTPUT)
            engine->generation->outlets[i] = outlet_new();
}

void engine_look_at_plan(struct engine *engine)
{
    const struct plan *plan = engine->options.plan;
    /* Filters that go through the events in turn cannot do so while batches stop at each of them. */
    atomic_store_explicit(&engine->one_lane, engine->options.ordered || plan->in_turn > 1,
                          memory_order_relaxed);
}

static bool open_inputs(struct engine *engine, struct error *err)
{
    const struct plan *plan = engine->options.plan;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        const struct plan_plugin *plugin = plan->plugins[i];
        if (plugin->section != CONF_INPUT)
            continue;
        struct instance *instance = new_input(engine, plugin);
        if (engine->options.isolated)
            continue;
        if (!plugin->as.input->open(instance->self, &instance->env, err)) {
            err->position = plugin->position;
            return error_prefix(err, "%s", plugin->as.plugin->name);
        }
        instance->open = true;
        engine->inputs_open++;
    }
    if (engine->options.isolated)
        engine->inputs_open = 1; /* the caller */
    return true;
}

const struct plugin_env *engine_input_env(const struct engine *engine, size_t plugin)
{
    assert(plugin < engine->options.plan->plugin_count);
    assert(engine->options.plan->plugins[plugin]->section == CONF_INPUT);
    return &engine->lanes[0].program->instances[plugin]->env;
}

static void on_drained(uv_async_t *async)
{
    stopping_check(async->data);
}

struct engine *engine_new(const struct engine_options *options)
{
    assert(options->lanes >= 1 && options->lanes <= LANES_MAX);
    struct engine *engine = mem_zero(1, sizeof *engine);
    engine->options = *options;
    health_init(&engine->health);
    budget_share_open(&engine->share, options->budget, &engine->unsettled);
    if (!engine->options.batch_events)
        engine->options.batch_events = BATCH_MAX_EVENTS;
    if (!options->runtime)
        engine->options.runtime = engine->own_runtime = runtime_new();
    engine->lanes = mem_zero(options->lanes, sizeof *engine->lanes);
    make_generation(engine);
    engine_look_at_plan(engine);
    uv_async_init(options->loop, &engine->drained, on_drained);
    engine->drained.data = engine;
    uv_timer_init(options->loop, &engine->deadline);
    uv_timer_init(options->loop, &engine->patience);
    engine->deadline.data = engine->patience.data = engine;
    return engine;
}

static bool start_all(struct engine *engine, struct error *err)
{
    struct runtime_seat *seats[LANES_MAX];
    for (size_t i = 1; i < engine->lane_count; i++)
        seats[i - 1] = &engine->lanes[i].seat;
    if (!runtime_seat(engine->options.runtime, seats, engine->lane_count - 1, err))
        return false;
    const struct plan *plan = engine->options.plan;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        struct instance *instance = engine->lanes[0].program->instances[i];
        if (plan->plugins[i]->section == CONF_INPUT && instance->open &&
            !plan->plugins[i]->as.input->start(instance->self, err)) {
            err->position = plan->plugins[i]->position;
            return error_prefix(err, "%s", plan->plugins[i]->as.plugin->name);
        }
    }
    return true;
}

static bool open_queue(struct engine *engine, struct error *err)
{
    if (!engine->options.queue)
        return true;
    engine->queue = queue_intake_open(engine, engine->options.queue, err);
    return engine->queue || error_prefix(err, "queue.type: persisted");
}

static bool start_queue(struct engine *engine, struct error *err)
{
    return spools_start(engine, err) && (!engine->queue || queue_intake_start(engine->queue, err));
}

bool engine_start(struct engine *engine, struct error *err)
{
    if (!open_queue(engine, err) || !spools_open(engine, err) || !open_lanes(engine, err) ||
        !open_inputs(engine, err)) {
        stopping_close(engine);
        return false;
    }
    assert(engine->state + 1 == ENGINE_RUNNING);
    engine->state = ENGINE_RUNNING;
    if (!start_all(engine, err) || !start_queue(engine, err)) {
        stopping_close(engine);
        return false;
    }
    if (engine->inputs_open == 0)
        uv_async_send(&engine->drained);
    return true;
}

/* ---- the end -------------------------------------------------------------------------------------- */

/* What was under way when the lanes closed comes home abandoned, so that its origin sends it again. */
static void drain_inboxes(struct engine *engine)
{
    bool again = true;
    while (again) {
        again = false;
        for (size_t i = 0; i < engine->lane_count; i++)
            again |= lane_drain_inbox(&engine->lanes[i]);
    }
}

void engine_join(struct engine *engine)
{
    for (size_t i = 0; i < engine->lane_count; i++)
        lane_join(&engine->lanes[i]);
}

bool engine_is_over(const struct engine *engine)
{
    bool over = engine->state == ENGINE_CLOSED;
    for (size_t i = 0; over && i < engine->lane_count; i++)
        over = lane_is_over(&engine->lanes[i]);
    return over;
}

static void free_programs(struct engine *engine)
{
    queue_intake_stop(engine->queue); /* no batch comes to a lane any more */
    spools_stop(engine);
    drain_inboxes(engine);
    retire_free_all(engine);
    for (size_t i = 0; i < engine->lane_count; i++) {
        program_free(engine->lanes[i].program);
        program_free(engine->lanes[i].next);
        engine->lanes[i].program = engine->lanes[i].next = NULL;
    }
    change_free(engine);
    dead_letters_close(engine->options.dead_letters);
    engine->options.dead_letters = NULL;
}

bool engine_try_free(struct engine *engine)
{
    engine_join(engine);
    free_programs(engine);
    drain_inboxes(engine);
    if (atomic_load(&engine->unsettled) > 0)
        return false;
    queue_intake_free(engine->queue);
    for (size_t i = 0; i < engine->lane_count; i++)
        lane_release(&engine->lanes[i]);
    runtime_free(engine->own_runtime);
    health_release(&engine->health);
    budget_share_close(&engine->share);
    generation_unref(engine->generation);
    generation_unref(engine->first);
    assert(!engine->spools);
    mem_free(engine->lanes);
    mem_free(engine);
    return true;
}

void engine_free(struct engine *engine)
{
    bool gone = !engine || engine_try_free(engine);
    assert(gone);
    (void)gone;
}

/* ---- what it did ---------------------------------------------------------------------------------- */

uint64_t engine_counted(const struct engine *engine, size_t plugin, const char *name)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < engine->lane_count; i++) {
        const struct instance *instance = engine->lanes[i].program->instances[plugin];
        if (instance)
            sum += instance_counted(instance, name);
    }
    return sum;
}

/* Counted by several lanes at different moments: a sum may be ahead of another one. */
static void add_output(const struct engine *engine, size_t index, struct engine_summary *out)
{
    uint64_t delivered = engine_counted(engine, index, "delivered");
    uint64_t refused = engine_counted(engine, index, "refused");
    uint64_t settled = delivered + refused + engine_counted(engine, index, "conflicts") +
                       engine_counted(engine, index, "dropped") +
                       engine_counted(engine, index, "set_aside") +
                       engine_counted(engine, index, "spooled");
    uint64_t in = engine_counted(engine, index, "in") + engine_counted(engine, index, "unspooled");
    uint64_t waiting = in > settled ? in - settled : 0;
    out->events_out += delivered;
    out->refused += refused;
    if (waiting <= out->slowest_waiting)
        return;
    out->slowest_waiting = waiting;
    out->slowest = engine->options.plan->plugins[index]->id;
}

void engine_summary(const struct engine *engine, struct engine_summary *out)
{
    *out = engine->summary;
    retire_add_up(engine, out);
    const struct plan *plan = engine->options.plan;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        if (plan->plugins[i]->section == CONF_INPUT)
            out->events_in += engine_counted(engine, i, "out");
        if (plan->plugins[i]->section == CONF_OUTPUT)
            add_output(engine, i, out);
    }
    out->in_flight = atomic_load_explicit(&engine->unsettled_events, memory_order_relaxed);
}
