/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lru.h"

#include <assert.h>

#include "base/md5.h"
#include "base/mem.h"

void lru_init(struct lru *lru, size_t max, void (*discard)(void *value))
{
    assert(max > 0);
    *lru = (struct lru){.max = max, .discard = discard};
    map_init(&lru->entries);
}

void lru_release(struct lru *lru)
{
    while (lru->oldest)
        lru_drop(lru, lru->oldest);
    map_release(&lru->entries);
}

/* The key itself, or its digest written to `digest`. */
static struct str short_key(struct str key, char digest[MD5_TEXT_LEN + 1])
{
    if (key.len <= LRU_KEY_BYTES_MAX)
        return key;
    md5_text(key, digest);
    return str_make(digest, MD5_TEXT_LEN);
}

static void unlink_entry(struct lru *lru, struct lru_entry *entry)
{
    *(entry->newer ? &entry->newer->older : &lru->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &lru->oldest) = entry->newer;
}

static void link_newest(struct lru *lru, struct lru_entry *entry)
{
    entry->newer = NULL;
    entry->older = lru->newest;
    *(lru->newest ? &lru->newest->newer : &lru->oldest) = entry;
    lru->newest = entry;
}

void *lru_get(struct lru *lru, struct str key)
{
    char digest[MD5_TEXT_LEN + 1];
    struct lru_entry *entry = map_get(&lru->entries, short_key(key, digest));
    if (!entry)
        return NULL;
    if (entry != lru->newest) {
        unlink_entry(lru, entry);
        link_newest(lru, entry);
    }
    return entry->value;
}

void lru_add(struct lru *lru, struct str key, void *value)
{
    char digest[MD5_TEXT_LEN + 1];
    assert(value);
    key = short_key(key, digest);
    assert(!map_has(&lru->entries, key));
    if (lru->entries.count >= lru->max)
        lru_drop(lru, lru->oldest);
    struct lru_entry *entry = mem_alloc(sizeof *entry + key.len);
    *entry = (struct lru_entry){.value = value, .key_len = key.len};
    if (key.len > 0)
        memcpy(entry->key, key.ptr, key.len);
    map_set(&lru->entries, key, entry);
    link_newest(lru, entry);
    assert(lru->entries.count <= lru->max);
}

void lru_drop(struct lru *lru, struct lru_entry *entry)
{
    void *removed = map_remove(&lru->entries, str_make(entry->key, entry->key_len));
    assert(removed == entry);
    (void)removed;
    unlink_entry(lru, entry);
    if (lru->discard)
        lru->discard(entry->value);
    mem_free(entry);
}
