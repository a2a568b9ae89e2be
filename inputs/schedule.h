/* SPDX-License-Identifier: Apache-2.0
 *
 * When an input that asks or runs something does so: at intervals, at times as cron writes them, or once. On the loop of its
 * input; what takes longer than to the next time is done once behind it, not several times.
 *
 *   WAITING ──due──▶ run() ──▶ RUNNING ──schedule_done──▶ WAITING
 */
#ifndef MILLRACE_INPUTS_SCHEDULE_H
#define MILLRACE_INPUTS_SCHEDULE_H

#include "base/time/cron.h"
#include "pipeline/plugin.h"

enum schedule_kind { SCHEDULE_EVERY, SCHEDULE_CRON, SCHEDULE_ONCE };

struct schedule_when {
    enum schedule_kind kind;
    int64_t every_ms; /* EVERY: from start to start */
    int64_t first_ms; /* EVERY, ONCE: after the start */
    struct cron cron;
};

/* "30s", "5m", "1h30m", "2d", "500ms", or a number of seconds, to milliseconds. */
bool schedule_duration(struct str text, int64_t *ms_out);

struct schedule;

struct schedule *schedule_start(const struct plugin_env *env, const struct schedule_when *when,
                                void (*run)(void *ctx), void *ctx);
/* What run() began is over. True: the next time has passed already, and run() is called at once. */
bool schedule_done(struct schedule *schedule);
void schedule_stop(struct schedule *schedule); /* run() is not called any more; NULL is ok */
void schedule_free(struct schedule *schedule); /* NULL is ok */

#endif
