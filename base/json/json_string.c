/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json/json_string.h"

#include <assert.h>

#include "base/text/ascii.h"
#include "base/text/block.h"

/* How long an escape is, by the letter behind the backslash; 0: there is no such escape. */
static const unsigned char ESCAPE_LENGTH[256] = {
    ['"'] = 2, ['\\'] = 2, ['/'] = 2, ['b'] = 2, ['f'] = 2,
    ['n'] = 2, ['r'] = 2,  ['t'] = 2, ['u'] = 6};

static bool is_hex(char byte)
{
    return ascii_hex_value(byte) >= 0;
}

/* The length of the escape at `at`, or 0. */
static inline unsigned take_escape(const char *at, const char *end, struct json_string_marks *marks)
{
    unsigned length = end - at < 2 ? 0 : ESCAPE_LENGTH[(unsigned char)at[1]];
    if (length == 0 || end - at < length)
        return 0;
    marks->has_escapes = true;
    marks->has_spelled |= length == 6 || at[1] == '/';
    if (length == 6 && !(is_hex(at[2]) && is_hex(at[3]) && is_hex(at[4]) && is_hex(at[5])))
        return 0;
    return length;
}

/* The closing quote, byte by byte where no block fits; NULL: there is none, or something that no string has. */
static const char *end_of_string_slow(const char *at, const char *end,
                                      struct json_string_marks *marks)
{
    while (at < end) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"')
            return at;
        if (byte < 0x20)
            return NULL;
        marks->not_ascii |= byte >= 0x80;
        unsigned length = byte == '\\' ? take_escape(at, end, marks) : 1;
        if (length == 0)
            return NULL;
        at += length;
    }
    return NULL;
}

/* Where the scan of a block goes on, when its escapes are not all alike; *quote_out, when it is there: the closing quote. NULL:
 * there is something that no string has. */
static const char *pass_escapes(const char *at, const char *end, struct json_string_marks *marks,
                                bool *is_quote_out)
{
    struct block_set stops = block_escapes(block_load(at));
    unsigned next = 0;
    while (block_any(stops)) {
        unsigned place = block_first(stops);
        *is_quote_out = at[place] == '"';
        if (*is_quote_out)
            return at + place;
        unsigned length = at[place] == '\\' ? take_escape(at + place, end, marks) : 0;
        if (length == 0)
            return NULL;
        next = place + length;
        if (next >= BLOCK)
            break;
        stops = block_from(stops, next);
    }
    return at + (next > BLOCK ? next : BLOCK);
}

/* Most escapes are quotes: a block with nothing but these is passed over in one, up to a backslash at its end. */
const char *json_string_end(const char *at, const char *end, struct json_string_marks *marks)
{
    struct block_set not_ascii = {0}, any_backslashes = {0};
    assert(at <= end);
    while (end - at > BLOCK) {
        struct block block = block_load(at);
        struct block_set quotes = block_equal(block, '"'), stops = block_controls(block);
        struct block_set backslashes = block_equal(block, '\\');
        struct block_set escaped = block_behind(backslashes);
        not_ascii = block_union(not_ascii, block_not_ascii(block));
        if (__builtin_expect(block_any(block_without(escaped, quotes)), 0)) {
            bool is_quote = false;
            at = pass_escapes(at, end, marks, &is_quote);
            if (at && !is_quote)
                continue;
            break;
        }
        any_backslashes = block_union(any_backslashes, backslashes);
        stops = block_union(stops, block_without(quotes, escaped));
        if (block_any(stops)) {
            at += block_first(stops);
            at = *at == '"' ? at : NULL;
            break;
        }
        at += BLOCK - block_has_last(backslashes);
    }
    marks->not_ascii |= block_any(not_ascii);
    marks->has_escapes |= block_any(any_backslashes);
    /* A quote that was found is the first byte of what is left. */
    return at ? end_of_string_slow(at, end, marks) : NULL;
}
