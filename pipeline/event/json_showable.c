/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/json_showable.h"

#include "base/text/utf8.h"

/* As JSON writes a character by its number: UTF-16. */
static bool append_escape(uint32_t codepoint, struct buf *out)
{
    if (codepoint <= 0xFFFF)
        return buf_printf(out, "\\u%04X", codepoint);
    codepoint -= 0x10000;
    return buf_printf(out, "\\u%04X\\u%04X", 0xD800 + (codepoint >> 10),
                      0xDC00 + (codepoint & 0x3FF));
}

bool json_append_showable(struct str json, struct buf *out)
{
    enum { FIRST_TO_ASK = 0x7F /* a control before it can only be a blank between tokens */ };
    size_t from = 0, len;
    bool fits = true;
    for (size_t at = 0; fits && at < json.len; at += len) {
        uint32_t codepoint = (unsigned char)json.ptr[at];
        len = 1;
        if (codepoint >= FIRST_TO_ASK)
            len = utf8_decode(str_from_offset(json, at), &codepoint);
        if (codepoint < FIRST_TO_ASK || utf8_is_showable(codepoint))
            continue;
        fits = buf_append(out, json.ptr + from, at - from) && append_escape(codepoint, out);
        from = at + len;
    }
    return fits && buf_append(out, json.ptr + from, json.len - from);
}
