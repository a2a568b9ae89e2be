/* SPDX-License-Identifier: Apache-2.0
 *
 * The watchdog: one thread for the process that looks, a few times within the shortest script_timeout, whether a script
 * that ran at the last look still does. One that took too long is ended: its vm is told to (watch.end), which raises in
 * the script before its next instruction. That is said in the log with the plugin's name and counted as script_timeouts;
 * until the script has returned the pipeline's health is red. It logs by itself because the main loop may be what the
 * script blocks. When the process is to stop (watchdog_stop), no script is given more than WATCHDOG_STOP_MS.
 *
 * A lane only writes its watch, twice for each script; it reads no clock and takes no lock. All else is under the
 * watchdog's lock, which a lane takes when a script or a vm is closed, so nothing that the thread looks at can vanish.
 */
#ifndef MILLRACE_SCRIPT_WATCHDOG_H
#define MILLRACE_SCRIPT_WATCHDOG_H

#include <stdatomic.h>

#include "pipeline/engine/health.h"
#include "pipeline/plugin_env.h"

enum { WATCHDOG_STOP_MS = 2000 };

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
    atomic_uint_fast64_t ended;       /* the start whose run is to end; 0: none yet */
    void (*end)(struct watch *watch); /* called by the thread after ended was set */
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

/* SIGTERM came. For signal handlers: scripts that run, on whatever lane, are ended soon. */
void watchdog_stop(void);

/* Whether the script that runs was told to end, not one before it. */
static inline bool watch_is_ended(const struct watch *watch)
{
    return atomic_load_explicit(&watch->ended, memory_order_acquire) ==
           atomic_load_explicit(&watch->starts, memory_order_relaxed);
}

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
