/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a lane, for the engine. See lane.h.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_LANE_PRIVATE_H
#define MILLRACE_PIPELINE_ENGINE_LANE_PRIVATE_H

#include "pipeline/engine/lane.h"
#include "pipeline/engine/pick_lane.h"
#include "pipeline/engine/runtime.h"
#include "pipeline/plugin.h"

struct batch;
struct program;
struct stream;

struct lane {
    struct engine *engine;
    size_t index;
    uv_loop_t *loop; /* own_loop, or the caller's for the main lane */
    uv_loop_t own_loop;
    struct runtime_seat seat; /* of own_loop */
    atomic_bool closed;       /* on the main loop: its inbox is */
    uv_async_t wake;
    _Atomic(struct inbox_item *) inbox;
    struct inbox_item *taken; /* out of the inbox, in order, and not run yet */
    atomic_uint connections;  /* beats connections and the like that live here */
    atomic_uint batches;      /* handed to this lane and not run to their end yet */
    atomic_uint_fast64_t
        busy_reading_ms; /* when it last handed a batch over without having had a rest; uv_now */
    struct lane_rest rest;
    struct program *_Atomic program; /* read by whoever is told that a filter is ready */
    /* A change of the plan (change.h): what is opened for it, or has to retire; whether batches that come wait. */
    struct program *next;
    struct program *before; /* whose outputs pass on what they have, when the lane goes on */
    bool opened;
    struct error open_error;
    bool parked;
    struct inbox_item *held;
    struct inbox_item order, answer, go, leave, left;
    struct json_reader *json;
    struct regex_scratch *regex;
    struct script_vm *script; /* NULL until a Ruby filter needs it */
    struct arena scratch;     /* reset for each batch */
    struct inbox_item task;   /* start and stop, posted by the engine */
    struct inbox_item flush;  /* the last tick of a filter, posted by flush.c */
    struct inbox_item end;    /* outputs end in their spools, posted by spools.c */
};

/* loop: NULL makes one of its own, for a thread of the runtime. */
bool lane_init(struct lane *lane, struct engine *engine, size_t index, uv_loop_t *loop,
               struct error *err);
/* Runs all that was posted; false when there was nothing. */
bool lane_drain_inbox(struct lane *lane);
/* Any thread: a batch is handed to the lane, before it is posted; one is run to its end. */
void lane_batch_comes(struct lane *lane);
void lane_batch_is_done(struct lane *lane);
/* Any thread: such batches of all pipelines on the thread of this lane. */
unsigned lane_thread_batches(const struct lane *lane);
/* On the lane's thread: how long that has slept so far. */
uint64_t lane_slept_ns(const struct lane *lane);
/* On the lane's thread: runs a batch that came to it, or keeps it while the lane is parked. */
void lane_run_batch(struct lane *lane, struct batch *batch);
/* On the lane's thread, as the last thing: the loop then ends when its handles are closed. */
void lane_close_inbox(struct lane *lane);
/* Its loop has ended; on the main one its handles are closed with this turn of it. */
bool lane_is_over(const struct lane *lane);
/* Waits until the lane's loop has ended. */
void lane_join(struct lane *lane);
/* Frees what the lane has; nothing may be posted to it any more. */
void lane_release(struct lane *lane);

#endif
