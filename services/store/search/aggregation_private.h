/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the aggregations share: the tree as it was asked for, and what it has collected.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_AGGREGATION_PRIVATE_H
#define MILLRACE_SERVICES_STORE_SEARCH_AGGREGATION_PRIVATE_H

#include "services/store/mapping/field_reader.h"
#include "services/store/search/aggregation.h"
#include "services/store/search/digest.h"
#include "services/store/search/search.h"

enum aggregation_kind {
    AGGREGATE_TERMS,
    AGGREGATE_DATE_HISTOGRAM,
    AGGREGATE_HISTOGRAM,
    AGGREGATE_RANGE,
    AGGREGATE_FILTER,
    AGGREGATE_FILTERS,
    AGGREGATE_MISSING,
    /* from here on without buckets */
    AGGREGATE_AVG,
    AGGREGATE_SUM,
    AGGREGATE_MIN,
    AGGREGATE_MAX,
    AGGREGATE_STATS,
    AGGREGATE_VALUE_COUNT,
    AGGREGATE_CARDINALITY,
    AGGREGATE_PERCENTILES,
};

enum { ORDERS_MAX = 8, PERCENTS_MAX = 100, FIXED_BUCKETS_MAX = 1024 };

enum order_by { ORDER_COUNT, ORDER_KEY, ORDER_METRIC };

struct order {
    enum order_by by;
    bool is_descending;
    size_t sub;               /* which of the aggregations below, */
    enum aggregation_kind of; /* and what of it: AVG, SUM, MIN, MAX, VALUE_COUNT */
};

/* One bucket of range, filter, filters. */
struct fixed {
    struct str key;
    bool has_from, has_to;
    double from, to;
    const struct value *tree;  /* of a filter */
    const struct query *query; /* in the open index */
};

struct aggregation {
    struct str name;
    enum aggregation_kind kind;
    const struct value *meta; /* NULL: none */
    /* options */
    struct str path, format, time_zone;
    const struct value *missing, *include, *exclude, *order_tree, *bounds_tree, *percents_tree;
    const struct value *ranges_tree, *filters_tree;
    int64_t size, min_doc_count; /* min_doc_count -1: not said */
    double interval, offset;
    int64_t interval_ms, offset_ms; /* of fixed intervals; interval_ms 0: by calendar */
    enum date_unit unit;
    bool has_interval, is_keyed, is_not_keyed, has_other, shows_errors, has_bounds;
    struct str other_key;
    double bound_min, bound_max;
    double percents[PERCENTS_MAX];
    size_t percent_count;
    struct order orders[ORDERS_MAX];
    size_t order_count;
    struct fixed *fixed;
    size_t fixed_count;
    const struct zone *zone;
    /* the open index */
    struct field_reader reader; /* field NULL: it has none there */
    bool has_missing_term;
    struct term missing_term;
    /* of the first index that has the field */
    bool is_typed;
    enum field_type type;
    const struct date_layout *layout; /* of dates */
    struct aggregation *subs;
    size_t sub_count;
};

struct bucket {
    struct term key;
    uint64_t hash, count, last_document;
    struct collected *subs; /* as many as the aggregation has below */
};

/* What an aggregation has in one bucket of its parent. */
struct collected {
    uint64_t count;
    double sum, compensation, min, max;
    struct digest *digest; /* percentiles */
    struct bucket **slots; /* terms, histograms, cardinality: a hash table */
    size_t slot_count, bucket_count;
    unsigned char *registers; /* of a cardinality beyond counting one by one */
    struct bucket *fixed;     /* range, filters */
};

struct aggregations {
    struct arena arena;      /* the request, and all that is collected */
    struct aggregation root; /* its subs are those of the request */
    struct collected *collected;
    int64_t now_ms;
    uint64_t documents;
    size_t nodes, written_buckets;
    struct api_error *err; /* of the call under way */
};

/* ---- aggregation_parse.c ---- */
bool aggregation_parse_all(struct aggregations *all, struct aggregation *parent,
                           const struct value *tree, unsigned depth, struct api_error *err);

/* ---- aggregation_collect.c ---- */
bool aggregation_collect(struct aggregations *all, struct aggregation *aggregation,
                         struct collected *into, const struct query_document *document);
struct collected *collected_new(struct aggregations *all, const struct aggregation *parent);
double collected_average(const struct collected *collected); /* NaN: of nothing */
uint64_t collected_cardinality(const struct collected *collected);
bool collected_add_unique(struct aggregations *all, struct collected *into,
                          const struct term *term);
struct bucket *collected_bucket(struct aggregations *all, const struct aggregation *aggregation,
                                struct collected *into, const struct term *key);

/* ---- aggregation_order.c ---- */
/* Those with at least so many documents; to be freed with mem_free. */
struct bucket **aggregation_list_buckets(const struct collected *collected, uint64_t minimum,
                                         size_t *count_out);
void aggregation_sort_buckets(const struct aggregation *aggregation, struct bucket **list,
                              size_t count);

/* ---- aggregation_write.c ---- */
bool aggregation_write_all(struct aggregations *all, const struct aggregation *parent,
                           const struct collected *collected, struct buf *out,
                           struct api_error *err);

static inline bool aggregation_has_buckets(const struct aggregation *aggregation)
{
    return aggregation->kind < AGGREGATE_AVG;
}

#endif
