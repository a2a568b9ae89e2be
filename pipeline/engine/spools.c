/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/spools.h"

#include <string.h>

#include "pipeline/delivery/outlet.h"
#include "pipeline/delivery/spool.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/instance.h"
#include "pipeline/program/program.h"

static bool wants_spool(const struct plan_plugin *plugin)
{
    return plugin->section == CONF_OUTPUT && !plugin->as.output->link &&
           plugin->common.on_full == ON_FULL_SPOOL;
}

static bool open_spool(struct engine *engine, const struct plan_plugin *plugin, struct error *err)
{
    struct spool_options options = {
        .root = engine->options.spools,
        .type = str_from(plugin->as.plugin->name),
        .id = plugin->id,
        .max_bytes = (uint64_t)plugin->common.spool_max_bytes,
        .log = engine->options.log,
        .account = engine_account(engine, BUDGET_SPOOL),
    };
    struct spool *spool = spool_open(&options, err);
    if (spool) {
        outlet_set_spool(engine->generation->outlets[plugin->index], spool);
        return true;
    }
    err->position = plugin->position;
    return error_prefix(err, "%s: on_full => spool", plugin->as.plugin->name);
}

bool spools_open(struct engine *engine, struct error *err)
{
    const struct plan *plan = engine->options.plan;
    for (size_t i = 0; engine->options.spools && i < plan->plugin_count; i++)
        if (wants_spool(plan->plugins[i]) && !open_spool(engine, plan->plugins[i], err))
            return false;
    return true;
}

/* The folder is of an output of this pipeline. */
static bool is_known(const void *ctx, struct str name)
{
    const struct plan *plan = ctx;
    char own[SPOOL_NAME_MAX];
    bool known = false;
    for (size_t i = 0; !known && i < plan->plugin_count; i++) {
        const struct plan_plugin *plugin = plan->plugins[i];
        known = wants_spool(plugin) &&
                spool_name(str_from(plugin->as.plugin->name), plugin->id, own) &&
                str_equal(str_from(own), name);
    }
    return known;
}

bool spools_start(struct engine *engine, struct error *err)
{
    const struct plan *plan = engine->options.plan;
    if (!engine->options.spools)
        return true;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        struct outlet *outlet = engine->generation->outlets[i];
        struct spool *spool = outlet ? outlet_spool(outlet) : NULL;
        if (spool && !spool_start(spool, engine->lanes[0].program->instances[i]->delivery, err))
            return false;
    }
    spool_name_others(engine->options.spools, engine->options.log, is_known, plan);
    return true;
}

void spools_stop(struct engine *engine)
{
    for (size_t i = 0; i < engine->options.plan->plugin_count; i++)
        if (engine->generation->outlets[i])
            spool_stop(outlet_spool(engine->generation->outlets[i]));
}
