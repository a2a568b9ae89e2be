/* SPDX-License-Identifier: Apache-2.0
 *
 * Mappings from templates and requests. What is wrong is said in OpenSearch's words; a parameter that would change
 * what a search finds and is not there is refused, never passed over.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "pipeline/event/event_json.h"
#include "services/store/mapping/mapping_private.h"

enum { PARAMS_TEXT_MAX = 64 * 1024 };

struct definition {
    struct mapping *mapping;
    const struct value *tree;
    struct field *field;
    struct api_error *err;
    struct buf params; /* to be written back */
};

static bool refuse(struct api_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct api_error *err, const char *format, ...)
{
    char text[API_REASON_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return api_error_set(err, 400, "mapper_parsing_exception", "%s", text);
}

/* ---- types ---------------------------------------------------------------------------------------- */

/* Types of OpenSearch whose documents are kept, and that no query can look into. */
static const char *const OPAQUE[] = {"geo_point",
                                     "geo_shape",
                                     "nested",
                                     "flat_object",
                                     "binary",
                                     "completion",
                                     "alias",
                                     "join",
                                     "percolator",
                                     "rank_feature",
                                     "rank_features",
                                     "token_count",
                                     "search_as_you_type",
                                     "integer_range",
                                     "long_range",
                                     "float_range",
                                     "double_range",
                                     "date_range",
                                     "ip_range",
                                     "knn_vector"};

/* Types that are the same here as another. */
static const struct {
    const char *name;
    enum field_type type;
} SAME[] = {
    {"date_nanos", FIELD_DATE},      {"wildcard", FIELD_KEYWORD},
    {"match_only_text", FIELD_TEXT}, {"unsigned_long", FIELD_DOUBLE},
    {"scaled_float", FIELD_DOUBLE},
};

static bool find_type(struct str name, enum field_type *type_out, const char **name_out)
{
    for (int type = FIELD_OBJECT; type < FIELD_OPAQUE; type++) {
        *name_out = field_type_name((enum field_type)type);
        *type_out = (enum field_type)type;
        if (str_equal(name, str_from(*name_out)))
            return true;
    }
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        *name_out = SAME[i].name;
        *type_out = SAME[i].type;
        if (str_equal(name, str_from(*name_out)))
            return true;
    }
    *type_out = FIELD_OPAQUE;
    for (size_t i = 0; i < sizeof OPAQUE / sizeof *OPAQUE; i++) {
        *name_out = OPAQUE[i];
        if (str_equal(name, str_from(*name_out)))
            return true;
    }
    return false;
}

/* ---- parameters of a field -------------------------------------------------------------------------- */

static bool read_bool(const struct value *value, bool *out)
{
    if (value_type(value) == VALUE_BOOL)
        *out = value_as_bool(value);
    else if (value_is_str(value) && str_equal(value_as_str(value), STR("true")))
        *out = true;
    else if (value_is_str(value) && str_equal(value_as_str(value), STR("false")))
        *out = false;
    else
        return false;
    return true;
}

static bool bool_param(struct definition *in, struct str name, const struct value *value, bool *out)
{
    return read_bool(value, out) ||
           refuse(in->err,
                  "Failed to parse mapping [_doc]: [%.*s] of field [%.*s] is not true or false",
                  STR_FMT(name), STR_FMT(in->field->path));
}

static bool ignore_above_param(struct definition *in, const struct value *value)
{
    int64_t number;
    if (value_type(value) == VALUE_INT)
        number = value_as_int(value);
    else if (!value_is_str(value) || !str_to_int(value_as_str(value), &number))
        return refuse(
            in->err,
            "Failed to parse mapping [_doc]: [ignore_above] of field [%.*s] is not a number",
            STR_FMT(in->field->path));
    if (number < 0)
        return refuse(in->err,
                      "Failed to parse mapping [_doc]: [ignore_above] must be positive, got %lld",
                      (long long)number);
    in->field->ignore_above = number >= INT32_MAX ? 0 : (uint32_t)number;
    return true;
}

static bool format_param(struct definition *in, const struct value *value)
{
    struct error syntax = {.text = "is not text"};
    struct str text = value_is_str(value) ? value_as_str(value) : STR("");
    const struct date_layout *format = mapping_format(in->mapping, text, &syntax);
    if (!format)
        return refuse(in->err,
                      "Failed to parse mapping [_doc]: Error parsing [format] on field [%.*s]: "
                      "Invalid format: [%.*s]: %s",
                      STR_FMT(in->field->path), STR_FMT(text), syntax.text);
    in->field->format = format;
    return true;
}

static bool analyzer_param(struct definition *in, struct str name, const struct value *value)
{
    if (value_is_str(value) && str_equal(value_as_str(value), STR("standard")))
        return true;
    return api_error_set(in->err, 501, "unsupported_operation_exception",
                         "[%.*s] of field [%.*s]: only the standard analyzer is there",
                         STR_FMT(name), STR_FMT(in->field->path));
}

static bool dynamic_param(struct definition *in, const struct value *value)
{
    bool flag;
    if (read_bool(value, &flag))
        in->field->dynamic = flag ? DYNAMIC_TRUE : DYNAMIC_FALSE;
    else if (value_is_str(value) && str_equal(value_as_str(value), STR("strict")))
        in->field->dynamic = DYNAMIC_STRICT;
    else
        return api_error_set(in->err, 501, "unsupported_operation_exception",
                             "[dynamic] is true, false or strict");
    return true;
}

static bool is_one_of(struct str name, const char *const *names)
{
    for (; *names; names++) {
        if (str_equal(name, str_from(*names)))
            return true;
    }
    return false;
}

/* Without meaning for what is found. */
static const char *const PASSED_OVER[] = {"store",
                                          "norms",
                                          "similarity",
                                          "eager_global_ordinals",
                                          "meta",
                                          "boost",
                                          "term_vector",
                                          "index_options",
                                          "index_prefixes",
                                          "index_phrases",
                                          "position_increment_gap",
                                          "locale",
                                          "scaling_factor",
                                          "path",
                                          "split_queries_on_whitespace",
                                          "fielddata_frequency_filter",
                                          "ignore_z_value",
                                          "depth_limit",
                                          "include_in_parent",
                                          "include_in_root",
                                          NULL};
static const char *const MISSING[] = {
    "null_value", "copy_to", "normalizer", "script", "fielddata", "search_quote_analyzer", NULL};

static bool param(struct definition *in, struct str name, const struct value *value)
{
    struct field *field = in->field;
    bool flag = true;
    if (str_equal(name, STR("ignore_above")) && field->type == FIELD_KEYWORD)
        return ignore_above_param(in, value);
    if (str_equal(name, STR("format")) && field->type == FIELD_DATE)
        return format_param(in, value);
    if (str_equal(name, STR("ignore_malformed")))
        return bool_param(in, name, value, &field->ignores_malformed);
    if (str_equal(name, STR("coerce"))) {
        bool done = bool_param(in, name, value, &flag);
        field->refuses_coercion = !flag;
        return done;
    }
    if (str_equal(name, STR("index"))) {
        bool done = bool_param(in, name, value, &flag);
        field->is_search_disabled = !flag;
        return done;
    }
    if (str_equal(name, STR("doc_values"))) {
        bool done = bool_param(in, name, value, &flag);
        field->has_no_doc_values = !flag;
        return done;
    }
    if (str_equal(name, STR("enabled")) && field->type == FIELD_OBJECT) {
        bool done = bool_param(in, name, value, &flag);
        field->is_disabled = !flag;
        return done;
    }
    if (str_equal(name, STR("dynamic")) &&
        (field->type == FIELD_OBJECT || field->type == FIELD_OPAQUE))
        return dynamic_param(in, value);
    if (str_equal(name, STR("analyzer")) || str_equal(name, STR("search_analyzer")))
        return analyzer_param(in, name, value);
    if (is_one_of(name, MISSING))
        return api_error_set(in->err, 501, "unsupported_operation_exception",
                             "parameter [%.*s] of field [%.*s] is not supported", STR_FMT(name),
                             STR_FMT(field->path));
    return is_one_of(name, PASSED_OVER) ||
           refuse(in->err,
                  "Failed to parse mapping [_doc]: unknown parameter [%.*s] on mapper [%.*s] of "
                  "type [%s]",
                  STR_FMT(name), STR_FMT(field->name), field->type_name);
}

static bool note_param(struct definition *in, struct str name, const struct value *value)
{
    struct buf *params = &in->params;
    bool done = (params->len == 0 || buf_append_char(params, ',')) &&
                json_encode_str(name, params) && buf_append_char(params, ':');
    if (done && str_equal(name, STR("dynamic")) && value_type(value) == VALUE_BOOL)
        done = buf_append_str(params, value_as_bool(value) ? STR("\"true\"") : STR("\"false\""));
    else
        done = done && json_encode_value(value, params);
    return done || refuse(in->err, "the parameters of field [%.*s] have more than %d bytes",
                          STR_FMT(in->field->path), PARAMS_TEXT_MAX);
}

/* ---- children -------------------------------------------------------------------------------------- */

static size_t depth_of(const struct field *field)
{
    size_t depth = 0;
    for (; field->parent; field = field->parent)
        depth++;
    return depth;
}

static bool define_all(struct definition *in, const char *what, const struct value *list)
{
    if (value_type(list) != VALUE_OBJECT)
        return refuse(
            in->err,
            "Failed to parse mapping [_doc]: Expected map for property [%s] on field [%.*s]", what,
            STR_FMT(in->field->name));
    if (depth_of(in->field) >= MAPPING_DEPTH_MAX && value_object_count(list) > 0)
        return api_error_set(
            in->err, 400, "illegal_argument_exception",
            "Limit of mapping depth [%d] has been exceeded due to object field [%.*s]",
            MAPPING_DEPTH_MAX, STR_FMT(in->field->path));
    for (size_t i = 0; i < value_object_count(list); i++) {
        struct str name;
        const struct value *tree = value_object_at(list, i, &name);
        if (!mapping_define(in->mapping, in->field, name, tree, in->err))
            return false;
    }
    return true;
}

static bool define_part(struct definition *in, struct str name, const struct value *value)
{
    bool has_fields = in->field->type == FIELD_OBJECT || in->field->type == FIELD_OPAQUE;
    if (str_equal(name, STR("type")))
        return true;
    if (str_equal(name, STR("properties")) && has_fields)
        return in->field->type == FIELD_OPAQUE || define_all(in, "properties", value);
    if (str_equal(name, STR("fields")) && !has_fields && !in->field->is_multi_field)
        return define_all(in, "fields", value);
    return param(in, name, value) && note_param(in, name, value);
}

/* ---- one field -------------------------------------------------------------------------------------- */

static bool type_of_definition(const struct value *tree, struct str name, enum field_type *type,
                               const char **type_name, struct api_error *err)
{
    const struct value *named = value_object_get(tree, STR("type"));
    *type = FIELD_OBJECT;
    *type_name = field_type_name(FIELD_OBJECT);
    if (!named &&
        (value_object_get(tree, STR("properties")) || value_object_get(tree, STR("enabled")) ||
         value_object_get(tree, STR("dynamic"))))
        return true;
    if (!value_is_str(named))
        return refuse(err, "Failed to parse mapping [_doc]: No type specified for field [%.*s]",
                      STR_FMT(name));
    return find_type(value_as_str(named), type, type_name) ||
           refuse(err,
                  "Failed to parse mapping [_doc]: No handler for type [%.*s] declared on field "
                  "[%.*s]",
                  STR_FMT(value_as_str(named)), STR_FMT(name));
}

static bool check_merge(const struct field *field, enum field_type type, const char *type_name,
                        struct api_error *err)
{
    if (field->type == type && strcmp(field->type_name, type_name) == 0)
        return true;
    if (field->type == FIELD_OBJECT || type == FIELD_OBJECT)
        return api_error_set(err, 400, "illegal_argument_exception",
                             "can't merge a non object mapping [%.*s] with an object mapping",
                             STR_FMT(field->path));
    return api_error_set(err, 400, "illegal_argument_exception",
                         "mapper [%.*s] cannot be changed from type [%s] to [%s]",
                         STR_FMT(field->path), field->type_name, type_name);
}

static bool define_body(struct definition *in)
{
    for (size_t i = 0; i < value_object_count(in->tree); i++) {
        struct str name;
        const struct value *value = value_object_at(in->tree, i, &name);
        if (!define_part(in, name, value))
            return false;
    }
    field_set_params(in->field, buf_str(&in->params));
    return true;
}

static bool define_leaf(struct mapping *mapping, struct field *parent, struct str name,
                        const struct value *tree, struct api_error *err)
{
    enum field_type type;
    const char *type_name;
    if (value_type(tree) != VALUE_OBJECT)
        return refuse(
            err,
            "Failed to parse mapping [_doc]: Expected map for property [fields] on field [%.*s]",
            STR_FMT(name));
    if (!type_of_definition(tree, name, &type, &type_name, err))
        return false;
    if (parent->type != FIELD_OBJECT && (type == FIELD_OBJECT || type == FIELD_OPAQUE))
        return refuse(err,
                      "Failed to parse mapping [_doc]: Type [%s] cannot be used in multi field",
                      type_name);
    struct field *field = field_child(parent, name);
    if (field && !check_merge(field, type, type_name, err))
        return false;
    if (!field) {
        field = mapping_add(mapping, parent, name, type);
        field->type_name = type_name;
    }
    struct definition in = {mapping, tree, field, err, {0}};
    buf_init(&in.params, PARAMS_TEXT_MAX);
    bool done = define_body(&in);
    buf_release(&in.params);
    return done;
}

/* The object for the first part of a dotted name. */
static struct field *object_for(struct mapping *mapping, struct field *parent, struct str name,
                                struct api_error *err)
{
    struct field *object = field_child(parent, name);
    if (!object)
        return mapping_add(mapping, parent, name, FIELD_OBJECT);
    return check_merge(object, FIELD_OBJECT, "object", err) ? object : NULL;
}

bool mapping_define(struct mapping *mapping, struct field *parent, struct str name,
                    const struct value *definition, struct api_error *err)
{
    for (size_t depth = 0; depth < MAPPING_DEPTH_MAX && parent; depth++) {
        const char *dot = name.len ? memchr(name.ptr, '.', name.len) : NULL;
        struct str part = dot ? str_make(name.ptr, (size_t)(dot - name.ptr)) : name;
        if (part.len == 0 || parent->path.len + name.len > MAPPING_PATH_MAX)
            return refuse(err,
                          "Failed to parse mapping [_doc]: field name cannot be an empty string");
        if (!dot)
            return define_leaf(mapping, parent, name, definition, err);
        parent = object_for(mapping, parent, part, err);
        name = str_from_offset(name, part.len + 1);
    }
    return parent &&
           api_error_set(err, 400, "illegal_argument_exception",
                         "Limit of mapping depth [%d] has been exceeded due to object field [%.*s]",
                         MAPPING_DEPTH_MAX, STR_FMT(name));
}

/* ---- the root --------------------------------------------------------------------------------------- */

static struct str json_in_arena(struct arena *arena, const struct value *value)
{
    struct buf text;
    buf_init(&text, PARAMS_TEXT_MAX);
    struct str copy =
        json_encode_value(value, &text) ? arena_dup(arena, buf_str(&text)) : STR("{}");
    buf_release(&text);
    return copy;
}

static bool source_part(struct definition *in, const struct value *value)
{
    const struct value *enabled =
        value_type(value) == VALUE_OBJECT ? value_object_get(value, STR("enabled")) : NULL;
    bool flag = true;
    if (enabled && (!read_bool(enabled, &flag) || !flag))
        return api_error_set(in->err, 501, "unsupported_operation_exception",
                             "[_source] cannot be switched off");
    return true;
}

static bool root_part(struct definition *in, struct str name, const struct value *value)
{
    struct mapping *mapping = in->mapping;
    if (str_equal(name, STR("properties")))
        return define_all(in, "properties", value);
    if (str_equal(name, STR("dynamic")))
        return dynamic_param(in, value);
    if (str_equal(name, STR("dynamic_templates")))
        return mapping_parse_templates(mapping, value, in->err);
    if (str_equal(name, STR("_source")))
        return source_part(in, value);
    if (str_equal(name, STR("_meta"))) {
        mapping->meta = json_in_arena(&mapping->arena, value);
        return true;
    }
    if (str_equal(name, STR("date_detection"))) {
        mapping->says_date_detection = true;
        return bool_param(in, name, value, &mapping->date_detection);
    }
    if (str_equal(name, STR("numeric_detection"))) {
        mapping->says_numeric_detection = true;
        return bool_param(in, name, value, &mapping->numeric_detection);
    }
    if (str_equal(name, STR("dynamic_date_formats")) || str_equal(name, STR("runtime")))
        return api_error_set(in->err, 501, "unsupported_operation_exception",
                             "[%.*s] of a mapping is not supported", STR_FMT(name));
    return refuse(in->err,
                  "Failed to parse mapping [_doc]: Root mapping definition has unsupported "
                  "parameters:  [%.*s : %.*s]",
                  STR_FMT(name), STR_FMT(value_to_java_text(&mapping->arena, value)));
}

bool mapping_merge(struct mapping *mapping, const struct value *mappings, struct api_error *err)
{
    assert(mapping->added_count == 0);
    if (value_type(mappings) != VALUE_OBJECT)
        return refuse(err, "Failed to parse mapping [_doc]: a mapping is an object");
    struct definition in = {mapping, mappings, mapping->root, err, {0}};
    for (size_t i = 0; i < value_object_count(mappings); i++) {
        struct str name;
        const struct value *value = value_object_at(mappings, i, &name);
        if (!root_part(&in, name, value)) {
            mapping_rollback(mapping);
            return false;
        }
    }
    return mapping_commit(mapping, err);
}
