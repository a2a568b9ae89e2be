/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of base/regex*.c: the translator from Ruby's pattern syntax to PCRE2's.
 *
 * The pattern is read twice by the same recursive descent: the first pass only counts groups and
 * collects names (whether a plain group captures depends on names that come later), the second one
 * writes. Every group becomes a numbered PCRE2 group; names never reach PCRE2, so a name may be anything
 * a grok pattern invents. Options are resolved here as well: PCRE2 is only told about (?i) and (?s).
 */
#ifndef MILLRACE_BASE_REGEX_REGEX_PRIVATE_H
#define MILLRACE_BASE_REGEX_REGEX_PRIVATE_H

#include "base/regex/regex.h"

enum {
    REGEX_PATTERN_MAX = 8 * 1024 * 1024, /* bytes as written */
    /* Bytes for PCRE2. No construct becomes 100 times as long, so appends below it never fail. */
    REGEX_TRANSLATED_MAX = 128 * REGEX_PATTERN_MAX,
    REGEX_DEPTH_MAX = 250,      /* groups and classes inside each other */
    REGEX_QUANTIFIERS_MAX = 16, /* behind one atom, as in a{2}{3}+ */
    REGEX_REPEAT_MAX = 65535,   /* PCRE2's limit */
};

/* Beside enum regex_flags: which characters \w \d \s \b and [[:posix:]] mean. Neither is Ruby's default:
 * \w \d \s are ASCII, \b and the brackets are Unicode. */
enum { REGEX_RANGE_ASCII = 1 << 8, REGEX_RANGE_UNICODE = 1 << 9 };

struct regex_name {
    char *name;
    unsigned group;
};

struct regex_names {
    struct regex_name *items; /* in group order */
    size_t count, capacity;
};

struct regex_translation {
    struct buf text;
    struct regex_names names;
    unsigned group_count;
    bool knows_start; /* has \G: where the search began makes a difference */
};

/* Fills *out, which the caller releases also after false. */
bool regex_translation_make(struct str pattern, unsigned flags, struct regex_translation *out,
                            struct error *err);
void regex_translation_release(struct regex_translation *translation);

struct regex_parser {
    struct str text;
    size_t at;
    struct buf *out;
    struct regex_names *names;
    unsigned flags;
    unsigned depth;
    unsigned groups;      /* opened so far */
    unsigned group_total; /* second pass */
    bool counting;        /* the first pass */
    bool has_names;       /* second pass: plain groups do not capture */
    bool knows_start;     /* met \G */
    bool has_calls;       /* met \g: a group may stand elsewhere, too */
    bool has_atoms;       /* something was written that takes a character */
    unsigned
        open; /* innermost groups that are left by going on behind them: no assertions, not (?>…) */
    struct error *err;
};

/* What was just written, as far as a quantifier behind it cares. */
enum regex_atom {
    ATOM_ERROR,
    ATOM_NONE,     /* nothing that can be repeated */
    ATOM_SINGLE,   /* PCRE2 takes a quantifier right behind it */
    ATOM_ANY,      /* the same, and it is a dot */
    ATOM_ASSERTION /* needs (?:…) first */
};

/* ---- regex_lazy.c ---- */
/* Behind .*? which was written from start on: writes it in another way when what has to follow is a character. */
void regex_shorten_lazy(struct regex_parser *parser, size_t start);

bool regex_fail(struct regex_parser *parser, const char *what);
static inline enum regex_atom regex_fail_atom(struct regex_parser *parser, const char *what)
{
    regex_fail(parser, what);
    return ATOM_ERROR;
}
bool regex_enter(struct regex_parser *parser); /* one level deeper */

static inline bool regex_at_end(const struct regex_parser *parser)
{
    return parser->at >= parser->text.len;
}
/* The byte at the read position plus `ahead`; NUL past the end. */
static inline char regex_peek(const struct regex_parser *parser, size_t ahead)
{
    size_t at = parser->at + ahead;
    return at < parser->text.len ? parser->text.ptr[at] : '\0';
}

/* Reads one character (all bytes of it). Not at the end. */
uint32_t regex_next(struct regex_parser *parser);
/* Writes the character as a literal, safe inside and outside brackets. */
void regex_emit_literal(struct buf *out, uint32_t codepoint);
void regex_emit(struct buf *out, const char *text);

enum regex_escape { REGEX_ESCAPE_CHARACTER, REGEX_ESCAPE_OTHER, REGEX_ESCAPE_ERROR };
/* At the letter behind a backslash: \t \xHH \u{…} \cx … give the character; OTHER consumes nothing. */
enum regex_escape regex_character_escape(struct regex_parser *parser, uint32_t *codepoint_out);
/* The rest of \u{a b c}: the next of its characters, false at its end. */
bool regex_hex_digits(struct regex_parser *parser, unsigned min, unsigned max, uint32_t *out);

/* ---- regex_reference.c: groups by name and number ---- */
/* Digits at `ahead` of the read position, which moves past them; false when there is none. */
bool regex_read_count(const struct regex_parser *parser, size_t *ahead, unsigned *out);
/* Behind the '<' or '\'' that opened it: a group's name, to its end mark. */
bool regex_read_name(struct regex_parser *parser, char open, struct str *out);
enum regex_atom regex_back_reference(struct regex_parser *parser); /* \k behind the letter */
enum regex_atom regex_call(struct regex_parser *parser);           /* \g behind the letter */
/* \1 … at the digit: a reference when there can be such a group, else octal. */
enum regex_atom regex_number_escape(struct regex_parser *parser);

/* ---- regex_quantifier.c ---- */
/* Behind an atom whose translation begins at start of what is written: its quantifiers, and comments around them. With
 * ATOM_NONE (nothing to repeat yet) a quantifier is an error. */
bool regex_quantifiers(struct regex_parser *parser, size_t start, enum regex_atom atom);

/* ---- regex_property.c: sets by name ---- */
/* \w \d \s \h and their negations outside brackets; letter is the one behind the backslash. */
bool regex_shorthand(struct regex_parser *parser, char letter);
/* At the '{' of \p{name}. */
bool regex_property(struct regex_parser *parser, bool negated);
/* The same for a bracket: items to stand in one; *negated is flipped by ^. */
enum { REGEX_PROPERTY_ITEMS_MAX = 128 };
bool regex_read_property(struct regex_parser *parser, bool *negated,
                         char items[REGEX_PROPERTY_ITEMS_MAX]);
/* NULL when there is no such [:name:]. */
const char *regex_posix_items(const struct regex_parser *parser, const char *name);
struct regex_shorthand_set {
    char letter;
    const char *items, *complement, *unicode; /* ASCII, all but that, under (?u) */
};
const struct regex_shorthand_set *regex_find_shorthand(char letter); /* NULL: none */

/* ---- regex_class.c ---- */
/* Behind the '['. */
bool regex_class(struct regex_parser *parser);

#endif
