/* SPDX-License-Identifier: Apache-2.0 */
#define ZLIB_CONST /* next_in points at const bytes */
#include "io/gzip.h"

#include <assert.h>
#include <limits.h>
#include <zlib.h>

#include "base/mem.h"

struct gzip {
    z_stream stream;
};

enum { WINDOW_BITS = 15, GZIP_WRAPPER = 16, MEMORY_LEVEL = 8 };

struct gzip *gzip_new(int level)
{
    assert(level >= 1 && level <= 9);
    struct gzip *gzip = mem_zero(1, sizeof *gzip);
    if (deflateInit2(&gzip->stream, level, Z_DEFLATED, WINDOW_BITS + GZIP_WRAPPER, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        mem_abort("deflateInit2");
    return gzip;
}

void gzip_free(struct gzip *gzip)
{
    if (!gzip)
        return;
    deflateEnd(&gzip->stream);
    mem_free(gzip);
}

bool gzip_append(struct gzip *gzip, struct str text, struct buf *out)
{
    assert(text.len <= UINT_MAX);
    deflateReset(&gzip->stream);
    size_t bound = deflateBound(&gzip->stream, (uLong)text.len);
    if (bound > UINT_MAX || !buf_reserve(out, bound))
        return false;
    gzip->stream.next_in = (z_const Bytef *)text.ptr;
    gzip->stream.avail_in = (uInt)text.len;
    gzip->stream.next_out = (Bytef *)out->ptr + out->len;
    gzip->stream.avail_out = (uInt)bound;
    int status = deflate(&gzip->stream, Z_FINISH);
    assert(status == Z_STREAM_END);
    (void)status;
    out->len += bound - gzip->stream.avail_out;
    return true;
}
