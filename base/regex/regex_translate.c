/* SPDX-License-Identifier: Apache-2.0
 *
 * The recursive descent over a Ruby pattern. What reads alike but means something else is rewritten:
 *
 *   Ruby            here              because in PCRE2
 *   a(?i)b|c        a(?i:b|c)         the option would end at the |
 *   a{1,2}+         (?:a{1,2})+       it would be possessive
 *   a{2}?           (?:a{2})?         it would be lazy
 *   (a)(?<n>b)      (?:a)(b)          the plain group would capture
 *   \k<n>           (?>\g{2}|\g{1})   of two groups with one name the first would be asked first
 *   \h \w \d \s     [0-9A-Fa-f] …     \h is a blank; UCP, which \b needs, makes the others Unicode
 *
 * Known differences that remain: a group called by \g<n> keeps the value it had before the call; \b sees
 * letters, digits and '_' but not combining marks; (?i) folds one character to one character.
 */
#include <assert.h>
#include <ctype.h>

#include "base/mem.h"
#include "base/regex/regex_private.h"
#include "base/text/utf8.h"

static bool parse_alternatives(struct regex_parser *parser);

bool regex_fail(struct regex_parser *parser, const char *what)
{
    return error_set(parser->err, ERROR_FORMAT, "%s at offset %zu of the pattern '%.*s%s'", what,
                     parser->at, parser->text.len > 120 ? 120 : (int)parser->text.len,
                     parser->text.ptr ? parser->text.ptr : "", parser->text.len > 120 ? "…" : "");
}

bool regex_enter(struct regex_parser *parser)
{
    return ++parser->depth <= REGEX_DEPTH_MAX || regex_fail(parser, "too deeply nested");
}

/* ---- escapes -------------------------------------------------------------------------------------------- */

static enum regex_atom word_boundary(struct regex_parser *parser, bool negated)
{
    static const char WORD[] = "[A-Za-z0-9_]";
    if (!(parser->flags & REGEX_RANGE_ASCII)) {
        regex_emit(parser->out, negated ? "\\B" : "\\b");
        return ATOM_ASSERTION;
    }
    (void)buf_printf(parser->out, "(?:(?<=%s)(?%c%s)|(?<!%s)(?%c%s))", WORD, negated ? '=' : '!',
                     WORD, WORD, negated ? '!' : '=', WORD);
    return ATOM_ASSERTION;
}

static enum regex_atom emit_atom(struct regex_parser *parser, const char *text,
                                 enum regex_atom atom)
{
    parser->at++;
    regex_emit(parser->out, text);
    return atom;
}

/* At the letter behind a backslash that is neither a set nor a character escape. */
static enum regex_atom special_escape(struct regex_parser *parser)
{
    char next = regex_peek(parser, 1);
    switch (regex_peek(parser, 0)) {
    case 'A':
        return emit_atom(parser, "\\A", ATOM_ASSERTION);
    case 'Z':
        return emit_atom(parser, "\\Z", ATOM_ASSERTION);
    case 'z':
        return emit_atom(parser, "\\z", ATOM_ASSERTION);
    case 'G':
        parser->knows_start = true;
        return emit_atom(parser, "\\G", ATOM_ASSERTION);
    case 'K':
        return emit_atom(parser, "\\K", ATOM_ASSERTION);
    case 'R':
        return emit_atom(parser, "\\R", ATOM_SINGLE);
    case 'X':
        return emit_atom(parser, "\\X", ATOM_SINGLE);
    case 'b':
    case 'B':
        parser->at++;
        return word_boundary(parser, parser->text.ptr[parser->at - 1] == 'B');
    case 'p':
    case 'P':
        if (next != '{')
            break;
        parser->at++;
        return regex_property(parser, parser->text.ptr[parser->at - 1] == 'P') ? ATOM_SINGLE
                                                                               : ATOM_ERROR;
    case 'k':
    case 'g':
        if (next != '<' && next != '\'')
            break;
        parser->at++;
        return parser->text.ptr[parser->at - 1] == 'k' ? regex_back_reference(parser)
                                                       : regex_call(parser);
    default:
        break;
    }
    regex_emit_literal(parser->out, regex_next(parser));
    return ATOM_SINGLE;
}

/* Behind a backslash. */
static enum regex_atom parse_escape(struct regex_parser *parser)
{
    uint32_t codepoint;
    if (regex_at_end(parser))
        return regex_fail_atom(parser, "too short escape sequence");
    char letter = regex_peek(parser, 0);
    if (regex_shorthand(parser, letter)) {
        parser->at++;
        return ATOM_SINGLE;
    }
    if (letter >= '1' && letter <= '9')
        return regex_number_escape(parser);
    switch (regex_character_escape(parser, &codepoint)) {
    case REGEX_ESCAPE_CHARACTER:
        regex_emit_literal(parser->out, codepoint);
        return ATOM_SINGLE;
    case REGEX_ESCAPE_ERROR:
        return ATOM_ERROR;
    case REGEX_ESCAPE_OTHER:
        break;
    }
    return special_escape(parser);
}

/* ---- groups --------------------------------------------------------------------------------------------- */

/* What stands between a group's opening, already written, and its ')'. */
static enum regex_atom group_body(struct regex_parser *parser, bool goes_on_behind)
{
    unsigned flags = parser->flags, open = parser->open;
    parser->open = goes_on_behind ? open + 1 : 0;
    if (!regex_enter(parser) || !parse_alternatives(parser))
        return ATOM_ERROR;
    parser->depth--;
    parser->flags = flags;
    parser->open = open;
    if (regex_peek(parser, 0) != ')')
        return regex_fail_atom(parser, "end pattern with unmatched parenthesis");
    return emit_atom(parser, ")", ATOM_SINGLE);
}

static void add_name(struct regex_parser *parser, struct str name)
{
    struct regex_names *names = parser->names;
    char *copy = mem_alloc(name.len + 1);
    memcpy(copy, name.ptr, name.len);
    copy[name.len] = '\0';
    names->items = mem_grow(names->items, names->count, &names->capacity, sizeof *names->items);
    names->items[names->count] = (struct regex_name){copy, (unsigned)names->count + 1};
    names->count++;
}

/* At the '<' or '\'' of (?<name>. */
static enum regex_atom named_group(struct regex_parser *parser)
{
    struct str name;
    char open = regex_peek(parser, 0);
    parser->at++;
    if (!regex_read_name(parser, open, &name))
        return ATOM_ERROR;
    if (isdigit((unsigned char)name.ptr[0]))
        return regex_fail_atom(parser, "group name starts with a digit");
    if (parser->counting)
        add_name(parser, name);
    parser->groups++;
    regex_emit(parser->out, "(");
    return group_body(parser, true);
}

/* At the '(' of the condition in (?(…)yes|no). */
static enum regex_atom conditional(struct regex_parser *parser)
{
    unsigned group = 0;
    parser->at++;
    char open = regex_peek(parser, 0);
    if (open == '<' || open == '\'') {
        struct str name;
        parser->at++;
        if (!regex_read_name(parser, open, &name))
            return ATOM_ERROR;
        for (size_t i = 0; i < parser->names->count && group == 0; i++) {
            if (str_equal(str_from(parser->names->items[i].name), name))
                group = parser->names->items[i].group;
        }
        if (group == 0 && !parser->counting)
            return regex_fail_atom(parser, "undefined name in a condition");
    } else {
        size_t ahead = 0;
        regex_read_count(parser, &ahead, &group);
        parser->at += ahead;
        if (!parser->counting && (group == 0 || group > parser->group_total))
            return regex_fail_atom(parser, "invalid group number in a condition");
    }
    if (regex_peek(parser, 0) != ')')
        return regex_fail_atom(parser, "invalid condition pattern");
    parser->at++;
    (void)buf_printf(parser->out, "(?(%u)", group);
    return group_body(parser, false);
}

/* Reads imxdau-imx; false at a letter that is none. */
static bool read_options(struct regex_parser *parser, unsigned *flags)
{
    enum { RANGES = REGEX_RANGE_ASCII | REGEX_RANGE_UNICODE };
    bool off = false;
    for (;; parser->at++) {
        unsigned flag = 0;
        switch (regex_peek(parser, 0)) {
        case ')':
        case ':':
            return true;
        case '-':
            off = true;
            continue;
        case 'i':
            flag = REGEX_IGNORE_CASE;
            break;
        case 'm':
            flag = REGEX_DOT_ALL;
            break;
        case 'x':
            flag = REGEX_EXTENDED;
            break;
        case 'd':
            *flags &= ~(unsigned)RANGES;
            continue;
        case 'a':
            *flags = (*flags & ~(unsigned)RANGES) | REGEX_RANGE_ASCII;
            continue;
        case 'u':
            *flags = (*flags & ~(unsigned)RANGES) | REGEX_RANGE_UNICODE;
            continue;
        default:
            return regex_fail(parser, "undefined group option");
        }
        *flags = off ? *flags & ~flag : *flags | flag;
    }
}

/* (?i:…), and (?i) for the rest of the group it stands in, over every '|' there. */
static enum regex_atom option_group(struct regex_parser *parser)
{
    unsigned before = parser->flags, flags = before;
    if (!read_options(parser, &flags))
        return ATOM_ERROR;
    bool whole = regex_peek(parser, 0) == ')';
    parser->at++;
    (void)buf_printf(parser->out, "(?%s%s-%s%s:", flags & REGEX_IGNORE_CASE ? "i" : "",
                     flags & REGEX_DOT_ALL ? "s" : "", flags & REGEX_IGNORE_CASE ? "" : "i",
                     flags & REGEX_DOT_ALL ? "" : "s");
    parser->flags = flags;
    if (!whole) {
        enum regex_atom atom = group_body(parser, false);
        parser->flags = before;
        return atom;
    }
    unsigned open = parser->open;
    parser->open = 0;
    if (!regex_enter(parser) || !parse_alternatives(parser))
        return ATOM_ERROR;
    parser->depth--;
    parser->open = open;
    parser->flags = before;
    regex_emit(parser->out, ")");
    return ATOM_NONE;
}

static enum regex_atom plain_group(struct regex_parser *parser, size_t skip, const char *opening)
{
    parser->at += skip;
    regex_emit(parser->out, opening);
    return group_body(parser, opening[1] != '?' || opening[2] == ':');
}

/* Behind "(?". */
static enum regex_atom extended_group(struct regex_parser *parser)
{
    char next = regex_peek(parser, 1);
    switch (regex_peek(parser, 0)) {
    case ':':
        return plain_group(parser, 1, "(?:");
    case '=':
        return plain_group(parser, 1, "(?=");
    case '!':
        return plain_group(parser, 1, "(?!");
    case '>':
        return plain_group(parser, 1, "(?>");
    case '(':
        return conditional(parser);
    case '\'':
        return named_group(parser);
    case '<':
        if (next == '=')
            return plain_group(parser, 2, "(?<=");
        return next == '!' ? plain_group(parser, 2, "(?<!") : named_group(parser);
    case '~':
        return regex_fail_atom(parser,
                               "the absence operator (?~…) is not supported, use (?:(?!…).)*");
    case 'P':
        return regex_fail_atom(parser, "undefined group option (a named group is (?<name>…))");
    default:
        return option_group(parser);
    }
}

static enum regex_atom parse_group(struct regex_parser *parser)
{
    assert(regex_peek(parser, 0) == '(');
    parser->at++;
    if (regex_peek(parser, 0) == '?') {
        parser->at++;
        return extended_group(parser);
    }
    if (parser->has_names)
        return plain_group(parser, 0, "(?:");
    parser->groups++;
    return plain_group(parser, 0, "(");
}

/* ---- the pattern ---------------------------------------------------------------------------------------- */

static enum regex_atom parse_atom(struct regex_parser *parser)
{
    switch (regex_peek(parser, 0)) {
    case '(':
        return parse_group(parser);
    case '^':
        return emit_atom(parser, "^", ATOM_ASSERTION);
    case '$':
        return emit_atom(parser, "$", ATOM_ASSERTION);
    case '.':
        return emit_atom(parser, ".", ATOM_ANY);
    case '\\':
        parser->at++;
        return parse_escape(parser);
    case '[':
        parser->at++;
        return regex_class(parser) ? ATOM_SINGLE : ATOM_ERROR;
    default:
        regex_emit_literal(parser->out, regex_next(parser));
        return ATOM_SINGLE;
    }
}

/* Atoms with their quantifiers, up to '|', ')' or the end. */
static bool parse_sequence(struct regex_parser *parser)
{
    if (!regex_quantifiers(parser, parser->out->len, ATOM_NONE))
        return false;
    while (!regex_at_end(parser) && regex_peek(parser, 0) != '|' && regex_peek(parser, 0) != ')') {
        size_t start = parser->out->len;
        enum regex_atom atom = parse_atom(parser);
        if (atom == ATOM_ERROR || !regex_quantifiers(parser, start, atom))
            return false;
        parser->has_atoms |= atom == ATOM_SINGLE || atom == ATOM_ANY;
    }
    return true;
}

static bool parse_alternatives(struct regex_parser *parser)
{
    for (;;) {
        if (!parse_sequence(parser))
            return false;
        if (regex_peek(parser, 0) != '|')
            return true;
        parser->at++;
        regex_emit(parser->out, "|");
    }
}

static bool parse_whole(struct regex_parser *parser)
{
    if (!parse_alternatives(parser))
        return false;
    return regex_at_end(parser) || regex_fail(parser, "unmatched close parenthesis");
}

bool regex_translation_make(struct str pattern, unsigned flags, struct regex_translation *out,
                            struct error *err)
{
    *out = (struct regex_translation){.group_count = 0};
    buf_init(&out->text, REGEX_TRANSLATED_MAX);
    if (pattern.len > REGEX_PATTERN_MAX)
        return error_set(err, ERROR_LIMIT, "pattern of %zu bytes is too long (at most %d)",
                         pattern.len, REGEX_PATTERN_MAX);
    if (!utf8_valid(pattern))
        return error_set(err, ERROR_FORMAT, "pattern is not valid UTF-8");
    struct regex_parser counting = {.text = pattern,
                                    .out = &out->text,
                                    .names = &out->names,
                                    .flags = flags,
                                    .counting = true,
                                    .err = err};
    if (!parse_whole(&counting))
        return false;
    out->group_count = out->names.count > 0 ? (unsigned)out->names.count : counting.groups;
    struct regex_parser writing = {.text = pattern,
                                   .out = &out->text,
                                   .names = &out->names,
                                   .flags = flags,
                                   .group_total = out->group_count,
                                   .has_names = out->names.count > 0,
                                   .has_calls = counting.has_calls,
                                   .err = err};
    out->text.len = 0;
    if (!parse_whole(&writing))
        return false;
    assert(writing.groups == out->group_count);
    out->knows_start = writing.knows_start;
    return true;
}

void regex_translation_release(struct regex_translation *translation)
{
    for (size_t i = 0; i < translation->names.count; i++)
        mem_free(translation->names.items[i].name);
    mem_free(translation->names.items);
    buf_release(&translation->text);
    *translation = (struct regex_translation){.group_count = 0};
}

bool regex_translate(struct str pattern, unsigned flags, struct buf *out, struct error *err)
{
    struct regex_translation translation;
    bool ok = regex_translation_make(pattern, flags, &translation, err);
    if (ok && !buf_append_str(out, buf_str(&translation.text)))
        ok = error_set(err, ERROR_LIMIT, "pattern becomes too long");
    regex_translation_release(&translation);
    return ok;
}
