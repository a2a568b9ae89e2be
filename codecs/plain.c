/* SPDX-License-Identifier: Apache-2.0
 *
 * plain: what arrives at once is one event; an event is written by its format, without a line break.
 */
#include "codecs/charset.h"
#include "codecs/codecs.h"
#include "codecs/text_event.h"
#include "pipeline/program/evaluate.h"

struct plain_codec {
    int charset_choice;
    struct template format;
    struct charset charset;
    struct text_format text_format;
    bool original;
};

static bool plain_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct plain_codec *plain = self;
    plain->original = env->ecs != ECS_DISABLED;
    text_format_init(&plain->text_format, &plain->format);
    return charset_open(&plain->charset, plain->charset_choice, err);
}

static void plain_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct plain_codec *plain = self;
    struct str text = charset_to_utf8(&plain->charset, sink->arena, bytes);
    sink->emit(sink, text_event_new(sink->arena, text, plain->original));
}

static bool plain_encode(void *self, const struct event *event, struct arena *scratch,
                         struct buf *out)
{
    const struct plain_codec *plain = self;
    (void)scratch;
    return text_format_append(&plain->text_format, event, out);
}

static void plain_close(void *self)
{
    struct plain_codec *plain = self;
    charset_close(&plain->charset);
}

static const struct option plain_options[] = {
    {
        .name = "charset",
        .doc = "Encoding of the bytes that are decoded.",
        OPTION_IN_CHOICE(struct plain_codec, charset_choice),
        .choices = charset_names,
        .def = "UTF-8",
    },
    {
        .name = "format",
        .doc = "Text to write for an event; without it, its timestamp, host and message.",
        OPTION_IN_TEMPLATE(struct plain_codec, format),
    },
    OPTION_END,
};

const struct codec codec_plain = {
    .plugin = {.name = "plain",
               .summary = "text as it is, one event for what arrives at once",
               .options = plain_options,
               .size = sizeof(struct plain_codec)},
    .open = plain_open,
    .decode = plain_decode,
    .encode = plain_encode,
    .close = plain_close,
    .stream_name = "line",
};
