/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/template.h"

#include <assert.h>
#include <stdlib.h>

#include "services/store/glob.h"

enum { SETTINGS_DEPTH_MAX = 20, TEMPLATE_NAME_MAX = 255 };

struct stored_template {
    enum template_kind kind;
    struct value body;
    int64_t order; /* or priority */
};

static const struct value *member(const struct value *object, struct str key)
{
    return object && value_type(object) == VALUE_OBJECT ? value_object_get(object, key) : NULL;
}

/* ---- settings ---- */

static struct value *object_in(struct arena *arena, struct value *parent, struct str key)
{
    struct value *inner = value_object_get(parent, key);
    if (!inner || value_type(inner) != VALUE_OBJECT) {
        value_object_set(arena, parent, key, value_object_new(arena, 4));
        inner = value_object_get(parent, key);
    }
    return inner;
}

static void set_path(struct arena *arena, struct value *settings, struct str path,
                     struct value item)
{
    for (const char *dot; (dot = memchr(path.ptr, '.', path.len)) != NULL;) {
        struct str part = str_make(path.ptr, (size_t)(dot - path.ptr));
        settings = object_in(arena, settings, part);
        path = str_from_offset(path, part.len + 1);
    }
    value_object_set(arena, settings, path, item);
}

static struct value setting_text(struct arena *arena, const struct value *given)
{
    if (value_type(given) == VALUE_ARRAY || value_type(given) == VALUE_NULL)
        return value_dup(arena, given);
    return value_str_dup(arena, value_to_text(arena, given));
}

static bool add_settings(struct arena *arena, struct value *settings, struct str prefix,
                         const struct value *given, unsigned depth)
{
    if (depth > SETTINGS_DEPTH_MAX)
        return false;
    for (size_t i = 0; i < value_object_count(given); i++) {
        struct str key;
        const struct value *item = value_object_at(given, i, &key);
        struct str path = prefix.len > 0
                              ? arena_printf(arena, "%.*s.%.*s", STR_FMT(prefix), STR_FMT(key))
                              : arena_dup(arena, key);
        if (value_type(item) == VALUE_OBJECT) {
            if (!add_settings(arena, settings, path, item, depth + 1))
                return false;
            continue;
        }
        if (str_starts_with(path, STR("index.")))
            path = str_from_offset(path, 6);
        size_t dots = 0;
        for (size_t at = 0; at < path.len; at++)
            dots += path.ptr[at] == '.';
        if (path.len == 0 || dots > SETTINGS_DEPTH_MAX)
            return false;
        set_path(arena, settings, path, setting_text(arena, item));
    }
    return true;
}

bool settings_add(struct arena *arena, struct value *settings, const struct value *given,
                  struct api_error *err)
{
    if (value_type(given) != VALUE_OBJECT || !add_settings(arena, settings, STR(""), given, 0))
        return api_error_set(err, 400, "settings_exception",
                             "settings must be an object of names and values, not too deep");
    return true;
}

/* ---- what an index begins with ---- */

bool template_apply(struct template_content *content, struct arena *arena, const struct value *body,
                    struct api_error *err)
{
    const struct value *settings = member(body, STR("settings"));
    const struct value *mappings = member(body, STR("mappings"));
    const struct value *aliases = member(body, STR("aliases"));
    if (settings && value_type(settings) != VALUE_NULL &&
        !settings_add(arena, &content->settings, settings, err))
        return false;
    for (size_t i = 0;
         aliases && value_type(aliases) == VALUE_OBJECT && i < value_object_count(aliases); i++) {
        struct str key;
        struct value item = value_dup(arena, value_object_at(aliases, i, &key));
        value_object_set(arena, &content->aliases, arena_dup(arena, key), item);
    }
    return !mappings || value_type(mappings) == VALUE_NULL ||
           mapping_merge(content->mapping, mappings, err);
}

static bool patterns_match(const struct value *patterns, struct str name)
{
    if (value_is_str(patterns))
        return glob_match(value_as_str(patterns), name);
    for (size_t i = 0;
         patterns && value_type(patterns) == VALUE_ARRAY && i < value_array_count(patterns); i++) {
        const struct value *pattern = value_array_at(patterns, i);
        if (value_is_str(pattern) && glob_match(value_as_str(pattern), name))
            return true;
    }
    return false;
}

static int64_t number_of(const struct value *body, struct str key)
{
    const struct value *number = member(body, key);
    int64_t result = 0;
    if (number && value_type(number) == VALUE_INT)
        result = value_as_int(number);
    else if (value_is_str(number))
        str_to_int(value_as_str(number), &result);
    return result;
}

static int by_order(const void *a, const void *b)
{
    int64_t left = ((const struct stored_template *)a)->order,
            right = ((const struct stored_template *)b)->order;
    return (left > right) - (left < right);
}

struct matching {
    struct stored_template *items;
    size_t count;
    const struct stored_template *best; /* of the composable ones */
};

static void load_matching(struct matching *matching, struct arena *arena, struct database *database,
                          struct str name)
{
    size_t capacity = (size_t)database_number(database, "SELECT count(*) FROM templates");
    matching->items = arena_zero(arena, (capacity + 1) * sizeof *matching->items);
    struct json_reader *json = json_reader_new();
    sqlite3_stmt *rows =
        database_prepare(database, "SELECT kind, body FROM templates ORDER BY kind, name");
    while (database_step(database, rows) && matching->count < capacity) {
        struct stored_template *item = &matching->items[matching->count];
        struct str text = arena_dup(arena, database_text(rows, 1));
        if (!json_decode(json, arena, text, &item->body, NULL) ||
            !patterns_match(member(&item->body, STR("index_patterns")), name))
            continue;
        item->kind =
            sqlite3_column_int(rows, 0) == TEMPLATE_LEGACY ? TEMPLATE_LEGACY : TEMPLATE_COMPOSABLE;
        item->order =
            number_of(&item->body, item->kind == TEMPLATE_LEGACY ? STR("order") : STR("priority"));
        matching->count++;
    }
    sqlite3_finalize(rows);
    json_reader_free(json);
    qsort(matching->items, matching->count, sizeof *matching->items, by_order);
    for (size_t i = 0; i < matching->count; i++)
        if (matching->items[i].kind == TEMPLATE_COMPOSABLE)
            matching->best = &matching->items[i];
}

bool template_apply_stored(struct template_content *content, struct arena *arena,
                           struct database *database, struct str index_name, struct api_error *err)
{
    struct matching matching = {0};
    load_matching(&matching, arena, database, index_name);
    if (matching.best) {
        const struct value *inner = member(&matching.best->body, STR("template"));
        return !inner || template_apply(content, arena, inner, err);
    }
    for (size_t i = 0; i < matching.count; i++)
        if (!template_apply(content, arena, &matching.items[i].body, err))
            return false;
    return true;
}

/* ---- storing ---- */

static bool has_patterns(const struct value *body)
{
    const struct value *patterns = member(body, STR("index_patterns"));
    if (value_is_str(patterns))
        return value_as_str(patterns).len > 0;
    return patterns && value_type(patterns) == VALUE_ARRAY && value_array_count(patterns) > 0;
}

static bool check_content(struct arena *arena, const struct value *content, struct api_error *err)
{
    struct template_content trial = {mapping_new(), value_object_new(arena, 8),
                                     value_object_new(arena, 2)};
    bool good = template_apply(&trial, arena, content, err);
    mapping_free(trial.mapping);
    return good;
}

static bool check_keys(const struct value *body, const char *const *known, struct api_error *err)
{
    for (size_t i = 0; i < value_object_count(body); i++) {
        struct str key;
        value_object_at(body, i, &key);
        const char *const *at = known;
        while (*at && !str_equal(key, str_from(*at)))
            at++;
        if (!*at)
            return api_error_set(err, 400, "x_content_parse_exception",
                                 "[index_template] unknown field [%.*s]", STR_FMT(key));
    }
    return true;
}

bool template_check(enum template_kind kind, struct arena *arena, struct str name,
                    const struct value *body, struct api_error *err)
{
    static const char *const COMPOSABLE[] = {"index_patterns", "template",          "priority",
                                             "composed_of",    "version",           "_meta",
                                             "data_stream",    "allow_auto_create", NULL};
    if (name.len == 0 || name.len > TEMPLATE_NAME_MAX || memchr(name.ptr, '*', name.len) ||
        name.ptr[0] == '_')
        return api_error_set(err, 400, "invalid_index_template_exception",
                             "index_template [%.*s] invalid, cause [the name is empty or too long, "
                             "starts with '_' or has a '*']",
                             name.len > TEMPLATE_NAME_MAX ? TEMPLATE_NAME_MAX : (int)name.len,
                             name.ptr);
    if (value_type(body) != VALUE_OBJECT || !has_patterns(body))
        return api_error_set(err, 400, "action_request_validation_exception",
                             "Validation Failed: 1: index patterns are missing;");
    if (kind == TEMPLATE_LEGACY)
        return check_content(arena, body, err);
    const struct value *parts = member(body, STR("composed_of"));
    if (parts && value_type(parts) == VALUE_ARRAY && value_array_count(parts) > 0)
        return api_error_set(err, 501, "unsupported_operation_exception",
                             "component templates [composed_of] are not supported");
    const struct value *inner = member(body, STR("template"));
    return check_keys(body, COMPOSABLE, err) && (!inner || check_content(arena, inner, err));
}
