/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "filters/mutate/mutate.h"

static bool has_placeholder(struct str text)
{
    return str_find(text, STR("%{")) != SIZE_MAX;
}

bool mutate_pattern_open(struct mutate *self, struct mutate_pattern *pattern, struct str expression,
                         struct str replacement, struct error *err)
{
    struct arena *arena = self->env->arena;
    enum field_escape escape = self->env->settings->escape;
    buf_init(&pattern->compiled, MUTATE_TEXT_MAX_BYTES);
    template_parse(arena, expression, escape, &pattern->text);
    template_parse(arena, replacement, escape, &pattern->replacement);
    if (has_placeholder(expression))
        return true;
    pattern->regex = regex_compile(expression, 0, err);
    if (!pattern->regex)
        return error_prefix(err, "gsub");
    if (!has_placeholder(replacement))
        pattern->parsed = regex_replacement_parse(arena, pattern->regex, replacement);
    return true;
}

void mutate_pattern_close(struct mutate_pattern *pattern)
{
    regex_free(pattern->regex);
    pattern->regex = NULL;
    buf_release(&pattern->compiled);
}

/* Events mostly give the same text again, so the last expression is kept. */
static bool compile_dynamic(struct mutate_pattern *pattern, struct event *event)
{
    struct str text;
    if (!template_text(&pattern->text, event, event->arena, &text))
        return false;
    if (pattern->regex && str_equal(text, buf_str(&pattern->compiled)))
        return true;
    regex_free(pattern->regex);
    pattern->regex = regex_compile(text, 0, NULL);
    buf_clear(&pattern->compiled, MUTATE_TEXT_KEEP_BYTES);
    return pattern->regex && buf_append_str(&pattern->compiled, text);
}

/* The expression and the replacement for this event. */
static bool prepare(struct mutate_pattern *pattern, struct event *event,
                    const struct regex_replacement **out)
{
    struct str text;
    *out = pattern->parsed;
    if (has_placeholder(pattern->text.text) && !compile_dynamic(pattern, event))
        return false;
    if (*out)
        return true;
    if (!template_text(&pattern->replacement, event, event->arena, &text))
        return false;
    *out = regex_replacement_parse(event->arena, pattern->regex, text);
    return true;
}

struct replacing {
    struct mutate *self;
    const struct regex *regex;
    const struct regex_replacement *replacement;
    struct arena *arena;
};

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
    if (!prepare(&step->pattern, event, &replacing.replacement))
        return false;
    replacing.regex = step->pattern.regex;
    assert(replacing.regex);
    if (value_type(value) == VALUE_ARRAY)
        return replace_in_list(&replacing, value);
    struct value changed = *value;
    return replace(&replacing, &changed) && event_set(event, &step->field.ref, changed, NULL);
}
