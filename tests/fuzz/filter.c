/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/filter.h"

#include <assert.h>

#include "base/regex/regex.h"
#include "base/text/utf8.h"
#include "conf/bind.h"
#include "conf/source.h"
#include "pipeline/engine/instance.h"
#include "pipeline/event/event_json.h"

enum { OUTPUT_MAX = 1 << 24 };

static const struct field_ref MESSAGE = FIELD_REF_TOP("message");

static struct counter *any_counter(const struct plugin_env *env, const char *name)
{
    (void)env;
    (void)name;
    static struct counter counter;
    return &counter;
}

void fuzz_env_init(struct plugin_env *env, struct arena *arena)
{
    static const struct plugin_settings SETTINGS;
    static const struct regex_limits LIMITS = {.match_limit = 20000, .heap_kib = 2000};
    static struct plan_plugin plain; /* without common options */
    static struct instance instance = {.plugin = &plain};
    static struct regex_scratch *scratch;
    if (!scratch)
        scratch = regex_scratch_new(&LIMITS);
    *env = (struct plugin_env){.arena = arena,
                               .ecs = ECS_V8,
                               .regex = scratch,
                               .settings = &SETTINGS,
                               .counter = any_counter,
                               .host = &instance};
}

struct conf_plugin *fuzz_parse(struct arena *arena, const char *options)
{
    static const struct conf_options DEFAULTS = {.support_escapes = false};
    struct conf_source source;
    struct conf_tree tree;
    struct error_list errors;
    error_list_init(&errors);
    conf_source_text(arena, arena_printf(arena, "filter { fuzz { %s } }", options), "fuzz",
                     &source);
    bool ok = conf_parse(arena, &source, &DEFAULTS, &tree, &errors);
    assert(ok);
    error_list_release(&errors);
    return tree.filters.statements[0].plugin;
}

struct conf_value *fuzz_value(struct conf_plugin *plugin, size_t i)
{
    assert(i < plugin->count);
    struct conf_value *value = &plugin->attributes[i].value;
    return value->type == CONF_HASH ? &value->pairs[0].value : value;
}

void *fuzz_open(const struct filter *filter, const struct plugin_env *env,
                const struct conf_plugin *plugin)
{
    struct error_list errors;
    struct error err = {.text = ""};
    error_list_init(&errors);
    struct bind_context ctx = {env->arena, FIELD_ESCAPE_NONE, &errors};
    void *self = arena_zero(env->arena, filter->plugin.size);
    struct bind_target target = {filter->plugin.options, self};
    bool bound = bind_plugin(&ctx, "filter", plugin, &target, 1);
    assert(bound);
    error_list_release(&errors);
    bool open = filter->open(self, env, &err);
    assert(open || err.text[0] != '\0');
    return open ? self : NULL;
}

void fuzz_apply(const struct filter *filter, void *self, struct arena *arena, struct str message)
{
    struct buf out;
    buf_init(&out, OUTPUT_MAX);
    struct event *event = event_new(arena);
    event_set(event, &MESSAGE, value_str(utf8_repair(arena, message)), NULL);
    filter->apply(self, event, NULL);
    json_encode_event(event, &out);
    assert(utf8_valid(buf_str(&out)));
    buf_release(&out);
}

struct str fuzz_line(struct arena *arena, struct str *rest)
{
    const char *end = rest->len > 0 ? memchr(rest->ptr, '\n', rest->len) : NULL;
    struct str line = end ? str_make(rest->ptr, (size_t)(end - rest->ptr)) : *rest;
    *rest = end ? str_from_offset(*rest, line.len + 1) : STR("");
    return utf8_repair(arena, line);
}
