/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/change.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/delivery/delivery.h"
#include "pipeline/delivery/outlet.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/heirs.h"
#include "pipeline/engine/link.h"
#include "pipeline/engine/spools.h"
#include "pipeline/program/retire.h"
#include "pipeline/program/ticks.h"

enum { PARK_MS = 5000 };

enum change_step {
    CHANGE_OPENS_MAIN,
    CHANGE_OPENS_OTHERS,
    CHANGE_PARKS,
    CHANGE_TICKS,
    CHANGE_LEAVES
};

struct change {
    struct change_options options;
    struct generation *generation; /* the next one */
    size_t *from;                  /* generation_match */
    enum change_step step;
    size_t awaited; /* lanes that have not answered */
    size_t filter;  /* CHANGE_TICKS: a plugin of the plan before */
    size_t leaving; /* CHANGE_LEAVES: lanes that are not back at work */
    enum change_result result;
    struct error err;
};

static void go_on(struct engine *engine);

/* ---- orders and answers --------------------------------------------------------------------------- */

static struct lane *lane_of(struct inbox_item *order)
{
    return (struct lane *)(void *)((char *)order - offsetof(struct lane, order));
}

static void order_lanes(struct engine *engine, size_t first, size_t end,
                        void (*run)(struct inbox_item *))
{
    assert(engine->change->awaited == 0 && first < end && end <= engine->lane_count);
    engine->change->awaited = end - first;
    for (size_t i = first; i < end; i++) {
        engine->lanes[i].order.run = run;
        lane_post(&engine->lanes[i], &engine->lanes[i].order);
    }
}

static void on_answer(struct inbox_item *item)
{
    struct lane *lane = (struct lane *)(void *)((char *)item - offsetof(struct lane, answer));
    struct engine *engine = lane->engine;
    struct change *change = engine->change;
    assert(change && change->awaited > 0);
    if (--change->awaited == 0 && engine->state < ENGINE_CLOSING && change->step != CHANGE_LEAVES)
        go_on(engine);
}

static void answer(struct lane *lane)
{
    lane->answer.run = on_answer;
    lane_post(&lane->engine->lanes[0], &lane->answer);
}

/* ---- on a lane ------------------------------------------------------------------------------------ */

/* The main lane, which is the first, opens spools. */
static bool open_program(struct lane *lane, const struct change *change, struct error *err)
{
    if (lane->index > 0)
        return program_open(lane->next, change->from, err);
    return spools_open_next(lane->engine, change->generation, err) &&
           program_open(lane->next, change->from, err) && spools_start_next(lane->next, err);
}

static void open_next(struct inbox_item *order)
{
    struct lane *lane = lane_of(order);
    struct change *change = lane->engine->change;
    assert(!lane->next && !lane->before);
    lane->next = program_new(lane, change->generation);
    lane->opened = open_program(lane, change, &lane->open_error);
    answer(lane);
}

static void is_quiet(struct program *program)
{
    answer(program->lane);
}

static void park(struct inbox_item *order)
{
    struct lane *lane = lane_of(order);
    assert(!lane->parked && !lane->held);
    lane->parked = true;
    program_when_quiet(lane->program, is_quiet);
}

static void last_tick(struct inbox_item *order)
{
    struct lane *lane = lane_of(order);
    assert(lane->parked);
    ticks_finish(lane->program, lane->engine->change->filter);
    program_when_quiet(lane->program, is_quiet);
}

static void unpark(struct lane *lane)
{
    lane->parked = false;
    while (lane->held) {
        struct batch *batch = (struct batch *)lane->held;
        lane->held = batch->link.next;
        batch->link.next = NULL;
        lane_run_batch(lane, batch);
    }
}

static void go(struct lane *lane)
{
    program_begin(lane->program);
    unpark(lane);
}

static void pass_on(struct instance *instance, struct instance *heir, const struct heir *how)
{
    if (instance->link && heir)
        link_pass_on(instance->link, heir->link);
    else if (instance->delivery && heir && how->takes)
        delivery_pass_on(instance->delivery, heir->delivery);
    else if (instance->delivery && how->spool)
        delivery_pass_to_spool(instance->delivery);
    else if (instance->delivery && heir && how->anew)
        delivery_pass_on_events(instance->delivery, heir->delivery);
}

/* C4. What has no heir is the old program's to deliver (retire.h). */
static void pass_on_all(struct program *before, struct program *next)
{
    const struct heir *heirs = before->generation->heirs;
    for (size_t i = 0; i < before->plan->plugin_count; i++) {
        size_t index = heirs[i].index;
        if (before->instances[i] && index != SIZE_MAX)
            pass_on(before->instances[i], next->instances[index], &heirs[i]);
    }
}

/* Not an order: nobody answers it, and the next change may give one before it is seen. */
static void on_go(struct inbox_item *item)
{
    struct lane *lane = (struct lane *)(void *)((char *)item - offsetof(struct lane, go));
    if (!lane->program->closed)
        pass_on_all(lane->before, lane->program);
    lane->before = NULL;
    go(lane);
}

static void on_left(struct inbox_item *item);

/* It was not parked in time, or another lane was not. */
static void leave(struct inbox_item *item)
{
    struct lane *lane = (struct lane *)(void *)((char *)item - offsetof(struct lane, leave));
    program_when_quiet(lane->program, NULL);
    go(lane);
    lane->left.run = on_left;
    lane_post(&lane->engine->lanes[0], &lane->left);
}

/* ---- the end of it -------------------------------------------------------------------------------- */

static void free_change(struct change *change)
{
    mem_free(change->from);
    generation_unref(change->generation);
    mem_free(change);
}

void change_free(struct engine *engine)
{
    if (engine->change)
        free_change(engine->change);
    engine->change = NULL;
}

/* Another one may begin from inside done. */
static void end(struct engine *engine)
{
    struct change *change = engine->change;
    uv_timer_stop(&engine->patience);
    engine->change = NULL;
    uv_async_send(&engine->drained); /* it may have been waited for */
    bool wanted = change->options.done(change->options.ctx, change->result, &change->err);
    change->generation->superseded |= change->result != CHANGE_DONE && !wanted;
    free_change(change);
}

/* The programs that were opened for nothing. */
static void retire_next(struct engine *engine)
{
    size_t others = 0;
    for (size_t i = 1; i < engine->lane_count; i++)
        others += engine->lanes[i].next != NULL;
    for (size_t i = 0; i < engine->lane_count; i++) {
        struct lane *lane = &engine->lanes[i];
        if (lane->next)
            retire_begin(lane->next, i == 0 ? others : 0);
        lane->next = NULL;
    }
}

static void fail(struct engine *engine, enum change_result result, const struct error *err)
{
    struct change *change = engine->change;
    change->result = result;
    if (err)
        change->err = *err;
    retire_next(engine);
    end(engine);
}

static void on_left(struct inbox_item *item)
{
    struct lane *lane = (struct lane *)(void *)((char *)item - offsetof(struct lane, left));
    struct engine *engine = lane->engine;
    struct change *change = engine->change;
    assert(change->step == CHANGE_LEAVES && change->leaving > 0);
    if (--change->leaving == 0 && engine->state < ENGINE_CLOSING)
        fail(engine, CHANGE_LATE, NULL);
}

/* Lanes may answer meanwhile, or never: what they say of parking does not count any more. */
static void on_patience(uv_timer_t *timer)
{
    struct engine *engine = timer->data;
    struct change *change = engine->change;
    assert(change && (change->step == CHANGE_PARKS || change->step == CHANGE_TICKS));
    if (engine->state >= ENGINE_CLOSING)
        return;
    change->step = CHANGE_LEAVES;
    change->leaving = engine->lane_count;
    for (size_t i = 0; i < engine->lane_count; i++) {
        engine->lanes[i].leave.run = leave;
        lane_post(&engine->lanes[i], &engine->lanes[i].leave);
    }
}

/* ---- the switch ----------------------------------------------------------------------------------- */

static void hand_on(struct program *old, struct program *next, const size_t *from)
{
    for (size_t i = 0; i < next->plan->plugin_count; i++) {
        if (from[i] == SIZE_MAX)
            continue;
        struct instance *instance = old->instances[from[i]];
        assert(!next->instances[i]);
        if (instance && instance->born == old->generation)
            generation_ref(instance->born); /* G1 */
        next->instances[i] = instance;
        old->instances[from[i]] = NULL;
    }
    program_take_counts(next, old);
    program_take_batches(next, old);
}

static void hand_on_outlets(const struct change *change, struct generation *old)
{
    for (size_t i = 0; i < change->options.plan->plugin_count; i++) {
        if (change->from[i] == SIZE_MAX || !old->outlets[change->from[i]])
            continue;
        change->generation->outlets[i] = old->outlets[change->from[i]];
        old->outlets[change->from[i]] = NULL;
    }
}

/* C1 */
static void switch_programs(struct engine *engine)
{
    struct change *change = engine->change;
    struct generation *old = engine->generation;
    assert(!old->heirs);
    old->heirs = heirs_match(old->plan, change->options.plan, change->from);
    hand_on_outlets(change, old);
    for (size_t i = 0; i < engine->lane_count; i++) {
        struct lane *lane = &engine->lanes[i];
        struct program *before = lane->program;
        assert(lane->next && !lane->before);
        hand_on(before, lane->next, change->from);
        lane->program = lane->next;
        lane->before = lane->next = before; /* until it is retired */
    }
    spools_switch(engine->lanes[0].before, engine->lanes[0].program);
    generation_ref(change->generation);
    engine->generation = change->generation;
    engine->options.plan = change->options.plan;
    engine_look_at_plan(engine);
    old->superseded = true;
    for (size_t i = 0; i < engine->lane_count; i++) {
        engine->lanes[i].go.run = on_go;
        lane_post(&engine->lanes[i], &engine->lanes[i].go);
    }
    retire_next(engine);
    generation_unref(old);
    change->result = CHANGE_DONE;
    end(engine);
}

/* ---- step by step --------------------------------------------------------------------------------- */

/* The next filter of the plan before that has a tick; false: none is left. */
static bool tick_next(struct engine *engine)
{
    struct change *change = engine->change;
    const struct plan *plan = engine->options.plan;
    change->filter += change->step == CHANGE_TICKS;
    change->step = CHANGE_TICKS;
    for (; change->filter < plan->plugin_count; change->filter++) {
        const struct plan_plugin *plugin = plan->plugins[change->filter];
        if (plugin->section != CONF_FILTER || !plugin->as.filter->tick)
            continue;
        order_lanes(engine, 0, engine->lane_count, last_tick);
        return true;
    }
    return false;
}

/* The first lane that could not open something; NULL: all could. */
static const struct lane *failed_lane(const struct engine *engine)
{
    for (size_t i = 0; i < engine->lane_count; i++)
        if (engine->lanes[i].next && !engine->lanes[i].opened)
            return &engine->lanes[i];
    return NULL;
}

/* All lanes have answered. */
static void go_on(struct engine *engine)
{
    struct change *change = engine->change;
    const struct lane *failed = failed_lane(engine);
    if (failed) {
        struct error err = failed->open_error;
        fail(engine, err.code == ERROR_BUSY ? CHANGE_BUSY : CHANGE_REFUSED, &err);
        return;
    }
    if (change->step == CHANGE_OPENS_MAIN && engine->lane_count > 1) {
        change->step = CHANGE_OPENS_OTHERS;
        for (size_t i = 1; i < engine->lane_count; i++)
            generation_ref(change->generation); /* their programs */
        order_lanes(engine, 1, engine->lane_count, open_next);
    } else if (change->step <= CHANGE_OPENS_OTHERS) {
        change->step = CHANGE_PARKS;
        uv_timer_start(&engine->patience, on_patience, PARK_MS, 0);
        order_lanes(engine, 0, engine->lane_count, park);
    } else if (!tick_next(engine)) {
        switch_programs(engine);
    }
}

/* ---- beginning ------------------------------------------------------------------------------------ */

/* The inputs are the same ones in both. */
static bool keeps_inputs(const struct plan *plan, const struct plan *next, const size_t *from)
{
    size_t before = 0, after = 0;
    for (size_t i = 0; i < plan->plugin_count; i++)
        before += plan->plugins[i]->section == CONF_INPUT;
    for (size_t i = 0; i < next->plugin_count; i++) {
        bool is_input = next->plugins[i]->section == CONF_INPUT;
        if (is_input && from[i] == SIZE_MAX)
            return false;
        after += is_input;
    }
    return before == after;
}

bool engine_can_change(const struct engine *engine, const struct plan *plan)
{
    if (engine->state != ENGINE_RUNNING || engine->change || engine->options.isolated ||
        (plan->needs_provenance && !engine->options.provenance))
        return false;
    if (plan->in_turn > 0 || engine->options.plan->in_turn > 0)
        return false; /* what instances share cannot be of the old and the new ones at once */
    size_t *from = generation_match(engine->options.plan, plan);
    bool can = keeps_inputs(engine->options.plan, plan, from);
    mem_free(from);
    return can;
}

void engine_change(struct engine *engine, const struct change_options *options)
{
    assert(engine_can_change(engine, options->plan));
    struct change *change = mem_zero(1, sizeof *change);
    change->options = *options;
    change->from = generation_match(engine->options.plan, options->plan);
    change->generation = generation_new(options->plan, engine->options.plan_gone, options->owner);
    for (size_t i = 0; i < options->plan->plugin_count; i++)
        if (options->plan->plugins[i]->section == CONF_OUTPUT && change->from[i] == SIZE_MAX)
            change->generation->outlets[i] = outlet_new();
    generation_ref(change->generation); /* the main lane's program */
    engine->change = change;
    change->step = CHANGE_OPENS_MAIN;
    order_lanes(engine, 0, 1, open_next);
}

void change_close_lane(struct lane *lane)
{
    if (lane->next)
        program_close(lane->next);
    program_when_quiet(lane->program, NULL);
    unpark(lane);
}
