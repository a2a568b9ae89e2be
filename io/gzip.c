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

enum { WINDOW_BITS = 15, GZIP_WRAPPER = 16, ANY_WRAPPER = 32, MEMORY_LEVEL = 8 };

enum { GUNZIP_STEP_BYTES = 16 * 1024 };

struct gunzip {
    z_stream stream;
    bool ended; /* a member is complete, and nothing of another one has come */
};

static struct gzip *new_with(int level, int window_bits)
{
    assert(level >= 1 && level <= 9);
    struct gzip *gzip = mem_zero(1, sizeof *gzip);
    if (deflateInit2(&gzip->stream, level, Z_DEFLATED, window_bits, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        mem_abort("deflateInit2");
    return gzip;
}

struct gzip *gzip_new(int level)
{
    return new_with(level, WINDOW_BITS + GZIP_WRAPPER);
}

struct gzip *zlib_new(int level)
{
    return new_with(level, WINDOW_BITS);
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

struct gunzip *gunzip_new(void)
{
    struct gunzip *gunzip = mem_zero(1, sizeof *gunzip);
    if (inflateInit2(&gunzip->stream, WINDOW_BITS + ANY_WRAPPER) != Z_OK)
        mem_abort("inflateInit2");
    return gunzip;
}

void gunzip_free(struct gunzip *gunzip)
{
    if (!gunzip)
        return;
    inflateEnd(&gunzip->stream);
    mem_free(gunzip);
}

/* One call of inflate, into as much room as there is, at least one step of it unless out is nearly full. */
static int inflate_step(struct gunzip *gunzip, struct buf *out)
{
    size_t room = out->max - out->len < GUNZIP_STEP_BYTES ? out->max - out->len : GUNZIP_STEP_BYTES;
    bool fits = buf_reserve(out, room);
    assert(fits);
    (void)fits;
    room = out->capacity - out->len;
    gunzip->stream.next_out = (Bytef *)out->ptr + out->len;
    gunzip->stream.avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
    uInt before = gunzip->stream.avail_out;
    int status = inflate(&gunzip->stream, Z_NO_FLUSH);
    out->len += before - gunzip->stream.avail_out;
    return status;
}

enum gunzip_result gunzip_add(struct gunzip *gunzip, struct str piece, struct buf *out)
{
    assert(piece.len <= UINT_MAX);
    gunzip->stream.next_in = (z_const Bytef *)piece.ptr;
    gunzip->stream.avail_in = (uInt)piece.len;
    for (bool more = piece.len > 0; more;) {
        if (gunzip->ended)
            inflateReset(&gunzip->stream);
        int status = inflate_step(gunzip, out);
        gunzip->ended = status == Z_STREAM_END;
        if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
            return GUNZIP_BROKEN;
        bool more_input = gunzip->stream.avail_in > 0;
        if (status == Z_BUF_ERROR && more_input && out->len == out->max)
            return GUNZIP_FULL;
        more = more_input || (status == Z_OK && gunzip->stream.avail_out == 0);
    }
    return GUNZIP_OK;
}

bool gunzip_is_whole(const struct gunzip *gunzip)
{
    return gunzip->ended;
}
