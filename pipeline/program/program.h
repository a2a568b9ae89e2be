/* SPDX-License-Identifier: Apache-2.0
 *
 * A program: the plan with this lane's instances of its filters and outputs. It runs a batch step by step over
 * selections; no step goes through a call chain event by event.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_PROGRAM_H
#define MILLRACE_PIPELINE_PROGRAM_PROGRAM_H

#include "pipeline/engine/batch.h"
#include "pipeline/engine/instance.h"
#include "pipeline/engine/lane_private.h"

struct generation;
struct observer;
struct slice;
struct taps;

struct program {
    struct lane *lane;
    struct generation *generation;
    const struct plan *plan;     /* the generation's */
    struct program *main;        /* of the same generation, on the main lane */
    struct observer *observer;   /* NULL: nobody looks on (observer.h) */
    struct taps *taps;           /* the engine's; may be NULL */
    struct instance **instances; /* by the plugin's index; NULL: not on this lane */
    uv_timer_t tick;             /* runs while a filter has a tick */
    struct slice *suspended,
        **suspended_end; /* wait for what a filter needs, in the order they came */
    struct inbox_item
        *queue; /* batches; ordered: wait behind a suspended slice; the first may have begun */
    uv_timer_t recheck; /* at the next turn of the loop: asks the suspended slices again */
    /* While it runs, nothing but it begins or goes on with slices: the lane was held for long enough, and the loop is to
     * have a turn. It goes on then with what rests, with batches that wait in the queue, and with visits. */
    uv_idle_t turn;
    bool is_turning,
        has_turned; /* within its callback; the loop has looked for other work since it was started */
    struct slice *resting;
    struct inbox_item *visits; /* batches of other lanes, whose slices wait for a filter here */
    uint64_t slow_ms;          /* that events took since the last turn */
    bool closed;               /* a batch that still comes is abandoned */
    size_t batches;            /* begun here, or taken over, and not over */
    size_t at_links; /* of these, those that only wait at links: they have been through it */
    void (*quiet)(struct program *program); /* program_when_quiet */
    /* retire.h */
    struct inbox_item order, over, hurry;
    struct program *next_retired;
    uint64_t retire_by_ms, linger_until_ms;
    size_t others; /* of the main lane: those of other lanes that are not over */
    bool is_over;
    struct counter filtered; /* events that left the filters */
    struct counter created, cancelled, failed_conditions;
    struct counter queue_wait_ms; /* of batches, from their hand-over until this lane has time */
    struct counter
        condition_limits; /* searches of conditions that met a limit of regular expressions */
    struct log_limit searches_log;
    struct dead_letter_parcel *letters; /* of filters and conditions, not handed in yet */
};

/* Has a reference of the generation, which the caller takes for it. */
struct program *program_new(struct lane *lane, struct generation *generation);
/* Opens the instances that belong on this lane (inputs are the engine's), but those that come from another program: from
 * is NULL or says so for each plugin (generation_match). On false those that are open stay so: the
 * program is still to be closed, and freed when the loop has closed its handles. */
bool program_open(struct program *program, const size_t *from, struct error *err);
/* Ticks begin, or go on. */
void program_begin(struct program *program);
/* Once, when no batch is under way in it but for those that wait at links: perhaps at once. NULL: not any more. */
void program_when_quiet(struct program *program, void (*quiet)(struct program *program));
/* Counters of the program itself go on from those of the one before. */
void program_take_counts(struct program *program, const struct program *before);
/* Runs the filters and hands every event to its outputs. Takes the batch. */
void program_run(struct program *program, struct batch *batch);
/* Events of a slice of the batch wait at a link (link.h), which keeps it; they do not any more, and are gone or given up. */
void program_keep_at_link(struct batch *batch);
void program_release_from_link(struct program *program, struct batch *batch, bool given_up);
/* Batches that wait at links are the next program's. */
void program_take_batches(struct program *program, struct program *before);
/* What waits in a closed program is let go; its origins send it again. */
void program_drop_waiting(struct program *program);
/* On the lane's thread: closes filters, stops and closes outputs. */
void program_close(struct program *program);
/* The parts of it, for one that retires: no batch is under way. */
void program_close_filters(struct program *program);
void program_close_instance(struct instance *instance);
void program_free(struct program *program);

#endif
