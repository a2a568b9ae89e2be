/* SPDX-License-Identifier: Apache-2.0
 *
 * logstash.yml and pipelines.yml: keys are nested or written with dots, or both.
 */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "conf/settings_private.h"
#include "conf/source.h"
#include "conf/substitute.h"
#include "conf/yaml_tree.h"

struct file {
    struct settings *settings;
    struct error_list *errors;
    enum setting_origin origin;
    unsigned noted; /* a bit for each family that has had its note */
    bool asked_secrets;
    void *secrets;
};

/* ---- ${NAME} ---- */

static const char *look_up(void *ctx, const char *name)
{
    struct file *file = ctx;
    const struct settings_secrets *store = file->settings->secrets;
    if (store && !file->asked_secrets) {
        struct error err = {0};
        file->asked_secrets = true;
        file->secrets = store->open(file->settings, &err);
        if (err.code != ERROR_NONE)
            error_list_add(file->errors, &err);
    }
    const char *secret = file->secrets ? store->find(file->secrets, name) : NULL;
    return secret ? secret : getenv(name);
}

static void close_secrets(struct file *file)
{
    if (file->secrets)
        file->settings->secrets->close(file->secrets);
    file->secrets = NULL;
}

/* ---- values ---- */

static bool scalar_value(struct file *file, const struct yaml_tree *node, struct conf_value *out)
{
    struct error err;
    struct substitution filled;
    *out = (struct conf_value){.type = CONF_STRING, .position = node->position, .text = node->text};
    if (node->type != YAML_TREE_SCALAR) {
        error_list_at(file->errors, node->position, "expected one value here");
        return false;
    }
    struct conf_options variables = {.lookup = look_up, .lookup_ctx = file};
    if (!substitute(file->settings->arena, &variables, node->text, &filled, &err)) {
        error_list_at(file->errors, node->position, "%s", err.text);
        return false;
    }
    out->text = filled.text;
    return true;
}

static bool node_value(struct file *file, const struct yaml_tree *node, struct conf_value *out)
{
    if (node->type != YAML_TREE_LIST)
        return scalar_value(file, node, out);
    *out =
        (struct conf_value){.type = CONF_ARRAY, .position = node->position, .count = node->count};
    out->items = arena_zero(file->settings->arena, node->count * sizeof *out->items);
    for (size_t i = 0; i < node->count; i++)
        if (!scalar_value(file, &node->items[i], &out->items[i]))
            return false;
    return true;
}

/* A name of a family: accepted, with one note for all of them. */
static bool note_family(struct file *file, struct str name, struct error_position position)
{
    for (const struct setting_family *at = settings_families; at->prefix; at++) {
        if (!str_starts_with(name, str_from(at->prefix)))
            continue;
        unsigned bit = 1u << (at - settings_families);
        if (!(file->noted & bit))
            error_list_warn_at(file->errors, position, "settings '%s*' have no effect: %s",
                               at->prefix, at->note);
        file->noted |= bit;
        return true;
    }
    return false;
}

static void unknown_key(struct file *file, struct str name, struct error_position position)
{
    if (note_family(file, name, position))
        return;
    const char *near = setting_suggest(file->settings, name);
    error_list_at(file->errors, position, "unknown setting '%.*s'%s%s%s", STR_FMT(name),
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

static void apply_key(struct file *file, struct str name, struct error_position position,
                      const struct yaml_tree *node)
{
    const struct setting *setting = setting_find(name);
    struct conf_value value;
    assert(file->origin == SETTING_FROM_FILE || file->origin == SETTING_FROM_PIPELINE);
    bool in_pipeline = file->origin == SETTING_FROM_PIPELINE;
    if (!setting) {
        unknown_key(file, name, position);
        return;
    }
    if (yaml_tree_is_null(node))
        return;
    if (setting->traits & SETTING_FLAG_ONLY) {
        error_list_at(file->errors, position, "'%s' is a flag, not a setting of a file",
                      setting->option.name);
        return;
    }
    if (in_pipeline && !(setting->traits & SETTING_PIPELINE)) {
        error_list_at(file->errors, position,
                      "'%s' is a setting of the process: it belongs into logstash.yml",
                      setting->option.name);
        return;
    }
    if (node_value(file, node, &value))
        setting_apply(file->settings, setting, &value, file->origin, file->errors);
}

static bool is_list_of_maps(const struct yaml_tree *node)
{
    return node->type == YAML_TREE_LIST && node->count > 0 && node->items[0].type == YAML_TREE_MAP;
}

/* Depth is limited by yaml_tree. */
static void apply_map(struct file *file, struct str prefix, const struct yaml_tree *map)
{
    for (size_t i = 0; i < map->count; i++) {
        struct str key = map->keys[i].text;
        struct str name = prefix.len == 0 ? key
                                          : arena_printf(file->settings->arena, "%.*s.%.*s",
                                                         STR_FMT(prefix), STR_FMT(key));
        if (map->items[i].type == YAML_TREE_MAP)
            apply_map(file, name, &map->items[i]);
        else if (is_list_of_maps(&map->items[i]) && str_equal(name, STR("modules")))
            error_list_at(
                file->errors, map->keys[i].position,
                "setting 'modules' is not supported: write the module's pipeline as a file");
        else
            apply_key(file, name, map->keys[i].position, &map->items[i]);
    }
}

static const char *settings_path(const struct settings *settings, const char *name)
{
    return arena_printf(settings->arena, "%.*s/%s", STR_FMT(settings->path_settings), name).ptr;
}

bool settings_read_file(struct settings *settings, struct error_list *errors)
{
    struct file file = {.settings = settings, .errors = errors, .origin = SETTING_FROM_FILE};
    struct yaml_tree tree;
    struct error err;
    size_t before = errors->errors;
    if (!yaml_tree_read(settings->arena, settings_path(settings, "logstash.yml"), &tree, &err)) {
        bool wanted = setting_is_given(settings, &settings->path_settings);
        if (err.code != ERROR_NOT_FOUND)
            error_list_add(errors, &err);
        else if (wanted)
            error_list_add_warning(errors, &err);
        return err.code == ERROR_NOT_FOUND;
    }
    if (tree.type != YAML_TREE_MAP)
        error_list_at(errors, tree.position, "expected settings: 'name: value', one a line");
    else
        apply_map(&file, STR(""), &tree);
    close_secrets(&file);
    return errors->errors == before;
}

/* ---- pipelines.yml ---- */

static void copy_settings(const struct settings *base, struct settings *out)
{
    *out = *base;
    out->origins = arena_alloc(base->arena, settings_table_count());
    memcpy(out->origins, base->origins, settings_table_count());
}

/* -w, -b and the like on the command line hold for every pipeline that does not say else. */
static void read_pipeline(const struct settings *base, const struct yaml_tree *node,
                          struct settings *out, struct error_list *errors)
{
    copy_settings(base, out);
    struct file file = {.settings = out, .errors = errors, .origin = SETTING_FROM_PIPELINE};
    if (node->type != YAML_TREE_MAP) {
        error_list_at(errors, node->position, "expected the settings of one pipeline");
        return;
    }
    apply_map(&file, STR(""), node);
    close_secrets(&file);
    if (!out->path_config.ptr && !out->config_string.ptr)
        error_list_at(errors, node->position,
                      "this pipeline has no 'path.config' and no 'config.string'");
    if (out->path_config.ptr && out->config_string.ptr)
        error_list_at(errors, node->position,
                      "this pipeline has 'path.config' and 'config.string': give one of them");
    if (out->ordered == SETTINGS_ORDERED_TRUE && out->workers > 1)
        error_list_at(errors, node->position,
                      "'pipeline.ordered' is true: 'pipeline.workers' must be 1");
}

static void check_ids(const struct settings *items, const struct yaml_tree *list,
                      struct error_list *errors)
{
    struct map seen;
    map_init(&seen);
    for (size_t i = 0; i < list->count; i++) {
        if (map_has(&seen, items[i].pipeline_id))
            error_list_at(errors, list->items[i].position, "the pipeline id '%.*s' is used twice",
                          STR_FMT(items[i].pipeline_id));
        map_set(&seen, items[i].pipeline_id, NULL);
    }
    map_release(&seen);
}

static bool read_pipelines(const struct settings *base, struct settings **items_out,
                           size_t *count_out, struct error_list *errors)
{
    struct yaml_tree list;
    struct error err;
    const char *path = settings_path(base, "pipelines.yml");
    size_t before = errors->errors;
    if (!yaml_tree_read(base->arena, path, &list, &err)) {
        if (err.code == ERROR_NOT_FOUND)
            error_set(&err, ERROR_CONFIG,
                      "no pipeline: give -f FILE or -e TEXT, or list pipelines in '%s'; "
                      "'millrace help' shows all commands and flags",
                      path);
        error_list_add(errors, &err);
        return false;
    }
    if (list.type != YAML_TREE_LIST || list.count == 0) {
        error_list_at(errors, list.position, "expected a list of pipelines in '%s'", path);
        return false;
    }
    *items_out = arena_zero(base->arena, list.count * sizeof **items_out);
    *count_out = list.count;
    for (size_t i = 0; i < list.count; i++)
        read_pipeline(base, &list.items[i], &(*items_out)[i], errors);
    check_ids(*items_out, &list, errors);
    return errors->errors == before;
}

bool settings_pipelines(const struct settings *base, struct settings **items_out, size_t *count_out,
                        struct error_list *errors)
{
    assert(base->arena);
    if (!base->path_config.ptr && !base->config_string.ptr)
        return read_pipelines(base, items_out, count_out, errors);
    if (access(settings_path(base, "pipelines.yml"), F_OK) == 0)
        error_list_warn_at(errors, (struct error_position){0},
                           "'pipelines.yml' is not read, because a pipeline was given");
    *items_out = arena_alloc(base->arena, sizeof **items_out);
    *count_out = 1;
    copy_settings(base, *items_out);
    return true;
}
