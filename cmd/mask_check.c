/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/mask_check.h"

#include <stdio.h>

/* The texts that fields are read from. */
enum { MESSAGE, ORIGINAL, KEPT_TEXTS };

struct mask_check {
    const struct conf_plugin *reader; /* the filter that made fields of such a text */
    const struct conf_plugin *mask;   /* the first one that masks such a field */
    struct str field;
    bool gone[KEPT_TEXTS];
};

/* ---- options -------------------------------------------------------------------------------------- */

static const struct conf_value *option(const struct conf_plugin *plugin, struct str name)
{
    for (size_t i = 0; i < plugin->count; i++)
        if (str_equal(plugin->attributes[i].name, name))
            return &plugin->attributes[i].value;
    return NULL;
}

static bool is_text(const struct conf_value *value)
{
    return value && (value->type == CONF_STRING || value->type == CONF_BAREWORD);
}

/* [message] and message are the same field. */
static struct str bare(struct str field)
{
    bool bracketed = field.len > 2 && field.ptr[0] == '[' && field.ptr[field.len - 1] == ']' &&
                     !memchr(field.ptr + 1, '[', field.len - 1);
    return bracketed ? str_make(field.ptr + 1, field.len - 2) : field;
}

static bool is_kept_text(struct str field)
{
    return str_equal(bare(field), STR("message")) || str_equal(field, STR("[event][original]"));
}

/* ---- what a filter does --------------------------------------------------------------------------- */

static void note_gone(struct mask_check *check, struct str field)
{
    struct str name = bare(field);
    check->gone[MESSAGE] |= str_equal(name, STR("message"));
    check->gone[ORIGINAL] |=
        str_equal(name, STR("event")) || str_equal(name, STR("[event][original]"));
}

/* Fields that a list, a hash or a text names are not as they were. */
static void note_changed(struct mask_check *check, const struct conf_value *value)
{
    if (is_text(value))
        note_gone(check, value->text);
    else if (value && value->type == CONF_ARRAY)
        for (size_t i = 0; i < value->count; i++)
            note_changed(check, &value->items[i]);
    else if (value && value->type == CONF_HASH)
        for (size_t i = 0; i < value->count; i++)
            note_gone(check, value->pairs[i].key.text);
}

/* Ruby code that names a text does something with it. */
static void note_code(struct mask_check *check, const struct conf_value *code)
{
    if (!is_text(code))
        return;
    check->gone[MESSAGE] |= str_find(code->text, STR("message")) != SIZE_MAX;
    check->gone[ORIGINAL] |= str_find(code->text, STR("original")) != SIZE_MAX;
}

static void note_removed(struct mask_check *check, const struct conf_plugin *plugin)
{
    static const char *const CHANGES[] = {"remove_field", "gsub", "replace", "update", "rename"};
    for (size_t i = 0; i < sizeof CHANGES / sizeof *CHANGES; i++)
        note_changed(check, option(plugin, str_from(CHANGES[i])));
    bool unknown = str_equal(plugin->name, STR("prune")) || option(plugin, STR("path"));
    check->gone[MESSAGE] |= unknown;
    check->gone[ORIGINAL] |= unknown;
    if (str_equal(plugin->name, STR("ruby")))
        note_code(check, option(plugin, STR("code")));
}

static bool reads_kept_text(const struct conf_plugin *plugin)
{
    static const char *const BY_SOURCE[] = {"json", "kv", "csv", "xml"};
    static const char *const BY_MATCH[] = {"grok", "dissect"};
    for (size_t i = 0; i < sizeof BY_SOURCE / sizeof *BY_SOURCE; i++) {
        const struct conf_value *source = option(plugin, STR("source"));
        if (str_equal(plugin->name, str_from(BY_SOURCE[i])))
            return is_text(source) ? is_kept_text(source->text) : !source;
    }
    for (size_t i = 0; i < sizeof BY_MATCH / sizeof *BY_MATCH; i++) {
        if (!str_equal(plugin->name, str_from(BY_MATCH[i])))
            continue;
        const struct conf_value *match = option(plugin, i == 0 ? STR("match") : STR("mapping"));
        bool hash = match && match->type == CONF_HASH && match->count > 0;
        bool list = match && match->type == CONF_ARRAY && match->count > 0;
        return (hash && is_kept_text(match->pairs[0].key.text)) ||
               (list && is_kept_text(match->items[0].text));
    }
    return false;
}

/* ---- what masks ----------------------------------------------------------------------------------- */

/* A text that is put in the place of one that nobody shall see. */
static bool looks_masked(const struct conf_value *value)
{
    static const char *const MARKS[] = {"**",     "XX",     "xx",     "##",     "REDACT", "redact",
                                        "Redact", "MASK",   "mask",   "Mask",   "HIDDEN", "hidden",
                                        "REMOVE", "remove", "FILTER", "filter", "ANON",   "anon"};
    for (size_t i = 0; is_text(value) && i < sizeof MARKS / sizeof *MARKS; i++)
        if (str_find(value->text, str_from(MARKS[i])) != SIZE_MAX)
            return true;
    return false;
}

/* Where the plugin masks a field: its name. */
static bool find_gsub(const struct conf_plugin *plugin, struct str *field_out)
{
    enum { TRIPLE = 3 };
    const struct conf_value *list = option(plugin, STR("gsub"));
    for (size_t i = 0; list && list->type == CONF_ARRAY && i + TRIPLE <= list->count; i += TRIPLE)
        if (looks_masked(&list->items[i + 2]) && !is_kept_text(list->items[i].text)) {
            *field_out = list->items[i].text;
            return true;
        }
    return false;
}

static bool find_replace(const struct conf_plugin *plugin, struct str *field_out)
{
    const struct conf_value *pairs = option(plugin, STR("replace"));
    for (size_t i = 0; pairs && pairs->type == CONF_HASH && i < pairs->count; i++)
        if (looks_masked(&pairs->pairs[i].value) && !is_kept_text(pairs->pairs[i].key.text)) {
            *field_out = pairs->pairs[i].key.text;
            return true;
        }
    return false;
}

/* A digest in the place of what it was made of. */
static bool find_digest(const struct conf_plugin *plugin, struct str *field_out)
{
    const struct conf_value *source = option(plugin, STR("source"));
    const struct conf_value *target = option(plugin, STR("target"));
    if (source && source->type == CONF_ARRAY && source->count == 1)
        source = source->items;
    if (!is_text(source) || !is_text(target) || is_kept_text(source->text) ||
        !str_equal(bare(source->text), bare(target->text)))
        return false;
    *field_out = source->text;
    return true;
}

static bool masks(const struct conf_plugin *plugin, struct str *field_out)
{
    if (str_equal(plugin->name, STR("fingerprint")))
        return find_digest(plugin, field_out);
    return str_equal(plugin->name, STR("mutate")) &&
           (find_gsub(plugin, field_out) || find_replace(plugin, field_out));
}

/* ---- the walk ------------------------------------------------------------------------------------- */

static void look_at(struct mask_check *check, const struct conf_plugin *plugin)
{
    if (!check->reader && reads_kept_text(plugin))
        check->reader = plugin;
    if (check->reader && !check->mask && masks(plugin, &check->field))
        check->mask = plugin;
    note_removed(check, plugin);
}

static void walk(struct mask_check *check, const struct conf_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct conf_statement *statement = &block->statements[i];
        if (statement->plugin)
            look_at(check, statement->plugin);
        for (size_t arm = 0; arm < statement->arm_count; arm++)
            walk(check, &statement->arms[arm].block);
    }
}

void mask_check(const struct conf_tree *tree, bool ecs, struct error_list *errors)
{
    static const char *const STAYS[] = {"[message]", "[event][original]",
                                        "[message] and [event][original]"};
    static const char *const REMOVE[] = {"\"message\"", "\"[event][original]\"",
                                         "\"message\", \"[event][original]\""};
    struct mask_check check = {0};
    walk(&check, &tree->filters);
    check.gone[ORIGINAL] |= !ecs;
    if (!check.mask || (check.gone[MESSAGE] && check.gone[ORIGINAL]))
        return;
    int stays = check.gone[MESSAGE] ? 1 : check.gone[ORIGINAL] ? 0 : 2;
    struct str field = bare(check.field);
    bool path = field.len > 0 && field.ptr[0] == '[';
    error_list_warn_at(errors, check.mask->position,
                       "%s%.*s%s is masked, but its original stays in %s: add remove_field => [%s] "
                       "to the filter '%.*s' on line %u",
                       path ? "" : "[", STR_FMT(field), path ? "" : "]", STAYS[stays],
                       REMOVE[stays], STR_FMT(check.reader->name), check.reader->position.line);
}
