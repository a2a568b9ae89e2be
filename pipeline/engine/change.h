/* SPDX-License-Identifier: Apache-2.0
 *
 * An engine goes on with another plan while its inputs keep their connections. Main thread; what each lane does is posted
 * to it, and it answers.
 *
 *   each lane opens the filters and outputs that are new, the main one first       one fails: CHANGE_REFUSED, or CHANGE_BUSY
 *   ──▶ each lane parks: batches that come wait, those under way go through the filters to the outputs
 *                                                                                  PARK_MS over: CHANGE_LATE
 *   ──▶ the old filters' last ticks, one filter after the other
 *   ──▶ the main thread gives each lane its new program, with the inputs and outputs that stay ──▶ each lane passes on what the
 *       others have, and goes on
 *   ──▶ the old programs retire (pipeline/program/retire.h)
 *
 * Invariants
 * C1. Between a lane's answer that it is parked and its next order the main thread alone touches its programs.
 * C2. Every batch goes through one program as a whole, and no event is lost or delivered twice by a change. What waits then for room
 *     in another pipeline has been through, and is the next program's.
 * C3. It never waits for an output: only for filters, PARK_MS at most.
 * C4. What an output has whose place another one takes (heirs.h) is that one's before it gets anything else, or in the spool.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_CHANGE_H
#define MILLRACE_PIPELINE_ENGINE_CHANGE_H

#include "pipeline/engine/engine.h"

/* When the engine closes meanwhile there is no result. */
enum change_result {
    CHANGE_DONE,
    CHANGE_REFUSED, /* something of the new plan cannot be opened; the old one goes on */
    CHANGE_BUSY,    /* the same, because something of the old one is in its way */
    CHANGE_LATE,    /* events could not get through the old filters in time; the old one goes on */
};

struct change_options {
    const struct plan *plan;
    void *
        owner; /* of the plan: engine_options.plan_gone is called with it, as with that of the plan before */
    /* Returns whether somebody else goes on using the plan that was not taken. */
    bool (*done)(void *ctx, enum change_result result, const struct error *err);
    void *ctx;
};

/* False: this engine cannot, because an input differs, a filter sees all events in turn, or it does not run. */
bool engine_can_change(const struct engine *engine, const struct plan *plan);
void engine_change(struct engine *engine, const struct change_options *options);

/* For the engine: on a lane that closes, and after all have. */
void change_close_lane(struct lane *lane);
void change_free(struct engine *engine);

#endif
