/* SPDX-License-Identifier: Apache-2.0
 *
 * What the options of an aggregation mean together: percents, ranges, filters, bounds of histograms.
 */
#include <assert.h>
#include <math.h>

#include "services/store/search/aggregation_parse.h"

static bool finish_percents(struct aggregation_parsing *in)
{
    static const double DEFAULTS[] = {1, 5, 25, 50, 75, 95, 99};
    struct aggregation *aggregation = in->aggregation;
    const struct value *tree = aggregation->percents_tree;
    if (!tree) {
        aggregation->percent_count = sizeof DEFAULTS / sizeof *DEFAULTS;
        memcpy(aggregation->percents, DEFAULTS, sizeof DEFAULTS);
        return true;
    }
    if (value_type(tree) != VALUE_ARRAY || value_array_count(tree) > PERCENTS_MAX)
        return aggregation_field_failed(in, STR("percents"));
    api_error_set(in->err, 400, "x_content_parse_exception",
                  "Failed to build [percentiles] after last required field arrived");
    if (value_array_count(tree) == 0)
        return api_error_cause(in->err, "illegal_argument_exception",
                               "[percents] must not be empty: [%.*s]", STR_FMT(aggregation->name));
    for (size_t i = 0; i < value_array_count(tree); i++) {
        double percent = -1;
        if (!value_number(value_array_at(tree, i), &percent) || percent < 0 || percent > 100)
            return api_error_cause(in->err, "illegal_argument_exception",
                                   "percent must be in [0,100], got [%.1f]: [%.*s]", percent,
                                   STR_FMT(aggregation->name));
        size_t at = aggregation->percent_count++;
        for (; at > 0 && aggregation->percents[at - 1] > percent; at--)
            aggregation->percents[at] = aggregation->percents[at - 1];
        aggregation->percents[at] = percent;
    }
    return true;
}

struct fixed *aggregation_fixed_list(struct aggregation_parsing *in, size_t count)
{
    if (count > FIXED_BUCKETS_MAX) {
        api_error_set(in->err, 400, "illegal_argument_exception", "[%s] has more than %d buckets",
                      in->kind, FIXED_BUCKETS_MAX);
        return NULL;
    }
    assert(!in->aggregation->fixed);
    in->aggregation->fixed_count = count;
    in->aggregation->fixed = arena_zero(&in->all->arena, (count + 1) * sizeof(struct fixed));
    return in->aggregation->fixed;
}

static struct str range_key(struct arena *arena, const struct fixed *fixed)
{
    char from[FLOAT_TEXT_MAX], to[FLOAT_TEXT_MAX];
    int from_len = fixed->has_from ? (int)float_format(fixed->from, from) : 1;
    int to_len = fixed->has_to ? (int)float_format(fixed->to, to) : 1;
    return arena_printf(arena, "%.*s-%.*s", from_len, fixed->has_from ? from : "*", to_len,
                        fixed->has_to ? to : "*");
}

static bool read_range(struct aggregation_parsing *in, const struct value *tree, struct fixed *out)
{
    if (value_type(tree) != VALUE_OBJECT)
        return aggregation_field_failed(in, STR("ranges"));
    for (size_t i = 0; i < value_object_count(tree); i++) {
        struct str key;
        const struct value *value = value_object_at(tree, i, &key);
        if (value_type(value) == VALUE_NULL)
            continue;
        if (value_is_str(value) && !str_equal(key, STR("key")))
            return aggregation_missing(in, "a range between texts or dates");
        if (str_equal(key, STR("key")) && value_is_str(value))
            out->key = value_as_str(value);
        else if (str_equal(key, STR("from")))
            out->has_from = value_number(value, &out->from);
        else if (str_equal(key, STR("to")))
            out->has_to = value_number(value, &out->to);
        else
            return aggregation_field_failed(in, STR("ranges"));
    }
    if (!out->key.ptr)
        out->key = range_key(&in->all->arena, out);
    return true;
}

static bool range_before(const struct fixed *a, const struct fixed *b)
{
    double a_from = a->has_from ? a->from : -INFINITY, b_from = b->has_from ? b->from : -INFINITY;
    double a_to = a->has_to ? a->to : INFINITY, b_to = b->has_to ? b->to : INFINITY;
    return a_from < b_from || (a_from == b_from && a_to < b_to);
}

static bool finish_ranges(struct aggregation_parsing *in)
{
    const struct value *tree = in->aggregation->ranges_tree;
    if (!tree || value_type(tree) != VALUE_ARRAY || value_array_count(tree) == 0) {
        api_error_set(in->err, 400, "illegal_argument_exception",
                      "No [ranges] specified for the [%.*s] aggregation",
                      STR_FMT(in->aggregation->name));
        in->err->of_search = true;
        return false;
    }
    struct fixed *list = aggregation_fixed_list(in, value_array_count(tree));
    for (size_t i = 0; list && i < value_array_count(tree); i++) {
        struct fixed range = {0};
        if (!read_range(in, value_array_at(tree, i), &range))
            return false;
        size_t at = i;
        for (; at > 0 && range_before(&range, &list[at - 1]); at--)
            list[at] = list[at - 1];
        list[at] = range;
    }
    return list;
}

static bool finish_filters(struct aggregation_parsing *in)
{
    struct aggregation *aggregation = in->aggregation;
    const struct value *tree = aggregation->filters_tree;
    bool is_list = tree && value_type(tree) == VALUE_ARRAY;
    if (!tree || (!is_list && value_type(tree) != VALUE_OBJECT))
        return api_error_set(in->err, 400, "parsing_exception",
                             "[filters] are an object or a list");
    size_t count = is_list ? value_array_count(tree) : value_object_count(tree);
    struct fixed *list = aggregation_fixed_list(in, count + aggregation->has_other);
    for (size_t i = 0; list && i < count; i++)
        list[i].tree = is_list ? value_array_at(tree, i) : value_object_at(tree, i, &list[i].key);
    if (list && aggregation->has_other)
        list[count].key = aggregation->other_key.ptr ? aggregation->other_key : STR("_other_");
    aggregation->is_keyed = !is_list;
    return list;
}

static bool read_bound(struct aggregation_parsing *in, struct str key, double *out)
{
    const struct value *value = value_object_get(in->aggregation->bounds_tree, key);
    if (!value)
        return aggregation_missing(in, "a single bound in [extended_bounds]");
    if (in->aggregation->kind != AGGREGATE_DATE_HISTOGRAM || !value_is_str(value))
        return aggregation_number(in, key, value, out);
    const struct date_layout *layout = date_layout_default();
    if (in->aggregation->format.ptr)
        layout = date_layout_compile(&in->all->arena, in->aggregation->format, NULL);
    struct date_math math = {layout, in->aggregation->zone, in->all->now_ms, false};
    int64_t ms = 0;
    if (!layout || !date_math_parse(&math, value_as_str(value), &ms))
        return aggregation_field_failed(in, STR("extended_bounds"));
    *out = (double)ms;
    return true;
}

static bool finish_histogram(struct aggregation_parsing *in)
{
    struct aggregation *aggregation = in->aggregation;
    if (!aggregation->has_interval) {
        api_error_set(in->err, 400, "illegal_argument_exception",
                      aggregation->kind == AGGREGATE_HISTOGRAM
                          ? "interval must be positive, got: 0.0"
                          : "Invalid interval specified, must be non-null and non-empty");
        in->err->of_search = true;
        return false;
    }
    if (!aggregation->bounds_tree)
        return true;
    if (value_type(aggregation->bounds_tree) != VALUE_OBJECT)
        return aggregation_field_failed(in, STR("extended_bounds"));
    aggregation->has_bounds = true;
    return read_bound(in, STR("min"), &aggregation->bound_min) &&
           read_bound(in, STR("max"), &aggregation->bound_max);
}

bool aggregation_finish(struct aggregation_parsing *in)
{
    struct aggregation *aggregation = in->aggregation;
    bool has_field = aggregation->path.ptr;
    if (aggregation_takes_option(aggregation->kind, STR("field")) && !has_field)
        return api_error_set(in->err, 400, "illegal_argument_exception",
                             "Required one of fields [field, script], but none were specified. ");
    switch ((int)aggregation->kind) {
    case AGGREGATE_PERCENTILES:
        return finish_percents(in);
    case AGGREGATE_RANGE:
        return finish_ranges(in);
    case AGGREGATE_FILTERS:
        return finish_filters(in);
    case AGGREGATE_DATE_HISTOGRAM:
    case AGGREGATE_HISTOGRAM:
        return finish_histogram(in);
    case AGGREGATE_MISSING:
        return aggregation_fixed_list(in, 1);
    default:
        return true;
    }
}
