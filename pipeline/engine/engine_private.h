/* SPDX-License-Identifier: Apache-2.0
 *
 * What the engine's own parts share. See engine.h.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_ENGINE_PRIVATE_H
#define MILLRACE_PIPELINE_ENGINE_ENGINE_PRIVATE_H

#include <stdatomic.h>

#include "pipeline/engine/budget.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/health.h"
#include "pipeline/engine/intake.h"
#include "pipeline/engine/lane_private.h"
#include "pipeline/engine/latency.h"

enum engine_state {
    ENGINE_NEW,
    ENGINE_RUNNING,
    ENGINE_DRAINING,
    ENGINE_FLUSHING,
    ENGINE_CLOSING,
    ENGINE_CLOSED
};

struct change;
struct generation;
struct queue_intake;
struct spool;

struct engine {
    struct engine_options options;
    enum engine_state state;
    struct lane *lanes;
    size_t lane_count;
    struct runtime *own_runtime;           /* NULL: it is the process's */
    struct queue_intake *queue;            /* NULL: batches go to the lanes at once */
    struct generation *_Atomic generation; /* what options.plan is of, */
    struct generation *first;              /* and was of at first */
    struct change *change;                 /* NULL: none is under way */
    struct spool *spools;                  /* open ones, of outputs that are there or were */
    struct program *retired;               /* programs that are not freed yet */
    uv_timer_t patience;                   /* of a change */
    atomic_bool one_lane;                  /* all batches run on the main one */
    size_t inputs_open;                    /* not finished yet */
    size_t inputs_unclosed;                /* close() called, closed callback not yet */
    struct budget_share share;
    atomic_size_t unsettled; /* batches handed over whose receipts their streams have not taken */
    atomic_size_t unsettled_events; /* that those batches came with */
    atomic_bool draining;
    uv_async_t drained; /* something that may end the draining has happened */
    uv_timer_t deadline;
    bool
        ends_in_spools; /* the deadline is over, and this is done before what is left is given up */
    void (*closing)(void *ctx);
    void *closing_ctx;
    /* FLUSHING (flush.h) */
    bool flush_begun;
    size_t flushed;               /* the plugin that has its last tick */
    atomic_size_t flushing_lanes; /* have not come to it yet */
    struct engine_summary summary;
    struct health health;
    struct latency latency;
};

/* A counter of one plugin (its index in the plan), added up over the lanes. */
uint64_t engine_counted(const struct engine *engine, size_t plugin, const char *name);
/* What is known of the plan is looked up anew. Main thread. */
void engine_look_at_plan(struct engine *engine);

#endif
