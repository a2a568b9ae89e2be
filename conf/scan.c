/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>

#include "base/text/ascii.h"
#include "conf/parser.h"

bool scan_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool scan_is_name(char c)
{
    return ascii_is_letter(c) || ascii_is_digit(c) || c == '_' || c == '-';
}

static void cursor_restart(struct line_cursor *cursor, const struct conf_source *source,
                           size_t part)
{
    size_t start = source->count > 0 ? source->parts[part].start : 0;
    *cursor = (struct line_cursor){.part = part, .offset = start, .line = 1, .column = 1};
}

/* Columns count characters: a continuation byte of UTF-8 adds nothing. */
static void cursor_advance(struct line_cursor *cursor, struct str text, size_t offset)
{
    for (; cursor->offset < offset; cursor->offset++) {
        char c = text.ptr[cursor->offset];
        if (c == '\n') {
            cursor->line++;
            cursor->column = 1;
        } else if (((unsigned char)c & 0xC0) != 0x80) {
            cursor->column++;
        }
    }
}

static void cursor_seek(struct line_cursor *cursor, const struct conf_source *source, size_t offset)
{
    if (offset > source->text.len)
        offset = source->text.len;
    if (cursor->line == 0 || offset < cursor->offset)
        cursor_restart(cursor, source, 0);
    size_t part = cursor->part;
    while (part + 1 < source->count && source->parts[part + 1].start <= offset)
        part++;
    if (part != cursor->part)
        cursor_restart(cursor, source, part);
    cursor_advance(cursor, source->text, offset);
}

static struct error_position cursor_position(const struct line_cursor *cursor,
                                             const struct conf_source *source)
{
    const char *file = source->count > 0 ? source->parts[cursor->part].file : NULL;
    return (struct error_position){.file = file, .line = cursor->line, .column = cursor->column};
}

struct error_position conf_source_position(const struct conf_source *source, size_t offset)
{
    struct line_cursor cursor = {0};
    cursor_seek(&cursor, source, offset);
    return cursor_position(&cursor, source);
}

/* Positions are mostly asked for in reading order; a place further back is counted on a copy, so that
 * the cursor never has to start again. */
struct error_position scan_position(struct parser *parser, size_t offset)
{
    if (offset < parser->cursor.offset)
        return conf_source_position(parser->source, offset);
    cursor_seek(&parser->cursor, parser->source, offset);
    return cursor_position(&parser->cursor, parser->source);
}

/* Where the file that holds an offset ends in the joined text. */
static size_t file_end(const struct conf_source *source, size_t offset)
{
    size_t low = 0, high = source->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (source->parts[middle].start <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < source->count ? source->parts[low].start : source->text.len;
}

void scan_give_up(struct parser *parser, size_t offset)
{
    parser->at = parser->resume = file_end(parser->source, offset);
    parser->unwinding = true;
    assert(parser->at > offset || offset >= parser->text.len);
}

static void add_error(struct parser *parser, size_t offset, struct error *err)
{
    err->position = scan_position(parser, offset);
    error_list_add(parser->errors, err);
}

/* An error on the line where a text over several lines ends, right before a letter: the quote that
 * ended it was meant to begin another one. Everything after it is read inside out. */
static bool explain_doubtful(struct parser *parser, size_t offset)
{
    struct error err;
    size_t start = parser->doubtful_start, end = parser->doubtful_end;
    bool nearby = end > 0 && offset >= end && offset - end < 80 &&
                  !memchr(parser->text.ptr + end, '\n', offset - end);
    if (!nearby)
        return false;
    error_set(&err, ERROR_CONFIG, "this text goes on to line %u; is its closing %c missing?",
              scan_position(parser, end).line, parser->text.ptr[start]);
    add_error(parser, start, &err);
    parser->doubtful_end = 0;
    scan_give_up(parser, start);
    return true;
}

static bool is_template_tag(struct str rest)
{
    static const struct {
        const char *open, *close, *after; /* one of `after` follows the opening */
    } TAGS[] = {
        {"<%", "%>", " =-#@\n"},
        {"{%", "%}", " -+"},
        {"{{", "}}", " -.$\"'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"},
    };
    for (size_t i = 0; i < sizeof TAGS / sizeof *TAGS; i++) {
        if (!str_starts_with(rest, str_from(TAGS[i].open)) || rest.len < 4)
            continue;
        if (strchr(TAGS[i].after, rest.ptr[2]) &&
            str_find(rest, str_from(TAGS[i].close)) != SIZE_MAX)
            return true;
    }
    return false;
}

/* A file that still has to go through a template engine (ERB, Jinja, Go) shows it where it cannot be read:
 * a tag on that line. Nothing in it says what the finished file will be. */
static bool explain_template(struct parser *parser, size_t offset)
{
    struct str text = parser->text;
    size_t from = offset < text.len ? offset : text.len;
    while (from > 0 && text.ptr[from - 1] != '\n')
        from--;
    for (; from < text.len && text.ptr[from] != '\n'; from++) {
        struct str rest = str_from_offset(text, from);
        rest.len = file_end(parser->source, from) - from;
        if (!is_template_tag(rest))
            continue;
        struct error err;
        error_set(&err, ERROR_CONFIG,
                  "'%.2s' begins a tag of a template (ERB, Jinja, Go): this file is not a pipeline "
                  "yet; render it first and give the result",
                  rest.ptr);
        add_error(parser, from, &err);
        scan_give_up(parser, from);
        return true;
    }
    return false;
}

static bool report(struct parser *parser, size_t offset, const char *format, va_list args)
{
    struct error err;
    if (parser->unwinding || parser->suspect || explain_doubtful(parser, offset) ||
        explain_template(parser, offset))
        return false;
    error_setv(&err, ERROR_CONFIG, format, args);
    add_error(parser, offset, &err);
    return true;
}

bool scan_soft(struct parser *parser, size_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(parser, offset, format, args);
    va_end(args);
    return false;
}

bool scan_fail(struct parser *parser, size_t offset, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (report(parser, offset, format, args)) {
        parser->suspect = true;
        parser->failed_at = offset;
    }
    va_end(args);
    return false;
}

/* A name, or one or two other characters; whole characters of UTF-8. */
static size_t shown_length(struct str rest)
{
    size_t len = 0, max = SCAN_FOUND_MAX - 8;
    while (len < rest.len && len < max && scan_is_name(rest.ptr[len]))
        len++;
    bool name = len > 0;
    while (!name && len < rest.len && len < 2 && (unsigned char)rest.ptr[len] > ' ' &&
           !scan_is_name(rest.ptr[len]))
        len++;
    while (!name && len < rest.len && len < max && ((unsigned char)rest.ptr[len] & 0xC0) == 0x80)
        len++;
    return len;
}

const char *scan_found(const struct parser *parser, size_t offset, char out[SCAN_FOUND_MAX])
{
    if (offset >= parser->text.len) {
        snprintf(out, SCAN_FOUND_MAX, "the end of the file");
        return out;
    }
    struct str rest = str_from_offset(parser->text, offset);
    size_t len = shown_length(rest);
    if (len == 0)
        snprintf(out, SCAN_FOUND_MAX, "the end of the line");
    else if (parser->secret && scan_is_name(*rest.ptr))
        snprintf(out, SCAN_FOUND_MAX, "something else");
    else
        snprintf(out, SCAN_FOUND_MAX, "'%.*s'", (int)len, rest.ptr);
    return out;
}

static size_t after_blanks(const struct parser *parser, size_t at)
{
    struct str text = parser->text;
    while (at < text.len) {
        if (scan_is_blank(text.ptr[at])) {
            at++;
        } else if (text.ptr[at] == '#') {
            const char *end = memchr(text.ptr + at, '\n', text.len - at);
            at = end ? (size_t)(end - text.ptr) : text.len;
        } else {
            break;
        }
    }
    return at;
}

void scan_skip(struct parser *parser)
{
    parser->at = after_blanks(parser, parser->at);
}

bool scan_starts(const struct parser *parser, const char *literal)
{
    return str_starts_with(str_from_offset(parser->text, parser->at), str_from(literal));
}

bool scan_take(struct parser *parser, const char *literal)
{
    if (!scan_starts(parser, literal))
        return false;
    parser->at += strlen(literal);
    return true;
}

struct str scan_name(struct parser *parser)
{
    size_t from = parser->at;
    while (scan_is_name(scan_peek(parser, 0)))
        parser->at++;
    return str_make(parser->text.ptr + from, parser->at - from);
}

/* Offset of the quote that closes the one at `from`, or SIZE_MAX when there is none in this file. A
 * backslash only keeps the quote after it from closing; two backslashes are no pair. */
static size_t closing_quote(const struct parser *parser, size_t from)
{
    const char *text = parser->text.ptr;
    size_t end = file_end(parser->source, from);
    for (size_t at = from + 1; at < end; at++) {
        if (text[at] == text[from])
            return at;
        if (text[at] == '\\' && at + 1 < end && text[at + 1] == text[from])
            at++;
    }
    return SIZE_MAX;
}

static void note_doubtful(struct parser *parser, size_t from, size_t end)
{
    if (!scan_is_name(scan_peek(parser, 0)) || !memchr(parser->text.ptr + from, '\n', end - from))
        return;
    parser->doubtful_start = from;
    parser->doubtful_end = parser->at;
}

bool scan_quoted(struct parser *parser, struct str *out)
{
    size_t from = parser->at;
    assert(scan_peek(parser, 0) == '"' || scan_peek(parser, 0) == '\'');
    size_t end = closing_quote(parser, from);
    if (end == SIZE_MAX) {
        scan_fail(parser, from, "this text has no closing %c", parser->text.ptr[from]);
        scan_give_up(parser, from);
        return false;
    }
    *out = str_make(parser->text.ptr + from + 1, end - from - 1);
    parser->at = end + 1;
    note_doubtful(parser, from, end);
    return true;
}

bool scan_arrow(struct parser *parser, struct str name)
{
    scan_skip(parser);
    if (scan_take(parser, "=>"))
        return true;
    char found[SCAN_FOUND_MAX];
    size_t from = parser->at;
    bool other_arrow = scan_peek(parser, 0) == '=' || scan_peek(parser, 0) == ':';
    (other_arrow ? scan_soft : scan_fail)(parser, from, "expected '=>' after '%.*s', found %s",
                                          STR_FMT(name), scan_found(parser, from, found));
    if (other_arrow)
        parser->at++;
    return other_arrow;
}

bool scan_name_then(const struct parser *parser, size_t from, const char *literal)
{
    struct str text = parser->text;
    size_t at = from;
    if (at < text.len && (text.ptr[at] == '"' || text.ptr[at] == '\''))
        at = closing_quote(parser, at) + 1; /* 0 when there is none */
    else
        while (at < text.len && scan_is_name(text.ptr[at]))
            at++;
    if (at <= from)
        return false;
    return str_starts_with(str_from_offset(text, after_blanks(parser, at)), str_from(literal));
}

bool scan_enter(struct parser *parser, size_t offset)
{
    if (parser->open >= CONF_MAX_NESTING) {
        scan_fail(parser, offset, "nested deeper than %d levels", CONF_MAX_NESTING);
        scan_give_up(parser, offset);
        return false;
    }
    parser->open++;
    return true;
}

void scan_leave(struct parser *parser)
{
    assert(parser->open > 0);
    parser->open--;
}

static bool at_word_start(const struct parser *parser)
{
    return parser->at == 0 || scan_is_blank(parser->text.ptr[parser->at - 1]);
}

bool scan_begins_line(const struct parser *parser, size_t offset)
{
    while (offset > 0 && strchr(" \t\r", parser->text.ptr[offset - 1]))
        offset--;
    return offset == 0 || parser->text.ptr[offset - 1] == '\n';
}

/* Where a statement may begin: on its line, or behind a bracket of the one before. */
static bool at_statement_start(const struct parser *parser)
{
    size_t at = parser->at;
    while (at > 0 && strchr(" \t\r", parser->text.ptr[at - 1]))
        at--;
    return at == 0 || strchr("\n{}", parser->text.ptr[at - 1]);
}

/* A name that begins an attribute or a statement and is followed by what makes it one. */
static bool may_resume(const struct parser *parser, enum scan_resume resume)
{
    if (resume == SCAN_ATTRIBUTE)
        return at_word_start(parser) && scan_name_then(parser, parser->at, "=>");
    char c = scan_peek(parser, 0);
    return at_statement_start(parser) && scan_is_name(c) && !ascii_is_digit(c) &&
           (scan_name_then(parser, parser->at, "{") || scan_starts(parser, "if "));
}

/* Past a quoted text. One that does not end on its line may well be the middle of something that began
 * elsewhere: nothing that follows can be trusted. */
static void recover_over_quote(struct parser *parser)
{
    size_t end = closing_quote(parser, parser->at);
    if (end == SIZE_MAX || memchr(parser->text.ptr + parser->at, '\n', end - parser->at))
        scan_give_up(parser, parser->at);
    else
        parser->at = end + 1;
}

/* One step over a bracket; false at the '}' that ends the block with nesting `open`. */
static bool recover_over_bracket(struct parser *parser, unsigned open)
{
    char c = scan_peek(parser, 0);
    bool closes = c == '}' || c == ']';
    if (closes && parser->open <= open) {
        if (c == '}')
            return false;
    } else if (closes) {
        parser->open--;
    } else {
        parser->open++;
    }
    parser->at++;
    return true;
}

static bool lines_between(const struct parser *parser, size_t from, size_t to)
{
    return to > from && memchr(parser->text.ptr + from, '\n', to - from);
}

void scan_recover(struct parser *parser, unsigned open, enum scan_resume resume)
{
    while (!parser->unwinding) {
        scan_skip(parser);
        if (scan_at_end(parser))
            break;
        if (parser->open <= open && may_resume(parser, resume))
            break;
        char c = scan_peek(parser, 0);
        if (c == '"' || c == '\'')
            recover_over_quote(parser);
        else if (c == '{' || c == '[' || c == '}' || c == ']') {
            if (!recover_over_bracket(parser, open))
                break;
        } else if (scan_is_name(c))
            scan_name(parser);
        else
            parser->at++;
    }
    parser->open = open;
    if (lines_between(parser, parser->failed_at, parser->at))
        scan_understood(parser);
}

void *scan_room(struct arena *arena, void *items, size_t count, size_t *capacity, size_t item_size)
{
    enum { FIRST_ITEMS = 4 };
    if (count < *capacity)
        return items;
    size_t wanted = *capacity ? *capacity * 2 : FIRST_ITEMS;
    *capacity = wanted;
    return arena_grow(arena, items, count * item_size, wanted * item_size);
}
