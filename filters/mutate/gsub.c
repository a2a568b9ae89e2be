/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mutate/mutate.h"

bool mutate_pattern_open(struct mutate *self, struct mutate_pattern *pattern, struct str expression,
                         struct str replacement, struct error *err)
{
    struct arena *arena = self->env->arena;
    enum field_escape escape = self->env->settings->escape;
    template_parse(arena, replacement, escape, &pattern->replacement);
    if (!dynamic_regex_open(&pattern->expression, arena, expression, escape, true, err))
        return error_prefix(err, "gsub");
    if (!pattern->expression.is_dynamic && pattern->replacement.is_literal)
        pattern->parsed = regex_replacement_parse(arena, pattern->expression.regex, replacement);
    return true;
}

void mutate_pattern_close(struct mutate_pattern *pattern)
{
    dynamic_regex_close(&pattern->expression);
}

struct replacing {
    struct mutate *self;
    const struct regex *regex;
    const struct regex_replacement *replacement;
    struct arena *arena;
};

/* The expression and the replacement for this event. */
static bool prepare(struct mutate_pattern *pattern, struct event *event, struct replacing *out)
{
    struct str text;
    out->regex = dynamic_regex_for(&pattern->expression, event);
    out->replacement = pattern->parsed;
    if (!out->regex || out->replacement)
        return out->regex;
    if (!template_text(&pattern->replacement, event, event->arena, &text))
        return false;
    out->replacement = regex_replacement_parse(event->arena, out->regex, text);
    return true;
}

/* The new text goes to the arena only when something matched. */
static bool replace(const struct replacing *replacing, struct value *value)
{
    struct buf *buf = &replacing->self->text;
    buf_clear(buf, MUTATE_TEXT_KEEP_BYTES);
    switch (regex_replace_all(replacing->regex, replacing->self->env->regex, value_as_str(value),
                              replacing->replacement, buf)) {
    case REGEX_NO_MATCH:
        return true;
    case REGEX_LIMIT:
        return false;
    case REGEX_MATCHED:
        break;
    }
    *value = value_str_dup(replacing->arena, buf_str(buf));
    return true;
}

static bool replace_in_list(const struct replacing *replacing, const struct value *list)
{
    for (size_t i = 0; i < value_array_count(list); i++) {
        struct value *item = value_array_at(list, i);
        if (value_is_str(item) && !replace(replacing, item))
            return false;
    }
    return true;
}

bool mutate_gsub(struct mutate *self, struct mutate_step *step, struct event *event)
{
    struct replacing replacing = {.self = self, .arena = event->arena};
    if (!step->field.is_legal)
        return false;
    const struct value *value = event_get(event, &step->field.ref);
    if (!value || (!value_is_str(value) && value_type(value) != VALUE_ARRAY))
        return true;
    if (!prepare(&step->pattern, event, &replacing))
        return false;
    if (value_type(value) == VALUE_ARRAY)
        return replace_in_list(&replacing, value);
    struct value changed = *value;
    return replace(&replacing, &changed) && event_set(event, &step->field.ref, changed, NULL);
}
