/* SPDX-License-Identifier: Apache-2.0
 *
 * exec: runs a command for each event, by the shell, one at a time on each lane, and waits for its end. What it exits with says
 * nothing about the event, as in Logstash.
 */
#include <assert.h>

#include "base/mem.h"
#include "io/child.h"
#include "outputs/describe.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"
#include "pipeline/program/evaluate.h"

enum {
    EXEC_COMMAND_MAX = 128 * 1024, /* the system takes no longer argument */
    EXEC_READ_BYTES = 4096,
    EXEC_RETRY_INITIAL_MS = 500,
    EXEC_RETRY_MAX_MS = 10 * 1000,
    EXEC_LOG_WINDOW_MS = 10 * 1000,
};

struct exec_output {
    struct template command;
    bool quiet;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct group *group; /* whose command runs */
    struct child *child;
    char *read_buffer;
    struct counter *failed; /* exit status not 0 */
    struct log_limit log_limit;
};

static void answer(struct exec_output *output, const struct send_result *result)
{
    struct group *group = output->group;
    output->group = NULL;
    if (result->cause == SEND_ANSWERED)
        group_answer_all(group, VERDICT_DELIVERED, STR(""));
    group_done(group, result);
}

static uv_buf_t on_room(void *ctx)
{
    struct exec_output *output = ctx;
    return (uv_buf_t){.base = output->read_buffer, .len = EXEC_READ_BYTES};
}

/* It may quote the event, so it is said at debug only. */
static void on_read(void *ctx, struct str bytes)
{
    const struct exec_output *output = ctx;
    if (!output->quiet)
        log_debug(output->env->log, "exec_wrote", "the command wrote", LOG_STR("text", bytes));
}

static void on_ended(void *ctx, int64_t status)
{
    struct exec_output *output = ctx;
    uint64_t suppressed;
    output->child = NULL;
    if (status != 0) {
        counter_add(output->failed, 1);
        if (log_limit_allow(&output->log_limit, clock_monotonic_ms(), &suppressed))
            log_warn(output->env->log, "exec_status", "the command ended with an error",
                     LOG_INT("status", status), LOG_INT_IF("not_logged_before", suppressed));
    }
    answer(output, &(struct send_result){.cause = SEND_ANSWERED});
}

static void exec_send(void *self, struct group *group)
{
    struct exec_output *output = self;
    struct error err;
    assert(!output->group && !output->child && group_count(group) == 1);
    char *command = mem_alloc(group_bytes(group).len + 1);
    memcpy(command, group_bytes(group).ptr, group_bytes(group).len);
    command[group_bytes(group).len] = '\0';
    struct child_options options = {
        .loop = output->env->loop,
        .argv = (const char *const[]){"/bin/sh", "-c", command, NULL},
        .ctx = output,
        .room = on_room,
        .read = on_read,
        .ended = on_ended,
    };
    output->group = group;
    output->child = child_start(&options, &err);
    mem_free(command);
    if (!output->child)
        answer(output,
               &(struct send_result){.cause = SEND_OVERLOADED, .reason = str_from(err.text)});
}

static bool exec_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                      struct error *err)
{
    struct exec_output *output = self;
    (void)err;
    output->env = env;
    output->read_buffer = arena_bytes(env->arena, EXEC_READ_BYTES);
    output->failed = env->counter(env, "runs_failed");
    output->log_limit = (struct log_limit){.window_ms = EXEC_LOG_WINDOW_MS, .burst = 1};
    *limits = (struct output_limits){
        .max_items = 1,
        .max_bytes = EXEC_COMMAND_MAX,
        .max_in_flight = 1,
        .flush_ms = 0,
        .retry_initial_ms = EXEC_RETRY_INITIAL_MS,
        .retry_max_ms = EXEC_RETRY_MAX_MS,
    };
    return true;
}

static enum encode_result exec_encode(void *self, const struct event *event, struct arena *scratch,
                                      struct buf *out, struct error *err)
{
    struct exec_output *output = self;
    struct str command;
    if (!template_text(&output->command, event, scratch, &command) ||
        memchr(command.ptr, '\0', command.len) || command.len >= EXEC_COMMAND_MAX) {
        error_set(err, ERROR_FORMAT,
                  "the command cannot be made of this event: too long, or with a NUL in it");
        return ENCODE_REFUSED;
    }
    return buf_append_str(out, command) ? ENCODE_DONE : ENCODE_FULL;
}

/* A command that runs is left to itself: half of it is done already. */
static void exec_stop(void *self)
{
    struct exec_output *output = self;
    child_close(output->child, false);
    output->child = NULL;
    if (output->group)
        answer(output, &(struct send_result){.cause = SEND_STOPPED});
}

static void exec_close(void *self)
{
    struct exec_output *output = self;
    assert(!output->group);
    child_close(output->child, false);
    output->child = NULL;
}

static const struct option exec_options[] = {
    {
        .name = "command",
        .doc = "The command for an event, run by the shell. Fields in it are not quoted: what an "
               "event "
               "may say, the shell may be told.",
        OPTION_IN_TEMPLATE(struct exec_output, command),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "quiet",
        .doc = "Say nothing of what the command writes; else it is in the log at level debug.",
        OPTION_IN_BOOL(struct exec_output, quiet),
        .def = "false",
    },
    {
        .name = "codec",
        .doc = "Has no effect: the command says what is told of the event.",
        OPTION_IN_CODEC(struct exec_output, codec),
    },
    OPTION_END,
};

static struct str exec_describe_item(const void *self, struct str item, struct arena *arena,
                                     struct value *object)
{
    (void)self;
    describe_text(arena, object, "command", item);
    return STR("");
}

const struct output output_exec = {
    .plugin = {.name = "exec",
               .summary = "a command for each event",
               .options = exec_options,
               .size = sizeof(struct exec_output),
               .scope = SCOPE_LANE},
    .open = exec_open,
    .encode = exec_encode,
    .describe_item = exec_describe_item,
    .send = exec_send,
    .stop = exec_stop,
    .close = exec_close,
};
