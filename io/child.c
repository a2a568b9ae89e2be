/* SPDX-License-Identifier: Apache-2.0 */
#include "io/child.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"

struct child {
    struct child_options options;
    uv_process_t process;
    uv_pipe_t out, in;
    uv_write_t write;
    bool has_out, has_in, writing;
    bool exited, at_end; /* of the process, of what it writes */
    bool closing;        /* nothing is told any more */
    int64_t status;
    unsigned open_handles;
};

/* ---- the end -------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;
    if (--child->open_handles == 0)
        mem_free(child);
}

static void close_handles(struct child *child)
{
    child->closing = true;
    if (child->has_out)
        uv_close((uv_handle_t *)&child->out, on_closed);
    if (child->has_in)
        uv_close((uv_handle_t *)&child->in, on_closed);
    uv_close((uv_handle_t *)&child->process, on_closed);
}

static void tell_when_over(struct child *child)
{
    if (child->closing || !child->exited || !child->at_end)
        return;
    close_handles(child);
    child->options.ended(child->options.ctx, child->status);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct child *child = process->data;
    child->exited = true;
    child->status = signal ? 128 + signal : status;
    tell_when_over(child);
}

void child_close(struct child *child, bool kill_it)
{
    if (!child)
        return;
    assert(!child->closing);
    if (!child->exited && kill_it)
        (void)kill(-child->process.pid, SIGKILL);
    close_handles(child);
}

/* ---- what it writes ------------------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct child *child = handle->data;
    (void)suggested;
    *buf = child->options.room(child->options.ctx);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct child *child = stream->data;
    if (child->closing || count == 0)
        return;
    if (count == UV_ENOBUFS) {
        uv_read_stop(stream);
        return;
    }
    if (count > 0) {
        child->options.read(child->options.ctx, str_make(buf->base, (size_t)count));
        return;
    }
    uv_read_stop(stream);
    child->at_end = true;
    tell_when_over(child);
}

void child_read_on(struct child *child)
{
    if (child->has_out && !child->at_end && !child->closing)
        (void)uv_read_start((uv_stream_t *)&child->out, on_room, on_read);
}

/* ---- what it reads -------------------------------------------------------------------------------- */

static void on_written(uv_write_t *write, int status)
{
    struct child *child = write->data;
    child->writing = false;
    if (!child->closing)
        child->options.written(child->options.ctx, status);
}

void child_write(struct child *child, struct str bytes)
{
    assert(child->has_in && !child->writing && !child->closing);
    uv_buf_t buf = {.base = (char *)(uintptr_t)bytes.ptr, .len = bytes.len};
    child->writing = true;
    child->write.data = child;
    int failed = uv_write(&child->write, (uv_stream_t *)&child->in, &buf, 1, on_written);
    assert(failed == 0);
    (void)failed;
}

/* ---- the start ------------------------------------------------------------------------------------ */

static void open_pipe(struct child *child, uv_pipe_t *pipe, bool *has, uv_stdio_container_t *end,
                      int flags)
{
    uv_pipe_init(child->options.loop, pipe, 0);
    pipe->data = child;
    *has = true;
    child->open_handles++;
    end->flags = UV_CREATE_PIPE | flags;
    end->data.stream = (uv_stream_t *)pipe;
}

/* libuv has the process handle open also when nothing was started. */
struct child *child_start(const struct child_options *options, struct error *err)
{
    struct child *child = mem_zero(1, sizeof *child);
    uv_stdio_container_t ends[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = 1},
        {.flags = UV_INHERIT_FD, .data.fd = 2},
    };
    child->options = *options;
    child->at_end = !options->room;
    if (options->takes_input)
        open_pipe(child, &child->in, &child->has_in, &ends[0], UV_READABLE_PIPE);
    if (options->room)
        open_pipe(child, &child->out, &child->has_out, &ends[1], UV_WRITABLE_PIPE);
    uv_process_options_t process = {
        .exit_cb = on_exit_of,
        .file = options->argv[0],
        .args = (char **)(uintptr_t)options->argv,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = 3,
        .stdio = ends,
    };
    child->process.data = child;
    child->open_handles++;
    int failed = uv_spawn(options->loop, &child->process, &process);
    if (failed) {
        close_handles(child);
        error_set(err, failed == UV_ENOENT ? ERROR_NOT_FOUND : ERROR_IO, "cannot start '%s': %s",
                  options->argv[0], uv_strerror(failed));
        return NULL;
    }
    child_read_on(child);
    return child;
}

/* ---- commands ------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Words that only the shell knows. */
static bool is_word_of_shell(struct str word)
{
    static const char *const WORDS[] = {
        "!",     ".",    ":",     "break",    "case",   "continue", "do",     "done",
        "elif",  "else", "esac",  "eval",     "exec",   "exit",     "export", "fi",
        "for",   "if",   "in",    "readonly", "return", "set",      "shift",  "then",
        "times", "trap", "unset", "until",    "while",
    };
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++)
        if (str_equal(word, str_from(WORDS[i])))
            return true;
    return false;
}

static bool needs_shell(struct str command)
{
    size_t first = 0;
    while (first < command.len && !is_blank(command.ptr[first]))
        first++;
    for (size_t i = 0; i < command.len; i++)
        if (strchr("*?{}[]<>()~&|\\$;'`\"\n#%", command.ptr[i]) ||
            (i < first && command.ptr[i] == '='))
            return true;
    return is_word_of_shell(str_make(command.ptr, first));
}

const char *const *child_command(struct arena *arena, struct str command)
{
    struct str text = str_trim(command);
    const char **argv = arena_alloc(arena, (text.len / 2 + 4) * sizeof *argv);
    size_t count = 0;
    if (text.len == 0 || needs_shell(text)) {
        argv[0] = "/bin/sh";
        argv[1] = "-c";
        argv[2] = arena_cstr(arena, command);
        argv[3] = NULL;
        return argv;
    }
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && !is_blank(text.ptr[end]))
            end++;
        argv[count++] = arena_cstr(arena, str_make(text.ptr + at, end - at));
        for (at = end; at < text.len && is_blank(text.ptr[at]);)
            at++;
    }
    argv[count] = NULL;
    return argv;
}
