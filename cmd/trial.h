/* SPDX-License-Identifier: Apache-2.0
 *
 * A pipeline on trial, for trace, test and diff: compiled as `millrace run`
 * compiles it, and run by an engine that touches nothing outside (engine.h,
 * isolated): events are given to it by hand, and what its outputs would send is
 * told to an observer. Main thread.
 *
 *   trial_new ──▶ trial_begin ──▶ trial_line, trial_event … ──▶ trial_end ──▶
 * trial_begin …, or trial_free
 *
 * Each run from trial_begin to trial_end has new instances of all plugins: what
 * filters keep from event to event begins empty. Options are read and patterns
 * compiled once.
 */
#ifndef MILLRACE_CMD_TRIAL_H
#define MILLRACE_CMD_TRIAL_H

#include "base/log.h"
#include "conf/settings.h"
#include "pipeline/program/observer.h"
#include "pipeline/program/plan.h"

struct trial;

struct trial_run {
    struct observer *observer;
    bool offline;                  /* filters that ask elsewhere are left out */
    uint64_t (*random)(void *ctx); /* NULL: the system's */
    /* An event has arrived at an input, decorated, and goes to the filters next.
   * May be NULL. */
    void (*arrived)(void *ctx, size_t input, const struct event *event);
    void *ctx;
};

/* The settings live as long as the trial. NULL: what is wrong was printed on
 * standard error. level: of its log there. */
struct trial *trial_new(const struct settings *settings, enum log_level level);
void trial_free(struct trial *trial);

const struct plan *trial_plan(const struct trial *trial);
const struct conf_source *trial_source(const struct trial *trial);
/* The index of the input with this id, or of the only one with this name;
 * empty: of the only one. False when that is none or more than one. There is
 * always an input. */
bool trial_input(const struct trial *trial, struct str name, size_t *out, struct error *err);
/* The name of the codec that reads what arrives there. */
struct str trial_codec(const struct trial *trial, size_t input);

/* How the item would be sent, as members of an object, and the bytes of the
 * event itself; both in the arena. */
struct str observed_item_describe(const struct observed_item *item, struct arena *arena,
                                  struct value *object);

/* Opens the plugins. False: printed. */
bool trial_begin(struct trial *trial, const struct trial_run *run);
/* What arrives at the input, as bytes: through its codec, and what became of it
 * through filters and outputs. A codec that joins lines may wait for more. */
bool trial_line(struct trial *trial, size_t input, struct str text, struct error *err);
/* The same for an event that the input might have made of something: an object
 * of its fields. */
bool trial_event(struct trial *trial, size_t input, const struct value *fields, struct error *err);
/* Gives what codecs have kept; to be called before trial_end by who wants it.
 */
void trial_flush(struct trial *trial);
/* The end of all inputs: filters say their last word, and everything is closed.
 */
void trial_end(struct trial *trial);

#endif
