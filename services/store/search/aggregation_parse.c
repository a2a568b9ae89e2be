/* SPDX-License-Identifier: Apache-2.0
 *
 * Aggregations of a request: names, kinds, what lies below, and the order of buckets.
 */
#include "services/store/search/aggregation_parse.h"

enum { TERMS_SIZE = 10 };

/* ---- order, when the aggregations below are known -------------------------------------------------------------------- */

static const struct {
    struct str name;
    enum aggregation_kind kind;
} METRICS[] = {
    {STR_INIT("avg"), AGGREGATE_AVG},           {STR_INIT("sum"), AGGREGATE_SUM},
    {STR_INIT("min"), AGGREGATE_MIN},           {STR_INIT("max"), AGGREGATE_MAX},
    {STR_INIT("count"), AGGREGATE_VALUE_COUNT}, {STR_INIT("value"), AGGREGATE_TERMS},
};

static bool invalid_path(struct aggregation_parsing *in, struct str path)
{
    api_error_set(in->err, 500, "aggregation_execution_exception",
                  "Invalid aggregator order path [%.*s]. The provided aggregation [%.*s] either "
                  "does not exist, "
                  "or is a pipeline aggregation and cannot be used to sort the buckets.",
                  STR_FMT(path), STR_FMT(path));
    in->err->of_search = true;
    return false;
}

static bool metric_order(struct aggregation_parsing *in, struct str path, struct order *order)
{
    struct aggregation *aggregation = in->aggregation;
    if (path.len && memchr(path.ptr, '>', path.len))
        return aggregation_missing(in, "an [order] by an aggregation of an aggregation");
    const char *dot = path.len ? memrchr(path.ptr, '.', path.len) : NULL;
    struct str name = dot ? str_make(path.ptr, (size_t)(dot - path.ptr)) : path;
    order->by = ORDER_METRIC;
    order->of = AGGREGATE_TERMS;
    for (size_t i = 0; dot && i < sizeof METRICS / sizeof *METRICS; i++) {
        if (str_equal(str_from_offset(path, name.len + 1), METRICS[i].name))
            order->of = METRICS[i].kind;
    }
    for (size_t i = 0; i < aggregation->sub_count; i++) {
        const struct aggregation *sub = &aggregation->subs[i];
        if (!str_equal(sub->name, name))
            continue;
        order->sub = i;
        if (order->of == AGGREGATE_TERMS)
            order->of = sub->kind;
        bool is_number = !aggregation_has_buckets(sub) && order->of != AGGREGATE_STATS &&
                         order->of != AGGREGATE_PERCENTILES;
        return is_number || invalid_path(in, path);
    }
    return invalid_path(in, path);
}

static bool add_order(struct aggregation_parsing *in, const struct value *tree)
{
    struct aggregation *aggregation = in->aggregation;
    struct str path;
    if (value_type(tree) != VALUE_OBJECT || value_object_count(tree) != 1 ||
        aggregation->order_count == ORDERS_MAX)
        return aggregation_field_failed(in, STR("order"));
    const struct value *way = value_object_at(tree, 0, &path);
    struct order order = {.by = ORDER_COUNT};
    order.is_descending = value_is_str(way) && str_equal_nocase(value_as_str(way), STR("desc"));
    if (!order.is_descending &&
        !(value_is_str(way) && str_equal_nocase(value_as_str(way), STR("asc"))))
        return aggregation_field_failed(in, STR("order"));
    if (str_equal(path, STR("_key")) || str_equal(path, STR("_term")) ||
        str_equal(path, STR("_time")))
        order.by = ORDER_KEY;
    else if (!str_equal(path, STR("_count")) && !metric_order(in, path, &order))
        return false;
    aggregation->orders[aggregation->order_count++] = order;
    return true;
}

static bool finish_order(struct aggregation_parsing *in)
{
    const struct value *tree = in->aggregation->order_tree;
    if (!tree)
        return true;
    if (value_type(tree) != VALUE_ARRAY)
        return add_order(in, tree);
    for (size_t i = 0; i < value_array_count(tree); i++) {
        if (!add_order(in, value_array_at(tree, i)))
            return false;
    }
    return true;
}

/* ---- names ------------------------------------------------------------------------------------------------------------ */

static const char *const KINDS[] = {
    "terms",   "date_histogram", "histogram",   "range",       "filter",
    "filters", "missing",        "avg",         "sum",         "min",
    "max",     "stats",          "value_count", "cardinality", "percentiles"};
static const char *const NOT_THERE[] = {"top_hits",
                                        "global",
                                        "extended_stats",
                                        "percentile_ranks",
                                        "median_absolute_deviation",
                                        "composite",
                                        "significant_terms",
                                        "significant_text",
                                        "rare_terms",
                                        "multi_terms",
                                        "date_range",
                                        "ip_range",
                                        "nested",
                                        "reverse_nested",
                                        "sampler",
                                        "diversified_sampler",
                                        "children",
                                        "parent",
                                        "geo_bounds",
                                        "geo_centroid",
                                        "geo_distance",
                                        "geohash_grid",
                                        "geotile_grid",
                                        "adjacency_matrix",
                                        "auto_date_histogram",
                                        "variable_width_histogram",
                                        "matrix_stats",
                                        "weighted_avg",
                                        "scripted_metric",
                                        "avg_bucket",
                                        "sum_bucket",
                                        "min_bucket",
                                        "max_bucket",
                                        "stats_bucket",
                                        "extended_stats_bucket",
                                        "percentiles_bucket",
                                        "derivative",
                                        "cumulative_sum",
                                        "moving_avg",
                                        "moving_fn",
                                        "serial_diff",
                                        "bucket_script",
                                        "bucket_selector",
                                        "bucket_sort"};

static bool find_kind(struct aggregation_parsing *in, struct str name)
{
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        in->kind = KINDS[i];
        in->aggregation->kind = (enum aggregation_kind)i;
        if (str_equal(name, str_from(KINDS[i])))
            return true;
    }
    for (size_t i = 0; i < sizeof NOT_THERE / sizeof *NOT_THERE; i++) {
        if (str_equal(name, str_from(NOT_THERE[i])))
            return api_error_set(in->err, 501, "unsupported_operation_exception",
                                 "the aggregation [%.*s] is not supported", STR_FMT(name));
    }
    api_error_set(in->err, 400, "parsing_exception", "Unknown aggregation type [%.*s]",
                  STR_FMT(name));
    return api_error_cause(in->err, "named_object_not_found_exception", "unknown field [%.*s]",
                           STR_FMT(name));
}

static bool parse_kind(struct aggregation_parsing *in, struct str name, const struct value *body)
{
    struct aggregation *aggregation = in->aggregation;
    if (!find_kind(in, name))
        return false;
    aggregation->size = TERMS_SIZE;
    aggregation->min_doc_count = -1;
    if (value_type(body) != VALUE_OBJECT)
        return api_error_set(
            in->err, 400, "parsing_exception",
            "Expected [START_OBJECT] under [%.*s], but got another value in [%.*s]", STR_FMT(name),
            STR_FMT(aggregation->name));
    if (aggregation->kind == AGGREGATE_FILTER) {
        struct fixed *list = aggregation_fixed_list(in, 1);
        list[0].tree = body;
        return true;
    }
    for (size_t i = 0; i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        if (!aggregation_option(in, key, value))
            return false;
    }
    return aggregation_finish(in);
}

static bool parse_one(struct aggregation_parsing *in, const struct value *tree, unsigned depth)
{
    struct str kind = {0};
    const struct value *below = NULL;
    if (value_type(tree) != VALUE_OBJECT)
        return api_error_set(
            in->err, 400, "parsing_exception",
            "Aggregation definition for [%.*s starts with another value, expected a "
            "[START_OBJECT].",
            STR_FMT(in->aggregation->name));
    for (size_t i = 0; i < value_object_count(tree); i++) {
        struct str key;
        const struct value *value = value_object_at(tree, i, &key);
        if (str_equal(key, STR("aggs")) || str_equal(key, STR("aggregations"))) {
            below = value;
        } else if (str_equal(key, STR("meta"))) {
            in->aggregation->meta = value;
        } else if (kind.ptr) {
            return api_error_set(
                in->err, 400, "parsing_exception",
                "Found two aggregation type definitions in [%.*s]: [%.*s] and [%.*s]",
                STR_FMT(in->aggregation->name), STR_FMT(kind), STR_FMT(key));
        } else {
            kind = key;
            if (!parse_kind(in, key, value))
                return false;
        }
    }
    if (!kind.ptr)
        return api_error_set(in->err, 400, "parsing_exception",
                             "Missing definition for aggregation [%.*s]",
                             STR_FMT(in->aggregation->name));
    if (below && !aggregation_has_buckets(in->aggregation))
        return api_error_set(in->err, 500, "aggregation_initialization_exception",
                             "Aggregator [%.*s] of type [%s] cannot accept sub-aggregations",
                             STR_FMT(in->aggregation->name), in->kind);
    return (!below || aggregation_parse_all(in->all, in->aggregation, below, depth + 1, in->err)) &&
           finish_order(in);
}

static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '[' || name.ptr[i] == ']' || name.ptr[i] == '>')
            return false;
    }
    return name.len > 0;
}

bool aggregation_parse_all(struct aggregations *all, struct aggregation *parent,
                           const struct value *tree, unsigned depth, struct api_error *err)
{
    if (value_type(tree) != VALUE_OBJECT)
        return api_error_set(err, 400, "parsing_exception", "[aggs] is an object");
    size_t count = value_object_count(tree);
    all->nodes += count;
    if (depth == AGGREGATION_DEPTH_MAX || all->nodes > AGGREGATIONS_MAX)
        return api_error_set(err, 400, "illegal_argument_exception",
                             "more than %d aggregations, or deeper than %d", AGGREGATIONS_MAX,
                             AGGREGATION_DEPTH_MAX);
    parent->subs = arena_zero(&all->arena, (count + 1) * sizeof *parent->subs);
    parent->sub_count = count;
    for (size_t i = 0; i < count; i++) {
        const struct value *definition = value_object_at(tree, i, &parent->subs[i].name);
        struct aggregation_parsing in = {all, &parent->subs[i], "", err};
        if (!is_name(in.aggregation->name))
            return api_error_set(
                err, 400, "parsing_exception",
                "Invalid aggregation name [%.*s]. Aggregation names can contain any character "
                "except '[', ']', and '>'",
                STR_FMT(in.aggregation->name));
        if (!parse_one(&in, definition, depth))
            return false;
    }
    return true;
}
