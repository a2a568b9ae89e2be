/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/target.h"

struct event *target_event(const struct field_ref *target, struct value value, struct arena *arena)
{
    if (field_ref_is_given(target)) {
        struct event *event = event_new(arena);
        (void)event_set(event, target, value, NULL);
        return event;
    }
    if (value_type(&value) == VALUE_NULL)
        return event_new(arena);
    return value_type(&value) == VALUE_OBJECT ? event_from_object(arena, value) : NULL;
}
