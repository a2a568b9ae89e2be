/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/event_diff.h"

#include <assert.h>

static const struct value NOTHING = {.type = VALUE_NULL};

struct event_fields event_fields_of(struct arena *arena, const struct event *event)
{
    return (struct event_fields){
        .fields = value_dup(arena, &event->fields),
        .metadata = value_dup(arena, &event->metadata),
    };
}

struct str event_path(struct arena *arena, struct str outer, struct str name)
{
    if (outer.len == 0)
        return name;
    if (outer.ptr[0] == '[')
        return arena_printf(arena, "%.*s[%.*s]", STR_FMT(outer), STR_FMT(name));
    return arena_printf(arena, "[%.*s][%.*s]", STR_FMT(outer), STR_FMT(name));
}

static void add(struct arena *arena, struct event_diff *diff, enum field_change change,
                const struct event_change *item)
{
    enum { FIRST_CAPACITY = 16 };
    if (diff->count == diff->capacity) {
        size_t capacity = diff->capacity ? diff->capacity * 2 : FIRST_CAPACITY;
        diff->items = arena_grow(arena, diff->items, diff->count * sizeof *diff->items,
                                 capacity * sizeof *diff->items);
        diff->capacity = capacity;
    }
    diff->items[diff->count] = *item;
    diff->items[diff->count++].change = change;
}

static bool has_members(const struct value *value)
{
    return value && value_type(value) == VALUE_OBJECT && value_object_count(value) > 0;
}

/* All leaves of a value that only one of the two has. */
static void one_sided(struct arena *arena, struct str path, const struct value *value,
                      enum field_change change, struct event_diff *out)
{
    if (!has_members(value)) {
        bool is_new = change == FIELD_ADDED;
        add(arena, out, change,
            &(struct event_change){.path = path,
                                   .before = is_new ? NOTHING : *value,
                                   .after = is_new ? *value : NOTHING});
        return;
    }
    for (size_t i = 0; i < value_object_count(value); i++) {
        struct str name;
        const struct value *member = value_object_at(value, i, &name);
        one_sided(arena, event_path(arena, path, name), member, change, out);
    }
}

static void compare_members(struct arena *arena, struct str path, const struct value *before,
                            const struct value *after, struct event_diff *out);

static void compare(struct arena *arena, struct str path, const struct value *before,
                    const struct value *after, struct event_diff *out)
{
    if (value_equal(before, after))
        out->same++;
    else if (value_type(before) == VALUE_OBJECT && value_type(after) == VALUE_OBJECT)
        compare_members(arena, path, before, after, out);
    else
        add(arena, out, FIELD_CHANGED,
            &(struct event_change){.path = path, .before = *before, .after = *after});
}

static void compare_members(struct arena *arena, struct str path, const struct value *before,
                            const struct value *after, struct event_diff *out)
{
    struct str name;
    for (size_t i = 0; i < value_object_count(before); i++) {
        const struct value *member = value_object_at(before, i, &name);
        const struct value *other = value_object_get(after, name);
        struct str inner = event_path(arena, path, name);
        if (other)
            compare(arena, inner, member, other, out);
        else
            one_sided(arena, inner, member, FIELD_REMOVED, out);
    }
    for (size_t i = 0; i < value_object_count(after); i++) {
        const struct value *member = value_object_at(after, i, &name);
        if (!value_object_get(before, name))
            one_sided(arena, event_path(arena, path, name), member, FIELD_ADDED, out);
    }
}

void event_diff(struct arena *arena, const struct event_fields *before,
                const struct event_fields *after, struct event_diff *out)
{
    assert(value_type(&before->fields) == VALUE_OBJECT);
    assert(value_type(&after->fields) == VALUE_OBJECT);
    *out = (struct event_diff){.items = NULL};
    compare_members(arena, STR(""), &before->fields, &after->fields, out);
    compare_members(arena, STR("@metadata"), &before->metadata, &after->metadata, out);
}

void event_list(struct arena *arena, const struct event_fields *event, struct event_diff *out)
{
    *out = (struct event_diff){.items = NULL};
    if (has_members(&event->fields))
        one_sided(arena, STR(""), &event->fields, FIELD_ADDED, out);
    if (has_members(&event->metadata))
        one_sided(arena, STR("@metadata"), &event->metadata, FIELD_ADDED, out);
}
