/* SPDX-License-Identifier: Apache-2.0
 *
 * What can be read out of a process: one page with every counter and gauge of every pipeline and plugin, from which
 * SIGUSR1's JSON, the monitoring API's JSON and Prometheus' text are written. A metric is described once, in a row; who
 * writes a form walks the page and knows no names.
 *
 * Lanes go on counting while a page is made. It balances all the same, because it is read against the flow:
 * M1. An event is counted where it comes in before it can be counted where it comes out, also across lanes (counter_add
 *     releases, a read acquires).
 * M2. A plugin makes its counters in the order in which an event meets them. They are read newest first, each over all
 *     lanes; outputs before filters, inputs last. So what came in is never less than what came out, and the difference is
 *     what was under way.
 *
 * Main thread. A page owns its arena; ids of pipelines and plugins are the engines', which must outlive it.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_METRIC_H
#define MILLRACE_PIPELINE_ENGINE_METRIC_H

#include "base/buf.h"
#include "conf/syntax.h"
#include "pipeline/event/value.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric {
    const char *name;     /* in JSON */
    const char *group;    /* the object of the JSON that it is in; NULL: none */
    const char *subgroup; /* the object inside that one; NULL: none */
    const char *family;   /* in Prometheus' text, where a counter gets _total; NULL: not there */
    const char *help;
    enum metric_kind kind;
    int balance;   /* of an output: 1 adds to its events under way, -1 takes from them */
    bool is_milli; /* thousandths in Prometheus' text, which has base units */
    const char *label,
        *label_value; /* one more in Prometheus' text; NULL: none. The family is shared */
    bool is_nano; /* of a plugin: its counter is in nanoseconds, the value here in milliseconds */
};

struct metric_value {
    const struct metric *metric;
    uint64_t value;
};

struct metric_values {
    struct metric_value *items;
    size_t count;
};

struct metric_plugin {
    enum conf_section section;
    struct str id;
    const char *name;
    struct metric_values values;
    struct value *description; /* an object; NULL: nothing beside the values */
};

/* A histogram of a whole pipeline, each of its buckets with its own observations only. */
struct metric_histogram {
    const char *family, *help;
    const uint64_t *bounds_ms; /* Prometheus' text has seconds */
    size_t count;
    uint64_t *buckets; /* count + 1 */
    uint64_t sum_ms;
};

struct dead_letter_figures;
struct log_memory;
struct plan;

struct metric_pipeline {
    struct str id;
    const struct plan *plan;   /* the engine's */
    struct log_memory *memory; /* its last warnings and errors; NULL: none are kept */
    struct metric_histogram
        latency;        /* from an input's hand-over to its acknowledgement, of events */
    struct str symptom; /* what goes on that a person should know about; empty: nothing */
    struct metric_values values;
    const char *queue_folder;                       /* of its disk queue; NULL: it has none */
    const struct dead_letter_figures *dead_letters; /* NULL: it keeps none */
    struct metric_plugin *plugins;                  /* as in the plan */
    size_t plugin_count;
};

struct metric_made;

struct metric_page {
    struct arena arena;
    struct metric_values values; /* of the process */
    struct metric_pipeline *pipelines;
    size_t count;
    struct metric_made *made; /* for counters of plugins that have no row */
};

void metric_page_init(struct metric_page *page);
void metric_page_release(struct metric_page *page);
void metric_add(struct metric_page *page, struct metric_values *values, const struct metric *metric,
                uint64_t value);
/* The row of a plugin's counter, by its name; made when there is none. The name must outlive the page. */
const struct metric *metric_of_plugin(struct metric_page *page, const char *name);
/* 0 when it is not among them. */
uint64_t metric_get(const struct metric_values *values, const struct metric *metric);

/* Where a value belongs; pipeline and plugin are NULL for one of the process or of a whole pipeline. */
struct metric_sample {
    const struct metric *metric;
    uint64_t value;
    const struct metric_pipeline *pipeline;
    const struct metric_plugin *plugin;
};
typedef bool metric_visit(void *ctx, const struct metric_sample *sample);
/* Visits every value until one visit returns false; returns whether none did. */
bool metric_page_walk(const struct metric_page *page, metric_visit *visit, void *ctx);

struct engine;
/* Adds this engine's pipeline to the page. */
void engine_collect(struct engine *engine, struct metric_page *page);
/* Of a page's pipeline, for sums over all of them: what came, what left the filters, what outputs delivered. */
extern const struct metric *const metric_workers, *const metric_events_busy,
                                                      *const metric_events_wait;
extern const struct metric *const metric_events_in, *const metric_events_filtered,
                                                        *const metric_events_out;

/* The pipeline as the object that Logstash's node stats have for it, with more in it. */
struct value metric_pipeline_json(struct arena *arena, const struct metric_pipeline *pipeline);
/* Members with their groups, into an object. */
void metric_values_json(struct arena *arena, struct value *object,
                        const struct metric_values *values);
/* The whole page in Prometheus' text format 0.0.4. False when the buffer is at its maximum. */
bool metric_page_text(const struct metric_page *page, struct buf *out);

#endif
