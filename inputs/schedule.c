/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/schedule.h"

#include <assert.h>

#include "base/mem.h"
#include "io/loop_timer.h"

enum {
    LOOK_AGAIN_MS = 30 * 1000, /* the wall clock may be set meanwhile */
    MS_OF_SECOND = 1000,
};

struct schedule {
    const struct plugin_env *env;
    struct schedule_when when;
    void (*run)(void *ctx);
    void *ctx;
    struct loop_timer *timer;
    uint64_t due_ms; /* EVERY, by the loop's clock */
    int64_t due_s;   /* CRON, by the wall clock */
    bool running, missed, stopped, over;
};

/* ---- durations ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    int64_t ms;
} UNITS[] = {
    {"ms", 1},       {"s", 1000},      {"m", 60000},       {"h", 3600000},
    {"d", 86400000}, {"w", 604800000}, {"y", 31536000000},
};

static int64_t unit_ms(struct str name)
{
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++)
        if (str_equal(name, str_from(UNITS[i].name)))
            return UNITS[i].ms;
    return 0;
}

static size_t span(struct str text, size_t from, bool digits)
{
    size_t at = from;
    while (at < text.len &&
           ((text.ptr[at] >= '0' && text.ptr[at] <= '9') || text.ptr[at] == '.') == digits)
        at++;
    return at;
}

bool schedule_duration(struct str text, int64_t *ms_out)
{
    double sum = 0, number;
    for (size_t at = 0; at < text.len;) {
        size_t digits_end = span(text, at, true), unit_end = span(text, digits_end, false);
        struct str unit = str_make(text.ptr + digits_end, unit_end - digits_end);
        int64_t ms = unit.len == 0 && at == 0 ? MS_OF_SECOND : unit_ms(unit);
        if (ms == 0 || !str_to_double(str_make(text.ptr + at, digits_end - at), &number))
            return false;
        sum += number * (double)ms;
        at = unit_end;
    }
    if (sum < 1 || sum > 3153600000000.0) /* a hundred years */
        return false;
    *ms_out = (int64_t)sum;
    return true;
}

/* ---- waiting -------------------------------------------------------------------------------------- */

static uint64_t loop_ms(const struct schedule *schedule)
{
    return uv_now(schedule->env->loop);
}

static void begin(struct schedule *schedule)
{
    schedule->running = true;
    schedule->missed = false;
    schedule->run(schedule->ctx);
}

/* How long until it is due; 0: it is. */
static uint64_t wait_ms(const struct schedule *schedule)
{
    if (schedule->when.kind != SCHEDULE_CRON)
        return schedule->due_ms > loop_ms(schedule) ? schedule->due_ms - loop_ms(schedule) : 0;
    struct instant now = schedule->env->now();
    if (now.seconds >= schedule->due_s)
        return 0;
    if (schedule->due_s - now.seconds > LOOK_AGAIN_MS / MS_OF_SECOND)
        return LOOK_AGAIN_MS;
    return (uint64_t)(schedule->due_s - now.seconds) * MS_OF_SECOND - now.nanoseconds / 1000000;
}

static void set_next(struct schedule *schedule)
{
    uint64_t now = loop_ms(schedule);
    if (schedule->when.kind == SCHEDULE_CRON) {
        schedule->over =
            !cron_next(&schedule->when.cron, schedule->env->now().seconds, &schedule->due_s);
        return;
    }
    schedule->over = schedule->when.kind == SCHEDULE_ONCE;
    schedule->due_ms += (uint64_t)schedule->when.every_ms;
    if (schedule->due_ms < now) /* behind by more than one: those are left out */
        schedule->due_ms = now;
}

static void wait(struct schedule *schedule)
{
    if (!schedule->stopped && !schedule->over)
        loop_timer_start(schedule->timer, wait_ms(schedule));
}

static void on_timer(void *ctx)
{
    struct schedule *schedule = ctx;
    if (wait_ms(schedule) > 0) {
        wait(schedule);
        return;
    }
    set_next(schedule);
    if (schedule->running)
        schedule->missed =
            true; /* run() comes behind what is running, and then time is counted on */
    else
        begin(schedule);
    if (!schedule->missed)
        wait(schedule);
}

struct schedule *schedule_start(const struct plugin_env *env, const struct schedule_when *when,
                                void (*run)(void *ctx), void *ctx)
{
    struct schedule *schedule = mem_zero(1, sizeof *schedule);
    schedule->env = env;
    schedule->when = *when;
    schedule->run = run;
    schedule->ctx = ctx;
    schedule->timer = loop_timer_new(env->loop, on_timer, schedule);
    uv_update_time(env->loop);
    schedule->due_ms = loop_ms(schedule) + (uint64_t)when->first_ms;
    if (when->kind == SCHEDULE_CRON)
        set_next(schedule);
    wait(schedule);
    return schedule;
}

bool schedule_done(struct schedule *schedule)
{
    assert(schedule->running);
    schedule->running = false;
    if (!schedule->missed || schedule->stopped)
        return false;
    if (schedule->when.kind == SCHEDULE_EVERY)
        schedule->due_ms = loop_ms(schedule) + (uint64_t)schedule->when.every_ms;
    begin(schedule);
    wait(schedule);
    return true;
}

void schedule_stop(struct schedule *schedule)
{
    if (!schedule)
        return;
    schedule->stopped = true;
    loop_timer_stop(schedule->timer);
}

void schedule_free(struct schedule *schedule)
{
    if (!schedule)
        return;
    loop_timer_close(schedule->timer);
    mem_free(schedule);
}
