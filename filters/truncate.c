/* SPDX-License-Identifier: Apache-2.0
 *
 * truncate: cuts strings to a number of bytes, never within a character.
 */
#include "filters/filters.h"

struct truncate {
    struct option_fields fields;
    int64_t length_bytes;
};

static const struct option OPTIONS[] = {
    {
        .name = "fields",
        .doc = "Fields to cut, with everything below them; without it all fields.",
        OPTION_IN_FIELDS(struct truncate, fields),
    },
    {
        .name = "length_bytes",
        .doc = "Bytes that a string may have.",
        OPTION_IN_INT(struct truncate, length_bytes),
        .min = 0,
        .max = 4294967295.0,
        .flags = OPTION_REQUIRED,
    },
    OPTION_END,
};

static bool cut_str(struct value *value, size_t max)
{
    struct str text = value_as_str(value);
    if (text.len <= max)
        return false;
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xC0) == 0x80)
        max--;
    *value = value_str(str_make(text.ptr, max));
    return true;
}

/* The strings of a list; not what its lists and objects hold. */
static bool cut_list(struct value *list, size_t max)
{
    bool changed = false;
    for (size_t i = 0; i < value_array_count(list); i++) {
        struct value *item = value_array_at(list, i);
        if (value_type(item) == VALUE_STRING)
            changed |= cut_str(item, max);
    }
    return changed;
}

/* True when anything was cut. */
static bool cut(struct value *value, size_t max)
{
    bool changed = false;
    struct str key;
    if (value_type(value) == VALUE_STRING)
        return cut_str(value, max);
    if (value_type(value) == VALUE_ARRAY)
        return cut_list(value, max);
    if (value_type(value) == VALUE_OBJECT)
        for (size_t i = 0; i < value_object_count(value); i++)
            changed |= cut(value_object_at(value, i, &key), max);
    return changed;
}

static bool cut_field(struct event *event, const struct field_ref *field, size_t max)
{
    const struct value *found = event_get(event, field);
    if (!found)
        return false;
    struct value value = *found;
    return cut(&value, max) && event_set(event, field, value, NULL);
}

static enum filter_result truncate_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct truncate *self = plugin;
    (void)more;
    size_t max = (size_t)self->length_bytes;
    bool changed = false;
    if (self->fields.count == 0)
        changed = cut(&event->fields, max);
    for (size_t i = 0; i < self->fields.count; i++)
        changed |= cut_field(event, &self->fields.items[i], max);
    return changed ? FILTER_MATCHED : FILTER_SKIPPED;
}

const struct filter filter_truncate = {
    .plugin =
        {
            .name = "truncate",
            .summary = "Cuts strings to a number of bytes.",
            .options = OPTIONS,
            .size = sizeof(struct truncate),
        },
    .apply = truncate_apply,
};
