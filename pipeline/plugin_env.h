/* SPDX-License-Identifier: Apache-2.0
 *
 * All that a plugin can reach, handed to its open(): identity, log, memory, loop, counters, settings. Tests hand it fakes.
 */
#ifndef MILLRACE_PIPELINE_PLUGIN_ENV_H
#define MILLRACE_PIPELINE_PLUGIN_ENV_H

#include <stdatomic.h>
#include <uv.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "base/regex/regex.h"
#include "base/str.h"
#include "base/time/clock.h"
#include "conf/field_ref.h"

struct bus;
struct codec_shared;
struct data_path;
struct engine;
struct json_reader;
struct lane;
struct listen_at;
struct series_registry;

enum ecs_mode { ECS_DISABLED, ECS_V1, ECS_V8 };

/* One counter of one plugin instance; a single writer, read by the scrape. Who sees a count sees also those that were
 * made before it, on whatever lane (pipeline/engine/metric.h, M1). */
struct counter {
    atomic_uint_fast64_t value;
};
static inline void counter_add(struct counter *counter, uint64_t n)
{
    uint64_t now = atomic_load_explicit(&counter->value, memory_order_relaxed);
    atomic_store_explicit(&counter->value, now + n, memory_order_release);
}
static inline uint64_t counter_read(const struct counter *counter)
{
    return atomic_load_explicit(&counter->value, memory_order_acquire);
}

/* Settings of the process that some plugins need. */
struct plugin_settings {
    struct data_path
        *data;       /* path.data: made and locked on first need (pipeline/engine/data_path.h) */
    struct bus *bus; /* addresses of pipelines (pipeline/engine/bus.h) */
    const char *pipeline_id;       /* of the pipeline; NULL in tests of a plugin alone */
    const char *path_templates;    /* --path.templates or NULL */
    const char *geoip_database;    /* --geoip.database or NULL */
    const char *shipped_templates; /* where deploy/templates is installed or stands in the tree */
    const char *const *connect_to; /* --connect-to entries, NULL-terminated */
    const struct listen_at *listen_at; /* --listen-at; NULL: nothing (conf/listen_at.h) */
    const char *host_name;             /* of this machine */
    bool test_only;                    /* -t: nothing is asked over the network */
    struct series_registry *series; /* of output metrics (pipeline/engine/series.h); NULL: none */
    enum field_escape escape;
    struct regex_limits regex; /* of one search */
    size_t max_event_bytes;    /* one event from outside; ≤ an eighth of the memory budget */
};

struct plugin_env {
    struct str id;                  /* the plugin's id in the pipeline */
    struct error_position position; /* in the configuration; file may be NULL */
    const struct log *log;
    struct error_list *warnings; /* in check(): what does not refuse the configuration; else NULL */
    struct arena *arena;         /* lives as long as the instance; for what open() builds */
    uv_loop_t *loop;             /* of the lane that the instance lives on */
    struct lane *lane;
    struct engine *engine;
    enum ecs_mode ecs; /* of the plugin: its own option, else the pipeline's */
    bool stream;       /* of a codec: bytes come as a stream cut anywhere, not as whole messages */
    bool colours; /* of a codec: people read what it writes, on a terminal that shows colours */
    bool primary; /* the instance that does what is done once for each plugin */
    void *shared; /* shared_size bytes, the same for all instances */
    struct codec_shared
        *codec_shared; /* of a codec that writes for an output on several lanes; else NULL */
    struct regex_scratch *regex; /* the lane's */
    struct json_reader *json;    /* the lane's */
    const struct plugin_settings *settings;
    /* A named counter of this instance (the same name gives the same cell); the scrape adds up the lanes. */
    struct counter *(*counter)(const struct plugin_env *env, const char *name);
    void *counter_ctx;
    struct instant (*now)(void);
    uint64_t (*random)(void *ctx);
    void *random_ctx;
    const void *host; /* private to the engine */
};

#endif
