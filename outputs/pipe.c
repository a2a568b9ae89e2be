/* SPDX-License-Identifier: Apache-2.0
 *
 * pipe: events as lines to the standard input of a program that runs on. All lanes encode, the main lane writes. An item of a
 * group is the command (its length in four bytes, then its words, each with a NUL behind it) and then the line. An event counts
 * as delivered when its bytes are in the pipe.
 *
 *   each command   RUNNING ──idle for ttl, or the output closes──▶ its input ends, and it is left to itself
 *                     └──ended, or reads no more──▶ gone: started again for the next event; what was being written goes again
 */
#include <assert.h>

#include "base/mem.h"
#include "io/child.h"
#include "io/loop_timer.h"
#include "outputs/describe.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"
#include "pipeline/program/evaluate.h"

enum {
    PIPE_GROUP_ITEMS = 1000,
    PIPE_GROUP_BYTES = 1024 * 1024,
    PIPE_FLUSH_MS = 5,
    PIPE_RETRY_INITIAL_MS = 500,
    PIPE_RETRY_MAX_MS = 10 * 1000,
    PIPE_LOG_WINDOW_MS = 10 * 1000,
    PIPE_PROGRAMS_MAX = 256, /* at once: the one that was not used for longest makes way */
    PIPE_WORDS_MAX = 256,
};

struct program {
    struct pipe_output *output;
    struct program *next;
    struct child *child;
    struct str command; /* as in items; owned */
    uint64_t used_ms;
};

struct pipe_output {
    struct option_templates command;
    struct template message_format;
    int64_t ttl_ms;
    const struct conf_plugin *codec_option;

    const struct plugin_env *env;
    struct program *programs;
    size_t program_count;
    struct loop_timer *sweep;
    struct group *group;
    size_t next, end;        /* items that are being written */
    struct program *current; /* writes them */
    struct buf lines;        /* of them */
    struct log_limit log_limit;
};

static void go_on(struct pipe_output *output);

/* ---- items ---------------------------------------------------------------------------------------- */

static struct str take_command(struct str *item)
{
    uint32_t len;
    assert(item->len >= sizeof len);
    memcpy(&len, item->ptr, sizeof len);
    assert(item->len >= sizeof len + len);
    struct str command = str_make(item->ptr + sizeof len, len);
    *item = str_from_offset(*item, sizeof len + len);
    return command;
}

/* DONE: go on. */
static enum encode_result append_command(struct pipe_output *output, const struct event *event,
                                         struct arena *scratch, struct buf *out, struct error *err)
{
    size_t start = out->len;
    uint32_t len = 0;
    if (!buf_append(out, &len, sizeof len))
        return ENCODE_FULL;
    for (size_t i = 0; i < output->command.count; i++) {
        struct str word;
        if (!template_text(&output->command.items[i], event, scratch, &word) ||
            memchr(word.ptr, '\0', word.len)) {
            error_set(err, ERROR_FORMAT, "command '%.*s' cannot be made of this event",
                      STR_FMT(output->command.items[i].text));
            return ENCODE_REFUSED;
        }
        if (!buf_append_str(out, word) || !buf_append_char(out, '\0'))
            return ENCODE_FULL;
    }
    len = (uint32_t)(out->len - start - sizeof len);
    memcpy(out->ptr + start, &len, sizeof len);
    return ENCODE_DONE;
}

static bool append_line(struct pipe_output *output, const struct event *event, struct buf *out)
{
    bool fits = output->message_format.parts ? template_append(&output->message_format, event, out)
                                             : json_encode_event(event, out);
    return fits && (out->ptr[out->len - 1] == '\n' || buf_append_char(out, '\n'));
}

static enum encode_result pipe_encode(void *self, const struct event *event, struct arena *scratch,
                                      struct buf *out, struct error *err)
{
    struct pipe_output *output = self;
    enum encode_result result = append_command(output, event, scratch, out, err);
    if (result != ENCODE_DONE)
        return result;
    return append_line(output, event, out) ? ENCODE_DONE : ENCODE_FULL;
}

/* ---- programs ------------------------------------------------------------------------------------- */

static void program_remove(struct program *program)
{
    struct pipe_output *output = program->output;
    struct program **link = &output->programs;
    while (*link != program)
        link = &(*link)->next;
    *link = program->next;
    output->program_count--;
    mem_free((char *)(uintptr_t)program->command.ptr);
    mem_free(program);
}

/* Its standard input ends; what it does then is its own affair. */
static void program_close(struct program *program)
{
    assert(program != program->output->current);
    child_close(program->child, false);
    program_remove(program);
}

static void answer_current(struct pipe_output *output, bool written, struct str reason)
{
    output->current = NULL;
    for (size_t i = output->next; i < output->end; i++)
        group_answer(output->group, i, written ? VERDICT_DELIVERED : VERDICT_RETRY, reason);
    output->next = output->end;
}

static void warn(struct pipe_output *output, const char *event, const char *sentence,
                 struct str reason)
{
    uint64_t suppressed;
    if (log_limit_allow(&output->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(output->env->log, event, sentence, LOG_STR_IF("reason", reason),
                 LOG_INT_IF("not_logged_before", suppressed));
}

static void on_written(void *ctx, int status)
{
    struct program *program = ctx;
    struct pipe_output *output = program->output;
    assert(program == output->current);
    answer_current(output, status == 0, STR("the program reads no more"));
    if (status != 0) {
        warn(output, "pipe_broken", "the program reads no more and is started again", STR(""));
        program_close(program);
    }
    go_on(output);
}

static void on_ended(void *ctx, int64_t status)
{
    struct program *program = ctx;
    struct pipe_output *output = program->output;
    bool was_current = program == output->current;
    if (status != 0)
        warn(output, "pipe_ended", "the program ended with an error", STR(""));
    if (was_current)
        answer_current(output, false, STR("the program ended"));
    program->child = NULL;
    program_remove(program);
    if (was_current)
        go_on(output);
}

static void make_room(struct pipe_output *output)
{
    struct program *oldest = output->programs;
    for (struct program *at = output->programs; at; at = at->next)
        if (at->used_ms <= oldest->used_ms)
            oldest = at;
    if (output->program_count >= PIPE_PROGRAMS_MAX)
        program_close(oldest);
}

static struct program *program_start(struct pipe_output *output, struct str command,
                                     struct error *err)
{
    const char *argv[PIPE_WORDS_MAX + 1];
    size_t count = 0;
    make_room(output);
    struct program *program = mem_zero(1, sizeof *program);
    program->output = output;
    char *words = mem_alloc(command.len + 1);
    memcpy(words, command.ptr, command.len);
    program->command = str_make(words, command.len);
    for (size_t at = 0; at < command.len; at += strlen(words + at) + 1)
        argv[count++] = words + at;
    argv[count] = NULL;
    struct child_options options = {
        .loop = output->env->loop,
        .argv = argv,
        .takes_input = true,
        .ctx = program,
        .written = on_written,
        .ended = on_ended,
    };
    program->next = output->programs;
    output->programs = program;
    output->program_count++;
    program->child = child_start(&options, err);
    if (program->child)
        return program;
    program_remove(program);
    return NULL;
}

static struct program *program_get(struct pipe_output *output, struct str command,
                                   struct error *err)
{
    for (struct program *at = output->programs; at; at = at->next)
        if (str_equal(at->command, command))
            return at;
    return program_start(output, command, err);
}

static void on_sweep(void *ctx)
{
    struct pipe_output *output = ctx;
    uint64_t now = clock_monotonic_ms();
    for (struct program *at = output->programs, *next; at; at = next) {
        next = at->next;
        if (at != output->current && now - at->used_ms >= (uint64_t)output->ttl_ms)
            program_close(at);
    }
    if (output->programs)
        loop_timer_start(output->sweep, (uint64_t)output->ttl_ms);
}

/* ---- writing -------------------------------------------------------------------------------------- */

/* The items from `next` on that go to one program. */
static struct str gather(struct pipe_output *output)
{
    struct str item = group_item(output->group, output->next);
    struct str command = take_command(&item), other = command;
    buf_clear(&output->lines, PIPE_GROUP_BYTES);
    for (output->end = output->next; str_equal(other, command);) {
        bool fits = buf_append_str(&output->lines, item);
        assert(fits);
        (void)fits;
        if (++output->end == group_count(output->group))
            break;
        item = group_item(output->group, output->end);
        other = take_command(&item);
    }
    return command;
}

static void go_on(struct pipe_output *output)
{
    struct error err;
    while (output->next < group_count(output->group)) {
        struct str command = gather(output);
        output->current = program_get(output, command, &err);
        if (output->current) {
            output->current->used_ms = clock_monotonic_ms();
            if (!loop_timer_is_set(output->sweep))
                loop_timer_start(output->sweep, (uint64_t)output->ttl_ms);
            child_write(output->current->child, buf_str(&output->lines));
            return;
        }
        warn(output, "pipe_failed", "the program cannot be started, trying again",
             str_from(err.text));
        answer_current(output, false, str_from(err.text));
    }
    struct group *group = output->group;
    output->group = NULL;
    group_answered(group);
}

static void pipe_send(void *self, struct group *group)
{
    struct pipe_output *output = self;
    assert(!output->group && !output->current);
    output->group = group;
    output->next = output->end = 0;
    go_on(output);
}

/* What is being written may be written in part. */
static void pipe_stop(void *self)
{
    struct pipe_output *output = self;
    if (!output->group)
        return;
    struct program *current = output->current;
    output->end = group_count(output->group);
    answer_current(output, false, STR("the output stops"));
    if (current)
        program_close(current);
    go_on(output);
}

/* ---- the output ----------------------------------------------------------------------------------- */

static bool pipe_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct pipe_output *output = self;
    (void)env;
    if (output->command.count == 0 || output->command.count > PIPE_WORDS_MAX)
        return error_set(err, ERROR_CONFIG, "command needs a program, and at most %d words",
                         PIPE_WORDS_MAX);
    struct str program = output->command.items[0].text;
    if (output->command.count == 1 && (memchr(program.ptr, ' ', program.len) || program.len == 0))
        return error_set(err, ERROR_CONFIG,
                         "command '%.*s' is no program: no shell reads it, so write its words as a "
                         "list, [\"tee\", \"-a\", \"file\"], or name the shell, [\"/bin/sh\", "
                         "\"-c\", \"…\"]",
                         STR_FMT(program));
    return true;
}

static bool pipe_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                      struct error *err)
{
    struct pipe_output *output = self;
    (void)err;
    output->env = env;
    output->log_limit = (struct log_limit){.window_ms = PIPE_LOG_WINDOW_MS, .burst = 2};
    output->sweep = loop_timer_new(env->loop, on_sweep, output);
    *limits = (struct output_limits){
        .max_items = PIPE_GROUP_ITEMS,
        .max_bytes = PIPE_GROUP_BYTES,
        .max_in_flight = 1,
        .flush_ms = PIPE_FLUSH_MS,
        .retry_initial_ms = PIPE_RETRY_INITIAL_MS,
        .retry_max_ms = PIPE_RETRY_MAX_MS,
    };
    buf_init(&output->lines, SIZE_MAX / 2); /* a group has a maximum of its own */
    return true;
}

static void pipe_close(void *self)
{
    struct pipe_output *output = self;
    assert(!output->group);
    while (output->programs)
        program_close(output->programs);
    loop_timer_close(output->sweep);
    if (output->env)
        buf_release(&output->lines);
}

static const struct option pipe_options[] = {
    {
        .name = "command",
        .doc = "The program and its arguments, as a list; they may come from the event. No shell "
               "reads it.",
        OPTION_IN_TEMPLATES(struct pipe_output, command),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "message_format",
        .doc = "The line for an event; without it, the event as JSON.",
        OPTION_IN_TEMPLATE(struct pipe_output, message_format),
    },
    {
        .name = "ttl",
        .doc = "Seconds without an event after which a program's standard input is closed.",
        OPTION_IN_DURATION_MS(struct pipe_output, ttl_ms),
        .min = 1,
        .max = 2147483647,
        .def = "10",
    },
    {
        .name = "codec",
        .doc = "Has no effect: use message_format.",
        OPTION_IN_CODEC(struct pipe_output, codec_option),
    },
    OPTION_END,
};

static struct str pipe_describe_item(const void *self, struct str item, struct arena *arena,
                                     struct value *object)
{
    struct str command = take_command(&item);
    char *words = arena_bytes(arena, command.len);
    (void)self;
    for (size_t i = 0; i < command.len; i++)
        words[i] = command.ptr[i] == '\0' ? ' ' : command.ptr[i];
    describe_text(arena, object, "command", str_trim(str_make(words, command.len)));
    return item;
}

const struct output output_pipe = {
    .plugin = {.name = "pipe",
               .summary = "lines to the standard input of a program",
               .options = pipe_options,
               .size = sizeof(struct pipe_output),
               .scope = SCOPE_PIPELINE,
               .check = pipe_check},
    .open = pipe_open,
    .encode = pipe_encode,
    .describe_item = pipe_describe_item,
    .send = pipe_send,
    .stop = pipe_stop,
    .close = pipe_close,
};
