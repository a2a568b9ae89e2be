/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/mutate/mutate.h"

static bool set_text(const struct mutate_step *step, struct event *event)
{
    struct str text;
    return template_filter_text(&step->value, event, event->arena, &text) &&
           event_set(event, &step->field.ref, value_str(text), NULL);
}

bool mutate_coerce(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    if (!step->field.is_legal)
        return false;
    const struct value *value = event_get(event, &step->field.ref);
    return !value || value_type(value) != VALUE_NULL || set_text(step, event);
}

bool mutate_rename(struct mutate *self, struct mutate_step *step, struct event *event)
{
    enum field_escape escape = self->env->settings->escape;
    struct field_ref from, to;
    struct value value;
    if (!template_field(&step->name, event, escape, &from))
        return false;
    if (!event_get(event, &from)) /* before the new name is looked at */
        return true;
    return template_field(&step->value, event, escape, &to) && event_remove(event, &from, &value) &&
           event_set(event, &to, value, NULL);
}

bool mutate_update(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    if (!step->field.is_legal)
        return false;
    return !event_has(event, &step->field.ref) || set_text(step, event);
}

bool mutate_replace(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    return step->field.is_legal && set_text(step, event);
}

bool mutate_remove(struct mutate *self, struct mutate_step *step, struct event *event)
{
    struct field_ref field;
    if (!template_field(&step->name, event, self->env->settings->escape, &field))
        return false;
    event_remove(event, &field, NULL);
    return true;
}

/* ---- merge ---- */

static void push_all(struct arena *arena, struct value *list, const struct value *value)
{
    if (!value || value_type(value) == VALUE_NULL)
        return;
    if (value_type(value) != VALUE_ARRAY) {
        value_array_push(arena, list, value_dup(arena, value));
        return;
    }
    size_t count = value_array_count(value); /* the list may be merged with itself */
    for (size_t i = 0; i < count; i++) {
        struct value item = value_dup(arena, value_array_at(value, i));
        value_array_push(arena, list, item);
    }
}

/* A list of its own to merge into: a merge that the event refuses, of a number into tags, leaves the event's as it is. */
static struct value list_copy(struct arena *arena, const struct value *list)
{
    size_t count = value_array_count(list);
    struct value copy = value_array_new(arena, count + 1);
    for (size_t i = 0; i < count; i++)
        value_array_push(arena, &copy, *value_array_at(list, i));
    return copy;
}

static void update_object(struct arena *arena, struct value *object, const struct value *source)
{
    for (size_t i = 0; i < value_object_count(source); i++) {
        struct str key;
        const struct value *item = value_object_at(source, i, &key);
        value_object_set(arena, object, key, value_dup(arena, item));
    }
}

static bool is_object(const struct value *value)
{
    return value && value_type(value) == VALUE_OBJECT;
}

/* The destination with one source merged in. A scalar is not kept as a list between two sources: each begins anew with
 * the value that was there first, so the last source wins. */
static bool merge_one(struct event *event, const struct field_ref *ref, const struct value *base,
                      const struct value *source)
{
    struct value merged;
    if (is_object(base)) {
        merged = *base;
        update_object(event->arena, &merged, source);
    } else if (base && value_type(base) == VALUE_ARRAY) {
        merged = *base;
        push_all(event->arena, &merged, source);
    } else {
        merged = value_array_new(event->arena, 2);
        push_all(event->arena, &merged, base);
        push_all(event->arena, &merged, source);
    }
    return event_set(event, ref, merged, NULL);
}

bool mutate_merge(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    if (!step->field.is_legal)
        return false;
    const struct value *found = event_get(event, &step->field.ref);
    struct value base = found ? *found : value_null();
    if (value_type(&base) == VALUE_ARRAY)
        base = list_copy(event->arena, &base);
    for (size_t i = 0; i < step->other_count; i++) {
        if (!step->others[i].is_legal)
            return false;
        const struct value *source = event_get(event, &step->others[i].ref);
        if (is_object(&base) != is_object(source))
            continue; /* a list and an object cannot be merged */
        if (!merge_one(event, &step->field.ref, &base, source))
            return false;
    }
    return true;
}

bool mutate_copy(struct mutate *self, struct mutate_step *step, struct event *event)
{
    (void)self;
    if (!step->field.is_legal)
        return false;
    const struct value *value = event_get(event, &step->field.ref);
    if (!value || value_type(value) == VALUE_NULL) /* before the destination is looked at */
        return true;
    return step->other_count == 1 && step->others[0].is_legal &&
           event_set(event, &step->others[0].ref, value_dup(event->arena, value), NULL);
}
