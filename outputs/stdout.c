/* SPDX-License-Identifier: Apache-2.0
 *
 * stdout: events on standard output through a codec. A pipe or terminal that takes no more is waited for on the loop; a
 * file is written at once. An event counts as delivered when all its bytes are written. When the reader is gone (EPIPE)
 * nothing more can be delivered: the pipeline ends, and what was not written is not acknowledged.
 */
#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "base/colour.h"
#include "base/mem.h"
#include "io/standard_fd.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"

enum {
    STDOUT_GROUP_ITEMS = 2000,
    STDOUT_GROUP_BYTES = 1024 * 1024,
    STDOUT_FLUSH_MS = 2,
    STDOUT_RETRY_MS = 1000, /* a full disk is tried again after this */
};

struct stdout_output {
    const struct conf_plugin *codec_option;

    const struct plugin_env *env;
    struct codec_instance codec;
    struct standard_fd target;
    struct group *group; /* being written */
    size_t written;      /* bytes of it */
    bool gone;
    /* Both are allocated, because they are closed after the instance is. */
    uv_poll_t *poll;
    uv_timer_t *retry;
};

static void stdout_write(struct stdout_output *output);

static void on_writable(uv_poll_t *poll, int status, int events)
{
    (void)status; /* the write says the same */
    (void)events;
    uv_poll_stop(poll);
    stdout_write(poll->data);
}

static void on_retry(uv_timer_t *timer)
{
    stdout_write(timer->data);
}

/* Gives back what the reader does not take: whole events that are written are delivered. */
static void stdout_give_back(struct stdout_output *output)
{
    struct group *group = output->group;
    assert(group && output->written <= group_bytes(group).len);
    output->group = NULL;
    size_t end = 0;
    for (size_t i = 0; i < group_count(group); i++) {
        end += group_item(group, i).len;
        bool whole = end <= output->written;
        group_answer(group, i, whole ? VERDICT_DELIVERED : VERDICT_RETRY,
                     whole ? STR("") : STR("standard output takes no more"));
    }
    group_answered(group);
}

static void stdout_failed(struct stdout_output *output, int number)
{
    if (number == ENOSPC || number == EDQUOT || number == EIO) {
        log_warn(output->env->log, "stdout_waits", "cannot write standard output, trying again",
                 LOG_CSTR("reason", strerror(number)));
        uv_timer_start(output->retry, on_retry, STDOUT_RETRY_MS, 0);
        return;
    }
    log_error(output->env->log, "stdout_gone", "cannot write standard output, the pipeline ends",
              LOG_CSTR("reason", strerror(number)));
    output->gone = true;
    output_failed(output->env);
    stdout_give_back(output);
}

static void stdout_write(struct stdout_output *output)
{
    struct str bytes = group_bytes(output->group);
    assert(output->target.fd >= 0 && !output->gone);
    while (output->written < bytes.len) {
        ssize_t count =
            write(output->target.fd, bytes.ptr + output->written, bytes.len - output->written);
        if (count >= 0) {
            output->written += (size_t)count;
        } else if (errno == EAGAIN && output->poll) {
            uv_poll_start(output->poll, UV_WRITABLE, on_writable);
            return;
        } else if (errno != EINTR) {
            stdout_failed(output, errno);
            return;
        }
    }
    stdout_give_back(output);
}

static bool stdout_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct stdout_output *output = self;
    struct plugin_env coloured = *env;
    coloured.colours = colour_wanted(STDOUT_FILENO);
    return codec_open_writer(&coloured, output->codec_option, "rubydebug", &output->codec, err);
}

static bool stdout_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                        struct error *err)
{
    struct stdout_output *output = self;
    output->env = env;
    *limits = (struct output_limits){
        .max_items = STDOUT_GROUP_ITEMS,
        .max_bytes = STDOUT_GROUP_BYTES,
        .max_in_flight = 1,
        .flush_ms = STDOUT_FLUSH_MS,
        .retry_initial_ms = STDOUT_RETRY_MS,
        .retry_max_ms = STDOUT_RETRY_MS,
    };
    output->target = standard_fd_open(STDOUT_FILENO);
    if (output->target.fd < 0)
        return error_set(err, ERROR_IO, "standard output is not open");
    output->retry = mem_zero(1, sizeof *output->retry);
    uv_timer_init(env->loop, output->retry);
    output->retry->data = output;
    if (output->target.kind == STANDARD_FD_POLLED) {
        output->poll = mem_zero(1, sizeof *output->poll);
        uv_poll_init(env->loop, output->poll, output->target.fd);
        output->poll->data = output;
    }
    return true;
}

static enum encode_result stdout_encode(void *self, const struct event *event,
                                        struct arena *scratch, struct buf *out, struct error *err)
{
    struct stdout_output *output = self;
    return codec_encode(&output->codec, event, scratch, out, err);
}

static void stdout_send(void *self, struct group *group)
{
    struct stdout_output *output = self;
    assert(!output->group);
    output->group = group;
    output->written = 0;
    if (output->gone)
        stdout_give_back(output);
    else
        stdout_write(output);
}

static void stdout_stop(void *self)
{
    struct stdout_output *output = self;
    if (!output->group)
        return;
    if (output->poll)
        uv_poll_stop(output->poll);
    uv_timer_stop(output->retry);
    stdout_give_back(output);
}

static void on_handle_closed(uv_handle_t *handle)
{
    mem_free(handle);
}

static void on_poll_closed(uv_handle_t *handle)
{
    close((int)(intptr_t)handle->data);
    mem_free(handle);
}

static void stdout_close(void *self)
{
    struct stdout_output *output = self;
    assert(!output->group);
    if (output->retry)
        uv_close((uv_handle_t *)output->retry, on_handle_closed);
    if (output->poll) {
        output->poll->data = (void *)(intptr_t)output->target.fd;
        uv_close((uv_handle_t *)output->poll, on_poll_closed);
    } else if (output->target.fd > 0) {
        close(output->target.fd);
    }
}

static void stdout_close_encoder(void *self)
{
    struct stdout_output *output = self;
    codec_close(&output->codec);
}

static const struct option stdout_options[] = {
    {
        .name = "codec",
        .doc = "How events are written; rubydebug when not given.",
        OPTION_IN_CODEC(struct stdout_output, codec_option),
    },
    {
        .name = "debug",
        .doc = "Show whole events, as rubydebug does.",
        .note = "write codec => rubydebug, which is the default",
        OPTION_NOWHERE,
        .flags = OPTION_DEPRECATED | OPTION_IGNORED,
    },
    {
        .name = "debug_format",
        .doc = "How whole events are shown.",
        .note = "write codec => rubydebug, which is the default",
        OPTION_NOWHERE,
        .flags = OPTION_DEPRECATED | OPTION_IGNORED,
    },
    OPTION_END,
};

const struct output output_stdout = {
    .plugin = {.name = "stdout",
               .summary = "events on standard output",
               .options = stdout_options,
               .size = sizeof(struct stdout_output),
               .shared_size = sizeof(struct codec_shared),
               .scope = SCOPE_PIPELINE},
    .open_encoder = stdout_open_encoder,
    .open = stdout_open,
    .encode = stdout_encode,
    .send = stdout_send,
    .stop = stdout_stop,
    .close = stdout_close,
    .close_encoder = stdout_close_encoder,
};
