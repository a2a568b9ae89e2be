/* SPDX-License-Identifier: Apache-2.0
 *
 * multiline: lines that belong together become one event. `pattern` (a grok expression) is held against each line;
 * `negate` turns the answer around. With what => "previous" a line that matches belongs to those before it, with "next"
 * to the one after it. Lines are joined by "\n".
 *
 * Bytes that come as whole messages (a file's lines, Kafka records) each end a line.
 */
#include "codecs/charset.h"
#include "codecs/codecs.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"
#include "pipeline/grok_options.h"

enum multiline_what { WHAT_PREVIOUS, WHAT_NEXT };

struct multiline_codec {
    struct str pattern, multiline_tag, delimiter;
    int what, charset_choice;
    bool negate, streaming_input;
    struct option_strings patterns_dir;
    int64_t max_lines, max_bytes, auto_flush_interval_ms;

    const struct plugin_env *env;
    struct charset charset;
    struct long_lines long_lines;
    struct tokenizer tokenizer;
    struct grok grok;
    bool ends_lines;  /* what decode() gets ends a line */
    struct buf lines; /* pending, joined */
    int64_t line_count, line_bytes;
    size_t taken_bytes; /* of the input, for the pending lines */
    uint64_t end;       /* position behind the last of them */
};

static bool compile_pattern(const struct multiline_codec *multiline, const struct plugin_env *env,
                            struct grok *out, struct error *err)
{
    enum grok_set set = env->ecs == ECS_DISABLED ? GROK_SET_LEGACY : GROK_SET_ECS;
    struct grok_library *library = grok_library_new(set);
    bool compiled = grok_options_load(env, &multiline->patterns_dir, STR("*"), library, err) &&
                    grok_compile(env->arena, library, multiline->pattern, true, out, err);
    grok_library_free(library);
    return compiled;
}

static bool multiline_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct multiline_codec *multiline = self;
    struct grok grok;
    if (multiline->delimiter.len == 0)
        return error_set(err, ERROR_CONFIG, "delimiter is empty, a line could never end");
    if (!compile_pattern(multiline, env, &grok, err))
        return false;
    grok_release(&grok);
    return true;
}

static bool multiline_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct multiline_codec *multiline = self;
    multiline->env = env;
    multiline->ends_lines = !env->stream && !multiline->streaming_input;
    size_t max = env->settings->max_event_bytes;
    if ((uint64_t)multiline->max_bytes > max)
        multiline->max_bytes = (int64_t)max;
    buf_init(&multiline->lines, SIZE_MAX); /* bounded by max_bytes and one line */
    if (multiline->delimiter.len == 0)
        return error_set(err, ERROR_CONFIG, "delimiter is empty, a line could never end");
    if (!compile_pattern(multiline, env, &multiline->grok, err))
        return false;
    if (!charset_open(&multiline->charset, multiline->charset_choice, err)) {
        grok_release(&multiline->grok);
        return false;
    }
    struct str delimiter = charset_encode(&multiline->charset, env->arena, multiline->delimiter);
    long_lines_init(&multiline->long_lines, env);
    tokenizer_init(&multiline->tokenizer, delimiter, multiline->charset.unit, max);
    return true;
}

static bool is_over_lines(const struct multiline_codec *multiline)
{
    return multiline->line_count > multiline->max_lines;
}

static bool is_over_bytes(const struct multiline_codec *multiline)
{
    return multiline->line_bytes >= multiline->max_bytes;
}

static void emit_pending(struct multiline_codec *multiline, struct event_sink *sink)
{
    if (multiline->line_count == 0)
        return;
    struct str text = arena_dup(sink->arena, buf_str(&multiline->lines));
    if (sink->record)
        sink->record(sink, text, multiline->end);
    struct event *event = text_event_new(sink->arena, text, multiline->env->ecs != ECS_DISABLED);
    if (multiline->multiline_tag.len > 0 && multiline->line_count > 1)
        event_add_tag(event, multiline->multiline_tag);
    if (is_over_bytes(multiline))
        event_add_tag(event, STR("multiline_codec_max_bytes_reached"));
    if (is_over_lines(multiline))
        event_add_tag(event, STR("multiline_codec_max_lines_reached"));
    buf_clear(&multiline->lines, (size_t)multiline->max_bytes);
    multiline->line_count = multiline->line_bytes = 0;
    multiline->taken_bytes = 0;
    sink->emit(sink, event);
}

static void add_line(struct multiline_codec *multiline, struct str line, size_t taken_bytes,
                     uint64_t end)
{
    multiline->end = end;
    if (multiline->line_count > 0)
        (void)buf_append_char(&multiline->lines, '\n');
    (void)buf_append_str(&multiline->lines, line);
    multiline->line_count++;
    multiline->line_bytes += (int64_t)line.len;
    multiline->taken_bytes += taken_bytes;
}

/* rest: so many bytes that are decoded come behind it. */
static void take_line(struct multiline_codec *multiline, struct str bytes, size_t rest,
                      struct event_sink *sink)
{
    uint64_t end = sink->position - rest;
    struct str line = charset_to_utf8(&multiline->charset, sink->arena, bytes);
    size_t taken = bytes.len + multiline->tokenizer.delimiter.len;
    bool found =
        regex_search(multiline->grok.regex, multiline->env->regex, line, 0) == REGEX_MATCHED;
    bool matched = found != multiline->negate;
    bool previous = multiline->what == WHAT_PREVIOUS;
    if (!previous)
        add_line(multiline, line, taken, end);
    if (!matched || is_over_lines(multiline) || is_over_bytes(multiline))
        emit_pending(multiline, sink);
    if (previous)
        add_line(multiline, line, taken, end);
}

static void take_rest(struct multiline_codec *multiline, struct event_sink *sink)
{
    struct str rest;
    if (tokenizer_flush(&multiline->tokenizer, sink->arena, &rest))
        take_line(multiline, rest, 0, sink);
}

static void multiline_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct multiline_codec *multiline = self;
    if (bytes.len == 0 && multiline->ends_lines)
        take_line(multiline, bytes, 0, sink);
    for (;;) {
        struct str line;
        switch (tokenizer_next(&multiline->tokenizer, sink->arena, &bytes, &line)) {
        case TOKEN_LINE:
            take_line(multiline, line, bytes.len, sink);
            break;
        case TOKEN_TOO_LONG:
            text_event_emit_too_long(sink, &multiline->long_lines, multiline->tokenizer.max_bytes);
            break;
        case TOKEN_NEED_MORE:
            if (multiline->ends_lines)
                take_rest(multiline, sink);
            return;
        }
    }
}

static void multiline_flush(void *self, struct event_sink *sink)
{
    struct multiline_codec *multiline = self;
    take_rest(multiline, sink);
    emit_pending(multiline, sink);
}

static size_t multiline_pending(const void *self)
{
    const struct multiline_codec *multiline = self;
    return multiline->taken_bytes + tokenizer_pending(&multiline->tokenizer);
}

static unsigned multiline_flush_after_ms(const void *self)
{
    const struct multiline_codec *multiline = self;
    bool holds = multiline->line_count > 0 || tokenizer_pending(&multiline->tokenizer) > 0;
    return holds ? (unsigned)multiline->auto_flush_interval_ms : 0;
}

static bool multiline_encode(void *self, const struct event *event, struct arena *scratch,
                             struct buf *out)
{
    (void)self;
    (void)scratch;
    return json_encode_event(event, out);
}

static void multiline_close(void *self)
{
    struct multiline_codec *multiline = self;
    tokenizer_release(&multiline->tokenizer);
    charset_close(&multiline->charset);
    grok_release(&multiline->grok);
    buf_release(&multiline->lines);
}

static const char *const WHATS[] = {"previous", "next", NULL};

static const struct option multiline_options[] = {
    {
        .name = "pattern",
        .doc = "Grok expression that is held against each line.",
        OPTION_IN_STRING(struct multiline_codec, pattern),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "what",
        .doc = "Whether a line that matches belongs to the previous or the next one.",
        OPTION_IN_CHOICE(struct multiline_codec, what),
        .choices = WHATS,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "negate",
        .doc = "Whether lines that do not match are meant.",
        OPTION_IN_BOOL(struct multiline_codec, negate),
        .def = "false",
    },
    {
        .name = "patterns_dir",
        .doc = "Files or directories with more grok patterns.",
        OPTION_IN_STRINGS(struct multiline_codec, patterns_dir),
    },
    {
        .name = "charset",
        .doc = "Encoding of the bytes that are decoded.",
        OPTION_IN_CHOICE(struct multiline_codec, charset_choice),
        .choices = charset_names,
        .def = "UTF-8",
    },
    {
        .name = "multiline_tag",
        .doc = "Tag for events of more than one line; \"\" for none.",
        OPTION_IN_STRING(struct multiline_codec, multiline_tag),
        .def = "multiline",
    },
    {
        .name = "max_lines",
        .doc = "An event of more lines is ended by the next line.",
        OPTION_IN_INT(struct multiline_codec, max_lines),
        .min = 1,
        .max = 1000000000,
        .def = "500",
    },
    {
        .name = "max_bytes",
        .doc = "An event of so many bytes is ended by the next line. The limit for any event from "
               "outside holds as well.",
        OPTION_IN_BYTES(struct multiline_codec, max_bytes),
        .min = 1,
        .max = 4294967296.0,
        .def = "10 MiB",
    },
    {
        .name = "auto_flush_interval",
        .doc = "Seconds without a new line after which what is pending becomes an event.",
        OPTION_IN_DURATION_MS(struct multiline_codec, auto_flush_interval_ms),
        .min = 0,
        .max = 86400000,
    },
    {
        .name = "delimiter",
        .doc = "What ends a line.",
        OPTION_IN_STRING(struct multiline_codec, delimiter),
        .def = "\n",
    },
    {
        .name = "streaming_input",
        .doc = "Messages are parts of one stream, their ends do not end a line.",
        OPTION_IN_BOOL(struct multiline_codec, streaming_input),
        .def = "false",
    },
    OPTION_END,
};

const struct codec codec_multiline = {
    .plugin = {.name = "multiline",
               .summary = "lines that belong together, one event",
               .options = multiline_options,
               .size = sizeof(struct multiline_codec),
               .check = multiline_check},
    .open = multiline_open,
    .decode = multiline_decode,
    .flush = multiline_flush,
    .encode = multiline_encode,
    .close = multiline_close,
    .pending = multiline_pending,
    .flush_after_ms = multiline_flush_after_ms,
};
