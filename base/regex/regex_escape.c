/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <ctype.h>

#include "base/regex/regex_private.h"
#include "base/text/ascii.h"
#include "base/text/utf8.h"

enum { CODEPOINT_MAX = 0x10ffff };

uint32_t regex_next(struct regex_parser *parser)
{
    assert(!regex_at_end(parser));
    uint32_t codepoint;
    parser->at += utf8_decode(str_from_offset(parser->text, parser->at), &codepoint);
    return codepoint;
}

void regex_emit(struct buf *out, const char *text)
{
    (void)buf_append(out, text, strlen(text));
}

void regex_emit_literal(struct buf *out, uint32_t codepoint)
{
    if (codepoint >= 0x80) {
        char bytes[4];
        unsigned len = utf8_encode(codepoint, bytes);
        (void)buf_append(out, bytes, len);
    } else if (isalnum((int)codepoint) || codepoint == '_') {
        (void)buf_append_char(out, (char)codepoint);
    } else if (isprint((int)codepoint)) {
        (void)buf_printf(out, "\\%c", (int)codepoint);
    } else {
        (void)buf_printf(out, "\\x{%x}", codepoint);
    }
}

bool regex_hex_digits(struct regex_parser *parser, unsigned min, unsigned max, uint32_t *out)
{
    assert(max <= 8);
    uint32_t value = 0;
    unsigned count = 0;
    while (count < max && ascii_hex_value(regex_peek(parser, 0)) >= 0) {
        value = value << 4 | (uint32_t)ascii_hex_value(regex_peek(parser, 0));
        parser->at++;
        count++;
    }
    *out = value;
    return count >= min;
}

static bool is_character(uint32_t value)
{
    return value <= CODEPOINT_MAX && (value < 0xd800 || value > 0xdfff);
}

static enum regex_escape fail(struct regex_parser *parser, const char *what)
{
    regex_fail(parser, what);
    return REGEX_ESCAPE_ERROR;
}

/* \xC3\xA9: the bytes of one UTF-8 character, written one by one. */
static enum regex_escape byte_sequence(struct regex_parser *parser, uint32_t first, uint32_t *out)
{
    char bytes[4] = {(char)first};
    size_t len = 1;
    while (len < sizeof bytes && !utf8_valid(str_make(bytes, len)) &&
           regex_peek(parser, 0) == '\\' && regex_peek(parser, 1) == 'x') {
        uint32_t byte;
        parser->at += 2;
        if (!regex_hex_digits(parser, 1, 2, &byte))
            return fail(parser, "invalid hex escape");
        bytes[len++] = (char)byte;
    }
    if (!utf8_valid(str_make(bytes, len)))
        return fail(parser, "escaped bytes are not a UTF-8 character");
    utf8_decode(str_make(bytes, len), out);
    return REGEX_ESCAPE_CHARACTER;
}

static enum regex_escape hex_escape(struct regex_parser *parser, uint32_t *out)
{
    if (regex_peek(parser, 0) != '{') {
        if (!regex_hex_digits(parser, 1, 2, out))
            return fail(parser, "invalid hex escape");
        return *out < 0x80 ? REGEX_ESCAPE_CHARACTER : byte_sequence(parser, *out, out);
    }
    parser->at++;
    if (!regex_hex_digits(parser, 1, 8, out) || regex_peek(parser, 0) != '}' || !is_character(*out))
        return fail(parser, "invalid hex escape");
    parser->at++;
    return REGEX_ESCAPE_CHARACTER;
}

/* \uHHHH; \u{…} with one character (several are read by the caller outside brackets). */
static enum regex_escape unicode_escape(struct regex_parser *parser, uint32_t *out)
{
    bool braces = regex_peek(parser, 0) == '{';
    if (braces) {
        parser->at++;
        while (regex_peek(parser, 0) == ' ')
            parser->at++;
    }
    if (!regex_hex_digits(parser, braces ? 1 : 4, braces ? 6 : 4, out) || !is_character(*out))
        return fail(parser, "invalid Unicode escape");
    while (braces && regex_peek(parser, 0) == ' ')
        parser->at++;
    if (braces && regex_peek(parser, 0) != '}')
        return fail(parser, "only one character is supported in \\u{…}");
    parser->at += braces;
    return REGEX_ESCAPE_CHARACTER;
}

static enum regex_escape octal_escape(struct regex_parser *parser, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 3 && regex_peek(parser, 0) >= '0' && regex_peek(parser, 0) <= '7'; i++)
        value = value * 8 + (uint32_t)(regex_next(parser) - '0');
    *out = value;
    return value < 0x80 ? REGEX_ESCAPE_CHARACTER
                        : fail(parser, "an octal escape above \\177 is not a character");
}

/* \cx, \C-x; the read position is at x. */
static enum regex_escape control_escape(struct regex_parser *parser, uint32_t *out)
{
    if (regex_at_end(parser))
        return fail(parser, "too short control escape");
    uint32_t codepoint = regex_next(parser);
    if (codepoint >= 0x80 || codepoint == '\\')
        return fail(parser, "invalid control escape");
    *out = codepoint == '?' ? 0x7f : codepoint & 0x1f;
    return REGEX_ESCAPE_CHARACTER;
}

enum regex_escape regex_character_escape(struct regex_parser *parser, uint32_t *codepoint_out)
{
    static const char NAMES[] = "tnvfrae", VALUES[] = "\t\n\v\f\r\a\033";
    char letter = regex_peek(parser, 0);
    const char *name = letter ? strchr(NAMES, letter) : NULL;
    if (name) {
        parser->at++;
        *codepoint_out = (uint32_t)VALUES[name - NAMES];
        return REGEX_ESCAPE_CHARACTER;
    }
    switch (letter) {
    case 'x':
        parser->at++;
        return hex_escape(parser, codepoint_out);
    case 'u':
        parser->at++;
        return unicode_escape(parser, codepoint_out);
    case '0':
        return octal_escape(parser, codepoint_out);
    case 'c':
        parser->at++;
        return control_escape(parser, codepoint_out);
    case 'C':
        if (regex_peek(parser, 1) != '-')
            return fail(parser, "too short control escape");
        parser->at += 2;
        return control_escape(parser, codepoint_out);
    case 'M':
        return fail(parser, "meta escapes (\\M-x) are not characters of UTF-8 text");
    default:
        return REGEX_ESCAPE_OTHER;
    }
}
