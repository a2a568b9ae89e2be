/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/dns/dns_cache.h"

#include "base/mem.h"

struct entry {
    struct lookup *lookup;
    uint64_t expires_ms;
};

static void discard(void *value)
{
    struct entry *entry = value;
    lookup_unref(entry->lookup);
    mem_free(entry);
}

void dns_cache_init(struct dns_cache *cache, size_t max, uint64_t ttl_ms)
{
    *cache = (struct dns_cache){.ttl_ms = ttl_ms};
    if (max > 0)
        lru_init(&cache->entries, max, discard);
}

void dns_cache_release(struct dns_cache *cache)
{
    if (cache->entries.max > 0)
        lru_release(&cache->entries);
}

struct lookup *dns_cache_get(struct dns_cache *cache, struct str text, uint64_t now_ms)
{
    if (cache->entries.max == 0)
        return NULL;
    const struct entry *entry = lru_get(&cache->entries, text);
    return entry && now_ms < entry->expires_ms ? entry->lookup : NULL;
}

void dns_cache_add(struct dns_cache *cache, struct str text, struct lookup *lookup, uint64_t now_ms)
{
    if (cache->entries.max == 0 || dns_cache_get(cache, text, now_ms))
        return;
    lookup_ref(lookup);
    struct entry *entry = lru_get(&cache->entries, text);
    if (entry) {
        lookup_unref(entry->lookup);
    } else {
        entry = mem_alloc(sizeof *entry);
        lru_add(&cache->entries, text, entry);
    }
    *entry = (struct entry){lookup, now_ms + cache->ttl_ms};
}
