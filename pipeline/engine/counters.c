/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads an engine's counters onto a page, against the flow (metric.h, M1 and M2).
 */
#include <assert.h>

#include "pipeline/delivery/disk_queue.h"
#include "pipeline/delivery/outlet.h"
#include "pipeline/engine/counters_disk.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/generation.h"
#include "pipeline/engine/instance.h"
#include "pipeline/engine/metric.h"
#include "pipeline/engine/queue_intake.h"
#include "pipeline/event/event_json.h"
#include "pipeline/program/program.h"

/* ---- of outputs ----------------------------------------------------------------------------------- */

enum { OUTPUT_IN_FLIGHT, OUTPUT_REQUESTS, OUTPUT_REQUESTS_ALLOWED };

static const struct metric OUTPUT_GAUGES[] = {
    [OUTPUT_IN_FLIGHT] = {.name = "in_flight",
                          .group = "events",
                          .family = "millrace_output_events_in_flight",
                          .help = "Events routed to the output that it is not done with.",
                          .kind = METRIC_GAUGE},
    [OUTPUT_REQUESTS] = {.name = "in_flight",
                         .group = "requests",
                         .family = "millrace_output_requests_in_flight",
                         .help = "Requests under way to the destination.",
                         .kind = METRIC_GAUGE},
    [OUTPUT_REQUESTS_ALLOWED] = {.name = "allowed",
                                 .group = "requests",
                                 .family = "millrace_output_requests_allowed",
                                 .help = "Requests that may be under way at once, as learned.",
                                 .kind = METRIC_GAUGE},
};

static void add_output_gauges(const struct engine *engine, size_t index, struct metric_page *page,
                              struct metric_values *values)
{
    uint64_t in_flight = 0;
    unsigned requests, allowed;
    for (size_t i = 0; i < values->count; i++) /* wraps around on the way to its sum */
        in_flight += (uint64_t)(int64_t)values->items[i].metric->balance * values->items[i].value;
    assert(in_flight <= INT64_MAX); /* M2 */
    outlet_usage(engine->generation->outlets[index], &requests, &allowed);
    metric_add(page, values, &OUTPUT_GAUGES[OUTPUT_IN_FLIGHT], in_flight);
    metric_add(page, values, &OUTPUT_GAUGES[OUTPUT_REQUESTS], requests);
    metric_add(page, values, &OUTPUT_GAUGES[OUTPUT_REQUESTS_ALLOWED], allowed);
}

/* ---- of plugins ----------------------------------------------------------------------------------- */

static struct instance *instance_on(const struct engine *engine, size_t lane, size_t index)
{
    return engine->lanes[lane].program->instances[index];
}

/* A lane before this one has the counter as well, and it was read there. */
static bool is_read(const struct engine *engine, size_t index, size_t lane, const char *name)
{
    for (size_t i = 0; i < lane; i++)
        if (instance_on(engine, i, index) &&
            instance_has_counter(instance_on(engine, i, index), name))
            return true;
    return false;
}

static void add_counter(const struct engine *engine, size_t index, const char *name,
                        struct metric_page *page, struct metric_values *values)
{
    enum { NS_OF_MS = 1000000 };
    const struct metric *metric = metric_of_plugin(page, name);
    uint64_t value = engine_counted(engine, index, name);
    metric_add(page, values, metric, metric->is_nano ? value / NS_OF_MS : value);
}

static void read_counters(const struct engine *engine, size_t index, struct metric_page *page,
                          struct metric_values *values)
{
    for (size_t lane = 0; lane < engine->lane_count; lane++) {
        struct instance *instance = instance_on(engine, lane, index);
        struct counter_cell *cell =
            instance ? atomic_load_explicit(&instance->counters, memory_order_acquire) : NULL;
        for (; cell; cell = cell->next)
            if (!is_read(engine, index, lane, cell->name))
                add_counter(engine, index, cell->name, page, values);
    }
}

static struct value *describe(const struct engine *engine, size_t index, struct metric_page *page)
{
    const struct instance *instance = instance_on(engine, 0, index);
    const struct input *input = instance->plugin->as.input;
    if (!input->describe || !instance->open)
        return NULL;
    struct value *object = arena_alloc(&page->arena, sizeof *object);
    *object = value_object_new(&page->arena, 0);
    input->describe(instance->self, &page->arena, object);
    return object;
}

/* How its destination is, and since when. */
static struct value *describe_output(const struct engine *engine, size_t index,
                                     struct metric_page *page)
{
    static const char *const STATES[] = {
        [OUTLET_IDLE] = "idle",   [OUTLET_ANSWERS] = "answers", [OUTLET_WAITS] = "waits",
        [OUTLET_FAILS] = "fails", [OUTLET_DOWN] = "down",
    };
    struct arena *arena = &page->arena;
    struct outlet_look look = outlet_look(engine->generation->outlets[index], uv_hrtime() / 1000);
    struct value *object = arena_alloc(arena, sizeof *object);
    struct value destination = value_object_new(arena, 0);
    value_object_set(arena, &destination, STR("state"), value_str(str_from(STATES[look.state])));
    value_object_set(arena, &destination, STR("for_millis"), value_int((int64_t)look.for_ms));
    value_object_set(arena, &destination, STR("failures_in_a_row"),
                     value_int((int64_t)look.failures));
    if (look.cause)
        value_object_set(arena, &destination, STR("cause"), value_str(str_from(look.cause)));
    if (*look.reason)
        value_object_set(arena, &destination, STR("reason"),
                         value_str_dup(arena, str_from(look.reason)));
    *object = value_object_new(arena, 1);
    value_object_set(arena, object, STR("destination"), destination);
    return object;
}

static void read_section(const struct engine *engine, enum conf_section section,
                         struct metric_page *page, struct metric_pipeline *pipeline)
{
    const struct plan *plan = engine->options.plan;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        const struct plan_plugin *plugin = plan->plugins[i];
        struct metric_plugin *out = &pipeline->plugins[i];
        if (plugin->section != section)
            continue;
        *out = (struct metric_plugin){
            .section = section, .id = plugin->id, .name = plugin->as.plugin->name};
        read_counters(engine, i, page, &out->values);
        if (section == CONF_INPUT)
            out->description = describe(engine, i, page);
        if (section == CONF_OUTPUT) {
            add_output_gauges(engine, i, page, &out->values);
            out->description = describe_output(engine, i, page);
        }
    }
}

/* The sum of a plugin's counter over a section. */
static uint64_t sum_of(struct metric_page *page, const struct metric_pipeline *pipeline,
                       enum conf_section section, const char *name)
{
    const struct metric *metric = metric_of_plugin(page, name);
    uint64_t sum = 0;
    for (size_t i = 0; i < pipeline->plugin_count; i++)
        if (pipeline->plugins[i].section == section)
            sum += metric_get(&pipeline->plugins[i].values, metric);
    return sum;
}

/* ---- of the pipeline ------------------------------------------------------------------------------ */

/* In the order of the JSON. */
enum pipeline_metric {
    EVENTS_IN,
    EVENTS_FILTERED,
    EVENTS_OUT,
    EVENTS_BUSY,
    EVENTS_WAIT,
    EVENTS_CREATED,
    EVENTS_CANCELLED,
    CONDITION_FAILURES,
    CONDITION_LIMITS,
    EVENTS_REFUSED,
    EVENTS_IN_FILTERS,
    EVENTS_UNACKNOWLEDGED,
    EVENTS_OLDEST,
    WORKERS,
    BATCH_SIZE,
    MEMORY_USED,
    MEMORY_BUDGET,
    BATCHES_IN_FLIGHT,
    PIPELINE_METRICS
};

#define ROW(json_group, json_name, text_name, what, help_text)                                     \
    {                                                                                              \
        .name = (json_name), .group = (json_group), .family = "millrace_pipeline_" text_name,      \
        .help = (help_text), .kind = (what)                                                        \
    }

#define ROW_MILLIS(json_group, json_name, text_name, what, help_text)                              \
    {                                                                                              \
        .name = (json_name), .group = (json_group), .family = "millrace_pipeline_" text_name,      \
        .help = (help_text), .kind = (what), .is_milli = true                                      \
    }

static const struct metric PIPELINE[PIPELINE_METRICS] = {
    [EVENTS_IN] = ROW("events", "in", "events_in", METRIC_COUNTER, "Events that inputs made."),
    [EVENTS_FILTERED] = ROW("events", "filtered", "events_filtered", METRIC_COUNTER,
                            "Events that left the filters for the outputs."),
    [EVENTS_OUT] = ROW("events", "out", "events_out", METRIC_COUNTER,
                       "Events delivered, once for each output."),
    [EVENTS_BUSY] =
        ROW_MILLIS("events", "duration_in_millis", "duration_seconds", METRIC_COUNTER,
                   "Time at work in filters and on encoding for outputs, of all lanes."),
    [EVENTS_WAIT] = ROW_MILLIS("events", "queue_push_duration_in_millis", "queue_wait_seconds",
                               METRIC_COUNTER, "Time that batches waited for a lane."),
    [EVENTS_CREATED] =
        ROW("events", "created", "events_created", METRIC_COUNTER, "Events that filters made."),
    [EVENTS_CANCELLED] = ROW("events", "cancelled", "events_cancelled", METRIC_COUNTER,
                             "Events that filters took out."),
    [CONDITION_FAILURES] = ROW("events", "condition_failures", "condition_failures", METRIC_COUNTER,
                               "Conditions that could not be told for an event."),
    [CONDITION_LIMITS] =
        ROW("events", "condition_match_limits", "condition_match_limits", METRIC_COUNTER,
            "Searches of conditions that met a limit of regular expressions."),
    [EVENTS_REFUSED] =
        ROW("events", "refused", "events_refused", METRIC_COUNTER,
            "Events refused for good or not to be encoded: dead letters where those are kept."),
    [EVENTS_IN_FILTERS] = ROW("events", "in_filters", "events_in_filters", METRIC_GAUGE,
                              "Events handed over that have not left the filters."),
    [EVENTS_UNACKNOWLEDGED] =
        ROW("events", "unacknowledged", "events_unacknowledged", METRIC_GAUGE,
            "Events of inputs that are not done with, so that their origin may not forget them."),
    [EVENTS_OLDEST] = ROW_MILLIS(
        "events", "oldest_unacknowledged_in_millis", "oldest_unacknowledged_seconds", METRIC_GAUGE,
        "Age of the oldest batch that is not done with; at most 4095 s are told."),
    [WORKERS] = ROW("pipeline", "workers", "workers", METRIC_GAUGE, "Lanes of the pipeline."),
    [BATCH_SIZE] =
        ROW("pipeline", "batch_size", "batch_size", METRIC_GAUGE, "Most events of one batch."),
    [MEMORY_USED] = ROW("memory", "used_bytes", "memory_used_bytes", METRIC_GAUGE,
                        "Memory of the budget in use; all pipelines share it."),
    [MEMORY_BUDGET] = ROW("memory", "budget_bytes", "memory_budget_bytes", METRIC_GAUGE,
                          "The memory budget; at it, inputs wait."),
    [BATCHES_IN_FLIGHT] = ROW(NULL, "batches_in_flight", "batches_in_flight", METRIC_GAUGE,
                              "Batches handed over that are not done with."),
};

#define MEMORY_ROW(json_name, help_text)                                                           \
    {                                                                                              \
        .name = (json_name), .group = "memory", .subgroup = "pipeline",                            \
        .family = "millrace_pipeline_memory_" json_name "_bytes", .help = (help_text),             \
        .kind = METRIC_GAUGE                                                                       \
    }

static const struct metric MEMORY_LEASED =
    MEMORY_ROW("leased", "Memory that the pipeline's streams may still take in.");
static const struct metric MEMORY[BUDGET_CLASSES] = {
    [BUDGET_ARENAS] = MEMORY_ROW("arenas", "Memory of batches and receipts."),
    [BUDGET_GROUPS] = MEMORY_ROW("groups", "Memory of what outputs have encoded."),
    [BUDGET_RECEIVE] = MEMORY_ROW("receive", "Memory of what was read and not decoded."),
    [BUDGET_SPOOL] = MEMORY_ROW("spool", "Memory of spools."),
    [BUDGET_FILTERS] = MEMORY_ROW("filters", "Memory that filters keep between events."),
    [BUDGET_SCRIPTS] = MEMORY_ROW("scripts", "Memory of Ruby code."),
    [BUDGET_KAFKA] = MEMORY_ROW("kafka", "Memory of Kafka clients."),
};

static void read_memory(struct engine *engine, struct metric_page *page,
                        struct metric_values *values)
{
    metric_add(page, values, &MEMORY_LEASED, budget_share_leased(&engine->share));
    for (enum budget_class i = 0; i < BUDGET_CLASSES; i++) {
        assert(strcmp(MEMORY[i].name, budget_class_names[i]) == 0);
        metric_add(page, values, &MEMORY[i], account_used(engine_account(engine, i)));
    }
}

const struct metric *const metric_workers = &PIPELINE[WORKERS];
const struct metric *const metric_events_busy = &PIPELINE[EVENTS_BUSY];
const struct metric *const metric_events_wait = &PIPELINE[EVENTS_WAIT];
const struct metric *const metric_events_in = &PIPELINE[EVENTS_IN];
const struct metric *const metric_events_filtered = &PIPELINE[EVENTS_FILTERED];
const struct metric *const metric_events_out = &PIPELINE[EVENTS_OUT];

static uint64_t program_counted(const struct engine *engine, size_t offset)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < engine->lane_count; i++) {
        const char *program = (const char *)engine->lanes[i].program;
        const struct counter *counter = (const void *)(program + offset);
        sum += counter_read(counter);
    }
    return sum;
}

/* Outputs have been read, filters and inputs not yet. */
static void read_program(const struct engine *engine, uint64_t values[PIPELINE_METRICS])
{
    values[EVENTS_FILTERED] = program_counted(engine, offsetof(struct program, filtered));
    values[EVENTS_CANCELLED] = program_counted(engine, offsetof(struct program, cancelled));
    values[EVENTS_CREATED] = program_counted(engine, offsetof(struct program, created));
    values[CONDITION_FAILURES] =
        program_counted(engine, offsetof(struct program, failed_conditions));
    values[EVENTS_WAIT] = program_counted(engine, offsetof(struct program, queue_wait_ms));
    values[CONDITION_LIMITS] = program_counted(engine, offsetof(struct program, condition_limits));
}

static void read_sums(struct metric_page *page, const struct metric_pipeline *pipeline,
                      uint64_t values[PIPELINE_METRICS])
{
    values[EVENTS_IN] = sum_of(page, pipeline, CONF_INPUT, "out");
    values[EVENTS_OUT] = sum_of(page, pipeline, CONF_OUTPUT, "delivered");
    values[EVENTS_REFUSED] = sum_of(page, pipeline, CONF_OUTPUT, "refused");
    values[EVENTS_BUSY] = sum_of(page, pipeline, CONF_FILTER, "duration_in_millis") +
                          sum_of(page, pipeline, CONF_OUTPUT, "duration_in_millis");
}

/* What the lanes were given: by inputs, or read from the queue, where there is one. */
static void read_in_filters(uint64_t values[PIPELINE_METRICS],
                            const struct disk_queue_figures *queue)
{
    uint64_t given = queue ? queue->read_events : values[EVENTS_IN];
    uint64_t came = given + values[EVENTS_CREATED];
    uint64_t gone = values[EVENTS_FILTERED] + values[EVENTS_CANCELLED];
    assert(came >= gone); /* M2 */
    values[EVENTS_IN_FILTERS] = came - gone;
}

static void read_gauges(struct engine *engine, uint64_t values[PIPELINE_METRICS])
{
    values[EVENTS_UNACKNOWLEDGED] = atomic_load(&engine->unsettled_events);
    values[EVENTS_OLDEST] = latency_oldest_ms(&engine->latency, uv_now(engine->lanes[0].loop));
    values[WORKERS] = engine->lane_count;
    values[BATCH_SIZE] = engine->options.batch_events;
    values[MEMORY_USED] = budget_used(engine->options.budget);
    values[MEMORY_BUDGET] = engine->options.budget->limit_bytes;
    values[BATCHES_IN_FLIGHT] = atomic_load(&engine->unsettled);
}

static void read_latency(const struct engine *engine, struct metric_page *page,
                         struct metric_histogram *out)
{
    *out = (struct metric_histogram){
        .family = "millrace_pipeline_acknowledge_seconds",
        .help = "From an input's hand-over to its acknowledgement, for each event.",
        .bounds_ms = latency_bounds_ms,
        .count = LATENCY_BOUNDS,
        .buckets = arena_alloc(&page->arena, (LATENCY_BOUNDS + 1) * sizeof *out->buckets),
        .sum_ms = atomic_load_explicit(&engine->latency.sum_ms, memory_order_relaxed),
    };
    for (size_t i = 0; i <= LATENCY_BOUNDS; i++)
        out->buckets[i] = atomic_load_explicit(&engine->latency.events[i], memory_order_relaxed);
}

void engine_collect(struct engine *engine, struct metric_page *page)
{
    uint64_t values[PIPELINE_METRICS];
    struct disk_queue_figures figures, *queue = engine->queue ? &figures : NULL;
    size_t used = page->count * sizeof *page->pipelines;
    page->pipelines =
        arena_grow(&page->arena, page->pipelines, used, used + sizeof *page->pipelines);
    struct metric_pipeline *pipeline = &page->pipelines[page->count++];
    *pipeline = (struct metric_pipeline){
        .id = str_from(engine->options.pipeline_id),
        .plan = engine->options.plan,
        .memory = engine->options.log->memory,
        .symptom = health_symptom(&engine->health, &page->arena),
        .plugin_count = engine->options.plan->plugin_count,
    };
    pipeline->plugins =
        arena_zero(&page->arena, pipeline->plugin_count * sizeof *pipeline->plugins);
    read_section(engine, CONF_OUTPUT, page, pipeline);
    read_program(engine, values);
    read_section(engine, CONF_FILTER, page, pipeline);
    read_section(engine, CONF_INPUT, page, pipeline);
    if (queue) {
        disk_queue_figures(queue_intake_queue(engine->queue), queue);
        pipeline->queue_folder = disk_queue_folder(queue_intake_queue(engine->queue));
    }
    read_sums(page, pipeline, values);
    read_in_filters(values, queue);
    read_gauges(engine, values);
    for (size_t i = 0; i < PIPELINE_METRICS; i++)
        metric_add(page, &pipeline->values, &PIPELINE[i], values[i]);
    read_memory(engine, page, &pipeline->values);
    if (queue)
        counters_add_queue(page, &pipeline->values, queue);
    counters_add_letters(page, pipeline, engine->options.dead_letters);
    read_latency(engine, page, &pipeline->latency);
}

bool engine_write_counters(struct engine *engine, struct buf *out)
{
    struct metric_page page;
    metric_page_init(&page);
    engine_collect(engine, &page);
    struct value object = metric_pipeline_json(&page.arena, page.pipelines);
    bool fits = json_encode_str(page.pipelines->id, out) && buf_append_char(out, ':') &&
                json_encode_value(&object, out);
    metric_page_release(&page);
    return fits;
}
