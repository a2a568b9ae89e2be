/* SPDX-License-Identifier: Apache-2.0
 *
 * A program that runs beside us, on a loop: what it writes is read, what it is to read is written, its end is told. It leads a
 * process group of its own, so that all that a shell starts is ended with it. One thread.
 *
 *   child_start ──▶ RUNNING ──exited, and its output at the end──▶ ended() ──▶ freed
 *                      └──────── child_close ────────────────────▶ freed, nothing is told
 */
#ifndef MILLRACE_IO_CHILD_H
#define MILLRACE_IO_CHILD_H

#include <uv.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct child;

struct child_options {
    uv_loop_t *loop;
    const char *const *argv; /* ends with NULL; searched in PATH */
    bool takes_input;        /* else its standard input is /dev/null */
    void *ctx;
    /* Where what it writes goes, of at least a byte; NULL ptr: there is no room, child_read_on says when there is. `room` NULL:
     * its standard output is ours. */
    uv_buf_t (*room)(void *ctx);
    void (*read)(void *ctx, struct str bytes);
    void (*written)(void *ctx, int status); /* child_write is over: 0, or why it did not go */
    /* It is gone, and all that it wrote has been read: its exit status, or 128 and the signal. The child is freed behind. */
    void (*ended)(void *ctx, int64_t status);
};

/* NULL with *err: it cannot be started. */
struct child *child_start(const struct child_options *options, struct error *err);
void child_read_on(struct child *child);
/* One write at a time; the bytes stay until `written`. Never calls back at once. */
void child_write(struct child *child, struct str bytes);
/* SIGKILL to its group when it still runs, and whatever it is doing is forgotten; no more calls. NULL is ok. */
void child_close(struct child *child, bool kill);

/* A command as Ruby's IO.popen takes it: by the shell when it has characters of the shell, else its words. In the arena. */
const char *const *child_command(struct arena *arena, struct str command);

#endif
