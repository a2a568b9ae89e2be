/* SPDX-License-Identifier: Apache-2.0
 *
 * A tap: copies of the events at one point of a running pipeline, as lines of JSON, for somebody who looks on. The point is
 * named by the ids of pipeline and plugin and looked for anew with each slice, so a tap goes on after a reload.
 *
 *   main thread:  tap_open ──▶ (options.wake: something is there) ──▶ tap_take … ──▶ tap_close
 *   lanes:        tap_look (tap_look.h) ──▶ tap_put
 *
 * Invariants
 * T1. While no tap is open, a lane pays one relaxed load for each slice and step, and nothing else.
 * T2. A lane never waits for who looks on: it holds a lock for the time that a line takes to be hung on a list, and what
 *     does not fit into the queue is dropped and counted.
 * T3. A condition takes at most TAP_WHERE_PERCENT of a lane's time; events that it has no time for are counted (unseen).
 *
 * A tap belongs to its opener until tap_close, and then to the lanes that still look through it.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_TAP_H
#define MILLRACE_PIPELINE_ENGINE_TAP_H

#include <stdatomic.h>
#include <uv.h>

#include "base/error.h"
#include "base/str.h"
#include "conf/field_ref.h"

enum {
    TAPS_MAX = 16,               /* open at once */
    TAP_RATE_DEFAULT = 10,       /* events a second */
    TAP_RATE_MAX = 1000,         /* that may be asked for */
    TAP_EVENT_MAX_BYTES = 65536, /* of JSON; of a larger event only that it came is shown */
    TAP_QUEUE_MAX_EVENTS = 256,  /* that nobody has taken yet */
    TAP_QUEUE_MAX_BYTES = 1 << 20,
    TAP_WHERE_MAX_BYTES = 4096,   /* the text of a condition */
    TAP_WHERE_PERCENT = 25,       /* of a lane's time, */
    TAP_WHERE_BURST_MS = 1000,    /* over so long */
    TAP_DIFF_MAX_BYTES = 1 << 20, /* of one slice, kept while a filter has it */
};

struct condition;
struct tap;

struct taps {
    uv_mutex_t lock; /* of what follows */
    struct tap *list;
    uint64_t opened; /* ever */
    atomic_uint open;
};

struct tap_options {
    struct str pipeline, plugin; /* ids; plugin empty: behind all filters, what outputs get */
    struct str where;            /* empty: all events */
    bool before;                 /* of a filter: as events come, not as they leave it */
    bool diff;                   /* of a filter: both */
    bool metadata;               /* with @metadata */
    uint64_t sample;             /* each so many that match; 0: as 1 */
    unsigned rate;               /* a second; 0: TAP_RATE_DEFAULT */
    enum field_escape escape;
    uint64_t (*now_ms)(void); /* a monotonic clock, any thread */
    void (*wake)(
        void *
            ctx); /* tap_take has something. Any thread, with the tap locked: only posts a message */
    void *ctx;
};

struct tap_counts {
    uint64_t matched; /* came by and fulfilled the condition */
    uint64_t shown;   /* are, or were, in the queue */
    uint64_t limited; /* more than the rate */
    uint64_t dropped; /* the queue was full: who looks on is slow */
    uint64_t unseen;  /* T3 */
};

/* A line of JSON without its end, to be freed with mem_free. */
struct tap_line {
    struct tap_line *next;
    size_t len;
    char text[];
};

void taps_init(struct taps *taps);
void taps_release(struct taps *taps); /* no tap is open, no lane runs */

/* Texts are copied. NULL with *err: where is no condition, or too many are open. */
struct tap *tap_open(struct taps *taps, const struct tap_options *options, struct error *err);
void tap_close(struct taps *taps, struct tap *tap); /* wake is not called any more */
struct tap_line *tap_take(struct tap *tap);         /* the oldest; NULL: none */
bool tap_has_lines(struct tap *tap);
struct tap_counts tap_counts(struct tap *tap);

/* T1 */
static inline bool taps_are_open(const struct taps *taps)
{
    return taps && atomic_load_explicit(&taps->open, memory_order_relaxed) > 0;
}

#endif
