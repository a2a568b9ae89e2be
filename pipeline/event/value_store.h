/* SPDX-License-Identifier: Apache-2.0
 *
 * How values are stored: private to value.c, object.c, value_text.c, event.c, grok_fields.c, event_binary.c and the JSON code, which fill and
 * walk containers without a call for each item. Everybody else uses pipeline/event/value.h.
 *
 * An object is a vector of entries in insertion order. Up to OBJECT_LINEAR_MAX entries a key is found by
 * comparing; above that an index of entry positions by seeded hash is kept, so that an object with 100,000
 * hostile keys costs what its size says. Removal from an indexed object leaves a dead entry behind (key.ptr
 * NULL), squeezed out when positions are next asked for.
 *
 * A container that came as JSON in the very form in which we write it keeps that text, a span in the document, as long as
 * nothing in it is changed: then it is written by copying the text. Until somebody looks inside it is nothing but its text
 * and knows how many members it has. The only ways inside are array_look and object_look, which fill it first, in the arena
 * where it stands, and array_of and object_of, for who may change it: they note that its text, and that of the containers
 * around it, is out of date. Spans are made only in an arena that stays where it is (arena.h).
 */
#ifndef MILLRACE_PIPELINE_EVENT_VALUE_STORE_H
#define MILLRACE_PIPELINE_EVENT_VALUE_STORE_H

#include <string.h>

#include "base/json/json_scan.h"
#include "pipeline/event/value.h"

enum { OBJECT_LINEAR_MAX = 48 };

/* The text of a container. */
struct span {
    const char *text;
    const struct json_member *members; /* what is in it */
    struct arena *arena;               /* where the container stands, and is filled */
    struct span
        *around; /* the container that this one came out of, when that was filled; NULL: none */
    uint16_t len;
    uint8_t count;            /* of its members */
    uint8_t inside;           /* of all that is in it */
    bool keep_decimals;       /* of the json_decoding that it came with */
    bool changed;             /* out of date; then that around it is, too */
    struct span_member *read; /* of an object that nobody looked inside; NULL: nothing was read */
};

struct array {
    struct value *items; /* NULL: nobody has looked inside */
    uint32_t count;
    uint32_t capacity;
    struct span *span; /* NULL: there is no text */
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

static inline struct object_key object_key(struct str text)
{
    assert(text.len <= UINT32_MAX);
    return (struct object_key){text.ptr ? text.ptr : "", (uint32_t)text.len, str_mark(text)};
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
    for (uint32_t at = 0; at + 2 * HALF < one->len; at += HALF) {
        memcpy(&a[0], one->ptr + at, HALF);
        memcpy(&b[0], other + at, HALF);
        if (a[0] != b[0])
            return false;
    }
    if (one->len >= HALF) {
        uint32_t from = one->len > 2 * HALF ? one->len - 2 * HALF : 0;
        memcpy(&a[0], one->ptr + from, HALF);
        memcpy(&b[0], other + from, HALF);
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

/* One of 64 shapes: most keys that are not in a small object have one that none of its keys has. */
static inline uint64_t object_key_shape(const struct object_key *key)
{
    return UINT64_C(1) << ((key->mark * 0x9e3779b9u + key->len) >> 26);
}

/* A member that an object was asked for which nobody looked inside. */
struct span_member {
    struct object_entry entry;
    struct span_member *before; /* NULL: it was the first one */
};

struct object {
    struct object_entry *entries; /* NULL: nobody has looked inside */
    uint32_t used;                /* entries in use, the dead ones too */
    uint32_t live;
    uint32_t capacity;
    uint32_t index_mask; /* slots of the index - 1 */
    uint32_t *index;     /* 0: free, else entry position + 1; NULL while small */
    uint64_t
        shapes; /* of all keys that are or were there: one whose shape is missing is not there */
    bool has_odd_keys; /* one that JSON writes with escapes is, or was, there */
    struct span *span; /* NULL: there is no text */
};

/* ---- containers and their text ---- */

/* The text says what the container is. */
static inline bool span_is_good(const struct span *span)
{
    return span && !span->changed;
}

/* Of an array or object; NULL: there is none. */
static inline const struct span *container_span(const struct value *container)
{
    return container->type == VALUE_ARRAY ? container->as.array->span : container->as.object->span;
}

static inline struct str span_text(const struct span *span)
{
    return str_make(span->text, span->len);
}

static inline void span_change(struct span *span)
{
    for (; span && !span->changed; span = span->around)
        span->changed = true;
}

/* Containers that are nothing but their text. */
struct value value_array_span(const struct span *span);
struct value value_object_span(const struct span *span);

/* json_span.c */
void json_fill_array(struct array *array);
void json_fill_object(struct object *object);
/* Reads a member of an object that nobody has looked inside without filling it; *out NULL: there is none. False: it has to be
 * filled. Not for containers, because somebody may change them, and for a few keys of each object. */
bool json_read_member(struct object *object, const struct object_key *key,
                      const struct value **out);

static inline struct array *array_filled(const struct value *value)
{
    assert(value->type == VALUE_ARRAY);
    if (__builtin_expect(!value->as.array->items, 0))
        json_fill_array(value->as.array);
    return value->as.array;
}

static inline struct object *object_filled(const struct value *value)
{
    assert(value->type == VALUE_OBJECT);
    if (__builtin_expect(!value->as.object->entries, 0))
        json_fill_object(value->as.object);
    return value->as.object;
}

/* To read. */
static inline const struct array *array_look(const struct value *value)
{
    return array_filled(value);
}
static inline const struct object *object_look(const struct value *value)
{
    return object_filled(value);
}

/* To change it, or to give somebody a pointer to change it by. */
static inline struct array *array_of(const struct value *value)
{
    span_change(array_filled(value)->span);
    return value->as.array;
}
static inline struct object *object_of(const struct value *value)
{
    span_change(object_filled(value)->span);
    return value->as.object;
}

/* value_object_get for who only reads. */
const struct value *object_find(const struct value *object, const struct object_key *key);
/* The value of a key; a null is added when it is not there. is_plain: the key is known not to be odd. */
struct value *object_place(struct arena *arena, struct object *object, const struct object_key *key,
                           bool is_plain);

/* A STRING with this flag has, right in front of its text, a struct str: itself as JSON writes it, without the quotes. What
 * had escapes when it came and was not changed is written again without looking for them. */
enum { VALUE_HAS_JSON = 2 };

/* A STRING with this flag is known to have nothing that JSON would escape. */
enum { VALUE_IS_PLAIN = 4 };

static inline struct str value_json(const struct value *string)
{
    struct str json;
    assert(string->type == VALUE_STRING && string->flags == VALUE_HAS_JSON);
    memcpy(&json, string->as.text - sizeof json, sizeof json);
    return json;
}

/* ---- filling and adding ---- */

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
/* The key is known not to be there, and whether JSON writes it with escapes. */
void object_fill_new(struct object_fill *fill, const struct object_entry *entry, bool is_odd);
struct value object_fill_end(struct object_fill *fill);

/* An object of these entries (copied) with room for `spare` more, by object_fill. */
struct value object_from_entries(struct arena *arena, const struct object_entry *entries,
                                 size_t count, size_t spare);

/* One with the keys and values of another, which is small and of which nothing was removed, and room for more. */
struct value object_like(struct arena *arena, const struct object *like, size_t spare);

/* Adds an entry whose key is known not to be there. */
void object_append(struct arena *arena, struct object *object, const struct object_key *key,
                   bool is_plain, struct value item);

/* Takes out the entry at this position. */
void object_remove_at(struct object *object, uint32_t at);

enum { OBJECT_SMALL_CAPACITY = 4 };

/* An object without entries, with room for a few. */
static inline struct value value_object_small(struct arena *arena)
{
    struct object *object =
        arena_alloc(arena, sizeof *object + OBJECT_SMALL_CAPACITY * sizeof *object->entries);
    *object = (struct object){.capacity = OBJECT_SMALL_CAPACITY};
    object->entries = (struct object_entry *)(object + 1);
    return (struct value){.type = VALUE_OBJECT, .as.object = object};
}

/* Of an object that has room: the entry for a new key, with a null. What else is known of the object is left to the caller. */
static inline struct value *object_add_entry(struct object *object, const struct object_key *key)
{
    assert(object->used < object->capacity);
    struct object_entry *entry = &object->entries[object->used++];
    *entry = (struct object_entry){.key = *key};
    object->shapes |= object_key_shape(key);
    object->live++;
    return &entry->value;
}

/* Of an object that has at most OBJECT_LINEAR_MAX entries, and room: adds one with a null for a key that is not there and not
 * odd. */
static inline struct value *object_add_small(struct object *object, const struct object_key *key)
{
    assert(!object->index);
    return object_add_entry(object, key);
}

static inline bool object_has_room(const struct object *object)
{
    return object->used < object->capacity && object->used < OBJECT_LINEAR_MAX;
}

/* The position of a key's entry, or -1. */
int64_t object_position(const struct object *object, const struct object_key *key);

/* Adds an entry with a null for a key of which some instructions show that it is not there and that there is room. NULL: they
 * do not. */
static inline struct value *object_add_quickly(struct object *object, const struct object_key *key,
                                               bool is_plain)
{
    bool is_new = is_plain && !(object->shapes & object_key_shape(key)) && object_has_room(object);
    return is_new ? object_add_small(object, key) : NULL;
}

/* Does JSON write the key with escapes? */
bool object_key_is_odd(const struct object_key *key);

static inline bool object_entry_is_dead(const struct object_entry *entry)
{
    return !entry->key.ptr;
}

#endif
