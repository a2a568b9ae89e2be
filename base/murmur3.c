/* SPDX-License-Identifier: Apache-2.0 */
#include "base/murmur3.h"

#include <endian.h>

static uint32_t rotate32(uint32_t word, unsigned by)
{
    return word << by | word >> (32 - by);
}

static uint64_t rotate64(uint64_t word, unsigned by)
{
    return word << by | word >> (64 - by);
}

/* Up to eight bytes, little-endian. */
static uint64_t load(const char *at, size_t len)
{
    uint64_t word = 0;
    for (size_t i = len; i-- > 0;)
        word = word << 8 | (unsigned char)at[i];
    return word;
}

static uint32_t scramble32(uint32_t word)
{
    return rotate32(word * 0xcc9e2d51u, 15) * 0x1b873593u;
}

uint32_t murmur3_32(struct str bytes, uint32_t seed)
{
    uint32_t hash = seed;
    size_t at = 0;
    for (; bytes.len - at >= 4; at += 4) {
        hash ^= scramble32((uint32_t)load(bytes.ptr + at, 4));
        hash = rotate32(hash, 13) * 5 + 0xe6546b64u;
    }
    if (at < bytes.len)
        hash ^= scramble32((uint32_t)load(bytes.ptr + at, bytes.len - at));
    hash ^= (uint32_t)bytes.len;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    return hash ^ hash >> 16;
}

static const uint64_t FIRST = 0x87c37b91114253d5u, SECOND = 0x4cf5ad432745937fu;

static uint64_t scramble_first(uint64_t word)
{
    return rotate64(word * FIRST, 31) * SECOND;
}

static uint64_t scramble_second(uint64_t word)
{
    return rotate64(word * SECOND, 33) * FIRST;
}

static uint64_t finish64(uint64_t hash)
{
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
    return hash ^ hash >> 33;
}

void murmur3_128(struct str bytes, uint32_t seed, unsigned char out[MURMUR3_128_BYTES])
{
    uint64_t one = seed, two = seed;
    size_t at = 0;
    for (; bytes.len - at >= 16; at += 16) {
        one ^= scramble_first(load(bytes.ptr + at, 8));
        one = (rotate64(one, 27) + two) * 5 + 0x52dce729u;
        two ^= scramble_second(load(bytes.ptr + at + 8, 8));
        two = (rotate64(two, 31) + one) * 5 + 0x38495ab5u;
    }
    size_t left = bytes.len - at;
    if (left > 8)
        two ^= scramble_second(load(bytes.ptr + at + 8, left - 8));
    if (left > 0)
        one ^= scramble_first(load(bytes.ptr + at, left > 8 ? 8 : left));
    one ^= bytes.len;
    two ^= bytes.len;
    one += two;
    two += one;
    one = finish64(one);
    two = finish64(two);
    one += two;
    two += one;
    uint64_t words[2] = {htole64(one), htole64(two)};
    memcpy(out, words, sizeof words);
}
