/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash map from str to pointer: open addressing, seeded hash, keys copied into the map's memory.
 * For configuration, caches and dictionaries; events have their own containers (pipeline/event/value.h).
 */
#ifndef MILLRACE_BASE_MAP_H
#define MILLRACE_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct map_entry {
    struct str key; /* ptr NULL: free slot; NUL-terminated */
    void *value;
};

struct map {
    struct map_entry *slots;
    size_t count;
    size_t capacity; /* 0 or a power of two */
};

void map_init(struct map *map);
void map_release(struct map *map); /* keys are freed, values are not */
/* NULL when absent (a stored NULL cannot be told apart: use map_has). */
void *map_get(const struct map *map, struct str key);
bool map_has(const struct map *map, struct str key);
/* Returns the value that was there, or NULL. */
void *map_set(struct map *map, struct str key, void *value);
void *map_remove(struct map *map, struct str key);
/* Iteration: start with *at = 0; false at the end. No changes meanwhile. */
bool map_next(const struct map *map, size_t *at, struct str *key_out, void **value_out);

#endif
