/* SPDX-License-Identifier: Apache-2.0
 *
 * Sixteen bytes at a time: SSE2, NEON or plain C, chosen when it is compiled (-Dsimd=false: plain C). A set says which of
 * the sixteen bytes something holds for; only its first one is asked for.
 */
#ifndef MILLRACE_BASE_TEXT_BLOCK_H
#define MILLRACE_BASE_TEXT_BLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK = 16 };

#if defined(__SSE2__) && !defined(MILLRACE_PLAIN_BLOCKS)
#include <emmintrin.h>

struct block {
    __m128i bytes;
};
struct block_set {
    uint32_t bits; /* one for each byte */
};
enum { BLOCK_BITS_PER_BYTE = 1 };

static inline struct block block_load(const char *from)
{
    return (struct block){_mm_loadu_si128((const __m128i *)(const void *)from)};
}
static inline void block_store(char *to, struct block block)
{
    _mm_storeu_si128((__m128i *)(void *)to, block.bytes);
}
static inline struct block block_of(uint64_t low, uint64_t high)
{
    return (struct block){_mm_set_epi64x((long long)high, (long long)low)};
}
static inline struct block_set block_equal(struct block block, char byte)
{
    return (struct block_set){
        (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(block.bytes, _mm_set1_epi8(byte)))};
}
/* What cannot stand in a JSON string as it is: quotes, backslashes, bytes below a blank. */
static inline struct block_set block_escapes(struct block block)
{
    __m128i quote = _mm_cmpeq_epi8(block.bytes, _mm_set1_epi8('"'));
    __m128i backslash = _mm_cmpeq_epi8(block.bytes, _mm_set1_epi8('\\'));
    __m128i low = _mm_min_epu8(block.bytes, _mm_set1_epi8(0x1f));
    __m128i control = _mm_cmpeq_epi8(low, block.bytes);
    return (struct block_set){
        (unsigned)_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash)))};
}
/* Bytes below a blank. */
static inline struct block_set block_controls(struct block block)
{
    __m128i low = _mm_min_epu8(block.bytes, _mm_set1_epi8(0x1f));
    return (struct block_set){(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(low, block.bytes))};
}
static inline struct block_set block_not_ascii(struct block block)
{
    return (struct block_set){(unsigned)_mm_movemask_epi8(block.bytes)};
}
/* Where two blocks have the same byte. */
static inline struct block_set block_alike(struct block one, struct block other)
{
    return (struct block_set){(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(one.bytes, other.bytes))};
}

#elif defined(__aarch64__) && defined(__ARM_NEON) && !defined(MILLRACE_PLAIN_BLOCKS)
#include <arm_neon.h>

struct block {
    uint8x16_t bytes;
};
struct block_set {
    uint64_t bits; /* four for each byte */
};
enum { BLOCK_BITS_PER_BYTE = 4 };

static inline struct block block_load(const char *from)
{
    return (struct block){vld1q_u8((const uint8_t *)from)};
}
static inline void block_store(char *to, struct block block)
{
    vst1q_u8((uint8_t *)to, block.bytes);
}
static inline struct block block_of(uint64_t low, uint64_t high)
{
    return (struct block){vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(low), vcreate_u64(high)))};
}
static inline struct block_set block_set_of(uint8x16_t lanes)
{
    uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(lanes), 4);
    return (struct block_set){vget_lane_u64(vreinterpret_u64_u8(narrow), 0)};
}
static inline struct block_set block_equal(struct block block, char byte)
{
    return block_set_of(vceqq_u8(block.bytes, vdupq_n_u8((uint8_t)byte)));
}
static inline struct block_set block_escapes(struct block block)
{
    uint8x16_t quote = vceqq_u8(block.bytes, vdupq_n_u8('"'));
    uint8x16_t backslash = vceqq_u8(block.bytes, vdupq_n_u8('\\'));
    uint8x16_t control = vcltq_u8(block.bytes, vdupq_n_u8(0x20));
    return block_set_of(vorrq_u8(control, vorrq_u8(quote, backslash)));
}
static inline struct block_set block_controls(struct block block)
{
    return block_set_of(vcltq_u8(block.bytes, vdupq_n_u8(0x20)));
}
static inline struct block_set block_not_ascii(struct block block)
{
    return block_set_of(vcgeq_u8(block.bytes, vdupq_n_u8(0x80)));
}
static inline struct block_set block_alike(struct block one, struct block other)
{
    return block_set_of(vceqq_u8(one.bytes, other.bytes));
}

#else

struct block {
    unsigned char bytes[BLOCK];
};
struct block_set {
    uint32_t bits;
};
enum { BLOCK_BITS_PER_BYTE = 1 };

static inline struct block block_load(const char *from)
{
    struct block block;
    memcpy(block.bytes, from, sizeof block.bytes);
    return block;
}
static inline void block_store(char *to, struct block block)
{
    memcpy(to, block.bytes, sizeof block.bytes);
}
/* The bytes of two words as they stand in memory. */
static inline struct block block_of(uint64_t low, uint64_t high)
{
    struct block block;
    memcpy(block.bytes, &low, sizeof low);
    memcpy(block.bytes + sizeof low, &high, sizeof high);
    return block;
}
static inline struct block_set block_equal(struct block block, char byte)
{
    struct block_set set = {0};
    for (unsigned i = 0; i < BLOCK; i++)
        set.bits |= (unsigned)(block.bytes[i] == (unsigned char)byte) << i;
    return set;
}
static inline struct block_set block_escapes(struct block block)
{
    struct block_set set = {0};
    for (unsigned i = 0; i < BLOCK; i++) {
        unsigned char byte = block.bytes[i];
        set.bits |= (unsigned)(byte < 0x20 || byte == '"' || byte == '\\') << i;
    }
    return set;
}
static inline struct block_set block_controls(struct block block)
{
    struct block_set set = {0};
    for (unsigned i = 0; i < BLOCK; i++)
        set.bits |= (unsigned)(block.bytes[i] < 0x20) << i;
    return set;
}
static inline struct block_set block_not_ascii(struct block block)
{
    struct block_set set = {0};
    for (unsigned i = 0; i < BLOCK; i++)
        set.bits |= (unsigned)(block.bytes[i] >> 7) << i;
    return set;
}
static inline struct block_set block_alike(struct block one, struct block other)
{
    struct block_set set = {0};
    for (unsigned i = 0; i < BLOCK; i++)
        set.bits |= (unsigned)(one.bytes[i] == other.bytes[i]) << i;
    return set;
}
#endif

/* The bytes of a text that is at most a block long: some twice, and blanks. */
static inline struct block block_of_text(const char *text, size_t len)
{
    enum { HALF = BLOCK / 2, QUARTER = BLOCK / 4 };
    const uint64_t blanks = UINT64_C(0x2020202020202020);
    uint64_t head = blanks, tail = blanks;
    uint32_t first, last;
    if (len >= HALF) {
        memcpy(&head, text, HALF);
        memcpy(&tail, text + len - HALF, HALF);
    } else if (len >= QUARTER) {
        memcpy(&first, text, QUARTER);
        memcpy(&last, text + len - QUARTER, QUARTER);
        head = first | (uint64_t)last << 32;
    } else if (len > 0) {
        head = (blanks & ~UINT64_C(0xffffff)) | (unsigned char)text[0] |
               (uint64_t)(unsigned char)text[len / 2] << 8 |
               (uint64_t)(unsigned char)text[len - 1] << 16;
    }
    return block_of(head, tail);
}
/* Copies a text that is at most a block long. */
static inline void copy_short(char *to, const char *from, size_t len)
{
    enum { HALF = BLOCK / 2, QUARTER = BLOCK / 4 };
    uint64_t head, tail;
    uint32_t first, last;
    if (len >= HALF) {
        memcpy(&head, from, HALF);
        memcpy(&tail, from + len - HALF, HALF);
        memcpy(to, &head, HALF);
        memcpy(to + len - HALF, &tail, HALF);
    } else if (len >= QUARTER) {
        memcpy(&first, from, QUARTER);
        memcpy(&last, from + len - QUARTER, QUARTER);
        memcpy(to, &first, QUARTER);
        memcpy(to + len - QUARTER, &last, QUARTER);
    } else if (len > 0) {
        char middle = from[len / 2], end = from[len - 1];
        to[0] = from[0];
        to[len / 2] = middle;
        to[len - 1] = end;
    }
}

/* block_escapes of one byte. */
static inline bool byte_needs_escape(unsigned char byte)
{
    return byte < 0x20 || byte == '"' || byte == '\\';
}

static inline bool block_any(struct block_set set)
{
    return set.bits != 0;
}
/* Of a set that is not empty. */
static inline unsigned block_first(struct block_set set)
{
    return (unsigned)__builtin_ctzll(set.bits) / BLOCK_BITS_PER_BYTE;
}
/* What is in either. */
static inline struct block_set block_union(struct block_set set, struct block_set other)
{
    set.bits |= other.bits;
    return set;
}
/* What one set has and the other has not. */
static inline struct block_set block_without(struct block_set set, struct block_set other)
{
    set.bits &= (__typeof__(set.bits))~other.bits;
    return set;
}
/* The bytes behind those of the set. What is behind the block is not in it. */
static inline struct block_set block_behind(struct block_set set)
{
    uint64_t all = UINT64_MAX >> (64 - BLOCK * BLOCK_BITS_PER_BYTE);
    set.bits = (__typeof__(set.bits))(((uint64_t)set.bits << BLOCK_BITS_PER_BYTE) & all);
    return set;
}
/* Of a set that is not empty: without its first byte. */
static inline struct block_set block_rest(struct block_set set)
{
    for (int i = 0; i < BLOCK_BITS_PER_BYTE; i++)
        set.bits &= set.bits - 1;
    return set;
}
/* The first `count` bytes of a block: at least one, at most all. */
static inline struct block_set block_first_ones(unsigned count)
{
    struct block_set set;
    set.bits = (__typeof__(set.bits))(UINT64_MAX >> (64 - count * BLOCK_BITS_PER_BYTE));
    return set;
}
/* Is the last byte of a block in the set? */
static inline bool block_has_last(struct block_set set)
{
    return (uint64_t)set.bits >> ((BLOCK - 1) * BLOCK_BITS_PER_BYTE) & 1;
}
static inline struct block_set block_without_last(struct block_set set)
{
    uint64_t last = UINT64_MAX << ((BLOCK - 1) * BLOCK_BITS_PER_BYTE);
    set.bits &= (__typeof__(set.bits))~last;
    return set;
}
/* The same set without the bytes before `place`, which is less than BLOCK. */
static inline struct block_set block_from(struct block_set set, unsigned place)
{
    uint64_t low = (UINT64_C(1) << (place * BLOCK_BITS_PER_BYTE)) - 1;
    set.bits &= (__typeof__(set.bits))~low;
    return set;
}

#endif
