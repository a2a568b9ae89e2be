/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch and its acknowledgement. Private to the engine.
 *
 * A batch owns an arena with its events and the bytes they came from. One lane owns it at a time; it moves by inbox. It
 * is freed when every output has encoded its part.
 *
 * An ack lives apart from it, until every output has delivered: `pending` counts the batch itself (until it is freed)
 * and each item in a group. The one who takes it to zero posts it to the lane of its stream.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_BATCH_H
#define MILLRACE_PIPELINE_ENGINE_BATCH_H

#include <stdatomic.h>

#include "pipeline/engine/lane.h"
#include "pipeline/event/event.h"
#include "pipeline/program/selection.h"

struct engine;
struct stream;

struct ack {
    struct inbox_item link; /* first: posted to the stream's lane */
    struct ack *next;       /* in the stream's order */
    struct stream *stream;
    struct lane *home;
    uint64_t token;
    atomic_size_t pending;
    bool delivered; /* on the stream's lane only */
};

void ack_hold(struct ack *ack, size_t count);
/* The last release posts the ack home. */
void ack_release(struct ack *ack, size_t count);

/* A part of the batch that an output on the main lane has still to encode. */
struct handoff {
    struct handoff *next;
    size_t output; /* index of the plugin in the plan */
    struct selection selection;
};

struct batch {
    struct inbox_item link; /* first */
    struct arena arena;
    struct event **events;
    size_t count;
    size_t capacity;
    size_t source_count; /* events that it came with; filters add more */
    size_t next_event;   /* the first that no slice has begun with */
    size_t unfinished;   /* slices suspended or running, and one for the run of the batch itself */
    struct ack *ack;
    struct engine *engine;
    struct lane *lane;        /* that runs it */
    struct handoff *handoffs; /* in order */
    struct handoff **handoffs_end;
};

struct batch *batch_new(struct engine *engine, atomic_size_t *charged);
/* Frees the memory; the ack is not touched. */
void batch_free(struct batch *batch);
void batch_add(struct batch *batch, struct event *event);

#endif
