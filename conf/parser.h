/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to conf/: the state of one conf_parse and the pieces of the recursive-descent parser.
 *   scan.c             blanks, names, quoted text, positions, error text, recovery
 *   parse.c            sections, plugins, attributes
 *   parse_value.c      values of attributes
 *   parse_condition.c  if, else if, else and what is tested there
 *   check_condition.c  which operands may stand where in it
 *
 * A parse function returns false after it has added its error; `at` then stays where the trouble is and
 * `open` at the nesting there. Whoever can go on (attribute, statement, section) calls scan_recover with
 * the nesting that it started at. "Soft" errors (a comma too many) are added and read over.
 *
 * One mistake is one error: after scan_fail the parser is suspect, and further errors are dropped until
 * something was understood again (scan_understood). A soft error, behind which it is known how to go on,
 * does not make it suspect.
 */
#ifndef MILLRACE_CONF_PARSER_H
#define MILLRACE_CONF_PARSER_H

#include "conf/source.h"

enum {
    CONF_MAX_NESTING = 100,   /* of blocks, values and parentheses together */
    CONF_MAX_OPERATORS = 1000 /* and, or, xor, nand in one condition */
};

/* The line and column of an offset, found by going on from the last one asked for. */
struct line_cursor {
    size_t part;
    size_t offset;
    unsigned line;
    unsigned column;
};

struct parser {
    struct arena *arena;
    const struct conf_source *source;
    const struct conf_options *options;
    struct error_list *errors;
    struct str text;
    size_t at;
    unsigned open;      /* brackets entered and not left */
    unsigned operators; /* of the condition being read */
    bool suspect;       /* an error was reported, and nothing after it has been understood yet */
    size_t failed_at;   /* where */
    bool implied;       /* a '{' of this section was missing, so there may be a '}' too few */
    bool assumed;       /* a '}' was taken as missing, so there may be one too many */
    bool in_condition;  /* in a list there, where variables are filled in as in its other texts */
    bool secret;        /* what is being read must not be quoted in an error */
    bool unwinding;     /* leave all blocks: the file ended, or a section begins */
    size_t resume;      /* where to go on after unwinding; 0: where `at` is */
    /* The last text over several lines that a letter follows at once, where an error nearby means that
     * its closing quote is missing. */
    size_t doubtful_start, doubtful_end;
    struct line_cursor cursor;
};

/* ---- scan.c ---- */

struct error_position scan_position(struct parser *parser, size_t offset);
bool scan_fail(struct parser *parser, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool scan_soft(struct parser *parser, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline void scan_understood(struct parser *parser)
{
    parser->suspect = false;
}
/* Nothing more can be made of this file: the next one is read on, outside of all blocks. */
void scan_give_up(struct parser *parser, size_t offset);
/* What stands at an offset, for "found …": quoted, cut, or "the end of the file". Not of a secret. */
enum { SCAN_FOUND_MAX = 48 };
const char *scan_found(const struct parser *parser, size_t offset, char out[SCAN_FOUND_MAX]);

static inline char scan_peek(const struct parser *parser, size_t ahead)
{
    size_t offset = parser->at + ahead;
    return offset < parser->text.len ? parser->text.ptr[offset] : '\0';
}
static inline bool scan_at_end(const struct parser *parser)
{
    return parser->at >= parser->text.len;
}
bool scan_is_blank(char c);
bool scan_is_name(char c);             /* A-Z a-z 0-9 _ - */
void scan_skip(struct parser *parser); /* blanks and comments */
bool scan_starts(const struct parser *parser, const char *literal);
bool scan_take(struct parser *parser, const char *literal); /* moves past it when it is there */
struct str scan_name(struct parser *parser); /* the longest run of name characters, may be empty */
/* At a quote: moves past the closing one and gives the bytes between. */
bool scan_quoted(struct parser *parser, struct str *out);
/* "=>", or an error; '=' and ':' alone are soft errors. */
bool scan_arrow(struct parser *parser, struct str name);
/* True when, after the name that starts at `from`, blanks and then `literal` follow. */
bool scan_name_then(const struct parser *parser, size_t from, const char *literal);
/* Only blanks stand before the offset on its line. */
bool scan_begins_line(const struct parser *parser, size_t offset);
bool scan_enter(struct parser *parser, size_t offset); /* counts nesting against its limit */
void scan_leave(struct parser *parser);
/* Skips from an error to where an attribute (or, for statements, a plugin or if) may begin, or to the
 * '}' that ends the block that had nesting `open`. */
enum scan_resume { SCAN_ATTRIBUTE, SCAN_STATEMENT };
void scan_recover(struct parser *parser, unsigned open, enum scan_resume resume);
/* Room for one more item in an array of the arena. */
void *scan_room(struct arena *arena, void *items, size_t count, size_t *capacity, size_t item_size);

/* ---- parse_value.c ---- */

bool parse_value(struct parser *parser, struct conf_value *out);
bool parse_number(struct parser *parser, struct conf_value *out);
bool parse_array(struct parser *parser, struct conf_value *out);
/* The text of a quoted string at `at`, escapes applied where they are on. */
bool parse_text(struct parser *parser, struct str *out);

/* ---- check_condition.c ---- */

bool check_is_match(enum conf_expr_type type); /* =~ or !~ */
/* What Logstash refuses when it compiles a comparison; an error is at `from`, or soft. */
bool check_comparison(struct parser *parser, size_t from, struct conf_expr *expr);
/* What stands beside and, or, xor, nand or behind ! must be a field or a test; else a soft error. */
void check_is_condition(struct parser *parser, const struct conf_expr *expr);
/* An integer of more than 64 bits is a soft error. */
void check_number(struct parser *parser, const struct conf_expr *number);
/* A regular expression that nothing is matched with is a text; a warning. */
void check_regexp_as_text(struct parser *parser, const struct conf_expr *operand);

/* ---- parse_condition.c ---- */

/* The end of the run of [name] elements at `at`; `at` itself when there is none. */
size_t scan_selector_end(struct str text, size_t at);
bool parse_condition(struct parser *parser, struct conf_expr **out);
/* At a '[' with a name behind it that neither ']' nor ',' follows: a field that is not closed. */
bool parse_is_open_field(const struct parser *parser);
bool parse_fail_open_field(struct parser *parser);

/* ---- parse.c ---- */

/* At '{': the attributes and the closing brace. */
bool parse_plugin_body(struct parser *parser, struct conf_plugin *plugin);

#endif
