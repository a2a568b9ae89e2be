/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/text_event.h"

#include "pipeline/program/evaluate.h"

static const struct field_ref message_field = FIELD_REF_TOP("message");
static const struct field_ref original_field = {
    .text = STR_INIT("[event][original]"),
    .root = FIELD_ROOT_EVENT,
    .parts = (struct field_part[]){{.name = STR_INIT("event")}, {.name = STR_INIT("original")}},
    .count = 2,
};

void text_event_keep_original(struct event *event, struct str text)
{
    /* A scalar `event` in the data is in the way: then there is no original, and no failure either. */
    if (!event_has(event, &original_field))
        (void)event_set(event, &original_field, value_str(text), NULL);
}

struct event *text_event_new(struct arena *arena, struct str text, bool original)
{
    struct event *event = event_new(arena);
    (void)event_set(event, &message_field, value_str(text), NULL);
    if (original)
        text_event_keep_original(event, text);
    return event;
}

void text_event_emit_too_long(struct event_sink *sink, size_t max_bytes)
{
    struct str text = arena_printf(sink->arena, "line longer than %zu bytes", max_bytes);
    struct event *event = text_event_new(sink->arena, text, false);
    event_add_tag(event, STR("_linetoolong"));
    sink->emit(sink, event);
}

void text_format_init(struct text_format *format, const struct plugin_env *env,
                      const struct template *given)
{
    format->with_timestamp = !given->parts && !given->is_literal;
    if (format->with_timestamp)
        template_parse(env->arena, STR("%{host} %{message}"), FIELD_ESCAPE_NONE, &format->template);
    else
        format->template = *given;
}

bool text_format_append(const struct text_format *format, const struct event *event,
                        struct buf *out)
{
    struct instant at;
    if (format->with_timestamp && event_timestamp(event, &at)) {
        char text[INSTANT_TEXT_MAX];
        size_t len = instant_format(at, text);
        if (!buf_append(out, text, len) || !buf_append_char(out, ' '))
            return false;
    }
    return template_append(&format->template, event, out);
}
