/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/tap.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/engine/tap_private.h"
#include "pipeline/program/plan.h"
#include "pipeline/program/where.h"

enum { THOUSAND = 1000 };

static void make_lock(uv_mutex_t *lock)
{
    if (uv_mutex_init(lock) != 0)
        mem_abort("cannot make a mutex");
}

void taps_init(struct taps *taps)
{
    *taps = (struct taps){.list = NULL};
    make_lock(&taps->lock);
}

void taps_release(struct taps *taps)
{
    assert(!taps->list && atomic_load(&taps->open) == 0);
    uv_mutex_destroy(&taps->lock);
}

/* ---- opening and closing -------------------------------------------------------------------------- */

static void copy_options(struct tap *tap, const struct tap_options *options)
{
    tap->options = *options;
    tap->options.pipeline = arena_dup(&tap->arena, options->pipeline);
    tap->options.plugin = arena_dup(&tap->arena, options->plugin);
    tap->options.where = arena_dup(&tap->arena, options->where);
    if (tap->options.sample == 0)
        tap->options.sample = 1;
    if (tap->options.rate == 0)
        tap->options.rate = TAP_RATE_DEFAULT;
    tap->thousandths = (uint64_t)tap->options.rate * THOUSAND;
    tap->filled_ms = options->now_ms();
}

static void free_tap(struct tap *tap)
{
    for (struct tap_line *line; (line = tap->first);) {
        tap->first = line->next;
        mem_free(line);
    }
    condition_release(tap->where);
    uv_mutex_destroy(&tap->lock);
    arena_release(&tap->arena);
    mem_free(tap);
}

/* Into the list, unless that is full. */
static bool enlist(struct taps *taps, struct tap *tap, struct error *err)
{
    uv_mutex_lock(&taps->lock);
    bool fits = atomic_load(&taps->open) < TAPS_MAX;
    if (fits) {
        tap->serial = ++taps->opened;
        tap->next = taps->list;
        taps->list = tap;
        atomic_fetch_add(&taps->open, 1);
    }
    uv_mutex_unlock(&taps->lock);
    return fits || error_set(err, ERROR_BUSY, "%d taps are open already; close one", TAPS_MAX);
}

struct tap *tap_open(struct taps *taps, const struct tap_options *options, struct error *err)
{
    assert(options->now_ms && options->wake && options->pipeline.len > 0);
    struct tap *tap = mem_zero(1, sizeof *tap);
    arena_init(&tap->arena, NULL);
    make_lock(&tap->lock);
    tap->end = &tap->first;
    atomic_init(&tap->references, 1);
    copy_options(tap, options);
    bool ok = options->rate <= TAP_RATE_MAX ||
              error_set(err, ERROR_CONFIG, "at most %d events a second are shown", TAP_RATE_MAX);
    if (ok && options->where.len > TAP_WHERE_MAX_BYTES)
        ok = error_set(err, ERROR_CONFIG, "a condition has at most %d bytes", TAP_WHERE_MAX_BYTES);
    if (ok && options->where.len > 0) {
        tap->where = where_compile(&tap->arena, tap->options.where, options->escape, err);
        ok = tap->where;
    }
    if (ok && enlist(taps, tap, err))
        return tap;
    free_tap(tap);
    return NULL;
}

void tap_unref(struct tap *tap)
{
    unsigned before = atomic_fetch_sub(&tap->references, 1);
    assert(before > 0);
    if (before == 1)
        free_tap(tap);
}

void tap_close(struct taps *taps, struct tap *tap)
{
    uv_mutex_lock(&taps->lock);
    struct tap **at = &taps->list;
    while (*at != tap) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = tap->next;
    atomic_fetch_sub(&taps->open, 1);
    uv_mutex_unlock(&taps->lock);
    uv_mutex_lock(&tap->lock);
    tap->closed = true;
    uv_mutex_unlock(&tap->lock);
    tap_unref(tap);
}

/* ---- where it looks ------------------------------------------------------------------------------- */

static bool looks_at(const struct tap_options *options, const char *pipeline,
                     const struct plan_plugin *plugin, enum tap_place place)
{
    if (!str_equal(options->pipeline, str_from(pipeline)))
        return false;
    if (place == TAP_END)
        return options->plugin.len == 0;
    if (!str_equal(options->plugin, plugin->id))
        return false;
    if (plugin->section != CONF_FILTER || options->diff)
        return true;
    return options->before == (place == TAP_BEFORE);
}

size_t taps_at(struct taps *taps, const char *pipeline, const struct plan_plugin *plugin,
               enum tap_place place, struct tap *found[TAPS_MAX])
{
    assert((place == TAP_END) == !plugin);
    size_t count = 0;
    uv_mutex_lock(&taps->lock);
    for (struct tap *tap = taps->list; tap; tap = tap->next) {
        if (!looks_at(&tap->options, pipeline, plugin, place))
            continue;
        assert(count < TAPS_MAX);
        atomic_fetch_add(&tap->references, 1);
        found[count++] = tap;
    }
    uv_mutex_unlock(&taps->lock);
    return count;
}

/* ---- how much is shown ---------------------------------------------------------------------------- */

/* Locked. */
static void fill(struct tap *tap)
{
    uint64_t now_ms = tap->options.now_ms(), most = (uint64_t)tap->options.rate * THOUSAND;
    if (now_ms <= tap->filled_ms)
        return;
    uint64_t passed_ms = now_ms - tap->filled_ms;
    tap->filled_ms = now_ms;
    if (passed_ms > THOUSAND)
        passed_ms = THOUSAND;
    tap->thousandths += passed_ms * tap->options.rate;
    if (tap->thousandths > most)
        tap->thousandths = most;
}

bool tap_take_turn(struct tap *tap)
{
    uv_mutex_lock(&tap->lock);
    fill(tap);
    bool has = tap->thousandths >= THOUSAND;
    if (has)
        tap->thousandths -= THOUSAND;
    else
        tap->limited++;
    uv_mutex_unlock(&tap->lock);
    return has;
}

uint64_t tap_turns(struct tap *tap)
{
    uv_mutex_lock(&tap->lock);
    fill(tap);
    uint64_t turns = tap->thousandths / THOUSAND;
    uv_mutex_unlock(&tap->lock);
    return turns;
}

/* ---- the queue ------------------------------------------------------------------------------------ */

/* Locked. */
static bool append(struct tap *tap, struct tap_line *line)
{
    if (tap->closed)
        return false;
    if (tap->queued == TAP_QUEUE_MAX_EVENTS ||
        tap->queued_bytes + line->len > TAP_QUEUE_MAX_BYTES) {
        tap->dropped++;
        return false;
    }
    *tap->end = line;
    tap->end = &line->next;
    tap->queued_bytes += line->len;
    tap->shown++;
    if (tap->queued++ == 0)
        tap->options.wake(tap->options.ctx);
    return true;
}

void tap_put(struct tap *tap, struct str text)
{
    struct tap_line *line = mem_alloc(sizeof *line + text.len);
    line->next = NULL;
    line->len = text.len;
    memcpy(line->text, text.ptr, text.len);
    uv_mutex_lock(&tap->lock);
    bool taken = append(tap, line);
    uv_mutex_unlock(&tap->lock);
    if (!taken)
        mem_free(line);
}

struct tap_line *tap_take(struct tap *tap)
{
    uv_mutex_lock(&tap->lock);
    struct tap_line *line = tap->first;
    if (line) {
        tap->first = line->next;
        if (!tap->first)
            tap->end = &tap->first;
        assert(tap->queued > 0 && tap->queued_bytes >= line->len);
        tap->queued--;
        tap->queued_bytes -= line->len;
        line->next = NULL;
    }
    uv_mutex_unlock(&tap->lock);
    return line;
}

bool tap_has_lines(struct tap *tap)
{
    uv_mutex_lock(&tap->lock);
    bool has = tap->queued > 0;
    uv_mutex_unlock(&tap->lock);
    return has;
}

struct tap_counts tap_counts(struct tap *tap)
{
    uv_mutex_lock(&tap->lock);
    struct tap_counts counts = {
        .matched = atomic_load(&tap->matched),
        .shown = tap->shown,
        .limited = tap->limited,
        .dropped = tap->dropped,
        .unseen = atomic_load(&tap->unseen),
    };
    uv_mutex_unlock(&tap->lock);
    return counts;
}
