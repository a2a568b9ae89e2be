/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/slice.h"

#include <assert.h>

#include "pipeline/delivery/delivery.h"
#include "pipeline/engine/engine_private.h"

/* What a step that is no branch does with its selection; false: the slice is suspended. */
typedef bool step_function(struct slice *slice, const struct plan_plugin *plugin,
                           struct selection *selection);

static bool run_block(struct slice *slice, const struct plan_block *block, size_t first,
                      struct selection *selection, step_function *step);

/* ---- filters ------------------------------------------------------------------------------------ */

struct filter_run {
    struct event_sink sink; /* first */
    struct slice *slice;
};

static void add_created(struct event_sink *sink, struct event *event)
{
    struct filter_run *run = (struct filter_run *)sink;
    batch_add(run->slice->batch, event);
    counter_add(&run->slice->program->created, 1);
}

/* held: for each event of the selection, or NULL. */
static void run_filter(struct slice *slice, struct instance *instance, struct selection *selection,
                       void **held)
{
    const struct filter *filter = instance->plugin->as.filter;
    struct batch *batch = slice->batch;
    struct filter_run run = {
        .sink = {.arena = &batch->arena, .emit = add_created},
        .slice = slice,
    };
    const struct regex_scratch *regex = slice->program->lane->regex;
    uint64_t limits_met = regex_limits_met(regex);
    size_t count = batch->count, in = 0, cancelled = 0;
    for (size_t at = 0; selection_next(selection, &at); at++) {
        struct event *event = batch->events[at];
        run.sink.held = held ? held[in] : NULL;
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
    counter_add(instance->match_limits, regex_limits_met(regex) - limits_met);
    counter_add(&slice->program->cancelled, cancelled);
}

/* All are asked, so that whatever they need is under way at the same time. */
static bool prepare_all(const struct instance *instance, const struct batch *batch,
                        const struct selection *selection, void **held)
{
    const struct filter *filter = instance->plugin->as.filter;
    bool ready = true;
    size_t nth = 0;
    for (size_t at = 0; selection_next(selection, &at); at++)
        ready &= filter->prepare(instance->self, batch->events[at], &held[nth++]);
    return ready;
}

static void suspend(struct slice *slice, struct instance *instance,
                    const struct selection *selection, void **held)
{
    assert(!slice->waits_for && !slice->frames);
    slice->waits_for = instance;
    slice->selection = selection_copy(&slice->batch->arena, selection);
    slice->held = held;
}

static bool filter_step(struct slice *slice, const struct plan_plugin *plugin,
                        struct selection *selection)
{
    struct instance *instance = slice->program->instances[plugin->index];
    void **held = NULL;
    if (plugin->as.filter->prepare) {
        held = arena_zero(&slice->batch->arena, selection_count(selection) * sizeof *held);
        if (!prepare_all(instance, slice->batch, selection, held)) {
            suspend(slice, instance, selection, held);
            return false;
        }
    }
    run_filter(slice, instance, selection, held);
    return true;
}

/* ---- the walk ----------------------------------------------------------------------------------- */

static void note_frame(struct slice *slice, struct frame frame)
{
    struct arena *arena = &slice->batch->arena;
    struct frame *noted = arena_alloc(arena, sizeof *noted);
    assert(slice->waits_for && !frame.outer);
    *noted = frame;
    if (frame.branch) {
        noted->done = selection_copy(arena, &frame.done);
        noted->rest = selection_copy(arena, &frame.rest);
    }
    *(slice->last_frame ? &slice->last_frame->outer : &slice->frames) = noted;
    slice->last_frame = noted;
}

/* Moves the events for which the condition holds from rest to the result; an event that cannot be tested goes no
 * further (Logstash drops it). */
static struct selection take_matching(struct slice *slice, const struct condition *condition,
                                      struct selection *rest)
{
    struct program *program = slice->program;
    struct batch *batch = slice->batch;
    struct selection matching = selection_none(&program->lane->scratch, batch->count);
    uint64_t limits_met = regex_limits_met(program->lane->regex);
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
    counter_add(&program->condition_limits, regex_limits_met(program->lane->regex) - limits_met);
    return matching;
}

/* The arms from frame->next on; what came through is the selection afterwards. */
static bool run_arms(struct slice *slice, struct frame *frame, struct selection *selection,
                     step_function *step)
{
    while (frame->next < frame->branch->arm_count) {
        const struct plan_arm *arm = &frame->branch->arms[frame->next++];
        struct selection matching;
        if (arm->condition) {
            matching = take_matching(slice, arm->condition, &frame->rest);
        } else {
            matching = frame->rest;
            frame->rest = selection_none(&slice->program->lane->scratch, 0);
        }
        if (!selection_is_empty(&matching) && !run_block(slice, &arm->block, 0, &matching, step)) {
            note_frame(slice, *frame);
            return false;
        }
        selection_join(&frame->done, &matching);
    }
    selection_join(&frame->done, &frame->rest);
    *selection = frame->done;
    return true;
}

static bool run_branch(struct slice *slice, const struct plan_step *branch,
                       struct selection *selection, step_function *step)
{
    struct arena *scratch = &slice->program->lane->scratch;
    struct frame frame = {
        .branch = branch,
        .rest = selection_copy(scratch, selection),
        .done = selection_none(scratch, slice->batch->count),
    };
    return run_arms(slice, &frame, selection, step);
}

static bool run_block(struct slice *slice, const struct plan_block *block, size_t first,
                      struct selection *selection, step_function *step)
{
    for (size_t i = first; i < block->count; i++) {
        if (selection_is_empty(selection))
            return true;
        bool through = block->steps[i].type == PLAN_BRANCH
                           ? run_branch(slice, &block->steps[i], selection, step)
                           : step(slice, block->steps[i].plugin, selection);
        if (!through) {
            note_frame(slice, (struct frame){.block = block, .next = i + 1});
            return false;
        }
    }
    return true;
}

bool slice_filter(struct program *program, struct batch *batch, size_t first, size_t end,
                  struct slice **slice_out)
{
    struct arena *scratch = &program->lane->scratch;
    arena_reset(scratch);
    struct slice slice = {.program = program, .batch = batch};
    struct selection selection = selection_range(scratch, first, end);
    bool through = run_block(&slice, &program->plan->filters, 0, &selection, filter_step);
    if (through)
        slice.selection = selection;
    *slice_out = arena_alloc(through ? scratch : &batch->arena, sizeof slice);
    **slice_out = slice;
    return through;
}

/* ---- waiting ------------------------------------------------------------------------------------ */

bool slice_is_ready(struct slice *slice)
{
    assert(slice->waits_for);
    return prepare_all(slice->waits_for, slice->batch, &slice->selection, slice->held);
}

/* slice->selection has come out of the level below. */
static bool go_on(struct slice *slice, struct frame *frame)
{
    struct selection selection = slice->selection;
    if (frame->branch)
        selection_join(&frame->done, &selection);
    bool through = frame->branch
                       ? run_arms(slice, frame, &selection, filter_step)
                       : run_block(slice, frame->block, frame->next, &selection, filter_step);
    if (through)
        slice->selection = selection;
    return through;
}

bool slice_resume(struct slice *slice)
{
    struct instance *instance = slice->waits_for;
    struct frame *frame = slice->frames;
    assert(instance && frame);
    slice->waits_for = NULL;
    slice->frames = slice->last_frame = NULL;
    arena_reset(&slice->program->lane->scratch);
    run_filter(slice, instance, &slice->selection, slice->held);
    for (; frame; frame = frame->outer) {
        struct frame again = *frame;
        again.outer = NULL;
        if (go_on(slice, &again))
            continue;
        slice->last_frame->outer = frame->outer;
        return false;
    }
    return true;
}

/* ---- outputs ------------------------------------------------------------------------------------ */

/* An output of this lane encodes now; one that lives on the main lane gets its part when the batch comes there. */
static bool output_step(struct slice *slice, const struct plan_plugin *plugin,
                        struct selection *selection)
{
    struct batch *batch = slice->batch;
    struct instance *instance = slice->program->instances[plugin->index];
    if (instance) {
        delivery_add_selection(instance->delivery, batch, selection);
        return true;
    }
    struct handoff *handoff = arena_alloc(&batch->arena, sizeof *handoff);
    *handoff = (struct handoff){.output = plugin->index,
                                .selection = selection_copy(&batch->arena, selection)};
    *batch->handoffs_end = handoff;
    batch->handoffs_end = &handoff->next;
    return true;
}

void slice_output(struct slice *slice)
{
    assert(!slice->waits_for);
    counter_add(&slice->program->filtered, selection_count(&slice->selection));
    run_block(slice, &slice->program->plan->outputs, 0, &slice->selection, output_step);
}
