/* SPDX-License-Identifier: Apache-2.0
 *
 * Ranges: bounds as the type of the field has them. Bounds of whole numbers and dates are made inclusive, so that a
 * range of dates can be told to storage.
 */
#include <assert.h>
#include <math.h>

#include "services/store/search/query_private.h"

static const double INTEGER_MAX = 9.2e18;

/* ---- one bound -------------------------------------------------------------------------------------------- */

static bool no_number(struct query_compiler *in, struct str text)
{
    query_refuse_here(in, "query_shard_exception",
                      "failed to create query: For input string: \"%.*s\"", STR_FMT(text));
    return false;
}

static bool number_bound(struct query_compiler *in, const struct value *value, double *out)
{
    if (value_number(value, out))
        return true;
    struct str text = query_text_of(in, value);
    return str_to_double(text, out) || no_number(in, text);
}

/* Whole numbers at or above (below) the bound; false with *empty when there are none. */
static bool integer_bound(struct query_compiler *in, const struct value *value, bool is_low,
                          bool inclusive, struct term *out)
{
    int64_t number;
    double real;
    struct str text = value_is_str(value) ? value_as_str(value) : STR("");
    out->kind = TERM_INTEGER;
    if (value_type(value) == VALUE_INT)
        number = value_as_int(value);
    else if (!str_to_int(text, &number)) {
        if (!number_bound(in, value, &real))
            return false;
        if (fabs(real) >= INTEGER_MAX) {
            out->as.integer = real > 0 ? INT64_MAX : INT64_MIN;
            return true;
        }
        number = (int64_t)(is_low ? ceil(real) : floor(real));
        inclusive = inclusive || real != (double)number;
    }
    if (!inclusive && number != INT64_MAX && number != INT64_MIN)
        number += is_low ? 1 : -1;
    out->as.integer = number;
    return true;
}

struct date_bounds {
    const struct date_layout *layout;
    const struct zone *zone;
};

static bool date_bound(struct query_compiler *in, const struct date_bounds *dates,
                       const struct value *value, bool rounds_up, struct term *out)
{
    struct date_math math = {dates->layout, dates->zone, in->context.now_ms, rounds_up};
    struct str text = query_text_of(in, value), layout = date_layout_text(dates->layout);
    out->kind = TERM_INTEGER;
    if (date_math_parse(&math, text, &out->as.integer))
        return true;
    query_refuse_here(
        in, "parse_exception",
        "failed to parse date field [%.*s] with format [%.*s]: [failed to parse date field "
        "[%.*s] with format [%.*s]]",
        STR_FMT(text), STR_FMT(layout), STR_FMT(text), STR_FMT(layout));
    return false;
}

static bool boolean_bound(struct query_compiler *in, const struct value *value, struct term *out)
{
    struct str text = query_text_of(in, value);
    bool is_true = str_equal(text, STR("true"));
    *out = (struct term){.kind = TERM_INTEGER, .as.integer = is_true};
    if (is_true || str_equal(text, STR("false")))
        return true;
    query_refuse_here(
        in, "query_shard_exception",
        "failed to create query: Can't parse boolean value [%.*s], expected [true] or [false]",
        STR_FMT(text));
    return false;
}

static bool ip_bound(struct query_compiler *in, const struct value *value, struct term *out)
{
    struct str text = query_text_of(in, value);
    struct value as_text = value_str(text);
    out->kind = TERM_IP;
    if (field_value_ip(&as_text, &out->as.ip))
        return true;
    query_refuse_here(in, "query_shard_exception",
                      "failed to create query: '%.*s' is not an IP string literal.", STR_FMT(text));
    return false;
}

/* ---- both ---------------------------------------------------------------------------------------------------- */

static bool fill_dates(struct query_compiler *in, struct query *query,
                       const struct query_bounds *bounds)
{
    struct error syntax;
    struct date_bounds dates = {query->reader->field->format, NULL};
    if (bounds->format.ptr)
        dates.layout = date_layout_compile(in->context.arena, bounds->format, &syntax);
    if (!dates.layout) {
        query_refuse(in, "illegal_argument_exception", "Invalid format: [%.*s]: %s",
                     STR_FMT(bounds->format), syntax.text);
        return false;
    }
    if (bounds->time_zone.ptr)
        dates.zone = zone_find(bounds->time_zone, NULL);
    if (bounds->low &&
        !date_bound(in, &dates, bounds->low, !bounds->includes_low, &query->terms[0]))
        return false;
    if (bounds->high &&
        !date_bound(in, &dates, bounds->high, bounds->includes_high, &query->terms[1]))
        return false;
    query->terms[0].as.integer += bounds->low && !bounds->includes_low;
    query->terms[1].as.integer -= bounds->high && !bounds->includes_high;
    query->includes_low = query->includes_high = true;
    return true;
}

static bool fill_integers(struct query_compiler *in, struct query *query,
                          const struct query_bounds *bounds)
{
    if (bounds->low &&
        !integer_bound(in, bounds->low, true, bounds->includes_low, &query->terms[0]))
        return false;
    if (bounds->high &&
        !integer_bound(in, bounds->high, false, bounds->includes_high, &query->terms[1]))
        return false;
    query->includes_low = query->includes_high = true;
    return true;
}

static bool other_bound(struct query_compiler *in, const struct field *field,
                        const struct value *value, struct term *out)
{
    if (field->type == FIELD_BOOLEAN)
        return boolean_bound(in, value, out);
    if (field->type == FIELD_IP)
        return ip_bound(in, value, out);
    if (!field_is_real(field)) {
        *out = (struct term){.kind = TERM_TEXT, .as.text = query_text_of(in, value)};
        return true;
    }
    out->kind = TERM_REAL;
    if (!number_bound(in, value, &out->as.real))
        return false;
    out->as.real = field_round_real(field->type, out->as.real);
    return true;
}

static bool fill(struct query_compiler *in, struct query *query, const struct query_bounds *bounds)
{
    const struct field *field = query->reader->field;
    if (field->type == FIELD_DATE)
        return fill_dates(in, query, bounds);
    if (field_is_integer(field))
        return fill_integers(in, query, bounds);
    return (!bounds->low || other_bound(in, field, bounds->low, &query->terms[0])) &&
           (!bounds->high || other_bound(in, field, bounds->high, &query->terms[1]));
}

struct query *query_range(struct query_compiler *in, struct str path,
                          const struct query_bounds *bounds)
{
    struct error unknown;
    if (bounds->time_zone.ptr && !zone_find(bounds->time_zone, &unknown))
        return query_refuse(in, "illegal_argument_exception",
                            "java.time.zone.ZoneRulesException: Unknown time-zone ID: %.*s",
                            STR_FMT(bounds->time_zone));
    const struct field *field = query_find_field(in, path);
    if (!field)
        return in->err->status ? NULL : query_new(in, QUERY_NONE);
    struct query *query = query_on_field(in, QUERY_RANGE, field);
    if (!query)
        return NULL;
    query->terms = arena_zero(in->context.arena, 2 * sizeof *query->terms);
    query->has_low = bounds->low;
    query->has_high = bounds->high;
    query->includes_low = bounds->includes_low;
    query->includes_high = bounds->includes_high;
    return fill(in, query, bounds) ? query : NULL;
}

/* ---- its JSON ---------------------------------------------------------------------------------------------------- */

static const struct value *bound_value(const struct value *value)
{
    return value_type(value) == VALUE_NULL ? NULL : value;
}

static bool parse_part(struct query_compiler *in, struct query_bounds *bounds, struct str key,
                       const struct value *value)
{
    if (value_type(value) == VALUE_OBJECT || value_type(value) == VALUE_ARRAY) {
        query_refuse(in, "parsing_exception", "[range] query does not support [%.*s]",
                     STR_FMT(key));
        return false;
    }
    bool is_low =
        str_equal(key, STR("gte")) || str_equal(key, STR("gt")) || str_equal(key, STR("ge"));
    bool is_high =
        str_equal(key, STR("lte")) || str_equal(key, STR("lt")) || str_equal(key, STR("le"));
    if (is_low || str_equal(key, STR("from"))) {
        bounds->low = bound_value(value);
        bounds->includes_low = is_low ? key.ptr[key.len - 1] == 'e' : bounds->includes_low;
    } else if (is_high || str_equal(key, STR("to"))) {
        bounds->high = bound_value(value);
        bounds->includes_high = is_high ? key.ptr[key.len - 1] == 'e' : bounds->includes_high;
    } else if (str_equal(key, STR("include_lower"))) {
        return query_flag(in, "range", key, value, &bounds->includes_low);
    } else if (str_equal(key, STR("include_upper"))) {
        return query_flag(in, "range", key, value, &bounds->includes_high);
    } else if (str_equal(key, STR("format"))) {
        bounds->format = query_text_of(in, value);
    } else if (str_equal(key, STR("time_zone"))) {
        bounds->time_zone = query_text_of(in, value);
    } else if (!str_equal(key, STR("boost")) && !str_equal(key, STR("relation")) &&
               !str_equal(key, STR("_name"))) {
        query_refuse(in, "parsing_exception", "[range] query does not support [%.*s]",
                     STR_FMT(key));
        return false;
    }
    return true;
}

struct query *query_parse_range(struct query_compiler *in, const struct value *body)
{
    struct str path = {0}, key;
    const struct value *parts = NULL;
    for (size_t i = 0; i < value_object_count(body); i++) {
        const struct value *value = value_object_at(body, i, &key);
        if (str_equal(key, STR("boost")) || str_equal(key, STR("_name")))
            continue;
        if (value_type(value) != VALUE_OBJECT)
            return query_refuse(in, "parsing_exception", "[range] query does not support [%.*s]",
                                STR_FMT(key));
        if (parts)
            return query_refuse(
                in, "parsing_exception",
                "[range] query doesn't support multiple fields, found [%.*s] and [%.*s]",
                STR_FMT(path), STR_FMT(key));
        parts = value;
        path = key;
    }
    if (!parts)
        return query_refuse(in, "illegal_argument_exception", "field name is null or empty");
    struct query_bounds bounds = {.includes_low = true, .includes_high = true};
    double boost = 1;
    for (size_t i = 0; i < value_object_count(parts); i++) {
        const struct value *value = value_object_at(parts, i, &key);
        if (!parse_part(in, &bounds, key, value) ||
            (str_equal(key, STR("boost")) && !query_boost(in, "range", value, &boost)))
            return NULL;
    }
    struct query *query = query_range(in, path, &bounds);
    if (query)
        query->boost = boost;
    return query;
}
