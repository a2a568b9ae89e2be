/* SPDX-License-Identifier: Apache-2.0
 *
 * zlib streams (RFC 1950) that are whole in memory, and what they inflate to as well: libdeflate, which needs a third of zlib's
 * time for that. It knows nothing of steps and words no error: what is not simply good is for zlib to say. It reads
 * everything that zlib reads; of Huffman codes that no compressor makes (incomplete ones, without an end of block) it lets a
 * few through that zlib refuses, if the checksum is right. One thread.
 */
#ifndef MILLRACE_IO_WHOLE_ZLIB_H
#define MILLRACE_IO_WHOLE_ZLIB_H

#include "base/str.h"

struct whole_zlib;

struct whole_zlib *whole_zlib_new(void);
void whole_zlib_free(struct whole_zlib *zlib); /* NULL is ok */

enum whole_zlib_result {
    WHOLE_ZLIB_GOOD,
    WHOLE_ZLIB_NO_ROOM,
    WHOLE_ZLIB_ODD, /* broken, cut, or something stands behind its end */
};

/* What is in out is of use only when it is good; *len_out then says how much it is. */
enum whole_zlib_result whole_zlib_inflate(struct whole_zlib *zlib, struct str stream, char *out,
                                          size_t room, size_t *len_out);

#endif
