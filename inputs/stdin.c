/* SPDX-License-Identifier: Apache-2.0
 *
 * stdin: bytes of standard input, whatever it is. A pipe or terminal is polled and read until it has nothing more; a
 * file, which cannot be polled, is read in libuv's thread pool. What was read is handed over as soon as nothing more is
 * there, so a person at a terminal sees each line at once.
 *
 *   IDLE ─start─▶ READING ◀──resume── WAITING (no memory left: stream_read_room gave none)
 *                    └──end of input, error or stop──▶ FINISHED
 */
#include <assert.h>
#include <errno.h>
#include <unistd.h>

#include "inputs/inputs.h"
#include "io/standard_fd.h"
#include "pipeline/engine/stream.h"

enum {
    STDIN_READ_BYTES = 128 * 1024,
    STDIN_READS_AT_ONCE = 16, /* of one wake-up, so that the loop has other turns */
};

enum stdin_state { STDIN_IDLE, STDIN_READING, STDIN_WAITING, STDIN_FINISHED };

struct stdin_input {
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct origin origin;
    struct stream *stream;
    struct standard_fd source;
    enum stdin_state state;
    uint64_t token;
    uv_poll_t poll;
    uv_timer_t flush_timer; /* for codecs that do not hold lines for ever */
    uv_fs_t request;        /* FILE */
    char *read_buffer;      /* where it puts its bytes; libuv forgets it */
    bool request_active, poll_open;
    bool stopping; /* with a read in the thread pool, which still writes into the batch */
    bool closing;  /* the same */
    unsigned open_handles;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static const struct field_ref host_field = FIELD_REF_TOP("host");
static const struct field_ref host_hostname_field = FIELD_REF_BELOW("host", "hostname");

static void stdin_begin_read(struct stdin_input *input);
static void stdin_close_all(struct stdin_input *input);

static struct stdin_input *input_of(struct origin *origin)
{
    return (struct stdin_input *)(void *)((char *)origin - offsetof(struct stdin_input, origin));
}

static void stdin_decorate(struct origin *origin, struct event *event)
{
    const struct stdin_input *input = input_of(origin);
    const struct field_ref *field =
        input->env->ecs == ECS_DISABLED ? &host_field : &host_hostname_field;
    event_set_missing(event, field, value_str(str_from(input->env->settings->host_name)));
}

static void stdin_acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* what was read from a pipe cannot be read again */
    (void)token;
}

static void stdin_hand_over(struct stdin_input *input)
{
    stream_hand_over(input->stream, ++input->token);
}

static void stdin_finish(struct stdin_input *input)
{
    if (input->state == STDIN_FINISHED)
        return;
    input->state = STDIN_FINISHED;
    if (input->source.kind == STANDARD_FD_POLLED)
        uv_poll_stop(&input->poll);
    uv_timer_stop(&input->flush_timer);
    stream_flush_codec(input->stream);
    stdin_hand_over(input);
    input_finished(input->env);
}

/* Where to read to, or NULL: there is no memory, and stdin_resume is called when there is. */
static char *stdin_room(struct stdin_input *input, size_t *room_out)
{
    char *bytes = stream_read_room(input->stream, STDIN_READ_BYTES, room_out);
    if (bytes)
        return bytes;
    if (stream_count(input->stream) > 0)
        stdin_hand_over(input);
    input->state = STDIN_WAITING;
    if (input->source.kind == STANDARD_FD_POLLED)
        uv_poll_stop(&input->poll);
    return NULL;
}

static void stdin_nothing_there(struct stdin_input *input)
{
    if (stream_count(input->stream) > 0)
        stdin_hand_over(input);
    stream_rest(input->stream);
}

static void on_flush_timer(uv_timer_t *timer)
{
    struct stdin_input *input = timer->data;
    if (input->state == STDIN_FINISHED)
        return;
    stream_flush_codec(input->stream);
    if (stream_count(input->stream) > 0)
        stdin_hand_over(input);
}

/* Codecs that hold lines say for how long after the last bytes. */
static void await_flush(struct stdin_input *input)
{
    const struct codec_instance *codec = stream_codec(input->stream);
    unsigned after_ms =
        codec->codec->flush_after_ms ? codec->codec->flush_after_ms(codec->self) : 0;
    if (after_ms > 0)
        uv_timer_start(&input->flush_timer, on_flush_timer, after_ms, 0);
}

/* What one read gave; false when reading is over. */
static bool stdin_take(struct stdin_input *input, const char *bytes, ssize_t count)
{
    if (count < 0)
        log_error(input->env->log, "stdin_failed", "cannot read standard input",
                  LOG_CSTR("reason", strerror((int)-count)));
    if (count <= 0) {
        stdin_finish(input);
        return false;
    }
    stream_decode(input->stream, str_make(bytes, (size_t)count));
    await_flush(input);
    if (stream_full(input->stream))
        stdin_hand_over(input);
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct stdin_input *input = poll->data;
    (void)status; /* the read says the same */
    (void)events;
    for (unsigned i = 0; i < STDIN_READS_AT_ONCE; i++) {
        size_t room;
        char *bytes = stdin_room(input, &room);
        if (!bytes)
            return;
        ssize_t count = read(input->source.fd, bytes, room);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN) {
            stdin_nothing_there(input);
            return;
        }
        if (!stdin_take(input, bytes, count < 0 ? -errno : count))
            return;
    }
}

static void on_file_read(uv_fs_t *request)
{
    struct stdin_input *input = request->data;
    ssize_t count = request->result;
    uv_fs_req_cleanup(request);
    input->request_active = false;
    if (input->closing) {
        stdin_close_all(input);
        return;
    }
    if (!stdin_take(input, input->read_buffer, count))
        return;
    if (input->stopping)
        stdin_finish(input);
    else
        stdin_begin_read(input);
}

static void stdin_begin_file_read(struct stdin_input *input)
{
    size_t room;
    input->read_buffer = stdin_room(input, &room);
    if (!input->read_buffer)
        return;
    uv_buf_t buffer = uv_buf_init(input->read_buffer, (unsigned)room);
    input->request.data = input;
    int failed = uv_fs_read(input->env->loop, &input->request, input->source.fd, &buffer, 1, -1,
                            on_file_read);
    assert(failed == 0);
    (void)failed;
    input->request_active = true;
}

static void stdin_begin_read(struct stdin_input *input)
{
    assert(input->state == STDIN_READING);
    if (input->source.kind == STANDARD_FD_POLLED)
        uv_poll_start(&input->poll, UV_READABLE, on_readable);
    else
        stdin_begin_file_read(input);
}

static void stdin_resume(struct origin *origin)
{
    struct stdin_input *input = input_of(origin);
    if (input->state != STDIN_WAITING)
        return;
    input->state = STDIN_READING;
    stdin_begin_read(input);
}

static bool stdin_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct stdin_input *input = self;
    input->env = env;
    input->origin = (struct origin){.acked = stdin_acked, .resume = stdin_resume};
    input->source = standard_fd_open(STDIN_FILENO);
    if (input->source.fd < 0)
        return error_set(err, ERROR_IO, "standard input is not open");
    struct stream_options options = {
        .env = env,
        .origin = &input->origin,
        .codec = input->codec,
        .codec_default = "line",
        .line_based = true,
        .decorate = stdin_decorate,
    };
    input->stream = stream_open(&options, err);
    return input->stream != NULL;
}

static bool stdin_start(void *self, struct error *err)
{
    struct stdin_input *input = self;
    assert(input->state == STDIN_IDLE);
    uv_timer_init(input->env->loop, &input->flush_timer);
    input->flush_timer.data = input;
    input->open_handles++;
    if (input->source.kind == STANDARD_FD_POLLED) {
        int failed = uv_poll_init(input->env->loop, &input->poll, input->source.fd);
        if (failed)
            return error_set(err, ERROR_IO, "cannot wait for standard input: %s",
                             uv_strerror(failed));
        input->poll.data = input;
        input->poll_open = true;
        input->open_handles++;
    }
    input->state = STDIN_READING;
    stdin_begin_read(input);
    return true;
}

static void stdin_stop(void *self)
{
    struct stdin_input *input = self;
    if (input->state == STDIN_IDLE)
        input->state = STDIN_FINISHED;
    else if (input->request_active)
        input->stopping = true;
    else
        stdin_finish(input);
}

static void stdin_closed(struct stdin_input *input)
{
    if (input->source.fd >= 0)
        close(input->source.fd);
    input->closed(input->closed_ctx);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct stdin_input *input = handle->data;
    if (--input->open_handles == 0)
        stdin_closed(input);
}

static void stdin_close_all(struct stdin_input *input)
{
    assert(!input->request_active);
    if (input->stream)
        stream_close(input->stream);
    if (input->open_handles == 0) {
        stdin_closed(input);
        return;
    }
    uv_close((uv_handle_t *)&input->flush_timer, on_handle_closed);
    if (input->poll_open)
        uv_close((uv_handle_t *)&input->poll, on_handle_closed);
}

/* A read in the thread pool that cannot be taken back any more goes on when it is over: it writes into the batch. */
static void stdin_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct stdin_input *input = self;
    input->closed = closed;
    input->closed_ctx = ctx;
    input->closing = true;
    if (input->request_active)
        (void)uv_cancel((uv_req_t *)&input->request);
    else
        stdin_close_all(input);
}

static const struct option stdin_options[] = {
    {
        .name = "codec",
        .doc = "How bytes become events.",
        OPTION_IN_CODEC(struct stdin_input, codec),
    },
    OPTION_END,
};

const struct input input_stdin = {
    .plugin = {.name = "stdin",
               .summary = "lines of standard input",
               .options = stdin_options,
               .size = sizeof(struct stdin_input),
               .scope = SCOPE_PIPELINE},
    .open = stdin_open,
    .start = stdin_start,
    .stop = stdin_stop,
    .close = stdin_close,
    .codec_default = "line",
};
