/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of base/regex*.c: the translator from Ruby's pattern syntax to PCRE2's.
 *
 * The pattern is read twice by the same recursive descent: the first pass only counts groups and
 * collects names (whether a plain group captures depends on names that come later), the second one
 * writes. Every group becomes a numbered PCRE2 group; names never reach PCRE2, so a name may be anything
 * a grok pattern invents. Options are resolved here as well: PCRE2 is only told about (?i) and (?s).
 */
#ifndef MILLRACE_BASE_REGEX_PRIVATE_H
#define MILLRACE_BASE_REGEX_PRIVATE_H

#include "base/regex.h"

enum {
    REGEX_PATTERN_MAX = 256 * 1024,     /* bytes as written */
    /* Bytes for PCRE2. No construct becomes 100 times as long, so appends below it never fail. */
    REGEX_TRANSLATED_MAX = 128 * REGEX_PATTERN_MAX,
    REGEX_DEPTH_MAX = 250,              /* groups and classes inside each other */
    REGEX_QUANTIFIERS_MAX = 16,         /* behind one atom, as in a{2}{3}+ */
    REGEX_REPEAT_MAX = 65535,           /* PCRE2's limit */
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
    struct error *err;
};

bool regex_fail(struct regex_parser *parser, const char *what);
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

/* \w \d \s \h and their negations outside brackets; letter is the one behind the backslash. */
bool regex_shorthand(struct regex_parser *parser, char letter);
/* At the '{' of \p{name}. */
bool regex_property(struct regex_parser *parser, bool negated);
/* Behind the '['. */
bool regex_class(struct regex_parser *parser);

#endif
