/* SPDX-License-Identifier: Apache-2.0
 *
 * Which output of the next plan has the place of one that is not in it any more as it was: the one of its type with the id that
 * somebody gave it; for one without such an id, or whose id is what changed, the only one of its type that is new, under the same
 * conditions. Pure, over compiled plans.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_HEIRS_H
#define MILLRACE_PIPELINE_ENGINE_HEIRS_H

#include "pipeline/program/plan.h"

struct heir {
    size_t index; /* in the next plan; SIZE_MAX: there is none */
    bool takes;   /* what was encoded for the one before is what this one would send */
    bool
        anew; /* else: it may encode the events themselves, where they are known beside the items */
    bool spool; /* both have the same spool */
};

/* For each plugin of `plan`; from: generation_match. To be freed with mem_free. */
struct heir *heirs_match(const struct plan *plan, const struct plan *next, const size_t *from);
bool heirs_has_spool(const struct plan_plugin *plugin);

#endif
