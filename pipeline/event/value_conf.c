/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/value_conf.h"

#include "pipeline/event/ruby_text.h"

static struct value list_from_conf(struct arena *arena, const struct conf_value *value)
{
    struct value list = value_array_new(arena, value->count);
    for (size_t i = 0; i < value->count; i++)
        value_array_push(arena, &list, value_from_conf(arena, &value->items[i]));
    return list;
}

static struct value object_from_conf(struct arena *arena, const struct conf_value *value)
{
    struct value object = value_object_new(arena, value->count);
    for (size_t i = 0; i < value->count; i++)
        value_object_set(arena, &object, arena_dup(arena, value->pairs[i].key.text),
                         value_from_conf(arena, &value->pairs[i].value));
    return object;
}

/* The depth is limited by the parser. */
struct value value_from_conf(struct arena *arena, const struct conf_value *value)
{
    switch (value->type) {
    case CONF_NUMBER:
        return value->is_float ? value_float(ruby_to_f(arena, value->text))
                               : ruby_to_i(arena, value->text);
    case CONF_ARRAY:
        return list_from_conf(arena, value);
    case CONF_HASH:
        return object_from_conf(arena, value);
    case CONF_STRING:
    case CONF_BAREWORD:
    case CONF_BLOCK:
        break;
    }
    return value_str(arena_dup(arena, value->text));
}
