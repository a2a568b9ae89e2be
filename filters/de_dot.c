/* SPDX-License-Identifier: Apache-2.0
 *
 * de_dot: fields whose names have dots are renamed, or with `nested` become objects within objects.
 */
#include "filters/filters.h"

struct de_dot {
    struct str separator;
    bool nested;
    bool recursive;
    struct option_fields fields;
    struct str tag_on_failure;

    struct counter *failures;
};

static const struct option OPTIONS[] = {
    {
        .name = "separator",
        .doc = "What stands for a dot.",
        OPTION_IN_STRING(struct de_dot, separator),
        .def = "_",
    },
    {
        .name = "nested",
        .doc = "Make objects of the parts of the name instead.",
        OPTION_IN_BOOL(struct de_dot, nested),
        .def = "false",
    },
    {
        .name = "recursive",
        .doc = "Rename what is below the fields too.",
        OPTION_IN_BOOL(struct de_dot, recursive),
        .def = "false",
    },
    {
        .name = "fields",
        .doc = "Fields to rename; without it all top-level fields.",
        OPTION_IN_FIELDS(struct de_dot, fields),
    },
    {
        .name = "tag_on_failure",
        .doc = "Tag for an event whose field cannot be renamed.",
        OPTION_IN_STRING(struct de_dot, tag_on_failure),
        .def = "_de_dot_error",
    },
    OPTION_END,
};

static bool de_dot_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct de_dot *self = plugin;
    (void)env;
    return !memchr(self->separator.ptr, '.', self->separator.len) ||
           error_set(err, ERROR_CONFIG, "the separator of de_dot must not hold a dot");
}

static bool de_dot_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct de_dot *self = plugin;
    (void)err;
    self->failures = env->counter(env, "failures");
    return true;
}

static bool has_dot(struct str name)
{
    return name.len > 0 && memchr(name.ptr, '.', name.len);
}

/* Adds the parts of a name: one with the dots replaced, or with `nested` the text between dots. */
static size_t add_parts(const struct de_dot *self, struct arena *arena, struct str name,
                        struct field_part *parts)
{
    size_t count = 0;
    if (self->nested) {
        for (size_t at; (at = str_find(name, STR("."))) != SIZE_MAX;
             name = str_from_offset(name, at + 1))
            parts[count++] = (struct field_part){.name = str_make(name.ptr, at)};
        parts[count++] = (struct field_part){.name = name};
        return count;
    }
    size_t dots = 0, len = 0;
    for (size_t i = 0; i < name.len; i++)
        dots += name.ptr[i] == '.';
    char *text = arena_bytes(arena, name.len + dots * self->separator.len);
    for (size_t i = 0; i < name.len; i++) {
        bool is_dot = name.ptr[i] == '.';
        memcpy(text + len, is_dot ? self->separator.ptr : name.ptr + i,
               is_dot ? self->separator.len : 1);
        len += is_dot ? self->separator.len : 1;
    }
    parts[0] = (struct field_part){.name = str_make(text, len)};
    return 1;
}

static struct value rename_below(const struct de_dot *self, struct arena *arena,
                                 const struct value *value);

/* Sets the value at the end of parts, in an object and the objects below it. False: something else is in the way. */
static bool set_parts(struct arena *arena, struct value *object, const struct field_part *parts,
                      size_t count, struct value value)
{
    struct value *at = object;
    for (size_t i = 0; i + 1 < count; i++) {
        struct value *next = value_object_get(at, parts[i].name);
        if (!next) {
            value_object_set(arena, at, parts[i].name, value_object_new(arena, 1));
            next = value_object_get(at, parts[i].name);
        }
        if (value_type(next) != VALUE_OBJECT)
            return false;
        at = next;
    }
    value_object_set(arena, at, parts[count - 1].name, value);
    return true;
}

static struct field_part *room_for_parts(struct arena *arena, struct str name)
{
    return arena_zero(arena, (name.len + 1) * sizeof(struct field_part));
}

static struct value rename_members(const struct de_dot *self, struct arena *arena,
                                   const struct value *object)
{
    struct value renamed = value_object_new(arena, value_object_count(object));
    for (size_t i = 0; i < value_object_count(object); i++) {
        struct str name;
        const struct value *member = value_object_at(object, i, &name);
        struct value value = rename_below(self, arena, member);
        struct field_part *parts = room_for_parts(arena, name);
        size_t count = has_dot(name) ? add_parts(self, arena, name, parts) : 0;
        if (count == 0 || !set_parts(arena, &renamed, parts, count, value))
            value_object_set(arena, &renamed, name, value);
    }
    return renamed;
}

/* Objects in objects; those in lists keep their names, as in Logstash. */
static struct value rename_below(const struct de_dot *self, struct arena *arena,
                                 const struct value *value)
{
    return value_type(value) == VALUE_OBJECT ? rename_members(self, arena, value) : *value;
}

/* Up to the first part with a dot: all below it went to the new name, so this is what is removed. */
static struct field_ref dotted_root(const struct field_ref *ref)
{
    struct field_ref root = *ref;
    for (root.count = 1; root.count < ref->count; root.count++)
        if (has_dot(ref->parts[root.count - 1].name))
            break;
    return root;
}

static bool rename_field(const struct de_dot *self, struct event *event,
                         const struct field_ref *ref)
{
    const struct value *found = event_get(event, ref);
    size_t bytes = 0, count = 0;
    bool dotted = false;
    if (!found)
        return true;
    for (size_t i = 0; i < ref->count; i++) {
        bytes += ref->parts[i].name.len + 1;
        dotted |= has_dot(ref->parts[i].name);
    }
    if (!dotted && !self->recursive)
        return true;
    struct value value = self->recursive ? rename_below(self, event->arena, found) : *found;
    struct field_part *parts = arena_zero(event->arena, bytes * sizeof *parts);
    for (size_t i = 0; i < ref->count; i++)
        count += add_parts(self, event->arena, ref->parts[i].name, parts + count);
    struct field_ref to = {.text = ref->text, .root = ref->root, .parts = parts, .count = count};
    struct field_ref old = dotted_root(ref);
    if (!event_set(event, &to, value, NULL))
        return false;
    return !dotted || event_remove(event, &old, NULL);
}

/* The names are taken first, because renaming changes the object. */
static bool rename_all(const struct de_dot *self, struct event *event)
{
    size_t count = value_object_count(&event->fields);
    struct field_part *names = arena_zero(event->arena, count * sizeof *names);
    for (size_t i = 0; i < count; i++)
        value_object_at(&event->fields, i, &names[i].name);
    for (size_t i = 0; i < count; i++) {
        struct field_ref ref = {.text = names[i].name, .parts = &names[i], .count = 1};
        if (!rename_field(self, event, &ref))
            return false;
    }
    return true;
}

static enum filter_result de_dot_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct de_dot *self = plugin;
    (void)more;
    bool renamed = self->fields.count > 0 || rename_all(self, event);
    for (size_t i = 0; renamed && i < self->fields.count; i++)
        renamed = rename_field(self, event, &self->fields.items[i]);
    if (renamed)
        return FILTER_MATCHED;
    counter_add(self->failures, 1);
    event_add_tag(event, self->tag_on_failure);
    return FILTER_SKIPPED;
}

const struct filter filter_de_dot = {
    .plugin =
        {
            .name = "de_dot",
            .summary = "Renames fields whose names have dots.",
            .options = OPTIONS,
            .size = sizeof(struct de_dot),
            .check = de_dot_check,
        },
    .open = de_dot_open,
    .apply = de_dot_apply,
};
