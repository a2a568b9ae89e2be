/* SPDX-License-Identifier: Apache-2.0
 *
 * The JSON of each path. Every answer begins with what the node is, as Logstash's do; a part that would mean nothing here
 * is left out rather than filled with zeros.
 */
#include <sys/utsname.h>

#include "pipeline/engine/engine.h"
#include "pipeline/registry.h"
#include "services/api/api_private.h"

enum { BATCH_DELAY_MS = 50 }; /* what Logstash says by default; nothing waits for it here */

static void set(struct api_request *request, struct value *object, struct str key,
                struct value item)
{
    value_object_set(request->arena, object, key, item);
}

static struct value new_object(struct api_request *request)
{
    return value_object_new(request->arena, 0);
}

static struct value text(const char *words)
{
    return value_str(str_from(words));
}

/* ---- the node ------------------------------------------------------------------------------------- */

static const struct metric_pipeline *first_unwell(const struct metric_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        if (page->pipelines[i].symptom.len > 0)
            return &page->pipelines[i];
    return NULL;
}

static struct value status_of(bool well)
{
    return text(well ? "green" : "red");
}

static struct value batching(struct api_request *request)
{
    const struct settings *settings = request->api->options.settings;
    struct value pipeline = new_object(request);
    size_t workers =
        settings->workers > 0 ? (size_t)settings->workers : request->api->options.workers;
    set(request, &pipeline, STR("workers"), value_int((int64_t)workers));
    set(request, &pipeline, STR("batch_size"),
        value_int(settings->batch_size > 0 ? settings->batch_size : BATCH_MAX_EVENTS));
    set(request, &pipeline, STR("batch_delay"), value_int(BATCH_DELAY_MS));
    return pipeline;
}

static bool add_node(struct api_request *request)
{
    const struct api *api = request->api;
    const struct settings *settings = api->options.settings;
    struct value *body = &request->body;
    set(request, body, STR("host"), value_str(settings->node_name));
    set(request, body, STR("version"), text(MILLRACE_VERSION));
    set(request, body, STR("http_address"), text(api_address(api)));
    set(request, body, STR("id"), text(api->id));
    set(request, body, STR("name"), value_str(settings->node_name));
    set(request, body, STR("ephemeral_id"), text(api->id));
    set(request, body, STR("snapshot"), value_bool(false));
    set(request, body, STR("status"), status_of(!first_unwell(request->page)));
    set(request, body, STR("pipeline"), batching(request));
    return true;
}

static struct value *find_pipelines(struct api_request *request)
{
    if (!value_object_get(&request->body, STR("pipelines")))
        set(request, &request->body, STR("pipelines"), new_object(request));
    return value_object_get(&request->body, STR("pipelines"));
}

typedef struct value pipeline_json(struct api_request *request,
                                   const struct metric_pipeline *pipeline);

/* id empty: all. */
static bool add_pipelines(struct api_request *request, struct str id, pipeline_json *make)
{
    struct value *pipelines = find_pipelines(request);
    for (size_t i = 0; i < request->page->count; i++) {
        const struct metric_pipeline *pipeline = &request->page->pipelines[i];
        if (id.len == 0 || str_equal(pipeline->id, id))
            set(request, pipelines, pipeline->id, make(request, pipeline));
    }
    return id.len == 0 || value_object_count(pipelines) > 0;
}

static struct value pipeline_settings(struct api_request *request,
                                      const struct metric_pipeline *pipeline)
{
    const struct settings *node = request->api->options.settings;
    struct value all = metric_pipeline_json(request->arena, pipeline);
    struct value settings = *value_object_get(&all, STR("pipeline"));
    set(request, &settings, STR("ephemeral_id"), text(request->api->id));
    set(request, &settings, STR("config_reload_automatic"), value_bool(node->reload_automatic));
    set(request, &settings, STR("dead_letter_queue_enabled"), value_bool(node->dlq_enable));
    return settings;
}

static bool node_pipelines(struct api_request *request, struct str id)
{
    return add_pipelines(request, id, pipeline_settings);
}

static bool node_os(struct api_request *request, struct str id)
{
    struct utsname system;
    struct value os = new_object(request);
    if (id.len > 0 || uname(&system) != 0)
        return false;
    set(request, &os, STR("name"), value_str_dup(request->arena, str_from(system.sysname)));
    set(request, &os, STR("arch"), value_str_dup(request->arena, str_from(system.machine)));
    set(request, &os, STR("version"), value_str_dup(request->arena, str_from(system.release)));
    set(request, &os, STR("available_processors"),
        value_int((int64_t)request->api->options.workers));
    set(request, &request->body, STR("os"), os);
    return true;
}

static bool node_plugins(struct api_request *request, struct str id)
{
    const struct plugin_list *list = request->api->options.plugins;
    struct value plugins = value_array_new(request->arena, 0);
    if (id.len > 0)
        return false;
    for (int section = CONF_INPUT; section <= CONF_CODEC; section++) {
        const char *kind = registry_section_name((enum conf_section)section);
        const struct plugin *plugin;
        for (size_t i = 0; (plugin = registry_at(list, (enum conf_section)section, i)); i++) {
            struct value item = new_object(request);
            set(request, &item, STR("name"),
                value_str(arena_printf(request->arena, "logstash-%s-%s", kind, plugin->name)));
            set(request, &item, STR("version"), text(MILLRACE_VERSION));
            value_array_push(request->arena, &plugins, item);
        }
    }
    set(request, &request->body, STR("total"), value_int((int64_t)value_array_count(&plugins)));
    set(request, &request->body, STR("plugins"), plugins);
    return true;
}

static bool node_hot_threads(struct api_request *request, struct str id)
{
    int64_t most = 0;
    const struct http_parameter *threads = http_target_parameter(request->target, STR("threads"));
    if (id.len > 0 || (threads && (!str_to_int(threads->value, &most) || most < 1)))
        return false;
    uint64_t uptime_ms = clock_monotonic_ms() - request->api->started_ms;
    set(request, &request->body, STR("hot_threads"),
        api_hot_threads(request->arena, uptime_ms, (size_t)most));
    return true;
}

/* ---- stats ---------------------------------------------------------------------------------------- */

/* What means the same without a virtual machine. */
static bool stats_jvm(struct api_request *request, struct str id)
{
    struct value jvm = new_object(request), threads = new_object(request);
    uint64_t uptime_ms = clock_monotonic_ms() - request->api->started_ms;
    if (id.len > 0)
        return false;
    set(request, &threads, STR("count"), value_int((int64_t)api_process_threads()));
    set(request, &jvm, STR("threads"), threads);
    set(request, &jvm, STR("uptime_in_millis"), value_int((int64_t)uptime_ms));
    set(request, &request->body, STR("jvm"), jvm);
    return true;
}

static bool stats_process(struct api_request *request, struct str id)
{
    struct value process = new_object(request);
    if (id.len > 0)
        return false;
    metric_values_json(request->arena, &process, &request->page->values);
    set(request, &request->body, STR("process"), process);
    return true;
}

static bool stats_events(struct api_request *request, struct str id)
{
    const struct metric *const sums[] = {metric_events_in, metric_events_filtered,
                                         metric_events_out, metric_events_busy, metric_events_wait};
    struct value events = new_object(request);
    if (id.len > 0)
        return false;
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        uint64_t sum = 0;
        for (size_t j = 0; j < request->page->count; j++)
            sum += metric_get(&request->page->pipelines[j].values, sums[i]);
        set(request, &events, str_from(sums[i]->name), value_int((int64_t)sum));
    }
    set(request, &request->body, STR("events"), events);
    return true;
}

static struct value flow_of(struct api_request *request, size_t pipeline)
{
    return flow_json(request->api->flow, request->arena, request->page, pipeline,
                     clock_monotonic_ms());
}

static bool stats_flow(struct api_request *request, struct str id)
{
    set(request, &request->body, STR("flow"), flow_of(request, SIZE_MAX));
    return id.len == 0;
}

static void look_up_reloads(struct api_request *request, struct str pipeline,
                            struct api_reloads *out)
{
    const struct api_options *options = &request->api->options;
    *out = (struct api_reloads){.last_error = ""};
    if (options->reloads)
        options->reloads(options->ctx, pipeline, out);
}

static struct value reload_counts(struct api_request *request, const struct api_reloads *reloads)
{
    struct value counts = new_object(request);
    set(request, &counts, STR("successes"), value_int((int64_t)reloads->successes));
    set(request, &counts, STR("failures"), value_int((int64_t)reloads->failures));
    return counts;
}

static struct value all_reloads(struct api_request *request)
{
    struct api_reloads reloads;
    look_up_reloads(request, STR(""), &reloads);
    return reload_counts(request, &reloads);
}

static struct value time_or_null(struct api_request *request, int64_t ms)
{
    char text_out[INSTANT_TEXT_MAX];
    if (ms == 0)
        return value_null();
    struct instant at = {ms / 1000, (uint32_t)(ms % 1000) * 1000000};
    size_t len = instant_format(at, text_out);
    return value_str(arena_dup(request->arena, str_make(text_out, len)));
}

static struct value reloads_of(struct api_request *request, struct str pipeline)
{
    struct api_reloads reloads;
    look_up_reloads(request, pipeline, &reloads);
    struct value counts = reload_counts(request, &reloads), error = value_null();
    if (reloads.last_error[0]) {
        error = new_object(request);
        set(request, &error, STR("message"),
            value_str(arena_dup(request->arena, str_from(reloads.last_error))));
    }
    set(request, &counts, STR("last_error"), error);
    set(request, &counts, STR("last_success_timestamp"),
        time_or_null(request, reloads.last_success_ms));
    set(request, &counts, STR("last_failure_timestamp"),
        time_or_null(request, reloads.last_failure_ms));
    return counts;
}

static void add_capacity(struct api_request *request, struct value *queue, const char *folder)
{
    struct value *limits = value_object_get(queue, STR("capacity"));
    struct value capacity = limits ? *limits : new_object(request);
    struct value data = new_object(request);
    static const struct str SIZES[] = {STR_INIT("queue_size_in_bytes"),
                                       STR_INIT("max_queue_size_in_bytes")};
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++)
        set(request, &capacity, SIZES[i], *value_object_get(queue, SIZES[i]));
    set(request, &data, STR("path"), text(folder));
    set(request, queue, STR("events"), *value_object_get(queue, STR("events_count")));
    set(request, queue, STR("capacity"), capacity);
    set(request, queue, STR("data"), data);
}

/* A disk queue brought its figures, as other metrics come; the type makes it Logstash's object. */
static void set_queue(struct api_request *request, struct value *stats, const char *folder)
{
    struct value *figures = value_object_get(stats, STR("queue"));
    struct value queue = figures ? *figures : new_object(request);
    set(request, &queue, STR("type"), text(figures ? "persisted" : "memory"));
    if (!figures)
        set(request, &queue, STR("events_count"), value_int(0));
    else
        add_capacity(request, &queue, folder);
    set(request, stats, STR("queue"), queue);
}

static struct value pipeline_stats(struct api_request *request,
                                   const struct metric_pipeline *pipeline)
{
    struct value stats = metric_pipeline_json(request->arena, pipeline);
    set_queue(request, &stats, pipeline->queue_folder);
    set(request, &stats, STR("flow"),
        flow_of(request, (size_t)(pipeline - request->page->pipelines)));
    set(request, &stats, STR("reloads"), reloads_of(request, pipeline->id));
    set(request, &stats, STR("ephemeral_id"), text(request->api->id));
    return stats;
}

static bool stats_pipelines(struct api_request *request, struct str id)
{
    return add_pipelines(request, id, pipeline_stats);
}

static bool stats_reloads(struct api_request *request, struct str id)
{
    set(request, &request->body, STR("reloads"), all_reloads(request));
    return id.len == 0;
}

/* ---- health --------------------------------------------------------------------------------------- */

static struct value indicator(struct api_request *request, struct str symptom,
                              const char *when_well)
{
    struct value object = new_object(request);
    set(request, &object, STR("status"), status_of(symptom.len == 0));
    set(request, &object, STR("symptom"), symptom.len > 0 ? value_str(symptom) : text(when_well));
    return object;
}

static bool add_health(struct api_request *request)
{
    const struct metric_page *page = request->page;
    const struct metric_pipeline *unwell = first_unwell(page);
    struct value each = new_object(request), indicators = new_object(request);
    for (size_t i = 0; i < page->count; i++)
        set(request, &each, page->pipelines[i].id,
            indicator(request, page->pipelines[i].symptom, "The pipeline is well."));
    struct str symptom = unwell ? unwell->symptom : (struct str){.len = 0};
    struct value pipelines = indicator(request, symptom, "All pipelines are well.");
    set(request, &pipelines, STR("indicators"), each);
    set(request, &indicators, STR("pipelines"), pipelines);
    set(request, &request->body, STR("symptom"),
        unwell ? value_str(symptom) : text("All pipelines are well."));
    set(request, &request->body, STR("indicators"), indicators);
    return true;
}

/* ---- paths ---------------------------------------------------------------------------------------- */

struct part {
    const char *name;
    bool (*add)(struct api_request *request, struct str id);
    bool alone; /* only when it is asked for by name */
};

static const struct part NODE[] = {
    {"pipelines", node_pipelines, false},
    {"os", node_os, false},
    {"plugins", node_plugins, true},
    {"hot_threads", node_hot_threads, true},
    {NULL, NULL, false},
};

static const struct part STATS[] = {
    {"jvm", stats_jvm, false},
    {"process", stats_process, false},
    {"events", stats_events, false},
    {"pipelines", stats_pipelines, false},
    {"reloads", stats_reloads, false},
    {"flow", stats_flow, false},
    {NULL, NULL, false},
};

/* What comes behind /_node or /_node/stats: nothing for all parts, or the name of one and perhaps an id. */
static bool add_parts(struct api_request *request, const struct part *parts, const struct str *rest,
                      size_t count)
{
    struct str none = {.len = 0};
    for (const struct part *part = parts; part->name; part++) {
        if (count > 0 && !str_equal(rest[0], str_from(part->name)))
            continue;
        if (count > 0)
            return count <= 2 && part->add(request, count == 2 ? rest[1] : none);
        if (!part->alone)
            part->add(request, none);
    }
    return count == 0;
}

bool api_answer(struct api_request *request, const struct http_target *target)
{
    const struct str *segments = target->segments;
    size_t count = target->segment_count;
    request->target = target;
    add_node(request);
    if (count == 0)
        return true;
    if (count == 1 && str_equal(segments[0], STR("_health_report")))
        return add_health(request);
    if (!str_equal(segments[0], STR("_node")))
        return false;
    bool stats = count > 1 && str_equal(segments[1], STR("stats"));
    size_t skip = stats ? 2 : 1;
    return add_parts(request, stats ? STATS : NODE, segments + skip, count - skip);
}
