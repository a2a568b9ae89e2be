/* SPDX-License-Identifier: Apache-2.0
 *
 * split: one event for each piece of a text or each item of a list; the event itself is cancelled. All new events are made
 * before the first is handed over, so that one that would need too much memory is left whole and tagged instead.
 */
#include "base/text/ascii.h"
#include "base/text/utf8.h"
#include "filters/filters.h"

/* What the copies of one event may take, in events of the largest size that comes from outside; with `target` each of
 * them keeps the whole list. */
enum { SPLIT_MAX_EVENTS = 32 };

struct split {
    struct field_ref field;
    struct str terminator;
    struct field_ref target;

    const struct plugin_env *env;
    struct counter *failures;
    struct log_limit log_limit;
};

static const struct option OPTIONS[] = {
    {
        .name = "field",
        .doc = "Field that holds the text or the list.",
        OPTION_IN_FIELD(struct split, field),
        .def = "message",
    },
    {
        .name = "terminator",
        .doc = "What stands between the pieces of a text.",
        OPTION_IN_STRING(struct split, terminator),
        .def = "\n",
    },
    {
        .name = "target",
        .doc = "Field that a piece goes to; without it the field itself.",
        OPTION_IN_FIELD(struct split, target),
    },
    OPTION_END,
};

static bool split_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct split *self = plugin;
    (void)err;
    self->env = env;
    self->failures = env->counter(env, "failures");
    self->log_limit = (struct log_limit){.window_ms = 10000, .burst = 5};
    if (self->target.count == 0 && self->target.root == FIELD_ROOT_EVENT)
        self->target = self->field;
    return true;
}

/* As Ruby splits by a blank: at any white space, none of which is left; with an empty text behind the last. */
static struct value words_of(struct arena *arena, struct str text)
{
    struct value words = value_array_new(arena, 0);
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        while (at < text.len && !ascii_is_space(text.ptr[at]))
            at++;
        if (at > start)
            value_array_push(arena, &words, value_str(str_make(text.ptr + start, at - start)));
        while (at < text.len && ascii_is_space(text.ptr[at]))
            at++;
    }
    if (text.len > 0 && ascii_is_space(text.ptr[text.len - 1]))
        value_array_push(arena, &words, value_str(STR("")));
    return words;
}

/* As Ruby splits by nothing: each character, with an empty text behind the last. */
static struct value characters_of(struct arena *arena, struct str text)
{
    struct value characters = value_array_new(arena, 0);
    bool any = text.len > 0;
    while (text.len > 0) {
        uint32_t codepoint;
        unsigned len = utf8_decode(text, &codepoint);
        value_array_push(arena, &characters, value_str(str_make(text.ptr, len)));
        text = str_from_offset(text, len);
    }
    if (any)
        value_array_push(arena, &characters, value_str(STR("")));
    return characters;
}

static struct value pieces_of(struct arena *arena, struct str text, struct str terminator)
{
    if (str_equal(terminator, STR(" ")))
        return words_of(arena, text);
    if (terminator.len == 0)
        return characters_of(arena, text);
    struct value pieces = value_array_new(arena, 0);
    for (bool last = text.len == 0; !last;) {
        size_t at = str_find(text, terminator);
        last = at == SIZE_MAX;
        value_array_push(arena, &pieces, value_str(str_make(text.ptr, last ? text.len : at)));
        if (!last)
            text = str_from_offset(text, at + terminator.len);
    }
    return pieces;
}

static bool is_nothing(const struct value *piece)
{
    return value_type(piece) == VALUE_NULL || (value_is_str(piece) && value_as_str(piece).len == 0);
}

static enum filter_result fail(struct split *self, struct event *event, struct str tag)
{
    counter_add(self->failures, 1);
    event_add_tag(event, tag);
    return FILTER_SKIPPED;
}

/* The events of the pieces; fewer than there are pieces when they would take too much. */
static size_t make_events(struct split *self, struct event *event, const struct value *pieces,
                          struct event **out)
{
    struct arena *arena = event->arena;
    size_t most = arena->total_bytes + SPLIT_MAX_EVENTS * self->env->settings->max_event_bytes;
    size_t made = 0;
    for (size_t i = 0; i < value_array_count(pieces) && arena->total_bytes <= most; i++) {
        const struct value *piece = value_array_at(pieces, i);
        out[made] = NULL;
        if (!is_nothing(piece)) {
            out[made] = event_clone(arena, event);
            event_set(out[made], &self->target, value_dup_shared(arena, piece), NULL);
        }
        made++;
    }
    return made;
}

static void say_too_large(struct split *self, size_t pieces)
{
    uint64_t suppressed;
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(self->env->log, "split_too_large",
                 "an event was left whole: its pieces would take too much memory; raise "
                 "pipeline.memory",
                 LOG_STR("field", self->field.text), LOG_INT("pieces", pieces),
                 LOG_INT_IF("not_logged_before", suppressed));
}

static enum filter_result split_pieces(struct split *self, struct event *event,
                                       const struct value *pieces, struct event_sink *more)
{
    size_t count = value_array_count(pieces);
    struct event **events = arena_alloc(event->arena, count * sizeof *events);
    struct value original = value_null();
    const struct value *found = event_get(event, &self->field);
    bool replaced = str_equal(self->target.text, self->field.text) && found;
    if (replaced) { /* what the pieces replace need not be copied for each of them */
        original = *found;
        event_set(event, &self->field, value_str(STR("")), NULL);
    }
    bool all = make_events(self, event, pieces, events) == count;
    if (replaced)
        event_set(event, &self->field, original, NULL);
    if (!all) {
        say_too_large(self, count);
        return fail(self, event, STR("_split_too_large"));
    }
    for (size_t i = 0; i < count; i++) {
        if (!events[i])
            continue;
        filter_decorate(self->env, events[i]);
        more->emit(more, events[i]);
    }
    event_cancel(event);
    return FILTER_CANCELLED;
}

static enum filter_result split_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct split *self = plugin;
    const struct value *value = event_get(event, &self->field);
    if (value && value_type(value) == VALUE_ARRAY) {
        struct value pieces = *value;
        return split_pieces(self, event, &pieces, more);
    }
    if (!value || !value_is_str(value))
        return fail(self, event, STR("_split_type_failure"));
    struct value pieces = pieces_of(event->arena, value_as_str(value), self->terminator);
    if (value_array_count(&pieces) == 1)
        return FILTER_SKIPPED;
    return split_pieces(self, event, &pieces, more);
}

const struct filter filter_split = {
    .plugin =
        {
            .name = "split",
            .summary = "Makes one event for each piece of a text or item of a list.",
            .options = OPTIONS,
            .size = sizeof(struct split),
        },
    .open = split_open,
    .apply = split_apply,
};
