/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/text_event.h"

#include "base/time/clock.h"
#include "pipeline/program/evaluate.h"

enum { LONG_LINES_WINDOW_MS = 10000 };

FIELD_REF_TOP_AS(message_field, "message");
FIELD_REF_BELOW_AS(original_field, "event", "original");

void text_event_keep_original(struct event *event, struct str text)
{
    /* A scalar `event` in the data is in the way: then there is no original, and no failure either. */
    event_set_missing(event, &original_field, value_str(text));
}

struct event *text_event_new(struct arena *arena, struct str text, bool original)
{
    struct event *event = event_new(arena);
    (void)event_set(event, &message_field, value_str(text), NULL);
    if (original)
        text_event_keep_original(event, text);
    return event;
}

void long_lines_init(struct long_lines *lines, const struct plugin_env *env)
{
    lines->log = env->log;
    lines->limit = (struct log_limit){.window_ms = LONG_LINES_WINDOW_MS, .burst = 1};
}

void long_lines_note(struct long_lines *lines, size_t max_bytes)
{
    uint64_t suppressed;
    if (lines->log && log_limit_allow(&lines->limit, clock_monotonic_ms(), &suppressed))
        log_warn(lines->log, "line_too_long",
                 "a line is longer than the limit for one event; its content is left out",
                 LOG_INT("max_bytes", max_bytes), LOG_INT_IF("not_logged_before", suppressed));
}

void text_event_emit_too_long(struct event_sink *sink, struct long_lines *lines, size_t max_bytes)
{
    long_lines_note(lines, max_bytes);
    struct str text = arena_printf(sink->arena, "line longer than %zu bytes", max_bytes);
    struct event *event = text_event_new(sink->arena, text, false);
    event_add_tag(event, STR("_linetoolong"));
    sink->emit(sink, event);
}

void text_format_init(struct text_format *format, const struct template *given)
{
    format->is_default = !given->parts && !given->is_literal;
    format->template = *given;
}

static const struct field_ref HOST = FIELD_REF_TOP("host"), MESSAGE = FIELD_REF_TOP("message");

/* A field as Java's toString writes it: lists and hashes other than in %{field}. */
static bool append_member(const struct event *event, const struct field_ref *field,
                          struct str otherwise, struct buf *out)
{
    const struct value *value = event_get(event, field);
    if (!value || value_type(value) == VALUE_NULL)
        return buf_append_str(out, otherwise);
    bool is_container = value_type(value) == VALUE_ARRAY || value_type(value) == VALUE_OBJECT;
    return is_container ? buf_append_str(out, value_to_java_text(event->arena, value))
                        : value_append_text(value, out);
}

bool text_format_append(const struct text_format *format, const struct event *event,
                        struct buf *out)
{
    struct instant at;
    if (!format->is_default)
        return template_append(&format->template, event, out);
    if (event_timestamp(event, &at)) {
        char text[INSTANT_TEXT_MAX];
        size_t len = instant_format(at, text);
        if (!buf_append(out, text, len) || !buf_append_char(out, ' '))
            return false;
    }
    return append_member(event, &HOST, STR("%{host}"), out) && buf_append_char(out, ' ') &&
           append_member(event, &MESSAGE, STR("%{message}"), out);
}
