/* SPDX-License-Identifier: Apache-2.0
 *
 * json_lines: a JSON text on each line.
 */
#include "codecs/charset.h"
#include "codecs/codecs.h"
#include "codecs/json_text.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"

struct json_lines_codec {
    int charset_choice;
    struct str delimiter;
    struct field_ref target;
    int64_t decode_size_limit_bytes;
    struct charset charset;
    struct long_lines long_lines;
    struct tokenizer tokenizer;
    struct json_text json;
};

static bool json_lines_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct json_lines_codec *lines = self;
    (void)env;
    if (lines->delimiter.len == 0)
        return error_set(err, ERROR_CONFIG, "delimiter is empty, a line could never end");
    return true;
}

static bool json_lines_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct json_lines_codec *lines = self;
    json_text_init(&lines->json, env, &lines->target);
    if (!json_lines_check(self, env, err))
        return false;
    if (!charset_open(&lines->charset, lines->charset_choice, err))
        return false;
    size_t max = env->settings->max_event_bytes;
    if ((uint64_t)lines->decode_size_limit_bytes < max)
        max = (size_t)lines->decode_size_limit_bytes;
    struct str delimiter = charset_encode(&lines->charset, env->arena, lines->delimiter);
    long_lines_init(&lines->long_lines, env);
    tokenizer_init(&lines->tokenizer, delimiter, lines->charset.unit, max);
    return true;
}

static void decode_line(struct json_lines_codec *lines, struct str line, struct event_sink *sink)
{
    if (lines->charset.kind != CHARSET_UTF8)
        line = charset_to_utf8(&lines->charset, sink->arena, line);
    json_text_decode(&lines->json, line, sink);
}

static void emit_too_big(struct json_lines_codec *lines, struct event_sink *sink)
{
    long_lines_note(&lines->long_lines, lines->tokenizer.max_bytes);
    struct str text =
        arena_printf(sink->arena, "Payload bigger than %zu bytes", lines->tokenizer.max_bytes);
    struct event *event = text_event_new(sink->arena, text, false);
    event_add_tag(event, STR("_jsonparsetoobigfailure"));
    sink->emit(sink, event);
}

static void json_lines_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct json_lines_codec *lines = self;
    for (;;) {
        struct str line;
        switch (tokenizer_next(&lines->tokenizer, sink->arena, &bytes, &line)) {
        case TOKEN_LINE:
            event_sink_record(sink, line, bytes.len);
            decode_line(lines, line, sink);
            break;
        case TOKEN_TOO_LONG:
            emit_too_big(lines, sink);
            break;
        case TOKEN_NEED_MORE:
            return;
        }
    }
}

static void json_lines_flush(void *self, struct event_sink *sink)
{
    struct json_lines_codec *lines = self;
    struct str line;
    if (!tokenizer_flush(&lines->tokenizer, sink->arena, &line))
        return;
    event_sink_record(sink, line, 0);
    decode_line(lines, line, sink);
}

static size_t json_lines_pending(const void *self)
{
    const struct json_lines_codec *lines = self;
    return tokenizer_pending(&lines->tokenizer);
}

static bool json_lines_encode(void *self, const struct event *event, struct arena *scratch,
                              struct buf *out)
{
    const struct json_lines_codec *lines = self;
    (void)scratch;
    return json_encode_event(event, out) && buf_append_str(out, lines->delimiter);
}

static void json_lines_close(void *self)
{
    struct json_lines_codec *lines = self;
    tokenizer_release(&lines->tokenizer);
    charset_close(&lines->charset);
}

static const struct option json_lines_options[] = {
    {
        .name = "charset",
        .doc = "Encoding of the bytes that are decoded.",
        OPTION_IN_CHOICE(struct json_lines_codec, charset_choice),
        .choices = charset_names,
        .def = "UTF-8",
    },
    {
        .name = "decode_size_limit_bytes",
        .doc = "Longest line; a longer one becomes an event tagged _jsonparsetoobigfailure. The "
               "limit for any event "
               "from outside holds as well.",
        OPTION_IN_BYTES(struct json_lines_codec, decode_size_limit_bytes),
        .min = 1,
        .max = 4294967296.0,
        .def = "536870912",
    },
    {
        .name = "delimiter",
        .doc = "What ends a line.",
        OPTION_IN_STRING(struct json_lines_codec, delimiter),
        .def = "\n",
    },
    {
        .name = "target",
        .doc = "Field that gets the decoded object; without it, the object is the event.",
        OPTION_IN_FIELD(struct json_lines_codec, target),
    },
    OPTION_END,
};

const struct codec codec_json_lines = {
    .plugin = {.name = "json_lines",
               .summary = "JSON, one document a line",
               .options = json_lines_options,
               .size = sizeof(struct json_lines_codec),
               .check = json_lines_check},
    .open = json_lines_open,
    .decode = json_lines_decode,
    .flush = json_lines_flush,
    .encode = json_lines_encode,
    .close = json_lines_close,
    .pending = json_lines_pending,
};
