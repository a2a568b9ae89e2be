/* SPDX-License-Identifier: Apache-2.0
 *
 * Who looks on while the lanes of an engine work, step by step: `millrace trace`, tests of pipelines, comparisons. Each
 * function is called on the lane's thread between two steps of a slice (slice.h), with the slice as it is then: events
 * may be read, and nothing is changed. Functions that are NULL are not called.
 *
 * Without an observer all of this costs one look at a pointer for each step of each slice, never for each event.
 *
 * An engine that is isolated (engine.h) touches nothing outside: its outputs encode each event and hand the bytes to the
 * observer instead of sending them. So what a trace shows is what the engine does, by the same code.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_OBSERVER_H
#define MILLRACE_PIPELINE_PROGRAM_OBSERVER_H

#include "pipeline/plugin.h"

struct frame;
struct plan_plugin;
struct plan_step;
struct selection;
struct slice;

/* What an output made of one event. */
struct observed_item {
    const struct plan_plugin *plugin;
    const void *self; /* the instance; NULL: a link (plugin.h) */
    const struct event *event;
    enum encode_result result;
    struct str bytes;        /* of ENCODE_DONE and ENCODE_OWN_ID; borrowed for the call */
    const struct error *err; /* of ENCODE_REFUSED and ENCODE_FULL */
};

struct observer {
    /* A filter gets the events of slice->selection. */
    void (*filter_begins)(struct observer *observer, const struct slice *slice,
                          const struct plan_plugin *plugin);
    /* It has had them: those that it cancelled are not in the selection any more, and what it made is in slice->created. */
    void (*filter_ends)(struct observer *observer, const struct slice *slice,
                        const struct plan_plugin *plugin);
    /* The engine is offline and this filter would ask elsewhere: events pass by it. */
    void (*filter_left_out)(struct observer *observer, const struct slice *slice,
                            const struct plan_plugin *plugin);
    /* The condition of an arm was tested, or its else is taken: by the events of the selection. `rest` did not match. */
    void (*arm_taken)(struct observer *observer, const struct slice *slice,
                      const struct plan_step *branch, size_t arm, const struct selection *rest);
    /* The condition cannot be tested on this event, which goes no further. */
    void (*condition_failed)(struct observer *observer, const struct plan_step *branch, size_t arm,
                             const struct event *event);
    /* The events of the selection have come through all filters. */
    void (*filtered)(struct observer *observer, const struct slice *slice);
    /* An output gets the events of the selection. */
    void (*routed)(struct observer *observer, const struct slice *slice,
                   const struct plan_plugin *plugin);
    /* Isolated engines only, after routed, for each of them. */
    void (*encoded)(struct observer *observer, const struct observed_item *item);
};

/* For the walk (slice.c), of programs that have an observer. */
void observe_filter_begins(const struct slice *slice, const struct plan_plugin *plugin);
void observe_filter_ends(const struct slice *slice, const struct plan_plugin *plugin);
void observe_arm(const struct slice *slice, const struct frame *frame);
void observe_failed(const struct slice *slice, const struct frame *frame, size_t event);
void observe_filtered(const struct slice *slice);
void observe_routed(const struct slice *slice, const struct plan_plugin *plugin);
/* Also without an observer; true: the walk goes on. */
bool observe_left_out(const struct slice *slice, const struct plan_plugin *plugin);
/* In place of handing the selection to the output's delivery, of an isolated engine. */
void observe_encoded(const struct slice *slice, const struct plan_plugin *plugin);

#endif
