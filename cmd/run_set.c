/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_set.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/time/clock.h"
#include "cmd/run_order.h"
#include "cmd/run_reload.h"
#include "io/listen_socket.h"

enum { REAP_EACH_MS = 10, RELOAD_DRAIN_MS = 5000 };

static void on_ended(struct run_pipeline *pipeline);

static void count(struct run_set *set, struct run_pipeline *pipeline)
{
    set->running += !pipeline->counted;
    pipeline->counted = true;
}

static void uncount(struct run_set *set, struct run_pipeline *pipeline)
{
    assert(!pipeline->counted || set->running > 0);
    set->running -= pipeline->counted;
    pipeline->counted = false;
    if (set->running == 0)
        set->over(set->ctx);
}

/* ---- replacing ------------------------------------------------------------------------------------ */

static bool is_to_be_reaped(const struct run_pipeline *pipeline)
{
    return pipeline->ended && (pipeline->next || pipeline->removed);
}

static bool is_changing(const struct run_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->pipelines[i]->next || set->pipelines[i]->removed)
            return true;
    return false;
}

/* When nothing changes any more, what was asked for meanwhile begins. */
static void look_for_end(struct run_set *set)
{
    if (is_changing(set))
        return;
    listen_socket_keep(false);
    if (set->reloads_later && set->stop_by_ms == 0) {
        set->reloads_later = false;
        run_set_reload(set, true);
    }
}

static void take_out(struct run_set *set, size_t index)
{
    struct run_pipeline *gone = set->pipelines[index];
    for (size_t i = index; i + 1 < set->count; i++)
        set->pipelines[i] = set->pipelines[i + 1];
    set->count--;
    log_info(set->log, "pipeline_removed", "a pipeline was removed",
             LOG_STR("pipeline", gone->settings->pipeline_id));
    uncount(set, gone);
    run_pipeline_free(gone);
    run_order_sort(set->pipelines, set->count, set->order);
}

/* ---- what became of reloads ----------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct instant now = clock_now();
    return now.seconds * 1000 + now.nanoseconds / 1000000;
}

static void note_success(struct run_pipeline *pipeline)
{
    pipeline->reloads.successes++;
    pipeline->reloads.last_success_ms = now_ms();
}

void run_set_note_failure(struct run_pipeline *pipeline, const char *why)
{
    pipeline->reloads.failures++;
    pipeline->reloads.last_failure_ms = now_ms();
    snprintf(pipeline->reloads.last_error, sizeof pipeline->reloads.last_error, "%s", why);
}

/* ---- replacing, the rest -------------------------------------------------------------------------- */

/* The one that is over makes room for the next one, and comes again when that does not start. */
static void replace(struct run_set *set, size_t index)
{
    struct run_pipeline *old = set->pipelines[index], *next = old->next;
    bool last = next->is_fallback;
    old->next = NULL;
    old->ended = false;
    old->is_fallback = true;
    next->next = last ? NULL : old;
    set->pipelines[index] = next;
    run_order_sort(set->pipelines, set->count, set->order);
    count(set, next);
    set->running -= old->counted; /* never the last one */
    old->counted = false;
    if (run_pipeline_start(next, set->shared, stderr, on_ended, set)) {
        if (!last) {
            next->reloads = old->reloads;
            note_success(next);
        }
        log_info(set->log, "pipeline_reloaded",
                 last ? "the pipeline runs again as it was" : "a pipeline runs as it was changed",
                 LOG_STR("pipeline", next->settings->pipeline_id));
        next->next = NULL;
        next->is_fallback = false;
    } else {
        if (!last) {
            old->refused = run_reload_hash(next);
            run_set_note_failure(old, "the changed pipeline does not start");
        }
        log_error(set->log, "reload_failed",
                  last ? "a pipeline that ran before does not start again"
                       : "the changed pipeline does not start; the one before starts again",
                  LOG_STR("pipeline", next->settings->pipeline_id));
    }
    if (next->next != old)
        run_pipeline_free(old);
}

static void on_reap(uv_timer_t *timer)
{
    struct run_set *set = timer->data;
    for (size_t i = 0; i < set->count; i++) {
        struct run_pipeline *pipeline = set->pipelines[i];
        if (!is_to_be_reaped(pipeline) || !run_pipeline_try_finish(pipeline))
            continue;
        if (pipeline->removed)
            take_out(set, i--);
        else
            replace(set, i);
    }
    if (!is_changing(set))
        uv_timer_stop(&set->reaper);
    look_for_end(set);
}

static void reap_soon(struct run_set *set)
{
    if (!uv_is_active((uv_handle_t *)&set->reaper))
        uv_timer_start(&set->reaper, on_reap, REAP_EACH_MS, REAP_EACH_MS);
}

/* ---- the end of one ------------------------------------------------------------------------------- */

static void on_ended(struct run_pipeline *pipeline)
{
    struct run_set *set = pipeline->ctx;
    if (set->stop_by_ms == 0 && is_to_be_reaped(pipeline)) {
        reap_soon(set);
        return;
    }
    if (set->stop_by_ms > 0)
        run_order_stop(set->pipelines, set->count, run_set_left_ms(set));
    else
        run_order_ended(set->pipelines, set->count, pipeline);
    uncount(set, pipeline);
}

/* ---- reload --------------------------------------------------------------------------------------- */

static void add(struct run_set *set, struct run_pipeline *pipeline)
{
    size_t bytes = (set->count + 1) * sizeof(struct run_pipeline *);
    set->pipelines = mem_realloc(set->pipelines, bytes);
    set->order = mem_realloc(set->order, bytes);
    set->pipelines[set->count++] = pipeline;
    run_order_sort(set->pipelines, set->count, set->order);
    count(set, pipeline);
    if (!run_pipeline_start(pipeline, set->shared, stderr, on_ended, set))
        log_error(set->log, "reload_failed", "a new pipeline does not start",
                  LOG_STR("pipeline", pipeline->settings->pipeline_id));
}

static void stop_for_change(struct run_set *set, struct run_pipeline *pipeline)
{
    listen_socket_keep(true);
    if (pipeline->ended)
        reap_soon(set);
    else
        engine_stop_within(pipeline->engine, RELOAD_DRAIN_MS);
}

/* ---- a change while it runs ------------------------------------------------------------------------ */

static void take_over(struct run_set *set, struct run_pipeline *pipeline, struct run_pipeline *next)
{
    size_t index = 0;
    while (set->pipelines[index] != pipeline)
        index++;
    assert(index < set->count);
    pipeline->next = NULL;
    run_pipeline_hand_over(pipeline, next);
    next->reloads = pipeline->reloads;
    note_success(next);
    set->pipelines[index] = next;
    run_order_sort(set->pipelines, set->count, set->order);
    log_info(set->log, "pipeline_reloaded", "a pipeline runs as it was changed",
             LOG_STR("pipeline", next->settings->pipeline_id));
}

/* The engine frees what it did not take. */
static void keep_as_it_is(struct run_set *set, struct run_pipeline *pipeline,
                          const struct run_pipeline *next, const char *why)
{
    pipeline->refused = run_reload_hash(next);
    pipeline->next = NULL;
    run_set_note_failure(pipeline, why);
    log_error(set->log, "reload_failed",
              "what was changed cannot be used; what runs goes on as it is",
              LOG_STR("pipeline", pipeline->settings->pipeline_id), LOG_CSTR("reason", why));
}

static bool on_changed(void *ctx, enum change_result result, const struct error *err)
{
    struct run_pipeline *pipeline = ctx, *next = pipeline->next;
    struct run_set *set = pipeline->ctx;
    bool whole = (result == CHANGE_BUSY || result == CHANGE_LATE) &&
                 !run_reload_reads_stdin(pipeline) && set->stop_by_ms == 0;
    assert(pipeline->changing && next);
    pipeline->changing = false;
    if (whole) {
        stop_for_change(set, pipeline);
        return true;
    }
    if (result == CHANGE_DONE) {
        take_over(set, pipeline, next);
    } else {
        if (err->code != ERROR_NONE)
            run_pipeline_tell(next, err, stderr);
        keep_as_it_is(set, pipeline, next,
                      err->code != ERROR_NONE ? err->text : "its filters were not done in time");
    }
    look_for_end(set);
    return false;
}

static void change(struct run_set *set, struct run_pipeline *pipeline)
{
    if (!pipeline->next || !run_pipeline_can_change(pipeline, pipeline->next)) {
        stop_for_change(set, pipeline);
        return;
    }
    pipeline->changing = true;
    run_pipeline_change(pipeline, pipeline->next, on_changed, pipeline);
}

void run_set_reload(struct run_set *set, bool quiet)
{
    struct run_changes changes;
    if (set->stop_by_ms > 0)
        return;
    if (is_changing(set)) {
        set->reloads_later = true;
        return;
    }
    if (!run_reload_find(set, quiet, &changes))
        return;
    for (size_t i = 0; i < set->count; i++) {
        struct run_pipeline *pipeline = set->pipelines[i];
        pipeline->next = changes.next[i];
        pipeline->removed = changes.removed[i];
        if (pipeline->next && pipeline->next->plan->needs_provenance)
            set->shared->provenance = true;
        if (pipeline->next || pipeline->removed)
            change(set, pipeline);
    }
    for (size_t i = 0; i < changes.added_count; i++)
        add(set, changes.added[i]);
    run_reload_release(&changes);
}

/* ---- start and end -------------------------------------------------------------------------------- */

bool run_set_start(struct run_set *set)
{
    uv_timer_init(set->shared->loop, &set->reaper);
    set->reaper.data = set;
    for (size_t i = 0; i < set->count; i++) {
        count(set, set->order[i]);
        if (run_pipeline_start(set->order[i], set->shared, stderr, on_ended, set))
            continue;
        run_set_stop(set);
        return false;
    }
    return true;
}

void run_set_stop(struct run_set *set)
{
    uv_update_time(set->shared->loop);
    set->stop_by_ms = uv_now(set->shared->loop) + (uint64_t)set->settings->shutdown_timeout_ms;
    uv_timer_stop(&set->reaper);
    run_order_stop(set->pipelines, set->count, (uint64_t)set->settings->shutdown_timeout_ms);
    for (size_t i = 0; i < set->count; i++)
        if (is_to_be_reaped(set->pipelines[i]))
            uncount(set, set->pipelines[i]);
}

uint64_t run_set_left_ms(const struct run_set *set)
{
    uint64_t now_ms = uv_now(set->shared->loop);
    return set->stop_by_ms > now_ms ? set->stop_by_ms - now_ms : 0;
}

void run_set_close(struct run_set *set)
{
    uv_close((uv_handle_t *)&set->reaper, NULL);
    listen_socket_keep(false);
}

bool run_set_finish(struct run_set *set)
{
    bool delivered = true;
    for (size_t i = 0; i < set->count; i++)
        if (set->pipelines[i]->engine)
            engine_join(set->pipelines[i]->engine);
    for (size_t i = 0; i < set->count; i++)
        delivered = run_pipeline_finish(set->order[i]) && delivered;
    return delivered;
}
