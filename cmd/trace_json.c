/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace as JSON; docs/trace.md says what each member is.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "cmd/trace.h"
#include "pipeline/event/event_json.h"

static const char *const TYPES[] = {
    [TRACE_INPUT] = "input",
    [TRACE_CONDITION] = "condition",
    [TRACE_FILTER] = "filter",
    [TRACE_OUTPUT] = "output",
};
static const char *const RESULTS[] = {
    [TRACE_ARRIVED] = "arrived", [TRACE_TRUE] = "true",         [TRACE_FALSE] = "false",
    [TRACE_FAILED] = "failed",   [TRACE_KEPT] = "kept",         [TRACE_CANCELLED] = "dropped",
    [TRACE_MADE] = "made",       [TRACE_LEFT_OUT] = "left_out", [TRACE_SENT] = "sent",
    [TRACE_REFUSED] = "refused", [TRACE_NOT_SENT] = "not_sent",
};
static const char *const CHANGES[] = {
    [FIELD_ADDED] = "added", [FIELD_REMOVED] = "removed", [FIELD_CHANGED] = "changed"};

static void set(struct arena *arena, struct value *object, const char *name, struct value value)
{
    value_object_set(arena, object, str_from(name), value);
}

static void set_text(struct arena *arena, struct value *object, const char *name, struct str text)
{
    set(arena, object, name, value_str(utf8_repair(arena, text)));
}

static void set_place(struct arena *arena, struct value *object, struct error_position position)
{
    set_text(arena, object, "file", str_from(position.file));
    set(arena, object, "line", value_int(position.line));
    set(arena, object, "column", value_int(position.column));
}

static struct value changes_of(struct arena *arena, const struct event_diff *diff)
{
    struct value list = value_array_new(arena, diff->count);
    for (size_t i = 0; i < diff->count; i++) {
        const struct event_change *change = &diff->items[i];
        struct value item = value_object_new(arena, 4);
        set_text(arena, &item, "field", change->path);
        set_text(arena, &item, "change", str_from(CHANGES[change->change]));
        if (change->change != FIELD_ADDED)
            set(arena, &item, "before", change->before);
        if (change->change != FIELD_REMOVED)
            set(arena, &item, "after", change->after);
        value_array_push(arena, &list, item);
    }
    return list;
}

static void set_output(struct arena *arena, struct value *object, const struct trace_effect *effect)
{
    if (effect->result == TRACE_REFUSED)
        set_text(arena, object, "reason", effect->reason);
    if (effect->result != TRACE_SENT)
        return;
    set(arena, object, "request", effect->request);
    set_text(arena, object, "bytes", effect->bytes);
}

static struct value effect_value(struct arena *arena, const struct trace_step *step,
                                 const struct trace_effect *effect)
{
    struct value object = value_object_new(arena, 4);
    set(arena, &object, "event", value_int(effect->event));
    set_text(arena, &object, "result", str_from(RESULTS[effect->result]));
    if (effect->result == TRACE_ARRIVED || effect->result == TRACE_MADE) {
        if (effect->of > 0)
            set(arena, &object, "of", value_int(effect->of));
        set(arena, &object, "fields", effect->fields.fields);
        set(arena, &object, "metadata", effect->fields.metadata);
    } else if (step->type == TRACE_CONDITION) {
        set(arena, &object, "values", effect->values);
    } else if (step->type == TRACE_FILTER) {
        set(arena, &object, "changes", changes_of(arena, &effect->changes));
    } else {
        set_output(arena, &object, effect);
    }
    return object;
}

static struct value step_value(struct arena *arena, const struct trace_step *step)
{
    enum { NS_PER_US = 1000 };
    struct value object = value_object_new(arena, 8), events = value_array_new(arena, 1);
    set_text(arena, &object, "step", str_from(TYPES[step->type]));
    if (step->type == TRACE_CONDITION) {
        const struct plan_arm *arm = &step->branch->arms[step->arm];
        set_text(arena, &object, "text", arm->text);
        set_place(arena, &object, arm->position);
    } else {
        set_text(arena, &object, "plugin", str_from(step->plugin->as.plugin->name));
        set_text(arena, &object, "id", step->plugin->id);
        set_place(arena, &object, step->plugin->position);
    }
    if (step->type == TRACE_FILTER) {
        set(arena, &object, "duration_us", value_float((double)step->took_ns / NS_PER_US));
        if (trace_keeps_state(step->plugin))
            set(arena, &object, "keeps_state", value_bool(true));
    }
    for (const struct trace_effect *effect = step->effects; effect; effect = effect->next)
        value_array_push(arena, &events, effect_value(arena, step, effect));
    set(arena, &object, "events", events);
    return object;
}

static struct value outputs_of(struct arena *arena, const struct trace *trace, unsigned event)
{
    struct value list = value_array_new(arena, 1);
    for (const struct trace_step *step = trace->steps; step; step = step->next)
        if (step->type == TRACE_OUTPUT && step->effects->event == event &&
            step->effects->result == TRACE_SENT)
            value_array_push(arena, &list, value_str(step->plugin->id));
    return list;
}

static struct value end_value(struct arena *arena, const struct trace *trace,
                              const struct trace_end *end)
{
    struct value object = value_object_new(arena, 4);
    const char *outcome = end->cancelled     ? "dropped"
                          : end->sent > 0    ? "sent"
                          : end->refused > 0 ? "refused"
                                             : "nowhere";
    set(arena, &object, "event", value_int(end->event));
    set_text(arena, &object, "outcome", str_from(outcome));
    if (end->cancelled) {
        const struct trace_step *by = end->by;
        struct error_position position =
            by->type == TRACE_CONDITION ? by->branch->arms[by->arm].position : by->plugin->position;
        struct value place = value_object_new(arena, 4);
        set_text(arena, &place, "step", str_from(TYPES[by->type]));
        if (by->plugin)
            set_text(arena, &place, "id", by->plugin->id);
        set_place(arena, &place, position);
        set(arena, &object, "by", place);
    }
    set(arena, &object, "outputs", outputs_of(arena, trace, end->event));
    return object;
}

void trace_write_json(const struct trace *trace, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct value document = value_object_new(&arena, 2), steps = value_array_new(&arena, 8),
                 ends = value_array_new(&arena, 1);
    assert(trace->steps);
    for (const struct trace_step *step = trace->steps; step; step = step->next)
        value_array_push(&arena, &steps, step_value(&arena, step));
    for (const struct trace_end *end = trace->ends; end; end = end->next)
        value_array_push(&arena, &ends, end_value(&arena, trace, end));
    set(&arena, &document, "steps", steps);
    set(&arena, &document, "events", ends);
    json_encode_value(&document, out);
    buf_append_char(out, '\n');
    arena_release(&arena);
}
