/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace trace`: one event through a pipeline, step by step.
 */
#include "cmd/trace.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/check_pipeline.h"
#include "cmd/commands.h"
#include "cmd/run_words.h"
#include "cmd/trace_flags.h"
#include "pipeline/event/event_json.h"

enum { OUT_MAX_BYTES = 1024 * 1024 * 1024 };

static const char USAGE[] =
    "usage: millrace trace -f FILE [EVENT]...\n"
    "       COMMAND | millrace trace -f FILE\n"
    "Shows what a pipeline does with an event, step by step: which conditions were\n"
    "true, what each filter changed and how long it took, where the event would be\n"
    "sent and as what. Nothing is sent, and no input is opened.\n"
    "An EVENT is a line as it arrives at the input, or an event as a JSON object.\n"
    "Without one, each line of standard input is one.\n"
    "  -f FILE, -e TEXT        the pipeline, as of 'millrace run'\n"
    "  --input ID              the input that gets it, where there are several\n"
    "  --line                  a JSON object too is a line, for the input's codec\n"
    "  --offline               leave out filters that ask other machines\n"
    "  --now TIME              as if it were then (2026-01-02T03:04:05Z)\n"
    "  --format text|json      json: a document on a line for each event\n"
    "  --full                  long values are not cut\n"
    "  --record FILE           also write a test of it ('millrace test')\n"
    "Flags of 'millrace run' are taken as well.\n";

enum { FLAG_FULL = TRIAL_FLAG_COUNT, FLAG_RECORD, FLAG_HELP };

const struct flag trace_flags[] = {
    TRIAL_FLAGS,
    {"full", 0, false, FLAG_FULL},
    {"record", 0, true, FLAG_RECORD},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

struct trace_command {
    struct arena arena;
    struct settings settings;
    struct trial_flags asked;
    const char *record;
    struct trace_look look;
    const char **events; /* given as arguments */
    size_t event_count;
    struct trial *trial;
    size_t input;
    struct trace trace;
    struct json_reader *reader;
    bool wrote;
};

/* ---- writing ------------------------------------------------------------------------------------- */

static void write_trace(struct trace_command *command)
{
    struct buf out;
    if (trace_is_empty(&command->trace))
        return;
    buf_init(&out, OUT_MAX_BYTES);
    if (command->wrote && !command->asked.json)
        buf_append_char(&out, '\n');
    if (command->asked.json)
        trace_write_json(&command->trace, &out);
    else
        trace_write_text(&command->trace, &command->look, &out);
    fwrite(out.ptr, 1, out.len, stdout);
    fflush(stdout);
    buf_release(&out);
    command->wrote = true;
    trace_forget(&command->trace);
}

/* ---- events -------------------------------------------------------------------------------------- */

static bool give(void *ctx, struct str text)
{
    struct trace_command *command = ctx;
    struct error err = {0};
    struct arena arena;
    struct value fields;
    arena_init(&arena, NULL);
    bool is_event =
        !command->asked.as_line && sample_is_event(command->reader, &arena, text, &fields);
    bool ok = is_event ? trial_event(command->trial, command->input, &fields, &err)
                       : trial_line(command->trial, command->input, text, &err);
    arena_release(&arena);
    if (ok)
        write_trace(command);
    else
        fprintf(stderr, "millrace trace: %s\n", err.text);
    return ok;
}

static bool give_all(struct trace_command *command)
{
    bool ok = true;
    if (command->event_count == 0 && isatty(STDIN_FILENO))
        fputs("millrace trace: an event a line, please; Ctrl-D ends\n", stderr);
    if (command->event_count == 0)
        return samples_of("trace", stdin, give, command);
    for (size_t i = 0; ok && i < command->event_count; i++) {
        struct str text = str_from(command->events[i]);
        ok = str_equal(text, STR("-")) ? samples_of("trace", stdin, give, command)
                                       : give(command, text);
    }
    return ok;
}

static void say_nothing_came(const struct trace_command *command)
{
    struct str codec = trial_codec(command->trial, command->input);
    printf("codec '%.*s' of the input made no event of this\n", STR_FMT(codec));
}

static int trace_events(struct trace_command *command)
{
    struct trial_run run = {
        .observer = &command->trace.observer,
        .offline = command->asked.offline,
        .arrived = trace_arrived,
        .ctx = &command->trace,
    };
    trace_open(&command->trace, command->trial);
    command->reader = json_reader_new();
    bool ok = trial_begin(command->trial, &run);
    if (ok) {
        ok = give_all(command);
        trial_flush(command->trial);
        write_trace(command);
        trial_end(command->trial);
        write_trace(command);
        if (ok && !command->wrote && !command->asked.json)
            say_nothing_came(command);
    }
    json_reader_free(command->reader);
    trace_close(&command->trace);
    return ok ? EXIT_DONE : EXIT_ERROR;
}

/* What was traced, as tests of what the pipeline does. */
static bool record(struct trace_command *command)
{
    struct json_reader *reader = json_reader_new();
    struct instant now = command->asked.has_now ? clock_now() : check_default_now();
    struct check_case *cases =
        arena_zero(&command->arena, (command->event_count + 1) * sizeof *cases);
    for (size_t i = 0; i < command->event_count; i++) {
        struct str text = str_from(command->events[i]);
        check_case_of(&command->arena, reader, text, &cases[i]);
        if (command->asked.as_line)
            cases[i].inputs[0].line = text;
        cases[i].input_name = command->asked.input_name;
    }
    json_reader_free(reader);
    return check_record(command->trial, command->settings.path_config.ptr, command->record, cases,
                        command->event_count, now);
}

static int trace_pipeline(struct trace_command *command)
{
    struct error err = {0};
    int status = EXIT_ERROR;
    command->trial = trial_new(&command->settings, LOG_LEVEL_WARN);
    if (!command->trial)
        return status;
    if (trial_input(command->trial, command->asked.input_name, &command->input, &err))
        status = trace_events(command);
    else
        fprintf(stderr, "millrace trace: %s; --input ID\n", err.text);
    if (status == EXIT_DONE && command->record && !record(command))
        status = EXIT_ERROR;
    trial_free(command->trial);
    return status;
}

/* ---- flags --------------------------------------------------------------------------------------- */

static bool take_flag(struct trace_command *command, const struct flags *flags, int id)
{
    switch (id) {
    case FLAG_RECORD:
        command->record = flags->value;
        return true;
    case FLAG_FULL:
        command->look.full = true;
        return true;
    case FLAGS_OPERAND:
        command->events[command->event_count++] = flags->value;
        return true;
    default:
        return take_trial_flag(&command->asked, flags, id);
    }
}

static int run_command(struct trace_command *command, int argc, char **argv)
{
    struct run_words words;
    bool good = true, asked = false;
    int status;
    run_words_part(&words, trace_flags, argc, argv);
    struct flags flags = {words.ours_count, words.ours, trace_flags, .at = 1};
    for (int id; good && !asked && (id = flags_next(&flags)) != FLAGS_END;) {
        asked = id == FLAG_HELP;
        good = asked || (id != FLAGS_BAD && take_flag(command, &flags, id));
    }
    if (!good || asked)
        status = flags_end(&flags, asked, USAGE);
    else if (load_trial_settings(&command->settings, &command->arena, &words, NULL, &status))
        status = trace_pipeline(command);
    run_words_release(&words);
    return status;
}

int cmd_trace(int argc, char **argv)
{
    struct trace_command *command = mem_zero(1, sizeof *command);
    arena_init(&command->arena, NULL);
    command->events = arena_zero(&command->arena, (size_t)argc * sizeof *command->events);
    command->look.terminal = terminal_of(STDOUT_FILENO);
    int status = run_command(command, argc, argv);
    arena_release(&command->arena);
    mem_free(command);
    return status;
}
