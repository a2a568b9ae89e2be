/* SPDX-License-Identifier: Apache-2.0
 *
 * The order of buckets: by their counts, their keys, or a metric below them.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "services/store/search/aggregation_private.h"

static double metric_of(const struct bucket *bucket, const struct order *order)
{
    if (!bucket->subs)
        return NAN;
    assert(order->by == ORDER_METRIC);
    const struct collected *collected = &bucket->subs[order->sub];
    switch ((int)order->of) {
    case AGGREGATE_AVG:
        return collected_average(collected);
    case AGGREGATE_SUM:
        return collected->sum;
    case AGGREGATE_MIN:
        return collected->min;
    case AGGREGATE_MAX:
        return collected->max;
    case AGGREGATE_VALUE_COUNT:
        return (double)collected->count;
    default:
        return (double)collected_cardinality(collected);
    }
}

/* Buckets without the metric come last either way. */
static int compare_metric(double a, double b, bool is_descending)
{
    if (!isfinite(a) || !isfinite(b))
        return !isfinite(a) - !isfinite(b);
    int order = (a > b) - (a < b);
    return is_descending ? -order : order;
}

static int compare_by(const struct order *order, const struct bucket *a, const struct bucket *b)
{
    int result = 0;
    if (order->by == ORDER_METRIC)
        return compare_metric(metric_of(a, order), metric_of(b, order), order->is_descending);
    if (order->by == ORDER_KEY)
        result = a->key.kind == b->key.kind ? term_compare(&a->key, &b->key) : 0;
    else
        result = (a->count > b->count) - (a->count < b->count);
    return order->is_descending ? -result : result;
}

static int compare_buckets(const void *a, const void *b, void *ctx)
{
    static const struct order BY_COUNT = {.by = ORDER_COUNT, .is_descending = true};
    static const struct order BY_KEY = {.by = ORDER_KEY};
    const struct aggregation *aggregation = ctx;
    const struct bucket *const *left = a, *const *right = b;
    int result = 0;
    for (size_t i = 0; i < aggregation->order_count && result == 0; i++)
        result = compare_by(&aggregation->orders[i], *left, *right);
    if (aggregation->order_count == 0 && aggregation->kind == AGGREGATE_TERMS)
        result = compare_by(&BY_COUNT, *left, *right);
    return result ? result : compare_by(&BY_KEY, *left, *right);
}

struct bucket **aggregation_list_buckets(const struct collected *collected, uint64_t minimum,
                                         size_t *count_out)
{
    struct bucket **list = mem_alloc((collected->bucket_count + 1) * sizeof(struct bucket *));
    size_t count = 0;
    for (size_t i = 0; i < collected->slot_count; i++) {
        if (collected->slots[i] && collected->slots[i]->count >= minimum)
            list[count++] = collected->slots[i];
    }
    *count_out = count;
    return list;
}

void aggregation_sort_buckets(const struct aggregation *aggregation, struct bucket **list,
                              size_t count)
{
    union {
        const struct aggregation *aggregation;
        void *ctx;
    } as = {aggregation};
    if (count > 1)
        qsort_r(list, count, sizeof *list, compare_buckets, as.ctx);
}
