/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads of a process that lanes run on, whatever the number of pipelines: as many as the largest of them has lanes,
 * less the main one, which is the thread of the caller's loop. A lane is a pipeline's place on one of them.
 *
 * What is run is a *seat*: a loop that its owner has set up. The loops of a thread have a turn each, one after the other, when
 * they have something to do; so none waits longer than for one turn of each of the others, and what is open on a loop belongs
 * to one lane: when nothing is open any more, the lane is over and its thread does not touch it again.
 *
 * Such a loop must not use prepare and check handles: that they have something to do is not seen from outside. Idle handles,
 * timers, descriptors, posts to it and work in the pool are.
 *
 * 1. A thread runs a loop from runtime_seat until that loop has nothing open, and nobody else does meanwhile.
 * 2. The seats of one call are on different threads, those with the fewest seats.
 * 3. A seat that is over has been left: its memory is the owner's again.
 *
 * All functions are for the main thread, but for what is said otherwise.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_RUNTIME_H
#define MILLRACE_PIPELINE_ENGINE_RUNTIME_H

#include <stdatomic.h>
#include <uv.h>

#include "base/error.h"

struct runtime;
struct runtime_thread;

struct runtime_seat {
    uv_loop_t *loop;               /* the owner's; everything below is the runtime's */
    struct runtime_thread *thread; /* NULL: it was never taken */
    struct runtime_seat *next;
    uint64_t due_ms; /* on the clock of uv_hrtime: a timer of the loop */
    bool ready;      /* one of its descriptors is */
    atomic_bool over;
};

struct runtime *runtime_new(void);
/* Ends its threads. No seat is taken any more; NULL is none. */
void runtime_free(struct runtime *runtime);

/* Begins to run the loops of all seats, or of none: false and *err, when there cannot be so many threads. */
bool runtime_seat(struct runtime *runtime, struct runtime_seat *const *seats, size_t count,
                  struct error *err);
/* Any thread: whether the seat has been left. */
bool runtime_seat_is_over(const struct runtime_seat *seat);
/* Waits until it has been. */
void runtime_wait(struct runtime *runtime, struct runtime_seat *seat);

size_t runtime_thread_count(const struct runtime *runtime);
/* Any thread; for a thread NULL is the main one. What runs there of all pipelines: batches handed over and not run to their
 * end (a counter for who hands over to keep), and how long the thread has slept, 0 for the main one. */
atomic_uint *runtime_batches(struct runtime *runtime, struct runtime_thread *thread);
uint64_t runtime_slept_ns(const struct runtime_thread *thread);

#endif
