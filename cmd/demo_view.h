/* SPDX-License-Identifier: Apache-2.0
 *
 * What the demo shows, as text: each function appends one part to a buf. They know neither processes nor servers.
 */
#ifndef MILLRACE_CMD_DEMO_VIEW_H
#define MILLRACE_CMD_DEMO_VIEW_H

#include "cmd/terminal.h"
#include "pipeline/event/value.h"

enum { DEMO_BARS_MAX = 8 };

struct demo_bar {
    struct str name;
    uint64_t count;
};

/* How the values of one field are spread over all events. */
struct demo_spread {
    struct demo_bar bars[DEMO_BARS_MAX];
    size_t count;
};

struct demo_alert {
    struct str name, severity; /* labels */
    struct str time, text;     /* of the log line that it is about */
};

struct demo_places {
    const char *store, *alerts, *pipeline; /* HOST:PORT */
    const char *file;                      /* the pipeline's */
};

struct demo_figures {
    uint64_t events, stored;
    uint64_t alerts_expected, alerts_distinct, alerts_again, alerts_unknown;
    uint64_t elapsed_ms;
    uint64_t memory_kib, peak_kib, cpu_ms; /* of the pipeline's process; 0: not known */
};

void view_heading(const struct terminal *terminal, const char *text, struct buf *out);
void view_places(const struct terminal *terminal, const struct demo_places *places,
                 struct buf *out);
/* One line without its end. */
void view_progress(const struct terminal *terminal, uint64_t done, uint64_t total, uint64_t alerts,
                   struct buf *out);
/* A bar for each value, and one called `without` for the events that have none. */
void view_spread(const struct terminal *terminal, const struct demo_spread *spread, uint64_t total,
                 const char *without, struct buf *out);
/* The document as a difference from the line that it was made of: - before, + after. */
void view_event(const struct terminal *terminal, const struct value *before,
                const struct value *after, struct buf *out);
void view_alert(const struct terminal *terminal, const struct demo_alert *alert, struct buf *out);
void view_verdict(const struct terminal *terminal, const struct demo_figures *figures,
                  struct buf *out);
bool demo_is_good(const struct demo_figures *figures);

#endif
