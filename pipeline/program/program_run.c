/* SPDX-License-Identifier: Apache-2.0
 *
 * How a program runs batches: slice by slice, with slices that wait, rest until the loop had a turn, or go to a filter on
 * the main lane and come back.
 */
#include <assert.h>

#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/instance.h"
#include "pipeline/program/program.h"
#include "pipeline/program/slice.h"

/* A batch is run in slices, so that its events stay in the processor's cache from the first filter to the output. A
 * multiple of 64. */
enum { SLICE_EVENTS = 128 };

/* So many suspended slices that are not ready yet are asked at once; those behind them wait for their turn, so that a long
 * line costs no more than a short one for each answer that comes. */
enum { RECHECKED_SLICES = 32 };

/* ---- batches ------------------------------------------------------------------------------------ */

static void finish_batch(struct batch *batch, enum receipt_outcome outcome)
{
    struct receipt *receipt = batch->receipt;
    batch_free(batch);
    receipt_release(receipt, 1, outcome);
}

static void say_when_quiet(struct program *program)
{
    void (*quiet)(struct program *) = program->quiet;
    if (!quiet || program->batches > program->at_links)
        return;
    program->quiet = NULL;
    quiet(program);
}

void program_when_quiet(struct program *program, void (*quiet)(struct program *program))
{
    program->quiet = quiet;
    say_when_quiet(program);
}

static void visit_cut(struct inbox_item *item);

/* What waits for another pipeline has been through this program: a change of the plan does not wait for it. */
static void note_links(struct program *program, struct batch *batch)
{
    if (batch->only_at_links || batch->at_links < batch->unfinished)
        return;
    batch->only_at_links = true;
    program->at_links++;
    say_when_quiet(program);
}

/* Ends the batch when all slices of it are through; hands it to the lane of a filter when that is all that is left of it
 * waits for. */
static void look_at_batch(struct program *program, struct batch *batch)
{
    assert(batch->at_cut_count + batch->at_links <= batch->unfinished);
    if (batch->unfinished > batch->at_cut_count) {
        note_links(program, batch);
        return;
    }
    if (batch->at_cut && !program->closed) {
        batch->link.run = visit_cut;
        lane_post(&batch->engine->lanes[0], &batch->link);
        return;
    }
    assert(program->batches > 0 && (!batch->only_at_links || program->at_links > 0));
    program->at_links -= batch->only_at_links;
    finish_batch(batch, program->closed || batch->given_up ? RECEIPT_ABANDONED : RECEIPT_DELIVERED);
    program->batches--;
    say_when_quiet(program);
}

/* A slice of the batch, or its run as a whole, is over. */
static void release_batch(struct program *program, struct batch *batch)
{
    assert(batch->unfinished > batch->at_cut_count);
    batch->unfinished--;
    look_at_batch(program, batch);
}

void program_keep_at_link(struct batch *batch)
{
    assert(!batch->only_at_links);
    batch->unfinished++;
    batch->at_links++;
}

void program_release_from_link(struct program *program, struct batch *batch, bool given_up)
{
    assert(batch->at_links > 0);
    batch->at_links--;
    batch->given_up |= given_up;
    release_batch(program, batch);
}

void program_take_batches(struct program *program, struct program *before)
{
    assert(before->batches == before->at_links);
    program->batches += before->batches;
    program->at_links += before->at_links;
    before->batches = before->at_links = 0;
}

static void line_up_at_cut(struct program *program, struct slice *slice)
{
    struct batch *batch = slice->batch;
    slice->next = NULL;
    *(batch->at_cut_count++ ? &batch->at_cut_end->next : &batch->at_cut) = slice;
    batch->at_cut_end = slice;
    look_at_batch(program, batch);
}

static void on_turn(uv_idle_t *turn);

static bool is_turn_due(const struct program *program)
{
    return uv_is_active((const uv_handle_t *)&program->turn);
}

/* Idle handles come before the loop looks at its descriptors: only the second time is a whole turn, or the first when it
 * was started by one. */
static void begin_turn(struct program *program)
{
    if (is_turn_due(program))
        return;
    program->has_turned = program->is_turning;
    uv_idle_start(&program->turn, on_turn);
}

/* It goes on first: what was begun ends before more is begun. */
static void rest(struct program *program, struct slice *slice)
{
    slice->next = program->resting;
    program->resting = slice;
    begin_turn(program);
}

/* A slice that stopped: with the others of its program that wait for something, or of its batch that wait for a filter on
 * another lane. */
static void line_up(struct program *program, struct slice *slice)
{
    if (slice->cut) {
        line_up_at_cut(program, slice);
    } else if (slice->rests) {
        rest(program, slice);
    } else {
        slice->next = NULL;
        *program->suspended_end = slice;
        program->suspended_end = &slice->next;
    }
}

/* What comes next for a slice, which is through the filters or has stopped. */
static void put(struct program *program, struct slice *slice, bool through)
{
    if (through && slice_output(&slice))
        release_batch(program, slice->batch);
    else
        line_up(program, slice);
}

static void resume(struct program *program, struct slice *slice)
{
    if (is_turn_due(program)) /* it has not gone on yet, but so it waits in the right place */
        rest(program, slice);
    else
        put(program, slice, slice_resume(slice));
}

static size_t slice_length(const struct program *program, const struct batch *batch)
{
    size_t left = batch->count - batch->next_event;
    size_t most = program->plan->in_turn > 1 ? 1 : SLICE_EVENTS;
    return left < most ? left : most;
}

static bool has_to_wait(const struct program *program)
{
    return is_turn_due(program) ||
           (program->suspended &&
            (program->lane->engine->options.ordered ||
             atomic_load_explicit(&program->generation->firsts, memory_order_relaxed) > 0));
}

/* False: the rest of the batch waits for a turn of the loop or, in an ordered pipeline, behind a suspended slice. */
static bool run_slices(struct program *program, struct batch *batch)
{
    while (batch->next_event < batch->count) {
        if (has_to_wait(program))
            return false;
        size_t first = batch->next_event;
        struct slice *slice;
        batch->next_event += slice_length(program, batch);
        batch->unfinished++;
        bool through = slice_filter(program, batch, first, batch->next_event, &slice);
        put(program, slice, through);
    }
    release_batch(program, batch);
    return true;
}

static struct batch *pop_queue(struct inbox_item **queue)
{
    struct inbox_item *first = *queue;
    if (first) {
        *queue = first->next;
        first->next = NULL;
    }
    return (struct batch *)first;
}

static void push_queue(struct inbox_item **queue, struct batch *batch)
{
    batch->link.next = *queue;
    *queue = &batch->link;
}

static void join_queue(struct inbox_item **queue, struct batch *batch)
{
    while (*queue)
        queue = &(*queue)->next;
    *queue = &batch->link;
}

static void run_queue(struct program *program)
{
    struct batch *batch;
    while ((batch = pop_queue(&program->queue))) {
        if (run_slices(program, batch))
            continue;
        push_queue(&program->queue, batch);
        return;
    }
}

void program_run(struct program *program, struct batch *batch)
{
    assert(!batch->link.next);
    if (program->closed) {
        finish_batch(batch, RECEIPT_ABANDONED);
        return;
    }
    batch->unfinished = 1;
    program->batches++;
    join_queue(&program->queue, batch);
    run_queue(program);
}

void lane_run_batch(struct lane *lane, struct batch *batch)
{
    assert(batch->lane == lane && !batch->link.next);
    if (lane->parked) {
        join_queue(&lane->held, batch);
        return;
    }
    uint64_t now_ms = uv_now(lane->loop), since_ms = batch->receipt->handed_over_ms;
    struct program *program = lane->program;
    counter_add(&program->queue_wait_ms, now_ms > since_ms ? now_ms - since_ms : 0);
    program_run(program, batch);
    lane_batch_is_done(lane);
}

/* ---- waiting ------------------------------------------------------------------------------------ */

/* Something that a suspended slice waits for has come. */
static void on_recheck(uv_timer_t *timer)
{
    struct program *program = timer->data;
    struct slice **at = &program->suspended;
    for (size_t unready = 0; *at && unready < RECHECKED_SLICES;) {
        struct slice *slice = *at;
        if (!slice_is_ready(slice)) {
            at = &slice->next;
            unready++;
            continue;
        }
        *at = slice->next;
        if (program->suspended_end == &slice->next)
            program->suspended_end = at;
        resume(program, slice);
    }
    run_queue(program);
}

/* ---- filters that see all events: on the main lane, which has the batch meanwhile ------------------- */

static void come_back(struct inbox_item *item);

/* False: the loop is to have a turn first. */
static bool visit(struct program *program, struct batch *batch)
{
    for (struct slice *slice = batch->at_cut; slice; slice = slice->next)
        if (slice->cut && (is_turn_due(program) || !slice_visit_cut(slice, program)))
            return false;
    return true;
}

static void run_visits(struct program *program)
{
    struct batch *batch;
    while ((batch = pop_queue(&program->visits))) {
        if (!visit(program, batch)) {
            push_queue(&program->visits, batch);
            begin_turn(program);
            return;
        }
        batch->link.run = come_back;
        lane_post(batch->lane, &batch->link);
    }
}

static void visit_cut(struct inbox_item *item)
{
    struct batch *batch = (struct batch *)item;
    struct program *program = batch->engine->lanes[0].program;
    assert(batch->lane->program != program);
    if (program->closed) {
        finish_batch(batch, RECEIPT_ABANDONED);
        return;
    }
    join_queue(&program->visits, batch);
    run_visits(program);
}

static void come_back(struct inbox_item *item)
{
    struct batch *batch = (struct batch *)item;
    struct program *program = batch->lane->program;
    if (program->closed) {
        finish_batch(batch, RECEIPT_ABANDONED);
        return;
    }
    struct slice *next = batch->at_cut;
    batch->at_cut = batch->at_cut_end = NULL;
    batch->at_cut_count = 0;
    batch->unfinished++; /* this function */
    while (next) {
        struct slice *slice = next;
        next = slice->next;
        resume(program, slice);
    }
    release_batch(program, batch);
}

/* ---- turns of the loop ---------------------------------------------------------------------------- */

static void on_turn(uv_idle_t *turn)
{
    struct program *program = turn->data;
    if (!program->has_turned) {
        program->has_turned = true;
        return;
    }
    uv_idle_stop(turn);
    program->is_turning = true;
    program->slow_ms = 0;
    while (program->resting && !is_turn_due(program)) {
        struct slice *slice = program->resting;
        program->resting = slice->next;
        resume(program, slice);
    }
    run_queue(program);
    run_visits(program);
    program->is_turning = false;
}

/* ---- waking ------------------------------------------------------------------------------------- */

void filter_ready(const struct plugin_env *env)
{
    struct program *program = env->lane->program;
    if (program->suspended && !uv_is_active((uv_handle_t *)&program->recheck))
        uv_timer_start(&program->recheck, on_recheck, 0, 0);
}

void filter_has_first(const struct plugin_env *env)
{
    if (!env->engine)
        return; /* a filter by itself, in a test */
    struct generation *generation = instance_of(env)->born;
    unsigned before = atomic_fetch_sub_explicit(&generation->firsts, 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
}

static void drop_slices(struct program *program, struct slice **slices)
{
    while (*slices) {
        struct slice *slice = *slices;
        *slices = slice->next;
        release_batch(program, slice->batch);
    }
}

void program_drop_waiting(struct program *program)
{
    assert(program->closed);
    drop_slices(program, &program->suspended);
    program->suspended_end = &program->suspended;
    drop_slices(program, &program->resting);
    struct batch *batch;
    while ((batch = pop_queue(&program->queue)))
        release_batch(program, batch);
    while ((batch = pop_queue(&program->visits)))
        finish_batch(batch, RECEIPT_ABANDONED);
}
