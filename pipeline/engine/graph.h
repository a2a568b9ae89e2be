/* SPDX-License-Identifier: Apache-2.0
 *
 * Which pipelines of a run send events to which (pipeline inputs and outputs). Pure, over compiled plans.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_GRAPH_H
#define MILLRACE_PIPELINE_ENGINE_GRAPH_H

#include "pipeline/program/plan.h"

struct graph_pipeline {
    struct str id;
    const struct plan *plan; /* NULL: not there */
    struct error_list *errors;
};

/* Adds an error for an address that two inputs have, and for a circle of pipelines: events would go round in it for ever,
 * and each would wait for the next one. False when there was one. */
bool graph_check(const struct graph_pipeline *pipelines, size_t count);
/* An output of one sends to an input of the other. */
bool graph_sends(const struct plan *from, const struct plan *to);
bool graph_receives(const struct plan *plan); /* it has a pipeline input */

#endif
