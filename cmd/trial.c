/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/trial.h"

#include <assert.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/run_pipeline.h"
#include "cmd/shipped.h"
#include "pipeline/engine/bus.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/series.h"
#include "pipeline/engine/stream.h"
#include "pipeline/registry.h"

enum { MEMORY_BYTES = 1024 * 1024 * 1024 }; /* nothing is refused for want of it */

/* What an input would be: where its events come from. */
struct feed {
    struct origin origin; /* first */
    struct trial *trial;
    size_t input;
    struct stream *stream; /* NULL: nothing was given to it yet */
    bool gathers;          /* its codec may wait for more */
    uint64_t handed, settled;
};

struct trial {
    struct arena arena;
    struct log log;
    struct data_path data;
    struct budget budget;
    struct run_shared shared;
    struct run_pipeline *pipeline;
    struct trial_run run;
    struct engine *engine; /* from trial_begin to trial_end */
    struct feed *feeds;    /* by the plugin's index */
    uv_loop_t loop;
};

/* ---- compiling ----------------------------------------------------------------------------------- */

static void share(struct trial *trial)
{
    trial->shared = (struct run_shared){
        .log = &trial->log,
        .data = &trial->data,
        .bus = bus_new(),
        .budget = &trial->budget,
        .series = series_registry_new(clock_now),
        .loop = &trial->loop,
        .shipped_templates = shipped_path(&trial->arena, "templates"),
        .needs_input = true,
    };
}

struct trial *trial_new(const struct settings *settings, enum log_level level)
{
    struct trial *trial = mem_zero(1, sizeof *trial);
    arena_init(&trial->arena, NULL);
    log_init(&trial->log, level, (enum log_format)settings->log_format, STDERR_FILENO);
    data_path_init(&trial->data, settings->path_data.ptr);
    budget_init(&trial->budget, MEMORY_BYTES);
    int failed = uv_loop_init(&trial->loop);
    assert(!failed);
    (void)failed;
    share(trial);
    trial->pipeline = run_pipeline_new(settings, NULL);
    if (run_pipeline_compile(trial->pipeline, &trial->shared, false, stderr)) {
        trial->shared.provenance = trial->pipeline->plan->needs_provenance;
        return trial;
    }
    trial_free(trial);
    return NULL;
}

void trial_free(struct trial *trial)
{
    if (!trial)
        return;
    assert(!trial->engine);
    run_pipeline_free(trial->pipeline);
    bus_free(trial->shared.bus);
    series_registry_free(trial->shared.series);
    budget_release(&trial->budget);
    data_path_release(&trial->data);
    int left = uv_loop_close(&trial->loop);
    assert(left == 0);
    (void)left;
    arena_release(&trial->arena);
    mem_free(trial);
}

const struct plan *trial_plan(const struct trial *trial)
{
    return trial->pipeline->plan;
}

const struct conf_source *trial_source(const struct trial *trial)
{
    return &trial->pipeline->source;
}

/* ---- inputs -------------------------------------------------------------------------------------- */

static bool is_named(const struct plan_plugin *input, struct str name)
{
    return name.len == 0 || str_equal(input->id, name) ||
           str_equal(str_from(input->as.plugin->name), name);
}

bool trial_input(const struct trial *trial, struct str name, size_t *out, struct error *err)
{
    const struct plan *plan = trial_plan(trial);
    size_t found = 0;
    struct buf ids;
    buf_init(&ids, sizeof err->text);
    for (size_t i = 0; i < plan->plugin_count; i++) {
        const struct plan_plugin *plugin = plan->plugins[i];
        if (plugin->section != CONF_INPUT)
            continue;
        buf_printf(&ids, "%s%.*s", ids.len > 0 ? ", " : "", STR_FMT(plugin->id));
        if (is_named(plugin, name) && found++ == 0)
            *out = i;
        if (name.len > 0 && str_equal(plugin->id, name)) {
            *out = i;
            found = 1;
            break;
        }
    }
    if (found == 0)
        error_set(err, ERROR_CONFIG, "there is no input '%.*s'; there are %.*s", STR_FMT(name),
                  STR_FMT(buf_str(&ids)));
    else if (found > 1)
        error_set(err, ERROR_CONFIG, "there are several inputs, name one by its id: %.*s",
                  STR_FMT(buf_str(&ids)));
    buf_release(&ids);
    return found == 1;
}

static const struct plan_plugin *input_at(const struct trial *trial, size_t input)
{
    const struct plan *plan = trial_plan(trial);
    assert(input < plan->plugin_count && plan->plugins[input]->section == CONF_INPUT);
    return plan->plugins[input];
}

static const char *default_codec(const struct plan_plugin *input)
{
    return input->as.input->codec_default ? input->as.input->codec_default : "plain";
}

struct str trial_codec(const struct trial *trial, size_t input)
{
    const struct plan_plugin *plugin = input_at(trial, input);
    return plugin->common.codec ? plugin->common.codec->name : str_from(default_codec(plugin));
}

/* ---- feeding ------------------------------------------------------------------------------------- */

static void on_acked(struct origin *origin, uint64_t token)
{
    ((struct feed *)origin)->settled = token;
}

static void on_abandoned(struct origin *origin)
{
    struct feed *feed = (struct feed *)origin;
    feed->settled = feed->handed;
}

static void on_event(struct origin *origin, struct event *event)
{
    const struct feed *feed = (const struct feed *)origin;
    const struct trial_run *run = &feed->trial->run;
    if (run->arrived)
        run->arrived(run->ctx, feed->input, event);
}

static bool open_stream(struct feed *feed, struct error *err)
{
    const struct plan_plugin *input = input_at(feed->trial, feed->input);
    struct stream_options options = {
        .env = engine_input_env(feed->trial->engine, feed->input),
        .origin = &feed->origin,
        .codec = input->common.codec,
        .codec_default = default_codec(input),
        .complete = on_event,
    };
    feed->stream = stream_open(&options, err);
    if (!feed->stream)
        return false;
    feed->gathers = stream_codec(feed->stream)->codec->flush_after_ms;
    return stream_codec(feed->stream)->codec->decode ||
           error_set(err, ERROR_CONFIG, "codec '%.*s' cannot read",
                     STR_FMT(trial_codec(feed->trial, feed->input)));
}

/* The stream of an input that is given something. */
static struct feed *feed_of(struct trial *trial, size_t input, struct error *err)
{
    struct feed *feed = &trial->feeds[input];
    assert(trial->engine);
    if (feed->stream)
        return feed;
    *feed = (struct feed){
        .origin = {.acked = on_acked, .abandoned = on_abandoned},
        .trial = trial,
        .input = input,
    };
    return open_stream(feed, err) ? feed : NULL;
}

/* What has been decoded goes its way, to the end. */
static void settle(struct feed *feed)
{
    if (stream_count(feed->stream) == 0)
        return;
    stream_hand_over(feed->stream, ++feed->handed);
    while (feed->settled < feed->handed)
        uv_run(&feed->trial->loop, UV_RUN_ONCE);
}

bool trial_line(struct trial *trial, size_t input, struct str text, struct error *err)
{
    struct feed *feed = feed_of(trial, input, err);
    if (!feed)
        return false;
    struct arena *arena = stream_arena(feed->stream);
    stream_decode(feed->stream, arena_dup(arena, text));
    if (!feed->gathers)
        stream_flush_codec(feed->stream);
    settle(feed);
    return true;
}

bool trial_event(struct trial *trial, size_t input, const struct value *fields, struct error *err)
{
    struct feed *feed = feed_of(trial, input, err);
    assert(value_type(fields) == VALUE_OBJECT);
    if (!feed)
        return false;
    struct arena *arena = stream_arena(feed->stream);
    stream_emit(feed->stream, event_from_object(arena, value_dup(arena, fields)));
    settle(feed);
    return true;
}

void trial_flush(struct trial *trial)
{
    for (size_t i = 0; i < trial_plan(trial)->plugin_count; i++) {
        struct feed *feed = &trial->feeds[i];
        if (!feed->stream || !feed->gathers)
            continue;
        stream_flush_codec(feed->stream);
        settle(feed);
    }
}

/* ---- what outputs make of them
 * ----------------------------------------------------------------- */

struct str observed_item_describe(const struct observed_item *item, struct arena *arena,
                                  struct value *object)
{
    const struct output *output = item->plugin->as.output;
    struct str bytes = arena_dup(arena, item->bytes);
    if (item->self)
        return output->describe_item ? output->describe_item(item->self, bytes, arena, object)
                                     : bytes;
    const struct link_options *link = output->link(item->plugin->options);
    struct value addresses = value_array_new(arena, link->send_to.count);
    for (size_t i = 0; i < link->send_to.count; i++)
        value_array_push(arena, &addresses, value_str(link->send_to.items[i]));
    value_object_set(arena, object, STR("pipelines"), addresses);
    return bytes;
}

/* ---- from begin to end --------------------------------------------------------------------------- */

static void run_to_end(struct trial *trial)
{
    uv_run(&trial->loop, UV_RUN_DEFAULT);
    engine_free(trial->engine);
    trial->engine = NULL;
    mem_free(trial->feeds);
    trial->feeds = NULL;
}

bool trial_begin(struct trial *trial, const struct trial_run *run)
{
    assert(!trial->engine && run->observer);
    trial->run = *run;
    trial->feeds = mem_zero(trial_plan(trial)->plugin_count, sizeof *trial->feeds);
    struct engine_options options = run_pipeline_engine_options(trial->pipeline, &trial->shared);
    options.lanes = 1;
    options.ordered = true;
    options.observer = run->observer;
    options.isolated = true;
    options.offline = run->offline;
    options.random = run->random;
    struct error err = {0};
    struct error_list errors;
    trial->engine = engine_new(&options);
    if (engine_start(trial->engine, &err))
        return true;
    error_list_init(&errors);
    error_list_add(&errors, &err);
    conf_print_errors(stderr, &trial->pipeline->source, &errors);
    error_list_release(&errors);
    run_to_end(trial);
    return false;
}

void trial_end(struct trial *trial)
{
    const struct plan *plan = trial_plan(trial);
    size_t input = 0;
    for (size_t i = 0; i < plan->plugin_count; i++) {
        if (trial->feeds[i].stream)
            stream_close(trial->feeds[i].stream);
        if (plan->plugins[i]->section == CONF_INPUT)
            input = i;
    }
    input_finished(engine_input_env(trial->engine, input));
    run_to_end(trial);
}
