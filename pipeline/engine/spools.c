/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/spools.h"

#include <stddef.h>
#include <string.h>

#include "pipeline/delivery/delivery.h"
#include "pipeline/delivery/outlet.h"
#include "pipeline/delivery/spool.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/heirs.h"
#include "pipeline/engine/instance.h"
#include "pipeline/program/program.h"

static bool open_spool(struct engine *engine, const struct plan_plugin *plugin,
                       struct outlet *outlet, struct error *err)
{
    struct spool_options options = {
        .root = engine->options.spools,
        .type = str_from(plugin->as.plugin->name),
        .id = plugin->id,
        .max_bytes = (uint64_t)plugin->common.spool_max_bytes,
        .log = engine->options.log,
        .account = engine_account(engine, BUDGET_SPOOL),
        .all = &engine->spools,
    };
    struct spool *spool = spool_find(engine->spools, options.type, options.id);
    if (spool)
        spool_ref(spool);
    else
        spool = spool_open(&options, err);
    if (spool) {
        outlet_set_spool(outlet, spool);
        return true;
    }
    err->position = plugin->position;
    return error_prefix(err, "%s: on_full => spool", plugin->as.plugin->name);
}

bool spools_open(struct engine *engine, struct error *err)
{
    return spools_open_next(engine, engine->generation, err);
}

bool spools_open_next(struct engine *engine, struct generation *next, struct error *err)
{
    const struct plan *plan = next->plan;
    for (size_t i = 0; engine->options.spools && i < plan->plugin_count; i++)
        if (next->outlets[i] && heirs_has_spool(plan->plugins[i]) &&
            !open_spool(engine, plan->plugins[i], next->outlets[i], err))
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
        known = heirs_has_spool(plugin) &&
                spool_name(str_from(plugin->as.plugin->name), plugin->id, own) &&
                str_equal(str_from(own), name);
    }
    return known;
}

/* Of an output of this program; NULL: it has none, or is no output. */
static struct spool *spool_of(const struct program *program, size_t plugin)
{
    const struct outlet *outlet = program->generation->outlets[plugin];
    return outlet ? outlet_spool(outlet) : NULL;
}

bool spools_start_next(const struct program *next, struct error *err)
{
    for (size_t i = 0; i < next->plan->plugin_count; i++) {
        struct spool *spool = spool_of(next, i);
        if (spool && !spool_start(spool, next->instances[i]->delivery, err))
            return false;
    }
    return true;
}

static void serve(const struct program *program)
{
    const struct plan *plan = program->plan;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        struct spool *spool = spool_of(program, i);
        if (spool && !spool_serves(spool, program->instances[i]->delivery))
            spool_serve(spool, program->instances[i]->delivery,
                        (uint64_t)plan->plugins[i]->common.spool_max_bytes);
    }
}

bool spools_start(struct engine *engine, struct error *err)
{
    const struct program *program = engine->lanes[0].program;
    if (!engine->options.spools)
        return true;
    if (!spools_start_next(program, err))
        return false;
    serve(program);
    spool_name_others(engine->options.spools, engine->options.log, is_known, program->plan);
    return true;
}

/* Outlets that stay are the next generation's already. */
void spools_switch(const struct program *before, const struct program *next)
{
    serve(next);
    for (size_t i = 0; i < before->plan->plugin_count; i++) {
        struct spool *spool = spool_of(before, i);
        if (spool && spool_serves(spool, before->instances[i]->delivery))
            spool_retire(spool);
    }
}

static void end_lane(struct inbox_item *item)
{
    struct lane *lane = (struct lane *)(void *)((char *)item - offsetof(struct lane, end));
    const struct program *program = lane->program;
    for (size_t i = 0; !program->closed && i < program->plan->plugin_count; i++)
        if (program->instances[i] && program->instances[i]->delivery)
            delivery_end_in_spool(program->instances[i]->delivery);
}

bool spools_take_all(struct engine *engine)
{
    if (!engine->spools)
        return false;
    for (size_t i = 0; i < engine->lane_count; i++) {
        engine->lanes[i].end.run = end_lane;
        lane_post(&engine->lanes[i], &engine->lanes[i].end);
    }
    return true;
}

void spools_stop(struct engine *engine)
{
    spool_stop_all(engine->spools);
}
