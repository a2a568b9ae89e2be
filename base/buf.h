/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes that grow, with a hard maximum: an append that would pass it fails and changes nothing, so
 * hostile sizes end in an error and not in memory. A buf owns its memory. `charged`, when set, is the
 * account of the memory budget that the capacity is charged to. `expected`, when set, is the size that the content is going to have:
 * growing does not step over it unless it must.
 */
#ifndef MILLRACE_BASE_BUF_H
#define MILLRACE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/account.h"
#include "base/str.h"

struct buf {
    char *ptr;
    size_t len;
    size_t capacity;
    size_t max;
    size_t expected; /* 0: nobody knows */
    struct account *charged;
};

void buf_init(struct buf *buf, size_t max);
void buf_release(struct buf *buf); /* usable again as after buf_init */
/* Forgets the content; memory above keep_bytes is given back. */
void buf_clear(struct buf *buf, size_t keep_bytes);
void buf_trim(struct buf *buf);               /* gives back what the content does not need */
bool buf_grow(struct buf *buf, size_t extra); /* the slow half of buf_reserve */

/* Makes sure that `extra` more bytes fit; false when that would pass the maximum. */
static inline bool buf_reserve(struct buf *buf, size_t extra)
{
    return buf->capacity - buf->len >= extra || buf_grow(buf, extra);
}

static inline bool buf_append(struct buf *buf, const void *bytes, size_t len)
{
    if (!buf_reserve(buf, len))
        return false;
    if (len > 0)
        memcpy(buf->ptr + buf->len, bytes, len);
    buf->len += len;
    return true;
}

static inline bool buf_append_str(struct buf *buf, struct str text)
{
    return buf_append(buf, text.ptr, text.len);
}

static inline bool buf_append_char(struct buf *buf, char byte)
{
    return buf_append(buf, &byte, 1);
}

bool buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first `count` bytes (moves the rest down). */
void buf_consume(struct buf *buf, size_t count);

static inline struct str buf_str(const struct buf *buf)
{
    return (struct str){buf->ptr, buf->len};
}

/* Moves the content out; *from is empty afterwards. *to must be initialised and is released first. */
void buf_move(struct buf *to, struct buf *from);

#endif
