/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that is freed all at once: one arena for each batch, each loaded configuration, each lane's
 * scratch. Allocation is a pointer bump inside a chunk; running out of memory aborts (sizes from
 * outside meet a limit before they get here). An arena belongs to one thread at a time.
 *
 * An arena may be charged to an account (of the pipeline's memory budget): each chunk's size is added
 * when taken and subtracted when given back.
 */
#ifndef MILLRACE_BASE_ARENA_H
#define MILLRACE_BASE_ARENA_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/account.h"
#include "base/str.h"

enum {
    ARENA_CHUNK_BYTES = 64 * 1024,
    ARENA_SMALL_CHUNK_BYTES = 1024,                  /* of a frugal arena */
    ARENA_LARGE_CHUNK_BYTES = 4 * ARENA_CHUNK_BYTES, /* of an arena that has so much already */
    ARENA_ALIGNMENT = 8,
};

struct arena_chunk;

struct arena {
    char *next; /* first free byte of the current chunk */
    char *end;
    struct arena_chunk *chunks; /* newest first */
    size_t total_bytes;         /* of all chunks */
    struct account *charged;    /* NULL, or what chunks are charged to */
    bool is_frugal;             /* one of many that have little in them */
    bool
        stays; /* as long as anything in it lives, the arena is at this address: what is in it may point at it */
};

void arena_init(struct arena *arena, struct account *charged);
/* The same for one of many that have little in them each: it takes small chunks until there is much in it. */
void arena_init_frugal(struct arena *arena, struct account *charged);
/* Gives everything back; the arena may be used again as after arena_init. */
void arena_release(struct arena *arena);
/* Forgets all allocations but keeps one chunk for the next use. */
void arena_reset(struct arena *arena);

void *arena_alloc_slow(struct arena *arena, size_t size, size_t alignment);

/* Uninitialised memory, aligned to 8 bytes. size 0 gives a valid pointer. */
static inline void *arena_alloc(struct arena *arena, size_t size)
{
    size_t skip = (size_t)(-(uintptr_t)arena->next & (ARENA_ALIGNMENT - 1));
    if (arena->next && (size_t)(arena->end - arena->next) >= skip &&
        (size_t)(arena->end - arena->next) - skip >= size) {
        void *memory = arena->next + skip;
        arena->next += skip + size;
        return memory;
    }
    return arena_alloc_slow(arena, size, ARENA_ALIGNMENT);
}

/* Uninitialised bytes without alignment, for text. */
static inline char *arena_bytes(struct arena *arena, size_t size)
{
    if (arena->next && (size_t)(arena->end - arena->next) >= size) {
        char *memory = arena->next;
        arena->next += size;
        return memory;
    }
    return arena_alloc_slow(arena, size, 1);
}

/* The newest allocation, of at most ARENA_CHUNK_BYTES / 4, ends here: the rest of it was not needed. */
static inline void arena_cut(struct arena *arena, void *end)
{
    assert((char *)end <= arena->next && arena->next - (char *)end <= ARENA_CHUNK_BYTES / 4);
    arena->next = end;
}

void *arena_zero(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *from, size_t size); /* from: NULL when 0 is ok */
/* Copies the bytes and adds a NUL after them (not counted in len). */
struct str arena_dup(struct arena *arena, struct str text);
/* The same as a C string. */
char *arena_cstr(struct arena *arena, struct str text);
struct str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Grows an array of `used` bytes to `size` bytes: in place when it is the newest allocation, else by
 * copying. old may be NULL. */
void *arena_grow(struct arena *arena, void *old, size_t used, size_t size);

#endif
