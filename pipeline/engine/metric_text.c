/* SPDX-License-Identifier: Apache-2.0
 *
 * Prometheus' text format 0.0.4. All samples of a family stand together below its HELP and TYPE, so the page is walked
 * once for the families and once more for each of them.
 */
#include <assert.h>

#include "pipeline/engine/metric.h"
#include "pipeline/engine/series.h"
#include "pipeline/registry.h"

struct families {
    struct arena *arena;
    const struct metric **items; /* each once, as first met */
    size_t count;
};

static bool note_family(void *ctx, const struct metric_sample *sample)
{
    struct families *families = ctx;
    if (!sample->metric->family)
        return true;
    for (size_t i = 0; i < families->count; i++)
        if (families->items[i]->family == sample->metric->family)
            return true;
    size_t used = families->count * sizeof *families->items;
    families->items =
        arena_grow(families->arena, families->items, used, used + sizeof *families->items);
    families->items[families->count++] = sample->metric;
    return true;
}

static bool write_label(struct buf *out, const char *name, struct str value, bool first)
{
    return buf_printf(out, "%c%s=\"", first ? '{' : ',', name) && series_label_text(value, out) &&
           buf_append_char(out, '"');
}

static bool write_labels(struct buf *out, const struct metric_sample *sample)
{
    const struct metric_plugin *plugin = sample->plugin;
    if (!sample->pipeline)
        return true;
    return write_label(out, "pipeline", sample->pipeline->id, true) &&
           (!plugin ||
            (write_label(out, "plugin_id", plugin->id, false) &&
             write_label(out, "plugin", str_from(plugin->name), false) &&
             write_label(out, "type", str_from(registry_section_name(plugin->section)), false))) &&
           (!sample->metric->label || write_label(out, sample->metric->label,
                                                  str_from(sample->metric->label_value), false)) &&
           buf_append_char(out, '}');
}

static bool write_name(struct buf *out, const struct metric *metric)
{
    return buf_printf(out, "%s%s", metric->family, metric->kind == METRIC_COUNTER ? "_total" : "");
}

struct family_text {
    const struct metric *metric;
    struct buf *out;
};

static bool write_sample(void *ctx, const struct metric_sample *sample)
{
    const struct family_text *text = ctx;
    struct buf *out = text->out;
    unsigned long long value = sample->value;
    if (sample->metric->family != text->metric->family)
        return true;
    return write_name(out, sample->metric) && write_labels(out, sample) &&
           (sample->metric->is_milli ? buf_printf(out, " %llu.%03llu\n", value / 1000, value % 1000)
                                     : buf_printf(out, " %llu\n", value));
}

static bool write_family(const struct metric_page *page, const struct metric *metric,
                         struct buf *out)
{
    struct family_text text = {metric, out};
    assert(metric->help);
    return buf_append_str(out, STR("# HELP ")) && write_name(out, metric) &&
           buf_printf(out, " %s\n# TYPE ", metric->help) && write_name(out, metric) &&
           buf_printf(out, " %s\n", metric->kind == METRIC_COUNTER ? "counter" : "gauge") &&
           metric_page_walk(page, write_sample, &text);
}

static bool write_seconds(struct buf *out, uint64_t ms)
{
    return buf_printf(out, "%llu.%03llu", (unsigned long long)(ms / 1000),
                      (unsigned long long)(ms % 1000));
}

static bool write_part(const struct metric_pipeline *pipeline, const char *part, struct buf *out)
{
    return buf_printf(out, "%s%s", pipeline->latency.family, part) &&
           write_label(out, "pipeline", pipeline->id, true);
}

static bool write_histogram(const struct metric_pipeline *pipeline, struct buf *out)
{
    const struct metric_histogram *histogram = &pipeline->latency;
    unsigned long long events = 0;
    bool fits = true;
    for (size_t i = 0; fits && i <= histogram->count; i++) {
        events += histogram->buckets[i];
        fits = write_part(pipeline, "_bucket", out) && buf_append_str(out, STR(",le=\"")) &&
               (i < histogram->count ? write_seconds(out, histogram->bounds_ms[i])
                                     : buf_append_str(out, STR("+Inf"))) &&
               buf_printf(out, "\"} %llu\n", events);
    }
    return fits && write_part(pipeline, "_sum", out) && buf_append_str(out, STR("} ")) &&
           write_seconds(out, histogram->sum_ms) && buf_append_char(out, '\n') &&
           write_part(pipeline, "_count", out) && buf_printf(out, "} %llu\n", events);
}

/* All pipelines have the same one. */
static bool write_histograms(const struct metric_page *page, struct buf *out)
{
    bool headed = false, fits = true;
    for (size_t i = 0; fits && i < page->count; i++) {
        const struct metric_histogram *histogram = &page->pipelines[i].latency;
        if (!histogram->family)
            continue;
        if (!headed)
            fits = buf_printf(out, "# HELP %s %s\n# TYPE %s histogram\n", histogram->family,
                              histogram->help, histogram->family);
        headed = true;
        fits = fits && write_histogram(&page->pipelines[i], out);
    }
    return fits;
}

bool metric_page_text(const struct metric_page *page, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct families families = {.arena = &arena};
    metric_page_walk(page, note_family, &families);
    bool fits = true;
    for (size_t i = 0; fits && i < families.count; i++)
        fits = write_family(page, families.items[i], out);
    arena_release(&arena);
    return fits && write_histograms(page, out);
}
