/* SPDX-License-Identifier: Apache-2.0
 *
 * A cache with a bound: text to pointer, and when it is full the entry that was not used for longest goes. Keys are
 * copied; a key longer than LRU_KEY_BYTES_MAX is known by its digest, so that the memory of n entries has a bound
 * whatever the keys are. One thread at a time.
 */
#ifndef MILLRACE_BASE_LRU_H
#define MILLRACE_BASE_LRU_H

#include <stdbool.h>
#include <stddef.h>

#include "base/map.h"
#include "base/str.h"

enum { LRU_KEY_BYTES_MAX = 256 };

struct lru_entry {
    struct lru_entry *newer, *older;
    void *value;
    size_t key_len;
    char key[]; /* key_len bytes */
};

struct lru {
    struct map entries;
    struct lru_entry *newest, *oldest;
    size_t max;
    void (*discard)(void *value); /* frees a value that leaves; may be NULL */
};

void lru_init(struct lru *lru, size_t max, void (*discard)(void *value)); /* max > 0 */
void lru_release(struct lru *lru);
static inline size_t lru_count(const struct lru *lru)
{
    return lru->entries.count;
}
/* NULL when absent. The entry becomes the newest. */
void *lru_get(struct lru *lru, struct str key);
/* Adds a value, which must not be NULL, under a key that is not there. */
void lru_add(struct lru *lru, struct str key, void *value);
/* Discards one entry. */
void lru_drop(struct lru *lru, struct lru_entry *entry);

#endif
