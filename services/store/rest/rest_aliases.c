/* SPDX-License-Identifier: Apache-2.0
 *
 * Aliases: shown, set and taken away, one by one or by a list of actions.
 */
#include "services/store/aliases.h"
#include "services/store/glob.h"
#include "services/store/rest/rest.h"

enum { ALIAS_ACTIONS_MAX = 1000 };

/* ---- showing -------------------------------------------------------------------------------------- */

static bool name_matches(struct str names, struct str alias)
{
    struct str part;
    if (names.len == 0)
        return true;
    while (index_expression_next(&names, &part))
        if (str_equal(part, STR("_all")) || glob_match(part, alias))
            return true;
    return false;
}

/* The aliases of an index that the request names, as an object; how many. */
static size_t chosen(struct worker *worker, const struct store_index *index, struct str names,
                     struct value *out)
{
    struct value all;
    struct arena *arena = &worker->scratch;
    struct str text = catalog_column(&worker->catalog, arena, index, "aliases");
    *out = value_object_new(arena, 0);
    if (!json_decode(worker->catalog.json, arena, text, &all, NULL))
        return 0;
    for (size_t i = 0; i < value_object_count(&all); i++) {
        struct str key;
        struct value item = *value_object_at(&all, i, &key);
        if (name_matches(names, key))
            value_object_set(arena, out, key, item);
    }
    return value_object_count(out);
}

/* A plain name that no index has: 404, beside what was found. */
static bool find_missing(const struct index_list *indices, struct str names, struct str *missing)
{
    struct str part;
    while (index_expression_next(&names, &part)) {
        bool found = memchr(part.ptr, '*', part.len) || str_equal(part, STR("_all"));
        for (size_t i = 0; i < indices->count && !found; i++)
            found = aliases_find(indices->items[i], part);
        *missing = part;
        if (!found)
            return true;
    }
    return false;
}

void rest_get_aliases(struct worker *worker, struct rest_request *request)
{
    struct buf *out = &request->answer;
    struct index_list indices;
    struct str missing;
    if (!rest_indices(worker, request, &indices))
        return;
    buf_append_char(out, '{');
    if (find_missing(&indices, request->name, &missing)) {
        struct str text = arena_printf(&worker->scratch, "alias [%.*s] missing", STR_FMT(missing));
        request->status = 404;
        buf_append_str(out, STR("\"error\":"));
        json_encode_str(text, out);
        buf_append_str(out, STR(",\"status\":404"));
    }
    for (size_t i = 0; i < indices.count; i++) {
        struct value aliases;
        if (chosen(worker, indices.items[i], request->name, &aliases) == 0 && request->name.len > 0)
            continue;
        rest_comma(out);
        json_encode_str(indices.items[i]->name, out);
        buf_append_str(out, STR(":{\"aliases\":"));
        json_encode_value(&aliases, out);
        buf_append_char(out, '}');
    }
    buf_append_char(out, '}');
}

/* ---- changing ------------------------------------------------------------------------------------- */

static bool check_new_name(const struct catalog *catalog, struct str name, struct api_error *err)
{
    if (!index_name_check(name, err)) {
        err->type = "invalid_alias_name_exception";
        return false;
    }
    return !catalog_find(catalog, name) ||
           api_error_set(err, 400, "invalid_alias_name_exception",
                         "Invalid alias name [%.*s]: an index or data stream exists with the same "
                         "name as the alias",
                         STR_FMT(name));
}

/* alias NULL: it is taken away. */
static bool change(struct worker *worker, struct store_index *index, struct str name,
                   const struct value *alias, struct api_error *err)
{
    struct value all;
    struct arena *arena = &worker->scratch;
    struct str text = catalog_column(&worker->catalog, arena, index, "aliases");
    if (!json_decode(worker->catalog.json, arena, text, &all, NULL))
        all = value_object_new(arena, 1);
    if (alias)
        value_object_set(arena, &all, name, *alias);
    else
        (void)value_object_remove(&all, name);
    return catalog_put_aliases(&worker->catalog, index, &all, err);
}

static bool add_alias(struct worker *worker, const struct index_list *indices, struct str name,
                      const struct value *alias, struct api_error *err)
{
    if (!check_new_name(&worker->catalog, name, err))
        return false;
    for (size_t i = 0; i < indices->count; i++)
        if (!change(worker, indices->items[i], name, alias, err))
            return false;
    return true;
}

static bool remove_alias(struct worker *worker, const struct index_list *indices, struct str name,
                         struct api_error *err)
{
    bool any = false;
    for (size_t i = 0; i < indices->count; i++)
        for (size_t at = indices->items[i]->alias_count; at-- > 0;) {
            struct str own = indices->items[i]->aliases[at].name;
            if (!name_matches(name, own))
                continue;
            any = true;
            if (!change(worker, indices->items[i], arena_dup(&worker->scratch, own), NULL, err))
                return false;
        }
    return any || api_error_set(err, 404, "aliases_not_found_exception", "aliases [%.*s] missing",
                                STR_FMT(name));
}

static bool concrete(struct worker *worker, struct str expression, struct index_list *out,
                     struct api_error *err)
{
    struct index_selection which = {.expression = expression, .concrete = true};
    return catalog_resolve(&worker->catalog, &worker->scratch, which, out, err);
}

static void finish(struct rest_request *request, bool done, const struct api_error *err)
{
    if (done)
        rest_acknowledge(request);
    else
        rest_error(request, err);
}

/* The settings of an alias: what stands beside the names. */
static struct value settings_of(struct arena *arena, const struct value *body)
{
    struct value settings = value_object_new(arena, 1);
    for (size_t i = 0; i < value_object_count(body); i++) {
        struct str key;
        struct value item = *value_object_at(body, i, &key);
        if (!str_equal(key, STR("index")) && !str_equal(key, STR("indices")) &&
            !str_equal(key, STR("alias")) && !str_equal(key, STR("aliases")) &&
            !str_equal(key, STR("must_exist")))
            value_object_set(arena, &settings, key, item);
    }
    return settings;
}

void rest_put_alias(struct worker *worker, struct rest_request *request)
{
    struct value body, alias;
    struct index_list indices;
    struct api_error err;
    if (!rest_body(worker, request, &body))
        return;
    alias = settings_of(&worker->scratch, &body);
    finish(request,
           concrete(worker, request->index, &indices, &err) &&
               add_alias(worker, &indices, request->name, &alias, &err),
           &err);
}

void rest_delete_alias(struct worker *worker, struct rest_request *request)
{
    struct index_list indices;
    struct api_error err;
    finish(request,
           concrete(worker, request->index, &indices, &err) &&
               remove_alias(worker, &indices, request->name, &err),
           &err);
}

/* ---- a list of actions ---------------------------------------------------------------------------- */

/* "index" or "indices", a text or a list of texts, as one expression. */
static struct str names_of(struct arena *arena, const struct value *action, struct str one,
                           struct str many)
{
    const struct value *value = value_object_get(action, one);
    if (!value)
        value = value_object_get(action, many);
    if (value_is_str(value))
        return value_as_str(value);
    struct str joined = {0};
    for (size_t i = 0; value && value_type(value) == VALUE_ARRAY && i < value_array_count(value);
         i++)
        if (value_is_str(value_array_at(value, i)))
            joined = arena_printf(arena, "%.*s%s%.*s", STR_FMT(joined), joined.len ? "," : "",
                                  STR_FMT(value_as_str(value_array_at(value, i))));
    return joined;
}

static bool act(struct worker *worker, struct str kind, const struct value *action,
                struct api_error *err)
{
    struct arena *arena = &worker->scratch;
    struct str index = names_of(arena, action, STR("index"), STR("indices"));
    struct str names = names_of(arena, action, STR("alias"), STR("aliases")), name;
    struct index_list indices;
    struct value alias = settings_of(arena, action);
    if (index.len == 0)
        return api_error_set(err, 400, "illegal_argument_exception",
                             "One of [index] or [indices] is required");
    if (!concrete(worker, index, &indices, err))
        return false;
    if (str_equal(kind, STR("remove_index"))) {
        for (size_t i = 0; i < indices.count; i++)
            if (!catalog_drop(&worker->catalog, indices.items[i]))
                return catalog_failed(&worker->catalog, err);
        return true;
    }
    if (names.len == 0)
        return api_error_set(err, 400, "illegal_argument_exception",
                             "One of [alias] or [aliases] is required");
    if (str_equal(kind, STR("remove")))
        return remove_alias(worker, &indices, names, err);
    if (!str_equal(kind, STR("add")))
        return api_error_set(err, 400, "x_content_parse_exception",
                             "[alias_action] unknown field [%.*s]", STR_FMT(kind));
    while (index_expression_next(&names, &name))
        if (!add_alias(worker, &indices, name, &alias, err))
            return false;
    return true;
}

/* In their order, up to the first that fails. */
static bool act_all(struct worker *worker, const struct value *body, struct api_error *err)
{
    const struct value *actions = value_object_get(body, STR("actions"));
    if (!actions || value_type(actions) != VALUE_ARRAY ||
        value_array_count(actions) > ALIAS_ACTIONS_MAX)
        return api_error_set(err, 400, "illegal_argument_exception", "No action specified");
    for (size_t i = 0; i < value_array_count(actions); i++) {
        const struct value *item = value_array_at(actions, i);
        struct str kind;
        if (value_type(item) != VALUE_OBJECT || value_object_count(item) != 1 ||
            value_type(value_object_at(item, 0, &kind)) != VALUE_OBJECT)
            return api_error_set(err, 400, "illegal_argument_exception",
                                 "an action must be an object such as {\"add\":{…}}");
        if (!act(worker, kind, value_object_at(item, 0, &kind), err))
            return false;
    }
    return true;
}

void rest_change_aliases(struct worker *worker, struct rest_request *request)
{
    struct value body;
    struct api_error err;
    if (rest_body(worker, request, &body))
        finish(request, act_all(worker, &body, &err), &err);
}
