/* SPDX-License-Identifier: Apache-2.0
 *
 * The engine runs one plan on a number of lanes until its inputs are finished or it is told to stop, and everything
 * handed over is delivered. All functions are for the main thread.
 *
 *   NEW ── engine_start: something does not open or start ──▶ CLOSING
 *   NEW ── engine_start ──▶ RUNNING ── engine_stop, or all inputs finished ──▶ DRAINING ── all settled ──▶ FLUSHING
 *   ── the filters' last ticks, and what they made is settled ──▶ CLOSING ── all handles closed ──▶ CLOSED (the loop
 *   returns). At the timeout of engine_stop CLOSING comes at once.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_ENGINE_H
#define MILLRACE_PIPELINE_ENGINE_ENGINE_H

#include "base/buf.h"
#include "pipeline/program/plan.h"

struct budget;
struct dead_letters;
struct disk_queue_options;
struct engine;
struct observer;
struct runtime;
struct taps;

/* Bounds of a batch and of lanes. */
enum {
    BATCH_MAX_EVENTS = 2000,
    BATCH_MAX_BYTES = 1024 * 1024,
    LANES_MAX = 256,
};

struct engine_options {
    const struct plan *plan;
    const struct plugin_list *plugins;
    const struct log *log;
    const struct plugin_settings *settings;
    const char *pipeline_id;
    size_t lanes;            /* 1..LANES_MAX */
    size_t batch_events;     /* 0: BATCH_MAX_EVENTS */
    bool ordered;            /* events keep their order to every output */
    bool provenance;         /* streams keep it (pipeline/event/origin.h) */
    struct budget *budget;   /* shared by the engines of a process */
    struct runtime *runtime; /* the same; NULL: the engine has one of its own */
    unsigned shutdown_timeout_ms;
    uv_loop_t *loop;                   /* the main lane's */
    struct dead_letters *dead_letters; /* the engine closes them; NULL: none are kept */
    struct observer
        *observer; /* sees what the lanes do (pipeline/program/observer.h); may be NULL */
    /* Nothing outside is touched: inputs are not opened, and outputs encode for the observer. The caller hands events in,
     * through streams with an input's environment (engine_input_env), and says input_finished for all of them. */
    bool isolated;
    bool offline;                  /* filters that ask elsewhere are left out */
    uint64_t (*random)(void *ctx); /* what plugins get; NULL: the system's */
    struct taps *taps;             /* shared; NULL: nobody can look on (tap.h) */
    const struct disk_queue_options
        *queue;         /* NULL: there is no queue on disk. Lives as long as the engine */
    const char *spools; /* folder of the outputs' spools; NULL: there are none */
    bool drain_queue;   /* engine_stop waits until the queue is empty */
    /* With the owner of a plan that is not used any more (change.h); the owner of the first one. May be NULL. */
    void (*plan_gone)(void *owner);
    void *owner;
};

struct engine *engine_new(const struct engine_options *options);
/* Opens every plugin and lets the inputs begin. False and *err: it is CLOSING. The loop is the caller's to run, as for an
 * engine that ran: others on it go on meanwhile. */
bool engine_start(struct engine *engine, struct error *err);
/* Inputs stop reading; what is under way is delivered for at most the timeout. Again: no effect. */
void engine_stop(struct engine *engine);
void engine_stop_within(struct engine *engine,
                        uint64_t timeout_ms); /* in place of its own timeout */
/* No other pipeline sends it anything any more: its inputs for that are finished. */
void engine_senders_ended(struct engine *engine);
/* Called once when CLOSED is near, also after a start that failed and then perhaps from inside it: the last chance to close
 * handles of the caller on the same loop. To be set before engine_start. */
void engine_on_closing(struct engine *engine, void (*closing)(void *ctx), void *ctx);
/* After the loop has returned: waits for the lanes' threads. */
void engine_join(struct engine *engine);
/* After all engines that share a bus are joined (a single one is by this); receivers before those that send to them, because what still comes home
 * from the first belongs to the others. */
void engine_free(struct engine *engine);
/* Of an input of an isolated engine, by its index in the plan. */
const struct plugin_env *engine_input_env(const struct engine *engine, size_t plugin);
/* While the loop goes on and other engines run: all its handles are closed and its threads have ended. A turn of the loop
 * later it may be freed, which is false as long as pipelines that it sent to have something of it. */
bool engine_is_over(const struct engine *engine);
bool engine_try_free(struct engine *engine);

struct engine_summary {
    uint64_t events_in, events_out, refused;
    uint64_t in_flight;   /* handed over by inputs and not acknowledged yet */
    uint64_t undelivered; /* so many were when the timeout was over */
    struct str
        slowest; /* the id of the output that most events wait at; empty: none waits anywhere */
    uint64_t slowest_waiting;
    bool timed_out;
    bool failed; /* an output could not go on (output_failed) */
};
void engine_summary(const struct engine *engine, struct engine_summary *out);
/* All counters and the health as a member of a JSON object: "ID":{…}. */
bool engine_write_counters(struct engine *engine, struct buf *out);

#endif
