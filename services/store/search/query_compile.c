/* SPDX-License-Identifier: Apache-2.0
 *
 * From the JSON of a request to the tree of a query: the names, bool, and what has no field.
 */
#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "services/store/glob.h"
#include "services/store/search/query_private.h"

/* ---- errors -------------------------------------------------------------------------------------------- */

struct query *query_refuse(struct query_compiler *in, const char *type, const char *format, ...)
{
    char text[API_REASON_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    api_error_set(in->err, 400, type, "%s", text);
    return NULL;
}

struct query *query_refuse_here(struct query_compiler *in, const char *type, const char *format,
                                ...)
{
    char text[API_REASON_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    api_error_set(in->err, 400, type, "%s", text);
    in->err->of_search = true;
    snprintf(in->err->index, sizeof in->err->index, "%.*s", STR_FMT(in->context.index));
    return NULL;
}

struct query *query_unsupported(struct query_compiler *in, const char *format, ...)
{
    char text[API_REASON_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    api_error_set(in->err, 501, "unsupported_operation_exception", "%s", text);
    return NULL;
}

/* ---- small values ---------------------------------------------------------------------------------------- */

bool query_boost(struct query_compiler *in, const char *name, const struct value *value,
                 double *out)
{
    if (value_is_str(value) ? str_to_double(value_as_str(value), out) : value_number(value, out)) {
        if (*out >= 0 && isfinite(*out))
            return true;
    }
    query_refuse(in, "illegal_argument_exception", "[%s] negative or unreadable [boost]", name);
    return false;
}

bool query_flag(struct query_compiler *in, const char *name, struct str key,
                const struct value *value, bool *out)
{
    if (value_type(value) == VALUE_BOOL) {
        *out = value_as_bool(value);
        return true;
    }
    query_refuse(in, "parsing_exception", "[%s] %.*s is true or false", name, STR_FMT(key));
    return false;
}

struct str query_text_of(struct query_compiler *in, const struct value *value)
{
    return value_to_text(in->context.arena, value);
}

bool query_minimum(struct query_compiler *in, const struct value *value, size_t count, size_t *out)
{
    struct str text = query_text_of(in, value);
    int64_t number;
    bool is_percentage = str_ends_with(text, STR("%"));
    if (!str_to_int(str_make(text.ptr, text.len - is_percentage), &number)) {
        query_unsupported(in, "[minimum_should_match] is a number or a percentage, not [%.*s]",
                          STR_FMT(text));
        return false;
    }
    if (number > 100000 || number < -100000)
        number = number > 0 ? 100000 : -100000;
    if (is_percentage) {
        int64_t part = (int64_t)count * (number < 0 ? -number : number) / 100;
        number = number < 0 ? (int64_t)count - part : part;
    } else if (number < 0) {
        number = (int64_t)count + number;
    }
    *out = number < 0 ? 0 : (size_t)number;
    return true;
}

/* ---- without a field ---------------------------------------------------------------------------------------- */

/* {"boost": 2}, for a query that has nothing else. */
static struct query *parse_bare(struct query_compiler *in, const char *name, enum query_kind kind,
                                const struct value *body)
{
    struct query *query = query_new(in, kind);
    for (size_t i = 0; query && i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        if (!str_equal(key, STR("boost")) && !str_equal(key, STR("_name")))
            return query_refuse(in, "parsing_exception", "[%s] unknown field [%.*s]", name,
                                STR_FMT(key));
        if (str_equal(key, STR("boost")) && !query_boost(in, name, value, &query->boost))
            return NULL;
    }
    return query;
}

static struct query *parse_match_all(struct query_compiler *in, const struct value *body)
{
    return parse_bare(in, "match_all", QUERY_ALL, body);
}

static struct query *parse_match_none(struct query_compiler *in, const struct value *body)
{
    return parse_bare(in, "match_none", QUERY_NONE, body);
}

static bool add_id(struct query_compiler *in, struct query *query, const struct value *value)
{
    if (value_type(value) == VALUE_OBJECT || value_type(value) == VALUE_NULL ||
        value_type(value) == VALUE_ARRAY) {
        query_refuse(in, "parsing_exception", "[ids] a value is text");
        return false;
    }
    query->texts[query->count++] = query_text_of(in, value);
    return true;
}

static bool ids_values(struct query_compiler *in, struct query *query, const struct value *value)
{
    bool is_list = value_type(value) == VALUE_ARRAY;
    size_t count = is_list ? value_array_count(value) : 1;
    if (count > QUERY_TERMS_MAX) {
        query_refuse(in, "illegal_argument_exception", "[ids] has more than %d values",
                     QUERY_TERMS_MAX);
        return false;
    }
    query->texts = arena_alloc(in->context.arena, (count + 1) * sizeof *query->texts);
    query->count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!add_id(in, query, is_list ? value_array_at(value, i) : value))
            return false;
    }
    return true;
}

static struct query *parse_ids(struct query_compiler *in, const struct value *body)
{
    struct query *query = query_new(in, QUERY_IDS);
    for (size_t i = 0; query && i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        bool done;
        if (str_equal(key, STR("values")))
            done = ids_values(in, query, value);
        else if (str_equal(key, STR("boost")))
            done = query_boost(in, "ids", value, &query->boost);
        else
            return query_refuse(in, "parsing_exception", "[ids] unknown field [%.*s]",
                                STR_FMT(key));
        if (!done)
            return NULL;
    }
    return query;
}

static struct query *parse_constant_score(struct query_compiler *in, const struct value *body)
{
    struct query *query = query_new(in, QUERY_CONSTANT);
    for (size_t i = 0; query && i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        bool done = true;
        if (str_equal(key, STR("filter")))
            done = (query->inner = query_compile_tree(in, value)) != NULL;
        else if (str_equal(key, STR("boost")))
            done = query_boost(in, "constant_score", value, &query->boost);
        else if (!str_equal(key, STR("_name")))
            return query_refuse(in, "parsing_exception", "unexpected token [FIELD_NAME] in [%.*s]",
                                STR_FMT(key));
        if (!done)
            return NULL;
    }
    if (query && !query->inner)
        return query_refuse(in, "parsing_exception",
                            "[constant_score] requires a 'filter' element");
    return query;
}

/* ---- bool ---------------------------------------------------------------------------------------------------- */

/* One query or a list of them. */
static bool parse_clauses(struct query_compiler *in, struct str name, const struct value *value,
                          struct query_list *list)
{
    bool is_list = value_type(value) == VALUE_ARRAY;
    size_t count = is_list ? value_array_count(value) : 1;
    if (!is_list && value_type(value) != VALUE_OBJECT) {
        query_refuse(in, "x_content_parse_exception",
                     "[bool] %.*s doesn't support values of this type", STR_FMT(name));
        return false;
    }
    if (count + list->count > QUERY_CLAUSES_MAX) {
        query_refuse(in, "too_many_clauses", "maxClauseCount is set to %d", QUERY_CLAUSES_MAX);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct query *clause =
            query_compile_tree(in, is_list ? value_array_at(value, i) : value);
        if (!clause && in->err->status == 400 && !in->err->of_search) {
            char cause[API_REASON_MAX];
            const char *type = in->err->type;
            memcpy(cause, in->err->reason, sizeof cause);
            if (strcmp(type, "x_content_parse_exception") == 0)
                return false;
            query_refuse(in, "x_content_parse_exception", "[bool] failed to parse field [%.*s]",
                         STR_FMT(name));
            api_error_cause(in->err, type, "%s", cause);
        }
        if (!clause)
            return false;
        query_list_add(in, list, clause);
    }
    return true;
}

static bool parse_bool_part(struct query_compiler *in, struct query *query, struct str key,
                            const struct value *value)
{
    if (str_equal(key, STR("must")))
        return parse_clauses(in, key, value, &query->must);
    if (str_equal(key, STR("should")))
        return parse_clauses(in, key, value, &query->should);
    if (str_equal(key, STR("must_not")) || str_equal(key, STR("mustNot")))
        return parse_clauses(in, STR("must_not"), value, &query->must_not);
    if (str_equal(key, STR("filter")))
        return parse_clauses(in, key, value, &query->filter);
    if (str_equal(key, STR("boost")))
        return query_boost(in, "bool", value, &query->boost);
    if (str_equal(key, STR("minimum_should_match")) || str_equal(key, STR("_name")) ||
        str_equal(key, STR("adjust_pure_negative")))
        return true;
    query_refuse(in, "x_content_parse_exception", "[bool] unknown field [%.*s]", STR_FMT(key));
    return false;
}

static struct query *parse_bool(struct query_compiler *in, const struct value *body)
{
    struct query *query = query_new(in, QUERY_BOOL);
    for (size_t i = 0; query && i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        if (!parse_bool_part(in, query, key, value))
            return NULL;
    }
    if (!query)
        return NULL;
    bool should_decides = query->must.count + query->filter.count == 0;
    query->minimum_should_match = query->should.count > 0 && should_decides;
    const struct value *minimum = value_object_get(body, STR("minimum_should_match"));
    size_t said = 0;
    if (minimum && !query_minimum(in, minimum, query->should.count, &said))
        return NULL;
    if (minimum && said > query->minimum_should_match)
        query->minimum_should_match = said;
    else if (minimum && !should_decides)
        query->minimum_should_match = said;
    if (query->must.count + query->filter.count + query->must_not.count + query->should.count == 0)
        query->kind = QUERY_ALL;
    return query;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

static const struct {
    struct str name;
    query_parser *parse;
} QUERIES[] = {
    {STR_INIT("match_all"), parse_match_all},
    {STR_INIT("match_none"), parse_match_none},
    {STR_INIT("bool"), parse_bool},
    {STR_INIT("term"), query_parse_term},
    {STR_INIT("terms"), query_parse_terms},
    {STR_INIT("range"), query_parse_range},
    {STR_INIT("exists"), query_parse_exists},
    {STR_INIT("prefix"), query_parse_prefix},
    {STR_INIT("wildcard"), query_parse_wildcard},
    {STR_INIT("ids"), parse_ids},
    {STR_INIT("match"), query_parse_match},
    {STR_INIT("match_phrase"), query_parse_match_phrase},
    {STR_INIT("match_phrase_prefix"), query_parse_match_phrase_prefix},
    {STR_INIT("multi_match"), query_parse_multi_match},
    {STR_INIT("query_string"), query_parse_query_string},
    {STR_INIT("constant_score"), parse_constant_score},
};

/* Those of OpenSearch that are not there: said as such, other names are mistakes. */
static const char *const MISSING[] = {"regexp",
                                      "fuzzy",
                                      "simple_query_string",
                                      "match_bool_prefix",
                                      "nested",
                                      "has_child",
                                      "has_parent",
                                      "parent_id",
                                      "script",
                                      "script_score",
                                      "function_score",
                                      "boosting",
                                      "dis_max",
                                      "more_like_this",
                                      "geo_distance",
                                      "geo_bounding_box",
                                      "geo_polygon",
                                      "geo_shape",
                                      "intervals",
                                      "distance_feature",
                                      "percolate",
                                      "rank_feature",
                                      "terms_set",
                                      "wrapper",
                                      "span_term",
                                      "span_near",
                                      "span_or",
                                      "span_first",
                                      "span_not",
                                      "span_multi",
                                      "hybrid",
                                      "neural",
                                      "knn",
                                      "combined_fields",
                                      "pinned",
                                      "type"};

static struct query *unknown_query(struct query_compiler *in, struct str name)
{
    for (size_t i = 0; i < sizeof MISSING / sizeof *MISSING; i++) {
        if (str_equal(name, str_from(MISSING[i])))
            return query_unsupported(in, "the query [%.*s] is not supported", STR_FMT(name));
    }
    return query_refuse(in, "parsing_exception", "unknown query [%.*s]", STR_FMT(name));
}

static struct query *compile_named(struct query_compiler *in, const struct value *tree)
{
    struct str name;
    const struct value *body = value_object_at(tree, 0, &name);
    query_parser *parse = NULL;
    for (size_t i = 0; i < sizeof QUERIES / sizeof *QUERIES && !parse; i++) {
        if (str_equal(QUERIES[i].name, name))
            parse = QUERIES[i].parse;
    }
    if (!parse)
        return unknown_query(in, name);
    if (value_type(body) != VALUE_OBJECT)
        return query_refuse(in, "parsing_exception",
                            "[%.*s] query malformed, no start_object after query name",
                            STR_FMT(name));
    if (value_object_count(tree) > 1)
        return query_refuse(in, "parsing_exception",
                            "[%.*s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]",
                            STR_FMT(name));
    return parse(in, body);
}

struct query *query_compile_tree(struct query_compiler *in, const struct value *tree)
{
    if (value_type(tree) != VALUE_OBJECT)
        return query_refuse(in, "parsing_exception",
                            "[_na] query malformed, must start with start_object");
    if (value_object_count(tree) == 0)
        return query_refuse(in, "illegal_argument_exception",
                            "query malformed, empty clause found");
    if (in->depth == QUERY_DEPTH_MAX)
        return query_refuse(
            in, "x_content_parse_exception",
            "The nested depth of the query exceeds the maximum nested depth for bool "
            "queries set in [%d]",
            QUERY_DEPTH_MAX);
    in->depth++;
    struct query *query = compile_named(in, tree);
    in->depth--;
    return query;
}

const struct query *query_compile(const struct query_context *context, const struct value *tree,
                                  struct api_error *err)
{
    struct query_compiler in = {.context = *context, .err = err};
    return query_compile_tree(&in, tree);
}

const struct query *query_compile_string(const struct query_context *context,
                                         const struct query_string_options *options,
                                         struct api_error *err)
{
    struct query_compiler in = {.context = *context, .err = err, .is_lenient = options->is_lenient};
    struct query_fields fields = {.name = options->default_field};
    return query_parse_string(&in, options->text, &fields, options->all_required);
}
