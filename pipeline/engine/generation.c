/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/generation.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/delivery/outlet.h"

struct generation *generation_new(const struct plan *plan, void (*gone)(void *owner), void *owner)
{
    assert(plan);
    struct generation *generation = mem_zero(1, sizeof *generation);
    generation->plan = plan;
    generation->outlets = mem_zero(plan->plugin_count + 1, sizeof(struct outlet *));
    generation->references = 1;
    atomic_init(&generation->firsts, plan->firsts);
    generation->gone = gone;
    generation->owner = owner;
    return generation;
}

void generation_ref(struct generation *generation)
{
    assert(generation->references > 0); /* G1 */
    generation->references++;
}

void generation_unref(struct generation *generation)
{
    assert(generation->references > 0); /* G1 */
    if (--generation->references > 0)
        return;
    for (size_t i = 0; i < generation->plan->plugin_count; i++)
        outlet_free(generation->outlets[i]);
    mem_free(generation->outlets);
    mem_free(generation->heirs);
    if (generation->superseded && generation->gone)
        generation->gone(generation->owner);
    mem_free(generation);
}

/* ---- what is equal -------------------------------------------------------------------------------- */

static bool equal(const struct plan_plugin *one, const struct plan_plugin *other)
{
    return one->section == other->section && one->as.plugin == other->as.plugin &&
           one->ecs == other->ecs && str_equal(one->id, other->id) &&
           conf_plugin_equal(one->source, other->source);
}

static size_t find_equal(const struct plan *plan, const struct plan_plugin *wanted,
                         const bool *taken)
{
    for (size_t i = 0; i < plan->plugin_count; i++)
        if (!taken[i] && equal(plan->plugins[i], wanted))
            return i;
    return SIZE_MAX;
}

size_t *generation_match(const struct plan *plan, const struct plan *next)
{
    size_t *from = mem_zero(next->plugin_count + 1, sizeof *from);
    bool *taken = mem_zero(plan->plugin_count + 1, sizeof *taken);
    for (size_t i = 0; i < next->plugin_count; i++) {
        const struct plan_plugin *plugin = next->plugins[i];
        from[i] = plugin->section == CONF_FILTER ? SIZE_MAX : find_equal(plan, plugin, taken);
        if (from[i] != SIZE_MAX)
            taken[from[i]] = true;
    }
    mem_free(taken);
    return from;
}
