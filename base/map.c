/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <assert.h>
#include <stdint.h>

#include "base/mem.h"

enum { MAP_FIRST_CAPACITY = 16 };

void map_init(struct map *map)
{
    *map = (struct map){0};
}

static void key_free(struct str key)
{
    mem_free((void *)(uintptr_t)key.ptr);
}

void map_release(struct map *map)
{
    for (size_t at = 0; at < map->capacity; at++)
        if (map->slots[at].key.ptr)
            key_free(map->slots[at].key);
    mem_free(map->slots);
    map_init(map);
}

/* The slot that holds key, or the free one where it would go. capacity > 0. */
static struct map_entry *find(const struct map *map, struct str key)
{
    assert(map->capacity > 0);
    size_t at = str_hash(key) & (map->capacity - 1);
    while (map->slots[at].key.ptr && !str_equal(map->slots[at].key, key))
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

void *map_get(const struct map *map, struct str key)
{
    return map->capacity ? find(map, key)->value : NULL;
}

bool map_has(const struct map *map, struct str key)
{
    return map->capacity && find(map, key)->key.ptr;
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : MAP_FIRST_CAPACITY;
    map->slots = mem_zero(map->capacity, sizeof *map->slots);
    for (size_t at = 0; at < old.capacity; at++)
        if (old.slots[at].key.ptr)
            *find(map, old.slots[at].key) = old.slots[at];
    mem_free(old.slots);
}

void *map_set(struct map *map, struct str key, void *value)
{
    if ((map->count + 1) * 4 > map->capacity * 3)
        grow(map);
    struct map_entry *entry = find(map, key);
    void *before = entry->value;
    if (!entry->key.ptr) {
        char *copy = mem_alloc(key.len + 1);
        if (key.len > 0)
            memcpy(copy, key.ptr, key.len);
        copy[key.len] = 0;
        entry->key = str_make(copy, key.len);
        map->count++;
    }
    entry->value = value;
    return before;
}

void *map_remove(struct map *map, struct str key)
{
    if (!map->capacity)
        return NULL;
    struct map_entry *entry = find(map, key);
    if (!entry->key.ptr)
        return NULL;
    void *value = entry->value;
    key_free(entry->key);
    *entry = (struct map_entry){0};
    map->count--;
    /* Entries behind the gap move up where their probe would have met it. */
    size_t gap = (size_t)(entry - map->slots);
    for (size_t at = (gap + 1) & (map->capacity - 1); map->slots[at].key.ptr;
         at = (at + 1) & (map->capacity - 1)) {
        size_t home = str_hash(map->slots[at].key) & (map->capacity - 1);
        size_t from_home = (at - home) & (map->capacity - 1);
        size_t from_gap = (at - gap) & (map->capacity - 1);
        if (from_home < from_gap)
            continue;
        map->slots[gap] = map->slots[at];
        map->slots[at] = (struct map_entry){0};
        gap = at;
    }
    return value;
}

bool map_next(const struct map *map, size_t *at, struct str *key_out, void **value_out)
{
    for (; *at < map->capacity; (*at)++) {
        const struct map_entry *entry = &map->slots[*at];
        if (!entry->key.ptr)
            continue;
        *key_out = entry->key;
        *value_out = entry->value;
        (*at)++;
        return true;
    }
    return false;
}
