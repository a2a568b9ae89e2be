/* SPDX-License-Identifier: Apache-2.0
 *
 * The pipelines of a run, from their start to their end, and the change of single ones while the others go on. Main thread.
 *
 * A changed pipeline is compiled beside the one that runs; when it has mistakes, that one goes on. Where only filters and outputs
 * differ, its engine goes on with the new plan (pipeline/engine/change.h): inputs keep their connections, and outputs that are
 * the same keep what they have under way. Otherwise, or when something of the old one is in the way, it stops, is
 * given RELOAD_DRAIN_MS for what is under way (what is not delivered then is abandoned, and origins that can send again do), and
 * when all of it is gone the new one starts. When that does not start, the old one does again.
 *
 *   RUNS ── changed: next is compiled ──▶ STOPS ── ended ──▶ REAPED ── next starts ──▶ RUNS
 *                                                            REAPED ── next does not start, and is reaped ──▶ the old one RUNS
 *
 * Listening sockets stay open meanwhile (io/listen_socket.h): clients connect and are served when the new one is there.
 */
#ifndef MILLRACE_CMD_RUN_SET_H
#define MILLRACE_CMD_RUN_SET_H

#include "cmd/run_pipeline.h"

struct run_set {
    const struct settings *settings; /* of the run */
    const struct log *log;
    struct run_shared *shared;
    struct run_pipeline **pipelines;
    struct run_pipeline **order; /* the same, receivers before senders */
    size_t count;
    size_t running;          /* have not ended for good */
    uint64_t stop_by_ms;     /* on the loop's clock; 0: it does not stop */
    uv_timer_t reaper;       /* while one is to be replaced or removed */
    uint64_t refused;        /* what run_reload_find found wrong last */
    bool reloads_later;      /* asked for while one was under way */
    void (*over)(void *ctx); /* none runs any more */
    void *ctx;
};

/* All begin to run, or none: what is wrong is on standard error. over is called in the end in any case, but not from inside. */
bool run_set_start(struct run_set *set);
void run_set_stop(struct run_set *set);
/* Reads the configuration anew and changes what has changed. quiet: says nothing when nothing has. */
void run_set_reload(struct run_set *set, bool quiet);
/* After the loop has returned. False when an output could not go on. */
bool run_set_finish(struct run_set *set);
/* One of its pipelines could not be changed. */
void run_set_note_failure(struct run_pipeline *pipeline, const char *why);
uint64_t run_set_left_ms(const struct run_set *set); /* until it has to have stopped */
void run_set_close(struct run_set *set);             /* its timer, when it is over */

#endif
