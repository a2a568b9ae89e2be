/* SPDX-License-Identifier: Apache-2.0
 *
 * Options of an aggregation, one by one. What they mean together is checked when all of them are read.
 */
#include <math.h>

#include "services/store/search/aggregation_parse.h"

/* ---- errors ---------------------------------------------------------------------------------------------------- */

bool aggregation_field_failed(struct aggregation_parsing *in, struct str key)
{
    return api_error_set(in->err, 400, "x_content_parse_exception",
                         "[%s] failed to parse field [%.*s]", in->kind, STR_FMT(key));
}

bool aggregation_missing(struct aggregation_parsing *in, const char *what)
{
    return api_error_set(in->err, 501, "unsupported_operation_exception",
                         "%s of the aggregation [%s] is not supported", what, in->kind);
}

/* ---- options ---------------------------------------------------------------------------------------------------- */

bool aggregation_number(struct aggregation_parsing *in, struct str key, const struct value *value,
                        double *out)
{
    bool is_number =
        value_is_str(value) ? str_to_double(value_as_str(value), out) : value_number(value, out);
    return (is_number && isfinite(*out)) || aggregation_field_failed(in, key);
}

static bool text_option(struct aggregation_parsing *in, struct str key, const struct value *value,
                        struct str *out)
{
    if (!value_is_str(value))
        return aggregation_field_failed(in, key);
    *out = value_as_str(value);
    return true;
}

static bool flag_option(struct aggregation_parsing *in, struct str key, const struct value *value,
                        bool *out)
{
    if (value_type(value) != VALUE_BOOL)
        return aggregation_field_failed(in, key);
    *out = value_as_bool(value);
    return true;
}

static bool size_option(struct aggregation_parsing *in, struct str key, const struct value *value)
{
    double number;
    if (!aggregation_number(in, key, value, &number))
        return false;
    if (number < 1) {
        aggregation_field_failed(in, key);
        return api_error_cause(in->err, "illegal_argument_exception",
                               "[size] must be greater than 0. Found [%.0f] in [%.*s]", number,
                               STR_FMT(in->aggregation->name));
    }
    in->aggregation->size = number > SEARCH_BUCKETS_MAX ? SEARCH_BUCKETS_MAX : (int64_t)number;
    return true;
}

static bool minimum_option(struct aggregation_parsing *in, struct str key,
                           const struct value *value)
{
    double number;
    if (!aggregation_number(in, key, value, &number))
        return false;
    if (number < 0 || number > 9e15)
        return aggregation_field_failed(in, key);
    in->aggregation->min_doc_count = (int64_t)number;
    if (number == 0 && in->aggregation->kind == AGGREGATE_TERMS)
        return aggregation_missing(in, "[min_doc_count] 0");
    return true;
}

static bool list_option(struct aggregation_parsing *in, struct str key, const struct value *value,
                        const struct value **out)
{
    *out = value;
    return value_type(value) == VALUE_ARRAY ||
           (value_is_str(value) ? aggregation_missing(in, "a pattern as [include]")
                                : aggregation_field_failed(in, key));
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

static bool date_interval(struct aggregation_parsing *in, struct str key, const struct value *value)
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
    aggregation_field_failed(in, key);
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

static bool interval_option(struct aggregation_parsing *in, struct str key,
                            const struct value *value)
{
    struct aggregation *aggregation = in->aggregation;
    if (aggregation->kind == AGGREGATE_DATE_HISTOGRAM)
        return date_interval(in, key, value);
    if (!str_equal(key, STR("interval")))
        return api_error_set(in->err, 400, "x_content_parse_exception", "[%s] unknown field [%.*s]",
                             in->kind, STR_FMT(key));
    if (!aggregation_number(in, key, value, &aggregation->interval))
        return false;
    aggregation->has_interval = true;
    if (aggregation->interval > 0)
        return true;
    aggregation_field_failed(in, key);
    return api_error_cause(in->err, "illegal_argument_exception",
                           "[interval] must be >0 for histogram aggregation [%.*s]",
                           STR_FMT(aggregation->name));
}

static bool offset_option(struct aggregation_parsing *in, struct str key, const struct value *value)
{
    struct aggregation *aggregation = in->aggregation;
    if (aggregation->kind != AGGREGATE_DATE_HISTOGRAM)
        return aggregation_number(in, key, value, &aggregation->offset);
    struct str text;
    if (!text_option(in, key, value, &text))
        return false;
    if (str_starts_with(text, STR("+")))
        text = str_from_offset(text, 1);
    return parse_duration(text, &aggregation->offset_ms) || aggregation_field_failed(in, key);
}

static bool zone_option(struct aggregation_parsing *in, struct str key, const struct value *value)
{
    struct error unknown;
    if (!text_option(in, key, value, &in->aggregation->time_zone))
        return false;
    in->aggregation->zone = zone_find(in->aggregation->time_zone, &unknown);
    return in->aggregation->zone || aggregation_field_failed(in, key);
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

bool aggregation_takes_option(enum aggregation_kind kind, struct str name)
{
    for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
        if (str_equal(OPTIONS[i].name, name))
            return OPTIONS[i].kinds >> kind & 1;
    }
    return false;
}

static bool tree_option(struct aggregation_parsing *in, struct str key, const struct value *value)
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
        return aggregation_missing(in, "[hard_bounds]");
    else if (str_equal(key, STR("script")))
        return aggregation_missing(in, "[script]");
    else if (str_equal(key, STR("hdr")))
        return aggregation_missing(in, "[hdr]");
    return true; /* tdigest, shard_size, execution_hint, … change nothing here */
}

bool aggregation_option(struct aggregation_parsing *in, struct str key, const struct value *value)
{
    struct aggregation *aggregation = in->aggregation;
    if (!aggregation_takes_option(aggregation->kind, key))
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
