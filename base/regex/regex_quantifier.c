/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands behind an atom: quantifiers, and the comments and blanks between them. Ruby's {n}? and {n,m}+ are two
 * quantifiers, which PCRE2 would read as one, lazy or possessive.
 */
#include <assert.h>
#include <ctype.h>

#include "base/regex/regex_private.h"

/* (?#…) anywhere, and blanks and # comments under (?x). */
static bool skip_comments(struct regex_parser *parser)
{
    while (!regex_at_end(parser)) {
        char c = regex_peek(parser, 0);
        if (parser->flags & REGEX_EXTENDED && (isspace((unsigned char)c) || c == '#')) {
            bool to_line_end = c == '#';
            do
                parser->at++;
            while (to_line_end && !regex_at_end(parser) && regex_peek(parser, 0) != '\n');
        } else if (c == '(' && regex_peek(parser, 1) == '?' && regex_peek(parser, 2) == '#') {
            while (!regex_at_end(parser) && regex_peek(parser, 0) != ')')
                parser->at += regex_peek(parser, 0) == '\\' ? 2 : 1;
            if (regex_at_end(parser))
                return regex_fail(parser, "end of pattern in group");
            parser->at++;
        } else {
            break;
        }
    }
    return true;
}

struct quantifier {
    unsigned min;
    unsigned max; /* REGEX_REPEAT_MAX + 1: without end */
    char symbol;  /* '*', '+', '?' or '{' */
    char suffix;  /* '?' lazy, '+' possessive, 0 */
};

enum interval { INTERVAL_NONE, INTERVAL_FOUND, INTERVAL_ERROR };

/* At '{'. What is not an interval is a literal '{'. */
static enum interval read_interval(struct regex_parser *parser, struct quantifier *out)
{
    size_t ahead = 1;
    bool has_min = regex_read_count(parser, &ahead, &out->min), has_max = has_min, comma = false;
    out->max = out->min;
    if (regex_peek(parser, ahead) == ',') {
        comma = true;
        ahead++;
        has_max = regex_read_count(parser, &ahead, &out->max);
    }
    if (regex_peek(parser, ahead) != '}' || (!has_min && !has_max))
        return INTERVAL_NONE;
    if (out->min > REGEX_REPEAT_MAX || (has_max && out->max > REGEX_REPEAT_MAX))
        return regex_fail(parser, "too big number for repeat range"), INTERVAL_ERROR;
    if (has_max && out->max < out->min)
        return regex_fail(parser, "upper is smaller than lower in repeat range"), INTERVAL_ERROR;
    if (!has_max)
        out->max = REGEX_REPEAT_MAX + 1;
    parser->at += ahead + 1;
    out->symbol = '{';
    /* {n}? and {n,m}+ are two quantifiers. */
    out->suffix = comma && regex_peek(parser, 0) == '?' ? '?' : '\0';
    parser->at += out->suffix != '\0';
    return INTERVAL_FOUND;
}

static enum interval read_quantifier(struct regex_parser *parser, struct quantifier *out)
{
    char c = regex_peek(parser, 0);
    if (c == '{')
        return read_interval(parser, out);
    if (c != '*' && c != '+' && c != '?')
        return INTERVAL_NONE;
    parser->at++;
    *out = (struct quantifier){.symbol = c};
    char next = regex_peek(parser, 0);
    if (next == '?' || next == '+') {
        out->suffix = next;
        parser->at++;
    }
    return INTERVAL_FOUND;
}

static void emit_quantifier(struct buf *out, const struct quantifier *quantifier)
{
    if (quantifier->symbol != '{')
        (void)buf_append_char(out, quantifier->symbol);
    else if (quantifier->max > REGEX_REPEAT_MAX)
        (void)buf_printf(out, "{%u,}", quantifier->min);
    else if (quantifier->min == quantifier->max)
        (void)buf_printf(out, "{%u}", quantifier->min);
    else
        (void)buf_printf(out, "{%u,%u}", quantifier->min, quantifier->max);
    if (quantifier->suffix)
        (void)buf_append_char(out, quantifier->suffix);
}

/* Puts (?:…) around everything written since start. */
static void wrap(struct buf *out, size_t start)
{
    static const char OPEN[] = "(?:";
    size_t len = sizeof OPEN - 1;
    assert(start <= out->len);
    if (!buf_reserve(out, len + 1))
        return;
    memmove(out->ptr + start + len, out->ptr + start, out->len - start);
    memcpy(out->ptr + start, OPEN, len);
    out->len += len;
    (void)buf_append_char(out, ')');
}

bool regex_quantifiers(struct regex_parser *parser, size_t start, enum regex_atom atom)
{
    for (unsigned count = 0;; count++) {
        struct quantifier quantifier;
        if (!skip_comments(parser))
            return false;
        enum interval found = read_quantifier(parser, &quantifier);
        if (found != INTERVAL_FOUND)
            return found == INTERVAL_NONE;
        if (atom == ATOM_NONE)
            return regex_fail(parser, "target of repeat operator is not specified");
        if (count == REGEX_QUANTIFIERS_MAX)
            return regex_fail(parser, "too many quantifiers in a row");
        if (count > 0 || atom == ATOM_ASSERTION)
            wrap(parser->out, start);
        emit_quantifier(parser->out, &quantifier);
        if (count == 0 && atom == ATOM_ANY && quantifier.symbol == '*' && quantifier.suffix == '?')
            regex_shorten_lazy(parser, start);
    }
}
