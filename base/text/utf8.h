/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, at most U+10FFFF. Text inside an event
 * is always valid; bytes from outside are checked once, at the codec, and mended there.
 */
#ifndef MILLRACE_BASE_TEXT_UTF8_H
#define MILLRACE_BASE_TEXT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

/* Length of the longest valid prefix; == text.len when all is valid. ASCII goes 16 bytes at a time. */
size_t utf8_valid_prefix(struct str text);
static inline bool utf8_valid(struct str text)
{
    return utf8_valid_prefix(text) == text.len;
}
/* Every maximal invalid sequence replaced by U+FFFD; returns text itself when it is valid. */
struct str utf8_repair(struct arena *arena, struct str text);
/* Text itself when it is valid, else each byte as the character of that number: nothing of it is lost. */
struct str utf8_or_octets(struct arena *arena, struct str bytes);
/* Decodes the character at text.ptr (text.len > 0, valid); returns its length in bytes. */
unsigned utf8_decode(struct str text, uint32_t *codepoint_out);
/* Writes 1..4 bytes; surrogates and values above U+10FFFF become U+FFFD. */
unsigned utf8_encode(uint32_t codepoint, char out[4]);
size_t utf8_length(struct str text); /* characters of valid text */
/* Columns of a terminal that a character takes: 0 (control characters, combining marks), 1 or 2 (Hangul, CJK, emoji). */
unsigned utf8_columns(uint32_t codepoint);
/* False for what changes how a terminal or an editor shows the text around it: controls, separators of lines, directions of
 * text, what has no width, what is no character. */
bool utf8_is_showable(uint32_t codepoint);
/* The beginning of valid text that takes at most `max` columns, and how many it takes. */
struct str utf8_cut_to_columns(struct str text, size_t max, size_t *columns_out);

#endif
