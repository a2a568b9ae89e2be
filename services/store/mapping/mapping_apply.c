/* SPDX-License-Identifier: Apache-2.0
 *
 * A document held against its mapping. The walk is over the document: each key finds its field, or brings it.
 */
#include <assert.h>
#include <stdio.h>

#include "services/store/mapping/mapping_private.h"

struct walk {
    struct mapping *mapping;
    struct str id;
    struct api_error *err;
};

static bool apply_object(const struct walk *walk, struct field *object, const struct value *value,
                         size_t depth);
static bool apply_value(const struct walk *walk, struct field *field, const struct value *value,
                        size_t depth);

/* "failed to parse", with what is wrong as its cause. */
static bool failed(const struct walk *walk, const char *cause_type, const char *cause)
{
    api_error_set(walk->err, 400, "mapper_parsing_exception", "failed to parse");
    return api_error_cause(walk->err, cause_type, "%s", cause);
}

/* ---- keys that are new -------------------------------------------------------------------------------- */

static const struct value *first_value(const struct value *value)
{
    while (value_type(value) == VALUE_ARRAY) {
        size_t i = 0, count = value_array_count(value);
        while (i < count && value_type(value_array_at(value, i)) == VALUE_NULL)
            i++;
        if (i == count)
            return NULL;
        value = value_array_at(value, i);
    }
    return value_type(value) == VALUE_NULL ? NULL : value;
}

static bool introduce(const struct walk *walk, struct field *object, struct str name,
                      const struct value *value, size_t depth)
{
    enum field_dynamic dynamic = field_dynamic(object);
    if (dynamic == DYNAMIC_FALSE)
        return true;
    if (dynamic == DYNAMIC_STRICT)
        return api_error_set(
            walk->err, 400, "strict_dynamic_mapping_exception",
            "mapping set to strict, dynamic introduction of [%.*s] within [%.*s] is "
            "not allowed",
            STR_FMT(name), STR_FMT(object->parent ? object->path : STR("_doc")));
    const struct value *first = first_value(value);
    if (!first)
        return true;
    if (object->path.len + name.len >= MAPPING_PATH_MAX)
        return failed(walk, "illegal_argument_exception", "the path of a field is too long");
    if (walk->mapping->added_count > MAPPING_FIELDS_MAX)
        return api_error_set(walk->err, 400, "illegal_argument_exception",
                             "Limit of total fields [%d] has been exceeded", MAPPING_FIELDS_MAX);
    struct field *field = mapping_introduce(walk->mapping, object, name, first, walk->err);
    return field && apply_value(walk, field, value, depth);
}

/* ---- keys with dots ------------------------------------------------------------------------------------ */

static bool check_dotted(const struct walk *walk, struct str key)
{
    bool empty_part = key.ptr[0] == '.' || str_find(key, STR("..")) != SIZE_MAX;
    if (!empty_part)
        return true;
    char text[API_REASON_MAX];
    snprintf(text, sizeof text,
             "object field starting or ending with a [.] makes object resolution ambiguous: [%.*s]",
             STR_FMT(key));
    return failed(walk, "illegal_argument_exception", text);
}

/* The object that a part of the key names; NULL with true when it is not to be looked into. */
static bool object_of_part(const struct walk *walk, struct field *object, struct str part,
                           struct field **out)
{
    *out = field_child(object, part);
    if (*out)
        return true;
    enum field_dynamic dynamic = field_dynamic(object);
    if (dynamic == DYNAMIC_STRICT)
        return introduce(walk, object, part, &(struct value){.type = VALUE_OBJECT}, 0);
    if (dynamic == DYNAMIC_TRUE)
        *out = mapping_add(walk->mapping, object, part, FIELD_OBJECT);
    return true;
}

static bool apply_key(const struct walk *walk, struct field *object, struct str key,
                      const struct value *value, size_t depth);

static bool apply_dotted(const struct walk *walk, struct field *object, struct str key,
                         const struct value *value, size_t depth)
{
    const char *dot = memchr(key.ptr, '.', key.len);
    struct str part = str_make(key.ptr, (size_t)(dot - key.ptr));
    struct str rest = str_from_offset(key, part.len + 1);
    struct field *inner;
    if (!check_dotted(walk, key) || !object_of_part(walk, object, part, &inner))
        return false;
    if (!inner || inner->is_disabled || inner->type == FIELD_OPAQUE)
        return true;
    if (inner->type != FIELD_OBJECT)
        return api_error_set(
            walk->err, 400, "mapper_parsing_exception",
            "Could not dynamically add mapping for field [%.*s]. Existing mapping for "
            "[%.*s] must be of type object but found [%s].",
            STR_FMT(key), STR_FMT(inner->path), inner->type_name);
    if (rest.len == 0)
        return apply_value(walk, inner, value, depth);
    return apply_key(walk, inner, rest, value, depth + 1);
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

static bool too_deep(const struct walk *walk)
{
    return failed(
        walk, "parse_exception",
        "The depth of the field has exceeded the allowed limit of [20]. This limit can be set "
        "by changing the [index.mapping.depth.limit] index level setting.");
}

static bool is_metadata(struct str key)
{
    static const char *const NAMES[] = {"_id",      "_source",      "_index",   "_routing",
                                        "_version", "_field_names", "_ignored", "_seq_no"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (str_equal(key, str_from(NAMES[i])))
            return true;
    }
    return false;
}

static bool refuse_metadata(const struct walk *walk, struct str key, const struct value *value)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct str preview = value_to_text(&arena, value);
    api_error_set(
        walk->err, 400, "mapper_parsing_exception",
        "failed to parse field [%.*s] of type [%.*s] in document with id '%.*s'. Preview of "
        "field's value: '%.*s'",
        STR_FMT(key), STR_FMT(key), STR_FMT(walk->id), STR_FMT(preview));
    arena_release(&arena);
    return api_error_cause(
        walk->err, "mapper_parsing_exception",
        "Field [%.*s] is a metadata field and cannot be added inside a document. "
        "Use the index API request parameters.",
        STR_FMT(key));
}

static bool apply_key(const struct walk *walk, struct field *object, struct str key,
                      const struct value *value, size_t depth)
{
    if (depth > MAPPING_DEPTH_MAX)
        return too_deep(walk);
    struct field *field = field_child(object, key);
    if (field)
        return apply_value(walk, field, value, depth);
    if (key.len == 0)
        return failed(walk, "illegal_argument_exception", "field name cannot be an empty string");
    if (memchr(key.ptr, '.', key.len))
        return apply_dotted(walk, object, key, value, depth);
    if (key.ptr[0] == '_' && !object->parent && is_metadata(key))
        return refuse_metadata(walk, key, value);
    return introduce(walk, object, key, value, depth);
}

/* Arrays in arrays are one; the reader of JSON bounds how deep they go. */
static bool apply_items(const struct walk *walk, struct field *field, const struct value *array,
                        size_t depth)
{
    for (size_t i = 0; i < value_array_count(array); i++) {
        if (!apply_value(walk, field, value_array_at(array, i), depth))
            return false;
    }
    return true;
}

static bool apply_value(const struct walk *walk, struct field *field, const struct value *value,
                        size_t depth)
{
    enum value_type type = value_type(value);
    if (type == VALUE_NULL || field->is_disabled || field->type == FIELD_OPAQUE)
        return true;
    if (type == VALUE_ARRAY)
        return apply_items(walk, field, value, depth);
    if (field->type != FIELD_OBJECT)
        return mapping_check_leaf(field, walk->id, value, walk->err);
    if (type != VALUE_OBJECT)
        return api_error_set(
            walk->err, 400, "mapper_parsing_exception",
            "object mapping for [%.*s] tried to parse field [%.*s] as object, but found "
            "a concrete value",
            STR_FMT(field->path), STR_FMT(field->name));
    return apply_object(walk, field, value, depth);
}

static bool apply_object(const struct walk *walk, struct field *object, const struct value *value,
                         size_t depth)
{
    for (size_t i = 0, count = value_object_count(value); i < count; i++) {
        struct str key;
        const struct value *member = value_object_at(value, i, &key);
        if (!apply_key(walk, object, key, member, depth + 1))
            return false;
    }
    return true;
}

bool mapping_apply(struct mapping *mapping, struct str id, const struct value *document,
                   struct api_error *err)
{
    assert(mapping->added_count == 0);
    struct walk walk = {mapping, id, err};
    if (value_type(document) != VALUE_OBJECT)
        return failed(
            &walk, "not_x_content_exception",
            "Compressor detection can only be called on some xcontent bytes or compressed "
            "xcontent bytes");
    if (!apply_object(&walk, mapping->root, document, 0)) {
        mapping_rollback(mapping);
        return false;
    }
    return mapping->added_count == 0 || mapping_commit(mapping, err);
}
