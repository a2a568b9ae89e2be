/* SPDX-License-Identifier: Apache-2.0
 *
 * A slice: a few events of a batch on their way through the filters and to the outputs. Private to the engine.
 *
 * Where a filter has to wait for something (prepare() of pipeline/plugin.h), the walk over the tree of steps is
 * suspended as a whole: each level that is left notes in a frame where it goes on. All events of the slice stay
 * together, also those of other arms, so the order of events and of the filters on each is the same as without waiting.
 * What a suspended slice needs lives in its batch's arena; a slice that runs uses the lane's scratch arena.
 *
 *   RUNS ── slice_filter, slice_resume: false ──▶ SUSPENDED ── slice_is_ready: true ──▶ RUNS ── true ──▶ slice_output
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_SLICE_H
#define MILLRACE_PIPELINE_PROGRAM_SLICE_H

#include "pipeline/engine/batch.h"
#include "pipeline/program/program.h"

/* A level of the walk to go on with: the rest of a block, or of the arms of a branch. */
struct frame {
    struct frame *outer;
    const struct plan_block *block; /* NULL: a branch */
    const struct plan_step *branch;
    size_t next;                 /* step of the block, or arm of the branch */
    struct selection done, rest; /* of a branch: through an arm, and not matched yet */
};

struct slice {
    struct slice *next; /* in the program's line of suspended slices */
    struct program *program;
    struct batch *batch;
    struct instance *waits_for; /* NULL: it runs */
    struct selection
        selection; /* the events that waits_for gets; at the end those that came through */
    void **held;   /* what prepare keeps for each of them */
    struct frame *frames, *last_frame; /* innermost first */
};

/* Runs the filters on the events from first up to end. False: suspended; the slice is in the batch's arena then, else in
 * scratch. */
bool slice_filter(struct program *program, struct batch *batch, size_t first, size_t end,
                  struct slice **slice_out);
/* Asks the filter that it waits for; what is not under way is started. */
bool slice_is_ready(struct slice *slice);
/* Goes on after slice_is_ready. False: suspended once more. */
bool slice_resume(struct slice *slice);
/* Hands what came through the filters to the outputs. */
void slice_output(struct slice *slice);

#endif
