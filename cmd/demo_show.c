/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/demo.h"
#include "cmd/demo_metrics.h"

enum { ALERTS_SHOWN = 3, COMMAND_MAX = 512, SAID_SHOWN_BYTES = 2000 };

static void flush(struct demo *demo)
{
    fwrite(demo->out.ptr, 1, demo->out.len, stdout);
    demo->reader_gone |= fflush(stdout) != 0;
    buf_clear(&demo->out, DEMO_OUT_MAX_BYTES);
}

/* As short as it can be typed in this folder. */
static const char *shorten(struct demo *demo, const char *path)
{
    char *here = realpath(".", NULL), *real = realpath(path, NULL);
    struct str folder = arena_printf(&demo->arena, "%s/", here ? here : "");
    const char *shown = path;
    if (real && here && str_starts_with(str_from(real), folder))
        shown = arena_printf(&demo->arena, "%s", real + folder.len).ptr;
    else if (real)
        shown = arena_printf(&demo->arena, "%s", real).ptr;
    free(here);
    free(real);
    return shown;
}

void demo_show_start(struct demo *demo)
{
    view_heading(&demo->terminal, "millrace demo", &demo->out);
    terminal_text(&demo->terminal, STYLE_DIM,
                  STR("    The payment pipeline, with all that it needs on this machine.\n"),
                  &demo->out);
    flush(demo);
}

void demo_show_places(struct demo *demo)
{
    struct demo_places places = {
        .store = demo->store.address,
        .alerts = demo_alerts_address(&demo->alerts),
        .pipeline = demo->pipeline_address,
        .file = shorten(demo, demo->pipeline_file),
    };
    char count[COUNT_TEXT_MAX];
    buf_append_char(&demo->out, '\n');
    view_places(&demo->terminal, &places, &demo->out);
    struct str heading = arena_printf(&demo->arena, "%s events over a Beats connection",
                                      count_text(demo->figures.events, count));
    view_heading(&demo->terminal, heading.ptr, &demo->out);
    flush(demo);
}

/* Where a line cannot be written over, each quarter is a line. */
void demo_show_progress(struct demo *demo)
{
    const struct demo_figures *figures = &demo->figures;
    uint64_t quarters =
        figures->stored >= figures->events ? 4 : figures->stored * 4 / figures->events;
    bool over = demo->terminal.is_terminal;
    if (!over && quarters == demo->progress_quarters)
        return;
    demo->progress_quarters = quarters;
    buf_append_str(&demo->out, over ? STR("\r") : STR(""));
    view_progress(&demo->terminal, figures->stored, figures->events, figures->alerts_distinct,
                  &demo->out);
    buf_append_str(&demo->out, over ? STR("\x1b[K") : STR("\n"));
    demo->progress_is_open = over;
    flush(demo);
}

static void end_progress(struct demo *demo)
{
    if (demo->progress_is_open)
        buf_append_char(&demo->out, '\n');
    demo->progress_is_open = false;
}

/* ---- the result ----------------------------------------------------------------------------------- */

/* The line is in the document, as every message is. */
static void put_example(struct demo *demo)
{
    struct value before;
    const struct value *line =
        demo->example ? value_object_get(demo->example, STR("message")) : NULL;
    struct json_reader *reader = json_reader_new();
    if (value_is_str(line) &&
        json_decode(reader, &demo->arena, value_as_str(line), &before, NULL) &&
        value_type(&before) == VALUE_OBJECT) {
        struct str heading =
            arena_printf(&demo->arena, "One event of %.*s: - as it was logged, + as it is stored",
                         STR_FMT(demo->example_index));
        view_heading(&demo->terminal, heading.ptr, &demo->out);
        view_event(&demo->terminal, &before, demo->example, &demo->out);
    }
    json_reader_free(reader);
}

static void put_alerts(struct demo *demo)
{
    struct demo_alert latest[ALERTS_SHOWN];
    size_t count = demo_alerts_latest(&demo->alerts, &demo->arena, latest, ALERTS_SHOWN);
    if (count == 0)
        return;
    char received[COUNT_TEXT_MAX];
    struct str heading = arena_printf(&demo->arena, "The latest of %s alerts",
                                      count_text(demo->alerts.received, received));
    view_heading(&demo->terminal, heading.ptr, &demo->out);
    for (size_t i = 0; i < count; i++)
        view_alert(&demo->terminal, &latest[i], &demo->out);
}

static void put_alarm(struct demo *demo)
{
    const struct demo_alerts *alerts = &demo->alerts;
    if (demo->figures.alerts_expected == 0)
        return;
    view_heading(&demo->terminal, "The same errors as one alert that ends by itself", &demo->out);
    view_alarm(&demo->terminal, alerts->fired, alerts->resolved, alerts->fired_events,
               alerts->resolved_ms - alerts->fired_ms, &demo->out);
}

void demo_show_result(struct demo *demo)
{
    const struct terminal *terminal = &demo->terminal;
    end_progress(demo);
    view_heading(terminal, "performance_tier", &demo->out);
    view_spread(terminal, &demo->tiers, demo->figures.stored, "(no duration)", &demo->out);
    view_heading(terminal, "error_category", &demo->out);
    view_spread(terminal, &demo->categories, demo->figures.stored, "(no error)", &demo->out);
    put_example(demo);
    put_alerts(demo);
    put_alarm(demo);
    if (demo->stats) {
        view_heading(
            terminal,
            arena_printf(&demo->arena, "Metrics of the pipeline, from http://%s", demo->api.address)
                .ptr,
            &demo->out);
        view_metrics(terminal, demo->stats, &demo->out);
    }
    if (demo->report.len > 0) {
        view_heading(terminal, "The report of today", &demo->out);
        buf_append_str(&demo->out, buf_str(&demo->report));
    }
    view_heading(terminal, "Result", &demo->out);
    view_verdict(terminal, &demo->figures, &demo->out);
    flush(demo);
}

/* ---- what to try ---------------------------------------------------------------------------------- */

/* "millrace" when the shell would find this very program by that name. */
static const char *program(struct demo *demo)
{
    char path[4096];
    size_t len = sizeof path;
    if (uv_exepath(path, &len) != 0)
        return "millrace";
    for (struct str rest = str_from(getenv("PATH")); rest.len > 0;) {
        size_t colon = str_find(rest, STR(":"));
        struct str folder = str_make(rest.ptr, colon == SIZE_MAX ? rest.len : colon);
        struct str found = arena_printf(&demo->arena, "%.*s/millrace", STR_FMT(folder));
        char *real = folder.len > 0 ? realpath(found.ptr, NULL) : NULL;
        bool same = real && str_equal(str_from(real), str_from(path));
        free(real);
        if (same)
            return "millrace";
        rest = str_from_offset(rest, colon == SIZE_MAX ? rest.len : colon + 1);
    }
    return shorten(demo, arena_printf(&demo->arena, "%s", path).ptr);
}

__attribute__((format(printf, 3, 4))) static void put_command(struct demo *demo, const char *what,
                                                              const char *format, ...)
{
    char command[COMMAND_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    terminal_printf(&demo->terminal, STYLE_DIM, &demo->out, "    # %s\n", what);
    buf_printf(&demo->out, "    %s\n", command);
}

void demo_show_next(struct demo *demo)
{
    const char *millrace = program(demo);
    view_heading(&demo->terminal, "Next", &demo->out);
    put_command(demo, "the same, and it stays: look around with curl", "%s demo --keep", millrace);
    put_command(demo, "check a pipeline: every mistake with its line and column", "%s -t -f %s",
                millrace, shorten(demo, demo->pipeline_file));
    put_command(demo, "one filter on one line",
                "%s generate -n 1 |\n"
                "      %s -e 'filter { json { source => \"message\" } }'",
                millrace, millrace);
    put_command(demo, "what a plugin takes, and all that millrace does",
                "%s plugins mutate; %s help", millrace, millrace);
    flush(demo);
}

void demo_show_keeping(struct demo *demo)
{
    const char *millrace = program(demo), *store = demo->store.address;
    view_heading(&demo->terminal, "Still running; Ctrl-C ends it. Meanwhile, from another shell",
                 &demo->out);
    if (demo->api.client)
        put_command(demo, "the pipeline at work, in a browser", "http://%s/", demo->api.address);
    put_command(demo, "the day as a page",
                "%s report --es http://%s --date $(date -u +%%F) -o report.html", millrace, store);
    put_command(demo, "the indices", "curl -s '%s/_cat/indices?v'", store);
    put_command(demo, "a slow payment",
                "curl -s '%s/_search?q=performance_tier:SLOW&size=1&pretty'", store);
    put_command(demo, "the latest alerts", "curl -s %s", demo_alerts_address(&demo->alerts));
    put_command(demo, "a thousand more events",
                "%s generate -n 1000 --seed 2 --start now |\n"
                "      %s send --to %s --field service=payment",
                millrace, millrace, demo->pipeline_address);
    flush(demo);
}

/* ---- other ends ----------------------------------------------------------------------------------- */

void demo_show_stopped(struct demo *demo)
{
    end_progress(demo);
    buf_append_str(&demo->out, STR("\n  Stopped; nothing is left behind.\n"));
    flush(demo);
}

void demo_show_failure(struct demo *demo, const struct demo_process *process, const char *format,
                       ...)
{
    va_list args;
    end_progress(demo);
    flush(demo);
    demo->failed = true;
    fprintf(stderr, "\nmillrace demo: %s%s", process ? process->name : "", process ? ": " : "");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    if (!process || process->said.len == 0)
        return;
    struct str said = buf_str(&process->said);
    if (said.len > SAID_SHOWN_BYTES)
        said = str_from_offset(said, said.len - SAID_SHOWN_BYTES);
    fprintf(stderr, "The last that it said:\n%.*s\n", STR_FMT(said));
}
