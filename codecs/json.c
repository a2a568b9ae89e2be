/* SPDX-License-Identifier: Apache-2.0
 *
 * json: what arrives at once is one JSON text. Stream inputs use json_lines instead.
 */
#include "codecs/charset.h"
#include "codecs/codecs.h"
#include "codecs/json_text.h"

struct json_codec {
    int charset_choice;
    struct field_ref target;
    struct charset charset;
    struct json_text json;
};

static bool json_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct json_codec *json = self;
    json_text_init(&json->json, env, &json->target);
    json->json.inspects = true;
    return charset_open(&json->charset, json->charset_choice, err);
}

static void json_codec_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct json_codec *json = self;
    /* Invalid UTF-8 is mended string by string, where there are any. */
    if (json->charset.kind != CHARSET_UTF8)
        bytes = charset_to_utf8(&json->charset, sink->arena, bytes);
    json_text_decode(&json->json, bytes, sink);
}

static bool json_codec_encode(void *self, const struct event *event, struct arena *scratch,
                              struct buf *out)
{
    (void)self;
    (void)scratch;
    return json_encode_event(event, out);
}

static void json_close(void *self)
{
    struct json_codec *json = self;
    charset_close(&json->charset);
}

static const struct option json_options[] = {
    {
        .name = "charset",
        .doc = "Encoding of the bytes that are decoded.",
        OPTION_IN_CHOICE(struct json_codec, charset_choice),
        .choices = charset_names,
        .def = "UTF-8",
    },
    {
        .name = "target",
        .doc = "Field that gets the decoded object; without it, the object is the event.",
        OPTION_IN_FIELD(struct json_codec, target),
    },
    OPTION_END,
};

const struct codec codec_json = {
    .plugin = {.name = "json",
               .summary = "JSON, one document for what arrives at once",
               .options = json_options,
               .size = sizeof(struct json_codec)},
    .open = json_open,
    .decode = json_codec_decode,
    .encode = json_codec_encode,
    .close = json_close,
    .stream_name = "json_lines",
};
