/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/slice.h"

#include <assert.h>

#include "pipeline/delivery/dead_letters.h"
#include "pipeline/delivery/delivery.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/link.h"
#include "pipeline/engine/tap_look.h"
#include "pipeline/event/origin.h"
#include "pipeline/program/observer.h"

/* What a step that is no branch does with the slice's selection; false: the slice is suspended. */
typedef bool step_function(struct slice *slice, const struct plan_plugin *plugin);

/* ---- new events --------------------------------------------------------------------------------- */

struct filter_run {
    struct event_sink sink; /* first */
    struct slice *slice;
    size_t at; /* the event that the filter has */
};

static void add_created(struct event_sink *sink, struct event *event)
{
    struct filter_run *run = (struct filter_run *)sink;
    struct slice *slice = run->slice;
    assert(event->arena == &slice->batch->arena);
    if (slice->created_count == slice->created_capacity) {
        size_t capacity = slice->created_capacity ? slice->created_capacity * 2 : 64;
        slice->created =
            arena_grow(slice->arena, slice->created, slice->created_count * sizeof *slice->created,
                       capacity * sizeof *slice->created);
        slice->created_capacity = capacity;
    }
    event_derive(event, slice->events[run->at]);
    slice->created[slice->created_count++] = (struct created){.event = event, .behind = run->at};
}

/* The events by their new numbers; numbers: by the old number the new one, made[i] that of created event i. */
static void number_anew(struct slice *slice, uint32_t *numbers, uint32_t *made)
{
    size_t total = slice->count + slice->created_count, next = 0, nth = 0;
    struct event **events = arena_alloc(slice->arena, total * sizeof *events);
    assert(total <= UINT32_MAX);
    for (size_t at = 0; at < slice->count; at++) {
        numbers[at] = (uint32_t)next;
        events[next++] = slice->events[at];
        for (; nth < slice->created_count && slice->created[nth].behind == at; nth++) {
            made[nth] = (uint32_t)next;
            events[next++] = slice->created[nth].event;
        }
    }
    assert(next == total && nth == slice->created_count);
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
static void place_created(struct slice *slice)
{
    uint32_t *numbers = arena_alloc(slice->arena, slice->count * sizeof *numbers);
    uint32_t *made = arena_alloc(slice->arena, slice->created_count * sizeof *made);
    number_anew(slice, numbers, made);
    move_selection(slice, &slice->selection, numbers);
    for (struct frame *frame = slice->frames; frame; frame = frame->outer) {
        if (!frame->branch)
            continue;
        move_selection(slice, &frame->done, numbers);
        move_selection(slice, &frame->rest, numbers);
    }
    for (size_t i = 0; i < slice->created_count; i++)
        if (!slice->created[i].event->cancelled)
            selection_add(&slice->selection, made[i]);
    slice->created = NULL;
    slice->created_count = slice->created_capacity = 0;
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
                 LOG_INT_IF("not_logged_before", suppressed));
}

/* The event goes no further here; its letter, if there is one, holds its receipt. */
static void set_aside(struct program *program, struct dead_letter letter, const struct event *event,
                      struct receipt *receipt)
{
    struct engine *engine = program->lane->engine;
    if (engine->options.dead_letters)
        dead_letter_add_event(engine->options.dead_letters, &program->letters,
                              engine_account(engine, BUDGET_SPOOL), letter, event, receipt);
}

/* The filter has failed on it (on_error). */
static void give_up(struct program *program, const struct slice *slice,
                    const struct instance *instance, struct event *event)
{
    const struct plan_plugin *plugin = instance->plugin;
    event->cancelled = true;
    if (plugin->common.on_error != ON_ERROR_DEAD_LETTER)
        return;
    counter_add(instance->set_aside, 1);
    set_aside(program,
              (struct dead_letter){.plugin_type = str_from(plugin->as.plugin->name),
                                   .plugin_id = plugin->id,
                                   .reason = STR("the filter failed on it")},
              event, slice->batch->receipt);
}

static bool apply_filter(struct program *program, const struct instance *instance,
                         struct event *event, struct filter_run *run)
{
    const struct filter *filter = instance->plugin->as.filter;
    uint64_t failures = instance->failures ? counter_read(instance->failures) : 0;
    enum filter_result result = filter->apply(instance->self, event, &run->sink);
    if (result == FILTER_MATCHED && !event->cancelled &&
        !common_options_decorate(&instance->plugin->common, event) && filter->decorate_failed)
        filter->decorate_failed(instance->self, event);
    event->cancelled |= result == FILTER_CANCELLED;
    if (instance->failures && !event->cancelled && counter_read(instance->failures) > failures)
        give_up(program, run->slice, instance, event);
    return !event->cancelled;
}

/* Invariant 3, behind each event. */
static bool wants_turn(struct program *program)
{
    program->slow_ms += regex_budget_used_ms(program->lane->regex);
    return program->slow_ms >= SLICE_TURN_MS;
}

static void hand_in_letters(struct program *program)
{
    if (program->letters)
        dead_letters_put(program->lane->engine->options.dead_letters, &program->letters);
}

/* From slice->from on, up to the first event that the loop is to have a turn behind; whether that came. */
static bool apply_up_to_turn(struct program *program, struct slice *slice,
                             struct instance *instance)
{
    struct filter_run run = {
        .sink = {.arena = &slice->batch->arena, .emit = add_created},
        .slice = slice,
        .at = slice->from,
    };
    struct regex_scratch *regex = program->lane->regex;
    size_t first = slice->nth, created = slice->created_count, cancelled = 0;
    bool turn = false;
    for (; !turn && selection_next(&slice->selection, &run.at); run.at++) {
        run.sink.held = slice->held ? slice->held[slice->nth] : NULL;
        slice->nth++;
        regex_budget_begin(regex);
        if (!apply_filter(program, instance, slice->events[run.at], &run)) {
            selection_remove(&slice->selection, run.at);
            cancelled++;
        }
        turn = wants_turn(program);
    }
    regex_budget_end(regex);
    hand_in_letters(program);
    slice->from = run.at;
    created = slice->created_count - created;
    counter_add(instance->events_in, slice->nth - first);
    counter_add(instance->events_out, slice->nth - first - cancelled + created);
    counter_add(instance->cancelled, cancelled);
    counter_add(&program->created, created);
    counter_add(&program->cancelled, cancelled);
    return turn;
}

/* False: the loop is to have a turn, and then it is to be called again. */
static bool run_filter(struct program *program, struct slice *slice, struct instance *instance)
{
    assert(instance->env.lane == program->lane);
    uint64_t limits_met = regex_limits_met(program->lane->regex);
    uint64_t began_ns = uv_hrtime();
    bool turn = apply_up_to_turn(program, slice, instance);
    counter_add(instance->busy_ns, uv_hrtime() - began_ns);
    note_given_up(program->lane, instance->env.log, &instance->searches_log, instance->match_limits,
                  limits_met);
    if (turn)
        return false;
    if (program->observer)
        observe_filter_ends(slice, instance->plugin);
    if (taps_are_open(program->taps))
        tap_look(slice, program, TAP_BEHIND, instance->plugin);
    if (slice->created_count > 0)
        place_created(slice);
    slice->from = slice->nth = 0;
    slice->held = NULL;
    return true;
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
    slice->created =
        arena_copy(arena, slice->created, slice->created_count * sizeof *slice->created);
    slice->created_capacity = slice->created_count;
    for (struct frame **at = &slice->frames; *at; at = &(*at)->outer) {
        *at = arena_copy(arena, *at, sizeof **at);
        if (!(*at)->branch)
            continue;
        (*at)->done = selection_copy(arena, &(*at)->done);
        (*at)->rest = selection_copy(arena, &(*at)->rest);
    }
}

static bool run_or_rest(struct slice *slice, struct instance *instance)
{
    if (run_filter(slice->program, slice, instance))
        return true;
    slice->rests = true;
    slice->rests_in = instance;
    keep_in_batch(slice);
    return false;
}

static bool filter_step(struct slice *slice, const struct plan_plugin *plugin)
{
    struct instance *instance = slice->program->instances[plugin->index];
    if (taps_are_open(slice->program->taps))
        tap_look(slice, slice->program, TAP_BEFORE, plugin);
    if (!instance) {
        assert(plugin->as.plugin->scope == SCOPE_PIPELINE);
        assert(!slice->program->lane->engine->options.ordered);
        slice->cut = plugin;
        keep_in_batch(slice);
        return false;
    }
    if (slice->program->observer)
        observe_filter_begins(slice, plugin);
    if (!plugin->as.filter->prepare)
        return run_or_rest(slice, instance);
    if (slice->program->lane->engine->options.offline)
        return observe_left_out(slice, plugin);
    slice->held =
        arena_zero(&slice->batch->arena, selection_count(&slice->selection) * sizeof *slice->held);
    slice->unprepared = selection_copy(slice->arena, &slice->selection);
    if (prepare_all(slice, instance))
        return run_or_rest(slice, instance);
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

/* An event for which the condition holds goes from rest to the selection, one that cannot be tested no further (Logstash
 * drops it). */
static void test_event(struct slice *slice, struct frame *frame, const struct condition *condition,
                       size_t at)
{
    struct selection *rest = &frame->rest;
    switch (condition_test(condition, slice->events[at], slice->program->lane->regex)) {
    case CONDITION_FALSE:
        break;
    case CONDITION_TRUE:
        selection_add(&slice->selection, at);
        selection_remove(rest, at);
        break;
    case CONDITION_ERROR:
        set_aside(slice->program,
                  (struct dead_letter){.plugin_type = STR("if-statement"),
                                       .plugin_id = STR("if-statement"),
                                       .reason = STR("the condition cannot be evaluated for it")},
                  slice->events[at], slice->batch->receipt);
        slice->events[at]->cancelled = true;
        selection_remove(rest, at);
        counter_add(&slice->program->failed_conditions, 1);
        if (slice->program->observer)
            observe_failed(slice, frame, at);
        break;
    }
}

/* The condition of the arm on the frame's rest, from slice->from on. False: the loop is to have a turn before it goes on. */
static bool take_matching(struct slice *slice, struct frame *frame,
                          const struct condition *condition)
{
    struct program *program = slice->program;
    struct regex_scratch *regex = program->lane->regex;
    uint64_t limits_met = regex_limits_met(regex);
    size_t at = slice->from;
    bool turn = false;
    for (; !turn && selection_next(&frame->rest, &at); at++) {
        regex_budget_begin(regex);
        test_event(slice, frame, condition, at);
        turn = wants_turn(program);
    }
    regex_budget_end(regex);
    hand_in_letters(program);
    note_given_up(program->lane, program->lane->engine->options.log, &program->searches_log,
                  &program->condition_limits, limits_met);
    frame->tests = turn;
    slice->from = turn ? at : 0;
    return !turn;
}

/* Those that take the next arm are the selection then. False: as above. */
static bool enter_arm(struct slice *slice, struct frame *frame)
{
    const struct plan_arm *arm =
        &frame->branch->arms[frame->tests ? frame->next - 1 : frame->next++];
    if (!arm->condition) {
        slice->selection = frame->rest;
        frame->rest = selection_none(slice->arena, 0);
    } else {
        if (!frame->tests)
            slice->selection = selection_none(slice->arena, slice->count);
        if (!take_matching(slice, frame, arm->condition))
            return false;
    }
    if (slice->program->observer)
        observe_arm(slice, frame);
    if (!selection_is_empty(&slice->selection))
        begin_block(slice, &arm->block);
    return true;
}

/* The selection has come out of an arm: into the next one that some events take, or behind the branch. False: it rests. */
static bool go_on_with_branch(struct slice *slice, struct frame *frame)
{
    if (!frame->tests)
        selection_join(&frame->done, &slice->selection);
    while (slice->frames == frame && (frame->tests || frame->next < frame->branch->arm_count)) {
        if (enter_arm(slice, frame))
            continue;
        slice->rests = true;
        keep_in_batch(slice);
        return false;
    }
    if (slice->frames != frame)
        return true;
    selection_join(&frame->done, &frame->rest);
    slice->selection = frame->done;
    pop_frame(slice);
    return true;
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
        if (frame->branch ? !go_on_with_branch(slice, frame)
                          : !go_on_with_block(slice, frame, step))
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
    const struct plan_plugin *from = batch->input ? batch->input : batch->behind;
    if (taps_are_open(program->taps) && from)
        tap_look(&slice, program, TAP_MADE, from);
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
    struct instance *instance = slice->waits_for ? slice->waits_for : slice->rests_in;
    assert(!slice->cut && slice->arena == &slice->batch->arena);
    assert(!slice->waits_for || selection_is_empty(&slice->unprepared));
    slice->waits_for = slice->rests_in = NULL;
    slice->rests = false;
    if (slice->outputs)
        return true;
    return (!instance || run_or_rest(slice, instance)) && walk(slice, filter_step);
}

bool slice_visit_cut(struct slice *slice, struct program *program)
{
    assert(slice->cut && !slice->waits_for && !slice->rests);
    if (program->observer && slice->nth == 0)
        observe_filter_begins(slice, slice->cut);
    if (!run_filter(program, slice, program->instances[slice->cut->index]))
        return false;
    slice->cut = NULL;
    return true;
}

/* ---- outputs ------------------------------------------------------------------------------------ */

static bool output_step(struct slice *slice, const struct plan_plugin *plugin)
{
    const struct instance *instance = slice->program->instances[plugin->index];
    if (slice->program->observer)
        observe_routed(slice, plugin);
    if (taps_are_open(slice->program->taps))
        tap_look(slice, slice->program, TAP_BEFORE, plugin);
    if (instance->link)
        link_add_selection(instance->link, slice->batch, slice->events, &slice->selection);
    else if (instance->delivery)
        delivery_add_selection(instance->delivery, slice->events, &slice->selection,
                               slice->batch->receipt);
    else
        observe_encoded(slice, plugin);
    return true;
}

static void begin_outputs(struct slice *slice)
{
    assert(!slice->waits_for && !slice->rests && !slice->frames);
    counter_add(&slice->program->filtered, selection_count(&slice->selection));
    for (size_t at = 0; selection_next(&slice->selection, &at); at++) {
        value_settle(&slice->events[at]->fields);
        value_settle(&slice->events[at]->metadata);
    }
    slice->outputs = true;
    if (slice->program->observer)
        observe_filtered(slice);
    if (taps_are_open(slice->program->taps))
        tap_look(slice, slice->program, TAP_END, NULL);
    begin_block(slice, &slice->program->plan->outputs);
}

bool slice_output(struct slice **slice)
{
    const struct arena *arena = (*slice)->arena;
    if (!(*slice)->outputs)
        begin_outputs(*slice);
    if (walk(*slice, output_step))
        return true;
    if (arena != (*slice)->arena)
        *slice = arena_copy((*slice)->arena, *slice, sizeof **slice);
    return false;
}
