/* SPDX-License-Identifier: Apache-2.0
 *
 * Metrics that a configuration defines (output metrics), beside those that the program has of itself (metric.h). A family is
 * what has one name on /metrics; it has a series for each set of label values that was met. One registry for the process, so
 * that pipelines that count the same thing share a family.
 *
 * What events say decides about label values, so there are caps: a label has at most max_label_values different values and a
 * family max_series series; whatever is met beyond that is counted under the overflow value.
 *
 * Main thread. Families live as long as the registry.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_SERIES_H
#define MILLRACE_PIPELINE_ENGINE_SERIES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/time/clock.h"
#include "base/time/zone.h"

enum series_kind { SERIES_COUNTER, SERIES_GAUGE, SERIES_HISTOGRAM, SERIES_UNIQUE };

enum {
    SERIES_LABELS_MAX = 16,
    SERIES_BUCKETS_MAX = 100,
    SERIES_LABEL_BYTES_MAX = 512, /* a longer value is cut */
};

struct series_options {
    enum series_kind kind;
    struct str name, help;
    const struct str *labels; /* names, ascending */
    size_t label_count;
    const double *bounds; /* of a histogram's buckets, ascending; +Inf is not among them */
    size_t bound_count;
    size_t max_label_values, max_series;
    struct str overflow;
    const struct zone *zone; /* of SERIES_UNIQUE: where its day begins */
};

struct series_registry;
struct series_family;

/* now: the wall clock, which says what day it is. */
struct series_registry *series_registry_new(struct instant (*now)(void));
void series_registry_free(struct series_registry *registry); /* NULL is ok */

/* The family of that name, made when it is new. NULL and *err when the name or a label cannot be one, or the family is there
 * with another kind, other labels or other buckets. What options point at is copied. */
struct series_family *series_family_open(struct series_registry *registry,
                                         const struct series_options *options, struct error *err);

/* Label values, in the order of the labels. Those that the configuration fixes are not looked at by the caps. */
struct series_values {
    struct str items[SERIES_LABELS_MAX];
    bool fixed[SERIES_LABELS_MAX];
};

/* What an event says. */
struct series_sample {
    double number;     /* to add, to set, to observe */
    struct str member; /* SERIES_UNIQUE: who it was */
    struct instant at; /* SERIES_UNIQUE: when; another day than today's is left out */
};
void series_note(struct series_family *family, const struct series_values *values,
                 const struct series_sample *sample);
/* Makes the series without an event, so that it is there with 0. */
void series_begin(struct series_family *family, const struct series_values *values);

/* A letter or _, then letters, digits and _. */
bool series_label_is_valid(struct str name);

/* All families in Prometheus' text format 0.0.4. False when the buffer is at its maximum. */
bool series_registry_text(const struct series_registry *registry, struct buf *out);
/* A label's value between its quotes: backslash, quote and line feed escaped. For all who write that format. */
bool series_label_text(struct str value, struct buf *out);

#endif
