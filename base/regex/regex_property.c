/* SPDX-License-Identifier: Apache-2.0
 *
 * Sets of characters by name: \w, [[:alpha:]], \p{Greek}.
 */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/regex/regex_private.h"

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

/* (?i)[[:upper:]] is any cased letter. */
static const char *set_items(const struct regex_parser *parser, const struct named_set *set)
{
    bool cased = strcmp(set->name, "upper") == 0 || strcmp(set->name, "lower") == 0;
    if (parser->flags & REGEX_RANGE_ASCII && set->ascii)
        return set->ascii;
    return cased && parser->flags & REGEX_IGNORE_CASE ? "\\p{Lowercase}\\p{Uppercase}" : set->items;
}

const char *regex_posix_items(const struct regex_parser *parser, const char *name)
{
    const struct named_set *set =
        find_set(POSIX_SETS, sizeof POSIX_SETS / sizeof *POSIX_SETS, name);
    return set ? set_items(parser, set) : NULL;
}

/* ---- \w \d \s \h ---------------------------------------------------------------------------------------- */

/* The complements are written out so that [\W\d] stays one bracket. Under (?i) PCRE2 would add the letters
 * whose other case lies outside ASCII (s for U+017F, k for U+212A): those two are left out of \W. */
static const struct regex_shorthand_set SHORTHANDS[] = {
    {'w', "A-Za-z0-9_", "\\x00-/:-@\\[-\\^`{-\\x{17e}\\x{180}-\\x{2129}\\x{212b}-\\x{10ffff}",
     "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}"},
    {'d', "0-9", "\\x00-/:-\\x{10ffff}", "\\p{Nd}"},
    {'s', "\\t-\\r\\x20", "\\x00-\\x08\\x0e-\\x1f!-\\x{10ffff}", "\\p{White_Space}"},
    {'h', "0-9A-Fa-f", "\\x00-/:-@G-`g-\\x{10ffff}", "0-9A-Fa-f"},
};

const struct regex_shorthand_set *regex_find_shorthand(char letter)
{
    for (size_t i = 0; i < sizeof SHORTHANDS / sizeof *SHORTHANDS; i++) {
        if (SHORTHANDS[i].letter == (letter | 0x20) && isalpha((unsigned char)letter))
            return &SHORTHANDS[i];
    }
    return NULL;
}

bool regex_shorthand(struct regex_parser *parser, char letter)
{
    const struct regex_shorthand_set *set = regex_find_shorthand(letter);
    if (!set)
        return false;
    (void)buf_printf(parser->out, "[%s%s]", isupper((unsigned char)letter) ? "^" : "",
                     parser->flags & REGEX_RANGE_UNICODE ? set->unicode : set->items);
    return true;
}

/* ---- \p{…} ---------------------------------------------------------------------------------------------- */

static bool compiles(const char *pattern)
{
    int code;
    PCRE2_SIZE offset;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_UTF, &code, &offset, NULL);
    pcre2_code_free(compiled);
    return compiled != NULL;
}

/* Fills items with what \p{name} becomes. A script is asked for as sc:, because PCRE2's plain form means
 * script extensions. */
static bool property_items(const struct regex_parser *parser, const char *name,
                           char items[REGEX_PROPERTY_ITEMS_MAX])
{
    const size_t size = REGEX_PROPERTY_ITEMS_MAX;
    const char *posix = regex_posix_items(parser, name);
    const struct named_set *set =
        find_set(CATEGORY_SETS, sizeof CATEGORY_SETS / sizeof *CATEGORY_SETS, name);
    if (posix || set) {
        snprintf(items, size, "%s", posix ? posix : set->items);
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

bool regex_read_property(struct regex_parser *parser, bool *negated,
                         char items[REGEX_PROPERTY_ITEMS_MAX])
{
    char name[PROPERTY_NAME_MAX + 1];
    return property_name(parser, negated, name) &&
           (property_items(parser, name, items) ||
            regex_fail(parser, "unknown character property name"));
}

bool regex_property(struct regex_parser *parser, bool negated)
{
    char items[REGEX_PROPERTY_ITEMS_MAX];
    if (!regex_read_property(parser, &negated, items))
        return false;
    (void)buf_printf(parser->out, "[%s%s]", negated ? "^" : "", items);
    return true;
}
