/* SPDX-License-Identifier: Apache-2.0
 *
 * graphite: lines of Graphite's plain text protocol, "name value seconds". A name is a field as it stands, with its points.
 */
#include "base/mem.h"
#include "base/text/utf8.h"
#include "codecs/codecs.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"
#include "conf/template.h"
#include "pipeline/event/ruby_text.h"
#include "pipeline/program/evaluate.h"

enum { LINE_PARTS = 3 };

struct metric {
    struct template name, value;
};

struct graphite_codec {
    struct option_hash metrics;
    bool fields_are_metrics;
    struct option_strings include_metrics, exclude_metrics;
    struct template metrics_format;

    const struct plugin_env *env;
    struct long_lines long_lines;
    struct tokenizer tokenizer;
    struct metric *parsed;
    struct regex **includes, **excludes;
    struct buf format; /* metrics_format as the first event filled it in, like Logstash */
    bool has_format;
    struct arena *scratch; /* of the event that is written */
};

static const struct option graphite_options[] = {
    {
        .name = "metrics",
        .doc = "Names and values to write; both may hold %{}.",
        OPTION_IN_HASH(struct graphite_codec, metrics),
    },
    {
        .name = "fields_are_metrics",
        .doc = "Write every field of the event instead.",
        OPTION_IN_BOOL(struct graphite_codec, fields_are_metrics),
        .def = "false",
    },
    {
        .name = "include_metrics",
        .doc = "Expressions; a name is written when one of them matches.",
        OPTION_IN_STRINGS(struct graphite_codec, include_metrics),
        .def = ".*",
    },
    {
        .name = "exclude_metrics",
        .doc = "Expressions; a name is not written when one of them matches.",
        OPTION_IN_STRINGS(struct graphite_codec, exclude_metrics),
        .def = "%\\{[^}]+\\}",
    },
    {
        .name = "metrics_format",
        .doc = "What a name becomes: * stands for it. %{} is filled in from the first event.",
        OPTION_IN_TEMPLATE(struct graphite_codec, metrics_format),
        .def = "*",
    },
    OPTION_END,
};

static bool compile(const struct option_strings *given, struct arena *arena, struct regex ***out,
                    struct error *err)
{
    *out = arena_zero(arena, given->count * sizeof **out);
    for (size_t i = 0; i < given->count; i++) {
        (*out)[i] = regex_compile(given->items[i], 0, err);
        if (!(*out)[i])
            return error_prefix(err, "'%.*s'", STR_FMT(given->items[i]));
    }
    return true;
}

static void graphite_close(void *self)
{
    struct graphite_codec *graphite = self;
    for (size_t i = 0; graphite->includes && i < graphite->include_metrics.count; i++)
        regex_free(graphite->includes[i]);
    for (size_t i = 0; graphite->excludes && i < graphite->exclude_metrics.count; i++)
        regex_free(graphite->excludes[i]);
    tokenizer_release(&graphite->tokenizer);
    buf_release(&graphite->format);
}

static bool graphite_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct graphite_codec *graphite = self;
    graphite->env = env;
    long_lines_init(&graphite->long_lines, env);
    tokenizer_init(&graphite->tokenizer, STR("\n"), 1, env->settings->max_event_bytes);
    buf_init(&graphite->format, env->settings->max_event_bytes);
    graphite->parsed = arena_zero(env->arena, graphite->metrics.count * sizeof *graphite->parsed);
    for (size_t i = 0; i < graphite->metrics.count; i++) {
        const struct conf_pair *pair = &graphite->metrics.pairs[i];
        template_parse(env->arena, pair->key.text, env->settings->escape,
                       &graphite->parsed[i].name);
        template_parse(env->arena, pair->value.text, env->settings->escape,
                       &graphite->parsed[i].value);
    }
    if (compile(&graphite->include_metrics, env->arena, &graphite->includes, err) &&
        compile(&graphite->exclude_metrics, env->arena, &graphite->excludes, err))
        return true;
    graphite_close(self);
    return false;
}

/* ---- decoding ------------------------------------------------------------------------------------- */

/* Words between blanks; missing ones are empty. */
static void split_words(struct str line, struct str words[LINE_PARTS])
{
    size_t count = 0;
    for (size_t at = 0; at < line.len && count < LINE_PARTS; count++) {
        while (at < line.len &&
               (line.ptr[at] == ' ' || (line.ptr[at] >= '\t' && line.ptr[at] <= '\r')))
            at++;
        size_t start = at;
        while (at < line.len && line.ptr[at] != ' ' &&
               !(line.ptr[at] >= '\t' && line.ptr[at] <= '\r'))
            at++;
        words[count] = str_make(line.ptr + start, at - start);
    }
}

static void decode_line(struct str line, struct event_sink *sink)
{
    struct arena *arena = sink->arena;
    struct str words[LINE_PARTS] = {{NULL, 0}};
    split_words(utf8_repair(arena, line), words);
    if (words[0].len == 0)
        return;
    struct value object = value_object_new(arena, 2), seconds = ruby_to_i(arena, words[2]);
    int64_t at = value_type(&seconds) == VALUE_INT ? value_as_int(&seconds) : 0;
    value_object_set(arena, &object, words[0], value_float(ruby_to_f(arena, words[1])));
    value_object_set(arena, &object, STR("@timestamp"), value_timestamp((struct instant){at, 0}));
    sink->emit(sink, event_from_object(arena, object));
}

static void graphite_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct graphite_codec *graphite = self;
    for (;;) {
        struct str line;
        switch (tokenizer_next(&graphite->tokenizer, sink->arena, &bytes, &line)) {
        case TOKEN_LINE:
            event_sink_record(sink, line, bytes.len);
            decode_line(line, sink);
            break;
        case TOKEN_TOO_LONG:
            text_event_emit_too_long(sink, &graphite->long_lines, graphite->tokenizer.max_bytes);
            break;
        case TOKEN_NEED_MORE:
            return;
        }
    }
}

static void graphite_flush(void *self, struct event_sink *sink)
{
    struct graphite_codec *graphite = self;
    struct str line;
    if (!tokenizer_flush(&graphite->tokenizer, sink->arena, &line))
        return;
    event_sink_record(sink, line, 0);
    decode_line(line, sink);
}

static size_t graphite_pending(const void *self)
{
    const struct graphite_codec *graphite = self;
    return tokenizer_pending(&graphite->tokenizer);
}

/* ---- encoding ------------------------------------------------------------------------------------- */

static bool any_matches(const struct graphite_codec *graphite, struct regex *const *list,
                        size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (regex_search(list[i], graphite->env->regex, name, 0) == REGEX_MATCHED)
            return true;
    return false;
}

/* With no expression at all, fields are all wanted and metrics none. */
static bool is_wanted(const struct graphite_codec *graphite, struct str name)
{
    size_t includes = graphite->include_metrics.count;
    return ((includes == 0 && graphite->fields_are_metrics) ||
            any_matches(graphite, graphite->includes, includes, name)) &&
           !any_matches(graphite, graphite->excludes, graphite->exclude_metrics.count, name);
}

static bool append_name(const struct graphite_codec *graphite, struct str name, struct buf *out)
{
    struct str format = buf_str(&graphite->format);
    for (size_t at; (at = str_find(format, STR("*"))) != SIZE_MAX;
         format = str_from_offset(format, at + 1))
        if (!buf_append(out, format.ptr, at) || !buf_append_str(out, name))
            return false;
    return buf_append_str(out, format);
}

static bool append_metric(struct graphite_codec *graphite, struct str name, struct str value,
                          const struct event *event, struct buf *out)
{
    char real[FLOAT_TEXT_MAX];
    struct instant at = {0, 0};
    if (!is_wanted(graphite, name))
        return true;
    (void)event_timestamp(event, &at);
    size_t len = float_format_ruby(ruby_to_f(graphite->scratch, value), real);
    return append_name(graphite, name, out) && buf_append_char(out, ' ') &&
           buf_append(out, real, len) && buf_printf(out, " %lld\n", (long long)at.seconds);
}

/* The text of a field is a template, too. */
static struct str field_text(struct graphite_codec *graphite, const struct value *value,
                             const struct event *event)
{
    struct template template;
    struct str text = ruby_text(graphite->scratch, value), filled;
    if (str_find(text, STR("%{")) == SIZE_MAX)
        return text;
    template_parse(graphite->scratch, text, graphite->env->settings->escape, &template);
    return template_text(&template, event, graphite->scratch, &filled) ? filled : text;
}

static bool encode_fields(struct graphite_codec *graphite, const struct event *event,
                          struct buf *out)
{
    bool fits = true;
    for (size_t i = 0; i < value_object_count(&event->fields) && fits; i++) {
        struct str name;
        const struct value *value = value_object_at(&event->fields, i, &name);
        if (!str_equal(name, STR("@timestamp")) && !str_equal(name, STR("@version")))
            fits = append_metric(graphite, name, field_text(graphite, value, event), event, out);
    }
    return fits;
}

static bool encode_metrics(struct graphite_codec *graphite, const struct event *event,
                           struct buf *out)
{
    bool fits = true;
    for (size_t i = 0; i < graphite->metrics.count && fits; i++) {
        struct str name, value;
        if (template_text(&graphite->parsed[i].name, event, graphite->scratch, &name) &&
            template_text(&graphite->parsed[i].value, event, graphite->scratch, &value))
            fits = append_metric(graphite, name, value, event, out);
    }
    return fits;
}

static bool graphite_encode(void *self, const struct event *event, struct arena *scratch,
                            struct buf *out)
{
    struct graphite_codec *graphite = self;
    graphite->scratch = scratch;
    if (!graphite->has_format) {
        if (!template_append(&graphite->metrics_format, event, &graphite->format))
            buf_clear(&graphite->format, 0);
        graphite->has_format = true;
    }
    return graphite->fields_are_metrics ? encode_fields(graphite, event, out)
                                        : encode_metrics(graphite, event, out);
}

const struct codec codec_graphite = {
    .plugin = {.name = "graphite",
               .summary = "lines of Graphite's plain text protocol",
               .options = graphite_options,
               .size = sizeof(struct graphite_codec)},
    .open = graphite_open,
    .decode = graphite_decode,
    .flush = graphite_flush,
    .encode = graphite_encode,
    .close = graphite_close,
    .pending = graphite_pending,
};
