/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/grok_fields.h"

#include "pipeline/event/ruby_text.h"

static struct value capture_value(struct arena *arena, enum grok_type type, struct str text)
{
    if (type == GROK_STRING)
        return value_str(text);
    return type == GROK_INT ? ruby_to_i(arena, text) : value_float(ruby_to_f(arena, text));
}

/* For a field that event_place does not give. */
static bool join_slowly(struct event *event, const struct field_ref *target, struct value value)
{
    const struct value *old = event_get(event, target);
    if (!old || value_type(old) == VALUE_NULL)
        return event_set(event, target, value, NULL);
    struct value list;
    if (value_type(old) == VALUE_ARRAY)
        list = value_dup(event->arena, old);
    else if (value_type(old) != VALUE_STRING)
        return true;
    else {
        list = value_array_new(event->arena, 2);
        value_array_push(event->arena, &list, *old);
    }
    value_array_push(event->arena, &list, value);
    return event_set(event, target, list, NULL);
}

/* A text becomes a list of both, a list longer; to a number nothing is added. */
static bool join_value(struct event *event, const struct field_ref *target, struct value value)
{
    struct value *place = event_place(event, target);
    if (!place)
        return join_slowly(event, target, value);
    if (value_type(place) == VALUE_NULL) {
        *place = value;
    } else if (value_type(place) == VALUE_ARRAY) {
        value_array_push(event->arena, place, value);
    } else if (value_type(place) == VALUE_STRING) {
        struct value list = value_array_new(event->arena, 2);
        value_array_push(event->arena, &list, *place);
        value_array_push(event->arena, &list, value);
        *place = list;
    }
    return true;
}

bool grok_fields_set(const struct grok *grok, const struct grok_target *targets,
                     const struct regex_scratch *scratch, struct str text, bool keep_empty,
                     struct event *event)
{
    for (size_t i = 0; i < grok->count; i++) {
        const struct grok_capture *capture = &grok->captures[i];
        size_t start = 0, end = 0;
        bool took_part = regex_group(scratch, capture->group, &start, &end);
        if ((!took_part || start == end) && !keep_empty)
            continue;
        struct value value = value_null();
        if (took_part)
            value =
                capture_value(event->arena, capture->type, str_make(text.ptr + start, end - start));
        const struct field_ref *field = &targets[i].field;
        if (!field->text.ptr)
            return false;
        if (targets[i].overwrite ? !event_set(event, field, value, NULL)
                                 : !join_value(event, field, value))
            return false;
    }
    return true;
}
