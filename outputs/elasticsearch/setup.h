/* SPDX-License-Identifier: Apache-2.0
 *
 * What happens once before the first document: asking a server who it is, and installing the index template. The
 * primary instance does it; the others see the shared flag. Until it is done it is tried again, with backoff.
 *
 *   WAITING ──timer──▶ ASKING ──200──▶ LOOKING ──404──▶ INSTALLING ──2xx──▶ DONE
 *      ▲                  │               │ 200: it is there       │
 *      └──── no answer, 401, 403, 429, 5xx ────────────────────────┘
 *
 * A template that the server refuses (400) is logged and given up: documents are worth more than their mapping.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_SETUP_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_SETUP_H

#include "io/loop_timer.h"
#include "outputs/elasticsearch/index_template.h"

enum setup_state { SETUP_WAITING, SETUP_ASKING, SETUP_LOOKING, SETUP_INSTALLING, SETUP_DONE };

struct elasticsearch;
struct host;

struct setup {
    struct elasticsearch *output;
    enum setup_state state;
    bool manages_template;
    struct index_template template;
    struct host *host;
    struct loop_timer *timer;
    struct arena *requests; /* what the request under way borrows */
    unsigned failures;
};

/* False when the template cannot be found or read. */
bool setup_open(struct setup *setup, struct elasticsearch *output, struct error *err);
void setup_start(struct setup *setup);
bool setup_is_done(const struct setup *setup);
void setup_close(struct setup *setup);

/* What a server says of itself, in arena or body; empty texts where it says nothing. It also chooses the API for a template
 * of our own. */
struct server_identity {
    struct str number, distribution;
};
struct server_identity setup_identify(struct setup *setup, struct arena *arena, struct str body);

#endif
