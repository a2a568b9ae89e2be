/* SPDX-License-Identifier: Apache-2.0
 *
 * A generation: a plan of an engine, while something made of it is left. A change (change.h) brings the next one. What is
 * the same in both goes on to it as it is, with its counters and with what is under way: inputs and outputs whose text is
 * equal. They were made of the older plan and go on using it, so that lives on as well.
 *
 * G1. A generation lives as long as a program or an instance that was made of it; the engine keeps its first one to its end.
 * G2. All its functions are for the main thread.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_GENERATION_H
#define MILLRACE_PIPELINE_ENGINE_GENERATION_H

#include <stdatomic.h>

#include "pipeline/program/plan.h"

struct heir;
struct outlet;

struct generation {
    const struct plan *plan;
    struct heir *heirs;      /* in the generation that came after it (heirs.h); NULL: none has */
    struct outlet **outlets; /* by the plugin's index, of outputs that have not gone on */
    size_t references;
    atomic_uint
        firsts; /* filters that have not had their first event (filter_has_first); any thread */
    bool superseded; /* nobody but its own parts wants the plan any more */
    void (*gone)(void *owner);
    void *owner;
};

/* With one reference. gone: the plan of a superseded generation is not used any more; may be NULL. */
struct generation *generation_new(const struct plan *plan, void (*gone)(void *owner), void *owner);
void generation_ref(struct generation *generation);
void generation_unref(struct generation *generation);

/* Where each plugin of `next` comes from: the index of an equal input or output of `plan`, else SIZE_MAX. To be freed with
 * mem_free. */
size_t *generation_match(const struct plan *plan, const struct plan *next);

#endif
