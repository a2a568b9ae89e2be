/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/frame_cutter.h"

#include <assert.h>

enum { LENGTH_DIGITS_MAX = 9 };

/* ---- messages with their length ------------------------------------------------------------------- */

enum length { LENGTH_NONE, LENGTH_FOUND, LENGTH_PART };

static enum length read_length(struct str bytes, size_t *length_out, size_t *digits_out)
{
    size_t at = 0, length = 0;
    while (at < bytes.len && at < LENGTH_DIGITS_MAX && bytes.ptr[at] >= '0' && bytes.ptr[at] <= '9')
        length = length * 10 + (size_t)(bytes.ptr[at++] - '0');
    if (at == bytes.len)
        return at > 0 && bytes.ptr[0] != '0' ? LENGTH_PART : LENGTH_NONE;
    if (at == 0 || bytes.ptr[0] == '0' || bytes.ptr[at] != ' ')
        return LENGTH_NONE;
    *length_out = length;
    *digits_out = at + 1;
    return LENGTH_FOUND;
}

static enum frame_cut cut_counted(struct frame_cutter *cutter, struct str bytes, size_t length,
                                  size_t digits, struct str *frame_out, size_t *used_out)
{
    if (length > cutter->max_bytes) {
        cutter->skipping = length;
        *used_out = digits;
        return FRAME_TOO_LONG;
    }
    if (bytes.len < digits + length)
        return FRAME_PART;
    *frame_out = str_make(bytes.ptr + digits, length);
    *used_out = digits + length;
    return FRAME_WHOLE;
}

/* ---- messages with their end ---------------------------------------------------------------------- */

static enum frame_cut cut_delimited(struct frame_cutter *cutter, struct str bytes,
                                    struct str *frame_out, size_t *used_out)
{
    assert(cutter->searched <= bytes.len);
    const char *end =
        memchr(bytes.ptr + cutter->searched, cutter->delimiter, bytes.len - cutter->searched);
    size_t length = end ? (size_t)(end - bytes.ptr) : bytes.len;
    cutter->searched = end ? 0 : bytes.len;
    if (length > cutter->max_bytes) {
        cutter->searched = 0;
        cutter->skipping = end ? 0 : SIZE_MAX;
        *used_out = end ? length + 1 : length;
        return FRAME_TOO_LONG;
    }
    if (!end)
        return FRAME_PART;
    *frame_out = str_make(bytes.ptr, length + cutter->keeps_delimiter);
    *used_out = length + 1;
    return FRAME_WHOLE;
}

static enum frame_cut skip(struct frame_cutter *cutter, struct str bytes, size_t *used_out)
{
    if (cutter->skipping < SIZE_MAX) {
        *used_out = cutter->skipping < bytes.len ? cutter->skipping : bytes.len;
        cutter->skipping -= *used_out;
        assert(*used_out > 0); /* or the caller would come again for ever */
        return FRAME_SKIPPED;
    }
    const char *end = memchr(bytes.ptr, cutter->delimiter, bytes.len);
    *used_out = end ? (size_t)(end - bytes.ptr) + 1 : bytes.len;
    if (end)
        cutter->skipping = 0;
    return FRAME_SKIPPED;
}

enum frame_cut frame_cutter_next(struct frame_cutter *cutter, struct str bytes,
                                 struct str *frame_out, size_t *used_out)
{
    size_t length, digits;
    *used_out = 0;
    if (bytes.len == 0)
        return FRAME_PART;
    if (cutter->skipping > 0)
        return skip(cutter, bytes, used_out);
    enum length found = cutter->counts_octets ? read_length(bytes, &length, &digits) : LENGTH_NONE;
    if (found == LENGTH_PART)
        return FRAME_PART;
    if (found == LENGTH_FOUND)
        return cut_counted(cutter, bytes, length, digits, frame_out, used_out);
    return cut_delimited(cutter, bytes, frame_out, used_out);
}

struct str frame_cutter_rest(const struct frame_cutter *cutter, struct str bytes)
{
    size_t length, digits;
    if (cutter->skipping > 0)
        return STR("");
    if (cutter->counts_octets && read_length(bytes, &length, &digits) == LENGTH_FOUND)
        return str_from_offset(bytes, digits);
    return bytes;
}
