/* SPDX-License-Identifier: Apache-2.0 */
#include "script/watchdog.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "base/mem.h"
#include "base/thread.h"

enum {
    LOOKS = 4, /* within a timeout: it is noticed at most a quarter of it late */
    LOOK_MS_MIN = 10,
    LOOK_MS_MAX = 1000,
};

/* The one of the process: scripts of all lanes of all pipelines are watched by it. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    struct watch *watches;
    uint64_t look_ms;
    atomic_bool stopping;
    uintptr_t generation; /* of the thread that looks; another one is to end. Even: there is none */
} watchdog = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* ---- telling ---------------------------------------------------------------------------------------- */

static void tell_ended(struct watch *watch, uint64_t ms, bool stopping)
{
    const struct watched *ended = watch->seen;
    const struct plugin_env *env = ended->env;
    const char *file = env->position.file ? env->position.file : "";
    watch->reported = true;
    if (ended->timeouts && !stopping)
        counter_add(ended->timeouts, 1);
    snprintf(watch->trouble.symptom, SYMPTOM_BYTES,
             "the script of the filter '%.*s' (%s:%u) has not returned for more than %.1f s",
             STR_FMT(env->id), file, env->position.line, (double)ms / 1000);
    if (env->engine)
        health_begin(engine_health(env->engine), &watch->trouble);
    log_error(env->log, "script_ended",
              stopping ? "a script has not returned while the pipeline stops, and is ended"
                       : "a script has not returned within script_timeout, and is ended",
              LOG_CSTR("file", file), LOG_INT("line", env->position.line),
              LOG_FLOAT("seconds", (double)ms / 1000));
}

static void tell_returned(struct watch *watch, uint64_t now)
{
    const struct plugin_env *env = watch->seen->env;
    assert(watch->reported);
    watch->reported = false;
    if (env->engine)
        health_end(engine_health(env->engine), &watch->trouble);
    log_warn(env->log, "script_returned", "the script that was ended has returned",
             LOG_FLOAT("seconds", (double)(now - watch->since_ms) / 1000));
}

/* ---- looking ---------------------------------------------------------------------------------------- */

/* How long the script may run: WATCHDOG_STOP_MS at most once the process is to stop. 0: any time. */
static uint64_t allowed_ms(const struct watched *running, bool stopping)
{
    if (stopping && (running->timeout_ms == 0 || running->timeout_ms > WATCHDOG_STOP_MS))
        return WATCHDOG_STOP_MS;
    return running->timeout_ms;
}

static void end(struct watch *watch, uint64_t starts, uint64_t ms, bool stopping)
{
    tell_ended(watch, ms, stopping);
    atomic_store_explicit(&watch->ended, starts, memory_order_release);
    if (watch->end)
        watch->end(watch);
}

/* No start between two looks at a script that runs: it is the same run. */
static void look(struct watch *watch, uint64_t now)
{
    const struct watched *running = atomic_load_explicit(&watch->running, memory_order_acquire);
    uint64_t starts = atomic_load_explicit(&watch->starts, memory_order_relaxed);
    if (!running || running != watch->seen || starts != watch->seen_starts) {
        if (watch->reported)
            tell_returned(watch, now);
        watch->seen = running;
        watch->seen_starts = starts;
        watch->since_ms = now;
    } else if (
        watch->reported) { /* what runs still is no longer the script's code, or raised in vain */
        if (watch->end)
            watch->end(watch);
    } else {
        bool stopping = atomic_load(&watchdog.stopping);
        uint64_t allowed = allowed_ms(running, stopping);
        if (allowed > 0 && now - watch->since_ms >= allowed)
            end(watch, starts, now - watch->since_ms, stopping && allowed != running->timeout_ms);
    }
}

static void wait_for_next_look(void)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(watchdog.look_ms / 1000);
    until.tv_nsec += (long)(watchdog.look_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_clockwait(&watchdog.changed, &watchdog.lock, CLOCK_MONOTONIC, &until);
}

static void run_watchdog(void *generation)
{
    pthread_mutex_lock(&watchdog.lock);
    while (watchdog.generation == (uintptr_t)generation) {
        wait_for_next_look();
        uint64_t now = clock_monotonic_ms();
        for (struct watch *watch = watchdog.watches; watch; watch = watch->next)
            look(watch, now);
    }
    pthread_mutex_unlock(&watchdog.lock);
}

/* ---- life ------------------------------------------------------------------------------------------- */

static void start_thread(void)
{
    watchdog.look_ms = LOOK_MS_MAX;
    watchdog.generation++;
    if (!thread_start(&watchdog.thread, run_watchdog, (void *)watchdog.generation))
        mem_abort("cannot start the thread that watches scripts");
}

void watchdog_add(struct watch *watch)
{
    pthread_mutex_lock(&watchdog.lock);
    if (!watchdog.watches)
        start_thread();
    watch->next = watchdog.watches;
    watchdog.watches = watch;
    pthread_mutex_unlock(&watchdog.lock);
}

void watchdog_remove(struct watch *watch)
{
    pthread_mutex_lock(&watchdog.lock);
    struct watch **at = &watchdog.watches;
    while (*at && *at != watch)
        at = &(*at)->next;
    assert(*at && !watch->reported);
    *at = watch->next;
    bool last = !watchdog.watches;
    pthread_t thread = watchdog.thread;
    if (last) {
        watchdog.generation++;
        pthread_cond_broadcast(&watchdog.changed);
    }
    pthread_mutex_unlock(&watchdog.lock);
    if (last)
        pthread_join(thread, NULL);
}

void watchdog_stop(void)
{
    atomic_store(&watchdog.stopping, true);
}

void watchdog_expect(const struct watched *watched)
{
    uint64_t look_ms = watched->timeout_ms / LOOKS;
    if (watched->timeout_ms == 0)
        return;
    pthread_mutex_lock(&watchdog.lock);
    if (look_ms < watchdog.look_ms)
        watchdog.look_ms = look_ms > LOOK_MS_MIN ? look_ms : LOOK_MS_MIN;
    pthread_cond_broadcast(&watchdog.changed);
    pthread_mutex_unlock(&watchdog.lock);
}

void watchdog_forget(struct watch *watch, const struct watched *watched)
{
    pthread_mutex_lock(&watchdog.lock);
    assert(atomic_load(&watch->running) != watched);
    if (watch->seen == watched) {
        if (watch->reported)
            tell_returned(watch, clock_monotonic_ms());
        watch->seen = NULL;
    }
    pthread_mutex_unlock(&watchdog.lock);
}
