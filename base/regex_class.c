/* SPDX-License-Identifier: Apache-2.0
 *
 * Character classes. PCRE2 10.42 has no set operations and no nested classes, so a class is kept in two
 * parts: `items`, what can stand between one pair of brackets, and `others`, alternatives that each match one
 * character by other means ([^…] of a nested class, an intersection as look-aheads). Most classes end up as
 * one plain bracket.
 */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/regex_private.h"

enum { PROPERTY_NAME_MAX = 64 };

/* A named set as bracket items. Negating is done with [^…], never by listing the rest. */
struct named_set {
    const char *name;
    const char *items;
    const char *ascii; /* under (?a); NULL: the same */
};

/* Onigmo's brackets over Unicode text; also its \p{Alnum} … */
static const struct named_set POSIX_SETS[] = {
    {"alnum", "\\p{Alphabetic}\\p{Nd}", "A-Za-z0-9"},
    {"alpha", "\\p{Alphabetic}", "A-Za-z"},
    {"ascii", "\\x00-\\x7f", NULL},
    {"blank", "\\t\\p{Zs}", "\\t\\x20"},
    {"cntrl", "\\p{Cc}", "\\x00-\\x1f\\x7f"},
    {"digit", "\\p{Nd}", "0-9"},
    {"graph", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}", "!-~"},
    {"lower", "\\p{Lowercase}", "a-z"},
    {"print", "\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}\\p{Cf}\\p{Co}\\p{Zs}", "\\x20-~"},
    {"punct", "\\p{P}$+<=>\\^`|~", "!-/:-@\\[-`{-~"},
    {"space", "\\p{White_Space}", "\\t-\\r\\x20"},
    {"upper", "\\p{Uppercase}", "A-Z"},
    {"xdigit", "0-9A-Fa-f", NULL},
    {"word", "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}", "A-Za-z0-9_"},
};

/* General categories by their long names, which PCRE2 does not know; keys without case, blanks, '-', '_'. */
static const struct named_set CATEGORY_SETS[] = {
    {"any", "\\x00-\\x{10ffff}", NULL},
    {"assigned", "\\P{Cn}", NULL},
    {"other", "\\p{C}", NULL},
    {"control", "\\p{Cc}", NULL},
    {"format", "\\p{Cf}", NULL},
    {"unassigned", "\\p{Cn}", NULL},
    {"privateuse", "\\p{Co}", NULL},
    {"surrogate", "\\p{Cs}", NULL},
    {"letter", "\\p{L}", NULL},
    {"casedletter", "\\p{L&}", NULL},
    {"lc", "\\p{L&}", NULL},
    {"lowercaseletter", "\\p{Ll}", NULL},
    {"modifierletter", "\\p{Lm}", NULL},
    {"otherletter", "\\p{Lo}", NULL},
    {"titlecaseletter", "\\p{Lt}", NULL},
    {"uppercaseletter", "\\p{Lu}", NULL},
    {"mark", "\\p{M}", NULL},
    {"combiningmark", "\\p{M}", NULL},
    {"spacingmark", "\\p{Mc}", NULL},
    {"enclosingmark", "\\p{Me}", NULL},
    {"nonspacingmark", "\\p{Mn}", NULL},
    {"number", "\\p{N}", NULL},
    {"decimalnumber", "\\p{Nd}", NULL},
    {"letternumber", "\\p{Nl}", NULL},
    {"othernumber", "\\p{No}", NULL},
    {"punctuation", "\\p{P}", NULL},
    {"connectorpunctuation", "\\p{Pc}", NULL},
    {"dashpunctuation", "\\p{Pd}", NULL},
    {"closepunctuation", "\\p{Pe}", NULL},
    {"finalpunctuation", "\\p{Pf}", NULL},
    {"initialpunctuation", "\\p{Pi}", NULL},
    {"otherpunctuation", "\\p{Po}", NULL},
    {"openpunctuation", "\\p{Ps}", NULL},
    {"symbol", "\\p{S}", NULL},
    {"currencysymbol", "\\p{Sc}", NULL},
    {"modifiersymbol", "\\p{Sk}", NULL},
    {"mathsymbol", "\\p{Sm}", NULL},
    {"othersymbol", "\\p{So}", NULL},
    {"separator", "\\p{Z}", NULL},
    {"lineseparator", "\\p{Zl}", NULL},
    {"paragraphseparator", "\\p{Zp}", NULL},
    {"spaceseparator", "\\p{Zs}", NULL},
};

static const struct named_set *find_set(const struct named_set *sets, size_t count,
                                        const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(sets[i].name, name) == 0)
            return &sets[i];
    }
    return NULL;
}

static const struct named_set *find_posix(const char *name)
{
    return find_set(POSIX_SETS, sizeof POSIX_SETS / sizeof *POSIX_SETS, name);
}

/* (?i)[[:upper:]] is any cased letter. */
static const char *set_items(const struct regex_parser *parser, const struct named_set *set)
{
    bool cased = strcmp(set->name, "upper") == 0 || strcmp(set->name, "lower") == 0;
    if (parser->flags & REGEX_RANGE_ASCII && set->ascii)
        return set->ascii;
    return cased && parser->flags & REGEX_IGNORE_CASE ? "\\p{Lowercase}\\p{Uppercase}" : set->items;
}

/* ---- \w \d \s \h ---------------------------------------------------------------------------------------- */

/* The complements are written out so that [\W\d] stays one bracket. Under (?i) PCRE2 would add the letters
 * whose other case lies outside ASCII (s for U+017F, k for U+212A): those two are left out of \W. */
static const struct {
    char letter;
    const char *items, *complement, *unicode;
} SHORTHANDS[] = {
    {'w', "A-Za-z0-9_", "\\x00-/:-@\\[-\\^`{-\\x{17e}\\x{180}-\\x{2129}\\x{212b}-\\x{10ffff}",
     "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"},
    {'d', "0-9", "\\x00-/:-\\x{10ffff}", "\\p{Nd}"},
    {'s', "\\t-\\r\\x20", "\\x00-\\x08\\x0e-\\x1f!-\\x{10ffff}", "\\p{White_Space}"},
    {'h', "0-9A-Fa-f", "\\x00-/:-@G-`g-\\x{10ffff}", "0-9A-Fa-f"},
};

/* Position in SHORTHANDS of the lower-case letter, or SIZE_MAX. */
static size_t shorthand_index(char letter)
{
    for (size_t i = 0; i < sizeof SHORTHANDS / sizeof *SHORTHANDS; i++) {
        if (SHORTHANDS[i].letter == (letter | 0x20) && isalpha((unsigned char)letter))
            return i;
    }
    return SIZE_MAX;
}

bool regex_shorthand(struct regex_parser *parser, char letter)
{
    size_t i = shorthand_index(letter);
    if (i == SIZE_MAX)
        return false;
    bool unicode = parser->flags & REGEX_RANGE_UNICODE;
    (void)buf_printf(parser->out, "[%s%s]", isupper((unsigned char)letter) ? "^" : "",
                     unicode ? SHORTHANDS[i].unicode : SHORTHANDS[i].items);
    return true;
}

/* ---- \p{…} ---------------------------------------------------------------------------------------------- */

static bool compiles(const char *pattern)
{
    int code;
    PCRE2_SIZE offset;
    pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF,
                                         &code, &offset, NULL);
    pcre2_code_free(compiled);
    return compiled != NULL;
}

/* Fills items with what \p{name} becomes. A script is asked for as sc:, because PCRE2's plain form means
 * script extensions. */
static bool property_items(const struct regex_parser *parser, const char *name, char *items,
                           size_t size)
{
    const struct named_set *set = find_posix(name);
    if (!set)
        set = find_set(CATEGORY_SETS, sizeof CATEGORY_SETS / sizeof *CATEGORY_SETS, name);
    if (set) {
        snprintf(items, size, "%s", set_items(parser, set));
        return true;
    }
    snprintf(items, size, "\\p{sc:%s}", name);
    if (compiles(items))
        return true;
    snprintf(items, size, "\\p{%s}", name);
    return compiles(items);
}

/* At '{': reads the name, without case, blanks, '-' and '_'. *negated is flipped by ^. */
static bool property_name(struct regex_parser *parser, bool *negated,
                          char name[PROPERTY_NAME_MAX + 1])
{
    size_t len = 0;
    assert(regex_peek(parser, 0) == '{');
    parser->at++;
    if (regex_peek(parser, 0) == '^') {
        *negated = !*negated;
        parser->at++;
    }
    for (char c; (c = regex_peek(parser, 0)) != '}'; parser->at++) {
        if (c == ' ' || c == '-' || c == '_')
            continue;
        if (!isalnum((unsigned char)c) || len == PROPERTY_NAME_MAX)
            return regex_fail(parser, "invalid character property name");
        name[len++] = (char)tolower((unsigned char)c);
    }
    parser->at++;
    name[len] = '\0';
    return true;
}

/* At '{': the items of the property; *negated is flipped by ^. */
static bool read_property(struct regex_parser *parser, bool *negated, char *items, size_t size)
{
    char name[PROPERTY_NAME_MAX + 1];
    return property_name(parser, negated, name) &&
           (property_items(parser, name, items, size) ||
            regex_fail(parser, "unknown character property name"));
}

bool regex_property(struct regex_parser *parser, bool negated)
{
    char items[2 * PROPERTY_NAME_MAX];
    if (!read_property(parser, &negated, items, sizeof items))
        return false;
    (void)buf_printf(parser->out, "[%s%s]", negated ? "^" : "", items);
    return true;
}

/* ---- […] ------------------------------------------------------------------------------------------------ */

struct class_set {
    struct buf items;
    struct buf others; /* joined by | */
    unsigned other_count;
};

static void set_init(struct class_set *set)
{
    buf_init(&set->items, REGEX_TRANSLATED_MAX);
    buf_init(&set->others, REGEX_TRANSLATED_MAX);
    set->other_count = 0;
}

static void set_release(struct class_set *set)
{
    buf_release(&set->items);
    buf_release(&set->others);
}

static void begin_other(struct class_set *set)
{
    if (set->other_count++ > 0)
        regex_emit(&set->others, "|");
}

static void add_set(struct class_set *set, const char *items, bool negated)
{
    if (!negated) {
        regex_emit(&set->items, items);
        return;
    }
    begin_other(set);
    (void)buf_printf(&set->others, "[^%s]", items);
}

/* An expression for one character of the set. */
static void emit_set(const struct class_set *set, struct buf *out)
{
    bool wrapped = set->other_count + (set->items.len > 0) > 1;
    if (set->other_count == 0 && set->items.len == 0) {
        regex_emit(out, "(?!)");
        return;
    }
    regex_emit(out, wrapped ? "(?:" : "");
    if (set->items.len > 0) {
        regex_emit(out, "[");
        (void)buf_append_str(out, buf_str(&set->items));
        regex_emit(out, set->other_count > 0 ? "]|" : "]");
    }
    (void)buf_append_str(out, buf_str(&set->others));
    regex_emit(out, wrapped ? ")" : "");
}

static void emit_negated_set(const struct class_set *set, struct buf *out)
{
    if (set->other_count == 0 && set->items.len > 0) {
        regex_emit(out, "[^");
        (void)buf_append_str(out, buf_str(&set->items));
        regex_emit(out, "]");
        return;
    }
    regex_emit(out, "(?:(?!");
    emit_set(set, out);
    regex_emit(out, ")(?s:.))");
}

/* At '[' of a possible [:name:]. False when it is not one (then nothing is consumed). */
static bool posix_bracket(struct regex_parser *parser, struct class_set *set)
{
    char name[8];
    size_t len = 0, at = 2;
    bool negated = false;
    if (regex_peek(parser, 1) != ':')
        return false;
    if (regex_peek(parser, at) == '^') {
        negated = true;
        at++;
    }
    while (len < sizeof name - 1 && isalpha((unsigned char)regex_peek(parser, at)))
        name[len++] = regex_peek(parser, at++);
    name[len] = '\0';
    const struct named_set *found = find_posix(name);
    if (!found || regex_peek(parser, at) != ':' || regex_peek(parser, at + 1) != ']')
        return false;
    parser->at += at + 2;
    add_set(set, set_items(parser, found), negated);
    return true;
}

enum class_item { ITEM_SET, ITEM_CHARACTER, ITEM_ERROR };

/* Behind a backslash: \d adds its set, \b and the others give a character. */
static enum class_item class_escape(struct regex_parser *parser, struct class_set *set,
                                    uint32_t *codepoint_out)
{
    if (regex_at_end(parser))
        return regex_fail(parser, "premature end of char-class"), ITEM_ERROR;
    char letter = regex_peek(parser, 0);
    size_t shorthand = shorthand_index(letter);
    if (shorthand != SIZE_MAX) {
        bool negated = isupper((unsigned char)letter);
        parser->at++;
        if (parser->flags & REGEX_RANGE_UNICODE)
            add_set(set, SHORTHANDS[shorthand].unicode, negated);
        else
            regex_emit(&set->items, negated ? SHORTHANDS[shorthand].complement
                                            : SHORTHANDS[shorthand].items);
        return ITEM_SET;
    }
    if ((letter == 'p' || letter == 'P') && regex_peek(parser, 1) == '{') {
        char items[2 * PROPERTY_NAME_MAX];
        bool negated = letter == 'P';
        parser->at++;
        if (!read_property(parser, &negated, items, sizeof items))
            return ITEM_ERROR;
        add_set(set, items, negated);
        return ITEM_SET;
    }
    if (letter == 'b') {
        parser->at++;
        *codepoint_out = '\b';
        return ITEM_CHARACTER;
    }
    if (letter >= '1' && letter <= '7') { /* octal: there are no references in brackets */
        *codepoint_out = 0;
        for (int i = 0; i < 3 && regex_peek(parser, 0) >= '0' && regex_peek(parser, 0) <= '7'; i++)
            *codepoint_out = *codepoint_out * 8 + (regex_next(parser) - '0');
        if (*codepoint_out >= 0x80)
            return regex_fail(parser, "an octal escape above \\177 is not a character"), ITEM_ERROR;
        return ITEM_CHARACTER;
    }
    switch (regex_character_escape(parser, codepoint_out)) {
    case REGEX_ESCAPE_CHARACTER:
        return ITEM_CHARACTER;
    case REGEX_ESCAPE_ERROR:
        return ITEM_ERROR;
    case REGEX_ESCAPE_OTHER:
        break;
    }
    *codepoint_out = regex_next(parser);
    return ITEM_CHARACTER;
}

/* Whether the '-' at the read position makes a range with a character behind it. */
static bool is_range(const struct regex_parser *parser)
{
    char next = regex_peek(parser, 1), after = regex_peek(parser, 2);
    if (regex_peek(parser, 0) != '-' || next == ']' || next == '[' || next == '\0')
        return false;
    if (next == '&' && after == '&')
        return false;
    bool is_set = shorthand_index(after) != SIZE_MAX ||
                  ((after == 'p' || after == 'P') && regex_peek(parser, 3) == '{');
    return next != '\\' || !is_set;
}

static enum class_item class_character(struct regex_parser *parser, struct class_set *set,
                                       uint32_t *codepoint_out)
{
    if (regex_at_end(parser))
        return regex_fail(parser, "premature end of char-class"), ITEM_ERROR;
    *codepoint_out = regex_next(parser);
    return *codepoint_out == '\\' ? class_escape(parser, set, codepoint_out) : ITEM_CHARACTER;
}

/* A character, a range or an escape. */
static bool class_item(struct regex_parser *parser, struct class_set *set)
{
    uint32_t first, last;
    enum class_item item = class_character(parser, set, &first);
    if (item != ITEM_CHARACTER)
        return item == ITEM_SET;
    regex_emit_literal(&set->items, first);
    if (!is_range(parser))
        return true;
    parser->at++;
    if (class_character(parser, set, &last) != ITEM_CHARACTER)
        return false;
    if (last < first)
        return regex_fail(parser, "empty range in char class");
    regex_emit(&set->items, "-");
    regex_emit_literal(&set->items, last);
    return true;
}

static bool parse_nested(struct regex_parser *parser, struct class_set *into);

/* Items up to ']' or '&&' (not consumed). */
static bool class_segment(struct regex_parser *parser, struct class_set *set, bool first)
{
    /* []a] and [^]a] hold a ']', when another one follows to end the class. */
    if (first && regex_peek(parser, 0) == ']') {
        if (!memchr(parser->text.ptr + parser->at + 1, ']', parser->text.len - parser->at - 1))
            return regex_fail(parser, "empty char-class");
        parser->at++;
        regex_emit(&set->items, "\\]");
    }
    while (!regex_at_end(parser)) {
        char c = regex_peek(parser, 0);
        if (c == ']' || (c == '&' && regex_peek(parser, 1) == '&'))
            return true;
        if (c == '[' && posix_bracket(parser, set))
            continue;
        if (c == '[') {
            parser->at++;
            if (!parse_nested(parser, set))
                return false;
        } else if (!class_item(parser, set)) {
            return false;
        }
    }
    return regex_fail(parser, "premature end of char-class");
}

/* Moves what one segment holds into an intersection: each is a look-ahead, the last one consumes. */
static void move_to_intersection(struct class_set *segment, struct class_set *intersection,
                                 bool last)
{
    struct buf *out = &intersection->others;
    if (intersection->other_count++ == 0)
        regex_emit(out, "(?:");
    regex_emit(out, last ? "" : "(?=");
    emit_set(segment, out);
    regex_emit(out, ")");
    set_release(segment);
    set_init(segment);
}

/* Adds the finished class to the one it stands in (or to an empty set, at the top). */
static void merge(struct class_set *from, bool negated, struct class_set *into)
{
    if (negated) {
        begin_other(into);
        emit_negated_set(from, &into->others);
        return;
    }
    (void)buf_append_str(&into->items, buf_str(&from->items));
    if (from->other_count > 0) {
        begin_other(into);
        (void)buf_append_str(&into->others, buf_str(&from->others));
        into->other_count += from->other_count - 1;
    }
}

static bool parse_segments(struct regex_parser *parser, struct class_set *segment,
                           struct class_set *intersection)
{
    for (bool first = true;; first = false) {
        if (!class_segment(parser, segment, first))
            return false;
        bool last = regex_peek(parser, 0) == ']';
        parser->at += last ? 1 : 2;
        if (!last || !first)
            move_to_intersection(segment, intersection, last);
        if (last)
            break;
    }
    if (intersection->other_count > 1)
        intersection->other_count = 1; /* (?:…) is one alternative */
    return true;
}

/* Behind '[': reads to the ']' that ends this class. */
static bool parse_nested(struct regex_parser *parser, struct class_set *into)
{
    struct class_set segment, intersection;
    if (!regex_enter(parser))
        return false;
    bool negated = regex_peek(parser, 0) == '^';
    parser->at += negated;
    set_init(&segment);
    set_init(&intersection);
    bool ok = parse_segments(parser, &segment, &intersection);
    if (ok)
        merge(intersection.other_count > 0 ? &intersection : &segment, negated, into);
    set_release(&segment);
    set_release(&intersection);
    parser->depth--;
    return ok;
}

bool regex_class(struct regex_parser *parser)
{
    struct class_set set;
    set_init(&set);
    bool ok = parse_nested(parser, &set);
    if (ok)
        emit_set(&set, parser->out);
    set_release(&set);
    return ok;
}
