/* SPDX-License-Identifier: Apache-2.0
 *
 * A batch: an arena with its events and the bytes they came from. Private to the engine.
 *
 * One lane owns it at a time; it moves by inbox. It is freed when every output has encoded its part; its receipt
 * (receipt.h) lives on until every output has delivered.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_BATCH_H
#define MILLRACE_PIPELINE_ENGINE_BATCH_H

#include "pipeline/engine/receipt.h"
#include "pipeline/event/event.h"
#include "pipeline/program/selection.h"

struct plan_plugin;
struct engine;

struct batch {
    struct inbox_item link; /* first */
    struct arena arena;
    struct event **events;
    size_t count;
    size_t capacity;
    size_t next_event; /* the first that no slice has begun with */
    size_t unfinished; /* slices suspended or running, and one for the run of the batch itself */
    struct slice *at_cut, *at_cut_end; /* of these: wait for a filter on the main lane */
    size_t at_cut_count;
    size_t at_links;    /* of these: wait at a link (link.h) for room in another pipeline */
    bool only_at_links; /* all that is unfinished does */
    bool given_up;      /* a link let go of what waited: it comes home abandoned */
    struct receipt *receipt;
    const struct plan_plugin *input;  /* that its events came from; NULL: a filter */
    const struct plan_plugin *behind; /* the filter whose tick made the events; NULL: an input's */
    struct engine *engine;
    struct lane *lane; /* that runs it */
};

struct batch *batch_new(struct engine *engine);
/* Frees the memory; the receipt is not touched. */
void batch_free(struct batch *batch);
void batch_add(struct batch *batch, struct event *event);

#endif
