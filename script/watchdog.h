/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog: one thread for the process that looks, a few times within the shortest script_timeout, whether a script
 * that ran at the last look still does. mruby cannot be interrupted, so all it can do is tell: a line in the log with the
 * plugin's name, the pipeline's health red, the counter script_timeouts; and a line when the script has returned. It logs
 * by itself because the main loop may be what the script blocks.
 *
 * A lane only writes its watch, twice for each script; it reads no clock and takes no lock. All else is under the
 * watchdog's lock, which a lane takes when a script or a vm is closed, so nothing that the thread looks at can vanish.
 */
#ifndef MILLRACE_SCRIPT_WATCHDOG_H
#define MILLRACE_SCRIPT_WATCHDOG_H

#include <stdatomic.h>

#include "pipeline/engine/health.h"
#include "pipeline/plugin_env.h"

/* What is known of a script; part of struct script. */
struct watched {
    const struct plugin_env *env;
    uint64_t timeout_ms;      /* 0: it may take any time */
    struct counter *timeouts; /* written by the watchdog's thread; NULL where nobody counts */
};

/* Of a vm, which runs one script at a time. */
struct watch {
    _Atomic(const struct watched *) running;
    atomic_uint_fast64_t starts;
    struct watch *next;
    const struct watched *seen; /* at the last look; this and what follows belong to the thread */
    uint64_t seen_starts, since_ms;
    bool reported;
    struct trouble trouble;
};

/* The first begins the thread, the last ends it. */
void watchdog_add(struct watch *watch);
void watchdog_remove(struct watch *watch);
/* A script with a timeout was opened: looks often enough for it. */
void watchdog_expect(const struct watched *watched);
/* The script is about to be closed. */
void watchdog_forget(struct watch *watch, const struct watched *watched);

static inline void watch_begin(struct watch *watch, const struct watched *watched)
{
    uint64_t starts = atomic_load_explicit(&watch->starts, memory_order_relaxed);
    atomic_store_explicit(&watch->starts, starts + 1, memory_order_relaxed);
    atomic_store_explicit(&watch->running, watched, memory_order_release);
}
static inline void watch_end(struct watch *watch)
{
    atomic_store_explicit(&watch->running, NULL, memory_order_release);
}

#endif
