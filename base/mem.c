/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void mem_abort(const char *what)
{
    fprintf(stderr, "millrace: %s\n", what);
    abort();
}

static void *checked(void *memory)
{
    if (!memory)
        mem_abort("out of memory");
    return memory;
}

void *mem_alloc(size_t size)
{
    return checked(malloc(size ? size : 1));
}

void *mem_zero(size_t count, size_t size)
{
    return checked(calloc(count ? count : 1, size ? size : 1));
}

void *mem_realloc(void *old, size_t size)
{
    return checked(realloc(old, size ? size : 1));
}

char *mem_strdup(const char *text)
{
    return checked(strdup(text));
}

void mem_free(void *memory)
{
    free(memory);
}

void *mem_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    size_t wanted = *capacity ? *capacity * 2 : 8;
    if (wanted > SIZE_MAX / item_size)
        mem_abort("array too large");
    *capacity = wanted;
    return mem_realloc(items, wanted * item_size);
}
