/* SPDX-License-Identifier: Apache-2.0
 *
 * What tap.c and tap_look.c share.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_TAP_PRIVATE_H
#define MILLRACE_PIPELINE_ENGINE_TAP_PRIVATE_H

#include "base/arena.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/tap.h"

/* Time that a lane has for conditions (T3); written by that lane only. */
struct tap_credit {
    uint64_t ns, since_ms;
    bool begun;
};

struct tap {
    struct tap *next; /* the hub's lock */
    struct tap_options options;
    struct arena arena;
    struct condition *where; /* NULL: all */
    uint64_t serial;
    atomic_uint references; /* the opener's and those of lanes that look */
    atomic_uint_fast64_t matched, unseen;
    struct tap_credit credits[LANES_MAX];
    uv_mutex_t lock; /* of all below */
    bool closed;
    struct tap_line *first, **end;
    size_t queued, queued_bytes;
    uint64_t thousandths; /* of events that the rate has room for */
    uint64_t filled_ms;
    uint64_t shown, limited, dropped;
};

enum tap_place {
    TAP_BEFORE, /* a filter or an output gets it */
    TAP_BEHIND, /* an input or a filter gave it */
    TAP_MADE,   /* the same, of a filter's tick: it has no before */
    TAP_END,    /* behind all filters; no plugin */
};

struct plan_plugin;

/* Those that look at this point now, each with a reference; how many. */
size_t taps_at(struct taps *taps, const char *pipeline, const struct plan_plugin *plugin,
               enum tap_place place, struct tap *found[TAPS_MAX]);
void tap_unref(struct tap *tap);
/* Whether one more may be shown now; what is not is counted. */
bool tap_take_turn(struct tap *tap);
/* How many more may be shown now. */
uint64_t tap_turns(struct tap *tap);
/* Into the queue, or dropped (T2). */
void tap_put(struct tap *tap, struct str line);

#endif
