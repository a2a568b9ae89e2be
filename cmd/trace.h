/* SPDX-License-Identifier: Apache-2.0
 *
 * What became of one thing that arrived, step by step: recorded by an observer (trace_record.c), written for people
 * (trace_text.c) or as JSON (trace_json.c).
 */
#ifndef MILLRACE_CMD_TRACE_H
#define MILLRACE_CMD_TRACE_H

#include "cmd/event_diff.h"
#include "cmd/terminal.h"
#include "cmd/trial.h"

enum trace_step_type { TRACE_INPUT, TRACE_CONDITION, TRACE_FILTER, TRACE_OUTPUT };

enum trace_result {
    TRACE_ARRIVED,   /* INPUT */
    TRACE_TRUE,      /* CONDITION, also an else that is taken */
    TRACE_FALSE,     /* CONDITION */
    TRACE_FAILED,    /* CONDITION: it cannot be tested, and the event is dropped */
    TRACE_KEPT,      /* FILTER */
    TRACE_CANCELLED, /* FILTER */
    TRACE_MADE, /* FILTER: the event is new; `of` is what it was made from, 0: at the filter's tick */
    TRACE_LEFT_OUT, /* FILTER: --offline */
    TRACE_SENT,     /* OUTPUT: would be */
    TRACE_REFUSED,  /* OUTPUT: can never be sent; reason */
    TRACE_NOT_SENT, /* OUTPUT: there is nothing to send of it, on purpose */
};

/* What a step was for one event. */
struct trace_effect {
    struct trace_effect *next;
    const struct event *seen; /* while it is under way */
    unsigned event, of;
    enum trace_result result;
    struct event_fields before; /* FILTER, while it is under way */
    struct event_diff changes;  /* FILTER; INPUT and MADE: all fields */
    struct event_fields fields; /* INPUT, MADE */
    struct value
        values; /* CONDITION: an object of the fields that it names, those that are there */
    struct value request; /* OUTPUT: how it would be sent, an object (plugin.h, describe_item) */
    struct str bytes;     /* OUTPUT */
    struct str reason;
};

struct trace_step {
    struct trace_step *next;
    enum trace_step_type type;
    const struct plan_plugin *plugin; /* but of a CONDITION */
    const struct plan_step *branch;
    size_t arm;
    uint64_t began_ns, took_ns; /* FILTER */
    bool ended;
    struct trace_effect *effects, *last;
};

/* An event, and where it ended. */
struct trace_end {
    struct trace_end *next;
    unsigned event;
    const struct event *seen;
    bool cancelled;
    const struct trace_step *by; /* that cancelled it */
    unsigned sent, refused;
};

struct trace {
    struct observer observer; /* first */
    const struct trial *trial;
    struct arena arena; /* of all below; reset for what arrives next */
    unsigned events;    /* so many have had a number */
    struct trace_step *steps, *last;
    struct trace_end *ends, *last_end;
    uint64_t took_ns; /* by all steps */
};

/* Where the files and names of plugins come from: the trial, of which plan and source are read. */
void trace_open(struct trace *trace, const struct trial *trial);
void trace_close(struct trace *trace);
/* For struct trial_run; ctx is the trace. */
void trace_arrived(void *ctx, size_t input, const struct event *event);
/* Forgets what it has recorded; numbers of events go on. */
void trace_forget(struct trace *trace);
bool trace_is_empty(const struct trace *trace);

/* Filters that keep something from one event to the next. */
bool trace_keeps_state(const struct plan_plugin *plugin);

struct trace_look {
    struct terminal terminal;
    bool full; /* values are not cut */
};
void trace_write_text(const struct trace *trace, const struct trace_look *look, struct buf *out);
/* One line. */
void trace_write_json(const struct trace *trace, struct buf *out);

#endif
