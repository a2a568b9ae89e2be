/* SPDX-License-Identifier: Apache-2.0
 *
 * Aggregations of a request: names, kinds, options.
 */
#include <assert.h>
#include <math.h>

#include "services/store/search/aggregation_private.h"

enum { TERMS_SIZE = 10 };

struct parsing {
    struct aggregations *all;
    struct aggregation *aggregation;
    const char *kind;
    struct api_error *err;
};

/* ---- errors ---------------------------------------------------------------------------------------------------- */

static bool field_failed(struct parsing *in, struct str key)
{
    return api_error_set(in->err, 400, "x_content_parse_exception",
                         "[%s] failed to parse field [%.*s]", in->kind, STR_FMT(key));
}

static bool missing(struct parsing *in, const char *what)
{
    return api_error_set(in->err, 501, "unsupported_operation_exception",
                         "%s of the aggregation [%s] is not supported", what, in->kind);
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

static bool number_option(struct parsing *in, struct str key, const struct value *value,
                          double *out)
{
    bool is_number =
        value_is_str(value) ? str_to_double(value_as_str(value), out) : value_number(value, out);
    return (is_number && isfinite(*out)) || field_failed(in, key);
}

static bool text_option(struct parsing *in, struct str key, const struct value *value,
                        struct str *out)
{
    if (!value_is_str(value))
        return field_failed(in, key);
    *out = value_as_str(value);
    return true;
}

static bool flag_option(struct parsing *in, struct str key, const struct value *value, bool *out)
{
    if (value_type(value) != VALUE_BOOL)
        return field_failed(in, key);
    *out = value_as_bool(value);
    return true;
}

static bool size_option(struct parsing *in, struct str key, const struct value *value)
{
    double number;
    if (!number_option(in, key, value, &number))
        return false;
    if (number < 1) {
        field_failed(in, key);
        return api_error_cause(in->err, "illegal_argument_exception",
                               "[size] must be greater than 0. Found [%.0f] in [%.*s]", number,
                               STR_FMT(in->aggregation->name));
    }
    in->aggregation->size = number > SEARCH_BUCKETS_MAX ? SEARCH_BUCKETS_MAX : (int64_t)number;
    return true;
}

static bool minimum_option(struct parsing *in, struct str key, const struct value *value)
{
    double number;
    if (!number_option(in, key, value, &number))
        return false;
    if (number < 0 || number > 9e15)
        return field_failed(in, key);
    in->aggregation->min_doc_count = (int64_t)number;
    if (number == 0 && in->aggregation->kind == AGGREGATE_TERMS)
        return missing(in, "[min_doc_count] 0");
    return true;
}

static bool list_option(struct parsing *in, struct str key, const struct value *value,
                        const struct value **out)
{
    *out = value;
    return value_type(value) == VALUE_ARRAY ||
           (value_is_str(value) ? missing(in, "a pattern as [include]") : field_failed(in, key));
}

/* "30s", "12h", "1.5h" is none. */
static bool parse_duration(struct str text, int64_t *ms_out)
{
    static const struct {
        struct str suffix;
        int64_t ms;
    } UNITS[] = {{STR_INIT("ms"), 1},
                 {STR_INIT("s"), 1000},
                 {STR_INIT("m"), 60000},
                 {STR_INIT("h"), 3600 * 1000},
                 {STR_INIT("d"), 86400000}};
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        int64_t count;
        struct str number = str_make(text.ptr, text.len - UNITS[i].suffix.len);
        if (text.len <= UNITS[i].suffix.len || !str_ends_with(text, UNITS[i].suffix) ||
            !str_to_int(number, &count))
            continue;
        if (count > INT64_MAX / 4 / UNITS[i].ms || count < INT64_MIN / 4 / UNITS[i].ms)
            return false;
        *ms_out = count * UNITS[i].ms;
        return true;
    }
    return false;
}

static bool parse_calendar(struct str text, enum date_unit *out)
{
    static const struct {
        struct str name, shorthand;
        enum date_unit unit;
    } UNITS[] = {
        {STR_INIT("second"), STR_INIT("1s"), DATE_SECOND},
        {STR_INIT("minute"), STR_INIT("1m"), DATE_MINUTE},
        {STR_INIT("hour"), STR_INIT("1h"), DATE_HOUR},
        {STR_INIT("day"), STR_INIT("1d"), DATE_DAY},
        {STR_INIT("week"), STR_INIT("1w"), DATE_WEEK},
        {STR_INIT("month"), STR_INIT("1M"), DATE_MONTH},
        {STR_INIT("quarter"), STR_INIT("1q"), DATE_QUARTER},
        {STR_INIT("year"), STR_INIT("1y"), DATE_YEAR},
    };
    for (size_t i = 0; i < sizeof UNITS / sizeof *UNITS; i++) {
        *out = UNITS[i].unit;
        if (str_equal(text, UNITS[i].name) || str_equal(text, UNITS[i].shorthand))
            return true;
    }
    return false;
}

static bool date_interval(struct parsing *in, struct str key, const struct value *value)
{
    struct aggregation *aggregation = in->aggregation;
    struct str text;
    bool fixed = !str_equal(key, STR("calendar_interval"));
    bool calendar = !str_equal(key, STR("fixed_interval"));
    aggregation->has_interval = true;
    if (!text_option(in, key, value, &text))
        return false;
    if (calendar && parse_calendar(text, &aggregation->unit))
        return true;
    if (fixed && parse_duration(text, &aggregation->interval_ms) && aggregation->interval_ms > 0)
        return true;
    field_failed(in, key);
    if (calendar)
        return api_error_cause(
            in->err, "illegal_argument_exception",
            "The supplied interval [%.*s] could not be parsed as a calendar interval.",
            STR_FMT(text));
    return api_error_cause(
        in->err, "illegal_argument_exception",
        "failed to parse setting [date_histogram.fixedInterval] with value [%.*s] as a "
        "time value: unit is missing or unrecognized",
        STR_FMT(text));
}

static bool interval_option(struct parsing *in, struct str key, const struct value *value)
{
    struct aggregation *aggregation = in->aggregation;
    if (aggregation->kind == AGGREGATE_DATE_HISTOGRAM)
        return date_interval(in, key, value);
    if (!str_equal(key, STR("interval")))
        return api_error_set(in->err, 400, "x_content_parse_exception", "[%s] unknown field [%.*s]",
                             in->kind, STR_FMT(key));
    if (!number_option(in, key, value, &aggregation->interval))
        return false;
    aggregation->has_interval = true;
    if (aggregation->interval > 0)
        return true;
    field_failed(in, key);
    return api_error_cause(in->err, "illegal_argument_exception",
                           "[interval] must be >0 for histogram aggregation [%.*s]",
                           STR_FMT(aggregation->name));
}

static bool offset_option(struct parsing *in, struct str key, const struct value *value)
{
    struct aggregation *aggregation = in->aggregation;
    if (aggregation->kind != AGGREGATE_DATE_HISTOGRAM)
        return number_option(in, key, value, &aggregation->offset);
    struct str text;
    if (!text_option(in, key, value, &text))
        return false;
    if (str_starts_with(text, STR("+")))
        text = str_from_offset(text, 1);
    return parse_duration(text, &aggregation->offset_ms) || field_failed(in, key);
}

static bool zone_option(struct parsing *in, struct str key, const struct value *value)
{
    struct error unknown;
    if (!text_option(in, key, value, &in->aggregation->time_zone))
        return false;
    in->aggregation->zone = zone_find(in->aggregation->time_zone, &unknown);
    return in->aggregation->zone || field_failed(in, key);
}

enum {
    ALL_METRICS = 1u << AGGREGATE_AVG | 1u << AGGREGATE_SUM | 1u << AGGREGATE_MIN |
                  1u << AGGREGATE_MAX | 1u << AGGREGATE_STATS | 1u << AGGREGATE_VALUE_COUNT |
                  1u << AGGREGATE_CARDINALITY | 1u << AGGREGATE_PERCENTILES,
    HISTOGRAMS = 1u << AGGREGATE_DATE_HISTOGRAM | 1u << AGGREGATE_HISTOGRAM,
    ON_FIELDS = ALL_METRICS | HISTOGRAMS | 1u << AGGREGATE_TERMS | 1u << AGGREGATE_RANGE |
                1u << AGGREGATE_MISSING
};

/* Which option belongs to which kinds, for those that need no more than to be kept. */
static const struct {
    struct str name;
    unsigned kinds;
} OPTIONS[] = {
    {STR_INIT("field"), ON_FIELDS},
    {STR_INIT("missing"), ON_FIELDS},
    {STR_INIT("format"), ON_FIELDS},
    {STR_INIT("script"), ON_FIELDS},
    {STR_INIT("value_type"), ON_FIELDS},
    {STR_INIT("size"), 1u << AGGREGATE_TERMS},
    {STR_INIT("shard_size"), 1u << AGGREGATE_TERMS},
    {STR_INIT("shard_min_doc_count"), 1u << AGGREGATE_TERMS},
    {STR_INIT("collect_mode"), 1u << AGGREGATE_TERMS},
    {STR_INIT("execution_hint"), 1u << AGGREGATE_TERMS | 1u << AGGREGATE_CARDINALITY},
    {STR_INIT("show_term_doc_count_error"), 1u << AGGREGATE_TERMS},
    {STR_INIT("include"), 1u << AGGREGATE_TERMS},
    {STR_INIT("exclude"), 1u << AGGREGATE_TERMS},
    {STR_INIT("min_doc_count"), 1u << AGGREGATE_TERMS | HISTOGRAMS},
    {STR_INIT("order"), 1u << AGGREGATE_TERMS | HISTOGRAMS},
    {STR_INIT("precision_threshold"), 1u << AGGREGATE_CARDINALITY},
    {STR_INIT("percents"), 1u << AGGREGATE_PERCENTILES},
    {STR_INIT("tdigest"), 1u << AGGREGATE_PERCENTILES},
    {STR_INIT("hdr"), 1u << AGGREGATE_PERCENTILES},
    {STR_INIT("keyed"), 1u << AGGREGATE_PERCENTILES | HISTOGRAMS | 1u << AGGREGATE_RANGE},
    {STR_INIT("interval"), HISTOGRAMS},
    {STR_INIT("fixed_interval"), 1u << AGGREGATE_DATE_HISTOGRAM},
    {STR_INIT("calendar_interval"), 1u << AGGREGATE_DATE_HISTOGRAM},
    {STR_INIT("time_zone"), 1u << AGGREGATE_DATE_HISTOGRAM},
    {STR_INIT("offset"), HISTOGRAMS},
    {STR_INIT("extended_bounds"), HISTOGRAMS},
    {STR_INIT("hard_bounds"), HISTOGRAMS},
    {STR_INIT("ranges"), 1u << AGGREGATE_RANGE},
    {STR_INIT("filters"), 1u << AGGREGATE_FILTERS},
    {STR_INIT("other_bucket"), 1u << AGGREGATE_FILTERS},
    {STR_INIT("other_bucket_key"), 1u << AGGREGATE_FILTERS},
};

static bool takes_option(enum aggregation_kind kind, struct str name)
{
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        if (str_equal(OPTIONS[i].name, name))
            return OPTIONS[i].kinds >> kind & 1;
    }
    return false;
}

static bool tree_option(struct parsing *in, struct str key, const struct value *value)
{
    struct aggregation *aggregation = in->aggregation;
    if (str_equal(key, STR("missing")))
        aggregation->missing = value;
    else if (str_equal(key, STR("order")))
        aggregation->order_tree = value;
    else if (str_equal(key, STR("percents")))
        aggregation->percents_tree = value;
    else if (str_equal(key, STR("ranges")))
        aggregation->ranges_tree = value;
    else if (str_equal(key, STR("filters")))
        aggregation->filters_tree = value;
    else if (str_equal(key, STR("extended_bounds")))
        aggregation->bounds_tree = value;
    else if (str_equal(key, STR("hard_bounds")))
        return missing(in, "[hard_bounds]");
    else if (str_equal(key, STR("script")))
        return missing(in, "[script]");
    else if (str_equal(key, STR("hdr")))
        return missing(in, "[hdr]");
    return true; /* tdigest, shard_size, execution_hint, … change nothing here */
}

static bool option(struct parsing *in, struct str key, const struct value *value)
{
    struct aggregation *aggregation = in->aggregation;
    if (!takes_option(aggregation->kind, key))
        return api_error_set(in->err, 400, "x_content_parse_exception", "[%s] unknown field [%.*s]",
                             in->kind, STR_FMT(key));
    if (str_equal(key, STR("field")))
        return text_option(in, key, value, &aggregation->path);
    if (str_equal(key, STR("format")))
        return text_option(in, key, value, &aggregation->format);
    if (str_equal(key, STR("size")))
        return size_option(in, key, value);
    if (str_equal(key, STR("min_doc_count")))
        return minimum_option(in, key, value);
    if (str_equal(key, STR("include")))
        return list_option(in, key, value, &aggregation->include);
    if (str_equal(key, STR("exclude")))
        return list_option(in, key, value, &aggregation->exclude);
    if (str_equal(key, STR("show_term_doc_count_error")))
        return flag_option(in, key, value, &aggregation->shows_errors);
    if (str_equal(key, STR("keyed"))) {
        bool done = flag_option(in, key, value, &aggregation->is_keyed);
        aggregation->is_not_keyed = !aggregation->is_keyed;
        return done;
    }
    if (str_equal(key, STR("other_bucket")))
        return flag_option(in, key, value, &aggregation->has_other);
    if (str_equal(key, STR("other_bucket_key"))) {
        aggregation->has_other = true;
        return text_option(in, key, value, &aggregation->other_key);
    }
    if (str_ends_with(key, STR("interval")))
        return interval_option(in, key, value);
    if (str_equal(key, STR("offset")))
        return offset_option(in, key, value);
    if (str_equal(key, STR("time_zone")))
        return zone_option(in, key, value);
    return tree_option(in, key, value);
}

/* ---- what options mean together ------------------------------------------------------------------------------------ */

static bool finish_percents(struct parsing *in)
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
        return field_failed(in, STR("percents"));
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

static struct fixed *fixed_list(struct parsing *in, size_t count)
{
    if (count > FIXED_BUCKETS_MAX) {
        api_error_set(in->err, 400, "illegal_argument_exception", "[%s] has more than %d buckets",
                      in->kind, FIXED_BUCKETS_MAX);
        return NULL;
    }
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

static bool read_range(struct parsing *in, const struct value *tree, struct fixed *out)
{
    if (value_type(tree) != VALUE_OBJECT)
        return field_failed(in, STR("ranges"));
    for (size_t i = 0; i < value_object_count(tree); i++) {
        struct str key;
        const struct value *value = value_object_at(tree, i, &key);
        if (value_type(value) == VALUE_NULL)
            continue;
        if (value_is_str(value) && !str_equal(key, STR("key")))
            return missing(in, "a range between texts or dates");
        if (str_equal(key, STR("key")) && value_is_str(value))
            out->key = value_as_str(value);
        else if (str_equal(key, STR("from")))
            out->has_from = value_number(value, &out->from);
        else if (str_equal(key, STR("to")))
            out->has_to = value_number(value, &out->to);
        else
            return field_failed(in, STR("ranges"));
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

static bool finish_ranges(struct parsing *in)
{
    const struct value *tree = in->aggregation->ranges_tree;
    if (!tree || value_type(tree) != VALUE_ARRAY || value_array_count(tree) == 0) {
        api_error_set(in->err, 400, "illegal_argument_exception",
                      "No [ranges] specified for the [%.*s] aggregation",
                      STR_FMT(in->aggregation->name));
        in->err->of_search = true;
        return false;
    }
    struct fixed *list = fixed_list(in, value_array_count(tree));
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

static bool finish_filters(struct parsing *in)
{
    struct aggregation *aggregation = in->aggregation;
    const struct value *tree = aggregation->filters_tree;
    bool is_list = tree && value_type(tree) == VALUE_ARRAY;
    if (!tree || (!is_list && value_type(tree) != VALUE_OBJECT))
        return api_error_set(in->err, 400, "parsing_exception",
                             "[filters] are an object or a list");
    size_t count = is_list ? value_array_count(tree) : value_object_count(tree);
    struct fixed *list = fixed_list(in, count + aggregation->has_other);
    for (size_t i = 0; list && i < count; i++)
        list[i].tree = is_list ? value_array_at(tree, i) : value_object_at(tree, i, &list[i].key);
    if (list && aggregation->has_other)
        list[count].key = aggregation->other_key.ptr ? aggregation->other_key : STR("_other_");
    aggregation->is_keyed = !is_list;
    return list;
}

static bool read_bound(struct parsing *in, struct str key, double *out)
{
    const struct value *value = value_object_get(in->aggregation->bounds_tree, key);
    if (!value)
        return missing(in, "a single bound in [extended_bounds]");
    if (in->aggregation->kind != AGGREGATE_DATE_HISTOGRAM || !value_is_str(value))
        return number_option(in, key, value, out);
    const struct date_layout *layout = date_layout_default();
    if (in->aggregation->format.ptr)
        layout = date_layout_compile(&in->all->arena, in->aggregation->format, NULL);
    struct date_math math = {layout, in->aggregation->zone, in->all->now_ms, false};
    int64_t ms = 0;
    if (!layout || !date_math_parse(&math, value_as_str(value), &ms))
        return field_failed(in, STR("extended_bounds"));
    *out = (double)ms;
    return true;
}

static bool finish_histogram(struct parsing *in)
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
        return field_failed(in, STR("extended_bounds"));
    aggregation->has_bounds = true;
    return read_bound(in, STR("min"), &aggregation->bound_min) &&
           read_bound(in, STR("max"), &aggregation->bound_max);
}

static bool finish(struct parsing *in)
{
    struct aggregation *aggregation = in->aggregation;
    bool has_field = aggregation->path.ptr;
    if ((1u << aggregation->kind & ON_FIELDS) && !has_field)
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
        return fixed_list(in, 1);
    default:
        return true;
    }
}

/* ---- order, when the aggregations below are known -------------------------------------------------------------------- */

static const struct {
    struct str name;
    enum aggregation_kind kind;
} METRICS[] = {
    {STR_INIT("avg"), AGGREGATE_AVG},           {STR_INIT("sum"), AGGREGATE_SUM},
    {STR_INIT("min"), AGGREGATE_MIN},           {STR_INIT("max"), AGGREGATE_MAX},
    {STR_INIT("count"), AGGREGATE_VALUE_COUNT}, {STR_INIT("value"), AGGREGATE_TERMS},
};

static bool invalid_path(struct parsing *in, struct str path)
{
    api_error_set(in->err, 500, "aggregation_execution_exception",
                  "Invalid aggregator order path [%.*s]. The provided aggregation [%.*s] either "
                  "does not exist, "
                  "or is a pipeline aggregation and cannot be used to sort the buckets.",
                  STR_FMT(path), STR_FMT(path));
    in->err->of_search = true;
    return false;
}

static bool metric_order(struct parsing *in, struct str path, struct order *order)
{
    struct aggregation *aggregation = in->aggregation;
    if (path.len && memchr(path.ptr, '>', path.len))
        return missing(in, "an [order] by an aggregation of an aggregation");
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

static bool add_order(struct parsing *in, const struct value *tree)
{
    struct aggregation *aggregation = in->aggregation;
    struct str path;
    if (value_type(tree) != VALUE_OBJECT || value_object_count(tree) != 1 ||
        aggregation->order_count == ORDERS_MAX)
        return field_failed(in, STR("order"));
    const struct value *way = value_object_at(tree, 0, &path);
    struct order order = {.by = ORDER_COUNT};
    order.is_descending = value_is_str(way) && str_equal_nocase(value_as_str(way), STR("desc"));
    if (!order.is_descending &&
        !(value_is_str(way) && str_equal_nocase(value_as_str(way), STR("asc"))))
        return field_failed(in, STR("order"));
    if (str_equal(path, STR("_key")) || str_equal(path, STR("_term")) ||
        str_equal(path, STR("_time")))
        order.by = ORDER_KEY;
    else if (!str_equal(path, STR("_count")) && !metric_order(in, path, &order))
        return false;
    aggregation->orders[aggregation->order_count++] = order;
    return true;
}

static bool finish_order(struct parsing *in)
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

static bool find_kind(struct parsing *in, struct str name)
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

static bool parse_kind(struct parsing *in, struct str name, const struct value *body)
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
        struct fixed *list = fixed_list(in, 1);
        list[0].tree = body;
        return true;
    }
    for (size_t i = 0; i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        if (!option(in, key, value))
            return false;
    }
    return finish(in);
}

static bool parse_one(struct parsing *in, const struct value *tree, unsigned depth)
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
        struct parsing in = {all, &parent->subs[i], "", err};
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
