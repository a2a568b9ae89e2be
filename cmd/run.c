/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs pipelines: settings, the pipelines, their engines on one main loop, signals, and what is said at the end.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/machine.h"
#include "base/mem.h"
#include "cmd/close_signal.h"
#include "cmd/commands.h"
#include "cmd/keystore.h"
#include "cmd/process.h"
#include "cmd/progress.h"
#include "cmd/run.h"
#include "cmd/run_order.h"
#include "cmd/run_set.h"
#include "cmd/shipped.h"
#include "io/service_notify.h"
#include "pipeline/engine/bus.h"
#include "pipeline/engine/runtime.h"
#include "script/watchdog.h"
#include "services/api/api.h"
#include "services/api/tap_socket.h"

enum {
    COUNTERS_MAX_BYTES = 16 * 1024 * 1024,
    SIGNAL_STATUS = 128, /* plus the signal's number, as a shell has it */
};

struct run {
    struct arena arena;
    struct settings settings;
    struct log log;
    struct data_path data;
    struct budget budget;
    struct bus *bus;
    struct run_shared shared;
    const struct run_change *change;
    struct run_set set;
    struct api *api; /* NULL: not listening */
    struct taps taps;
    struct tap_node tap_node;
    struct tap_socket *tap_socket; /* NULL: not there */
    uv_loop_t loop;
    uv_signal_t terminate, interrupt, report, hang_up;
    uv_timer_t stopping; /* from the first signal until it is acted upon */
    uv_timer_t progress;
    uv_timer_t automatic; /* config.reload.automatic */
    int stopped_by;       /* the signal; 0: none yet */
    bool stops;
};

/* ---- counters ------------------------------------------------------------------------------------- */

static bool collect_counters(const struct run *run, struct buf *out)
{
    bool fits = buf_printf(out, "{\"pipelines\":{"), first = true;
    for (size_t i = 0; i < run->set.count; i++) {
        if (!run->set.pipelines[i]->started)
            continue;
        fits = fits && (first || buf_append_char(out, ',')) &&
               engine_write_counters(run->set.pipelines[i]->engine, out);
        first = false;
    }
    return fits && buf_printf(out, "}}\n");
}

static bool write_counters(const struct run *run)
{
    const char *path = run->settings.counters.ptr;
    struct buf text;
    buf_init(&text, COUNTERS_MAX_BYTES);
    bool ok = collect_counters(run, &text);
    FILE *out = path ? fopen(path, "we") : stderr;
    if (!out)
        log_error(&run->log, "counters_not_written", "cannot open the counters file",
                  LOG_CSTR("path", path), LOG_CSTR("reason", strerror(errno)));
    ok = ok && out && fwrite(text.ptr, 1, text.len, out) == text.len;
    if (out && out != stderr)
        ok = fclose(out) == 0 && ok;
    buf_release(&text);
    return ok;
}

/* ---- signals -------------------------------------------------------------------------------------- */

static void on_report(uv_signal_t *signal, int number)
{
    (void)number;
    write_counters(signal->data);
}

static void on_hang_up(uv_signal_t *signal, int number)
{
    struct run *run = signal->data;
    (void)number;
    run_set_reload(&run->set, false);
}

static void on_automatic(uv_timer_t *timer)
{
    struct run *run = timer->data;
    run_set_reload(&run->set, true);
}

static uint64_t in_flight(const struct run *run)
{
    uint64_t events = 0;
    for (size_t i = 0; i < run->set.count; i++) {
        struct engine_summary summary;
        if (!run->set.pipelines[i]->started)
            continue;
        engine_summary(run->set.pipelines[i]->engine, &summary);
        events += summary.in_flight;
    }
    return events;
}

static const char *signal_name(int number)
{
    return number == SIGTERM ? "SIGTERM" : "SIGINT";
}

static void on_stopping(uv_timer_t *timer)
{
    struct run *run = timer->data;
    char sentence[PROGRESS_SENTENCE_MAX];
    run->stops = true;
    service_notify(SERVICE_STOPPING);
    progress_stopping(in_flight(run), (uint64_t)run->settings.shutdown_timeout_ms, sentence);
    log_info(&run->log, "stopping", sentence, LOG_CSTR("signal", signal_name(run->stopped_by)));
    run_set_stop(&run->set);
}

static void quit_now(const struct run *run, int number)
{
    char sentence[PROGRESS_SENTENCE_MAX];
    log_warn(&run->log, "quitting", "quitting now", LOG_CSTR("signal", signal_name(number)));
    uint64_t events = in_flight(run);
    if (events > 0)
        log_warn(&run->log, "undelivered", progress_undelivered(events, sentence), LOG_NONE);
    _exit(SIGNAL_STATUS + number);
}

/* Who sends a signal to a process and to its group (timeout does) sends it twice: what comes before the first one was
 * acted upon is the same wish. */
static void on_stop(uv_signal_t *signal, int number)
{
    enum { SAME_WISH_MS = 20 };
    struct run *run = signal->data;
    if (run->stops)
        quit_now(run, number);
    if (!run->stopped_by)
        uv_timer_start(&run->stopping, on_stopping, SAME_WISH_MS, 0);
    run->stopped_by = number;
}

static void on_progress(uv_timer_t *timer)
{
    struct run *run = timer->data;
    uint64_t elapsed_ms = (uint64_t)run->settings.progress_ms;
    for (size_t i = 0; i < run->set.count; i++) {
        struct run_pipeline *pipeline = run->set.pipelines[i];
        struct engine_summary summary;
        if (!pipeline->started)
            continue;
        engine_summary(pipeline->engine, &summary);
        progress_log(&pipeline->log, pipeline->settings->pipeline_id, &pipeline->progress, &summary,
                     elapsed_ms);
    }
}

static void watch(struct run *run, uv_signal_t *handle, int number, uv_signal_cb call)
{
    uv_signal_init(&run->loop, handle);
    handle->data = run;
    uv_signal_start(handle, call, number);
}

static struct sigaction loop_action;

static void on_stop_signal(int number)
{
    watchdog_stop();
    loop_action.sa_handler(number);
}

/* A script that does not return keeps the main loop from seeing a signal; so the watchdog of scripts hears of it first. */
static void tell_watchdog(int number)
{
    sigaction(number, NULL, &loop_action);
    struct sigaction action = loop_action;
    assert(!(action.sa_flags & SA_SIGINFO));
    action.sa_handler = on_stop_signal;
    sigaction(number, &action, NULL);
}

static void watch_signals(struct run *run)
{
    watch(run, &run->terminate, SIGTERM, on_stop);
    watch(run, &run->interrupt, SIGINT, on_stop);
    watch(run, &run->report, SIGUSR1, on_report);
    tell_watchdog(SIGTERM);
    tell_watchdog(SIGINT);
    watch(run, &run->hang_up, SIGHUP, on_hang_up);
    uv_timer_init(&run->loop, &run->stopping);
    run->stopping.data = run;
}

/* Like the signals it keeps no loop running. */
static void watch_progress(struct run *run)
{
    uint64_t interval_ms = (uint64_t)run->settings.progress_ms;
    uv_timer_init(&run->loop, &run->progress);
    run->progress.data = run;
    if (interval_ms > 0)
        uv_timer_start(&run->progress, on_progress, interval_ms, interval_ms);
    uv_unref((uv_handle_t *)&run->progress);
}

static void watch_configuration(struct run *run)
{
    uint64_t interval_ms = (uint64_t)run->settings.reload_interval_ms;
    uv_timer_init(&run->loop, &run->automatic);
    run->automatic.data = run;
    if (run->settings.reload_automatic && interval_ms > 0)
        uv_timer_start(&run->automatic, on_automatic, interval_ms, interval_ms);
    uv_unref((uv_handle_t *)&run->automatic);
}

static void unwatch_signals(struct run *run)
{
    if (uv_is_closing((uv_handle_t *)&run->terminate))
        return;
    close_signal(&run->terminate);
    close_signal(&run->interrupt);
    close_signal(&run->report);
    close_signal(&run->hang_up);
    uv_close((uv_handle_t *)&run->stopping, NULL);
    uv_close((uv_handle_t *)&run->progress, NULL);
    uv_close((uv_handle_t *)&run->automatic, NULL);
}

/* ---- the monitoring API --------------------------------------------------------------------------- */

static void collect_metrics(void *ctx, struct metric_page *page)
{
    const struct run *run = ctx;
    for (size_t i = 0; i < run->set.count; i++)
        if (run->set.pipelines[i]->engine && run->set.pipelines[i]->started)
            engine_collect(run->set.pipelines[i]->engine, page);
}

/* It listens from when all pipelines have started. */
static bool is_ready(void *ctx)
{
    const struct run *run = ctx;
    return !run->stops && run->set.running == run->set.count;
}

static void look_up_reloads(void *ctx, struct str pipeline, struct api_reloads *out)
{
    const struct run *run = ctx;
    for (size_t i = 0; i < run->set.count; i++) {
        const struct run_reloads *reloads = &run->set.pipelines[i]->reloads;
        if (pipeline.len > 0 && !str_equal(run->set.pipelines[i]->settings->pipeline_id, pipeline))
            continue;
        out->successes += reloads->successes;
        out->failures += reloads->failures;
        out->last_success_ms = reloads->last_success_ms;
        out->last_failure_ms = reloads->last_failure_ms;
        out->last_error = reloads->last_error;
    }
}

static void open_api(struct run *run)
{
    struct api_options options = {
        .loop = &run->loop,
        .log = &run->log,
        .settings = &run->settings,
        .plugins = &builtin_plugins,
        .series = run->shared.series,
        .tap_node = &run->tap_node,
        .workers = machine_cores(),
        .collect = collect_metrics,
        .is_ready = is_ready,
        .reloads = look_up_reloads,
        .ctx = run,
    };
    if (run->settings.api_enabled)
        run->api = api_open(&options);
}

static void close_api(struct run *run)
{
    api_close(run->api);
    run->api = NULL;
}

/* ---- taps ----------------------------------------------------------------------------------------- */

static const struct plan *plan_at(void *ctx, size_t index, struct str *id_out)
{
    const struct run *run = ctx;
    for (size_t i = 0; i < run->set.count; i++) {
        const struct run_pipeline *pipeline = run->set.pipelines[i];
        if (!pipeline->engine || !pipeline->started || index-- > 0)
            continue;
        *id_out = pipeline->settings->pipeline_id;
        return pipeline->plan;
    }
    return NULL;
}

static struct str page_url(void *ctx, struct arena *arena)
{
    const struct run *run = ctx;
    return run->api ? api_page_url(run->api, arena) : (struct str){0};
}

static void open_taps(struct run *run)
{
    run->tap_node = (struct tap_node){
        .taps = &run->taps,
        .escape = (enum field_escape)run->settings.escape,
        .plan_at = plan_at,
        .page_url = page_url,
        .ctx = run,
    };
    struct tap_socket_options options = {
        .loop = &run->loop,
        .log = &run->log,
        .path_data = run->settings.path_data.ptr,
        .node = &run->tap_node,
    };
    run->tap_socket = tap_socket_open(&options);
}

static void close_taps(struct run *run)
{
    tap_socket_close(run->tap_socket);
    run->tap_socket = NULL;
}

/* ---- running -------------------------------------------------------------------------------------- */

static void on_all_ended(void *ctx)
{
    struct run *run = ctx;
    unwatch_signals(run);
    close_api(run);
    close_taps(run);
    run_set_close(&run->set);
}

static int run_engines(struct run *run)
{
    uv_loop_init(&run->loop);
    watch_progress(run);
    watch_configuration(run);
    watch_signals(run); /* before anything listens: who sees a port may already stop us */
    open_taps(run);
    bool started = run_set_start(&run->set);
    if (started)
        open_api(run);
    if (started)
        service_notify(SERVICE_READY);
    uv_run(&run->loop, UV_RUN_DEFAULT);
    bool counted = !run->settings.counters.ptr || write_counters(run);
    bool delivered = run_set_finish(&run->set);
    int left = uv_loop_close(&run->loop);
    assert(left == 0);
    (void)left;
    return started && counted && delivered ? EXIT_DONE : EXIT_ERROR;
}

/* ---- settings ------------------------------------------------------------------------------------- */

static bool load_settings(struct run *run, int argc, char **argv, int *status)
{
    struct error_list errors;
    error_list_init(&errors);
    enum settings_result result =
        keystore_settings(&run->settings, &run->arena, argc, argv, &errors);
    struct settings *items = NULL;
    bool runs = result == SETTINGS_OK && !run->settings.show_help && !run->settings.show_version;
    if (runs && !settings_pipelines(&run->settings, &items, &run->set.count, &errors))
        result = SETTINGS_REFUSED;
    conf_print_errors(stderr, NULL, &errors);
    error_list_release(&errors);
    *status = result == SETTINGS_OK      ? EXIT_DONE
              : result == SETTINGS_USAGE ? EXIT_USAGE
                                         : EXIT_ERROR;
    if (result != SETTINGS_OK)
        return false;
    if (run->settings.show_help)
        print_help(stdout);
    else if (run->settings.show_version)
        puts("millrace " MILLRACE_VERSION);
    run->set.pipelines = mem_zero(run->set.count, sizeof(struct run_pipeline *));
    run->set.order = mem_zero(run->set.count, sizeof(struct run_pipeline *));
    for (size_t i = 0; i < run->set.count; i++)
        run->set.pipelines[i] = run_pipeline_new(&items[i], NULL);
    return runs;
}

static bool compile_all(struct run *run)
{
    const struct settings *settings = &run->settings;
    log_init(&run->log, (enum log_level)settings->log_level, (enum log_format)settings->log_format,
             STDERR_FILENO);
    data_path_init(&run->data, settings->path_data.ptr);
    budget_init(&run->budget, process_memory_budget(settings));
    run->bus = bus_new();
    taps_init(&run->taps);
    run->shared = (struct run_shared){
        .log = &run->log,
        .data = &run->data,
        .bus = run->bus,
        .budget = &run->budget,
        .runtime = runtime_new(),
        .change = run->change,
        .series = series_registry_new(clock_now),
        .taps = &run->taps,
        .loop = &run->loop,
        .shipped_templates = shipped_path(&run->arena, "templates"),
    };
    run->set.settings = settings;
    run->set.log = &run->log;
    run->set.shared = &run->shared;
    run->set.over = on_all_ended;
    run->set.ctx = run;
    bool ok = true;
    for (size_t i = 0; i < run->set.count; i++)
        ok = run_pipeline_compile(run->set.pipelines[i], &run->shared, settings->test_and_exit,
                                  stderr) &&
             ok;
    if (!ok || !run_order_check(run->set.pipelines, run->set.count, stderr))
        return false;
    run_order_sort(run->set.pipelines, run->set.count, run->set.order);
    for (size_t i = 0; i < run->set.count; i++)
        run->shared.provenance |= run->set.pipelines[i]->plan->needs_provenance;
    return ok;
}

/* Every pipeline has been compiled. */
static int check_only(struct run *run)
{
    bool ok = true;
    for (size_t i = 0; run->settings.connect && i < run->set.count; i++)
        ok = run_pipeline_connect(run->set.pipelines[i], stderr) && ok;
    if (ok)
        puts("Configuration OK");
    return ok ? EXIT_DONE : EXIT_ERROR;
}

int cmd_run(int argc, char **argv)
{
    return run_pipelines(argc, argv, NULL);
}

int run_pipelines(int argc, char **argv, const struct run_change *change)
{
    process_prepare();
    struct run *run = mem_zero(1, sizeof *run);
    run->change = change;
    arena_init(&run->arena, NULL);
    int status;
    if (load_settings(run, argc, argv, &status)) {
        process_hide_arguments(&run->settings, argc, argv);
        status = EXIT_ERROR;
        if (compile_all(run)) {
            status = run->settings.test_and_exit ? check_only(run) : run_engines(run);
        }
        data_path_release(&run->data);
        bus_free(run->bus);
        taps_release(&run->taps);
        budget_release(&run->budget);
    }
    for (size_t i = 0; i < run->set.count; i++)
        run_pipeline_free(run->set.pipelines[i]);
    mem_free(run->set.order);
    mem_free(run->set.pipelines);
    runtime_free(run->shared.runtime);
    series_registry_free(run->shared.series);
    arena_release(&run->arena);
    mem_free(run);
    return status;
}
