/* SPDX-License-Identifier: Apache-2.0
 *
 * The counters as JSON, in the shape of Logstash's node stats where it has one: pipelines → events and plugins. Every
 * counter of a plugin stands under its name, added up over the lanes.
 */
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/instance.h"
#include "pipeline/event/event_json.h"
#include "pipeline/program/program.h"

static bool write_pair(struct buf *out, const char *name, uint64_t value, bool *first)
{
    bool fits =
        buf_printf(out, "%s\"%s\":%llu", *first ? "" : ",", name, (unsigned long long)value);
    *first = false;
    return fits;
}

static struct instance *instance_on(const struct engine *engine, size_t lane, size_t index)
{
    return engine->lanes[lane].program->instances[index];
}

/* A lane before this one has the counter as well, and it was written there. */
static bool is_written(const struct engine *engine, size_t index, size_t lane, const char *name)
{
    for (size_t i = 0; i < lane; i++)
        if (instance_on(engine, i, index) &&
            instance_has_counter(instance_on(engine, i, index), name))
            return true;
    return false;
}

static bool write_plugin(const struct engine *engine, size_t index, struct buf *out)
{
    const struct plan_plugin *plugin = engine->options.plan->plugins[index];
    bool fits = buf_printf(out, "{\"id\":") && json_encode_str(plugin->id, out) &&
                buf_printf(out, ",\"name\":\"%s\",\"events\":{", plugin->as.plugin->name);
    bool first = true;
    for (size_t lane = 0; lane < engine->lane_count; lane++) {
        struct instance *instance = instance_on(engine, lane, index);
        struct counter_cell *cell =
            instance ? atomic_load_explicit(&instance->counters, memory_order_acquire) : NULL;
        for (; cell; cell = cell->next)
            if (!is_written(engine, index, lane, cell->name))
                fits = fits && write_pair(out, cell->name,
                                          engine_counted(engine, index, cell->name), &first);
    }
    return fits && buf_printf(out, "}}");
}

static bool write_section(const struct engine *engine, enum conf_section section, const char *name,
                          struct buf *out)
{
    bool fits = buf_printf(out, "\"%s\":[", name), first = true;
    for (size_t i = 0; i < engine->options.plan->plugin_count; i++) {
        if (engine->options.plan->plugins[i]->section != section)
            continue;
        fits = fits && (first || buf_append_char(out, ',')) && write_plugin(engine, i, out);
        first = false;
    }
    return fits && buf_append_char(out, ']');
}

struct totals {
    uint64_t filtered, created, cancelled, failed_conditions, condition_limits;
};

static struct totals add_up(const struct engine *engine)
{
    struct totals totals = {0};
    for (size_t i = 0; i < engine->lane_count; i++) {
        const struct program *program = engine->lanes[i].program;
        totals.filtered += atomic_load_explicit(&program->filtered.value, memory_order_relaxed);
        totals.created += atomic_load_explicit(&program->created.value, memory_order_relaxed);
        totals.cancelled += atomic_load_explicit(&program->cancelled.value, memory_order_relaxed);
        totals.failed_conditions +=
            atomic_load_explicit(&program->failed_conditions.value, memory_order_relaxed);
        totals.condition_limits +=
            atomic_load_explicit(&program->condition_limits.value, memory_order_relaxed);
    }
    return totals;
}

/* Of the process: what is used, and the budget. Of this pipeline: what its streams may still take in, and the rest by
 * what it is for. */
static bool write_memory(struct engine *engine, struct buf *out)
{
    struct budget *budget = engine->options.budget;
    bool fits = buf_printf(
        out, "\"memory\":{\"used_bytes\":%zu,\"budget_bytes\":%zu,\"pipeline\":{\"leased\":%zu",
        budget_used(budget), budget->limit_bytes, budget_share_leased(&engine->share));
    for (enum budget_class i = 0; i < BUDGET_CLASSES; i++)
        fits = fits && buf_printf(out, ",\"%s\":%zu", budget_class_names[i],
                                  account_used(engine_account(engine, i)));
    return fits && buf_printf(out, "}},");
}

bool engine_write_counters(struct engine *engine, struct buf *out)
{
    struct engine_summary summary;
    engine_summary(engine, &summary);
    struct totals totals = add_up(engine);
    size_t lanes = engine->lane_count;
    return json_encode_str(str_from(engine->options.pipeline_id), out) &&
           buf_printf(
               out,
               ":{\"events\":{\"in\":%llu,\"filtered\":%llu,\"out\":%llu,\"created\":%llu,"
               "\"cancelled\":%llu,\"condition_failures\":%llu,"
               "\"condition_match_limits\":%llu,\"refused\":%llu},",
               (unsigned long long)summary.events_in, (unsigned long long)totals.filtered,
               (unsigned long long)summary.events_out, (unsigned long long)totals.created,
               (unsigned long long)totals.cancelled, (unsigned long long)totals.failed_conditions,
               (unsigned long long)totals.condition_limits, (unsigned long long)summary.refused) &&
           buf_printf(out, "\"health\":") && health_write(&engine->health, out) &&
           buf_printf(out, ",\"pipeline\":{\"workers\":%zu,\"batch_size\":%zu},", lanes,
                      engine->options.batch_events) &&
           write_memory(engine, out) &&
           buf_printf(out, "\"batches_in_flight\":%zu,\"plugins\":{",
                      atomic_load(&engine->unsettled)) &&
           write_section(engine, CONF_INPUT, "inputs", out) && buf_append_char(out, ',') &&
           write_section(engine, CONF_FILTER, "filters", out) && buf_append_char(out, ',') &&
           write_section(engine, CONF_OUTPUT, "outputs", out) && buf_printf(out, "}}");
}
