/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: one byte that picks the options, then the message. The filter must answer, and what it leaves must be an event
 * that can be written.
 */
#include <assert.h>

#include "base/utf8.h"
#include "conf/bind.h"
#include "conf/source.h"
#include "filters/filters.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const char *const OPTIONS[] = {
    "target => kv",
    "target => kv recursive => true trim_value => '<>,' allow_duplicate_values => false",
    "target => kv field_split => '&?' value_split => ':' allow_empty_values => true",
    "target => kv field_split_pattern => '; *' value_split_pattern => ': +' whitespace => strict "
    "transform_key => capitalize remove_char_key => 'x'",
};

enum { OPTION_SETS = sizeof OPTIONS / sizeof *OPTIONS, OUTPUT_MAX = 1 << 24 };

static const struct field_ref MESSAGE = FIELD_REF_TOP("message");

static struct arena forever;
static struct plugin_env env;
static void *filters[OPTION_SETS];

static struct counter *any_counter(const struct plugin_env *any, const char *name)
{
    (void)any;
    (void)name;
    static struct counter counter;
    return &counter;
}

static void open_filter(size_t i)
{
    static const struct conf_options DEFAULTS = {.support_escapes = false};
    struct conf_source source;
    struct conf_tree tree;
    struct error_list errors;
    struct error err;
    error_list_init(&errors);
    conf_source_text(&forever, arena_printf(&forever, "filter { kv { %s } }", OPTIONS[i]), "fuzz",
                     &source);
    bool ok = conf_parse(&forever, &source, &DEFAULTS, &tree, &errors);
    assert(ok);
    struct bind_context ctx = {&forever, FIELD_ESCAPE_NONE, &errors};
    filters[i] = arena_zero(&forever, filter_kv.plugin.size);
    struct bind_target target = {filter_kv.plugin.options, filters[i]};
    ok = bind_plugin(&ctx, "filter", tree.filters.statements[0].plugin, &target, 1);
    assert(ok);
    ok = filter_kv.open(filters[i], &env, &err);
    assert(ok);
    error_list_release(&errors);
}

static void open_filters(void)
{
    static const struct plugin_settings SETTINGS;
    static const struct regex_limits LIMITS = {.match_limit = 20000, .heap_kib = 2000};
    arena_init(&forever, NULL);
    env = (struct plugin_env){.arena = &forever,
                              .regex = regex_scratch_new(&LIMITS),
                              .settings = &SETTINGS,
                              .counter = any_counter};
    for (size_t i = 0; i < OPTION_SETS; i++)
        open_filter(i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena arena;
    struct buf out;
    if (!env.arena)
        open_filters();
    if (len < 1)
        return 0;
    arena_init(&arena, NULL);
    buf_init(&out, OUTPUT_MAX);
    struct event *event = event_new(&arena);
    struct str text = utf8_repair(&arena, str_make((const char *)data + 1, len - 1));
    event_set(event, &MESSAGE, value_str(text), NULL);
    filter_kv.apply(filters[data[0] % OPTION_SETS], event, NULL);
    json_encode_event(event, &out);
    assert(utf8_valid(buf_str(&out)));
    buf_release(&out);
    arena_release(&arena);
    return 0;
}
