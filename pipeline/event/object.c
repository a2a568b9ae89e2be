/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "base/text/block.h"
#include "pipeline/event/value_store.h"

enum { INDEX_SLOTS_PER_ENTRY = 2, NOT_FOUND = -1 };

/* Something was removed from an indexed object since the process began. Before that there is no dead entry anywhere, and there
 * hardly ever is one: nobody has to walk through an event to see that. */
static atomic_bool dead_entries_exist;

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
    object->span->read = NULL;
    return (struct value){.type = VALUE_OBJECT, .as.object = object};
}

struct value value_object_new(struct arena *arena, size_t capacity_hint)
{
    size_t capacity = capacity_hint ? capacity_hint : OBJECT_SMALL_CAPACITY;
    struct object *object = object_alloc(arena, capacity);
    return (struct value){.type = VALUE_OBJECT, .as.object = object};
}

/* ---- keys ---- */

bool object_key_is_odd(const struct object_key *key)
{
    size_t at = 0;
    for (; at + BLOCK <= key->len; at += BLOCK)
        if (block_any(block_escapes(block_load(key->ptr + at))))
            return true;
    return block_any(block_escapes(block_of_text(key->ptr + at, key->len - at)));
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
    const struct object_entry *entry = object->entries, *end = entry + object->used;
    for (uint64_t tag = object_key_tag(key); entry < end; entry++)
        if (object_key_tag(&entry->key) == tag && object_key_same_text(&entry->key, key->ptr))
            return entry - object->entries;
    return NOT_FOUND;
}

static inline int64_t find_key(const struct object *object, const struct object_key *key)
{
    return object->index ? (int64_t)*index_slot(object, str_make(key->ptr, key->len)) - 1
                         : find_small(object, key);
}

int64_t object_position(const struct object *object, const struct object_key *key)
{
    assert(object->entries);
    return find_key(object, key);
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
    if (!atomic_load_explicit(&dead_entries_exist, memory_order_relaxed))
        return;
    if (value->type < VALUE_ARRAY || span_is_good(container_span(value)))
        return;
    if (value->type == VALUE_ARRAY)
        settle_array(value->as.array);
    else
        settle_object(value->as.object);
}

bool value_unchanged_json(const struct value *container, struct str *out)
{
    assert(container->type == VALUE_OBJECT || container->type == VALUE_ARRAY);
    const struct span *span = container_span(container);
    bool is_good = span_is_good(span);
    if (is_good)
        *out = span_text(span);
    return is_good;
}

size_t value_object_count(const struct value *object)
{
    assert(object->type == VALUE_OBJECT);
    return object->as.object->live;
}

const struct value *object_find(const struct value *object, const struct object_key *key)
{
    const struct value *read;
    assert(object->type == VALUE_OBJECT);
    struct object *self = object->as.object;
    if (__builtin_expect(!self->entries, 0)) {
        if (json_read_member(self, key, &read))
            return read;
        json_fill_object(self);
    }
    int64_t at = find_key(self, key);
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
    size_t capacity = (size_t)object->capacity * 2 + OBJECT_SMALL_CAPACITY;
    if (capacity > UINT32_MAX / 4)
        mem_abort("object too large");
    size_t size = sizeof *object->entries;
    object->entries = arena_grow(arena, object->entries, object->used * size, capacity * size);
    object->capacity = (uint32_t)capacity;
    if (object->index)
        index_build(arena, object);
}

static __attribute__((noinline)) struct value *
append_key(struct arena *arena, struct object *object, const struct object_key *key, bool is_plain)
{
    if (object->used == object->capacity)
        grow(arena, object);
    struct value *added = object_add_entry(object, key);
    object->has_odd_keys |= !is_plain && object_key_is_odd(key);
    if (object->index)
        *index_slot(object, str_make(key->ptr, key->len)) = object->used;
    else if (object->used > OBJECT_LINEAR_MAX)
        index_build(arena, object);
    return added;
}

void object_append(struct arena *arena, struct object *object, const struct object_key *key,
                   bool is_plain, struct value item)
{
    *append_key(arena, object, key, is_plain) = item;
}

static __attribute__((noinline)) struct value *
place_indexed(struct arena *arena, struct object *object, const struct object_key *key)
{
    uint32_t at = *index_slot(object, str_make(key->ptr, key->len));
    return at > 0 ? &object->entries[at - 1].value : append_key(arena, object, key, false);
}

struct value *object_place(struct arena *arena, struct object *object, const struct object_key *key,
                           bool is_plain)
{
    if (__builtin_expect(object->index != NULL, 0))
        return place_indexed(arena, object, key);
    int64_t at = find_small(object, key);
    if (at != NOT_FOUND)
        return &object->entries[at].value;
    return is_plain && object_has_room(object) ? object_add_small(object, key)
                                               : append_key(arena, object, key, is_plain);
}

void value_object_set(struct arena *arena, struct value *object, struct str text, struct value item)
{
    struct object_key key = object_key(text);
    *object_place(arena, object_of(object), &key, false) = item;
}

void object_remove_at(struct object *object, uint32_t at)
{
    assert(at < object->used && !object_entry_is_dead(&object->entries[at]));
    object->live--;
    if (object->index) {
        object->entries[at].key = (struct object_key){0};
        atomic_store_explicit(&dead_entries_exist, true, memory_order_relaxed);
        return;
    }
    size_t behind = object->used - (size_t)at - 1;
    memmove(&object->entries[at], &object->entries[at + 1], behind * sizeof *object->entries);
    object->used--;
}

bool value_object_remove(struct value *object, struct str key)
{
    struct object *self = object_of(object);
    int64_t at = find(self, key);
    if (at != NOT_FOUND)
        object_remove_at(self, (uint32_t)at);
    return at != NOT_FOUND;
}

struct value object_like(struct arena *arena, const struct object *like, size_t spare)
{
    assert(like->live == like->used && !like->index);
    struct object *object = object_alloc(arena, like->used + spare);
    memcpy(object->entries, like->entries, like->used * sizeof *like->entries);
    object->used = object->live = like->used;
    object->shapes = like->shapes;
    object->has_odd_keys = like->has_odd_keys;
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

void object_fill_new(struct object_fill *fill, const struct object_entry *entry, bool is_odd)
{
    struct object *self = fill->object.as.object;
    if (fill->indexed) {
        object_append(fill->arena, self, &entry->key, !is_odd, entry->value);
        return;
    }
    assert(self->used < self->capacity);
    self->shapes |= object_key_shape(&entry->key);
    self->has_odd_keys |= is_odd;
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
        object_fill_new(fill, entry, object_key_is_odd(&entry->key));
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
