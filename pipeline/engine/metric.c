/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/metric.h"

#include <assert.h>

struct metric_made {
    struct metric_made *next;
    const char *counter;
    struct metric metric;
};

/* ---- counters of plugins -------------------------------------------------------------------------- */

/* A counter that has no row is one of a plugin's own: it gets its name and this help. */
#define PLUGIN_COUNTER(counter, text, balances)                                                    \
    {                                                                                              \
        .name = (counter), .group = "events", .family = "millrace_plugin_" counter,                \
        .help = (text), .kind = METRIC_COUNTER, .balance = (balances)                              \
    }

static const struct metric PLUGIN_COUNTERS[] = {
    PLUGIN_COUNTER("in", "Events that came to the plugin.", 0),
    PLUGIN_COUNTER("out", "Events that the plugin handed on; of an output: delivered.", 0),
    {.name = "duration_in_millis",
     .group = "events",
     .family = "millrace_plugin_duration_seconds",
     .help = "Time that the plugin was at work on events, of all lanes; outputs: encoding.",
     .kind = METRIC_COUNTER,
     .is_milli = true,
     .is_nano = true},
    PLUGIN_COUNTER("cancelled", "Events that went no further than this filter.", 0),
    PLUGIN_COUNTER("match_limits", "Searches that met a limit of regular expressions.", 0),
    PLUGIN_COUNTER("failures", "Events that the plugin could not work on; they have its tag.", 0),
    PLUGIN_COUNTER("matches", "Events that the filter found what it looks for in.", 0),
    PLUGIN_COUNTER("routed", "Events that the pipeline sent to the output.", 1),
    PLUGIN_COUNTER("delivered", "Events that the destination has taken.", -1),
    PLUGIN_COUNTER("conflicts", "Events whose id the destination has already.", -1),
    PLUGIN_COUNTER(
        "refused",
        "Events refused for good or not to be encoded: dead letters where those are kept.", -1),
    PLUGIN_COUNTER("dropped", "Events that the output leaves out on purpose.", -1),
    PLUGIN_COUNTER("spooled", "Events that waited too long and went to the output's spool.", -1),
    PLUGIN_COUNTER("unspooled", "Events that were read from the output's spool to be sent.", 1),
    PLUGIN_COUNTER("set_aside", "Events that waited too long and became dead letters.", -1),
    PLUGIN_COUNTER("retried", "Times that an event was put back to be sent again.", 0),
    {
        .name = "lag",
        .group = "events",
        .family = "millrace_plugin_lag",
        .help = "Events of the source that no output has yet, as far as this process knows.",
        .kind = METRIC_GAUGE,
    },
    PLUGIN_COUNTER("retried_unreachable",
                   "Of these, because nobody was there, a connection broke, or with status 5xx.",
                   0),
    PLUGIN_COUNTER("retried_overloaded",
                   "Of these, because of status 429 or 503, or no answer in time.", 0),
    PLUGIN_COUNTER("retried_forbidden", "Of these, because of status 401, 403 and the like.", 0),
};

/* delivery/retried.c makes them: retried_status_429. */
static const char RETRIED_STATUS[] = "retried_status_";

static struct metric make_metric(struct metric_page *page, const char *counter)
{
    if (str_starts_with(str_from(counter), str_from(RETRIED_STATUS))) {
        static const char FAMILY[] = "millrace_plugin_retried_by_status";
        const char *status = counter + sizeof RETRIED_STATUS - 1;
        return (struct metric){.name = status,
                               .group = "events",
                               .subgroup = "retried_by_status",
                               .family = FAMILY,
                               .label = "status",
                               .label_value = status,
                               .help = "Of what was sent again, by the status of the answer.",
                               .kind = METRIC_COUNTER};
    }
    return (struct metric){.name = counter,
                           .group = "events",
                           .family = arena_printf(&page->arena, "millrace_plugin_%s", counter).ptr,
                           .help = "Counted by plugins of the kind that the label plugin names.",
                           .kind = METRIC_COUNTER};
}

const struct metric *metric_of_plugin(struct metric_page *page, const char *name)
{
    for (size_t i = 0; i < sizeof PLUGIN_COUNTERS / sizeof *PLUGIN_COUNTERS; i++)
        if (strcmp(PLUGIN_COUNTERS[i].name, name) == 0)
            return &PLUGIN_COUNTERS[i];
    for (const struct metric_made *made = page->made; made; made = made->next)
        if (strcmp(made->counter, name) == 0)
            return &made->metric;
    struct metric_made *made = arena_alloc(&page->arena, sizeof *made);
    *made = (struct metric_made){
        .next = page->made, .counter = name, .metric = make_metric(page, name)};
    page->made = made;
    return &made->metric;
}

/* ---- the page ------------------------------------------------------------------------------------- */

void metric_page_init(struct metric_page *page)
{
    *page = (struct metric_page){.count = 0};
    arena_init(&page->arena, NULL);
}

void metric_page_release(struct metric_page *page)
{
    arena_release(&page->arena);
    *page = (struct metric_page){.count = 0};
}

void metric_add(struct metric_page *page, struct metric_values *values, const struct metric *metric,
                uint64_t value)
{
    size_t used = values->count * sizeof *values->items;
    values->items = arena_grow(&page->arena, values->items, used, used + sizeof *values->items);
    values->items[values->count++] = (struct metric_value){metric, value};
}

uint64_t metric_get(const struct metric_values *values, const struct metric *metric)
{
    for (size_t i = 0; i < values->count; i++)
        if (values->items[i].metric == metric)
            return values->items[i].value;
    return 0;
}

static bool walk_values(const struct metric_values *values, const struct metric_pipeline *pipeline,
                        const struct metric_plugin *plugin, metric_visit *visit, void *ctx)
{
    for (size_t i = 0; i < values->count; i++) {
        const struct metric_value *item = &values->items[i];
        assert(item->metric);
        struct metric_sample sample = {item->metric, item->value, pipeline, plugin};
        if (!visit(ctx, &sample))
            return false;
    }
    return true;
}

bool metric_page_walk(const struct metric_page *page, metric_visit *visit, void *ctx)
{
    bool goes_on = walk_values(&page->values, NULL, NULL, visit, ctx);
    for (size_t i = 0; goes_on && i < page->count; i++) {
        const struct metric_pipeline *pipeline = &page->pipelines[i];
        goes_on = walk_values(&pipeline->values, pipeline, NULL, visit, ctx);
        for (size_t j = 0; goes_on && j < pipeline->plugin_count; j++)
            goes_on = walk_values(&pipeline->plugins[j].values, pipeline, &pipeline->plugins[j],
                                  visit, ctx);
    }
    return goes_on;
}
