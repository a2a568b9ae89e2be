/* SPDX-License-Identifier: Apache-2.0
 *
 * What fields there are, and what can be done with each: clients such as Grafana offer fields by it.
 */
#include "services/store/glob.h"
#include "services/store/mapping/mapping_field.h"
#include "services/store/rest/rest.h"

struct gathering {
    struct arena *arena;
    struct str wanted; /* names and patterns */
    struct str index;  /* whose fields are looked at */
    struct value fields;
};

static bool is_wanted(struct str wanted, struct str path)
{
    struct str part;
    while (index_expression_next(&wanted, &part))
        if (glob_match(part, path))
            return true;
    return false;
}

static struct value *place(struct arena *arena, struct value *object, struct str key)
{
    if (!value_object_get(object, key))
        value_object_set(arena, object, key, value_object_new(arena, 4));
    return value_object_get(object, key);
}

/* True in all indices, or not at all. */
static void say(struct arena *arena, struct value *caps, struct str key, bool is_so)
{
    const struct value *said = value_object_get(caps, key);
    value_object_set(arena, caps, key, value_bool(is_so && (!said || value_as_bool(said))));
}

static void add(struct gathering *gathering, const struct field *field)
{
    struct arena *arena = gathering->arena;
    bool is_value = field->type != FIELD_OBJECT && field->type != FIELD_OPAQUE;
    struct str type = field->type == FIELD_OBJECT ? STR("object") : str_from(field->type_name);
    struct value *caps =
        place(arena, place(arena, &gathering->fields, arena_dup(arena, field->path)), type);
    value_object_set(arena, caps, STR("type"), value_str(type));
    say(arena, caps, STR("searchable"), is_value && !field->is_search_disabled);
    say(arena, caps, STR("aggregatable"),
        is_value && field->type != FIELD_TEXT && !field->has_no_doc_values);
    struct value *indices = value_object_get(caps, STR("indices"));
    if (!indices) {
        value_object_set(arena, caps, STR("indices"), value_array_new(arena, 1));
        indices = value_object_get(caps, STR("indices"));
    }
    value_array_push(arena, indices, value_str_dup(arena, gathering->index));
}

/* Mappings have a limit of depth. */
static void gather(struct gathering *gathering, const struct field *field)
{
    if (field->path.len > 0 && is_wanted(gathering->wanted, field->path))
        add(gathering, field);
    for (size_t i = 0; i < field->count; i++)
        gather(gathering, field->children[i]);
}

/* Which indices a type is of is said only where there is more than one type. */
static void leave_out_indices(struct value *fields)
{
    for (size_t i = 0; i < value_object_count(fields); i++) {
        struct str path, type;
        struct value *types = value_object_at(fields, i, &path);
        if (value_object_count(types) == 1)
            value_object_remove(value_object_at(types, 0, &type), STR("indices"));
    }
}

static bool read_wanted(struct worker *worker, struct rest_request *request, struct str *out)
{
    struct value body;
    struct api_error err;
    if (!rest_body(worker, request, &body))
        return false;
    *out = rest_param(request, STR("fields"));
    const struct value *list = value_object_get(&body, STR("fields"));
    for (size_t i = 0; list && value_type(list) == VALUE_ARRAY && i < value_array_count(list); i++)
        if (value_is_str(value_array_at(list, i)))
            *out = arena_printf(&worker->scratch, "%.*s%s%.*s", STR_FMT(*out), out->len ? "," : "",
                                STR_FMT(value_as_str(value_array_at(list, i))));
    if (list && value_is_str(list))
        *out = value_as_str(list);
    if (out->len > 0)
        return true;
    api_error_set(&err, 400, "illegal_argument_exception",
                  "specified fields can't be null or empty");
    rest_error(request, &err);
    return false;
}

void rest_field_caps(struct worker *worker, struct rest_request *request)
{
    struct arena *arena = &worker->scratch;
    struct gathering gathering = {.arena = arena, .fields = value_object_new(arena, 16)};
    struct index_list indices;
    struct api_error err;
    if (!read_wanted(worker, request, &gathering.wanted) ||
        !rest_indices(worker, request, &indices))
        return;
    struct value names = value_array_new(arena, indices.count);
    for (size_t i = 0; i < indices.count; i++) {
        gathering.index = indices.items[i]->name;
        value_array_push(arena, &names, value_str_dup(arena, gathering.index));
        if (!catalog_need_mapping(&worker->catalog, indices.items[i])) {
            catalog_failed(&worker->catalog, &err);
            rest_error(request, &err);
            return;
        }
        gather(&gathering, mapping_find(indices.items[i]->mapping, STR("")));
    }
    leave_out_indices(&gathering.fields);
    buf_append_str(&request->answer, STR("{\"indices\":"));
    json_encode_value(&names, &request->answer);
    buf_append_str(&request->answer, STR(",\"fields\":"));
    json_encode_value(&gathering.fields, &request->answer);
    buf_append_char(&request->answer, '}');
}
