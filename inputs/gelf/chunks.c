/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/gelf/chunks.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { ID_BYTES = 8, SENDER_MAX = 64, BUCKETS = 256 };

struct chunk_set {
    struct chunk_set *next;          /* of its bucket */
    struct chunk_set *older, *newer; /* of all */
    uint64_t since_ms;
    uint8_t id[ID_BYTES], sender_len, count, have;
    char sender[SENDER_MAX];
    size_t bytes;
    struct str parts[]; /* count of them, each owned; ptr NULL: missing */
};

struct chunks {
    struct chunks_limits limits;
    struct chunk_set *buckets[BUCKETS];
    struct chunk_set *oldest, *newest;
    size_t count, bytes, given_up;
};

struct chunks *chunks_new(const struct chunks_limits *limits)
{
    assert(limits->max_sets > 0 && limits->max_bytes > 0);
    struct chunks *chunks = mem_zero(1, sizeof *chunks);
    chunks->limits = *limits;
    return chunks;
}

/* ---- sets ----------------------------------------------------------------------------------------- */

static struct chunk_set **bucket_of(struct chunks *chunks, const uint8_t *id)
{
    return &chunks->buckets[str_hash(str_make((const char *)id, ID_BYTES)) % BUCKETS];
}

static void set_remove(struct chunks *chunks, struct chunk_set *set)
{
    struct chunk_set **link = bucket_of(chunks, set->id);
    while (*link != set)
        link = &(*link)->next;
    *link = set->next;
    *(set->older ? &set->older->newer : &chunks->oldest) = set->newer;
    *(set->newer ? &set->newer->older : &chunks->newest) = set->older;
    assert(chunks->count > 0 && chunks->bytes >= set->bytes);
    chunks->count--;
    chunks->bytes -= set->bytes;
    for (size_t i = 0; i < set->count; i++)
        mem_free((char *)(uintptr_t)set->parts[i].ptr);
    mem_free(set);
}

static void give_up(struct chunks *chunks, struct chunk_set *set)
{
    chunks->given_up++;
    set_remove(chunks, set);
}

static struct chunk_set *set_find(struct chunks *chunks, const uint8_t *id, struct str sender)
{
    struct chunk_set *set = *bucket_of(chunks, id);
    while (set && !(memcmp(set->id, id, ID_BYTES) == 0 &&
                    str_equal(sender, str_make(set->sender, set->sender_len))))
        set = set->next;
    return set;
}

static struct chunk_set *set_new(struct chunks *chunks, const uint8_t *id, struct str sender,
                                 uint8_t count, uint64_t now_ms)
{
    struct chunk_set *set = mem_zero(1, sizeof *set + count * sizeof *set->parts);
    struct chunk_set **bucket = bucket_of(chunks, id);
    assert(sender.len <= SENDER_MAX);
    memcpy(set->id, id, ID_BYTES);
    memcpy(set->sender, sender.ptr, sender.len);
    set->sender_len = (uint8_t)sender.len;
    set->count = count;
    set->since_ms = now_ms;
    set->bytes = sizeof *set + count * sizeof *set->parts;
    set->next = *bucket;
    *bucket = set;
    set->older = chunks->newest;
    *(chunks->newest ? &chunks->newest->newer : &chunks->oldest) = set;
    chunks->newest = set;
    chunks->count++;
    chunks->bytes += set->bytes;
    return set;
}

void chunks_free(struct chunks *chunks)
{
    if (!chunks)
        return;
    while (chunks->oldest)
        set_remove(chunks, chunks->oldest);
    mem_free(chunks);
}

static void expire(struct chunks *chunks, uint64_t now_ms)
{
    while (chunks->oldest && now_ms - chunks->oldest->since_ms > chunks->limits.max_age_ms)
        give_up(chunks, chunks->oldest);
}

/* Also the one that was just added to, when it is alone too much. */
static void bound(struct chunks *chunks)
{
    while (chunks->oldest &&
           (chunks->count > chunks->limits.max_sets || chunks->bytes > chunks->limits.max_bytes))
        give_up(chunks, chunks->oldest);
}

/* ---- a chunk -------------------------------------------------------------------------------------- */

bool chunk_is_one(struct str datagram)
{
    return datagram.len >= 2 && memcmp(datagram.ptr, "\x1e\x0f", 2) == 0;
}

static void put(struct chunks *chunks, struct chunk_set *set, uint8_t number, struct str data)
{
    if (set->parts[number].ptr)
        return; /* twice */
    char *copy = mem_alloc(data.len + 1);
    memcpy(copy, data.ptr, data.len);
    set->parts[number] = str_make(copy, data.len);
    set->have++;
    set->bytes += data.len;
    chunks->bytes += data.len;
}

static enum chunk_result finish(struct chunks *chunks, struct chunk_set *set, struct buf *whole)
{
    bool fits = true;
    for (size_t i = 0; i < set->count; i++)
        fits = fits && buf_append_str(whole, set->parts[i]);
    set_remove(chunks, set);
    return fits ? CHUNK_COMPLETE : CHUNK_BAD;
}

enum chunk_result chunks_add(struct chunks *chunks, struct str datagram, struct str sender,
                             uint64_t now_ms, struct buf *whole)
{
    buf_clear(whole, SIZE_MAX);
    if (!chunk_is_one(datagram) || datagram.len < GELF_CHUNK_HEADER_BYTES ||
        sender.len > SENDER_MAX)
        return CHUNK_BAD;
    const uint8_t *id = (const uint8_t *)datagram.ptr + 2;
    uint8_t number = (uint8_t)datagram.ptr[10], count = (uint8_t)datagram.ptr[11];
    if (count == 0 || count > GELF_CHUNKS_MAX || number >= count)
        return CHUNK_BAD;
    expire(chunks, now_ms);
    struct chunk_set *set = set_find(chunks, id, sender);
    if (set && set->count != count)
        return CHUNK_BAD;
    if (!set)
        set = set_new(chunks, id, sender, count, now_ms);
    put(chunks, set, number, str_from_offset(datagram, GELF_CHUNK_HEADER_BYTES));
    if (set->have == set->count)
        return finish(chunks, set, whole);
    bound(chunks);
    return CHUNK_KEPT;
}

size_t chunks_given_up(struct chunks *chunks)
{
    size_t count = chunks->given_up;
    chunks->given_up = 0;
    return count;
}
