/* SPDX-License-Identifier: Apache-2.0
 *
 * How terminals lay characters out (East Asian Width W and F of Unicode 15, in ranges that also take in what is not
 * assigned between them): no locale is asked, so that it is the same everywhere.
 */
#include "base/text/utf8.h"

struct range {
    uint32_t first, last;
};

static const struct range WIDE[] = {
    {0x1100, 0x115F},   /* Hangul Jamo, leading consonants */
    {0x2E80, 0x303E},   /* CJK radicals, punctuation */
    {0x3041, 0xA4CF},   /* kana, compatibility Jamo, CJK, Yi */
    {0xA960, 0xA97C},   /* more leading consonants */
    {0xAC00, 0xD7A3},   /* Hangul syllables */
    {0xF900, 0xFAFF},   /* CJK compatibility */
    {0xFE30, 0xFE6F},   /* CJK compatibility forms, small forms */
    {0xFF01, 0xFF60},   /* full-width forms */
    {0xFFE0, 0xFFE6},   /* full-width signs */
    {0x1F300, 0x1F64F}, /* pictographs, emoticons */
    {0x1F680, 0x1F6FF}, /* transport */
    {0x1F900, 0x1F9FF}, /* more pictographs */
    {0x20000, 0x3FFFD}, /* CJK extensions */
};

static const struct range WITHOUT[] = {
    {0x0300, 0x036F}, /* combining marks */
    {0x1160, 0x11FF}, /* Hangul Jamo, vowels and trailing consonants */
    {0x200B, 0x200F}, /* zero-width space, joiners, marks of direction */
    {0x20D0, 0x20FF}, /* combining marks for symbols */
    {0xFE00, 0xFE0F}, /* variation selectors */
    {0xFEFF, 0xFEFF}, /* byte order mark */
};

static const struct range UNSHOWABLE[] = {
    {0x0000, 0x001F},   /* C0 controls */
    {0x007F, 0x009F},   /* delete, C1 controls */
    {0x00AD, 0x00AD},   /* soft hyphen */
    {0x061C, 0x061C},   /* Arabic mark of direction */
    {0x180E, 0x180E},   /* Mongolian vowel separator */
    {0x200B, 0x200F},   /* zero-width space, joiners, marks of direction */
    {0x2028, 0x202E},   /* separators of lines and paragraphs, directions of text */
    {0x2060, 0x206F},   /* word joiner, invisible operators, isolates */
    {0xFEFF, 0xFEFF},   /* byte order mark */
    {0xFFF9, 0xFFFB},   /* interlinear annotations */
    {0xFFFE, 0xFFFF},   /* no characters */
    {0x1D173, 0x1D17A}, /* invisible marks of musical notation */
    {0xE0000, 0xE0FFF}, /* tags, more variation selectors */
};

static bool is_among(uint32_t codepoint, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count && codepoint >= ranges[i].first; i++)
        if (codepoint <= ranges[i].last)
            return true;
    return false;
}

unsigned utf8_columns(uint32_t codepoint)
{
    if (codepoint < 0x20 || (codepoint >= 0x7F && codepoint < 0xA0) ||
        is_among(codepoint, WITHOUT, sizeof WITHOUT / sizeof *WITHOUT))
        return 0;
    return is_among(codepoint, WIDE, sizeof WIDE / sizeof *WIDE) ? 2 : 1;
}

bool utf8_is_showable(uint32_t codepoint)
{
    return !is_among(codepoint, UNSHOWABLE, sizeof UNSHOWABLE / sizeof *UNSHOWABLE);
}

struct str utf8_cut_to_columns(struct str text, size_t max, size_t *columns_out)
{
    size_t at = 0, columns = 0;
    while (at < text.len) {
        uint32_t codepoint;
        unsigned len = utf8_decode(str_from_offset(text, at), &codepoint);
        if (columns + utf8_columns(codepoint) > max)
            break;
        columns += utf8_columns(codepoint);
        at += len;
    }
    *columns_out = columns;
    return str_make(text.ptr, at);
}
