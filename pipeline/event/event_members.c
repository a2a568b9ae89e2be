/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/text/block.h"
#include "pipeline/event/event.h"
#include "pipeline/event/value_store.h"

/* A byte that makes more of a name than a name: of a reference, or of @timestamp and the like. */
static bool has_reference(struct str name)
{
    return memchr(name.ptr, '[', name.len) || memchr(name.ptr, ']', name.len) ||
           memchr(name.ptr, '@', name.len);
}

/* Is it the name of a field that takes any value? Then *is_plain: JSON writes it as it is. */
static inline bool is_common_name(const struct object_key *key, bool *is_plain)
{
    struct str name = str_make(key->ptr, key->len);
    if (name.len == 0 || (*name.ptr == 't' && field_kind_of(name) != FIELD_COMMON))
        return false;
    if (name.len > BLOCK) {
        *is_plain = false; /* it is looked at when it is added */
        return !has_reference(name);
    }
    struct block bytes = block_of_text(name.ptr, name.len);
    *is_plain = !block_any(block_escapes(bytes));
    return !block_any(block_equal(bytes, '[')) && !block_any(block_equal(bytes, ']')) &&
           !block_any(block_equal(bytes, '@'));
}

size_t event_take_members(struct event *event, const struct value *object, size_t from)
{
    struct object *fields = object_of(&event->fields);
    const struct object *given = object_of(object);
    assert(given != fields && given->live == given->used);
    for (; from < given->used; from++) {
        const struct object_entry *entry = &given->entries[from];
        bool is_plain;
        if (!is_common_name(&entry->key, &is_plain))
            break;
        *object_place(event->arena, fields, &entry->key, is_plain) = entry->value;
    }
    return from;
}
