/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a pipeline: settings, configuration text, plan, engine, signals, and what is said at the end.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/machine.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/run_settings.h"
#include "conf/source.h"
#include "pipeline/data_path.h"
#include "pipeline/engine.h"

enum {
    COUNTERS_MAX_BYTES = 16 * 1024 * 1024,
    HOST_NAME_BYTES = 256,
};

struct run {
    struct run_settings settings;
    struct arena arena;
    struct log log;
    struct conf_source source;
    struct conf_tree tree;
    struct plan *plan;
    struct engine *engine;
    struct data_path data;
    struct plugin_settings plugin_settings;
    char host_name[HOST_NAME_BYTES];
    uv_loop_t loop;
    uv_signal_t terminate, interrupt, report;
    unsigned stops;
};

/* ---- the configuration ---------------------------------------------------------------------------- */

static bool parse_source(struct run *run, struct error_list *errors)
{
    struct conf_options options = {.support_escapes = run->settings.support_escapes};
    return conf_parse(&run->arena, &run->source, &options, &run->tree, errors);
}

/* Text of -e that has no input reads stdin, without an output it writes stdout. */
static bool add_default_sections(struct run *run, struct error_list *errors)
{
    if (run->tree.has_input_section && run->tree.has_output_section)
        return true;
    struct str text = arena_printf(
        &run->arena, "%.*s\n%s%s", STR_FMT(run->source.text),
        run->tree.has_input_section ? "" : "input { stdin { type => stdin } }\n",
        run->tree.has_output_section ? "" : "output { stdout { codec => rubydebug } }\n");
    conf_source_text(&run->arena, text, "-e", &run->source);
    return parse_source(run, errors);
}

static bool load_tree(struct run *run, struct error_list *errors)
{
    struct error err = {0};
    if (run->settings.config_string) {
        conf_source_text(&run->arena, str_from(run->settings.config_string), "-e", &run->source);
        return parse_source(run, errors) && add_default_sections(run, errors);
    }
    if (!conf_source_load(&run->arena, run->settings.config_path, &run->source, &err)) {
        error_list_add(errors, &err);
        return false;
    }
    return parse_source(run, errors);
}

static bool compile(struct run *run)
{
    struct error_list errors;
    error_list_init(&errors);
    bool ok = load_tree(run, &errors);
    struct plan_options options = {
        .plugins = &builtin_plugins,
        .log = &run->log,
        .settings = &run->plugin_settings,
        .ecs = run->settings.ecs,
    };
    if (ok)
        run->plan = plan_compile(&options, &run->tree, &errors);
    conf_print_errors(stderr, &run->source, &errors);
    error_list_release(&errors);
    return run->plan;
}

/* ---- running -------------------------------------------------------------------------------------- */

static bool write_counters(struct run *run, const char *path)
{
    struct buf text;
    buf_init(&text, COUNTERS_MAX_BYTES);
    bool ok = engine_write_counters(run->engine, &text) && buf_append_char(&text, '\n');
    FILE *out = path ? fopen(path, "w") : stderr;
    if (!out)
        log_error(&run->log, "counters_not_written", "cannot open the counters file",
                  LOG_CSTR("path", path), LOG_CSTR("reason", strerror(errno)));
    ok = ok && out && fwrite(text.ptr, 1, text.len, out) == text.len;
    if (out && out != stderr)
        ok = fclose(out) == 0 && ok;
    buf_release(&text);
    return ok;
}

static void on_report(uv_signal_t *signal, int number)
{
    (void)number;
    struct run *run = signal->data;
    write_counters(run, run->settings.counters_path);
}

static void on_stop(uv_signal_t *signal, int number)
{
    struct run *run = signal->data;
    if (++run->stops > 1)
        _exit(128 + number);
    log_info(&run->log, "stopping", "stopping: what is under way is still delivered",
             LOG_CSTR("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"),
             LOG_INT("timeout_ms", run->settings.shutdown_timeout_ms));
    engine_stop(run->engine);
}

static void watch(struct run *run, uv_signal_t *handle, int number, uv_signal_cb call)
{
    uv_signal_init(&run->loop, handle);
    handle->data = run;
    uv_signal_start(handle, call, number);
}

static void on_closing(void *ctx)
{
    struct run *run = ctx;
    uv_close((uv_handle_t *)&run->terminate, NULL);
    uv_close((uv_handle_t *)&run->interrupt, NULL);
    uv_close((uv_handle_t *)&run->report, NULL);
}

static void summarise(struct run *run)
{
    struct engine_summary summary;
    engine_summary(run->engine, &summary);
    if (summary.timed_out)
        log_warn(&run->log, "shutdown_timeout",
                 "stopped before everything was delivered; origins that can will send it again",
                 LOG_INT("batches_left", summary.unfinished_batches));
    if (summary.refused > 0)
        log_warn(&run->log, "events_refused", "some events were refused by their destination",
                 LOG_INT("events", summary.refused));
    log_info(&run->log, "stopped", "pipeline stopped", LOG_INT("events_in", summary.events_in),
             LOG_INT("events_out", summary.events_out), LOG_INT("refused", summary.refused));
}

static bool start(struct run *run, struct error *err)
{
    struct engine_options options = {
        .plan = run->plan,
        .plugins = &builtin_plugins,
        .log = &run->log,
        .settings = &run->plugin_settings,
        .pipeline_id = run->settings.pipeline_id,
        .lanes = run->settings.workers,
        .batch_events = run->settings.batch_size,
        .ordered = run->settings.ordered,
        .memory_bytes = run->settings.memory_bytes,
        .shutdown_timeout_ms = run->settings.shutdown_timeout_ms,
        .loop = &run->loop,
    };
    run->engine = engine_new(&options, err);
    if (!run->engine)
        return false;
    watch(run, &run->terminate, SIGTERM, on_stop);
    watch(run, &run->interrupt, SIGINT, on_stop);
    watch(run, &run->report, SIGUSR1, on_report);
    engine_on_closing(run->engine, on_closing, run);
    if (engine_start(run->engine, err))
        return true;
    run->engine = NULL;
    return false;
}

static int run_engine(struct run *run)
{
    uv_loop_init(&run->loop);
    struct error err = {0};
    if (!start(run, &err)) {
        if (err.position.line > 0)
            fprintf(stderr, "%s:%u:%u: error: %s\n", err.position.file, err.position.line,
                    err.position.column, err.text);
        else
            fprintf(stderr, "millrace: %s\n", err.text);
        uv_loop_close(&run->loop);
        return EXIT_ERROR;
    }
    log_info(&run->log, "started", "pipeline started", LOG_CSTR("pipeline", run->settings.pipeline_id),
             LOG_INT("workers", run->settings.workers));
    uv_run(&run->loop, UV_RUN_DEFAULT);
    summarise(run);
    bool counted = !run->settings.counters_path || write_counters(run, run->settings.counters_path);
    engine_free(run->engine);
    uv_loop_close(&run->loop);
    return counted ? EXIT_DONE : EXIT_ERROR;
}

static void prepare(struct run *run)
{
    if (gethostname(run->host_name, sizeof run->host_name - 1) != 0)
        snprintf(run->host_name, sizeof run->host_name, "localhost");
    log_init(&run->log, run->settings.log_level, run->settings.log_format, STDERR_FILENO);
    data_path_init(&run->data, run->settings.path_data);
    run->plugin_settings = (struct plugin_settings){
        .data = &run->data,
        .path_templates = run->settings.path_templates,
        .shipped_templates = run->settings.shipped_templates,
        .connect_to = run->settings.connect_to,
        .host_name = run->host_name,
        .escape = run->settings.escape,
        .max_event_bytes = run->settings.memory_bytes / 8,
    };
}

int cmd_run(int argc, char **argv)
{
    struct run *run = mem_zero(1, sizeof *run);
    arena_init(&run->arena, NULL);
    int status;
    if (!run_settings_read(&run->settings, &run->arena, argc, argv, &status)) {
        arena_release(&run->arena);
        mem_free(run);
        return status;
    }
    prepare(run);
    status = EXIT_ERROR;
    if (compile(run)) {
        status = EXIT_DONE;
        if (run->settings.test_only)
            puts("Configuration OK");
        else
            status = run_engine(run);
    }
    plan_free(run->plan);
    data_path_release(&run->data);
    arena_release(&run->arena);
    mem_free(run);
    return status;
}
