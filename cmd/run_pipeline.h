/* SPDX-License-Identifier: Apache-2.0
 *
 * One pipeline of a run: its text, tree, plan and engine. Main thread.
 */
#ifndef MILLRACE_CMD_RUN_PIPELINE_H
#define MILLRACE_CMD_RUN_PIPELINE_H

#include <stdio.h>

#include "cmd/progress.h"
#include "conf/settings.h"
#include "conf/source.h"
#include "pipeline/delivery/disk_queue.h"
#include "pipeline/engine/budget.h"
#include "pipeline/engine/change.h"
#include "pipeline/engine/data_path.h"
#include "pipeline/engine/engine.h"

/* What became of reloads, as Logstash's API names it. Times in milliseconds since 1970; 0: never. */
struct run_reloads {
    uint64_t successes, failures;
    int64_t last_success_ms, last_failure_ms;
    char last_error[256];
};

struct run_pipeline {
    const struct settings *settings;
    struct run_load *load; /* that the settings live in; NULL: the run's */
    struct arena own, *arena;
    struct str text; /* as it was read */
    struct log log;
    struct log_memory *log_memory; /* of the log, for the page of the API */
    struct conf_source source;
    struct keystore *keystore; /* open while the text is read, if there is one */
    struct conf_tree tree;
    struct plugin_settings plugin_settings;
    struct disk_queue_options queue; /* what there is, or would be */
    struct plan *plan;
    struct progress progress;                        /* what the log has said of it */
    struct engine *engine;                           /* NULL before run_pipeline_start */
    bool started;                                    /* it did not fail */
    bool ended;                                      /* its engine is closing, or closed */
    void (*on_ended)(struct run_pipeline *pipeline); /* given to run_pipeline_start */
    void *ctx;
    bool counted, removed, is_fallback; /* the set's, as next (run_set.h) */
    bool changing;                      /* next's plan takes the place of its own while it runs */
    uint64_t
        refused; /* a hash of the text that was to take its place and could not be opened; 0: none */
    struct run_reloads reloads;
    struct run_pipeline *next; /* takes its place when it is over */
};

/* Makes another pipeline of the one that was read and compiled. */
struct run_change {
    void (*rewrite)(void *ctx, struct conf_tree *tree, const struct plan *plan);
    void *ctx;
};

/* Where settings that were read later live; counted by those that use them. */
struct run_load {
    struct arena arena;
    unsigned references;
};
struct run_load *run_load_new(void); /* with one reference */
void run_load_unref(struct run_load *load);

/* What the pipelines of a run share. */
struct run_shared {
    const struct log *log;
    struct data_path *data;
    struct bus *bus;
    struct budget *budget;
    struct runtime *runtime;         /* that engines run on */
    const struct run_change *change; /* may be NULL */
    struct series_registry *series;
    struct taps *taps; /* may be NULL */
    uv_loop_t *loop;
    const char *shipped_templates;
    bool provenance;  /* a plugin of any of them asks for it */
    bool needs_input; /* a text without an input section reads stdin, as with -e */
};

struct run_pipeline *run_pipeline_new(const struct settings *settings, struct run_load *load);
void run_pipeline_free(
    struct run_pipeline
        *pipeline); /* with the one that would take its place; its engine is finished */
/* Reads the text only. */
bool run_pipeline_read(struct run_pipeline *pipeline, FILE *out);
/* Neither text nor settings differ. */
bool run_pipeline_equal(const struct run_pipeline *one, const struct run_pipeline *other);
/* Reads and compiles; every problem of the text goes to `out`. False when it cannot run. With test_only what opening the
 * plugins would find out is tried too. */
bool run_pipeline_compile(struct run_pipeline *pipeline, const struct run_shared *shared,
                          bool test_only, FILE *out);
/* Opens and starts its engine on the shared loop; on_ended is called when that ends, also after a failure, which is
 * told on `out` at once; ctx is the caller's, in the pipeline. */
bool run_pipeline_start(struct run_pipeline *pipeline, const struct run_shared *shared, FILE *out,
                        void (*on_ended)(struct run_pipeline *pipeline), void *ctx);
/* Its engine can go on with the plan of `next`, which is compiled: only filters and outputs differ. */
bool run_pipeline_can_change(const struct run_pipeline *pipeline, const struct run_pipeline *next);
/* The same settings, whatever the text. */
bool run_pipeline_same_settings(const struct run_pipeline *one, const struct run_pipeline *other);
/* Begins that change; done is called with ctx. `next` belongs to the engine when that has taken or refused its plan, and
 * `pipeline` when it has taken it: it frees them when nothing of their plan is left. */
void run_pipeline_change(struct run_pipeline *pipeline, struct run_pipeline *next,
                         bool (*done)(void *ctx, enum change_result result,
                                      const struct error *err),
                         void *ctx);
/* The engine of `pipeline`, which has taken the plan of `next`, is that of `next` from now on. */
void run_pipeline_hand_over(struct run_pipeline *pipeline, struct run_pipeline *next);
/* Says on `out` where in its text an error is. */
void run_pipeline_tell(const struct run_pipeline *pipeline, const struct error *err, FILE *out);
/* What its engine is started with. No dead letters are opened. */
struct engine_options run_pipeline_engine_options(const struct run_pipeline *pipeline,
                                                  const struct run_shared *shared);
/* Says what the engine did, after the loop has returned and all engines are joined, and frees it; those before that it sends
 * to. False when an output could not go on. */
bool run_pipeline_finish(struct run_pipeline *pipeline);
/* The same while the loop goes on and others run. False: something of it is still there; to be called again. */
bool run_pipeline_try_finish(struct run_pipeline *pipeline);
/* Tries the destinations of a compiled pipeline: what was found on standard output, what is wrong on `out`. */
bool run_pipeline_connect(struct run_pipeline *pipeline, FILE *out);

#endif
