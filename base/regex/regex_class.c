/* SPDX-License-Identifier: Apache-2.0
 *
 * Character classes. PCRE2 10.42 has no set operations and no nested classes, so a class is kept in two
 * parts: `items`, what can stand between one pair of brackets, and `others`, alternatives that each match one
 * character by other means ([^…] of a nested class, an intersection as look-aheads). Most classes end up as
 * one plain bracket.
 */
#include <assert.h>
#include <ctype.h>

#include "base/regex/regex_private.h"

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
    const char *items = regex_posix_items(parser, name);
    if (!items || regex_peek(parser, at) != ':' || regex_peek(parser, at + 1) != ']')
        return false;
    parser->at += at + 2;
    add_set(set, items, negated);
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
    const struct regex_shorthand_set *shorthand = regex_find_shorthand(letter);
    if (shorthand) {
        bool negated = isupper((unsigned char)letter);
        parser->at++;
        if (parser->flags & REGEX_RANGE_UNICODE)
            add_set(set, shorthand->unicode, negated);
        else
            regex_emit(&set->items, negated ? shorthand->complement : shorthand->items);
        return ITEM_SET;
    }
    if ((letter == 'p' || letter == 'P') && regex_peek(parser, 1) == '{') {
        char items[REGEX_PROPERTY_ITEMS_MAX];
        bool negated = letter == 'P';
        parser->at++;
        if (!regex_read_property(parser, &negated, items))
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
    bool is_set = regex_find_shorthand(after) ||
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
