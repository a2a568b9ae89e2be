/* SPDX-License-Identifier: Apache-2.0
 *
 * pipe: the lines that a program writes while it runs. When it ends it is started again after a pause.
 *
 *   RUNNING ──ended──▶ PAUSED ──10 s──▶ RUNNING
 */
#include <assert.h>

#include "codecs/tokenizer.h"
#include "inputs/command_fields.h"
#include "inputs/inputs.h"
#include "io/child.h"
#include "io/loop_timer.h"
#include "pipeline/engine/stream.h"

enum { PIPE_READ_BYTES = 64 * 1024, PIPE_PAUSE_MS = 10 * 1000 };

struct pipe_input {
    struct str command;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct origin origin;
    struct stream *stream;
    const char *const *argv;
    struct child *child;
    struct loop_timer *pause;
    struct tokenizer lines;
    bool waiting, stopped; /* waiting: for memory */
    uint64_t token;
    struct counter *starts, *long_lines;
};

static struct pipe_input *input_of(struct origin *origin)
{
    return (struct pipe_input *)(void *)((char *)origin - offsetof(struct pipe_input, origin));
}

static void acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* what was written cannot be had again */
    (void)token;
}

static void resume(struct origin *origin)
{
    struct pipe_input *input = input_of(origin);
    if (!input->waiting)
        return;
    input->waiting = false;
    if (input->child)
        child_read_on(input->child);
}

static void complete(struct origin *origin, struct event *event)
{
    const struct pipe_input *input = input_of(origin);
    command_fields_set(input->env, event, input->command);
}

static void hand_over(struct pipe_input *input)
{
    if (stream_count(input->stream) > 0)
        stream_hand_over(input->stream, ++input->token);
    stream_rest(input->stream);
}

/* ---- lines ---------------------------------------------------------------------------------------- */

static void decode_line(struct pipe_input *input, struct str line)
{
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    stream_decode(input->stream, line);
    stream_flush_codec(input->stream);
}

static void note_long_line(struct pipe_input *input)
{
    counter_add(input->long_lines, 1);
    log_warn(input->env->log, "line_too_long",
             "a line of the command is longer than the limit for one event, and is left out",
             LOG_INT("max_event_bytes", input->lines.max_bytes));
}

static void on_read(void *ctx, struct str bytes)
{
    struct pipe_input *input = ctx;
    struct str line;
    stream_buffer_used(input->stream, bytes.len);
    for (;;) {
        struct arena *arena = stream_arena(input->stream);
        enum token_result result = tokenizer_next(&input->lines, arena, &bytes, &line);
        if (result == TOKEN_NEED_MORE)
            break;
        if (result == TOKEN_LINE)
            decode_line(input, line);
        else
            note_long_line(input);
    }
    hand_over(input);
}

static uv_buf_t on_room(void *ctx)
{
    struct pipe_input *input = ctx;
    size_t got = 0;
    char *room = stream_read_room(input->stream, PIPE_READ_BYTES, &got);
    input->waiting = !room;
    return uv_buf_init(room, (unsigned)got);
}

/* ---- the program ---------------------------------------------------------------------------------- */

static void on_ended(void *ctx, int64_t status)
{
    struct pipe_input *input = ctx;
    struct str line;
    assert(!input->stopped);
    input->child = NULL;
    if (tokenizer_flush(&input->lines, stream_arena(input->stream), &line))
        decode_line(input, line);
    hand_over(input);
    log_info(input->env->log, "pipe_ended", "the command ended and is started again",
             LOG_INT("status", status), LOG_INT("after_s", PIPE_PAUSE_MS / 1000));
    loop_timer_start(input->pause, PIPE_PAUSE_MS);
}

static void run(void *ctx)
{
    struct pipe_input *input = ctx;
    struct error err;
    struct child_options options = {
        .loop = input->env->loop,
        .argv = input->argv,
        .ctx = input,
        .room = on_room,
        .read = on_read,
        .ended = on_ended,
    };
    assert(!input->child && !input->stopped);
    counter_add(input->starts, 1);
    input->child = child_start(&options, &err);
    if (input->child)
        return;
    log_error(input->env->log, "pipe_failed", err.text,
              LOG_INT("next_try_in_s", PIPE_PAUSE_MS / 1000));
    loop_timer_start(input->pause, PIPE_PAUSE_MS);
}

/* ---- the input ------------------------------------------------------------------------------------ */

static bool pipe_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct pipe_input *input = self;
    input->env = env;
    input->argv = child_command(env->arena, input->command);
    input->starts = env->counter(env, "runs");
    input->long_lines = env->counter(env, "lines_too_long");
    input->origin = (struct origin){.acked = acked, .resume = resume};
    tokenizer_init(&input->lines, STR("\n"), 1, env->settings->max_event_bytes);
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

static bool pipe_start(void *self, struct error *err)
{
    struct pipe_input *input = self;
    (void)err;
    input->pause = loop_timer_new(input->env->loop, run, input);
    run(input);
    return true;
}

static void pipe_stop(void *self)
{
    struct pipe_input *input = self;
    if (input->stopped)
        return;
    input->stopped = true;
    if (input->pause)
        loop_timer_stop(input->pause);
    child_close(input->child, true);
    input->child = NULL;
    input_finished(input->env);
}

static void pipe_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct pipe_input *input = self;
    stream_close(input->stream);
    loop_timer_close(input->pause);
    child_close(input->child, true);
    if (input->env)
        tokenizer_release(&input->lines);
    closed(ctx);
}

static const struct option pipe_options[] = {
    {
        .name = "command",
        .doc = "The program to run; by the shell when it has characters of the shell.",
        OPTION_IN_STRING(struct pipe_input, command),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "codec",
        .doc = "How a line becomes events.",
        OPTION_IN_CODEC(struct pipe_input, codec),
    },
    OPTION_END,
};

const struct input input_pipe = {
    .plugin = {.name = "pipe",
               .summary = "lines that a program writes, which is started again when it ends",
               .options = pipe_options,
               .size = sizeof(struct pipe_input),
               .scope = SCOPE_PIPELINE},
    .open = pipe_open,
    .start = pipe_start,
    .stop = pipe_stop,
    .close = pipe_close,
};
