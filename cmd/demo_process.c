/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/demo_process.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "cmd/commands.h"

enum { ARGUMENTS_MAX = 32, VARIABLES_MAX = 1024, PROC_FILE_MAX = 64 * 1024 };

/* ---- what it says --------------------------------------------------------------------------------- */

static void keep(struct demo_process *process, struct str bytes)
{
    struct buf *said = &process->said;
    if (said->len + bytes.len > DEMO_SAID_BYTES)
        buf_consume(said, said->len < bytes.len ? said->len : bytes.len);
    buf_append_str(said, bytes);
}

/* A line that is too long is handed on in parts. */
static void take_bytes(struct demo_process *process, struct str bytes)
{
    keep(process, bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        char byte = bytes.ptr[i];
        if (byte != '\n' && buf_append_char(&process->pending, byte))
            continue;
        process->line(process, buf_str(&process->pending));
        buf_clear(&process->pending, DEMO_LINE_BYTES);
    }
}

/* ---- the end -------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct demo_process *process = handle->data;
    assert(process->open_ends > 0);
    if (--process->open_ends > 0)
        return;
    process->is_running = false;
    process->ended(process);
}

static void on_process_exit(uv_process_t *handle, int64_t status, int signal)
{
    struct demo_process *process = handle->data;
    process->status = status;
    process->signal = signal;
    uv_close((uv_handle_t *)handle, on_closed);
}

static void on_chunk(uv_stream_t *stream, ssize_t len, const uv_buf_t *chunk)
{
    struct demo_process *process = stream->data;
    if (len > 0)
        take_bytes(process, str_make(chunk->base, (size_t)len));
    else if (len < 0)
        uv_close((uv_handle_t *)stream, on_closed);
}

static void give_chunk(uv_handle_t *handle, size_t wanted, uv_buf_t *out)
{
    struct demo_process *process = handle->data;
    (void)wanted;
    *out = uv_buf_init(process->chunk, sizeof process->chunk);
}

/* ---- starting ------------------------------------------------------------------------------------- */

/* The environment with the word about whom to end with. */
static char **environment(char *word)
{
    char **variables = mem_zero(VARIABLES_MAX + 2, sizeof *variables);
    size_t count = 0;
    for (char **at = environ; *at && count < VARIABLES_MAX; at++)
        variables[count++] = *at;
    variables[count] = word;
    return variables;
}

static int spawn(struct demo_process *process, uv_loop_t *loop, char **argv, int said_fd)
{
    char word[64], program[PATH_MAX];
    size_t len = sizeof program;
    if (uv_exepath(program, &len) != 0)
        snprintf(program, sizeof program, "/proc/self/exe");
    snprintf(word, sizeof word, END_WITH "=%d", (int)getpid());
    char **variables = environment(word);
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = said_fd},
        {.flags = UV_INHERIT_FD, .data.fd = said_fd},
    };
    uv_process_options_t options = {
        .file = program,
        .args = argv,
        .env = variables,
        .stdio = stdio,
        .stdio_count = sizeof stdio / sizeof *stdio,
        .exit_cb = on_process_exit,
        .flags = UV_PROCESS_DETACHED,
    };
    int failure = uv_spawn(loop, &process->handle, &options);
    mem_free(variables);
    return failure;
}

static bool listen_to(struct demo_process *process, uv_loop_t *loop, int fd)
{
    uv_pipe_init(loop, &process->output, 0);
    process->output.data = process;
    process->open_ends++;
    int failure = uv_pipe_open(&process->output, fd);
    if (failure == 0)
        failure = uv_read_start((uv_stream_t *)&process->output, give_chunk, on_chunk);
    if (failure != 0)
        uv_close((uv_handle_t *)&process->output, on_closed);
    return failure == 0;
}

bool demo_process_start(struct demo_process *process, uv_loop_t *loop, const char *const *argv,
                        struct error *err)
{
    static char program[] = "millrace";
    char *words[ARGUMENTS_MAX + 2] = {program};
    uv_file ends[2];
    assert(process->line && process->ended && !process->is_running);
    for (size_t i = 0; argv[i]; i++) {
        assert(i < ARGUMENTS_MAX);
        words[i + 1] = (char *)(uintptr_t)argv[i];
    }
    int failure = uv_pipe(ends, UV_NONBLOCK_PIPE, 0);
    if (failure != 0)
        return error_set(err, ERROR_IO, "cannot make a pipe: %s", uv_strerror(failure));
    buf_init(&process->said, DEMO_SAID_BYTES);
    buf_init(&process->pending, DEMO_LINE_BYTES);
    process->handle.data = process;
    process->is_running = true;
    process->signalled = 0;
    process->open_ends = 1;
    failure = spawn(process, loop, words, ends[1]);
    close(ends[1]);
    listen_to(process, loop, ends[0]);
    if (failure == 0)
        return true;
    uv_close((uv_handle_t *)&process->handle, on_closed);
    return error_set(err, ERROR_IO, "cannot start 'millrace %s': %s", argv[0],
                     uv_strerror(failure));
}

void demo_process_signal(struct demo_process *process, int number)
{
    if (!process->is_running || uv_is_closing((uv_handle_t *)&process->handle) ||
        process->signalled == number)
        return;
    process->signalled = number;
    uv_process_kill(&process->handle, number);
}

void demo_process_release(struct demo_process *process)
{
    assert(!process->is_running);
    buf_release(&process->said);
    buf_release(&process->pending);
}

/* ---- what it uses --------------------------------------------------------------------------------- */

/* A line "Name:   123 kB" of /proc/PID/status. */
static uint64_t status_kib(struct str text, struct str name)
{
    size_t at = str_find(text, name);
    return at == SIZE_MAX ? 0 : strtoull(text.ptr + at + name.len, NULL, 10);
}

/* Fields 14 and 15 of /proc/PID/stat, counted behind the name in parentheses. */
static uint64_t stat_ticks(struct str text)
{
    uint64_t user = 0, system = 0;
    const char *rest = memrchr(text.ptr, ')', text.len);
    if (!rest ||
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user,
               &system) != 2)
        return 0;
    return user + system;
}

static struct str proc_file(struct arena *arena, int pid, const char *name)
{
    struct str text = STR("");
    file_read(arena, arena_printf(arena, "/proc/%d/%s", pid, name).ptr, PROC_FILE_MAX, &text, NULL);
    return text;
}

struct demo_usage demo_process_usage(const struct demo_process *process)
{
    struct demo_usage usage = {0};
    struct arena arena;
    if (!process->is_running)
        return usage;
    arena_init(&arena, NULL);
    struct str status = proc_file(&arena, process->handle.pid, "status");
    usage.resident_kib = status_kib(status, STR("VmRSS:"));
    usage.peak_kib = status_kib(status, STR("VmHWM:"));
    uint64_t ticks = stat_ticks(proc_file(&arena, process->handle.pid, "stat"));
    usage.cpu_ms = ticks * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    arena_release(&arena);
    return usage;
}
