/* SPDX-License-Identifier: Apache-2.0
 *
 * One instance of one plugin on one lane: its options copied, its environment, its counters.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_INSTANCE_H
#define MILLRACE_PIPELINE_ENGINE_INSTANCE_H

#include "pipeline/program/plan.h"

struct counter_cell {
    struct counter_cell *next;
    const char *name;
    struct counter counter;
};

struct delivery;
struct generation;
struct link;

struct instance {
    const struct plan_plugin *plugin; /* of the plan that it was made of, */
    struct generation *born;          /* which lives as long */
    struct instance **on_lanes; /* inputs: itself, and what counts for it on each other lane */
    void *self;                 /* starts with the bound options */
    struct plugin_env env;
    struct arena arena;
    /* Newest first; only added to. Made in the order in which an event meets them (metric.h, M2). */
    _Atomic(struct counter_cell *) counters;
    struct delivery *delivery; /* outputs only, */
    struct link *link;         /* or this one */
    struct counter *events_in, *events_out;
    struct counter *busy_ns; /* filters and outputs: time at work on events, on this lane */
    struct counter
        *match_limits; /* filters only: searches that met a limit of regular expressions */
    const struct counter *
        failures; /* filters whose on_error is not tag: counts what they fail on; NULL: nothing is to be done then */
    struct counter *set_aside; /* with failures: events that became dead letters */
    struct counter *cancelled; /* filters only: events that go no further */
    struct log_limit searches_log;
    bool open;
};

/* Allocates; the plugin's open() is the caller's to call. */
struct instance *instance_new(struct lane *lane, const struct plan_plugin *plugin);
void instance_free(struct instance *instance);
struct instance *instance_of(const struct plugin_env *env);
struct counter *instance_counter(struct instance *instance, const char *name);
bool instance_has_counter(const struct instance *instance, const char *name);
uint64_t instance_counted(const struct instance *instance, const char *name); /* 0 when absent */

#endif
