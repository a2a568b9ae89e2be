/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/slice.h"

#include <assert.h>

#include "pipeline/delivery/delivery.h"
#include "pipeline/engine/engine_private.h"

/* What a step that is no branch does with the slice's selection; false: the slice is suspended. */
typedef bool step_function(struct slice *slice, const struct plan_plugin *plugin);

/* ---- new events --------------------------------------------------------------------------------- */

/* What a filter made of the event with the number `behind`. */
struct created {
    struct event *event;
    size_t behind;
};

struct filter_run {
    struct event_sink sink; /* first */
    struct slice *slice;
    size_t at; /* the event that the filter has */
    struct created *created;
    size_t count, capacity;
};

static void add_created(struct event_sink *sink, struct event *event)
{
    struct filter_run *run = (struct filter_run *)sink;
    assert(event->arena == &run->slice->batch->arena);
    if (run->count == run->capacity) {
        size_t capacity = run->capacity ? run->capacity * 2 : 64;
        run->created =
            arena_grow(run->slice->arena, run->created, run->count * sizeof *run->created,
                       capacity * sizeof *run->created);
        run->capacity = capacity;
    }
    run->created[run->count++] = (struct created){.event = event, .behind = run->at};
}

/* The events by their new numbers; numbers: by the old number the new one, made[i] that of created event i. */
static void number_anew(struct slice *slice, const struct filter_run *run, uint32_t *numbers,
                        uint32_t *made)
{
    size_t total = slice->count + run->count, next = 0, nth = 0;
    struct event **events = arena_alloc(slice->arena, total * sizeof *events);
    assert(total <= UINT32_MAX);
    for (size_t at = 0; at < slice->count; at++) {
        numbers[at] = (uint32_t)next;
        events[next++] = slice->events[at];
        for (; nth < run->count && run->created[nth].behind == at; nth++) {
            made[nth] = (uint32_t)next;
            events[next++] = run->created[nth].event;
        }
    }
    assert(next == total && nth == run->count);
    slice->events = events;
    slice->count = total;
}

static void move_selection(struct slice *slice, struct selection *selection,
                           const uint32_t *numbers)
{
    struct selection moved = selection_none(slice->arena, slice->count);
    for (size_t at = 0; selection_next(selection, &at); at++)
        selection_add(&moved, numbers[at]);
    *selection = moved;
}

/* Invariant 1. Those that are not cancelled go on from here. */
static void place_created(struct slice *slice, const struct filter_run *run)
{
    uint32_t *numbers = arena_alloc(slice->arena, slice->count * sizeof *numbers);
    uint32_t *made = arena_alloc(slice->arena, run->count * sizeof *made);
    number_anew(slice, run, numbers, made);
    move_selection(slice, &slice->selection, numbers);
    for (struct frame *frame = slice->frames; frame; frame = frame->outer) {
        if (!frame->branch)
            continue;
        move_selection(slice, &frame->done, numbers);
        move_selection(slice, &frame->rest, numbers);
    }
    for (size_t i = 0; i < run->count; i++)
        if (!run->created[i].event->cancelled)
            selection_add(&slice->selection, made[i]);
}

/* ---- filters ------------------------------------------------------------------------------------ */

enum { SEARCHES_LOG_WINDOW_MS = 10000 };

/* Says how many searches were given up, to the counter and at a limited rate to the log. */
static void note_given_up(struct lane *lane, const struct log *log, struct log_limit *limit,
                          struct counter *counter, uint64_t met_before)
{
    uint64_t met = regex_limits_met(lane->regex) - met_before, suppressed;
    if (met == 0)
        return;
    counter_add(counter, met);
    limit->window_ms = SEARCHES_LOG_WINDOW_MS;
    limit->burst = 1;
    if (log_limit_allow(limit, uv_now(lane->loop), &suppressed))
        log_warn(log, "search_given_up",
                 "a search took more than regex.timeout or regex.match_limit allow",
                 LOG_INT_IF("suppressed", suppressed));
}

static bool apply_filter(const struct instance *instance, struct event *event,
                         struct event_sink *more)
{
    const struct filter *filter = instance->plugin->as.filter;
    enum filter_result result = filter->apply(instance->self, event, more);
    if (result == FILTER_MATCHED && !event->cancelled &&
        !common_options_decorate(&instance->plugin->common, event) && filter->decorate_failed)
        filter->decorate_failed(instance->self, event);
    event->cancelled |= result == FILTER_CANCELLED;
    return !event->cancelled;
}

/* held: for each event of the selection, or NULL. */
static void run_filter(struct program *program, struct slice *slice, struct instance *instance,
                       void **held)
{
    assert(instance->env.lane == program->lane);
    struct filter_run run = {
        .sink = {.arena = &slice->batch->arena, .emit = add_created},
        .slice = slice,
    };
    struct regex_scratch *regex = program->lane->regex;
    uint64_t limits_met = regex_limits_met(regex);
    size_t in = 0, cancelled = 0;
    for (size_t at = 0; selection_next(&slice->selection, &at); at++) {
        run.at = at;
        run.sink.held = held ? held[in] : NULL;
        in++;
        regex_budget_begin(regex);
        if (apply_filter(instance, slice->events[at], &run.sink))
            continue;
        selection_remove(&slice->selection, at);
        cancelled++;
    }
    regex_budget_end(regex);
    if (run.count > 0)
        place_created(slice, &run);
    counter_add(instance->events_in, in);
    counter_add(instance->events_out, in - cancelled + run.count);
    counter_add(instance->cancelled, cancelled);
    note_given_up(program->lane, instance->env.log, &instance->searches_log, instance->match_limits,
                  limits_met);
    counter_add(&program->created, run.count);
    counter_add(&program->cancelled, cancelled);
}

/* ---- waiting ------------------------------------------------------------------------------------ */

/* All are asked, so that whatever they need is under way at the same time; those that are not ready stay in unprepared. */
static bool prepare_all(struct slice *slice, const struct instance *instance)
{
    const struct filter *filter = instance->plugin->as.filter;
    bool ready = true;
    size_t nth = 0;
    for (size_t at = 0; selection_next(&slice->selection, &at); at++, nth++) {
        if (!selection_has(&slice->unprepared, at))
            continue;
        if (filter->prepare(instance->self, slice->events[at], &slice->held[nth]))
            selection_remove(&slice->unprepared, at);
        else
            ready = false;
    }
    return ready;
}

/* Invariant 2: what was in the lane's scratch arena moves into the batch's. */
static void keep_in_batch(struct slice *slice)
{
    struct arena *arena = &slice->batch->arena;
    if (slice->arena == arena)
        return;
    slice->arena = arena;
    slice->events = arena_copy(arena, slice->events, slice->count * sizeof(struct event *));
    slice->selection = selection_copy(arena, &slice->selection);
    slice->unprepared = selection_copy(arena, &slice->unprepared);
    for (struct frame **at = &slice->frames; *at; at = &(*at)->outer) {
        *at = arena_copy(arena, *at, sizeof **at);
        if (!(*at)->branch)
            continue;
        (*at)->done = selection_copy(arena, &(*at)->done);
        (*at)->rest = selection_copy(arena, &(*at)->rest);
    }
}

static bool filter_step(struct slice *slice, const struct plan_plugin *plugin)
{
    struct instance *instance = slice->program->instances[plugin->index];
    if (!instance) {
        assert(plugin->as.plugin->scope == SCOPE_PIPELINE);
        assert(!slice->program->lane->engine->options.ordered);
        slice->cut = plugin;
        keep_in_batch(slice);
        return false;
    }
    if (!plugin->as.filter->prepare) {
        run_filter(slice->program, slice, instance, NULL);
        return true;
    }
    slice->held =
        arena_zero(&slice->batch->arena, selection_count(&slice->selection) * sizeof *slice->held);
    slice->unprepared = selection_copy(slice->arena, &slice->selection);
    if (prepare_all(slice, instance)) {
        run_filter(slice->program, slice, instance, slice->held);
        return true;
    }
    slice->waits_for = instance;
    keep_in_batch(slice);
    return false;
}

/* ---- the walk ----------------------------------------------------------------------------------- */

static struct frame *push_frame(struct slice *slice)
{
    struct frame *frame = arena_zero(slice->arena, sizeof *frame);
    frame->outer = slice->frames;
    slice->frames = frame;
    return frame;
}

static void pop_frame(struct slice *slice)
{
    slice->frames = slice->frames->outer;
}

static void begin_block(struct slice *slice, const struct plan_block *block)
{
    push_frame(slice)->block = block;
}

static void begin_branch(struct slice *slice, const struct plan_step *branch)
{
    struct frame *frame = push_frame(slice);
    frame->branch = branch;
    frame->rest = slice->selection;
    frame->done = selection_none(slice->arena, slice->count);
    slice->selection = selection_none(slice->arena, 0);
}

/* Moves the events for which the condition holds from rest to the result; an event that cannot be tested goes no
 * further (Logstash drops it). */
static struct selection take_matching(struct slice *slice, const struct condition *condition,
                                      struct selection *rest)
{
    struct program *program = slice->program;
    struct selection matching = selection_none(slice->arena, slice->count);
    struct regex_scratch *regex = program->lane->regex;
    uint64_t limits_met = regex_limits_met(regex);
    for (size_t at = 0; selection_next(rest, &at); at++) {
        regex_budget_begin(regex);
        switch (condition_test(condition, slice->events[at], regex)) {
        case CONDITION_FALSE:
            break;
        case CONDITION_TRUE:
            selection_add(&matching, at);
            selection_remove(rest, at);
            break;
        case CONDITION_ERROR:
            slice->events[at]->cancelled = true;
            selection_remove(rest, at);
            counter_add(&program->failed_conditions, 1);
            break;
        }
    }
    regex_budget_end(regex);
    note_given_up(program->lane, program->lane->engine->options.log, &program->searches_log,
                  &program->condition_limits, limits_met);
    return matching;
}

/* The selection has come out of an arm: into the next one that some events take, or behind the branch. */
static void go_on_with_branch(struct slice *slice, struct frame *frame)
{
    selection_join(&frame->done, &slice->selection);
    while (frame->next < frame->branch->arm_count) {
        const struct plan_arm *arm = &frame->branch->arms[frame->next++];
        slice->selection = frame->rest;
        if (arm->condition)
            slice->selection = take_matching(slice, arm->condition, &frame->rest);
        else
            frame->rest = selection_none(slice->arena, 0);
        if (!selection_is_empty(&slice->selection)) {
            begin_block(slice, &arm->block);
            return;
        }
    }
    selection_join(&frame->done, &frame->rest);
    slice->selection = frame->done;
    pop_frame(slice);
}

static bool go_on_with_block(struct slice *slice, struct frame *frame, step_function *step)
{
    if (frame->next == frame->block->count || selection_is_empty(&slice->selection)) {
        pop_frame(slice);
        return true;
    }
    const struct plan_step *at = &frame->block->steps[frame->next++];
    if (at->type == PLAN_PLUGIN)
        return step(slice, at->plugin);
    begin_branch(slice, at);
    return true;
}

/* To the end of the tree; false: the slice is suspended. */
static bool walk(struct slice *slice, step_function *step)
{
    while (slice->frames) {
        struct frame *frame = slice->frames;
        if (frame->branch)
            go_on_with_branch(slice, frame);
        else if (!go_on_with_block(slice, frame, step))
            return false;
    }
    return true;
}

/* The frames that a walk has when it has just left a step. */
static void begin_behind(struct slice *slice, const struct plan_step *step)
{
    const struct plan_block *block = step->block;
    if (block->branch) {
        begin_behind(slice, block->branch);
        struct frame *frame = push_frame(slice);
        frame->branch = block->branch;
        frame->next = block->branch->arm_count;
        frame->done = selection_none(slice->arena, slice->count);
    }
    struct frame *frame = push_frame(slice);
    frame->block = block;
    frame->next = (size_t)(step - block->steps) + 1;
}

bool slice_filter(struct program *program, struct batch *batch, size_t first, size_t end,
                  struct slice **slice_out)
{
    struct arena *scratch = &program->lane->scratch;
    arena_reset(scratch);
    struct slice slice = {
        .program = program,
        .batch = batch,
        .arena = scratch,
        .events = batch->events + first,
        .count = end - first,
        .selection = selection_all(scratch, end - first),
    };
    if (batch->behind)
        begin_behind(&slice, batch->behind->step);
    else
        begin_block(&slice, &program->plan->filters);
    bool through = walk(&slice, filter_step);
    *slice_out = arena_copy(slice.arena, &slice, sizeof slice);
    return through;
}

bool slice_is_ready(struct slice *slice)
{
    assert(slice->waits_for);
    return prepare_all(slice, slice->waits_for);
}

bool slice_resume(struct slice *slice)
{
    struct instance *instance = slice->waits_for;
    assert(!slice->cut && slice->arena == &slice->batch->arena);
    if (instance) {
        assert(selection_is_empty(&slice->unprepared));
        slice->waits_for = NULL;
        run_filter(slice->program, slice, instance, slice->held);
    }
    return walk(slice, filter_step);
}

void slice_visit_cut(struct slice *slice, struct program *program)
{
    assert(slice->cut && !slice->waits_for);
    run_filter(program, slice, program->instances[slice->cut->index], NULL);
    slice->cut = NULL;
}

/* ---- outputs ------------------------------------------------------------------------------------ */

static bool output_step(struct slice *slice, const struct plan_plugin *plugin)
{
    const struct instance *instance = slice->program->instances[plugin->index];
    delivery_add_selection(instance->delivery, slice->events, &slice->selection,
                           slice->batch->receipt);
    return true;
}

void slice_output(struct slice *slice)
{
    assert(!slice->waits_for && !slice->frames);
    counter_add(&slice->program->filtered, selection_count(&slice->selection));
    for (size_t at = 0; selection_next(&slice->selection, &at); at++) {
        value_settle(&slice->events[at]->fields);
        value_settle(&slice->events[at]->metadata);
    }
    begin_block(slice, &slice->program->plan->outputs);
    walk(slice, output_step);
}
