/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/utf8.h"

#include <assert.h>
#include <string.h>

#include "base/text/block.h"

enum { REPLACEMENT = 0xFFFD, CODEPOINT_MAX = 0x10FFFF };

static inline bool is_surrogate(uint32_t codepoint)
{
    return codepoint >= 0xD800 && codepoint <= 0xDFFF;
}

/* The less than BLOCK bytes before the end, of which `before` and all behind it may be read again. */
static inline bool rest_is_ascii(const unsigned char *before, const unsigned char *at,
                                 const unsigned char *end)
{
    enum { HALF = 8 };
    uint64_t first, last;
    if (end - before >= BLOCK)
        return !block_any(block_not_ascii(block_load((const char *)end - BLOCK)));
    if (end - at < HALF)
        return false; /* that is to say: look at each */
    memcpy(&first, at, HALF);
    memcpy(&last, end - HALF, HALF);
    return ((first | last) & UINT64_C(0x8080808080808080)) == 0;
}

/* The first byte at or after `at` that is not ASCII, or end. */
static inline const unsigned char *skip_ascii(const unsigned char *at, const unsigned char *end)
{
    const unsigned char *begin = at;
    for (; end - at >= BLOCK; at += BLOCK) {
        struct block_set found = block_not_ascii(block_load((const char *)at));
        if (block_any(found))
            return at + block_first(found);
    }
    if (at < end && rest_is_ascii(begin, at, end))
        return end;
    while (at < end && *at < 0x80)
        at++;
    return at;
}

/* RFC 3629, section 4: what the lead byte says about the rest. The range of the second byte keeps out
 * overlong forms, surrogates and what is above U+10FFFF. */
struct lead {
    unsigned char length; /* 0: cannot start a character */
    unsigned char low, high;
};

static inline struct lead lead_of(unsigned char byte)
{
    if (byte < 0x80)
        return (struct lead){1, 0, 0};
    if (byte < 0xC2)
        return (struct lead){0, 0, 0};
    if (byte < 0xE0)
        return (struct lead){2, 0x80, 0xBF};
    if (byte < 0xF0)
        return (struct lead){3, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF};
    if (byte < 0xF5)
        return (struct lead){4, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF};
    return (struct lead){0, 0, 0};
}

/* Reads one character or one maximal invalid sequence; returns its length (at least 1). */
static inline size_t scan(const unsigned char *at, const unsigned char *end, bool *valid_out)
{
    assert(at < end);
    struct lead lead = lead_of(*at);
    *valid_out = lead.length == 1;
    if (lead.length < 2 || end - at < 2 || at[1] < lead.low || at[1] > lead.high)
        return 1;
    size_t length = 2;
    while (length < lead.length && at + length < end && (at[length] & 0xC0) == 0x80)
        length++;
    *valid_out = length == lead.length;
    return length;
}

size_t utf8_valid_prefix(struct str text)
{
    if (text.len == 0)
        return 0;
    const unsigned char *start = (const unsigned char *)text.ptr;
    const unsigned char *end = start + text.len;
    const unsigned char *at = start;
    while ((at = skip_ascii(at, end)) < end) {
        /* Text in other scripts comes in runs: stay here until the next ASCII byte. */
        do {
            bool valid;
            size_t length = scan(at, end, &valid);
            if (!valid)
                return (size_t)(at - start);
            at += length;
        } while (at < end && *at >= 0x80);
    }
    return text.len;
}

struct str utf8_repair(struct arena *arena, struct str text)
{
    size_t prefix = utf8_valid_prefix(text);
    if (prefix == text.len)
        return text;
    const unsigned char *at = (const unsigned char *)text.ptr + prefix;
    const unsigned char *end = (const unsigned char *)text.ptr + text.len;
    /* The worst case is one invalid byte that becomes three. */
    char *out = arena_bytes(arena, prefix + (text.len - prefix) * 3);
    size_t len = prefix;
    memcpy(out, text.ptr, prefix);
    while (at < end) {
        bool valid;
        size_t length = scan(at, end, &valid);
        if (valid) {
            memcpy(out + len, at, length);
            len += length;
        } else {
            len += utf8_encode(REPLACEMENT, out + len);
        }
        at += length;
    }
    return str_make(out, len);
}

struct str utf8_or_octets(struct arena *arena, struct str bytes)
{
    if (utf8_valid(bytes))
        return bytes;
    char *text = arena_bytes(arena, 2 * bytes.len);
    size_t len = 0;
    for (size_t i = 0; i < bytes.len; i++)
        len += utf8_encode((unsigned char)bytes.ptr[i], text + len);
    assert(len <= 2 * bytes.len);
    return str_make(text, len);
}

unsigned utf8_decode(struct str text, uint32_t *codepoint_out)
{
    assert(text.len > 0);
    const unsigned char *at = (const unsigned char *)text.ptr;
    struct lead lead = lead_of(at[0]);
    assert(lead.length > 0 && lead.length <= text.len);
    if (lead.length == 1) {
        *codepoint_out = at[0];
        return 1;
    }
    uint32_t codepoint = at[0] & (0x7Fu >> lead.length);
    for (unsigned i = 1; i < lead.length; i++)
        codepoint = codepoint << 6 | (at[i] & 0x3F);
    *codepoint_out = codepoint;
    return lead.length;
}

unsigned utf8_encode(uint32_t codepoint, char out[4])
{
    if (codepoint > CODEPOINT_MAX || is_surrogate(codepoint))
        codepoint = REPLACEMENT;
    if (codepoint < 0x80) {
        out[0] = (char)codepoint;
        return 1;
    }
    unsigned length = codepoint < 0x800 ? 2 : codepoint < 0x10000 ? 3 : 4;
    for (unsigned i = length - 1; i > 0; i--, codepoint >>= 6)
        out[i] = (char)(0x80 | (codepoint & 0x3F));
    out[0] = (char)((0xF00u >> length) | codepoint);
    return length;
}

size_t utf8_length(struct str text)
{
    size_t continuation_bytes = 0;
    for (size_t i = 0; i < text.len; i++)
        continuation_bytes += ((unsigned char)text.ptr[i] & 0xC0) == 0x80;
    return text.len - continuation_bytes;
}
