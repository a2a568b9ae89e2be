/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/mem.h"
#include "io/digest.h"
#include "io/memcached_private.h"

enum { PLACES = 160, NAME_MAX_BYTES = 512 };

struct place {
    uint32_t value;
    uint32_t server;
};

struct memcached_ring {
    size_t servers, count;
    struct place places[];
};

static int compare(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    return a->value < b->value ? -1 : a->value > b->value;
}

static uint32_t place_of(struct str name, unsigned number)
{
    char text[NAME_MAX_BYTES + 16];
    unsigned char digest[DIGEST_MAX_BYTES];
    int len = snprintf(text, sizeof text, "%.*s:%u", STR_FMT(name), number);
    assert(len > 0 && (size_t)len < sizeof text);
    digest_bytes(DIGEST_SHA1, str_make(text, (size_t)len), digest);
    return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 |
           digest[3];
}

struct memcached_ring *memcached_ring_new(const struct str *names, size_t count)
{
    struct memcached_ring *ring = mem_zero(1, sizeof *ring + count * PLACES * sizeof *ring->places);
    assert(count > 0);
    ring->servers = count;
    for (size_t i = 0; i < count; i++)
        for (unsigned number = 0; number < PLACES; number++)
            ring->places[ring->count++] = (struct place){place_of(names[i], number), (uint32_t)i};
    qsort(ring->places, ring->count, sizeof *ring->places, compare);
    return ring;
}

void memcached_ring_free(struct memcached_ring *ring)
{
    mem_free(ring);
}

/* The last place at or before the key's number; before the first one the last of all. */
size_t memcached_ring_server(const struct memcached_ring *ring, struct str key)
{
    uint32_t value = (uint32_t)crc32(0, (const Bytef *)key.ptr, (uInt)key.len);
    size_t low = 0, high = ring->count;
    if (ring->servers == 1)
        return 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ring->places[middle].value <= value)
            low = middle + 1;
        else
            high = middle;
    }
    return ring->places[low > 0 ? low - 1 : ring->count - 1].server;
}
