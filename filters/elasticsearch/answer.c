/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "filters/elasticsearch/search.h"

#define METADATA_FIELD(literal)                                                                    \
    {                                                                                              \
        .root = FIELD_ROOT_METADATA, .parts = (struct field_part[]){FIELD_PART(literal)},          \
        .count = 1                                                                                 \
    }
static const struct field_ref total_hits_ref = METADATA_FIELD("total_hits");
static const struct field_ref total_values_ref = METADATA_FIELD("total_values");

/* ---- fields --------------------------------------------------------------------------------------- */

/* "[a][b]" is a path, anything else the name of one field. */
static void split_path(struct arena *arena, struct str text, struct search_field *out)
{
    out->path = arena_alloc(arena, (text.len / 2 + 1) * sizeof *out->path);
    out->path_count = 0;
    if (!str_starts_with(text, STR("[")) || !str_ends_with(text, STR("]"))) {
        out->path[out->path_count++] = text;
        return;
    }
    text = str_make(text.ptr + 1, text.len - 2);
    for (;;) {
        size_t at = str_find(text, STR("]["));
        out->path[out->path_count++] = str_make(text.ptr, at == SIZE_MAX ? text.len : at);
        if (at == SIZE_MAX)
            return;
        text = str_from_offset(text, at + 2);
    }
}

/* "a" below "[t]" is "[t][a]". */
static struct str below(struct arena *arena, struct str target, struct str name)
{
    const char *open = str_starts_with(name, STR("[")) ? "" : "[";
    if (target.len == 0)
        return name;
    const char *outer = str_starts_with(target, STR("[")) ? "" : "[";
    return arena_printf(arena, "%s%.*s%s%s%.*s%s", outer, STR_FMT(target), *outer ? "]" : "", open,
                        STR_FMT(name), *open ? "]" : "");
}

bool search_fields_compile(const struct plugin_env *env, const struct option_hash *pairs,
                           struct str target, struct search_fields *out, struct error *err)
{
    *out =
        (struct search_fields){.items = arena_zero(env->arena, pairs->count * sizeof *out->items)};
    for (size_t i = 0; i < pairs->count; i++) {
        struct search_field *field = &out->items[out->count++];
        struct str name = pairs->pairs[i].value.text;
        split_path(env->arena, pairs->pairs[i].key.text, field);
        if (!name.ptr || !field_ref_parse(env->arena, below(env->arena, target, name),
                                          env->settings->escape, &field->target, err))
            return error_set_at(err, pairs->pairs[i].value.position, "is not a field reference");
    }
    return true;
}

/* ---- hits ----------------------------------------------------------------------------------------- */

/* NULL when there is no such thing. */
static const struct value *look(const struct value *object, const struct str *path, size_t count)
{
    for (size_t i = 0; object && i < count; i++)
        object = value_type(object) == VALUE_OBJECT ? value_object_get(object, path[i]) : NULL;
    return object;
}

static const struct value *member(const struct value *object, const char *name)
{
    struct str path = str_from(name);
    return look(object, &path, 1);
}

/* Copied: the same part of an answer may go to several fields. */
static struct value or_null(struct arena *arena, const struct value *value)
{
    return value ? value_dup(arena, value) : value_null();
}

/* One hit gives a value, several a list of theirs; what a hit lacks is null. */
static bool take_fields(const struct search_fields *fields, const struct value *hits,
                        const char *source, struct event *event)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct search_field *field = &fields->items[i];
        struct value list = value_array_new(event->arena, value_array_count(hits));
        for (size_t hit = 0; hit < value_array_count(hits); hit++) {
            const struct value *from = value_array_at(hits, hit);
            if (source)
                from = member(from, source);
            value_array_push(event->arena, &list,
                             or_null(event->arena, look(from, field->path, field->path_count)));
        }
        bool alone = value_array_count(&list) == 1;
        if (!event_set(event, &field->target, alone ? *value_array_at(&list, 0) : list, NULL))
            return false;
    }
    return true;
}

static bool take_aggregations(const struct search_fields *fields, const struct value *all,
                              struct event *event)
{
    for (size_t i = 0; i < fields->count; i++) {
        const struct search_field *field = &fields->items[i];
        const struct value *value = look(all, field->path, field->path_count);
        if (!event_set(event, &field->target, or_null(event->arena, value), NULL))
            return false;
    }
    return true;
}

static bool is_object_with_members(const struct value *value)
{
    return value && value_type(value) == VALUE_OBJECT && value_object_count(value) > 0;
}

static bool take_search(const struct search_answer *answer, const struct value *document,
                        struct event *event, bool *matched_out)
{
    const struct value *shards = member(document, "_shards"), *all = member(document, "hits");
    if (!shards || !all || member(shards, "failures"))
        return false;
    const struct value *total = member(all, "total"), *inside = member(total, "value");
    const struct value *hits = member(all, "hits"),
                       *aggregations = member(document, "aggregations");
    if (!event_set(event, &total_hits_ref, or_null(event->arena, inside ? inside : total), NULL))
        return false;
    if (hits && value_type(hits) == VALUE_ARRAY && value_array_count(hits) > 0) {
        *matched_out = true;
        if (!take_fields(answer->fields, hits, "_source", event) ||
            !take_fields(answer->docinfo, hits, NULL, event))
            return false;
    }
    if (!is_object_with_members(aggregations))
        return true;
    *matched_out = true;
    return take_aggregations(answer->aggregations, aggregations, event);
}

/* ---- rows of ES|QL -------------------------------------------------------------------------------- */

static struct str column_name(const struct value *columns, size_t at)
{
    const struct value *name =
        at < value_array_count(columns) ? member(value_array_at(columns, at), "name") : NULL;
    return name && value_is_str(name) ? value_as_str(name) : STR("");
}

/* "a.b" is [a][b]. */
static bool set_column(const struct search_answer *answer, struct event *event, struct str name,
                       struct value value)
{
    struct field_ref ref;
    struct str text = STR("");
    while (name.len > 0) {
        size_t dot = str_find(name, STR("."));
        struct str part = str_make(name.ptr, dot == SIZE_MAX ? name.len : dot);
        text = arena_printf(event->arena, "%.*s[%.*s]", STR_FMT(text), STR_FMT(part));
        name = dot == SIZE_MAX ? STR("") : str_from_offset(name, dot + 1);
    }
    return text.len > 0 && field_ref_parse(event->arena, text, answer->escape, &ref, NULL) &&
           event_set(event, &ref, value, NULL);
}

static bool take_first_row(const struct search_answer *answer, const struct value *columns,
                           const struct value *row, struct event *event)
{
    for (size_t i = 0; i < value_array_count(row); i++) {
        const struct value *value = value_array_at(row, i);
        if (value_type(value) != VALUE_NULL &&
            !set_column(answer, event, column_name(columns, i), *value))
            return false;
    }
    return true;
}

static struct value row_object(struct arena *arena, const struct value *columns,
                               const struct value *row)
{
    struct value object = value_object_new(arena, value_array_count(row));
    for (size_t i = 0; i < value_array_count(row); i++)
        value_object_set(arena, &object, column_name(columns, i), *value_array_at(row, i));
    return object;
}

static bool take_rows(const struct search_answer *answer, const struct value *document,
                      struct event *event, bool *matched_out)
{
    const struct value *columns = member(document, "columns"), *rows = member(document, "values");
    if (!columns || !rows || value_type(columns) != VALUE_ARRAY || value_type(rows) != VALUE_ARRAY)
        return false;
    size_t count = value_array_count(rows);
    for (size_t i = 0; i < count; i++)
        if (value_type(value_array_at(rows, i)) != VALUE_ARRAY)
            return false;
    if (!event_set(event, &total_values_ref, value_int((int64_t)count), NULL))
        return false;
    *matched_out = count > 0;
    if (count == 0)
        return true;
    if (!answer->rows_target)
        return take_first_row(answer, columns, value_array_at(rows, 0), event);
    struct value list = value_array_new(event->arena, count);
    for (size_t i = 0; i < count; i++)
        value_array_push(event->arena, &list,
                         row_object(event->arena, columns, value_array_at(rows, i)));
    return event_set(event, answer->rows_target, list, NULL);
}

bool search_answer_take(const struct search_answer *answer, const struct value *document,
                        struct event *event, bool *matched_out)
{
    assert(!*matched_out);
    if (value_type(document) != VALUE_OBJECT)
        return false;
    return answer->type == QUERY_ESQL ? take_rows(answer, document, event, matched_out)
                                      : take_search(answer, document, event, matched_out);
}
