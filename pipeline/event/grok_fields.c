/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/grok_fields.h"

#include "pipeline/event/event_path.h"
#include "pipeline/event/ruby_text.h"

/* An object that captures stand in: the event's fields, or a part's below another parent. */
struct grok_parent {
    size_t around;
    struct field_part part;
};

/* ---- parents that are shared ---- */

void grok_fields_init(struct arena *arena, const struct grok *grok, struct grok_fields *out)
{
    *out = (struct grok_fields){.targets = arena_zero(arena, grok->count * sizeof *out->targets)};
}

/* The parent of this name below another one; GROK_NO_PARENT when there is none. */
static uint8_t find_parent(const struct grok_fields *fields, size_t around, struct str name)
{
    for (size_t i = 1; i < fields->parent_count; i++)
        if (fields->parents[i].around == around && str_equal(fields->parents[i].part.name, name))
            return (uint8_t)i;
    return GROK_NO_PARENT;
}

static uint8_t share_parents(struct grok_fields *fields, const struct field_ref *field)
{
    uint8_t at = 0;
    for (size_t i = 0; i + 1 < field->count; i++) {
        uint8_t next = find_parent(fields, at, field->parts[i].name);
        if (next == GROK_NO_PARENT) {
            if (fields->parent_count == GROK_PARENTS_MAX)
                return GROK_NO_PARENT;
            next = (uint8_t)fields->parent_count++;
            fields->parents[next] = (struct grok_parent){at, field->parts[i]};
        }
        at = next;
    }
    return at;
}

/* Fields that a rule is about, and those below @metadata, are asked for by their paths. */
static bool is_common(const struct field_ref *field)
{
    return field->text.ptr && field->root == FIELD_ROOT_EVENT && field->count > 0 &&
           field_kind_of(field->parts[0].name) == FIELD_COMMON;
}

/* One capture may put a text where another one's parent is. */
static bool is_parent_itself(const struct grok_fields *fields, const struct grok_target *target)
{
    const struct field_ref *field = &target->field;
    return target->parent != GROK_NO_PARENT &&
           find_parent(fields, target->parent, field->parts[field->count - 1].name) !=
               GROK_NO_PARENT;
}

void grok_fields_share(struct arena *arena, const struct grok *grok, struct grok_fields *fields)
{
    bool clash = false;
    fields->parents = arena_zero(arena, GROK_PARENTS_MAX * sizeof *fields->parents);
    fields->parent_count = 1; /* the event's fields */
    for (size_t i = 0; i < grok->count; i++) {
        struct grok_target *target = &fields->targets[i];
        target->parent =
            is_common(&target->field) ? share_parents(fields, &target->field) : GROK_NO_PARENT;
    }
    for (size_t i = 0; i < grok->count; i++)
        clash |= is_parent_itself(fields, &fields->targets[i]);
    for (size_t i = 0; clash && i < grok->count; i++)
        fields->targets[i].parent = GROK_NO_PARENT;
}

/* ---- setting ---- */

/* A match whose captures become fields. */
struct setting {
    const struct grok_fields *fields;
    struct event *event;
    struct object *objects[GROK_PARENTS_MAX]; /* of the parents; NULL: not asked for yet */
};

static struct object *find_object(struct setting *setting, size_t which);

/* Made when it is missing. NULL: another value is in the way. */
static inline struct object *parent_object(struct setting *setting, size_t which)
{
    struct object *known = setting->objects[which];
    return known ? known : find_object(setting, which);
}

static struct object *find_object(struct setting *setting, size_t which)
{
    const struct grok_parent *parent = &setting->fields->parents[which];
    struct object *around = parent_object(setting, parent->around);
    if (around)
        setting->objects[which] = field_part_object(setting->event->arena, around, &parent->part);
    return setting->objects[which];
}

/* As event_place. */
static struct value *target_place(struct setting *setting, const struct grok_target *target)
{
    if (target->parent == GROK_NO_PARENT)
        return event_place(setting->event, &target->field);
    struct object *object = parent_object(setting, target->parent);
    const struct field_part *last = &target->field.parts[target->field.count - 1];
    return object ? field_part_place(setting->event->arena, object, last) : NULL;
}

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
static void join_at(struct arena *arena, struct value *place, struct value value)
{
    if (value_type(place) == VALUE_NULL) {
        *place = value;
    } else if (value_type(place) == VALUE_ARRAY) {
        value_array_push(arena, place, value);
    } else if (value_type(place) == VALUE_STRING) {
        struct value list = value_array_new(arena, 2);
        value_array_push(arena, &list, *place);
        value_array_push(arena, &list, value);
        *place = list;
    }
}

static bool set_target(struct setting *setting, const struct grok_target *target,
                       struct value value)
{
    struct event *event = setting->event;
    struct value *place = target_place(setting, target);
    if (!place)
        return target->overwrite ? event_set(event, &target->field, value, NULL)
                                 : join_slowly(event, &target->field, value);
    if (target->overwrite)
        *place = value;
    else
        join_at(event->arena, place, value);
    return true;
}

bool grok_fields_set(const struct grok *grok, const struct grok_fields *fields,
                     const struct regex_scratch *scratch, struct str text, bool keep_empty,
                     struct event *event)
{
    struct setting setting;
    setting.fields = fields;
    setting.event = event;
    memset(setting.objects, 0, fields->parent_count * sizeof *setting.objects);
    setting.objects[0] = object_of(&event->fields);
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
        if (!fields->targets[i].field.text.ptr || !set_target(&setting, &fields->targets[i], value))
            return false;
    }
    return true;
}
