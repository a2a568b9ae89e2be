/* SPDX-License-Identifier: Apache-2.0
 *
 * Which lane runs a batch. Batches are made on the lane where their source is read, its home. While that lane has time to
 * spare its batches stay there: nothing has to wake up another thread, and a lone event loses no time. As soon as it has
 * none, they go to whichever lane has the least to do, so that one busy file or connection is worked on by all.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_PICK_LANE_H
#define MILLRACE_PIPELINE_ENGINE_PICK_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct lane;

struct lane_load {
    unsigned
        batches; /* handed to it and not run to their end yet, of all pipelines on its thread */
    bool reads;  /* a busy source is read there at the moment: it comes to run batches less often */
};

/* The index of the lane with the least to do; its home before others with as much. */
size_t pick_least_loaded(const struct lane_load *loads, size_t count, size_t home);

/* How a lane looks back on its own time. On its thread only. */
struct lane_rest {
    uint64_t looked_ns,
        idle_ns; /* at the last look: the time, and how long the loop had slept until then */
    bool rests;
};
/* Whether the lane slept for a good part of the time since the last look. idle_ns: so far. */
bool lane_rest_look(struct lane_rest *rest, uint64_t now_ns, uint64_t idle_ns);

/* On the home lane's thread, before a batch is posted. */
struct lane *pick_lane(struct engine *engine, struct lane *home);
/* On any thread: the lane with the least to do; `first` before others with as much. */
struct lane *pick_lane_from_outside(struct engine *engine, size_t first);

#endif
