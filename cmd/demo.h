/* SPDX-License-Identifier: Apache-2.0
 *
 * The demo as one object on one loop: a store, a pipeline and a sender as children, the receiver of alerts in this process.
 *
 *   demo.c         flags, and what the whole of it looks like
 *   demo_run.c     the phases: who is started when, and how it ends
 *   demo_show.c    what is printed in each phase
 *   demo_*.c       parts that do not know this struct
 *
 *   STORE ── its address ──▶ PIPELINE ── it listens ──▶ SENDING ── all acknowledged ──▶ SETTLING ── counted ──▶ ASKING
 *   ASKING ── answered ──▶ ALERTING ── an alert fired and was resolved ──▶ REPORTING ── figures, report ──▶
 *   KEEPING (--keep) or STOPPING
 *   any ── a signal, a failure ──▶ STOPPING: pipeline and sender end, then the store, then the loop
 */
#ifndef MILLRACE_CMD_DEMO_H
#define MILLRACE_CMD_DEMO_H

#include "cmd/demo_alerts.h"
#include "cmd/demo_process.h"
#include "cmd/demo_store.h"

enum demo_phase {
    DEMO_STORE,
    DEMO_PIPELINE,
    DEMO_SENDING,
    DEMO_SETTLING,
    DEMO_ASKING,
    DEMO_ALERTING,
    DEMO_REPORTING,
    DEMO_KEEPING,
    DEMO_STOPPING,
};

enum { DEMO_SIGNALS = 3, DEMO_OUT_MAX_BYTES = 1024 * 1024 };

struct demo {
    bool keep;
    const char *pipeline_file;
    const char *folder; /* temporary; all that is written is in it */
    const char *lines_path;
    struct arena arena;
    struct map alarming;

    uv_loop_t loop;
    uv_timer_t pulse, deadline;
    uv_signal_t signals[DEMO_SIGNALS];
    struct demo_process store_process, pipeline_process, sender_process;
    struct demo_process alarm_process, report_process;
    struct demo_store store;
    struct demo_store api; /* the pipeline's, for its figures */
    struct demo_alerts alerts;
    char pipeline_address[DEMO_ADDRESS_MAX];

    enum demo_phase phase;
    bool failed;      /* a message was printed */
    int signal;       /* that ended it, or 0 */
    bool shown;       /* the verdict */
    bool reader_gone; /* nobody reads standard output */
    uint64_t started_ms, changed_ms;
    struct demo_figures figures;
    struct demo_spread tiers, categories;
    unsigned examples_asked;
    const struct value *example;
    struct str example_index;
    const struct value *stats; /* NULL: not known */
    struct buf report;         /* as it is shown */
    unsigned report_tables;

    struct terminal terminal;
    struct buf out;
    uint64_t progress_quarters; /* printed, where no line is written over */
    bool progress_is_open;      /* the cursor stands in the progress line */
};

/* ---- demo_run.c */

/* Runs the loop until everything is gone again. folder, lines and alarming are there. */
void demo_run(struct demo *demo);

/* ---- demo_show.c: prints, at once */

void demo_show_start(struct demo *demo);
void demo_show_places(struct demo *demo);
void demo_show_progress(struct demo *demo);
void demo_show_result(struct demo *demo);
void demo_show_keeping(struct demo *demo);
void demo_show_next(struct demo *demo);
void demo_show_stopped(struct demo *demo);
/* On standard error, with what the process said last; process may be NULL. */
__attribute__((format(printf, 3, 4))) void
demo_show_failure(struct demo *demo, const struct demo_process *process, const char *format, ...);

#endif
