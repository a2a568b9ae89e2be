/* SPDX-License-Identifier: Apache-2.0
 *
 * exec: runs a command again and again; what it writes in one run goes through the codec at once. Nothing blocks: the command
 * runs beside the loop (io/child.h), one at a time.
 *
 *   WAITING ──due──▶ RUNNING ──ended──▶ its output is an event ──▶ WAITING
 *                                └─ no memory: HOLDING ──resume──┘
 */
#include <assert.h>

#include "base/buf.h"
#include "inputs/command_fields.h"
#include "inputs/inputs.h"
#include "inputs/schedule.h"
#include "io/child.h"
#include "pipeline/engine/stream.h"

enum { EXEC_READ_BYTES = 64 * 1024, EXEC_LOG_WINDOW_MS = 10 * 1000 };

struct exec_input {
    struct str command, cron;
    int64_t interval_ms, max_output_bytes;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct origin origin;
    struct stream *stream;
    struct schedule_when when;
    struct schedule *schedule;
    const char *const *argv;
    struct child *child;
    char *read_buffer;
    struct buf output; /* of this run */
    bool cut, holding, stopped;
    uint64_t started_us, took_us;
    int64_t status;
    uint64_t token;
    struct counter *runs, *failed, *cut_count;
    struct log_limit late;
};

static const struct field_ref EXIT_STATUS = FIELD_REF_METADATA("exit_status");
static const struct field_ref DURATION = FIELD_REF_METADATA("duration");
static const struct field_ref EXIT_CODE = FIELD_REF_BELOW("process", "exit_code");
static const struct field_ref ELAPSED = {
    .text = STR_INIT("[@metadata][input][exec][process][elapsed_time]"),
    .root = FIELD_ROOT_METADATA,
    .parts = (struct field_part[]){FIELD_PART("input"), FIELD_PART("exec"), FIELD_PART("process"),
                                   FIELD_PART("elapsed_time")},
    .count = 4,
};

static struct exec_input *input_of(struct origin *origin)
{
    return (struct exec_input *)(void *)((char *)origin - offsetof(struct exec_input, origin));
}

static void acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* what was written cannot be had again */
    (void)token;
}

/* elapsed_time counts microseconds, as in Logstash, whatever its documentation calls it. */
static void complete(struct origin *origin, struct event *event)
{
    const struct exec_input *input = input_of(origin);
    bool ecs = input->env->ecs != ECS_DISABLED;
    command_fields_set(input->env, event, input->command);
    event_set_missing(event, ecs ? &EXIT_CODE : &EXIT_STATUS, value_int(input->status));
    event_set_missing(event, ecs ? &ELAPSED : &DURATION,
                      ecs ? value_int((int64_t)input->took_us)
                          : value_float((double)input->took_us / 1e6));
}

/* ---- a run ---------------------------------------------------------------------------------------- */

static void warn_when_late(struct exec_input *input)
{
    uint64_t suppressed;
    if (log_limit_allow(&input->late, uv_now(input->env->loop), &suppressed))
        log_warn(input->env->log, "exec_late",
                 "the command ran longer than to its next time, and was started again at once",
                 LOG_FLOAT("seconds", (double)input->took_us / 1e6),
                 LOG_INT_IF("not_logged_before", suppressed));
}

static void emit(struct exec_input *input)
{
    size_t len = input->output.len;
    if (!stream_admit(input->stream, len + EXEC_READ_BYTES)) {
        input->holding = true;
        return;
    }
    stream_decode(input->stream, arena_dup(stream_arena(input->stream), buf_str(&input->output)));
    stream_flush_codec(input->stream);
    buf_clear(&input->output, EXEC_READ_BYTES);
    stream_hand_over(input->stream, ++input->token);
    if (schedule_done(input->schedule))
        warn_when_late(input);
}

static void resume(struct origin *origin)
{
    struct exec_input *input = input_of(origin);
    if (!input->holding || input->stopped)
        return;
    input->holding = false;
    emit(input);
}

static uv_buf_t on_room(void *ctx)
{
    struct exec_input *input = ctx;
    return uv_buf_init(input->read_buffer, EXEC_READ_BYTES);
}

static void on_read(void *ctx, struct str bytes)
{
    struct exec_input *input = ctx;
    size_t room = input->output.max - input->output.len;
    struct str part = str_make(bytes.ptr, bytes.len < room ? bytes.len : room);
    bool fits = buf_append_str(&input->output, part);
    assert(fits);
    (void)fits;
    if (part.len == bytes.len || input->cut)
        return;
    input->cut = true;
    counter_add(input->cut_count, 1);
    log_warn(input->env->log, "exec_cut",
             "the command writes more than max_output_bytes: the rest is thrown away",
             LOG_INT("max_output_bytes", input->output.max));
}

static void on_ended(void *ctx, int64_t status)
{
    struct exec_input *input = ctx;
    assert(!input->stopped);
    input->child = NULL;
    input->status = status;
    input->took_us = uv_hrtime() / 1000 - input->started_us;
    emit(input);
}

static void run(void *ctx)
{
    struct exec_input *input = ctx;
    struct error err;
    struct child_options options = {
        .loop = input->env->loop,
        .argv = input->argv,
        .ctx = input,
        .room = on_room,
        .read = on_read,
        .ended = on_ended,
    };
    assert(!input->child && input->output.len == 0);
    input->cut = false;
    input->started_us = uv_hrtime() / 1000;
    counter_add(input->runs, 1);
    input->child = child_start(&options, &err);
    if (input->child)
        return;
    counter_add(input->failed, 1);
    log_error(input->env->log, "exec_failed", err.text, LOG_NONE);
    (void)schedule_done(input->schedule);
}

/* ---- the input ------------------------------------------------------------------------------------ */

static bool exec_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct exec_input *input = self;
    (void)env;
    if ((input->interval_ms > 0) == (input->cron.len > 0))
        return error_set(err, ERROR_CONFIG, "needs interval or schedule, and not both");
    input->when = (struct schedule_when){.kind = SCHEDULE_EVERY, .every_ms = input->interval_ms};
    if (input->cron.len == 0)
        return true;
    input->when.kind = SCHEDULE_CRON;
    return cron_parse(input->cron, &input->when.cron, err);
}

static bool exec_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct exec_input *input = self;
    size_t most = (size_t)input->max_output_bytes;
    input->env = env;
    if (!exec_check(self, env, err))
        return false;
    buf_init(&input->output,
             most < env->settings->max_event_bytes ? most : env->settings->max_event_bytes);
    input->read_buffer = arena_bytes(env->arena, EXEC_READ_BYTES);
    input->argv = child_command(env->arena, input->command);
    input->runs = env->counter(env, "runs");
    input->failed = env->counter(env, "runs_failed");
    input->cut_count = env->counter(env, "runs_cut");
    input->late = (struct log_limit){.window_ms = EXEC_LOG_WINDOW_MS, .burst = 1};
    input->origin = (struct origin){.acked = acked, .resume = resume};
    struct stream_options options = {
        .env = env,
        .origin = &input->origin,
        .codec = input->codec,
        .codec_default = "plain",
        .complete = complete,
    };
    input->stream = stream_open(&options, err);
    return input->stream != NULL;
}

static bool exec_start(void *self, struct error *err)
{
    struct exec_input *input = self;
    (void)err;
    input->schedule = schedule_start(input->env, &input->when, run, input);
    return true;
}

static void exec_stop(void *self)
{
    struct exec_input *input = self;
    if (input->stopped)
        return;
    input->stopped = true;
    schedule_stop(input->schedule);
    child_close(input->child, true);
    input->child = NULL;
    input_finished(input->env);
}

static void exec_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct exec_input *input = self;
    stream_close(input->stream);
    schedule_free(input->schedule);
    child_close(input->child, true);
    if (input->env)
        buf_release(&input->output);
    closed(ctx);
}

static const struct option exec_options[] = {
    {
        .name = "command",
        .doc = "The command to run; by the shell when it has characters of the shell.",
        OPTION_IN_STRING(struct exec_input, command),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "interval",
        .doc = "Seconds from one start to the next.",
        OPTION_IN_DURATION_MS(struct exec_input, interval_ms),
        .min = 1,
        .max = 31536000000.0,
    },
    {
        .name = "schedule",
        .doc = "When to run, as cron writes it, instead of an interval: \"*/5 * * * * "
               "Europe/Berlin\".",
        OPTION_IN_STRING(struct exec_input, cron),
    },
    {
        .name = "max_output_bytes",
        .doc = "Largest output of a run; what is behind it is thrown away.",
        OPTION_IN_BYTES(struct exec_input, max_output_bytes),
        .min = 1,
        .max = 268435456,
        .def = "16 MiB",
    },
    {
        .name = "codec",
        .doc = "How the output of a run becomes events.",
        OPTION_IN_CODEC(struct exec_input, codec),
    },
    OPTION_END,
};

const struct input input_exec = {
    .plugin = {.name = "exec",
               .summary = "what a command writes, each time that it is run",
               .options = exec_options,
               .size = sizeof(struct exec_input),
               .scope = SCOPE_PIPELINE,
               .check = exec_check},
    .open = exec_open,
    .start = exec_start,
    .stop = exec_stop,
    .close = exec_close,
};
