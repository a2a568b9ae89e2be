/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/time/clock.h"
#include "cmd/close_signal.h"
#include "cmd/demo.h"
#include "cmd/demo_metrics.h"

enum {
    PULSE_MS = 50,
    START_MS = 30000,  /* for a child to be ready */
    STALL_MS = 60000,  /* without a new document */
    SETTLE_MS = 10000, /* for the last ones to be counted */
    ALERT_MS = 30000,  /* for an alert to fire and to be resolved */
    STOP_MS = 5000,    /* for the children to end by themselves */
    ARGUMENTS_MAX = 24,
};

static void stop(struct demo *demo);

static uint64_t now_ms(const struct demo *demo)
{
    return uv_now(&demo->loop);
}

static void set_phase(struct demo *demo, enum demo_phase phase)
{
    assert(phase > demo->phase);
    demo->phase = phase;
    demo->changed_ms = now_ms(demo);
}

#define FAIL(demo, process, ...)                                                                   \
    do {                                                                                           \
        demo_show_failure(demo, process, __VA_ARGS__);                                             \
        stop(demo);                                                                                \
    } while (0)

static void start(struct demo *demo, struct demo_process *process, const char *const *argv)
{
    struct error err = {0};
    if (!demo_process_start(process, &demo->loop, argv, &err))
        FAIL(demo, NULL, "%s", err.text);
}

/* ---- the end -------------------------------------------------------------------------------------- */

static void close_everything(struct demo *demo)
{
    demo_store_close(&demo->store);
    demo_store_close(&demo->api);
    demo_alerts_close(&demo->alerts);
    uv_close((uv_handle_t *)&demo->pulse, NULL);
    uv_close((uv_handle_t *)&demo->deadline, NULL);
    for (size_t i = 0; i < DEMO_SIGNALS; i++)
        close_signal(&demo->signals[i]);
}

/* The pipeline may still deliver to the store. */
static void stop_next(struct demo *demo)
{
    if (demo->sender_process.is_running || demo->pipeline_process.is_running ||
        demo->alarm_process.is_running || demo->report_process.is_running)
        return;
    if (demo->store_process.is_running)
        demo_process_signal(&demo->store_process, SIGTERM);
    else
        close_everything(demo);
}

static void kill_all(struct demo *demo)
{
    demo_process_signal(&demo->sender_process, SIGKILL);
    demo_process_signal(&demo->alarm_process, SIGKILL);
    demo_process_signal(&demo->report_process, SIGKILL);
    demo_process_signal(&demo->pipeline_process, SIGKILL);
    demo_process_signal(&demo->store_process, SIGKILL);
}

static void on_deadline(uv_timer_t *timer)
{
    kill_all(timer->data);
}

static void stop(struct demo *demo)
{
    if (demo->phase == DEMO_STOPPING)
        return;
    set_phase(demo, DEMO_STOPPING);
    uv_timer_stop(&demo->pulse);
    uv_timer_start(&demo->deadline, on_deadline, STOP_MS, 0);
    demo_process_signal(&demo->sender_process, SIGTERM);
    demo_process_signal(&demo->alarm_process, SIGTERM);
    demo_process_signal(&demo->report_process, SIGTERM);
    demo_process_signal(&demo->pipeline_process, SIGTERM);
    stop_next(demo);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct demo *demo = handle->data;
    if (demo->phase == DEMO_STOPPING)
        kill_all(demo);
    demo->signal = number;
    stop(demo);
}

/* ---- asking --------------------------------------------------------------------------------------- */

static void finish(struct demo *demo)
{
    demo_show_result(demo);
    demo->shown = true;
    if (demo->keep && !demo->reader_gone) {
        set_phase(demo, DEMO_KEEPING);
        demo_show_keeping(demo);
        return;
    }
    demo_show_next(demo);
    stop(demo);
}

/* ---- figures and report --------------------------------------------------------------------------- */

static void start_report(struct demo *demo)
{
    char date[] = "YYYY-MM-DD";
    time_t now = (time_t)clock_now().seconds;
    struct tm day;
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &day));
    const char *argv[] = {"report",
                          "--es",
                          arena_printf(&demo->arena, "http://%s", demo->store.address).ptr,
                          "--date",
                          arena_printf(&demo->arena, "%s", date).ptr,
                          "--lang",
                          "en",
                          "--format",
                          "md",
                          NULL};
    start(demo, &demo->report_process, argv);
}

static void on_stats(void *ctx, const struct value *answer, const char *failure)
{
    struct demo *demo = ctx;
    (void)failure; /* then they are not shown */
    demo->stats = answer;
    start_report(demo);
}

static void start_reporting(struct demo *demo)
{
    set_phase(demo, DEMO_REPORTING);
    if (demo->api.client)
        demo_store_ask(&demo->api, DEMO_STATS_PATH, STR(""), on_stats, demo);
    else
        start_report(demo);
}

/* ---- an alert ------------------------------------------------------------------------------------- */

/* A pipeline of its own reads the same lines; the output alertmanager makes one alert of all errors. */
static void start_alarm(struct demo *demo)
{
    struct arena *arena = &demo->arena;
    const char *text =
        arena_printf(arena,
                     "input { file { path => '%s' mode => read file_completed_action => log "
                     "file_completed_log_path => '%s/read' } }"
                     "filter { json { source => message } }"
                     "output { if [level] == 'ERROR' and ![context][error_code] { alertmanager {"
                     " hosts => ['http://%s'] labels => { alertname => PaymentErrors }"
                     " resolve_after => 1 } } }",
                     demo->lines_path, demo->folder, demo_alerts_address(&demo->alerts))
            .ptr;
    const char *argv[] = {"run",
                          "-e",
                          text,
                          "--path.settings",
                          demo->folder,
                          "--path.data",
                          arena_printf(arena, "%s/alarm", demo->folder).ptr,
                          "--no-api.enabled",
                          "--shutdown.timeout",
                          "2s",
                          NULL};
    set_phase(demo, DEMO_ALERTING);
    if (demo->figures.alerts_expected == 0)
        start_reporting(demo);
    else
        start(demo, &demo->alarm_process, argv);
}

static void watch_alarm(struct demo *demo)
{
    if (demo->alerts.resolved || now_ms(demo) - demo->changed_ms > ALERT_MS)
        demo_process_signal(&demo->alarm_process, SIGTERM);
}

static void ask_for_example(struct demo *demo);

static void on_example(void *ctx, const struct value *answer, const char *failure)
{
    struct demo *demo = ctx;
    if (!answer) {
        FAIL(demo, &demo->store_process, "the store could not be asked for a document: %s",
             failure);
        return;
    }
    demo->example = demo_read_example(answer, &demo->example_index);
    if (demo->example || demo->examples_asked == DEMO_EXAMPLES)
        start_alarm(demo);
    else
        ask_for_example(demo);
}

static void ask_for_example(struct demo *demo)
{
    struct str query = str_from(demo_example_queries[demo->examples_asked++]);
    demo_store_ask(&demo->store, demo_search_path, query, on_example, demo);
}

static void on_spreads(void *ctx, const struct value *answer, const char *failure)
{
    struct demo *demo = ctx;
    if (answer && demo_read_spread(answer, "tiers", &demo->tiers) &&
        demo_read_spread(answer, "categories", &demo->categories))
        ask_for_example(demo);
    else
        FAIL(demo, &demo->store_process, "the store could not be asked for counts: %s",
             failure ? failure : "its answer has no aggregations");
}

static void update_alerts(struct demo *demo)
{
    struct demo_figures *figures = &demo->figures;
    if (figures->alerts_distinct != demo->alerts.distinct)
        demo->changed_ms = now_ms(demo);
    figures->alerts_distinct = demo->alerts.distinct;
    figures->alerts_again = demo->alerts.again;
    figures->alerts_unknown = demo->alerts.unknown;
}

static void on_count(void *ctx, const struct value *answer, const char *failure)
{
    struct demo *demo = ctx;
    uint64_t stored = demo->figures.stored;
    (void)failure; /* it is asked again; the limits of time tell */
    if (demo->phase != DEMO_SENDING && demo->phase != DEMO_SETTLING)
        return;
    if (answer && demo_read_count(answer, &stored) && stored != demo->figures.stored)
        demo->changed_ms = now_ms(demo);
    demo->figures.stored = stored;
    update_alerts(demo);
    demo_show_progress(demo);
    if (demo->reader_gone) {
        stop(demo);
        return;
    }
    bool settled = demo->phase == DEMO_SETTLING &&
                   (demo_is_good(&demo->figures) || now_ms(demo) - demo->changed_ms > SETTLE_MS);
    if (settled) {
        set_phase(demo, DEMO_ASKING);
        demo_store_ask(&demo->store, demo_search_path, str_from(demo_spreads_query), on_spreads,
                       demo);
    }
}

static void on_pulse(uv_timer_t *timer)
{
    struct demo *demo = timer->data;
    uint64_t waited_ms = now_ms(demo) - demo->changed_ms;
    bool starting = demo->phase == DEMO_STORE || demo->phase == DEMO_PIPELINE;
    bool counting = demo->phase == DEMO_SENDING || demo->phase == DEMO_SETTLING;
    if (starting && waited_ms > START_MS)
        FAIL(demo, demo->phase == DEMO_STORE ? &demo->store_process : &demo->pipeline_process,
             "it is not ready after %d s", START_MS / 1000);
    else if (demo->phase == DEMO_SENDING && waited_ms > STALL_MS)
        FAIL(demo, &demo->pipeline_process, "no event arrived for %d s", STALL_MS / 1000);
    else if (demo->phase == DEMO_ALERTING)
        watch_alarm(demo);
    else if (counting && !demo->store.is_asking)
        demo_store_ask(&demo->store, demo_count_path, STR(""), on_count, demo);
}

/* ---- the children --------------------------------------------------------------------------------- */

static void start_sender(struct demo *demo)
{
    const char *argv[] = {
        "send",           "--to", demo->pipeline_address, "--field", "service=payment", "--quiet",
        demo->lines_path, NULL};
    set_phase(demo, DEMO_SENDING);
    demo_show_places(demo);
    demo->started_ms = clock_monotonic_ms();
    start(demo, &demo->sender_process, argv);
}

/* The file names hosts and a port that are not here: they are led to where things are. */
static void start_pipeline(struct demo *demo)
{
    const char *store =
        arena_printf(&demo->arena, "elasticsearch:9200:%s", demo->store.address).ptr;
    const char *alerts =
        arena_printf(&demo->arena, "alertmanager:9093:%s", demo_alerts_address(&demo->alerts)).ptr;
    const char *argv[ARGUMENTS_MAX] = {
        "run",
        "-f",
        demo->pipeline_file,
        "--listen-at",
        "5044:127.0.0.1:0",
        "--connect-to",
        store,
        "--connect-to",
        alerts,
        "--path.settings",
        demo->folder,
        "--path.data",
        arena_printf(&demo->arena, "%s/state", demo->folder).ptr,
        "--shutdown.timeout",
        "2s",
        "--log.format",
        "json",
    };
    set_phase(demo, DEMO_PIPELINE);
    start(demo, &demo->pipeline_process, argv);
}

static void start_store(struct demo *demo)
{
    const char *path = arena_printf(&demo->arena, "%s/store", demo->folder).ptr;
    const char *argv[] = {"store", "--listen", "127.0.0.1:0", "--path", path, NULL};
    start(demo, &demo->store_process, argv);
}

/* The number behind `name`, or 0. */
static unsigned long number_after(struct str line, struct str name)
{
    size_t at = str_find(line, name);
    char digits[8] = "";
    if (at == SIZE_MAX)
        return 0;
    struct str rest = str_from_offset(line, at + name.len);
    memcpy(digits, rest.ptr, rest.len < sizeof digits ? rest.len : sizeof digits - 1);
    return strtoul(digits, NULL, 10);
}

static void on_store_line(struct demo_process *process, struct str line)
{
    struct demo *demo = process->ctx;
    unsigned long port = number_after(line, STR("127.0.0.1:"));
    if (demo->phase != DEMO_STORE || port == 0)
        return;
    char address[DEMO_ADDRESS_MAX];
    snprintf(address, sizeof address, "127.0.0.1:%lu", port);
    demo_store_open(&demo->store, &demo->loop, address, &demo->arena);
    start_pipeline(demo);
}

static void on_pipeline_line(struct demo_process *process, struct str line)
{
    struct demo *demo = process->ctx;
    if (!demo->api.client && str_find(line, STR("\"event\":\"api_started\"")) != SIZE_MAX) {
        char address[DEMO_ADDRESS_MAX];
        snprintf(address, sizeof address, "127.0.0.1:%lu", number_after(line, STR("127.0.0.1:")));
        demo_store_open(&demo->api, &demo->loop, address, &demo->arena);
    }
    if (demo->phase != DEMO_PIPELINE || str_find(line, STR("\"event\":\"listening\"")) == SIZE_MAX)
        return;
    snprintf(demo->pipeline_address, sizeof demo->pipeline_address, "127.0.0.1:%lu",
             number_after(line, STR("\"port\":")));
    start_sender(demo);
}

static void on_any_line(struct demo_process *process, struct str line)
{
    (void)process;
    (void)line;
}

static void on_report_line(struct demo_process *process, struct str line)
{
    struct demo *demo = process->ctx;
    view_report_line(&demo->terminal, line, &demo->report_tables, &demo->report);
}

static void all_acknowledged(struct demo *demo)
{
    struct demo_usage usage = demo_process_usage(&demo->pipeline_process);
    demo->figures.elapsed_ms = clock_monotonic_ms() - demo->started_ms;
    demo->figures.memory_kib = usage.resident_kib;
    demo->figures.peak_kib = usage.peak_kib;
    demo->figures.cpu_ms = usage.cpu_ms;
    set_phase(demo, DEMO_SETTLING);
}

static void report_end(struct demo *demo, const struct demo_process *process)
{
    if (process->signal)
        demo_show_failure(demo, process, "it was ended by signal %d", process->signal);
    else
        demo_show_failure(demo, process, "it ended with status %d", (int)process->status);
}

static void on_ended(struct demo_process *process)
{
    struct demo *demo = process->ctx;
    bool good = process->status == 0 && process->signal == 0;
    if (demo->phase == DEMO_STOPPING) {
        if (!good && demo->shown && !demo->signal && !demo->failed)
            report_end(demo, process);
        stop_next(demo);
    } else if (process == &demo->sender_process && good) {
        all_acknowledged(demo);
    } else if (process == &demo->alarm_process && demo->phase == DEMO_ALERTING && good) {
        start_reporting(demo);
    } else if (process == &demo->report_process && good) {
        finish(demo);
    } else {
        report_end(demo, process);
        stop(demo);
    }
}

/* ---- beginning ------------------------------------------------------------------------------------ */

static void prepare(struct demo *demo, struct demo_process *process, const char *name,
                    void (*line)(struct demo_process *, struct str))
{
    process->name = name;
    process->line = line;
    process->ended = on_ended;
    process->ctx = demo;
}

static void watch(struct demo *demo)
{
    static const int NUMBERS[DEMO_SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < DEMO_SIGNALS; i++) {
        uv_signal_init(&demo->loop, &demo->signals[i]);
        demo->signals[i].data = demo;
        uv_signal_start(&demo->signals[i], on_signal, NUMBERS[i]);
    }
    uv_timer_init(&demo->loop, &demo->pulse);
    uv_timer_init(&demo->loop, &demo->deadline);
    demo->pulse.data = demo->deadline.data = demo;
    uv_timer_start(&demo->pulse, on_pulse, PULSE_MS, PULSE_MS);
}

void demo_run(struct demo *demo)
{
    struct error err = {0};
    uv_loop_init(&demo->loop);
    watch(demo);
    prepare(demo, &demo->store_process, "store", on_store_line);
    prepare(demo, &demo->pipeline_process, "pipeline", on_pipeline_line);
    prepare(demo, &demo->sender_process, "sender", on_any_line);
    prepare(demo, &demo->alarm_process, "alert", on_any_line);
    prepare(demo, &demo->report_process, "report", on_report_line);
    buf_init(&demo->report, DEMO_OUT_MAX_BYTES);
    demo_alerts_init(&demo->alerts, &demo->alarming);
    demo->changed_ms = now_ms(demo);
    if (demo_alerts_open(&demo->alerts, &demo->loop, &err))
        start_store(demo);
    else
        FAIL(demo, NULL, "%s", err.text);
    uv_run(&demo->loop, UV_RUN_DEFAULT);
    int left = uv_loop_close(&demo->loop);
    assert(left == 0);
    (void)left;
    demo_alerts_release(&demo->alerts);
    demo_process_release(&demo->store_process);
    demo_process_release(&demo->pipeline_process);
    demo_process_release(&demo->sender_process);
    demo_process_release(&demo->alarm_process);
    demo_process_release(&demo->report_process);
    buf_release(&demo->report);
}
