/* SPDX-License-Identifier: Apache-2.0
 *
 * A slice: a few events of a batch on their way through the filters and to the outputs. Private to the engine.
 *
 * The walk over the tree of steps is a stack of frames, so that it can stop where a filter has to wait for something
 * (prepare() of pipeline/plugin.h), or behind an event that took long, and go on later. All events of the slice stay together, also those of other arms, so
 * the order of events and of the filters on each is the same as without waiting.
 *
 * 1. Events have numbers within the slice, in the order in which they go on. What a filter makes stands directly behind
 *    the event that it was made from: the slice is numbered anew then, and with it every selection that is alive: its
 *    own and those of its frames.
 * 2. A slice that has never stopped lives in the lane's scratch arena, one that has in its batch's.
 * 3. What held the lane for long (SLICE_TURN_MS, of one event or of several) is followed by a turn of the loop: the slice
 *    rests, in the middle of a filter or of a condition, and goes on with the next event. So nothing else of the lane waits
 *    longer than for one filter on one event.
 *
 *   RUNS ── slice_filter, slice_resume: false ──▶ WAITS ── slice_is_ready: true ──▶ RUNS ── true ──▶ slice_output
 *                                                 RESTS ── the loop has turned ──▶ RUNS
 *                                                 AT A CUT ── slice_visit_cut ──▶ RUNS
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_SLICE_H
#define MILLRACE_PIPELINE_PROGRAM_SLICE_H

#include "pipeline/engine/batch.h"
#include "pipeline/program/program.h"

enum { SLICE_TURN_MS = 20 };

/* What a filter made of the event with the number `behind`. */
struct created {
    struct event *event;
    size_t behind;
};

/* A level of the walk: what is left of a block, or of the arms of a branch. */
struct frame {
    struct frame *outer;
    const struct plan_block *block; /* NULL: a branch */
    const struct plan_step *branch;
    size_t next;                 /* step of the block, or arm of the branch */
    struct selection done, rest; /* of a branch: through an arm, and not matched yet */
    bool tests; /* the last arm's condition; what matched already is the slice's selection */
};

struct slice {
    struct slice
        *next; /* in the program's line of suspended slices, or the batch's of those at a cut */
    struct program *program;
    struct batch *batch;
    struct arena *arena;   /* of what it needs for itself */
    struct event **events; /* by their numbers */
    size_t count;
    struct selection selection; /* the events that are at the place of the walk */
    struct frame *frames;       /* innermost first */
    struct instance *waits_for; /* NULL: it runs, or */
    const struct plan_plugin
        *cut;    /* it waits for this filter, whose only instance is on the main lane */
    void **held; /* what prepare keeps for each event of the selection */
    struct selection unprepared; /* events of the selection that waits_for is not ready for */
    bool outputs;                /* it is through the filters */
    bool rests;                  /* 3; in a condition, or */
    struct instance *rests_in;   /* in this filter */
    size_t from, nth; /* where the filter or the condition goes on; so many events it has had */
    struct created *created; /* by the filter that it is in the middle of */
    size_t created_count, created_capacity;
    struct tap_shot *shots; /* of taps, while a filter has the events */
};

/* Runs the filters on the events from first up to end. False: suspended; the slice is in the batch's arena then, else in
 * scratch. */
bool slice_filter(struct program *program, struct batch *batch, size_t first, size_t end,
                  struct slice **slice_out);
/* Asks the filter that it waits for; what is not under way is started. */
bool slice_is_ready(struct slice *slice);
/* Goes on after slice_is_ready, or a rest. True: through the filters. False: suspended once more. */
bool slice_resume(struct slice *slice);
/* On the main lane, which has the batch for now: runs the filter that the slice waits for. Then slice_resume. False: the
 * loop is to have a turn (3), and then it is to be called again. */
bool slice_visit_cut(struct slice *slice, struct program *program);
/* Hands what came through the filters to the outputs. From here on the events are only read, and reading them writes
 * nothing. False: suspended; after slice_resume it is to be called again. The slice is in the batch's arena then. */
bool slice_output(struct slice **slice);

#endif
