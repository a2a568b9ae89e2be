/* SPDX-License-Identifier: Apache-2.0
 *
 * The heap, for what is not per event: running out aborts with one line, so callers never test for
 * NULL. Sizes that come from outside are held against a named limit before they are used here.
 */
#ifndef MILLRACE_BASE_MEM_H
#define MILLRACE_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);              /* uninitialised */
void *mem_zero(size_t count, size_t size); /* zeroed, overflow checked */
void *mem_realloc(void *old, size_t size);
char *mem_strdup(const char *text);
void mem_free(void *memory); /* NULL is ok */

/* Room for one more item in a heap array: doubles *capacity when *count has reached it. */
void *mem_grow(void *items, size_t count, size_t *capacity, size_t item_size);

/* A broken invariant of ours that must not go on, also in release builds. */
_Noreturn void mem_abort(const char *what);

#endif
