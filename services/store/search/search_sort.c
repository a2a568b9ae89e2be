/* SPDX-License-Identifier: Apache-2.0
 *
 * The sort of a request: read, and bound to the fields of an index.
 */
#include "services/store/search/search_sort.h"

#include <math.h>
#include <stdio.h>

/* ---- reading the request ------------------------------------------------------------------------------------- */

static bool parse_order(struct str text, bool *descending_out, struct api_error *err)
{
    *descending_out = str_equal_nocase(text, STR("desc"));
    if (*descending_out || str_equal_nocase(text, STR("asc")))
        return true;
    return api_error_set(err, 400, "illegal_argument_exception",
                         "No enum constant org.opensearch.search.sort.SortOrder.%.*s",
                         STR_FMT(text));
}

static bool parse_mode(struct str text, enum sort_mode *out, struct api_error *err)
{
    static const char *const NAMES[] = {"", "min", "max", "sum", "avg", "median"};
    for (int i = SORT_MIN; i <= SORT_MEDIAN; i++) {
        *out = (enum sort_mode)i;
        if (str_equal_nocase(text, str_from(NAMES[i])))
            return true;
    }
    api_error_set(err, 400, "x_content_parse_exception",
                  "[field_sort] failed to parse field [mode]");
    return api_error_cause(err, "illegal_argument_exception", "Unknown SortMode [%.*s]",
                           STR_FMT(text));
}

static bool parse_option(struct sort_key *key, struct str name, const struct value *value,
                         struct api_error *err)
{
    if (str_equal(name, STR("missing"))) {
        key->missing_first = value_is_str(value) && str_equal(value_as_str(value), STR("_first"));
        bool is_last = value_is_str(value) && str_equal(value_as_str(value), STR("_last"));
        key->missing = key->missing_first || is_last ? NULL : value;
        return true;
    }
    if (str_equal(name, STR("nested")) || str_equal(name, STR("nested_path")))
        return api_error_set(err, 501, "unsupported_operation_exception",
                             "[%.*s] of a sort is not supported", STR_FMT(name));
    if (!value_is_str(value))
        return api_error_set(err, 400, "x_content_parse_exception",
                             "[field_sort] unknown field [%.*s]", STR_FMT(name));
    if (str_equal(name, STR("order")))
        return parse_order(value_as_str(value), &key->is_descending, err);
    if (str_equal(name, STR("mode")))
        return parse_mode(value_as_str(value), &key->mode, err);
    if (str_equal(name, STR("unmapped_type"))) {
        key->unmapped_type = value_as_str(value);
        return true;
    }
    if (str_equal(name, STR("numeric_type")))
        return api_error_set(err, 501, "unsupported_operation_exception",
                             "[numeric_type] of a sort is not supported");
    return api_error_set(err, 400, "x_content_parse_exception", "[field_sort] unknown field [%.*s]",
                         STR_FMT(name));
}

static struct sort_key *add_key(struct sort *sort, struct str path, struct api_error *err)
{
    if (sort->count == SORT_KEYS_MAX) {
        api_error_set(err, 400, "illegal_argument_exception", "more than %d sort keys",
                      SORT_KEYS_MAX);
        return NULL;
    }
    struct sort_key *key = &sort->keys[sort->count++];
    *key = (struct sort_key){.kind = SORT_FIELD, .path = path};
    if (str_equal(path, STR("_score"))) {
        key->kind = SORT_SCORE;
        key->is_descending = true;
    } else if (str_equal(path, STR("_doc"))) {
        key->kind = SORT_DOCUMENT;
    } else if (str_equal(path, STR("_id"))) {
        key->kind = SORT_ID;
    }
    return key;
}

static bool parse_object(struct sort *sort, const struct value *object, struct api_error *err)
{
    for (size_t i = 0; i < value_object_count(object); i++) {
        struct str path, name;
        const struct value *value = value_object_at(object, i, &path);
        struct sort_key *key = add_key(sort, path, err);
        if (!key)
            return false;
        if (str_equal(path, STR("_script")) || str_equal(path, STR("_geo_distance")))
            return api_error_set(err, 501, "unsupported_operation_exception",
                                 "sorting by [%.*s] is not supported", STR_FMT(path));
        if (value_is_str(value) && !parse_order(value_as_str(value), &key->is_descending, err))
            return false;
        if (!value_is_str(value) && value_type(value) != VALUE_OBJECT)
            return api_error_set(err, 400, "illegal_argument_exception",
                                 "sort malformed, the order of [%.*s] is text or an object",
                                 STR_FMT(path));
        for (size_t j = 0; value_type(value) == VALUE_OBJECT && j < value_object_count(value);
             j++) {
            const struct value *option = value_object_at(value, j, &name);
            if (!parse_option(key, name, option, err))
                return false;
        }
    }
    return true;
}

static bool parse_item(struct sort *sort, const struct value *item, struct api_error *err)
{
    if (value_is_str(item))
        return add_key(sort, value_as_str(item), err);
    if (value_type(item) == VALUE_OBJECT)
        return parse_object(sort, item, err);
    return api_error_set(
        err, 400, "illegal_argument_exception",
        "malformed sort format, either start with array, object, or an actual string");
}

/* By score alone is what happens anyway. */
static void drop_plain_score(struct sort *sort)
{
    if (sort->count == 1 && sort->keys[0].kind == SORT_SCORE && sort->keys[0].is_descending)
        sort->count = 0;
}

bool sort_parse(const struct value *value, struct sort *out, struct api_error *err)
{
    out->count = 0;
    if (value_type(value) != VALUE_ARRAY) {
        if (!parse_item(out, value, err))
            return false;
    } else {
        for (size_t i = 0; i < value_array_count(value); i++) {
            if (!parse_item(out, value_array_at(value, i), err))
                return false;
        }
    }
    drop_plain_score(out);
    return true;
}

bool sort_parse_url(struct str text, struct sort *out, struct api_error *err)
{
    out->count = 0;
    while (text.len > 0) {
        const char *comma = memchr(text.ptr, ',', text.len);
        struct str item = comma ? str_make(text.ptr, (size_t)(comma - text.ptr)) : text;
        text = str_from_offset(text, item.len + (comma ? 1 : 0));
        const char *colon = item.len ? memchr(item.ptr, ':', item.len) : NULL;
        struct str path = colon ? str_make(item.ptr, (size_t)(colon - item.ptr)) : item;
        struct sort_key *key = add_key(out, path, err);
        if (!key)
            return false;
        if (colon && !parse_order(str_from_offset(item, path.len + 1), &key->is_descending, err))
            return false;
    }
    drop_plain_score(out);
    return true;
}

bool sort_parse_after(const struct value *values, struct sort *sort, struct api_error *err)
{
    if (value_type(values) != VALUE_ARRAY)
        return api_error_set(err, 400, "parsing_exception",
                             "Expected [START_ARRAY] in [search_after]");
    size_t count = value_array_count(values), keys = sort->count;
    if (keys == 0)
        return api_error_set(err, 400, "illegal_argument_exception",
                             "Sort must contain at least one field.");
    if (count != keys) {
        api_error_set(err, 400, "illegal_argument_exception",
                      "search_after has %zu value(s) but sort has %zu.", count, keys);
        err->of_search = true;
        return false;
    }
    for (size_t i = 0; i < count; i++)
        sort->keys[i].after = value_array_at(values, i);
    sort->has_after = true;
    return true;
}

/* ---- binding to an index ----------------------------------------------------------------------------------------- */

static bool refuse(const struct query_context *context, struct api_error *err)
{
    err->of_search = true;
    snprintf(err->index, sizeof err->index, "%.*s", STR_FMT(context->index));
    return false;
}

static enum sort_value_type value_type_of(const struct sort_key *key)
{
    if (key->kind == SORT_SCORE)
        return SORT_REAL;
    if (key->kind == SORT_DOCUMENT)
        return SORT_INTEGER;
    struct field probe = {.type = key->type};
    enum term_kind kind = term_kind_of_field(&probe);
    if (key->kind == SORT_ID || kind == TERM_TEXT)
        return SORT_TEXT;
    return kind == TERM_IP ? SORT_IP : kind == TERM_REAL ? SORT_REAL : SORT_INTEGER;
}

/* Stands for no value: behind (before) all others. */
static struct sort_value absent(const struct sort_key *key)
{
    bool is_high = key->missing_first == key->is_descending;
    bool is_narrow =
        key->type == FIELD_BOOLEAN || (key->type >= FIELD_BYTE && key->type <= FIELD_INTEGER);
    enum sort_value_type type = value_type_of(key);
    struct sort_value value = {.type = type};
    if (type >= SORT_TEXT)
        value.type = SORT_NULL;
    else if (type == SORT_REAL)
        value.as.real = is_high ? INFINITY : -INFINITY;
    else if (is_narrow)
        value.as.integer = is_high ? INT32_MAX : INT32_MIN;
    else
        value.as.integer = is_high ? INT64_MAX : INT64_MIN;
    return value;
}

/* A value of the request as one of the key. */
static bool read_value(const struct sort_key *key, const struct query_context *context,
                       const struct value *value, struct sort_value *out)
{
    struct str text = value_to_text(context->arena, value);
    double real;
    out->type = value_type_of(key);
    if (value_type(value) == VALUE_NULL) {
        *out = absent(key);
        return true;
    }
    if (out->type == SORT_TEXT) {
        out->as.text = text;
        return true;
    }
    if (out->type == SORT_IP) {
        struct ip_network ip;
        char *bytes = arena_bytes(context->arena, IP_KEY_BYTES);
        out->as.text = str_make(bytes, IP_KEY_BYTES);
        return ip_network_parse(text, &ip) && ip_key(&ip, bytes);
    }
    if (key->type == FIELD_DATE && key->reader.field && value_type(value) != VALUE_INT)
        return date_layout_parse(key->reader.field->format, text, NULL, &out->as.integer, NULL) ||
               str_to_int(text, &out->as.integer);
    if (out->type == SORT_INTEGER && str_to_int(text, &out->as.integer))
        return true;
    if (!str_to_double(text, &real))
        return false;
    if (out->type == SORT_REAL)
        out->as.real = real;
    else if (fabs(real) < 9.2e18)
        out->as.integer = (int64_t)real;
    else
        out->as.integer = real > 0 ? INT64_MAX : INT64_MIN;
    return true;
}

static enum field_type unmapped_type(struct str name)
{
    static const struct {
        const char *name;
        enum field_type type;
    } TYPES[] = {{"long", FIELD_LONG},       {"integer", FIELD_INTEGER}, {"short", FIELD_SHORT},
                 {"byte", FIELD_BYTE},       {"float", FIELD_FLOAT},     {"double", FIELD_DOUBLE},
                 {"boolean", FIELD_BOOLEAN}, {"date", FIELD_DATE}};
    for (size_t i = 0; i < sizeof TYPES / sizeof *TYPES; i++) {
        if (str_equal(name, str_from(TYPES[i].name)))
            return TYPES[i].type;
    }
    return FIELD_KEYWORD;
}

static bool find_field(struct sort_key *key, const struct query_context *context,
                       struct api_error *err)
{
    const struct field *field = mapping_find(context->mapping, key->path);
    key->reader.field = NULL;
    if (!field || field->type == FIELD_OBJECT || field->type == FIELD_OPAQUE) {
        key->type = unmapped_type(key->unmapped_type);
        if (key->unmapped_type.len > 0)
            return true;
        api_error_set(err, 400, "query_shard_exception",
                      "No mapping found for [%.*s] in order to sort on", STR_FMT(key->path));
        return refuse(context, err);
    }
    if (!field_need_doc_values(field, key->path, err))
        return refuse(context, err);
    field_reader_init(&key->reader, field);
    key->type = field->type;
    if (key->mode > SORT_MAX && value_type_of(key) >= SORT_TEXT) {
        api_error_set(err, 400, "query_shard_exception",
                      "we only support AVG, MEDIAN and SUM on number based fields");
        return refuse(context, err);
    }
    return true;
}

static bool open_key(struct sort_key *key, const struct query_context *context,
                     struct api_error *err)
{
    key->type = FIELD_KEYWORD;
    if (key->kind == SORT_FIELD && !find_field(key, context, err))
        return false;
    key->missing_value = absent(key);
    if (key->missing && key->kind == SORT_FIELD &&
        !read_value(key, context, key->missing, &key->missing_value)) {
        struct str text = value_to_text(context->arena, key->missing);
        api_error_set(err, 400, "number_format_exception", "For input string: \"%.*s\"",
                      STR_FMT(text));
        return refuse(context, err);
    }
    if (key->after && !read_value(key, context, key->after, &key->after_value)) {
        api_error_set(err, 400, "illegal_argument_exception",
                      "Failed to parse search_after value for field [%.*s].", STR_FMT(key->path));
        return refuse(context, err);
    }
    return true;
}

bool sort_open(struct sort *sort, const struct query_context *context, struct api_error *err)
{
    for (size_t i = 0; i < sort->count; i++) {
        if (!open_key(&sort->keys[i], context, err))
            return false;
    }
    return true;
}
