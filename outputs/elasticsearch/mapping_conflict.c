/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/mapping_conflict.h"

#include <assert.h>

#include "outputs/elasticsearch/encode.h"

enum { TEXT_MAX_BYTES = 1024 * 1024 * 1024 };

static const struct str CONFLICT = STR_INIT("_conflict"), TAGS = STR_INIT("tags"),
                        TAG = STR_INIT("_mappingconflict");

/* ---- what the server says --------------------------------------------------------------------------- */

/* What stands before the field's name in the reasons of servers, and behind it. The first that fits names it. */
static const struct {
    struct str before;
    char end;
} NAMED[] = {
    {STR_INIT("object mapping for ["),
     ']'}, /* tried to parse field [x] as object, but found a concrete value */
    {STR_INIT("Existing mapping for ["), ']'},  /* must be of type object but found [long] */
    {STR_INIT("failed to parse field ["), ']'}, /* of type [long] in document with id … */
    {STR_INIT("a non object mapping ["), ']'},  /* can't merge … with an object mapping */
    {STR_INIT("object mapping ["), ']'},
    {STR_INIT("mapper ["), ']'}, /* cannot be changed from type [long] to [text] */
    {STR_INIT("immense term in field=\\\""), '\\'}, /* as JSON has it in a string */
    {STR_INIT("field ["), ']'},
};

static struct str named_in(struct str reason)
{
    for (size_t i = 0; i < sizeof NAMED / sizeof *NAMED; i++) {
        size_t at = str_find(reason, NAMED[i].before);
        if (at == SIZE_MAX)
            continue;
        struct str rest = str_from_offset(reason, at + NAMED[i].before.len);
        size_t end = str_find(rest, str_make(&NAMED[i].end, 1));
        if (end != SIZE_MAX && end > 0)
            return str_make(rest.ptr, end);
    }
    return STR("");
}

static bool is_mapping_error(struct str type)
{
    return str_equal(type, STR("mapper_parsing_exception")) ||
           str_equal(type, STR("document_parsing_exception")) ||
           str_equal(type, STR("illegal_argument_exception"));
}

struct str mapping_conflict_field(const struct bulk_item *item)
{
    if (item->status != 400 || !is_mapping_error(item->error_type))
        return STR("");
    struct str field = named_in(item->error_reason);
    return field.len > 0 ? field : named_in(item->cause_reason);
}

/* ---- the document ----------------------------------------------------------------------------------- */

/* Where a value stands: its object, and its name there. */
struct place {
    struct value *object;
    struct str name;
};

/* A name may have dots itself, so the longest one that is there comes first. */
static bool find_place(struct value *object, struct str path, struct place *out)
{
    struct value *inner;
    if (value_object_get(object, path)) {
        *out = (struct place){object, path};
        return true;
    }
    for (size_t at = path.len; at-- > 0;) {
        if (path.ptr[at] != '.')
            continue;
        inner = value_object_get(object, str_make(path.ptr, at));
        if (inner && value_type(inner) == VALUE_OBJECT &&
            find_place(inner, str_from_offset(path, at + 1), out))
            return true;
        if (inner && value_type(inner) != VALUE_OBJECT) { /* in a list of objects: the list goes */
            *out = (struct place){object, str_make(path.ptr, at)};
            return true;
        }
    }
    return false;
}

static struct value *conflicts_of(struct arena *arena, struct value *document)
{
    if (!value_object_get(document, CONFLICT))
        value_object_set(arena, document, CONFLICT, value_object_new(arena, 1));
    struct value *conflicts = value_object_get(document, CONFLICT);
    return value_type(conflicts) == VALUE_OBJECT ? conflicts : NULL;
}

static void add_tag(struct arena *arena, struct value *document)
{
    struct value *tags = value_object_get(document, TAGS);
    struct value list = value_array_new(arena, 2);
    if (tags && value_type(tags) == VALUE_ARRAY)
        list = *tags;
    else if (tags && value_type(tags) != VALUE_NULL)
        value_array_push(arena, &list, *tags);
    for (size_t i = 0; i < value_array_count(&list); i++)
        if (value_is_str(value_array_at(&list, i)) &&
            str_equal(value_as_str(value_array_at(&list, i)), TAG))
            return;
    value_array_push(arena, &list, value_str(TAG));
    value_object_set(arena, document, TAGS, list);
}

/* Containers as JSON. */
static struct value text_of(struct arena *arena, const struct value *value)
{
    if (value_type(value) != VALUE_OBJECT && value_type(value) != VALUE_ARRAY)
        return value_str(value_to_text(arena, value));
    struct buf text;
    buf_init(&text, TEXT_MAX_BYTES);
    bool fits = json_encode_value(value, &text);
    assert(fits); /* it came as JSON that was smaller than a request */
    (void)fits;
    struct value result = value_str_dup(arena, buf_str(&text));
    buf_release(&text);
    return result;
}

static bool move_field(struct arena *arena, enum on_mapping_conflict how, struct value *document,
                       struct str field)
{
    struct place place;
    if (str_equal(field, CONFLICT) || str_starts_with(field, STR("_conflict.")) ||
        !find_place(document, field, &place))
        return false;
    struct value value = *value_object_get(place.object, place.name);
    if (how == MAPPING_STRINGIFY && !value_is_str(&value))
        value = text_of(arena, &value);
    value_object_remove(place.object, place.name);
    struct value *conflicts = conflicts_of(arena, document);
    if (!conflicts || value_object_get(conflicts, field))
        return false;
    value_object_set(arena, conflicts, field, value);
    add_tag(arena, document);
    value_settle(document);
    return true;
}

bool mapping_conflict_move(struct json_reader *json, struct arena *arena,
                           enum on_mapping_conflict how, struct str item, struct str field,
                           struct buf *out)
{
    static const struct json_decoding EXACT = {.documents = JSON_ONLY, .keep_decimals = true};
    struct value document;
    struct str text = bulk_document(NULL, item);
    assert(how != MAPPING_DEAD_LETTER);
    if (text.len == 0 || !json_decode_as(json, arena, text, &EXACT, &document, NULL) ||
        value_type(&document) != VALUE_OBJECT || !move_field(arena, how, &document, field))
        return false;
    return buf_append(out, item.ptr, (size_t)(text.ptr - item.ptr)) &&
           json_encode_value(&document, out) && buf_append_char(out, '\n');
}
