/* SPDX-License-Identifier: Apache-2.0
 *
 * The alerts of one output: which there are, how often each was raised, what Alertmanager is to be told of them and when.
 * Knows neither network nor clock. One thread.
 *
 *             alerts_raise                alerts_confirm
 *   (none) ────────────────▶ UNTOLD ─────────────────────▶ FIRING ── silence, told as resolved ──▶ (none)
 *      ▲                        │ alerts_undo                │ ▲
 *      └────────────────────────┘                            └─┘ told again every resend_ms, and after a second when
 *                                                                more events came
 *
 * Invariants
 * A1. What was raised since the last confirm or undo is counted in `fresh` and nowhere else; so a group of events that is
 *     given back and comes again is counted once.
 * A2. At most new_per_second alerts begin in one second, and at most max_alerts exist; what is raised beyond that is counted
 *     in the storm, one alert more.
 */
#ifndef MILLRACE_OUTPUTS_ALERTMANAGER_ALERTS_H
#define MILLRACE_OUTPUTS_ALERTMANAGER_ALERTS_H

#include "base/buf.h"
#include "base/map.h"
#include "base/time/clock.h"

enum { ALERT_SECOND_MS = 1000 };

/* Texts are JSON; borrowed for the call where they are arguments. */
struct alert_rules {
    uint64_t resolve_after_ms, resend_ms;
    unsigned new_per_second;
    size_t max_alerts;
    struct str storm_labels; /* an object */
    struct str count_name;   /* of the annotation with the count; empty: none */
    struct str generator;    /* generatorURL, a text as it is; empty: none */
};

struct alert {
    struct alert *next; /* in the order of their beginnings */
    struct str key;     /* empty: the storm */
    struct str labels, annotations;
    uint64_t count,
        fresh; /* events that were told or need not be first; and those that are neither yet */
    uint64_t told_count; /* what Alertmanager heard of last */
    struct instant starts_at;
    uint64_t raised_ms, told_ms;               /* last; of the monotonic clock */
    uint64_t telling_raised_ms, telling_count; /* of what is being told */
    bool untold;                               /* Alertmanager does not know it */
    bool telling_end;                          /* and that as resolved */
    bool telling; /* it is in the text that was made last by alerts_write_due */
};

struct alerts {
    struct alert_rules rules;
    struct map by_key;
    struct alert *first, **last;
    struct alert *storm; /* one of them, or NULL */
    size_t count;
    uint64_t second_ms; /* when the second began, */
    unsigned begun;     /* and how many alerts in it */
};

struct alert_event {
    struct str key, labels, annotations;
};

void alerts_init(struct alerts *alerts, const struct alert_rules *rules);
void alerts_release(struct alerts *alerts);
/* True: Alertmanager knows this alert, so the event is safe. False: it must be told first. */
bool alerts_raise(struct alerts *alerts, const struct alert_event *event, uint64_t now_ms,
                  struct instant now);

/* The alerts that Alertmanager must be told now because events wait for it: a JSON list. */
bool alerts_write_untold(struct alerts *alerts, uint64_t now_ms, struct instant now,
                         struct buf *out);
/* It was told them; or it was not, and the events come again. */
void alerts_confirm(struct alerts *alerts, uint64_t now_ms);
void alerts_undo(struct alerts *alerts);

/* Those that are to be told again, or as resolved. Returns how many; 0: nothing is written. */
size_t alerts_write_due(struct alerts *alerts, uint64_t now_ms, struct instant now,
                        struct buf *out);
/* It was told these; or it was not, and they stay due. */
void alerts_told_due(struct alerts *alerts, uint64_t now_ms, bool told);

#endif
