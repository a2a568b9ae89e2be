/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries that look for values of one field: term, terms, exists, prefix, wildcard.
 */
#include <assert.h>
#include <math.h>

#include "services/store/glob.h"
#include "services/store/search/query_private.h"

/* ---- the field ----------------------------------------------------------------------------------------------- */

const struct field *query_find_field(struct query_compiler *in, struct str path)
{
    const struct field *field = path.len ? mapping_find(in->context.mapping, path) : NULL;
    in->err->status = 0;
    if (field && field->type == FIELD_OPAQUE) {
        query_unsupported(in, "the field [%.*s] of type [%s] cannot be searched", STR_FMT(path),
                          field->type_name);
        return NULL;
    }
    if (field && field->is_search_disabled && field->has_no_doc_values) {
        query_refuse_here(
            in, "query_shard_exception",
            "failed to create query: Cannot search on field [%.*s] since it is not indexed.",
            STR_FMT(path));
        return NULL;
    }
    return field && field->type != FIELD_OBJECT ? field : NULL;
}

/* A query on a field that is not there finds nothing, unless looking for it was an error. */
static struct query *none(struct query_compiler *in)
{
    return in->err->status ? NULL : query_new(in, QUERY_NONE);
}

/* ---- term ------------------------------------------------------------------------------------------------------ */

enum term_result { TERM_FOUND, TERM_MATCHES_NOTHING, TERM_REFUSED };

static enum term_result refuse_term(struct query_compiler *in, const char *before, struct str text,
                                    const char *after)
{
    if (in->is_lenient)
        return TERM_MATCHES_NOTHING;
    query_refuse_here(in, "query_shard_exception", "failed to create query: %s%.*s%s", before,
                      STR_FMT(text), after);
    return TERM_REFUSED;
}

static enum term_result number_term(struct query_compiler *in, const struct field *field,
                                    const struct value *value, struct term *out)
{
    double real;
    struct str text = value_is_str(value) ? str_trim(value_as_str(value)) : STR("");
    out->kind = term_kind_of_field(field);
    if (field_is_integer(field) && value_type(value) == VALUE_INT) {
        out->as.integer = value_as_int(value);
        return TERM_FOUND;
    }
    if (field_is_integer(field) && str_to_int(text, &out->as.integer))
        return TERM_FOUND;
    if (value_is_str(value) ? !str_to_double(text, &real) : !value_number(value, &real))
        return refuse_term(in, "For input string: \"", query_text_of(in, value), "\"");
    if (!field_is_integer(field)) {
        out->as.real = field_round_real(field->type, real);
        return TERM_FOUND;
    }
    if (fabs(real) >= 9.2e18 || real != trunc(real))
        return TERM_MATCHES_NOTHING;
    out->as.integer = (int64_t)real;
    return TERM_FOUND;
}

static enum term_result term_for(struct query_compiler *in, const struct field *field,
                                 const struct value *value, struct term *out)
{
    struct str text = query_text_of(in, value);
    if (field_is_integer(field) || field_is_real(field))
        return number_term(in, field, value, out);
    if (field->type == FIELD_BOOLEAN) {
        bool is_true = str_equal(text, STR("true"));
        *out = (struct term){.kind = TERM_INTEGER, .as.integer = is_true};
        if (is_true || text.len == 0 || str_equal(text, STR("false")))
            return TERM_FOUND;
        return refuse_term(in, "Can't parse boolean value [", text,
                           "], expected [true] or [false]");
    }
    if (field->type == FIELD_IP) {
        out->kind = TERM_IP;
        struct value as_text = value_str(text);
        if (field_value_ip(&as_text, &out->as.ip) ||
            (memchr(text.ptr, '/', text.len) && ip_network_parse(text, &out->as.ip)))
            return TERM_FOUND;
        return refuse_term(in, "'", text, "' is not an IP string literal.");
    }
    *out = (struct term){.kind = TERM_TEXT, .as.text = text};
    return TERM_FOUND;
}

/* The day, hour or millisecond that the text names. */
static struct query *date_term(struct query_compiler *in, const struct field *field,
                               const struct value *value)
{
    struct query_bounds bounds = {value, value, true, true, {0}, {0}};
    struct query *query = query_range(in, field->path, &bounds);
    if (query || !in->is_lenient)
        return query;
    in->err->status = 0;
    return query_new(in, QUERY_NONE);
}

static bool is_metadata(struct str path)
{
    return str_equal(path, STR("_id")) || str_equal(path, STR("_index"));
}

static struct query *metadata_term(struct query_compiler *in, struct str path,
                                   const struct value *value)
{
    struct str text = query_text_of(in, value);
    if (str_equal(path, STR("_index")))
        return query_new(in, glob_match(text, in->context.index) ? QUERY_ALL : QUERY_NONE);
    struct query *query = query_new(in, QUERY_IDS);
    if (!query)
        return NULL;
    query->texts = arena_alloc(in->context.arena, sizeof *query->texts);
    query->texts[0] = text;
    query->count = 1;
    return query;
}

struct query *query_term(struct query_compiler *in, struct str path, const struct value *value)
{
    if (is_metadata(path))
        return metadata_term(in, path, value);
    const struct field *field = query_find_field(in, path);
    if (!field)
        return none(in);
    if (field->type == FIELD_DATE)
        return date_term(in, field, value);
    struct term term;
    enum term_result result = term_for(in, field, value, &term);
    if (result != TERM_FOUND)
        return result == TERM_REFUSED ? NULL : query_new(in, QUERY_NONE);
    struct query *query =
        query_on_field(in, field->type == FIELD_IP ? QUERY_NETWORKS : QUERY_TERMS, field);
    if (!query)
        return NULL;
    query->terms = arena_alloc(in->context.arena, sizeof *query->terms);
    query->terms[0] = term;
    query->count = 1;
    return query;
}

/* One clause for each value: of dates, of identifiers. */
static struct query *any_term(struct query_compiler *in, struct str path,
                              const struct value *values)
{
    struct query *any = query_new(in, QUERY_BOOL);
    for (size_t i = 0; any && i < value_array_count(values); i++) {
        struct query *one = query_term(in, path, value_array_at(values, i));
        if (!one)
            return NULL;
        query_list_add(in, &any->filter, one);
    }
    if (!any)
        return NULL;
    any->should = any->filter;
    any->filter = (struct query_list){0};
    any->minimum_should_match = 1;
    struct query *constant = query_new(in, QUERY_CONSTANT);
    if (constant)
        constant->inner = any;
    return constant;
}

struct query *query_terms(struct query_compiler *in, struct str path, const struct value *values)
{
    size_t count = value_array_count(values);
    if (count > QUERY_TERMS_MAX)
        return query_refuse_here(
            in, "illegal_argument_exception",
            "The number of terms [%zu] used in the Terms Query request has exceeded the "
            "allowed maximum of [%d]. This maximum can be set by changing the "
            "[index.max_terms_count] index level setting.",
            count, QUERY_TERMS_MAX);
    if (is_metadata(path))
        return any_term(in, path, values);
    const struct field *field = query_find_field(in, path);
    if (!field)
        return none(in);
    if (field->type == FIELD_DATE)
        return any_term(in, path, values);
    struct query *query =
        query_on_field(in, field->type == FIELD_IP ? QUERY_NETWORKS : QUERY_TERMS, field);
    if (!query)
        return NULL;
    query->terms = arena_alloc(in->context.arena, (count + 1) * sizeof *query->terms);
    for (size_t i = 0; i < count; i++) {
        enum term_result result =
            term_for(in, field, value_array_at(values, i), &query->terms[query->count]);
        if (result == TERM_REFUSED)
            return NULL;
        query->count += result == TERM_FOUND;
    }
    if (query->kind == QUERY_TERMS)
        query_sort_terms(query);
    return query;
}

/* ---- exists -------------------------------------------------------------------------------------------------------- */

static bool add_existing(struct query_compiler *in, const struct field *field, struct query *any)
{
    if (field->type != FIELD_OBJECT) {
        struct query *one = query_on_field(in, QUERY_EXISTS, field);
        if (one)
            query_list_add(in, &any->should, one);
        return one;
    }
    for (size_t i = 0; i < field->count; i++) {
        if (!add_existing(in, field->children[i], any))
            return false;
    }
    return true;
}

/* Fields whose path matches the pattern, at any depth. */
static bool add_matching(struct query_compiler *in, const struct field *field, struct str pattern,
                         struct query *any)
{
    if (field->parent && glob_match(pattern, field->path) && !add_existing(in, field, any))
        return false;
    for (size_t i = 0; i < field->count && field->type == FIELD_OBJECT; i++) {
        if (!add_matching(in, field->children[i], pattern, any))
            return false;
    }
    return true;
}

struct query *query_exists(struct query_compiler *in, struct str path)
{
    if (is_metadata(path) || str_equal(path, STR("_source")) || str_equal(path, STR("_seq_no")))
        return query_new(in, QUERY_ALL);
    struct query *any = query_new(in, QUERY_BOOL), *constant = query_new(in, QUERY_CONSTANT);
    if (!any || !constant)
        return NULL;
    any->minimum_should_match = 1;
    constant->inner = any;
    const struct field *field = mapping_find(in->context.mapping, path);
    bool is_pattern = path.len > 0 && memchr(path.ptr, '*', path.len);
    bool done = true;
    if (is_pattern)
        done = add_matching(in, mapping_find(in->context.mapping, STR("")), path, any);
    else if (field && field->parent)
        done = add_existing(in, field, any);
    return done ? constant : NULL;
}

struct query *query_parse_exists(struct query_compiler *in, const struct value *body)
{
    const struct value *field = value_object_get(body, STR("field"));
    const struct value *boost = value_object_get(body, STR("boost"));
    if (!value_is_str(field) || value_as_str(field).len == 0)
        return query_refuse(in, "parsing_exception", "[exists] must be provided with a [field]");
    struct query *query = query_exists(in, value_as_str(field));
    if (query && boost && !query_boost(in, "exists", boost, &query->boost))
        return NULL;
    return query;
}

/* ---- prefix and wildcard --------------------------------------------------------------------------------------------- */

static struct query *on_text(struct query_compiler *in, enum query_kind kind, struct str path,
                             struct str text, bool ignores_case)
{
    const struct field *field = query_find_field(in, path);
    if (!field)
        return none(in);
    if (field->type != FIELD_KEYWORD && field->type != FIELD_TEXT) {
        if (in->is_lenient)
            return query_new(in, QUERY_NONE);
        return query_refuse_here(
            in, "query_shard_exception",
            "Can only use %s queries on keyword and text fields - not on [%.*s] which is "
            "of type [%s]",
            kind == QUERY_PREFIX ? "prefix" : "wildcard", STR_FMT(path), field->type_name);
    }
    struct query *query = query_on_field(in, kind, field);
    if (!query)
        return NULL;
    query->text = text;
    query->ignores_case = ignores_case;
    return query;
}

struct query *query_prefix(struct query_compiler *in, struct str path, struct str text,
                           bool ignores_case)
{
    return on_text(in, QUERY_PREFIX, path, text, ignores_case);
}

struct query *query_wildcard(struct query_compiler *in, struct str path, struct str text,
                             bool ignores_case)
{
    return on_text(in, QUERY_WILDCARD, path, text, ignores_case);
}

/* ---- their JSON: {"field": value} or {"field": {"value": value, …}} ---------------------------------------------------- */

struct field_body {
    struct str path;
    const struct value *value;
    bool ignores_case;
    double boost;
};

static bool parse_inner(struct query_compiler *in, const char *name, const struct value *inner,
                        struct field_body *out)
{
    for (size_t i = 0; i < value_object_count(inner); i++) {
        struct str key;
        const struct value *value = value_object_at(inner, i, &key);
        bool done = true;
        if (str_equal(key, STR("value")) ||
            (str_equal(key, STR("wildcard")) && strcmp(name, "wildcard") == 0) ||
            (str_equal(key, STR("term")) && strcmp(name, "term") == 0))
            out->value = value;
        else if (str_equal(key, STR("boost")))
            done = query_boost(in, name, value, &out->boost);
        else if (str_equal(key, STR("case_insensitive")))
            done = query_flag(in, name, key, value, &out->ignores_case);
        else if (!str_equal(key, STR("_name")) && !str_equal(key, STR("rewrite"))) {
            query_refuse(in, "parsing_exception", "[%s] query does not support [%.*s]", name,
                         STR_FMT(key));
            return false;
        }
        if (!done)
            return false;
    }
    return true;
}

static bool parse_field_body(struct query_compiler *in, const char *name, const struct value *body,
                             struct field_body *out)
{
    *out = (struct field_body){.boost = 1};
    for (size_t i = 0; i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        if (str_equal(key, STR("boost")) || str_equal(key, STR("_name")))
            continue;
        if (out->path.ptr) {
            query_refuse(in, "parsing_exception",
                         "[%s] query doesn't support multiple fields, found [%.*s] and [%.*s]",
                         name, STR_FMT(out->path), STR_FMT(key));
            return false;
        }
        out->path = key;
        out->value = value;
        if (value_type(value) == VALUE_ARRAY) {
            query_refuse(in, "parsing_exception", "[%s] query does not support array of values",
                         name);
            return false;
        }
        if (value_type(value) == VALUE_OBJECT) {
            out->value = NULL;
            if (!parse_inner(in, name, value, out))
                return false;
        }
    }
    if (out->path.len == 0 || !out->value || value_type(out->value) == VALUE_NULL ||
        value_type(out->value) == VALUE_OBJECT || value_type(out->value) == VALUE_ARRAY) {
        query_refuse(in, "illegal_argument_exception",
                     out->path.len && !out->value ? "value cannot be null"
                                                  : "field name is null or empty");
        return false;
    }
    return true;
}

struct query *query_parse_term(struct query_compiler *in, const struct value *body)
{
    struct field_body parts;
    if (!parse_field_body(in, "term", body, &parts))
        return NULL;
    struct query *query = query_term(in, parts.path, parts.value);
    if (!query)
        return NULL;
    query->boost = parts.boost;
    query->ignores_case =
        parts.ignores_case && query->kind == QUERY_TERMS && query->terms[0].kind == TERM_TEXT;
    return query;
}

struct query *query_parse_terms(struct query_compiler *in, const struct value *body)
{
    struct str path = {0};
    const struct value *values = NULL;
    double boost = 1;
    for (size_t i = 0; i < value_object_count(body); i++) {
        struct str key;
        const struct value *value = value_object_at(body, i, &key);
        if (str_equal(key, STR("boost"))) {
            if (!query_boost(in, "terms", value, &boost))
                return NULL;
            continue;
        }
        if (value_type(value) == VALUE_OBJECT)
            return query_unsupported(in,
                                     "[terms] with a lookup of another document is not supported");
        if (value_type(value) != VALUE_ARRAY)
            return query_refuse(in, "parsing_exception", "[terms] query does not support [%.*s]",
                                STR_FMT(key));
        if (values)
            return query_refuse(in, "parsing_exception",
                                "[terms] query does not support multiple fields");
        path = key;
        values = value;
    }
    if (!values)
        return query_refuse(
            in, "parsing_exception",
            "[terms] query requires a field name, followed by array of terms or a document "
            "lookup specification");
    struct query *query = query_terms(in, path, values);
    if (query)
        query->boost = boost;
    return query;
}

struct query *query_parse_prefix(struct query_compiler *in, const struct value *body)
{
    struct field_body parts;
    if (!parse_field_body(in, "prefix", body, &parts))
        return NULL;
    struct query *query =
        query_prefix(in, parts.path, query_text_of(in, parts.value), parts.ignores_case);
    if (query)
        query->boost = parts.boost;
    return query;
}

struct query *query_parse_wildcard(struct query_compiler *in, const struct value *body)
{
    struct field_body parts;
    if (!parse_field_body(in, "wildcard", body, &parts))
        return NULL;
    struct query *query =
        query_wildcard(in, parts.path, query_text_of(in, parts.value), parts.ignores_case);
    if (query)
        query->boost = parts.boost;
    return query;
}
