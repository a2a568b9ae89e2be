/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/delivery.h"
#include "pipeline/engine_private.h"

/* A batch is run in slices, so that its events stay in the processor's cache from the first filter to the output. A
 * multiple of 64. */
enum { SLICE_EVENTS = 128 };

enum { TICK_MS = 1000 };

/* ---- opening ------------------------------------------------------------------------------------ */

static bool belongs_here(const struct lane *lane, const struct plan_plugin *plugin)
{
    if (plugin->section == CONF_INPUT)
        return false;
    if (lane->index == 0)
        return true;
    return plugin->as.plugin->scope == SCOPE_LANE;
}

static bool open_instance(struct instance *instance, struct error *err)
{
    const struct plan_plugin *plugin = instance->plugin;
    bool open = true;
    if (plugin->section == CONF_FILTER) {
        if (plugin->as.filter->open)
            open = plugin->as.filter->open(instance->self, &instance->env, err);
    } else {
        instance->delivery = delivery_open(instance, err);
        open = instance->delivery;
    }
    instance->open = open;
    if (open)
        return true;
    err->position = plugin->position;
    return error_prefix(err, "%s", plugin->as.plugin->name);
}

static void on_tick(uv_timer_t *timer)
{
    struct program *program = timer->data;
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        struct instance *instance = program->instances[i];
        if (instance && instance->plugin->section == CONF_FILTER &&
            instance->plugin->as.filter->tick)
            instance->plugin->as.filter->tick(instance->self, uv_now(program->lane->loop));
    }
}

static void start_ticking(struct program *program)
{
    uv_timer_init(program->lane->loop, &program->tick);
    program->tick.data = program;
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        const struct plan_plugin *plugin = program->plan->plugins[i];
        if (plugin->section == CONF_FILTER && plugin->as.filter->tick)
            uv_timer_start(&program->tick, on_tick, TICK_MS, TICK_MS);
    }
}

struct program *program_new(struct lane *lane, const struct plan *plan)
{
    struct program *program = mem_zero(1, sizeof *program);
    program->lane = lane;
    program->plan = plan;
    program->instances = mem_zero(plan->plugin_count, sizeof(struct instance *));
    start_ticking(program);
    return program;
}

bool program_open(struct program *program, struct error *err)
{
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        if (!belongs_here(program->lane, program->plan->plugins[i]))
            continue;
        program->instances[i] = instance_new(program->lane, program->plan->plugins[i]);
        if (!open_instance(program->instances[i], err))
            return false;
    }
    return true;
}

void program_close(struct program *program)
{
    program->closed = true;
    uv_close((uv_handle_t *)&program->tick, NULL);
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        struct instance *instance = program->instances[i];
        if (!instance || !instance->open)
            continue;
        instance->open = false;
        if (instance->delivery)
            delivery_close(instance->delivery);
        else if (instance->plugin->as.filter->close)
            instance->plugin->as.filter->close(instance->self);
    }
}

void program_free(struct program *program)
{
    if (!program)
        return;
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        if (program->instances[i] && program->instances[i]->delivery)
            delivery_free(program->instances[i]->delivery);
        instance_free(program->instances[i]);
    }
    mem_free(program->instances);
    mem_free(program);
}

/* ---- filters ------------------------------------------------------------------------------------ */

struct filter_run {
    struct event_sink sink; /* first */
    struct program *program;
    struct batch *batch;
};

static void add_created(struct event_sink *sink, struct event *event)
{
    struct filter_run *run = (struct filter_run *)sink;
    batch_add(run->batch, event);
    counter_add(&run->program->created, 1);
}

static void run_filter(struct program *program, struct instance *instance, struct batch *batch,
                       struct selection *selection)
{
    const struct filter *filter = instance->plugin->as.filter;
    struct filter_run run = {
        .sink = {.arena = &batch->arena, .emit = add_created},
        .program = program,
        .batch = batch,
    };
    size_t count = batch->count, in = 0, cancelled = 0;
    for (size_t at = 0; selection_next(selection, &at); at++) {
        struct event *event = batch->events[at];
        in++;
        enum filter_result result = filter->apply(instance->self, event, &run.sink);
        if (result == FILTER_MATCHED && !event->cancelled &&
            !common_options_decorate(&instance->plugin->common, event) && filter->decorate_failed)
            filter->decorate_failed(instance->self, event);
        if (result != FILTER_CANCELLED && !event->cancelled)
            continue;
        event->cancelled = true;
        selection_remove(selection, at);
        cancelled++;
    }
    for (size_t at = count; at < batch->count; at++)
        if (!batch->events[at]->cancelled)
            selection_add(selection, at);
    counter_add(instance->events_in, in);
    counter_add(instance->events_out, in - cancelled + (batch->count - count));
    counter_add(&program->cancelled, cancelled);
}

/* ---- steps -------------------------------------------------------------------------------------- */

/* What a step that is no branch does with its selection. */
typedef void step_function(struct program *program, const struct plan_plugin *plugin,
                           struct batch *batch, struct selection *selection);

static void filter_step(struct program *program, const struct plan_plugin *plugin,
                        struct batch *batch, struct selection *selection)
{
    run_filter(program, program->instances[plugin->index], batch, selection);
}

static void run_block(struct program *program, const struct plan_block *block, struct batch *batch,
                      struct selection *selection, step_function *step);

/* Moves the events for which the condition holds from rest to the result; an event that cannot be tested goes no
 * further (Logstash drops it). */
static struct selection take_matching(struct program *program, const struct condition *condition,
                                      struct batch *batch, struct selection *rest)
{
    struct selection matching = selection_none(&program->lane->scratch, batch->count);
    for (size_t at = 0; selection_next(rest, &at); at++) {
        switch (condition_test(condition, batch->events[at], program->lane->regex)) {
        case CONDITION_FALSE:
            break;
        case CONDITION_TRUE:
            selection_add(&matching, at);
            selection_remove(rest, at);
            break;
        case CONDITION_ERROR:
            batch->events[at]->cancelled = true;
            selection_remove(rest, at);
            counter_add(&program->failed_conditions, 1);
            break;
        }
    }
    return matching;
}

static void run_branch(struct program *program, const struct plan_step *branch,
                       struct batch *batch, struct selection *selection, step_function *step)
{
    struct arena *scratch = &program->lane->scratch;
    struct selection rest = selection_copy(scratch, selection);
    struct selection done = selection_none(scratch, batch->count);
    for (size_t i = 0; i < branch->arm_count; i++) {
        const struct plan_arm *arm = &branch->arms[i];
        struct selection matching;
        if (arm->condition) {
            matching = take_matching(program, arm->condition, batch, &rest);
        } else {
            matching = rest;
            rest = selection_none(scratch, 0);
        }
        if (!selection_is_empty(&matching))
            run_block(program, &arm->block, batch, &matching, step);
        selection_join(&done, &matching);
    }
    selection_join(&done, &rest);
    *selection = done;
}

static void run_block(struct program *program, const struct plan_block *block, struct batch *batch,
                      struct selection *selection, step_function *step)
{
    for (size_t i = 0; i < block->count; i++) {
        if (selection_is_empty(selection))
            return;
        if (block->steps[i].type == PLAN_BRANCH)
            run_branch(program, &block->steps[i], batch, selection, step);
        else
            step(program, block->steps[i].plugin, batch, selection);
    }
}

/* ---- outputs ------------------------------------------------------------------------------------ */

/* An output of this lane encodes now; one that lives on the main lane gets its part when the batch comes there. */
static void output_step(struct program *program, const struct plan_plugin *plugin,
                        struct batch *batch, struct selection *selection)
{
    struct instance *instance = program->instances[plugin->index];
    if (instance) {
        delivery_add_selection(instance->delivery, batch, selection);
        return;
    }
    struct handoff *handoff = arena_alloc(&batch->arena, sizeof *handoff);
    *handoff = (struct handoff){.output = plugin->index,
                                .selection = selection_copy(&batch->arena, selection)};
    *batch->handoffs_end = handoff;
    batch->handoffs_end = &handoff->next;
}

static void flush_outputs(struct program *program)
{
    for (size_t i = 0; i < program->plan->plugin_count; i++) {
        struct instance *instance = program->instances[i];
        if (instance && instance->delivery)
            delivery_flush(instance->delivery);
    }
}

static void finish_batch(struct batch *batch)
{
    struct ack *ack = batch->ack;
    batch_free(batch);
    ack_release(ack, 1);
}

/* On the main lane. */
static void run_handoffs(struct inbox_item *item)
{
    struct batch *batch = (struct batch *)item;
    struct program *program = batch->engine->lanes[0].program;
    if (program->closed) {
        finish_batch(batch);
        return;
    }
    for (struct handoff *handoff = batch->handoffs; handoff; handoff = handoff->next)
        delivery_add_selection(program->instances[handoff->output]->delivery, batch,
                               &handoff->selection);
    finish_batch(batch);
    flush_outputs(program);
}

static void run_slice(struct program *program, struct batch *batch, size_t first, size_t end)
{
    arena_reset(&program->lane->scratch);
    struct selection selection = selection_range(&program->lane->scratch, first, end);
    run_block(program, &program->plan->filters, batch, &selection, filter_step);
    size_t left = 0;
    for (size_t at = 0; selection_next(&selection, &at); at++)
        left++;
    counter_add(&program->filtered, left);
    run_block(program, &program->plan->outputs, batch, &selection, output_step);
}

void program_run(struct program *program, struct batch *batch)
{
    if (program->closed) {
        finish_batch(batch);
        return;
    }
    size_t count = batch->count;
    for (size_t first = 0; first < count; first += SLICE_EVENTS)
        run_slice(program, batch, first, first + SLICE_EVENTS < count ? first + SLICE_EVENTS : count);
    if (batch->handoffs) {
        batch->link.run = run_handoffs;
        lane_post(&batch->engine->lanes[0], &batch->link);
    } else {
        finish_batch(batch);
    }
    flush_outputs(program);
}
