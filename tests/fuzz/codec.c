/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/codec.h"

#include <assert.h>

#include "base/text/utf8.h"
#include "conf/bind.h"
#include "tests/fuzz/filter.h"

enum { OUTPUT_MAX = 1 << 26, EVENT_MAX = 1 << 16 };

struct written {
    struct event_sink sink; /* first */
    const struct codec *codec;
    void *self;
    struct buf out;
};

static void write_event(struct event_sink *sink, struct event *event)
{
    struct written *written = (struct written *)(void *)sink;
    buf_clear(&written->out, SIZE_MAX);
    bool fits = json_encode_event(event, &written->out);
    assert(fits && utf8_valid(buf_str(&written->out)));
    if (written->codec->encode)
        written->codec->encode(written->self, event, event->arena, &written->out);
}

static struct instant fixed_now(void)
{
    return (struct instant){1795467600, 0};
}

static void *open_codec(const struct codec *codec, struct plugin_env *env, const char *options)
{
    struct error_list errors;
    struct error err;
    error_list_init(&errors);
    struct bind_context ctx = {env->arena, FIELD_ESCAPE_NONE, &errors};
    void *self = arena_zero(env->arena, codec->plugin.size);
    struct bind_target target = {codec->plugin.options, self};
    bool open = bind_plugin(&ctx, "codec", fuzz_parse(env->arena, options), &target, 1) &&
                (!codec->open || codec->open(self, env, &err));
    assert(open);
    error_list_release(&errors);
    return self;
}

static void run(struct written *written, struct str text, size_t cut)
{
    const struct codec *codec = written->codec;
    codec->decode(written->self, str_make(text.ptr, cut), &written->sink);
    codec->decode(written->self, str_from_offset(text, cut), &written->sink);
    if (codec->flush)
        codec->flush(written->self, &written->sink);
    if (codec->close)
        codec->close(written->self);
}

int fuzz_codec(const struct codec *codec, const char *const *options, size_t option_sets,
               const uint8_t *data, size_t len)
{
    static struct json_reader *reader;
    struct plugin_settings settings = {.max_event_bytes = EVENT_MAX};
    struct plugin_env env;
    struct arena arena;
    if (len < 2)
        return 0;
    if (!reader)
        reader = json_reader_new();
    arena_init(&arena, NULL);
    fuzz_env_init(&env, &arena);
    env.settings = &settings;
    env.json = reader;
    env.now = fixed_now;
    env.stream = data[0] & 1;
    env.ecs = data[0] & 2 ? ECS_V8 : ECS_DISABLED;
    struct str text = arena_dup(&arena, str_make((const char *)data + 2, len - 2));
    struct written written = {.sink = {.arena = &arena, .emit = write_event}, .codec = codec};
    written.self = open_codec(codec, &env, options[(data[0] >> 2) % option_sets]);
    buf_init(&written.out, OUTPUT_MAX);
    run(&written, text, text.len * data[1] / UINT8_MAX);
    buf_release(&written.out);
    arena_release(&arena);
    return 0;
}
