/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* with this head */
};

void arena_init(struct arena *arena, struct account *charged)
{
    *arena = (struct arena){.charged = charged};
}

void arena_init_frugal(struct arena *arena, struct account *charged)
{
    arena_init(arena, charged);
    arena->is_frugal = true;
}

/* What it was charged for is the caller's to return. */
static void chunk_free(struct arena *arena, struct arena_chunk *chunk)
{
    assert(arena->total_bytes >= chunk->size);
    arena->total_bytes -= chunk->size;
    mem_free(chunk);
}

void arena_release(struct arena *arena)
{
    size_t before = arena->total_bytes;
    while (arena->chunks) {
        struct arena_chunk *older = arena->chunks->older;
        chunk_free(arena, arena->chunks);
        arena->chunks = older;
    }
    assert(arena->total_bytes == 0);
    arena->next = arena->end = NULL;
    account_return(arena->charged, before);
}

void arena_reset(struct arena *arena)
{
    struct arena_chunk *keep = NULL;
    size_t before = arena->total_bytes;
    while (arena->chunks) {
        struct arena_chunk *chunk = arena->chunks;
        arena->chunks = chunk->older;
        if (!keep && chunk->size == ARENA_CHUNK_BYTES)
            keep = chunk;
        else
            chunk_free(arena, chunk);
    }
    arena->next = arena->end = NULL;
    if (keep) {
        keep->older = NULL;
        arena->chunks = keep;
        arena->next = (char *)(keep + 1);
        arena->end = (char *)keep + keep->size;
    }
    account_return(arena->charged, before - arena->total_bytes);
}

static struct arena_chunk *chunk_new(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = mem_alloc(size);
    chunk->size = size;
    arena->total_bytes += size;
    account_charge(arena->charged, size);
    return chunk;
}

/* A large allocation gets a chunk of its own behind the current one, so that the rest of the current
 * chunk stays in use. */
static void *alloc_own_chunk(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct arena_chunk))
        mem_abort("arena allocation too large");
    struct arena_chunk *chunk = chunk_new(arena, sizeof *chunk + size);
    if (arena->chunks) {
        chunk->older = arena->chunks->older;
        arena->chunks->older = chunk;
    } else {
        chunk->older = NULL;
        arena->chunks = chunk;
        arena->next = arena->end = (char *)chunk + chunk->size;
    }
    return chunk + 1;
}

/* Of the next chunk: the more there is, the larger. */
static size_t chunk_bytes(const struct arena *arena)
{
    if (arena->total_bytes >= ARENA_LARGE_CHUNK_BYTES)
        return ARENA_LARGE_CHUNK_BYTES;
    return arena->is_frugal && arena->total_bytes < ARENA_CHUNK_BYTES ? ARENA_SMALL_CHUNK_BYTES
                                                                      : ARENA_CHUNK_BYTES;
}

void *arena_alloc_slow(struct arena *arena, size_t size, size_t alignment)
{
    size_t usual = chunk_bytes(arena);
    if (size > (usual < ARENA_CHUNK_BYTES ? usual : ARENA_CHUNK_BYTES) / 4)
        return alloc_own_chunk(arena, size);
    struct arena_chunk *chunk = chunk_new(arena, usual);
    chunk->older = arena->chunks;
    arena->chunks = chunk;
    arena->next = (char *)(chunk + 1);
    arena->end = (char *)chunk + chunk->size;
    assert(((uintptr_t)arena->next & (alignment - 1)) == 0);
    void *memory = arena->next;
    arena->next += size;
    return memory;
}

void *arena_zero(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_copy(struct arena *arena, const void *from, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size > 0)
        memcpy(copy, from, size);
    return copy;
}

struct str arena_dup(struct arena *arena, struct str text)
{
    char *copy = arena_bytes(arena, text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    return str_make(copy, text.len);
}

char *arena_cstr(struct arena *arena, struct str text)
{
    char *copy = arena_bytes(arena, text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = 0;
    return copy;
}

struct str arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);
    char *text = arena_bytes(arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return str_make(text, (size_t)len);
}

void *arena_grow(struct arena *arena, void *old, size_t used, size_t size)
{
    assert(size >= used);
    char *end = old ? (char *)old + used : NULL;
    if (old && end == arena->next && (size_t)(arena->end - end) >= size - used) {
        arena->next += size - used;
        return old;
    }
    void *moved = arena_alloc(arena, size);
    if (used > 0)
        memcpy(moved, old, used);
    return moved;
}
