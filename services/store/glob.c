/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/glob.h"

#include "base/text/utf8.h"

struct glob {
    struct str pattern;
    bool has_question, has_escape, ignores_case;
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

/* One step of the pattern at *at against the text at *pos; moves both. */
static bool step(const struct glob *glob, struct str text, size_t *at, size_t *pos)
{
    char c = glob->pattern.ptr[*at];
    if (glob->has_question && c == '?') {
        uint32_t codepoint;
        (*at)++;
        *pos += utf8_decode(str_from_offset(text, *pos), &codepoint);
        return true;
    }
    size_t width = 1;
    if (glob->has_escape && c == '\\' && *at + 1 < glob->pattern.len) {
        c = glob->pattern.ptr[*at + 1];
        width = 2;
    }
    char other = text.ptr[*pos];
    if (c != other && !(glob->ignores_case && lower(c) == lower(other)))
        return false;
    *at += width;
    (*pos)++;
    return true;
}

static bool match(const struct glob *glob, struct str text)
{
    struct str pattern = glob->pattern;
    size_t at = 0, pos = 0, star = SIZE_MAX, star_pos = 0;
    while (pos < text.len) {
        if (at < pattern.len && pattern.ptr[at] == '*') {
            star = ++at;
            star_pos = pos;
        } else if (at == pattern.len || !step(glob, text, &at, &pos)) {
            if (star == SIZE_MAX)
                return false;
            uint32_t codepoint;
            star_pos += utf8_decode(str_from_offset(text, star_pos), &codepoint);
            pos = star_pos;
            at = star;
        }
    }
    while (at < pattern.len && pattern.ptr[at] == '*')
        at++;
    return at == pattern.len;
}

bool glob_match(struct str pattern, struct str text)
{
    return match(&(struct glob){.pattern = pattern}, text);
}

bool glob_match_wildcard(struct str pattern, struct str text, unsigned flags)
{
    return match(&(struct glob){pattern, true, true, flags & GLOB_IGNORE_CASE}, text);
}
