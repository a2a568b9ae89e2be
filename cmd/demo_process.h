/* SPDX-License-Identifier: Apache-2.0
 *
 * A child of the demo: millrace itself with a subcommand. Its lines (standard output and error together) are handed on and
 * the last of them are kept, to be shown when something went wrong. It is in a session of its own, so that a Ctrl-C
 * reaches the demo alone, and it ends when the demo ends, however that comes (commands.h, END_WITH).
 *
 *   demo_process_start      line() for each line, ended() once, when it has ended and all it said was read
 *   demo_process_signal     may be called at any time; the same signal again is not sent (it would mean "at once")
 */
#ifndef MILLRACE_CMD_DEMO_PROCESS_H
#define MILLRACE_CMD_DEMO_PROCESS_H

#include <uv.h>

#include "base/buf.h"
#include "base/error.h"

enum { DEMO_SAID_BYTES = 16 * 1024, DEMO_LINE_BYTES = 8 * 1024 };

struct demo_process {
    /* set by the caller */
    const char *name;
    void (*line)(struct demo_process *process, struct str line);
    void (*ended)(struct demo_process *process);
    void *ctx;

    uv_process_t handle;
    uv_pipe_t output;
    bool is_running;    /* also: its handles are open */
    unsigned open_ends; /* the process itself and what it says */
    int signalled;      /* the last that it was sent, or 0 */
    int64_t status;
    int signal;         /* that ended it, or 0 */
    struct buf said;    /* the last DEMO_SAID_BYTES */
    struct buf pending; /* the line that is not whole yet */
    char chunk[4096];
};

/* argv without the program itself, NULL-terminated. */
bool demo_process_start(struct demo_process *process, uv_loop_t *loop, const char *const *argv,
                        struct error *err);
void demo_process_signal(struct demo_process *process, int number);
void demo_process_release(struct demo_process *process); /* after it ended, or never started */

struct demo_usage {
    uint64_t resident_kib, peak_kib, cpu_ms;
};
/* All 0 when it does not run. */
struct demo_usage demo_process_usage(const struct demo_process *process);

#endif
