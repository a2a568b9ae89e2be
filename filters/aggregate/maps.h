/* SPDX-License-Identifier: Apache-2.0
 *
 * What the aggregate filters of a pipeline share: for each pattern of task ids its tasks, and which filter ends them. All
 * of these filters have their one instance on the same lane. A filter takes a reference when it opens.
 *
 * The maps are Ruby hashes, so that code may keep in them what it likes; they live in the lane's Ruby, which
 * aggregate_ruby.c speaks with.
 */
#ifndef MILLRACE_FILTERS_AGGREGATE_MAPS_H
#define MILLRACE_FILTERS_AGGREGATE_MAPS_H

#include "filters/aggregate/tasks.h"
#include "pipeline/plugin.h"

struct aggregate;

struct aggregate_pattern {
    struct aggregate_pattern *next;
    struct str text; /* of task_id, as written */
    struct tasks tasks;
    struct aggregate
        *owner; /* the filter that ends tasks: the one with options for that, else the first */
    bool owner_has_options;
    bool check_always; /* some code has set limits of its own */
};

struct aggregate_maps; /* of one pipeline */

struct aggregate_maps *aggregate_maps_ref(const struct plugin_env *env);
void aggregate_maps_unref(struct aggregate_maps *maps); /* NULL is ok */
/* Made when it is not there. */
struct aggregate_pattern *aggregate_maps_pattern(struct aggregate_maps *maps, struct str text);
/* Iteration: NULL gives the first. */
struct aggregate_pattern *aggregate_maps_next(struct aggregate_maps *maps,
                                              struct aggregate_pattern *pattern);
/* False when another filter of the pipeline saves the maps already. */
bool aggregate_maps_claim_path(struct aggregate_maps *maps);

#endif
