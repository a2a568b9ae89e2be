/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/json_showable.h"

static bool is_unshowable(unsigned point)
{
    return (point >= 0x7F && point <= 0x9F) || (point >= 0x200B && point <= 0x200F) ||
           (point >= 0x2028 && point <= 0x202E) || (point >= 0x2060 && point <= 0x206F) ||
           point == 0xFEFF;
}

/* 0: an ordinary one. Four bytes are none of these. */
static unsigned point_at(struct str text, size_t at, size_t *len_out)
{
    const unsigned char *byte = (const unsigned char *)text.ptr + at;
    *len_out = 1;
    if (byte[0] < 0xC2 || byte[0] > 0xEF || text.len - at < 2)
        return byte[0] == 0x7F ? 0x7F : 0;
    *len_out = byte[0] < 0xE0 ? 2 : 3;
    if (text.len - at < *len_out)
        return 0;
    return *len_out == 2 ? (byte[0] & 0x1Fu) << 6 | (byte[1] & 0x3Fu)
                         : (byte[0] & 0x0Fu) << 12 | (byte[1] & 0x3Fu) << 6 | (byte[2] & 0x3Fu);
}

bool json_append_showable(struct str json, struct buf *out)
{
    size_t from = 0, len;
    bool fits = true;
    for (size_t at = 0; fits && at < json.len; at += len) {
        unsigned point = point_at(json, at, &len);
        if (!is_unshowable(point))
            continue;
        fits = buf_append(out, json.ptr + from, at - from) && buf_printf(out, "\\u%04X", point);
        from = at + len;
    }
    return fits && buf_append(out, json.ptr + from, json.len - from);
}
