/* SPDX-License-Identifier: Apache-2.0
 *
 * How values are stored: private to value.c, object.c, value_text.c, event.c and the JSON code, which fill and
 * walk containers without a call for each item. Everybody else uses pipeline/value.h.
 *
 * An object is a vector of entries in insertion order. Up to OBJECT_LINEAR_MAX entries a key is found by
 * comparing; above that an index of entry positions by seeded hash is kept, so that an object with 100,000
 * hostile keys costs what its size says. Removal from an indexed object leaves a dead entry behind (key.ptr
 * NULL), squeezed out when positions are next asked for.
 */
#ifndef MILLRACE_PIPELINE_VALUE_STORE_H
#define MILLRACE_PIPELINE_VALUE_STORE_H

#include "pipeline/value.h"

enum { OBJECT_LINEAR_MAX = 24 };

struct array {
    struct value *items;
    uint32_t count;
    uint32_t capacity;
};

struct object_entry {
    struct str key; /* ptr NULL: dead; live keys always have a ptr */
    struct value value;
};

struct object {
    struct object_entry *entries;
    uint32_t used; /* entries in use, the dead ones too */
    uint32_t live;
    uint32_t capacity;
    uint32_t index_mask; /* slots of the index - 1 */
    uint32_t *index;     /* 0: free, else entry position + 1; NULL while small */
};

/* An object of these entries (copied) with room for `spare` more. A later entry with the same key replaces the
 * value of the earlier one, which keeps its place. */
struct value object_from_entries(struct arena *arena, const struct object_entry *entries,
                                 size_t count, size_t spare);

/* Adds an entry whose key is known not to be there. */
void object_append(struct arena *arena, struct object *object, struct str key, struct value item);

static inline bool object_entry_is_dead(const struct object_entry *entry)
{
    return !entry->key.ptr;
}

#endif
