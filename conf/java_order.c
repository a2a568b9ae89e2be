/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/java_order.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text/utf8.h"

enum { FIRST_CAPACITY = 16 };

uint32_t java_hash(struct str text)
{
    uint32_t hash = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t point;
        at += utf8_decode(str_make(text.ptr + at, text.len - at), &point);
        if (point > 0xffff) {
            hash = hash * 31 + (0xd800 + ((point - 0x10000) >> 10));
            point = 0xdc00 + (point & 0x3ff);
        }
        hash = hash * 31 + point;
    }
    return hash;
}

/* Doubled whenever more than three quarters are in use. */
static uint32_t capacity_for(size_t count)
{
    uint32_t capacity = FIRST_CAPACITY;
    while (count > capacity / 4 * 3 && capacity < UINT32_C(1) << 30)
        capacity *= 2;
    return capacity;
}

struct place {
    uint32_t bucket;
    size_t written;
};

static int compare_places(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    if (a->bucket != b->bucket)
        return a->bucket < b->bucket ? -1 : 1;
    return a->written < b->written ? -1 : a->written > b->written;
}

struct conf_value java_order(struct arena *arena, const struct conf_value *hash)
{
    assert(hash->type == CONF_HASH);
    struct conf_value ordered = *hash;
    struct place *places = arena_alloc(arena, hash->count * sizeof *places);
    uint32_t capacity = capacity_for(hash->count);
    for (size_t i = 0; i < hash->count; i++) {
        uint32_t code = java_hash(hash->pairs[i].key.text);
        places[i] = (struct place){(code ^ code >> 16) & (capacity - 1), i};
    }
    if (hash->count > 1)
        qsort(places, hash->count, sizeof *places, compare_places);
    ordered.pairs = arena_alloc(arena, hash->count * sizeof *ordered.pairs);
    for (size_t i = 0; i < hash->count; i++) {
        ordered.pairs[i] = hash->pairs[places[i].written];
        if (ordered.pairs[i].value.type == CONF_HASH)
            ordered.pairs[i].value = java_order(arena, &ordered.pairs[i].value);
    }
    return ordered;
}
