/* SPDX-License-Identifier: Apache-2.0 */
#include "io/whole_zlib.h"

#include <assert.h>
#include <libdeflate.h>

#include "base/mem.h"

struct whole_zlib {
    struct libdeflate_decompressor *decompressor;
};

struct whole_zlib *whole_zlib_new(void)
{
    struct whole_zlib *zlib = mem_zero(1, sizeof *zlib);
    zlib->decompressor = libdeflate_alloc_decompressor();
    if (!zlib->decompressor)
        mem_abort("out of memory for libdeflate");
    return zlib;
}

void whole_zlib_free(struct whole_zlib *zlib)
{
    if (!zlib)
        return;
    libdeflate_free_decompressor(zlib->decompressor);
    mem_free(zlib);
}

enum whole_zlib_result whole_zlib_inflate(struct whole_zlib *zlib, struct str stream, char *out,
                                          size_t room, size_t *len_out)
{
    size_t taken = 0;
    enum libdeflate_result result = libdeflate_zlib_decompress_ex(
        zlib->decompressor, stream.ptr, stream.len, out, room, &taken, len_out);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE)
        return WHOLE_ZLIB_NO_ROOM;
    if (result != LIBDEFLATE_SUCCESS || taken != stream.len)
        return WHOLE_ZLIB_ODD;
    assert(*len_out <= room);
    return WHOLE_ZLIB_GOOD;
}
