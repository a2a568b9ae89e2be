/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups by name and number: \k, \g and \1. All become PCRE2 numbers.
 */
#include <assert.h>
#include <ctype.h>

#include "base/regex/regex_private.h"

bool regex_read_count(const struct regex_parser *parser, size_t *ahead, unsigned *out)
{
    unsigned value = 0;
    bool any = false;
    for (char c; isdigit((unsigned char)(c = regex_peek(parser, *ahead))); (*ahead)++) {
        any = true;
        if (value <= REGEX_REPEAT_MAX)
            value = value * 10 + (unsigned)(c - '0');
    }
    *out = value;
    return any;
}

/* Behind '<' or '\'': reads to its end mark. */
bool regex_read_name(struct regex_parser *parser, char open, struct str *out)
{
    char close = open == '<' ? '>' : '\'';
    size_t start = parser->at;
    const char *end = memchr(parser->text.ptr + start, close, parser->text.len - start);
    if (!end)
        return regex_fail(parser, "end of pattern in group name");
    *out = str_make(parser->text.ptr + start, (size_t)(end - parser->text.ptr) - start);
    if (out->len == 0)
        return regex_fail(parser, "group name is empty");
    parser->at = (size_t)(end - parser->text.ptr) + 1;
    return true;
}

/* The number a <n>, <-n> or <+n> means here; 0 when the text is not a number or no such group can be. */
static unsigned relative_number(const struct regex_parser *parser, struct str text)
{
    int64_t number;
    if (!str_to_int(text, &number) || number > UINT16_MAX || number < -UINT16_MAX)
        return 0;
    if (number < 0)
        number += (int64_t)parser->groups + 1;
    else if (text.ptr[0] == '+')
        number += parser->groups;
    return number < 0 ? 0 : (unsigned)number;
}

static bool is_number(struct str text)
{
    size_t sign = text.ptr[0] == '-' || text.ptr[0] == '+';
    return text.len > sign && isdigit((unsigned char)text.ptr[sign]);
}

static bool check_group(struct regex_parser *parser, unsigned group)
{
    if (parser->counting)
        return true;
    if (parser->has_names)
        return regex_fail(parser, "numbered backref/call is not allowed, use the name");
    return (group > 0 && group <= parser->group_total) ||
           regex_fail(parser, "invalid backref number");
}

/* The groups of that name, the last one first; how many. */
static unsigned groups_named(const struct regex_parser *parser, struct str name, unsigned *groups,
                             unsigned max)
{
    unsigned count = 0;
    for (size_t i = parser->names->count; i-- > 0 && count < max;) {
        if (str_equal(str_from(parser->names->items[i].name), name))
            groups[count++] = parser->names->items[i].group;
    }
    return count;
}

enum { SAME_NAME_MAX = 32 }; /* groups of one name that a reference asks */

/* \k behind the letter. */
enum regex_atom regex_back_reference(struct regex_parser *parser)
{
    struct str name;
    unsigned groups[SAME_NAME_MAX];
    char open = regex_peek(parser, 0);
    parser->at++;
    if (!regex_read_name(parser, open, &name))
        return ATOM_ERROR;
    if (parser->counting)
        return ATOM_SINGLE;
    unsigned count = groups_named(parser, name, groups, SAME_NAME_MAX);
    if (count == 0 && is_number(name)) {
        groups[0] = relative_number(parser, name);
        if (!check_group(parser, groups[0]))
            return ATOM_ERROR;
        count = 1;
    }
    if (count == 0)
        return regex_fail_atom(parser,
                               "undefined name in a back reference (levels are not supported)");
    regex_emit(parser->out, count > 1 ? "(?>" : "");
    for (unsigned i = 0; i < count; i++)
        (void)buf_printf(parser->out, "%s\\g{%u}", i > 0 ? "|" : "", groups[i]);
    regex_emit(parser->out, count > 1 ? ")" : "");
    return ATOM_SINGLE;
}

/* \g behind the letter: a subexpression call. */
enum regex_atom regex_call(struct regex_parser *parser)
{
    struct str name;
    unsigned groups[2];
    char open = regex_peek(parser, 0);
    parser->at++;
    if (!regex_read_name(parser, open, &name))
        return ATOM_ERROR;
    parser->has_calls = true;
    if (parser->counting)
        return ATOM_SINGLE;
    unsigned count = groups_named(parser, name, groups, 2);
    if (count > 1)
        return regex_fail_atom(parser, "call of a name that several groups have");
    if (count == 0 && !is_number(name))
        return regex_fail_atom(parser, "undefined name in a call");
    if (count == 0) {
        groups[0] = relative_number(parser, name);
        if (!str_equal(name, STR("0")) && !check_group(parser, groups[0]))
            return ATOM_ERROR;
    }
    (void)buf_printf(parser->out, "(?%u)", groups[0]);
    return ATOM_SINGLE;
}

/* \1 … at the digit: a reference when there can be such a group, else octal. */
enum regex_atom regex_number_escape(struct regex_parser *parser)
{
    size_t ahead = 0;
    unsigned number;
    regex_read_count(parser, &ahead, &number);
    if (number <= 9 || number <= parser->groups) {
        parser->at += ahead;
        if (!check_group(parser, number))
            return ATOM_ERROR;
        (void)buf_printf(parser->out, "\\g{%u}", number);
        return ATOM_SINGLE;
    }
    uint32_t codepoint = 0;
    if (regex_peek(parser, 0) >= '8')
        codepoint = regex_next(parser);
    for (int i = 0;
         i < 3 && codepoint < '8' && regex_peek(parser, 0) >= '0' && regex_peek(parser, 0) <= '7';
         i++)
        codepoint = codepoint * 8 + (regex_next(parser) - '0');
    if (codepoint >= 0x80)
        return regex_fail_atom(parser, "an octal escape above \\177 is not a character");
    regex_emit_literal(parser->out, codepoint);
    return ATOM_SINGLE;
}
