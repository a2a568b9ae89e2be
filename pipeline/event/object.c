/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/mem.h"
#include "pipeline/event/value_store.h"

enum { OBJECT_FIRST_CAPACITY = 4, INDEX_SLOTS_PER_ENTRY = 2, NOT_FOUND = -1 };

static struct object *object_alloc(struct arena *arena, size_t capacity)
{
    if (capacity > UINT32_MAX / 4)
        mem_abort("object too large");
    size_t entries = capacity * sizeof(struct object_entry);
    struct object *object = arena_alloc(arena, sizeof *object + entries);
    *object = (struct object){.capacity = (uint32_t)capacity};
    object->entries = (struct object_entry *)(object + 1);
    return object;
}

struct value value_object_span(const struct span *span)
{
    assert(span->arena->stays && span->len >= 2 && !span->changed);
    struct object *object = arena_alloc(span->arena, sizeof *object + sizeof *span);
    *object = (struct object){
        .used = span->count, .live = span->count, .span = (struct span *)(object + 1)};
    *object->span = *span;
    return (struct value){.type = VALUE_OBJECT, .as.object = object};
}

struct value value_object_new(struct arena *arena, size_t capacity_hint)
{
    size_t capacity = capacity_hint ? capacity_hint : OBJECT_FIRST_CAPACITY;
    struct object *object = object_alloc(arena, capacity);
    return (struct value){.type = VALUE_OBJECT, .as.object = object};
}

/* ---- the index ---- */

/* The slot where key is, or the free one where it would go. */
static uint32_t *index_slot(const struct object *object, struct str key)
{
    uint32_t at = (uint32_t)str_hash(key) & object->index_mask;
    while (object->index[at]) {
        const struct object_entry *entry = &object->entries[object->index[at] - 1];
        if (!object_entry_is_dead(entry) && str_equal(object_key_text(entry), key))
            break;
        at = (at + 1) & object->index_mask;
    }
    return &object->index[at];
}

static void index_fill(struct object *object)
{
    memset(object->index, 0, ((size_t)object->index_mask + 1) * sizeof *object->index);
    for (uint32_t at = 0; at < object->used; at++)
        if (!object_entry_is_dead(&object->entries[at]))
            *index_slot(object, object_key_text(&object->entries[at])) = at + 1;
}

static uint32_t index_slots(uint32_t capacity)
{
    uint32_t slots = 64;
    while (slots < capacity * INDEX_SLOTS_PER_ENTRY)
        slots *= 2;
    return slots;
}

static void index_build(struct arena *arena, struct object *object)
{
    uint32_t slots = index_slots(object->capacity);
    object->index = arena_alloc(arena, slots * sizeof *object->index);
    object->index_mask = slots - 1;
    index_fill(object);
}

/* ---- finding ---- */

static inline int64_t find_small(const struct object *object, const struct object_key *key)
{
    if (!(object->shapes & object_key_shape(key)))
        return NOT_FOUND;
    const struct object_entry *entries = object->entries;
    uint64_t tag = object_key_tag(key);
    for (uint32_t at = 0; at < object->used; at++)
        if (object_key_tag(&entries[at].key) == tag &&
            memcmp(entries[at].key.ptr, key->ptr, key->len) == 0)
            return at;
    return NOT_FOUND;
}

static inline int64_t find_key(const struct object *object, const struct object_key *key)
{
    return object->index ? (int64_t)*index_slot(object, str_make(key->ptr, key->len)) - 1
                         : find_small(object, key);
}

static int64_t find(const struct object *object, struct str text)
{
    struct object_key key = object_key(text);
    return find_key(object, &key);
}

/* Squeezes dead entries out, so that position and entry are the same again. */
static void compact(struct object *object)
{
    if (object->live == object->used)
        return;
    uint32_t to = 0;
    for (uint32_t at = 0; at < object->used; at++)
        if (!object_entry_is_dead(&object->entries[at]))
            object->entries[to++] = object->entries[at];
    assert(to == object->live);
    object->used = to;
    if (to <= OBJECT_LINEAR_MAX)
        object->index = NULL;
    else
        index_fill(object);
}

static void settle_array(const struct array *array)
{
    for (uint32_t i = 0; i < array->count; i++)
        if (array->items[i].type >= VALUE_ARRAY)
            value_settle(&array->items[i]);
}

static void settle_object(struct object *object)
{
    compact(object);
    for (uint32_t i = 0; i < object->used; i++)
        if (object->entries[i].value.type >= VALUE_ARRAY)
            value_settle(&object->entries[i].value);
}

void value_settle(struct value *value)
{
    if (value->type == VALUE_ARRAY && !span_is_good(value->as.array->span))
        settle_array(value->as.array);
    if (value->type == VALUE_OBJECT && !span_is_good(value->as.object->span))
        settle_object(value->as.object);
}

size_t value_object_count(const struct value *object)
{
    assert(object->type == VALUE_OBJECT);
    return object->as.object->live;
}

const struct value *object_find(const struct value *object, struct str key)
{
    const struct object *self = object_look(object);
    int64_t at = find(self, key);
    return at == NOT_FOUND ? NULL : &self->entries[at].value;
}

struct value *value_object_get(const struct value *object, struct str key)
{
    const struct object *self = object_of(object);
    int64_t at = find(self, key);
    return at == NOT_FOUND ? NULL : &self->entries[at].value;
}

struct value *value_object_at(const struct value *object, size_t position, struct str *key_out)
{
    struct object *self = object_of(object);
    assert(position < self->live);
    compact(self); /* nothing to do in an event that is through the filters: value_settle */
    *key_out = object_key_text(&self->entries[position]);
    return &self->entries[position].value;
}

/* ---- changing ---- */

static void grow(struct arena *arena, struct object *object)
{
    compact(object);
    if (object->used < object->capacity)
        return;
    size_t capacity = (size_t)object->capacity * 2 + OBJECT_FIRST_CAPACITY;
    if (capacity > UINT32_MAX / 4)
        mem_abort("object too large");
    size_t size = sizeof *object->entries;
    object->entries = arena_grow(arena, object->entries, object->used * size, capacity * size);
    object->capacity = (uint32_t)capacity;
    if (object->index)
        index_build(arena, object);
}

static inline void append_key(struct arena *arena, struct object *object,
                              const struct object_key *key, struct value item)
{
    if (__builtin_expect(object->used == object->capacity, 0))
        grow(arena, object);
    struct object_entry *entry = &object->entries[object->used++];
    *entry = (struct object_entry){*key, item};
    object->shapes |= object_key_shape(key);
    object->live++;
    if (object->index)
        *index_slot(object, str_make(key->ptr, key->len)) = object->used;
    else if (object->used > OBJECT_LINEAR_MAX)
        index_build(arena, object);
}

void object_append(struct arena *arena, struct object *object, struct str text, struct value item)
{
    struct object_key key = object_key(text);
    append_key(arena, object, &key, item);
}

void value_object_set(struct arena *arena, struct value *object, struct str text, struct value item)
{
    struct object *self = object_of(object);
    struct object_key key = object_key(text);
    int64_t at = find_key(self, &key);
    if (at == NOT_FOUND)
        append_key(arena, self, &key, item);
    else
        self->entries[at].value = item;
}

struct value *object_place(struct arena *arena, struct object *object, struct str key)
{
    int64_t at = find(object, key);
    if (at != NOT_FOUND)
        return &object->entries[at].value;
    object_append(arena, object, key, value_null());
    return &object->entries[object->used - 1].value;
}

bool value_object_remove(struct value *object, struct str key)
{
    struct object *self = object_of(object);
    int64_t at = find(self, key);
    if (at == NOT_FOUND)
        return false;
    self->live--;
    if (self->index) {
        self->entries[at].key = (struct object_key){0};
        return true;
    }
    size_t behind = self->used - (size_t)at - 1;
    memmove(&self->entries[at], &self->entries[at + 1], behind * sizeof *self->entries);
    self->used--;
    return true;
}

struct value object_like(struct arena *arena, const struct object *like, size_t spare)
{
    assert(like->live == like->used && !like->index);
    struct object *object = object_alloc(arena, like->used + spare);
    memcpy(object->entries, like->entries, like->used * sizeof *like->entries);
    object->used = object->live = like->used;
    object->shapes = like->shapes;
    return (struct value){.type = VALUE_OBJECT, .as.object = object};
}

/* ---- from a list that may hold a key twice ---- */

void object_fill_begin(struct object_fill *fill, struct arena *arena, size_t count, size_t capacity)
{
    assert(capacity >= count);
    *fill = (struct object_fill){.arena = arena,
                                 .object = value_object_new(arena, capacity),
                                 .indexed = count > OBJECT_LINEAR_MAX};
}

void object_fill_new(struct object_fill *fill, const struct object_entry *entry)
{
    struct object *self = fill->object.as.object;
    if (fill->indexed) {
        object_append(fill->arena, self, object_key_text(entry), entry->value);
        return;
    }
    assert(self->used < self->capacity);
    self->shapes |= object_key_shape(&entry->key);
    self->entries[self->used++] = *entry;
    self->live = self->used;
}

void object_fill_add(struct object_fill *fill, const struct object_entry *entry)
{
    struct object *self = fill->object.as.object;
    if (fill->indexed) {
        value_object_set(fill->arena, &fill->object, object_key_text(entry), entry->value);
        return;
    }
    int64_t at = find_small(self, &entry->key);
    if (at == NOT_FOUND)
        object_fill_new(fill, entry);
    else
        self->entries[at].value = entry->value;
}

struct value object_fill_end(struct object_fill *fill)
{
    return fill->object;
}

struct value object_from_entries(struct arena *arena, const struct object_entry *entries,
                                 size_t count, size_t spare)
{
    struct object_fill fill;
    object_fill_begin(&fill, arena, count, count + spare);
    for (size_t i = 0; i < count; i++)
        object_fill_add(&fill, &entries[i]);
    return object_fill_end(&fill);
}
