/* SPDX-License-Identifier: Apache-2.0
 *
 * line: an event for each line. A "\r" before the line's end stays in the message, as in Logstash.
 */
#include "codecs/charset.h"
#include "codecs/codecs.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"
#include "pipeline/program/evaluate.h"

struct line_codec {
    int charset_choice;
    struct str delimiter;
    struct template format;
    struct charset charset;
    struct long_lines long_lines;
    struct tokenizer tokenizer;
    struct text_format text_format;
    bool original;
};

static bool line_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct line_codec *line = self;
    (void)env;
    if (line->delimiter.len == 0)
        return error_set(err, ERROR_CONFIG, "delimiter is empty, a line could never end");
    return true;
}

static bool line_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct line_codec *line = self;
    line->original = env->ecs != ECS_DISABLED;
    text_format_init(&line->text_format, &line->format);
    if (!line_check(self, env, err))
        return false;
    if (!charset_open(&line->charset, line->charset_choice, err))
        return false;
    struct str delimiter = charset_encode(&line->charset, env->arena, line->delimiter);
    long_lines_init(&line->long_lines, env);
    tokenizer_init(&line->tokenizer, delimiter, line->charset.unit, env->settings->max_event_bytes);
    return true;
}

static void line_emit(struct line_codec *line, struct str bytes, struct event_sink *sink)
{
    struct str text = charset_to_utf8(&line->charset, sink->arena, bytes);
    sink->emit(sink, text_event_new(sink->arena, text, line->original));
}

static void line_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct line_codec *line = self;
    for (;;) {
        struct str token;
        switch (tokenizer_next(&line->tokenizer, sink->arena, &bytes, &token)) {
        case TOKEN_LINE:
            event_sink_record(sink, token, bytes.len);
            line_emit(line, token, sink);
            break;
        case TOKEN_TOO_LONG:
            text_event_emit_too_long(sink, &line->long_lines, line->tokenizer.max_bytes);
            break;
        case TOKEN_NEED_MORE:
            return;
        }
    }
}

static void line_flush(void *self, struct event_sink *sink)
{
    struct line_codec *line = self;
    struct str token;
    if (!tokenizer_flush(&line->tokenizer, sink->arena, &token))
        return;
    event_sink_record(sink, token, 0);
    line_emit(line, token, sink);
}

static size_t line_pending(const void *self)
{
    const struct line_codec *line = self;
    return tokenizer_pending(&line->tokenizer);
}

static bool line_encode(void *self, const struct event *event, struct arena *scratch,
                        struct buf *out)
{
    const struct line_codec *line = self;
    (void)scratch;
    return text_format_append(&line->text_format, event, out) &&
           buf_append_str(out, line->delimiter);
}

static void line_close(void *self)
{
    struct line_codec *line = self;
    tokenizer_release(&line->tokenizer);
    charset_close(&line->charset);
}

static const struct option line_options[] = {
    {
        .name = "charset",
        .doc = "Encoding of the bytes that are decoded.",
        OPTION_IN_CHOICE(struct line_codec, charset_choice),
        .choices = charset_names,
        .def = "UTF-8",
    },
    {
        .name = "delimiter",
        .doc = "What ends a line.",
        OPTION_IN_STRING(struct line_codec, delimiter),
        .def = "\n",
    },
    {
        .name = "format",
        .doc = "Text to write for an event; without it, its timestamp, host and message.",
        OPTION_IN_TEMPLATE(struct line_codec, format),
    },
    OPTION_END,
};

const struct codec codec_line = {
    .plugin = {.name = "line",
               .summary = "text, one event a line",
               .options = line_options,
               .size = sizeof(struct line_codec),
               .check = line_check},
    .open = line_open,
    .decode = line_decode,
    .flush = line_flush,
    .encode = line_encode,
    .close = line_close,
    .pending = line_pending,
};
