/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/inspect.h"

#include <assert.h>
#include <string.h>

#include "base/text/utf8.h"

enum {
    CHARACTER_MAX_BYTES = 4,
    INSPECT_BYTES_FOR_ONE = 6, /* \u0001 */
    NEXT_LINE = 0x85,          /* the one C1 control that Ruby takes for printable */
};

/* The letter of a control character that Ruby has one for, else 0. */
static char escape_letter(uint32_t character)
{
    switch (character) {
    case '\a':
        return 'a';
    case '\b':
        return 'b';
    case '\t':
        return 't';
    case '\n':
        return 'n';
    case '\v':
        return 'v';
    case '\f':
        return 'f';
    case '\r':
        return 'r';
    case 0x1B:
        return 'e';
    default:
        return 0;
    }
}

static bool is_printable(uint32_t character)
{
    bool control = character < 0x20 || (character >= 0x7F && character <= 0x9F);
    return (!control || character == NEXT_LINE) && character != 0x2028 && character != 0x2029 &&
           (character & 0xFFFE) != 0xFFFE;
}

/* One character; `next` is the byte after it, for "#{", "#$" and "#@". */
static bool append_character(uint32_t character, struct str bytes, char next, struct buf *out)
{
    char letter = escape_letter(character);
    if (letter)
        return buf_append_char(out, '\\') && buf_append_char(out, letter);
    if (!is_printable(character))
        return buf_printf(out, character > 0xFFFF ? "\\u{%X}" : "\\u%04X", character);
    bool interpolates = character == '#' && (next == '{' || next == '$' || next == '@');
    if ((character == '"' || character == '\\' || interpolates) && !buf_append_char(out, '\\'))
        return false;
    return buf_append_str(out, bytes);
}

/* What stands at the front of text, and how long it is. */
static bool append_front(struct str text, size_t *len_out, struct buf *out)
{
    struct str ahead =
        str_make(text.ptr, text.len < CHARACTER_MAX_BYTES ? text.len : CHARACTER_MAX_BYTES);
    assert(text.len > 0);
    *len_out = 1;
    if (utf8_valid_prefix(ahead) == 0)
        return buf_printf(out, "\\x%02X", (unsigned char)text.ptr[0]);
    uint32_t character;
    size_t len = *len_out = utf8_decode(text, &character);
    return append_character(character, str_make(text.ptr, len),
                            len < text.len ? text.ptr[len] : '\0', out);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\' && byte != '#';
}

size_t inspect_plain_prefix(struct str text)
{
    size_t len = 0;
    while (len < text.len && is_plain((unsigned char)text.ptr[len]))
        len++;
    return len;
}

bool inspect_append(struct str text, struct buf *out)
{
    while (text.len > 0) {
        size_t len = inspect_plain_prefix(text);
        if (len > 0 ? !buf_append(out, text.ptr, len) : !append_front(text, &len, out))
            return false;
        text = str_from_offset(text, len);
    }
    return true;
}

struct str inspect_unless_valid(struct arena *arena, struct str text)
{
    if (utf8_valid(text))
        return text;
    struct buf shown;
    buf_init(&shown, text.len * INSPECT_BYTES_FOR_ONE);
    bool fits = inspect_append(text, &shown);
    assert(fits);
    char *copy = arena_bytes(arena, shown.len);
    memcpy(copy, shown.ptr, shown.len);
    struct str result = str_make(copy, shown.len);
    buf_release(&shown);
    return result;
}
