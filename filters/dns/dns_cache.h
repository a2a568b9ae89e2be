/* SPDX-License-Identifier: Apache-2.0
 *
 * What the dns filter remembers of answers for a while: at most so many, each so long. Keeps a reference to the lookup.
 */
#ifndef MILLRACE_FILTERS_DNS_DNS_CACHE_H
#define MILLRACE_FILTERS_DNS_DNS_CACHE_H

#include "base/lru.h"
#include "io/resolver.h"

struct dns_cache {
    struct lru entries; /* max 0: remembers nothing */
    uint64_t ttl_ms;
};

void dns_cache_init(struct dns_cache *cache, size_t max, uint64_t ttl_ms);
void dns_cache_release(struct dns_cache *cache);
/* Borrowed; NULL when it is not there or too old. */
struct lookup *dns_cache_get(struct dns_cache *cache, struct str text, uint64_t now_ms);
/* Unless a younger answer is there. */
void dns_cache_add(struct dns_cache *cache, struct str text, struct lookup *lookup,
                   uint64_t now_ms);

#endif
