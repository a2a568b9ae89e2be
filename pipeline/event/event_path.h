/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to event.c and grok_fields.c: how one part of a field reference is followed.
 */
#ifndef MILLRACE_PIPELINE_EVENT_EVENT_PATH_H
#define MILLRACE_PIPELINE_EVENT_EVENT_PATH_H

#include "conf/field_ref.h"
#include "pipeline/event/value_store.h"

static inline struct object_key field_part_key(const struct field_part *part)
{
    struct object_key key = {part->name.ptr, (uint32_t)part->name.len, part->mark};
    return part->is_marked ? key : object_key(part->name);
}

/* The value of a part's key, which is to be written; a null is put there when it is not. */
static inline struct value *field_part_place(struct arena *arena, struct object *object,
                                             const struct field_part *part)
{
    struct object_key key = field_part_key(part);
    struct value *place = object_add_quickly(object, &key, part->is_plain);
    return place ? place : object_place(arena, object, &key, part->is_plain);
}

/* The object of a part's key, which is to be changed; an empty one is made when there is none. NULL: another value is in the
 * way. */
static inline struct object *field_part_object(struct arena *arena, struct object *object,
                                               const struct field_part *part)
{
    uint32_t before = object->live;
    struct value *place = field_part_place(arena, object, part);
    if (object->live > before) {
        *place = value_object_small(arena);
        return place->as.object;
    }
    return place->type == VALUE_OBJECT ? object_of(place) : NULL;
}

#endif
