/* SPDX-License-Identifier: Apache-2.0
 *
 * The tree of fields.
 */
#include "services/store/mapping/mapping.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/event/event_json.h"
#include "services/store/mapping/mapping_private.h"

enum { CHILDREN_LINEAR_MAX = 12, MAPPING_JSON_MAX = 64 * 1024 * 1024 };

/* ---- fields --------------------------------------------------------------------------------------- */

static struct str path_of(const struct field *parent, struct str name)
{
    size_t before = parent && parent->path.len ? parent->path.len + 1 : 0;
    char *text = mem_alloc(before + name.len + 1);
    if (before) {
        memcpy(text, parent->path.ptr, parent->path.len);
        text[before - 1] = '.';
    }
    if (name.len)
        memcpy(text + before, name.ptr, name.len);
    text[before + name.len] = 0;
    return str_make(text, before + name.len);
}

static struct field *field_new(struct field *parent, struct str name, enum field_type type)
{
    struct field *field = mem_zero(1, sizeof *field);
    field->parent = parent;
    field->path = path_of(parent, name);
    field->name = str_make(field->path.ptr + field->path.len - name.len, name.len);
    field->type = type;
    field->type_name = field_type_name(type);
    field->is_multi_field = parent && parent->type != FIELD_OBJECT;
    if (type == FIELD_DATE)
        field->format = date_layout_default();
    return field;
}

/* path and params are memory of the field; struct str has them as borrowed. */
static void free_text(struct str text)
{
    union {
        const char *borrowed;
        char *own;
    } as = {text.ptr};
    mem_free(as.own);
}

static void field_free(struct field *field)
{
    for (size_t i = 0; i < field->count; i++)
        field_free(field->children[i]);
    if (field->index) {
        map_release(field->index);
        mem_free(field->index);
    }
    mem_free(field->children);
    free_text(field->path);
    free_text(field->params);
    mem_free(field);
}

void field_set_params(struct field *field, struct str params)
{
    free_text(field->params);
    char *copy = mem_alloc(params.len + 1);
    memcpy(copy, params.len ? params.ptr : "", params.len);
    field->params = str_make(copy, params.len);
}

static void index_children(struct field *object)
{
    object->index = mem_alloc(sizeof *object->index);
    map_init(object->index);
    for (size_t i = 0; i < object->count; i++)
        map_set(object->index, object->children[i]->name, object->children[i]);
}

static struct field *search_child(struct field *object, struct str name)
{
    if (object->index)
        return map_get(object->index, name);
    for (size_t i = 0; i < object->count; i++) {
        if (str_equal(object->children[i]->name, name)) {
            object->last = i;
            return object->children[i];
        }
    }
    return NULL;
}

struct field *field_child(struct field *object, struct str name)
{
    size_t next = object->last + 1 < object->count ? object->last + 1 : 0;
    if (next < object->count && str_equal(object->children[next]->name, name)) {
        object->last = next;
        return object->children[next];
    }
    return search_child(object, name);
}

enum field_dynamic field_dynamic(const struct field *object)
{
    while (object->dynamic == DYNAMIC_INHERITED && object->parent)
        object = object->parent;
    return object->dynamic == DYNAMIC_INHERITED ? DYNAMIC_TRUE : object->dynamic;
}

const char *field_type_name(enum field_type type)
{
    static const char *const NAMES[] = {"object",  "keyword", "text",       "byte",  "short",
                                        "integer", "long",    "half_float", "float", "double",
                                        "boolean", "date",    "ip",         "opaque"};
    assert(type <= FIELD_OPAQUE);
    return NAMES[type];
}

/* ---- adding and taking back ------------------------------------------------------------------------ */

struct field *mapping_add(struct mapping *mapping, struct field *parent, struct str name,
                          enum field_type type)
{
    assert(name.len > 0 && parent);
    struct field *field = field_new(parent, name, type);
    parent->children =
        mem_grow(parent->children, parent->count, &parent->capacity, sizeof *parent->children);
    parent->children[parent->count++] = field;
    if (parent->index)
        map_set(parent->index, field->name, field);
    else if (parent->count > CHILDREN_LINEAR_MAX)
        index_children(parent);
    mapping->added = mem_grow(mapping->added, mapping->added_count, &mapping->added_capacity,
                              sizeof *mapping->added);
    mapping->added[mapping->added_count++] = field;
    mapping->field_count++;
    return field;
}

void mapping_rollback(struct mapping *mapping)
{
    while (mapping->added_count > 0) {
        struct field *field = mapping->added[--mapping->added_count];
        struct field *parent = field->parent;
        assert(field->count == 0 && parent->children[parent->count - 1] == field);
        if (parent->index)
            map_remove(parent->index, field->name);
        parent->count--;
        parent->last = 0;
        mapping->field_count--;
        field_free(field);
    }
}

bool mapping_commit(struct mapping *mapping, struct api_error *err)
{
    if (mapping->field_count > MAPPING_FIELDS_MAX) {
        mapping_rollback(mapping);
        return api_error_set(err, 400, "illegal_argument_exception",
                             "Limit of total fields [%d] has been exceeded", MAPPING_FIELDS_MAX);
    }
    mapping->version++;
    mapping->added_count = 0;
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

struct mapping *mapping_new(void)
{
    struct mapping *mapping = mem_zero(1, sizeof *mapping);
    mapping->root = field_new(NULL, STR(""), FIELD_OBJECT);
    mapping->date_detection = true;
    mapping->version = 1;
    arena_init(&mapping->arena, NULL);
    map_init(&mapping->formats);
    return mapping;
}

void mapping_free(struct mapping *mapping)
{
    if (!mapping)
        return;
    field_free(mapping->root);
    map_release(&mapping->formats);
    arena_release(&mapping->arena);
    mem_free(mapping->templates);
    mem_free(mapping->added);
    mem_free(mapping);
}

struct mapping *mapping_dup(const struct mapping *mapping)
{
    struct buf text;
    struct arena arena;
    buf_init(&text, MAPPING_JSON_MAX);
    arena_init(&arena, NULL);
    struct json_reader *reader = json_reader_new();
    struct mapping *copy = mapping_new();
    struct value tree;
    struct error syntax;
    struct api_error err;
    if (!mapping_write(mapping, &text) ||
        !json_decode(reader, &arena, buf_str(&text), &tree, &syntax) ||
        !mapping_merge(copy, &tree, &err))
        mem_abort("a mapping cannot be read back");
    copy->version = mapping->version;
    json_reader_free(reader);
    arena_release(&arena);
    buf_release(&text);
    return copy;
}

uint64_t mapping_version(const struct mapping *mapping)
{
    return mapping->version;
}

const struct date_layout *mapping_format(struct mapping *mapping, struct str text,
                                         struct error *err)
{
    struct date_layout *known = map_get(&mapping->formats, text);
    if (known || str_equal(text, date_layout_text(date_layout_default())))
        return known ? known : date_layout_default();
    union {
        const struct date_layout *constant;
        void *stored;
    } format = {date_layout_compile(&mapping->arena, text, err)};
    if (format.constant)
        map_set(&mapping->formats, text, format.stored);
    return format.constant;
}

const struct field *mapping_find(const struct mapping *mapping, struct str path)
{
    struct field *field = mapping->root;
    while (path.len > 0 && field) {
        const char *dot = memchr(path.ptr, '.', path.len);
        struct str part = dot ? str_make(path.ptr, (size_t)(dot - path.ptr)) : path;
        field = search_child(field, part);
        path = str_from_offset(path, dot ? part.len + 1 : part.len);
        if (dot && path.len == 0)
            return NULL;
    }
    return field;
}
