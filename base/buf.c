/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

enum { BUF_FIRST_BYTES = 256 };

static void charge(struct buf *buf, size_t before, size_t after)
{
    if (after >= before)
        account_charge(buf->charged, after - before);
    else
        account_return(buf->charged, before - after);
}

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_release(struct buf *buf)
{
    mem_free(buf->ptr);
    charge(buf, buf->capacity, 0);
    buf->ptr = NULL;
    buf->len = buf->capacity = 0;
}

void buf_clear(struct buf *buf, size_t keep_bytes)
{
    buf->len = 0;
    if (buf->capacity > keep_bytes)
        buf_release(buf);
}

void buf_trim(struct buf *buf)
{
    assert(buf->len <= buf->capacity);
    if (buf->len == 0) {
        buf_release(buf);
        return;
    }
    buf->ptr = mem_realloc(buf->ptr, buf->len);
    charge(buf, buf->capacity, buf->len);
    buf->capacity = buf->len;
}

bool buf_grow(struct buf *buf, size_t extra)
{
    assert(buf->len <= buf->capacity);
    if (extra > buf->max || buf->len > buf->max - extra)
        return false;
    size_t wanted = buf->capacity ? buf->capacity : BUF_FIRST_BYTES;
    while (wanted < buf->len + extra)
        wanted += wanted / 2 + 16;
    if (wanted > buf->expected && buf->len + extra <= buf->expected)
        wanted = buf->expected;
    if (wanted > buf->max)
        wanted = buf->max;
    buf->ptr = mem_realloc(buf->ptr, wanted);
    charge(buf, buf->capacity, wanted);
    buf->capacity = wanted;
    return true;
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    bool fits = len >= 0 && buf_reserve(buf, (size_t)len + 1);
    if (fits) {
        vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    return fits;
}

void buf_consume(struct buf *buf, size_t count)
{
    assert(count <= buf->len);
    if (count > 0 && count < buf->len)
        memmove(buf->ptr, buf->ptr + count, buf->len - count);
    buf->len -= count;
}

void buf_move(struct buf *to, struct buf *from)
{
    buf_release(to);
    *to = *from;
    from->ptr = NULL;
    from->len = from->capacity = 0;
}
