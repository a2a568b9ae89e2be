/* SPDX-License-Identifier: Apache-2.0 */
#include "services/api/api_config.h"

#include "base/text/redact.h"
#include "pipeline/program/common_options.h"

enum {
    CONFIG_TEXT_MAX_BYTES = 4096, /* of one text; more is cut */
    URL_MAX_BYTES = 16 * 1024,
};

static const struct str HIDDEN = STR_INIT("***");

/* ---- texts ---------------------------------------------------------------------------------------- */

/* ${NAME:default} without its default, which may be a password as well. */
static struct str without_defaults(struct arena *arena, struct str written)
{
    char *out = arena_alloc(arena, written.len + 1);
    size_t len = 0;
    bool skips = false, inside = false;
    for (size_t i = 0; i < written.len; i++) {
        char c = written.ptr[i];
        inside |= c == '{' && i > 0 && written.ptr[i - 1] == '$';
        skips |= inside && c == ':';
        if (c == '}')
            inside = skips = false;
        if (!skips)
            out[len++] = c;
    }
    return str_make(out, len);
}

static struct str shown_url(struct arena *arena, struct str text)
{
    struct buf out;
    buf_init(&out, URL_MAX_BYTES);
    redact_url(text, &out);
    struct str shown = arena_dup(arena, buf_str(&out));
    buf_release(&out);
    return shown;
}

/* A text with a URL inside may have a password there as well; only one that is a URL can be shown in part. */
static struct value shown_text(struct arena *arena, const struct conf_value *value)
{
    struct str text =
        value->written.len > 0 ? without_defaults(arena, value->written) : value->text;
    if (text.len > CONFIG_TEXT_MAX_BYTES)
        text = arena_printf(arena, "%.*s...", CONFIG_TEXT_MAX_BYTES, text.ptr);
    if (redact_user_info(text).len > 0 || str_find(text, STR("://")) != SIZE_MAX)
        text = str_find(text, STR(" ")) == SIZE_MAX ? shown_url(arena, text)
               : redact_user_info(text).len > 0     ? HIDDEN
                                                    : text;
    return value_str_dup(arena, text);
}

/* ---- values --------------------------------------------------------------------------------------- */

static struct value shown_plugin(struct arena *arena, const struct conf_plugin *source,
                                 const struct option *const tables[2]);

static struct value shown_value(struct arena *arena, const struct conf_value *value);

/* A list may be pairs of names and values, as those of headers. */
static struct value shown_list(struct arena *arena, const struct conf_value *value)
{
    struct value list = value_array_new(arena, value->count);
    for (size_t i = 0; i < value->count; i++) {
        bool secret = i > 0 && redact_is_secret(value->items[i - 1].text);
        value_array_push(arena, &list,
                         secret ? value_str(HIDDEN) : shown_value(arena, &value->items[i]));
    }
    return list;
}

static struct value shown_hash(struct arena *arena, const struct conf_value *value)
{
    struct value hash = value_object_new(arena, value->count);
    for (size_t i = 0; i < value->count; i++) {
        const struct conf_pair *pair = &value->pairs[i];
        struct str key = arena_dup(arena, pair->key.text);
        value_object_set(arena, &hash, key,
                         redact_is_secret(key) ? value_str(HIDDEN)
                                               : shown_value(arena, &pair->value));
    }
    return hash;
}

static struct value shown_block(struct arena *arena, const struct conf_plugin *block)
{
    static const struct option *const NONE[2] = {NULL, NULL};
    struct value options = shown_plugin(arena, block, NONE);
    struct value named = value_object_new(arena, 1);
    value_object_set(arena, &named, block->name, options);
    return named;
}

static struct value shown_value(struct arena *arena, const struct conf_value *value)
{
    switch (value->type) {
    case CONF_STRING:
    case CONF_BAREWORD:
    case CONF_NUMBER:
        return shown_text(arena, value);
    case CONF_ARRAY:
        return value->written.len > 0 ? shown_text(arena, value) : shown_list(arena, value);
    case CONF_HASH:
        return shown_hash(arena, value);
    case CONF_BLOCK:
        return shown_block(arena, value->block);
    }
    return value_null();
}

static bool is_secret_option(const struct option *const tables[2], struct str name)
{
    for (size_t i = 0; i < 2; i++)
        for (const struct option *row = tables[i]; row && row->name; row++)
            if (str_equal(str_from(row->name), name) &&
                (row->type == OPTION_PASSWORD || (row->flags & OPTION_SECRET)))
                return true;
    return redact_is_secret(name);
}

static struct value shown_plugin(struct arena *arena, const struct conf_plugin *source,
                                 const struct option *const tables[2])
{
    struct value options = value_object_new(arena, source->count);
    for (size_t i = 0; i < source->count; i++) {
        const struct conf_attribute *attribute = &source->attributes[i];
        value_object_set(arena, &options, attribute->name,
                         is_secret_option(tables, attribute->name)
                             ? value_str(HIDDEN)
                             : shown_value(arena, &attribute->value));
    }
    return options;
}

struct value api_config(struct arena *arena, const struct plan_plugin *plugin)
{
    const struct option *const tables[2] = {plugin->as.plugin->options,
                                            common_options_table(plugin->section)};
    return shown_plugin(arena, plugin->source, tables);
}
