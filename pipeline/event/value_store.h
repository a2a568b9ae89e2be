/* SPDX-License-Identifier: Apache-2.0
 *
 * How values are stored: private to value.c, object.c, value_text.c, event.c and the JSON code, which fill and
 * walk containers without a call for each item. Everybody else uses pipeline/event/value.h.
 *
 * An object is a vector of entries in insertion order. Up to OBJECT_LINEAR_MAX entries a key is found by
 * comparing; above that an index of entry positions by seeded hash is kept, so that an object with 100,000
 * hostile keys costs what its size says. Removal from an indexed object leaves a dead entry behind (key.ptr
 * NULL), squeezed out when positions are next asked for.
 */
#ifndef MILLRACE_PIPELINE_EVENT_VALUE_STORE_H
#define MILLRACE_PIPELINE_EVENT_VALUE_STORE_H

#include <string.h>

#include "pipeline/event/value.h"

enum { OBJECT_LINEAR_MAX = 48 };

struct array {
    struct value *items;
    uint32_t count;
    uint32_t capacity;
};

/* A key, with a mark that differs for most keys of one length: finding a key rarely reads the text of others. */
struct object_key {
    const char *ptr; /* NULL: the entry is dead; live keys always have a ptr */
    uint32_t len;
    uint32_t mark;
};

struct object_entry {
    struct object_key key;
    struct value value;
};

static inline uint32_t object_key_mark(const char *ptr, size_t len)
{
    uint32_t head = 0, tail = 0;
    if (len >= sizeof head) {
        memcpy(&head, ptr, sizeof head);
        memcpy(&tail, ptr + len - sizeof tail, sizeof tail);
    } else if (len > 0) {
        head = (uint32_t)(unsigned char)ptr[0] << 16 | (uint32_t)(unsigned char)ptr[len / 2] << 8 |
               (unsigned char)ptr[len - 1];
    }
    return head * 31 + tail;
}

static inline struct object_key object_key(struct str text)
{
    assert(text.len <= UINT32_MAX);
    return (struct object_key){text.ptr ? text.ptr : "", (uint32_t)text.len,
                               object_key_mark(text.ptr, text.len)};
}

static inline struct str object_key_text(const struct object_entry *entry)
{
    return str_make(entry->key.ptr, entry->key.len);
}

/* Length and mark, to be compared at once. */
static inline uint64_t object_key_tag(const struct object_key *key)
{
    uint64_t tag;
    static_assert(sizeof tag == sizeof key->len + sizeof key->mark, "both fit");
    memcpy(&tag, &key->len, sizeof tag);
    return tag;
}

/* Whether two keys whose tags are equal are the same. The mark of a short one is made of all its bytes. */
static inline bool object_key_same_text(const struct object_key *one, const char *other)
{
    enum { HALF = 8, QUARTER = 4 };
    uint64_t a[2], b[2];
    uint32_t c[2], d[2];
    if (one->len < QUARTER || one->ptr == other)
        return true;
    if (one->len > 2 * HALF)
        return memcmp(one->ptr, other, one->len) == 0;
    if (one->len >= HALF) {
        memcpy(&a[0], one->ptr, HALF);
        memcpy(&b[0], other, HALF);
        memcpy(&a[1], one->ptr + one->len - HALF, HALF);
        memcpy(&b[1], other + one->len - HALF, HALF);
        return ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0;
    }
    memcpy(&c[0], one->ptr, QUARTER);
    memcpy(&d[0], other, QUARTER);
    memcpy(&c[1], one->ptr + one->len - QUARTER, QUARTER);
    memcpy(&d[1], other + one->len - QUARTER, QUARTER);
    return ((c[0] ^ d[0]) | (c[1] ^ d[1])) == 0;
}

struct object {
    struct object_entry *entries;
    uint32_t used; /* entries in use, the dead ones too */
    uint32_t live;
    uint32_t capacity;
    uint32_t index_mask; /* slots of the index - 1 */
    uint32_t *index;     /* 0: free, else entry position + 1; NULL while small */
    uint64_t
        shapes; /* of all keys that are or were there: one whose shape is missing is not there */
};

/* A STRING with this flag has, right in front of its text, a struct str: itself as JSON writes it, without the quotes. What
 * had escapes when it came and was not changed is written again without looking for them. */
enum { VALUE_HAS_JSON = 2 };

static inline struct str value_json(const struct value *string)
{
    struct str json;
    assert(string->type == VALUE_STRING && string->flags == VALUE_HAS_JSON);
    memcpy(&json, string->as.text - sizeof json, sizeof json);
    return json;
}

/* An object filled in order, from a list that may hold a key twice: a later one replaces the value of the earlier one, which
 * keeps its place. */
struct object_fill {
    struct arena *arena;
    struct value object;
    bool indexed;
};
void object_fill_begin(struct object_fill *fill, struct arena *arena, size_t count,
                       size_t capacity);
void object_fill_add(struct object_fill *fill, const struct object_entry *entry);
struct value object_fill_end(struct object_fill *fill);

/* An object of these entries (copied) with room for `spare` more, by object_fill. */
struct value object_from_entries(struct arena *arena, const struct object_entry *entries,
                                 size_t count, size_t spare);

/* One with the keys and values of another, which is small and of which nothing was removed, and room for more. */
struct value object_like(struct arena *arena, const struct object *like, size_t spare);

/* The value of a key; a null is added when it is not there. */
struct value *object_place(struct arena *arena, struct object *object, struct str key);

/* Adds an entry whose key is known not to be there. */
void object_append(struct arena *arena, struct object *object, struct str key, struct value item);

static inline bool object_entry_is_dead(const struct object_entry *entry)
{
    return !entry->key.ptr;
}

#endif
