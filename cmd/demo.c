/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace demo`: the shipped payment pipeline at work, with nothing to install.
 */
#include "cmd/demo.h"

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/demo_lines.h"
#include "cmd/flags.h"
#include "cmd/shipped.h"

enum {
    DEMO_EVENTS = 10000,
    DEMO_MAX_EVENTS = 1000 * 1000,
    SIGNAL_STATUS = 128, /* plus the signal's number, as a shell has it */
    FOLDER_DESCRIPTORS = 16,
};

static const char USAGE[] =
    "usage: millrace demo [-n COUNT] [--keep]\n"
    "Shows the shipped payment pipeline at work, with nothing to install: starts a\n"
    "document store and a receiver of alerts on free ports of this machine, runs\n"
    "deploy/pipelines/payment.conf as it is, sends made-up events over a Beats\n"
    "connection, and shows what became of them.\n"
    "  -n, --events COUNT  how many events (default 10000)\n"
    "  --keep              leave everything running until Ctrl-C, to look around\n"
    "Exit status: 0 when every event was stored and every system error alerted,\n"
    "else 1. Everything is written to a folder in $TMPDIR (/tmp) that is removed at\n"
    "the end.\n";

/* ---- the temporary folder ------------------------------------------------------------------------- */

static bool make_folder(struct demo *demo, struct error *err)
{
    const char *parent = getenv("TMPDIR");
    struct str path =
        arena_printf(&demo->arena, "%s/millrace-demo-XXXXXX", parent && *parent ? parent : "/tmp");
    char *folder = arena_cstr(&demo->arena, path);
    if (!mkdtemp(folder))
        return error_set(err, ERROR_IO, "cannot make '%s': %s", path.ptr, strerror(errno));
    demo->folder = folder;
    demo->lines_path = arena_printf(&demo->arena, "%s/payment.log", folder).ptr;
    return true;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *at)
{
    (void)status;
    (void)kind;
    (void)at;
    return remove(path);
}

static void remove_folder(const struct demo *demo)
{
    if (demo->folder &&
        nftw(demo->folder, remove_one, FOLDER_DESCRIPTORS, FTW_DEPTH | FTW_PHYS) != 0)
        fprintf(stderr, "millrace demo: cannot remove '%s': %s\n", demo->folder, strerror(errno));
}

/* ---- running -------------------------------------------------------------------------------------- */

static int status_of(const struct demo *demo)
{
    if (demo->failed)
        return EXIT_ERROR;
    if (demo->signal && !demo->shown)
        return SIGNAL_STATUS + demo->signal;
    return demo->shown && demo_is_good(&demo->figures) ? EXIT_DONE : EXIT_ERROR;
}

static int run(struct demo *demo)
{
    struct error err = {0};
    demo_show_start(demo);
    if (make_folder(demo, &err) &&
        demo_lines_write(demo->lines_path, demo->figures.events, &demo->alarming, &err)) {
        demo->figures.alerts_expected = demo->alarming.count;
        demo_run(demo);
    } else {
        demo_show_failure(demo, NULL, "%s", err.text);
    }
    remove_folder(demo);
    if (demo->signal)
        demo_show_stopped(demo);
    return status_of(demo);
}

/* ---- flags ---------------------------------------------------------------------------------------- */

enum { FLAG_EVENTS, FLAG_KEEP, FLAG_HELP };

const struct flag demo_flags[] = {
    {"events", 'n', true, FLAG_EVENTS},
    {"keep", 0, false, FLAG_KEEP},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

static bool take_flag(const struct flags *flags, int id, struct demo *demo)
{
    switch (id) {
    case FLAG_EVENTS:
        return flags_number(flags, 1, DEMO_MAX_EVENTS, &demo->figures.events);
    case FLAG_KEEP:
        demo->keep = true;
        return true;
    case FLAGS_OPERAND:
        return flags_unexpected(flags);
    }
    return false;
}

/* True: go on; else *status_out is the end. */
static bool take_flags(int argc, char **argv, struct demo *demo, int *status_out)
{
    struct flags flags = {.argc = argc, .argv = argv, .table = demo_flags, .at = 1};
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        if (id != FLAG_HELP && take_flag(&flags, id, demo))
            continue;
        *status_out = flags_end(&flags, id == FLAG_HELP, USAGE);
        return false;
    }
    return true;
}

int cmd_demo(int argc, char **argv)
{
    int status;
    struct demo *demo = mem_zero(1, sizeof *demo);
    demo->figures.events = DEMO_EVENTS;
    if (take_flags(argc, argv, demo, &status)) {
        signal(SIGPIPE, SIG_IGN);
        arena_init(&demo->arena, NULL);
        map_init(&demo->alarming);
        buf_init(&demo->out, DEMO_OUT_MAX_BYTES);
        demo->terminal = terminal_of(STDOUT_FILENO);
        demo->pipeline_file = shipped_path(&demo->arena, "pipelines/payment.conf");
        status = run(demo);
        buf_release(&demo->out);
        map_release(&demo->alarming);
        arena_release(&demo->arena);
    }
    mem_free(demo);
    return status;
}
