/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk over the text beside its own output. The text has been parsed before, so that nothing here has to be refused: what
 * stands at a place is told by its first bytes. What is between two tokens (blanks, comments) is taken by one of three
 * functions, which say what may be there at most: next_line, same_line, keep_line.
 */
#include "conf/format.h"

#include <assert.h>

#include "conf/parser.h"

enum { INDENT = 2, CONTINUED = 2 /* levels */ };

struct formatter {
    struct parser in;
    struct buf *out;
    unsigned level;
    bool fresh;  /* nothing stands on this line yet */
    bool opened; /* the last token was an opening bracket */
    bool apart;  /* an empty line belongs before what comes next */
    bool full;   /* the output does not fit */
};

static char here(const struct formatter *f)
{
    return scan_peek(&f->in, 0);
}

/* ---- writing -------------------------------------------------------------------------------------- */

static void put(struct formatter *f, struct str text)
{
    for (unsigned i = 0; f->fresh && i < f->level * INDENT; i++)
        f->full |= !buf_append_char(f->out, ' ');
    f->full |= !buf_append_str(f->out, text);
    f->fresh = f->opened = false;
}

static void open_bracket(struct formatter *f, struct str bracket)
{
    put(f, bracket);
    f->level++;
    f->opened = true;
}

static void close_bracket(struct formatter *f, struct str bracket)
{
    assert(f->level > 0);
    f->level--;
    put(f, bracket);
}

/* What is read from `from` to here. */
static void copy_from(struct formatter *f, size_t from)
{
    assert(f->in.at > from);
    put(f, str_make(f->in.text.ptr + from, f->in.at - from));
}

static void copy_bytes(struct formatter *f, size_t count)
{
    size_t from = f->in.at;
    f->in.at += count;
    copy_from(f, from);
}

/* ---- between two tokens --------------------------------------------------------------------------- */

/* How many lines end in the blanks here. */
static size_t skip_blanks(struct formatter *f)
{
    size_t lines = 0;
    for (; !scan_at_end(&f->in) && scan_is_blank(here(f)); f->in.at++)
        lines += here(f) == '\n';
    return lines;
}

static void copy_comment(struct formatter *f)
{
    size_t from = f->in.at;
    assert(here(f) == '#');
    while (!scan_at_end(&f->in) && here(f) != '\n')
        f->in.at++;
    struct str text = str_make(f->in.text.ptr + from, f->in.at - from);
    while (scan_is_blank(text.ptr[text.len - 1]))
        text.len--;
    put(f, text);
}

static void end_line(struct formatter *f, size_t lines)
{
    bool closes = here(f) == '}' || here(f) == ']';
    if (f->out->len == 0)
        return;
    assert(!f->fresh);
    bool empty = f->apart || (lines > 1 && !f->opened && !closes);
    put(f, empty ? STR("\n\n") : STR("\n"));
    f->fresh = true;
    f->apart = false;
}

/* What comes next begins a line. */
static void next_line(struct formatter *f)
{
    for (;;) {
        size_t lines = skip_blanks(f);
        if (scan_at_end(&f->in))
            return;
        bool opened = f->opened, comment = here(f) == '#';
        bool trailing = comment && lines == 0 && f->out->len > 0;
        if (trailing)
            put(f, STR(" "));
        else
            end_line(f, lines);
        if (!comment)
            return;
        copy_comment(f);
        f->opened = opened && trailing;
    }
}

/* What comes next stands behind `between`, unless a comment ends the line. */
static void same_line(struct formatter *f, const char *between)
{
    size_t from = f->in.at;
    skip_blanks(f);
    if (here(f) != '#') {
        if (*between)
            put(f, str_from(between));
        return;
    }
    f->in.at = from;
    next_line(f);
}

/* What comes next begins a line where it did. */
static void keep_line(struct formatter *f)
{
    size_t from = f->in.at;
    if (skip_blanks(f) == 0 && here(f) != '#') {
        put(f, STR(" "));
        return;
    }
    f->in.at = from;
    next_line(f);
}

/* The byte behind blanks and comments. */
static char next_byte(const struct formatter *f)
{
    struct parser ahead = f->in;
    scan_skip(&ahead);
    return scan_peek(&ahead, 0);
}

/* Only blanks are between this bracket and `close`. */
static bool is_empty(const struct formatter *f, char close)
{
    struct formatter ahead = *f;
    ahead.in.at++;
    skip_blanks(&ahead);
    return here(&ahead) == close;
}

/* ---- values --------------------------------------------------------------------------------------- */

static void copy_quoted(struct formatter *f)
{
    struct str inside;
    size_t from = f->in.at;
    scan_quoted(&f->in, &inside);
    copy_from(f, from);
}

/* A bareword, a number or a name. */
static void copy_word(struct formatter *f)
{
    size_t from = f->in.at;
    while (scan_is_name(here(f)) || here(f) == '.')
        f->in.at++;
    copy_from(f, from);
}

static void copy_name(struct formatter *f)
{
    if (here(f) == '"' || here(f) == '\'')
        copy_quoted(f);
    else
        copy_word(f);
}

/* Behind the bracket that closes the one here. No condition is inside. */
static size_t group_end(const struct formatter *f)
{
    struct parser ahead = f->in;
    unsigned depth = 0;
    struct str inside;
    do {
        scan_skip(&ahead);
        char c = scan_peek(&ahead, 0);
        if (c == '"' || c == '\'') {
            scan_quoted(&ahead, &inside);
        } else {
            depth += c == '[' || c == '{';
            depth -= c == ']' || c == '}';
            ahead.at++;
        }
    } while (depth > 0);
    return ahead.at;
}

/* Whether the bracket here is closed on another line. */
static bool is_tall(const struct formatter *f)
{
    return memchr(f->in.text.ptr + f->in.at, '\n', group_end(f) - f->in.at);
}

static void format_value(struct formatter *f);

static void take_empty(struct formatter *f, struct str both)
{
    f->in.at++;
    skip_blanks(f);
    f->in.at++;
    put(f, both);
}

/* [{ … }]: one bracket in another, whose ends stand on the same lines. */
static bool is_double(const struct formatter *f)
{
    struct formatter ahead = *f;
    ahead.in.at++;
    if (skip_blanks(&ahead) > 0 || (here(&ahead) != '{' && here(&ahead) != '['))
        return false;
    ahead.in.at = group_end(&ahead);
    return skip_blanks(&ahead) == 0 && here(&ahead) == ']';
}

static void format_double(struct formatter *f)
{
    f->in.at++;
    skip_blanks(f);
    put(f, STR("["));
    format_value(f);
    skip_blanks(f);
    f->in.at++;
    put(f, STR("]"));
}

static void format_array(struct formatter *f)
{
    if (is_empty(f, ']')) {
        take_empty(f, STR("[]"));
        return;
    }
    if (is_double(f)) {
        format_double(f);
        return;
    }
    bool tall = is_tall(f);
    f->in.at++;
    open_bracket(f, STR("["));
    if (tall)
        next_line(f);
    else
        skip_blanks(f);
    while (here(f) != ']') {
        format_value(f);
        if (next_byte(f) == ',') {
            same_line(f, "");
            copy_bytes(f, 1);
            keep_line(f);
        } else if (tall) {
            next_line(f);
        } else {
            skip_blanks(f);
        }
    }
    f->in.at++;
    close_bracket(f, STR("]"));
}

/* name => value, of a plugin or a hash. */
static void format_pair(struct formatter *f)
{
    copy_name(f);
    same_line(f, " ");
    copy_bytes(f, 2);
    same_line(f, " ");
    format_value(f);
}

/* "{ … }" of a plugin or a hash. */
static void format_pairs(struct formatter *f)
{
    if (is_empty(f, '}')) {
        take_empty(f, STR("{}"));
        return;
    }
    bool tall = is_tall(f);
    f->in.at++;
    open_bracket(f, STR("{"));
    for (;;) {
        if (tall) {
            next_line(f);
        } else {
            skip_blanks(f);
            put(f, STR(" "));
        }
        if (here(f) == '}')
            break;
        format_pair(f);
    }
    f->in.at++;
    close_bracket(f, STR("}"));
}

static void format_plugin(struct formatter *f)
{
    copy_name(f);
    same_line(f, " ");
    format_pairs(f);
}

static void format_value(struct formatter *f)
{
    char c = here(f);
    if (c == '[')
        format_array(f);
    else if (c == '{')
        format_pairs(f);
    else if (scan_name_then(&f->in, f->in.at, "{"))
        format_plugin(f);
    else
        copy_name(f);
}

/* ---- conditions ----------------------------------------------------------------------------------- */

static void copy_regexp(struct formatter *f)
{
    size_t from = f->in.at++;
    while (here(f) != '/')
        f->in.at += here(f) == '\\' && scan_peek(&f->in, 1) == '/' ? 2 : 1;
    f->in.at++;
    copy_from(f, from);
}

/* [a][b], blanks inside are a part of the name; or a list. */
static void format_bracket(struct formatter *f)
{
    size_t end = scan_selector_end(f->in.text, f->in.at);
    if (end > f->in.at)
        copy_bytes(f, end - f->in.at);
    else
        format_array(f);
}

/* Before an operand: `(` and `!` may stand there several times. */
static void format_operand(struct formatter *f, unsigned *open)
{
    while (here(f) == '(' || here(f) == '!') {
        *open += here(f) == '(';
        copy_bytes(f, 1);
        same_line(f, "");
    }
    if (here(f) == '/')
        copy_regexp(f);
    else if (here(f) == '[')
        format_bracket(f);
    else
        copy_name(f);
}

/* A word, or one of the others; "not in" is one. */
static void format_operator(struct formatter *f)
{
    if (scan_starts(&f->in, "not")) {
        copy_bytes(f, strlen("not"));
        same_line(f, " ");
    }
    static const char *const WORDS[] = {"in", "and", "or", "xor", "nand"};
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        if (!scan_starts(&f->in, WORDS[i]))
            continue;
        copy_bytes(f, strlen(WORDS[i]));
        return;
    }
    copy_bytes(f, strchr("=~", scan_peek(&f->in, 1)) ? 2 : 1);
}

/* As far as the '{' of the block. */
static void format_condition(struct formatter *f)
{
    unsigned open = 0;
    f->level += CONTINUED;
    for (;;) {
        format_operand(f, &open);
        for (; next_byte(f) == ')'; open--) {
            assert(open > 0);
            same_line(f, "");
            copy_bytes(f, 1);
        }
        if (next_byte(f) == '{')
            break;
        keep_line(f);
        format_operator(f);
        keep_line(f);
    }
    f->level -= CONTINUED;
    assert(open == 0);
}

/* ---- blocks --------------------------------------------------------------------------------------- */

static void format_block(struct formatter *f);

/* Moves to the `else` that goes on with this branch, when there is one. */
static bool goes_on(struct formatter *f)
{
    struct parser ahead = f->in;
    scan_skip(&ahead);
    if (!scan_take(&ahead, "else"))
        return false;
    scan_skip(&ahead);
    if (!scan_starts(&ahead, "if") && scan_peek(&ahead, 0) != '{')
        return false;
    same_line(f, " ");
    copy_bytes(f, strlen("else"));
    same_line(f, " ");
    return true;
}

static void format_branch(struct formatter *f)
{
    do {
        if (here(f) != '{') {
            copy_bytes(f, strlen("if"));
            same_line(f, " ");
            format_condition(f);
            same_line(f, " ");
        }
        format_block(f);
    } while (goes_on(f));
}

static void format_statement(struct formatter *f)
{
    if (scan_starts(&f->in, "if") && !scan_is_name(scan_peek(&f->in, 2)))
        format_branch(f);
    else
        format_plugin(f);
}

/* "{ statements }" of a section or an arm. */
static void format_block(struct formatter *f)
{
    if (is_empty(f, '}')) {
        take_empty(f, STR("{}"));
        return;
    }
    f->in.at++;
    open_bracket(f, STR("{"));
    for (next_line(f); here(f) != '}'; next_line(f))
        format_statement(f);
    f->in.at++;
    close_bracket(f, STR("}"));
}

bool conf_format(const struct conf_source *source, struct buf *out)
{
    struct formatter f = {
        .in = {.source = source, .text = source->text}, .out = out, .fresh = true};
    assert(out->len == 0 && source->count <= 1);
    for (next_line(&f); !scan_at_end(&f.in) && !f.full; next_line(&f)) {
        copy_word(&f);
        same_line(&f, " ");
        format_block(&f);
        f.apart = true;
    }
    if (out->len > 0)
        f.full |= !buf_append_char(out, '\n');
    return !f.full;
}
