/* SPDX-License-Identifier: Apache-2.0
 *
 * .*? in front of a character. PCRE2 asks at each place whether what follows fits there; but the first place where it can is
 * where that character stands. So for .*?x it is given [^x]*+.*?x, and runs there at once. This is how most grok expressions
 * find the end of a %{DATA}.
 *
 * It holds only where that character must follow: not behind an assertion or an atomic group, not when the group is called from
 * elsewhere (\g), not when it may be repeated. At the head of an expression .*? stays, because PCRE2 takes it for an anchor.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/regex/regex_private.h"

static bool is_quantifier(char c)
{
    return c == '*' || c == '?' || c == '+' || c == '{';
}

/* The ASCII character that must come next, behind groups that end here; NUL: there is no such one. */
static char character_behind(const struct regex_parser *parser)
{
    static const char SPECIAL[] = "\\^$.|?*+()[]{}";
    size_t ahead = 0;
    for (unsigned open = parser->open; regex_peek(parser, ahead) == ')'; open--, ahead++)
        if (open == 0 || is_quantifier(regex_peek(parser, ahead + 1)))
            return '\0';
    char c = regex_peek(parser, ahead);
    if (c == '\\' && ispunct((unsigned char)regex_peek(parser, ahead + 1))) {
        ahead++;
        c = regex_peek(parser, ahead);
    } else if (memchr(SPECIAL, c, sizeof SPECIAL)) {
        return '\0';
    }
    bool folds = parser->flags & REGEX_IGNORE_CASE && isalpha((unsigned char)c);
    char next = regex_peek(parser, ahead + 1);
    return folds || (unsigned char)c >= 0x80 || (is_quantifier(next) && next != '+') ? '\0' : c;
}

void regex_shorten_lazy(struct regex_parser *parser, size_t start)
{
    if (parser->has_calls || !parser->has_atoms || parser->flags & REGEX_EXTENDED)
        return;
    char c = character_behind(parser);
    if (c == '\0' || (unsigned char)c < ' ')
        return;
    char text[32];
    snprintf(text, sizeof text, "[^\\x%02x%s]*+.*?", (unsigned)c,
             parser->flags & REGEX_DOT_ALL ? "" : "\\n");
    parser->out->len = start;
    regex_emit(parser->out, text);
}
