/* SPDX-License-Identifier: Apache-2.0
 *
 * Indices: created, deleted, and what is known of them.
 */
#include <assert.h>

#include "services/store/rest/rest.h"
#include "services/store/template.h"

/* ---- creating and deleting ---- */

static bool check_keys(const struct value *body, struct api_error *err)
{
    for (size_t i = 0; i < value_object_count(body); i++) {
        struct str key;
        value_object_at(body, i, &key);
        if (!str_equal(key, STR("settings")) && !str_equal(key, STR("mappings")) &&
            !str_equal(key, STR("aliases")))
            return api_error_set(err, 400, "parse_exception", "unknown key [%.*s] for create index",
                                 STR_FMT(key));
    }
    return true;
}

void rest_create_index(struct worker *worker, struct rest_request *request)
{
    struct value body;
    struct api_error err;
    if (!rest_body(worker, request, &body))
        return;
    if (!check_keys(&body, &err) ||
        !catalog_create(&worker->catalog, request->index, &body, &err)) {
        rest_error(request, &err);
        return;
    }
    buf_append_str(&request->answer,
                   STR("{\"acknowledged\":true,\"shards_acknowledged\":true,\"index\":"));
    json_encode_str(request->index, &request->answer);
    buf_append_char(&request->answer, '}');
}

void rest_delete_index(struct worker *worker, struct rest_request *request)
{
    struct index_list indices;
    struct api_error err;
    struct index_selection which = rest_selection(request);
    which.concrete = true;
    if (!catalog_resolve(&worker->catalog, &worker->scratch, which, &indices, &err)) {
        rest_error(request, &err);
        return;
    }
    for (size_t i = 0; i < indices.count; i++)
        if (!catalog_drop(&worker->catalog, indices.items[i]))
            return;
    rest_acknowledge(request);
}

void rest_has_index(struct worker *worker, struct rest_request *request)
{
    struct index_list indices;
    rest_indices(worker, request, &indices);
}

/* ---- what is known of them ---- */

static void write_settings(struct worker *worker, const struct store_index *index, struct buf *out)
{
    struct value settings;
    struct arena *arena = &worker->scratch;
    struct str text = catalog_column(&worker->catalog, arena, index, "settings");
    if (!json_decode(worker->catalog.json, arena, text, &settings, NULL))
        settings = value_object_new(arena, 8);
    static const char *const DEFAULTS[][2] = {{"number_of_shards", "1"},
                                              {"number_of_replicas", "0"}};
    for (size_t i = 0; i < sizeof DEFAULTS / sizeof *DEFAULTS; i++)
        if (!value_object_get(&settings, str_from(DEFAULTS[i][0])))
            value_object_set(arena, &settings, str_from(DEFAULTS[i][0]),
                             value_str(str_from(DEFAULTS[i][1])));
    value_object_set(arena, &settings, STR("creation_date"),
                     value_str(arena_printf(arena, "%lld", (long long)index->created_ms)));
    value_object_set(arena, &settings, STR("uuid"), value_str(str_from(index->uuid)));
    value_object_set(arena, &settings, STR("provided_name"), value_str(index->name));
    buf_append_str(out, STR("\"settings\":{\"index\":"));
    json_encode_value(&settings, out);
    buf_append_char(out, '}');
}

static void write_mapping(struct worker *worker, struct store_index *index, struct buf *out)
{
    buf_append_str(out, STR("\"mappings\":"));
    if (catalog_need_mapping(&worker->catalog, index))
        mapping_write(index->mapping, out);
}

static void write_aliases(struct worker *worker, const struct store_index *index, struct buf *out)
{
    buf_append_str(out, STR("\"aliases\":"));
    buf_append_str(out, catalog_column(&worker->catalog, &worker->scratch, index, "aliases"));
}

enum { SHOW_ALIASES = 1, SHOW_MAPPING = 2, SHOW_SETTINGS = 4 };

static void show(struct worker *worker, struct rest_request *request, unsigned what)
{
    struct buf *out = &request->answer;
    struct index_list indices;
    if (!rest_indices(worker, request, &indices))
        return;
    buf_append_char(out, '{');
    for (size_t i = 0; i < indices.count; i++) {
        rest_comma(out);
        json_encode_str(indices.items[i]->name, out);
        buf_append_str(out, STR(":{"));
        if (what & SHOW_ALIASES)
            write_aliases(worker, indices.items[i], out);
        if (what & SHOW_MAPPING) {
            rest_comma(out);
            write_mapping(worker, indices.items[i], out);
        }
        if (what & SHOW_SETTINGS) {
            rest_comma(out);
            write_settings(worker, indices.items[i], out);
        }
        buf_append_char(out, '}');
    }
    buf_append_char(out, '}');
}

void rest_get_index(struct worker *worker, struct rest_request *request)
{
    show(worker, request, SHOW_ALIASES | SHOW_MAPPING | SHOW_SETTINGS);
}

void rest_get_mapping(struct worker *worker, struct rest_request *request)
{
    show(worker, request, SHOW_MAPPING);
}

void rest_get_settings(struct worker *worker, struct rest_request *request)
{
    show(worker, request, SHOW_SETTINGS);
}

/* ---- changing them ---- */

typedef bool change_function(struct worker *worker, struct store_index *index,
                             const struct value *body, struct api_error *err);

/* Each index that the request names, by its body. */
static void change_indices(struct worker *worker, struct rest_request *request,
                           change_function *change)
{
    struct value body;
    struct index_list indices;
    struct api_error err;
    if (!rest_body(worker, request, &body) || !rest_indices(worker, request, &indices))
        return;
    for (size_t i = 0; i < indices.count; i++)
        if (!change(worker, indices.items[i], &body, &err)) {
            rest_error(request, &err);
            return;
        }
    rest_acknowledge(request);
}

static bool merge_mapping(struct worker *worker, struct store_index *index,
                          const struct value *body, struct api_error *err)
{
    if (!catalog_need_mapping(&worker->catalog, index))
        return catalog_failed(&worker->catalog, err);
    struct mapping *changed = mapping_dup(index->mapping);
    if (!mapping_merge(changed, body, err)) {
        mapping_free(changed);
        return false;
    }
    mapping_free(index->mapping);
    index->mapping = changed;
    index->written_version = mapping_version(changed) - 1; /* whatever it counts: write it */
    index->dirty = true;
    return true;
}

void rest_put_mapping(struct worker *worker, struct rest_request *request)
{
    change_indices(worker, request, merge_mapping);
}

static bool add_settings(struct worker *worker, struct store_index *index, const struct value *body,
                         struct api_error *err)
{
    struct value settings;
    struct arena *arena = &worker->scratch;
    struct str text = catalog_column(&worker->catalog, arena, index, "settings");
    if (!json_decode(worker->catalog.json, arena, text, &settings, NULL))
        settings = value_object_new(arena, 8);
    const struct value *inner = value_object_get(body, STR("settings"));
    if (!settings_add(arena, &settings, inner ? inner : body, err))
        return false;
    struct buf written;
    buf_init(&written, SIZE_MAX / 2);
    json_encode_value(&settings, &written);
    bool done = catalog_put_settings(&worker->catalog, index, buf_str(&written)) ||
                catalog_failed(&worker->catalog, err);
    buf_release(&written);
    return done;
}

void rest_put_settings(struct worker *worker, struct rest_request *request)
{
    change_indices(worker, request, add_settings);
}

/* What was answered can be found: there is nothing to refresh. */
void rest_refresh(struct worker *worker, struct rest_request *request)
{
    struct index_list indices;
    if (rest_indices(worker, request, &indices))
        buf_printf(&request->answer,
                   "{\"_shards\":{\"total\":%zu,\"successful\":%zu,\"failed\":0}}", indices.count,
                   indices.count);
}
