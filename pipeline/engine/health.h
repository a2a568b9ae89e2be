/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a pipeline is well: red while anything that a person should know about goes on. Any thread. Logstash's health
 * report has the same words.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_HEALTH_H
#define MILLRACE_PIPELINE_ENGINE_HEALTH_H

#include <stdbool.h>
#include <uv.h>

#include "base/arena.h"

enum { SYMPTOM_BYTES = 256 };

/* Something that goes on; embedded where it is noticed. */
struct trouble {
    struct trouble *next;
    char symptom[SYMPTOM_BYTES]; /* a sentence for people, cut when longer */
};

struct health {
    uv_mutex_t lock;
    struct trouble *troubles; /* newest first */
};

void health_init(struct health *health);
void health_release(struct health *health);
void health_begin(struct health *health, struct trouble *trouble);
void health_end(struct health *health, struct trouble *trouble);
/* Of the newest trouble, copied; empty: there is none. */
struct str health_symptom(struct health *health, struct arena *arena);

struct engine;
struct health *engine_health(struct engine *engine);

#endif
