/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to series*.c: what a registry holds.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_SERIES_PRIVATE_H
#define MILLRACE_PIPELINE_ENGINE_SERIES_PRIVATE_H

#include "base/distinct.h"
#include "base/map.h"
#include "pipeline/engine/series.h"

struct series {
    struct series *next; /* in the order of their making */
    struct str *values;
    double number;     /* of a histogram: the sum */
    uint64_t *buckets; /* each with its own observations only; the last one is +Inf's */
    struct distinct members;
    int64_t day; /* that they are of */
};

struct series_family {
    struct series_registry *registry;
    struct series_family *next;
    struct series_options options;
    struct map series; /* by their values, each behind its length */
    struct map *known; /* for each label: the values that it had */
    struct series *first, **last;
};

struct series_registry {
    struct arena arena;
    struct instant (*now)(void);
    struct series_family *first, **last; /* in the order of the configuration */
};

/* The day of an instant where the family counts days. */
int64_t series_day(const struct series_family *family, struct instant at);

#endif
