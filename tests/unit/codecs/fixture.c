/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/codecs/fixture.h"

#include <check.h>

#include "conf/bind.h"
#include "conf/source.h"

static const struct field_ref VERSION = FIELD_REF_TOP("@version");
static const struct field_ref TIMESTAMP = FIELD_REF_TOP("@timestamp");

static void collect(struct event_sink *sink, struct event *event)
{
    struct fixture *fixture = (struct fixture *)sink;
    (void)event_remove(event, &VERSION, NULL);
    (void)event_remove(event, &TIMESTAMP, NULL);
    ck_assert(json_encode_event(event, &fixture->out));
    ck_assert(buf_append_char(&fixture->out, '\n'));
}

/* The options, bound as the engine binds them. */
static bool bind_options(struct fixture *fixture, const char *options, struct error *err)
{
    struct error_list errors;
    error_list_init(&errors);
    struct str text = arena_printf(&fixture->arena, "input { x { codec => %s { %s } } }",
                                   fixture->codec->plugin.name, options);
    struct conf_source source;
    conf_source_text(&fixture->arena, text, "test", &source);
    struct bind_context ctx = {&fixture->arena, FIELD_ESCAPE_NONE, &errors};
    fixture->self = arena_zero(&fixture->arena, fixture->codec->plugin.size);
    struct bind_target target = {fixture->codec->plugin.options, fixture->self};
    struct conf_options how = {.support_escapes = true};
    struct conf_tree tree;
    bool ok = conf_parse(&fixture->arena, &source, &how, &tree, &errors);
    if (ok) {
        const struct conf_plugin *input = tree.inputs.statements[0].plugin;
        ok = bind_plugin(&ctx, "codec", input->attributes[0].value.block, &target, 1);
    }
    if (!ok)
        *err = errors.items[0];
    error_list_release(&errors);
    return ok;
}

bool fixture_try_open(struct fixture *fixture, const struct codec *codec, const char *options,
                      struct error *err)
{
    fixture->codec = codec;
    arena_init(&fixture->arena, NULL);
    buf_init(&fixture->out, 1024 * 1024);
    fixture->sink = (struct event_sink){.arena = &fixture->arena, .emit = collect};
    fixture->settings = (struct plugin_settings){.max_event_bytes = FIXTURE_MAX_EVENT_BYTES};
    fixture->env.arena = &fixture->arena;
    fixture->env.settings = &fixture->settings;
    fixture->env.json = json_reader_new();
    fixture->env.regex = regex_scratch_new(NULL);
    bool opened = bind_options(fixture, options, err) &&
                  (!codec->open || codec->open(fixture->self, &fixture->env, err));
    if (!opened)
        fixture->self = NULL;
    return opened;
}

void fixture_open(struct fixture *fixture, const struct codec *codec, const char *options)
{
    struct error err;
    bool opened = fixture_try_open(fixture, codec, options, &err);
    ck_assert_msg(opened, "%s { %s }: %s", codec->plugin.name, options, opened ? "" : err.text);
}

void fixture_feed(struct fixture *fixture, struct str bytes)
{
    fixture->codec->decode(fixture->self, bytes, &fixture->sink);
}

void fixture_flush(struct fixture *fixture)
{
    if (fixture->codec->flush)
        fixture->codec->flush(fixture->self, &fixture->sink);
}

const char *fixture_take(struct fixture *fixture)
{
    const char *taken = arena_cstr(&fixture->arena, buf_str(&fixture->out));
    buf_clear(&fixture->out, SIZE_MAX);
    return taken;
}

void fixture_close(struct fixture *fixture)
{
    if (fixture->self && fixture->codec->close)
        fixture->codec->close(fixture->self);
    json_reader_free(fixture->env.json);
    regex_scratch_free(fixture->env.regex);
    buf_release(&fixture->out);
    arena_release(&fixture->arena);
}
