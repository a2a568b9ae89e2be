/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/run_pipeline.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log_memory.h"
#include "base/machine.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/keystore.h"
#include "cmd/mask_check.h"
#include "io/keystore.h"
#include "pipeline/delivery/dead_letters.h"
#include "pipeline/engine/connect.h"
#include "pipeline/registry.h"

/* An event with all that belongs to it is far smaller than a record may be (io/segment_log.h). */
enum { QUEUED_EVENT_MAX_BYTES = 64 * 1024 * 1024 };

/* ---- text to plan --------------------------------------------------------------------------------- */

static bool is_plugin(struct str name)
{
    for (int section = CONF_INPUT; section <= CONF_OUTPUT; section++)
        if (registry_find(&builtin_plugins, (enum conf_section)section, name))
            return true;
    return false;
}

/* As Logstash has it: what the keystore says comes before the environment. */
static const char *look_up(void *ctx, const char *name)
{
    const struct run_pipeline *pipeline = ctx;
    const char *secret =
        pipeline->keystore ? keystore_get(pipeline->keystore, str_from(name)) : NULL;
    return secret ? secret : getenv(name);
}

static bool open_keystore(struct run_pipeline *pipeline, struct error_list *errors)
{
    struct error err = {0};
    bool ok =
        keystore_of(pipeline->arena, pipeline->settings->path_settings, &pipeline->keystore, &err);
    if (!ok)
        error_list_add(errors, &err);
    return ok;
}

static bool parse(struct run_pipeline *pipeline, struct error_list *errors)
{
    struct conf_options options = {.support_escapes = pipeline->settings->support_escapes,
                                   .lookup = look_up,
                                   .lookup_ctx = pipeline,
                                   .is_plugin = is_plugin};
    return conf_parse(pipeline->arena, &pipeline->source, &options, &pipeline->tree, errors);
}

/* The text has grown, and is known to have no error: what it was warned of is found again. */
static bool parse_again(struct run_pipeline *pipeline, struct error_list *errors)
{
    assert(errors->errors == 0);
    error_list_release(errors);
    error_list_init(errors);
    return parse(pipeline, errors);
}

/* Text of -e that has no input reads stdin, without an output it writes stdout. */
static bool add_default_sections(struct run_pipeline *pipeline, struct error_list *errors)
{
    const struct conf_tree *tree = &pipeline->tree;
    if (tree->has_input_section && tree->has_output_section)
        return true;
    struct str text =
        arena_printf(pipeline->arena, "%.*s\n%s%s", STR_FMT(pipeline->source.text),
                     tree->has_input_section ? "" : "input { stdin { type => stdin } }\n",
                     tree->has_output_section ? "" : "output { stdout { codec => rubydebug } }\n");
    conf_source_text(pipeline->arena, text, "-e", &pipeline->source);
    return parse_again(pipeline, errors);
}

/* Behind the files, of which no position changes. */
static bool add_input(struct run_pipeline *pipeline, struct error_list *errors)
{
    pipeline->source.text = arena_printf(pipeline->arena, "%.*s\ninput { stdin { } }\n",
                                         STR_FMT(pipeline->source.text));
    return parse_again(pipeline, errors);
}

static bool read_text(struct run_pipeline *pipeline, struct error_list *errors)
{
    const struct settings *settings = pipeline->settings;
    struct error err = {0};
    if (pipeline->text.ptr)
        return true;
    if (settings->config_string.ptr)
        conf_source_text(pipeline->arena, settings->config_string, "-e", &pipeline->source);
    else if (!conf_source_load(pipeline->arena, settings->path_config.ptr, &pipeline->source, &err))
        error_list_add(errors, &err);
    pipeline->text = pipeline->source.text;
    return err.code == ERROR_NONE;
}

static bool load_text(struct run_pipeline *pipeline, bool needs_input, struct error_list *errors)
{
    if (!read_text(pipeline, errors) || !parse(pipeline, errors))
        return false;
    if (needs_input && pipeline->tree.inputs.count == 0 && !pipeline->settings->config_string.ptr)
        return add_input(pipeline, errors);
    return !pipeline->settings->config_string.ptr || add_default_sections(pipeline, errors);
}

/* The keystore is open only meanwhile. */
static bool load(struct run_pipeline *pipeline, bool needs_input, struct error_list *errors)
{
    bool ok = open_keystore(pipeline, errors) && load_text(pipeline, needs_input, errors);
    keystore_free(pipeline->keystore);
    pipeline->keystore = NULL;
    return ok;
}

bool run_pipeline_read(struct run_pipeline *pipeline, FILE *out)
{
    struct error_list errors;
    error_list_init(&errors);
    bool read = read_text(pipeline, &errors);
    conf_print_errors(out, NULL, &errors);
    error_list_release(&errors);
    return read;
}

static bool has_equal_queue(const struct settings *a, const struct settings *b)
{
    return a->queue_type == b->queue_type && a->queue_durability == b->queue_durability &&
           a->queue_max_bytes == b->queue_max_bytes && a->queue_max_events == b->queue_max_events &&
           a->queue_page_bytes == b->queue_page_bytes &&
           a->queue_sync_events == b->queue_sync_events && a->queue_sync_ms == b->queue_sync_ms &&
           a->queue_drain == b->queue_drain;
}

bool run_pipeline_equal(const struct run_pipeline *one, const struct run_pipeline *other)
{
    return str_equal(one->text, other->text) && run_pipeline_same_settings(one, other);
}

bool run_pipeline_same_settings(const struct run_pipeline *one, const struct run_pipeline *other)
{
    const struct settings *a = one->settings, *b = other->settings;
    return a->workers == b->workers && a->batch_size == b->batch_size && a->ordered == b->ordered &&
           a->ecs == b->ecs && a->support_escapes == b->support_escapes && a->escape == b->escape &&
           a->shutdown_timeout_ms == b->shutdown_timeout_ms && has_equal_queue(a, b) &&
           a->regex_timeout_ms == b->regex_timeout_ms &&
           a->regex_match_limit == b->regex_match_limit &&
           a->regex_heap_limit_bytes == b->regex_heap_limit_bytes &&
           a->regex_jit_stack_bytes == b->regex_jit_stack_bytes;
}

/* ---- memory --------------------------------------------------------------------------------------- */

struct run_load *run_load_new(void)
{
    struct run_load *load = mem_zero(1, sizeof *load);
    arena_init(&load->arena, NULL);
    load->references = 1;
    return load;
}

void run_load_unref(struct run_load *load)
{
    if (!load || --load->references > 0)
        return;
    arena_release(&load->arena);
    mem_free(load);
}

struct run_pipeline *run_pipeline_new(const struct settings *settings, struct run_load *load)
{
    struct run_pipeline *pipeline = mem_zero(1, sizeof *pipeline);
    pipeline->settings = settings;
    pipeline->load = load;
    if (load)
        load->references++;
    arena_init(&pipeline->own, NULL);
    pipeline->arena = &pipeline->own;
    pipeline->log_memory = log_memory_new();
    return pipeline;
}

void run_pipeline_free(struct run_pipeline *pipeline)
{
    if (!pipeline)
        return;
    assert(!pipeline->engine);
    run_pipeline_free(pipeline->next);
    plan_free(pipeline->plan);
    log_memory_free(pipeline->log_memory);
    arena_release(&pipeline->own);
    run_load_unref(pipeline->load);
    mem_free(pipeline);
}

/* ---- text to plan, the rest ----------------------------------------------------------------------- */

static void prepare(struct run_pipeline *pipeline, const struct run_shared *shared)
{
    const struct settings *settings = pipeline->settings;
    pipeline->log = *shared->log;
    pipeline->log.memory = pipeline->log_memory;
    pipeline->plugin_settings = (struct plugin_settings){
        .data = shared->data,
        .bus = shared->bus,
        .pipeline_id = settings->pipeline_id.ptr,
        .path_templates = settings->path_templates.ptr,
        .geoip_database = settings->geoip_database.ptr,
        .shipped_templates = shared->shipped_templates,
        .connect_to = settings->connect_to,
        .listen_at = settings->listen_at,
        .host_name = settings->node_name.ptr,
        .series = shared->series,
        .escape = (enum field_escape)settings->escape,
        .regex = {.match_limit = (uint32_t)settings->regex_match_limit,
                  .heap_kib = (uint32_t)(settings->regex_heap_limit_bytes / 1024),
                  .jit_stack_bytes = (size_t)settings->regex_jit_stack_bytes,
                  .timeout_ms = (uint64_t)settings->regex_timeout_ms},
        .max_event_bytes = shared->budget->limit_bytes / 8,
    };
    if (settings->queue_type == SETTINGS_QUEUE_PERSISTED &&
        pipeline->plugin_settings.max_event_bytes > QUEUED_EVENT_MAX_BYTES)
        pipeline->plugin_settings.max_event_bytes = QUEUED_EVENT_MAX_BYTES;
}

static enum ecs_mode ecs_of(const struct settings *settings)
{
    switch ((enum settings_ecs)settings->ecs) {
    case SETTINGS_ECS_DISABLED:
        return ECS_DISABLED;
    case SETTINGS_ECS_V1:
        return ECS_V1;
    case SETTINGS_ECS_V8:
        return ECS_V8;
    }
    return ECS_V8;
}

bool run_pipeline_compile(struct run_pipeline *pipeline, const struct run_shared *shared,
                          bool test_only, FILE *out)
{
    prepare(pipeline, shared);
    pipeline->plugin_settings.test_only = test_only;
    if (shared->data)
        shared->data->announcer = pipeline->settings->pipeline_id.ptr;
    struct error_list errors;
    error_list_init(&errors);
    struct plan_options options = {
        .plugins = &builtin_plugins,
        .log = &pipeline->log,
        .settings = &pipeline->plugin_settings,
        .ecs = ecs_of(pipeline->settings),
    };
    bool read = load(pipeline, shared->needs_input, &errors);
    if (read)
        mask_check(&pipeline->tree, options.ecs != ECS_DISABLED, &errors);
    if (read || pipeline->tree.broken)
        pipeline->plan = plan_compile(&options, &pipeline->tree, &errors);
    if (pipeline->plan && shared->change) {
        shared->change->rewrite(shared->change->ctx, &pipeline->tree, pipeline->plan);
        plan_free(pipeline->plan);
        pipeline->plan = plan_compile(&options, &pipeline->tree, &errors);
    }
    bool ok = pipeline->plan && (!test_only || plan_rehearse(pipeline->plan, &options, &errors));
    conf_print_errors(out, &pipeline->source, &errors);
    error_list_release(&errors);
    return ok;
}

bool run_pipeline_connect(struct run_pipeline *pipeline, FILE *out)
{
    enum { SAID_MAX_BYTES = 1024 * 1024 };
    struct error_list errors;
    struct buf said;
    error_list_init(&errors);
    buf_init(&said, SAID_MAX_BYTES);
    bool ok =
        connect_plugins(pipeline->plan, &pipeline->log, &pipeline->plugin_settings, &said, &errors);
    printf("%.*s", STR_FMT(buf_str(&said)));
    fflush(stdout);
    conf_print_errors(out, &pipeline->source, &errors);
    buf_release(&said);
    error_list_release(&errors);
    return ok;
}

/* ---- plan to engine ------------------------------------------------------------------------------- */

static size_t lanes_of(const struct settings *settings)
{
    size_t lanes = settings->workers > 0 ? (size_t)settings->workers : machine_cores();
    return lanes < LANES_MAX ? lanes : LANES_MAX;
}

/* auto: order is kept when there is one worker anyway, or nobody said how many and a filter needs it. */
static bool ordered_of(const struct settings *settings, const struct plan *plan)
{
    switch ((enum settings_ordered)settings->ordered) {
    case SETTINGS_ORDERED_AUTO:
        return settings->workers == 1 || (settings->workers == 0 && plan->wants_order);
    case SETTINGS_ORDERED_TRUE:
        return true;
    case SETTINGS_ORDERED_FALSE:
        return false;
    }
    return false;
}

/* Below path.data, or where it was said; a folder for each pipeline. */
static const char *folder_of(const struct run_pipeline *pipeline, struct str place,
                             const char *below)
{
    const struct settings *settings = pipeline->settings;
    return place.ptr
               ? arena_printf(pipeline->arena, "%s/%.*s", place.ptr, STR_FMT(settings->pipeline_id))
                     .ptr
               : arena_printf(pipeline->arena, "%s/%s/%.*s", settings->path_data.ptr, below,
                              STR_FMT(settings->pipeline_id))
                     .ptr;
}

/* Filled also for a pipeline without one: what is left in the folder is asked for. */
static void choose_queue(struct run_pipeline *pipeline)
{
    static const enum queue_durability DURABILITIES[] = {
        [SETTINGS_DURABLE_NONE] = DURABLE_NONE,
        [SETTINGS_DURABLE_INTERVAL] = DURABLE_INTERVAL,
        [SETTINGS_DURABLE_ACK] = DURABLE_ACK,
    };
    const struct settings *settings = pipeline->settings;
    pipeline->queue = (struct disk_queue_options){
        .folder = folder_of(pipeline, settings->path_queue, "queue"),
        .log = &pipeline->log,
        .max_bytes = (uint64_t)settings->queue_max_bytes,
        .max_events = (uint64_t)settings->queue_max_events,
        .page_bytes = (uint64_t)settings->queue_page_bytes,
        .durability = DURABILITIES[settings->queue_durability],
        .sync_ms = (uint64_t)settings->queue_sync_ms,
        .sync_events = (uint64_t)settings->queue_sync_events,
    };
}

/* Somebody may have taken the setting away and forgotten what is still in there. */
static void warn_of_old_queue(const struct run_pipeline *pipeline)
{
    uint64_t events = disk_queue_left(pipeline->queue.folder);
    if (events > 0)
        log_warn(&pipeline->log, "queue_not_used",
                 "the disk queue of this pipeline has events that nobody delivers, because "
                 "queue.type is memory now; with persisted they are, and 'millrace queue export' "
                 "shows them",
                 LOG_CSTR("path", pipeline->queue.folder), LOG_INT("events", events));
}

static struct dead_letters *open_dead_letters(const struct run_pipeline *pipeline)
{
    static const enum dead_letter_policy POLICIES[] = {
        [SETTINGS_DLQ_BLOCK] = DEAD_LETTERS_BLOCK,
        [SETTINGS_DLQ_DROP_NEWER] = DEAD_LETTERS_DROP_NEWER,
        [SETTINGS_DLQ_DROP_OLDER] = DEAD_LETTERS_DROP_OLDER,
    };
    const struct settings *settings = pipeline->settings;
    struct dead_letter_options options = {
        .folder = folder_of(pipeline, settings->path_dead_letter_queue, "dead_letter_queue"),
        .pipeline_id = settings->pipeline_id.ptr,
        .max_bytes = (uint64_t)settings->dlq_max_bytes,
        .retain_ms = (uint64_t)settings->dlq_retain_ms,
        .policy = POLICIES[settings->dlq_policy],
        .log = &pipeline->log,
    };
    return settings->dlq_enable ? dead_letters_new(&options) : NULL;
}

static void plan_gone(void *owner)
{
    run_pipeline_free(owner);
}

static void on_closing(void *ctx)
{
    struct run_pipeline *pipeline = ctx;
    pipeline->ended = true;
    pipeline->on_ended(pipeline);
}

struct engine_options run_pipeline_engine_options(const struct run_pipeline *pipeline,
                                                  const struct run_shared *shared)
{
    const struct settings *settings = pipeline->settings;
    return (struct engine_options){
        .plan = pipeline->plan,
        .plugins = &builtin_plugins,
        .log = &pipeline->log,
        .settings = &pipeline->plugin_settings,
        .pipeline_id = settings->pipeline_id.ptr,
        .lanes = lanes_of(settings),
        .batch_events = (size_t)settings->batch_size,
        .ordered = ordered_of(settings, pipeline->plan),
        .provenance = shared->provenance,
        .budget = shared->budget,
        .runtime = shared->runtime,
        .shutdown_timeout_ms = (unsigned)settings->shutdown_timeout_ms,
        .loop = shared->loop,
        .taps = shared->taps,
    };
}

bool run_pipeline_start(struct run_pipeline *pipeline, const struct run_shared *shared, FILE *out,
                        void (*on_ended)(struct run_pipeline *pipeline), void *ctx)
{
    const struct settings *settings = pipeline->settings;
    bool persisted = settings->queue_type == SETTINGS_QUEUE_PERSISTED;
    choose_queue(pipeline);
    if (!persisted)
        warn_of_old_queue(pipeline);
    struct engine_options options = run_pipeline_engine_options(pipeline, shared);
    options.dead_letters = open_dead_letters(pipeline);
    options.queue = persisted ? &pipeline->queue : NULL;
    options.drain_queue = settings->queue_drain;
    options.spools = folder_of(pipeline, (struct str){0}, "spool");
    options.plan_gone = plan_gone;
    options.owner = pipeline;
    struct error err = {0};
    pipeline->engine = engine_new(&options);
    pipeline->on_ended = on_ended;
    pipeline->ctx = ctx;
    pipeline->progress = (struct progress){0};
    engine_on_closing(pipeline->engine, on_closing, pipeline);
    pipeline->started = engine_start(pipeline->engine, &err);
    if (pipeline->started) {
        log_info(&pipeline->log, "started", "pipeline started",
                 LOG_STR("pipeline", settings->pipeline_id), LOG_INT("workers", options.lanes));
        return true;
    }
    run_pipeline_tell(pipeline, &err, out);
    return false;
}

void run_pipeline_tell(const struct run_pipeline *pipeline, const struct error *err, FILE *out)
{
    struct error_list errors;
    error_list_init(&errors);
    error_list_add(&errors, err);
    conf_print_errors(out, &pipeline->source, &errors);
    error_list_release(&errors);
}

/* ---- another plan for a running engine ------------------------------------------------------------ */

bool run_pipeline_can_change(const struct run_pipeline *pipeline, const struct run_pipeline *next)
{
    assert(next->plan && !next->engine);
    return pipeline->engine && pipeline->started && !pipeline->ended &&
           run_pipeline_same_settings(pipeline, next) &&
           ordered_of(pipeline->settings, pipeline->plan) ==
               ordered_of(next->settings, next->plan) &&
           engine_can_change(pipeline->engine, next->plan);
}

void run_pipeline_change(struct run_pipeline *pipeline, struct run_pipeline *next,
                         bool (*done)(void *ctx, enum change_result result,
                                      const struct error *err),
                         void *ctx)
{
    struct change_options options = {.plan = next->plan, .owner = next, .done = done, .ctx = ctx};
    engine_change(pipeline->engine, &options);
}

void run_pipeline_hand_over(struct run_pipeline *pipeline, struct run_pipeline *next)
{
    assert(pipeline->engine && !next->engine && pipeline->next != next);
    next->engine = pipeline->engine;
    next->started = pipeline->started;
    next->ended = pipeline->ended;
    next->on_ended = pipeline->on_ended;
    next->ctx = pipeline->ctx;
    next->progress = pipeline->progress;
    next->counted = pipeline->counted;
    pipeline->engine = NULL;
    pipeline->started = pipeline->counted = false;
    engine_on_closing(next->engine, on_closing, next);
}

/* False when an output could not go on. */
static bool say_what_it_did(const struct run_pipeline *pipeline)
{
    const struct log *log = &pipeline->log;
    struct str id = pipeline->settings->pipeline_id;
    struct engine_summary summary;
    char sentence[PROGRESS_SENTENCE_MAX];
    engine_summary(pipeline->engine, &summary);
    if (summary.timed_out)
        log_warn(log, "shutdown_timeout", progress_undelivered(summary.undelivered, sentence),
                 LOG_STR("pipeline", id), LOG_INT("events", summary.undelivered));
    if (summary.refused > 0)
        log_warn(log, "events_refused", "events were permanently rejected by their destination",
                 LOG_STR("pipeline", id), LOG_INT("events", summary.refused));
    log_info(log, "stopped", "pipeline stopped", LOG_STR("pipeline", id),
             LOG_INT("events_in", summary.events_in), LOG_INT("events_out", summary.events_out),
             LOG_INT("refused", summary.refused));
    return !summary.failed;
}

bool run_pipeline_try_finish(struct run_pipeline *pipeline)
{
    if (!pipeline->engine)
        return true;
    if (!engine_is_over(pipeline->engine))
        return false;
    if (pipeline->started)
        (void)say_what_it_did(pipeline);
    pipeline->started = false; /* nobody looks into it any more */
    if (!engine_try_free(pipeline->engine))
        return false;
    pipeline->engine = NULL;
    return true;
}

bool run_pipeline_finish(struct run_pipeline *pipeline)
{
    bool delivered = !pipeline->started || say_what_it_did(pipeline);
    engine_free(pipeline->engine);
    pipeline->engine = NULL;
    return delivered;
}
