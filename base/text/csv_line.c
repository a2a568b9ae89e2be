/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/csv_line.h"

#include <assert.h>

struct csv_reader {
    struct arena *arena;
    const struct csv_style *style;
    struct str line_end;
    const char *at;
    const char *end;
    struct csv_row *row;
    size_t capacity;
};

static struct str rest_of(const struct csv_reader *reader)
{
    return str_make(reader->at, (size_t)(reader->end - reader->at));
}

static bool is_at(const struct csv_reader *reader, struct str wanted)
{
    return str_starts_with(rest_of(reader), wanted);
}

static bool take(struct csv_reader *reader, struct str wanted)
{
    if (!is_at(reader, wanted))
        return false;
    reader->at += wanted.len;
    return true;
}

/* The first of \r\n, \n and \r in the text, even inside quotes: so Ruby's library finds it. */
static struct str find_line_end(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n')
            return STR("\n");
        if (text.ptr[i] == '\r')
            return i + 1 < text.len && text.ptr[i + 1] == '\n' ? STR("\r\n") : STR("\r");
    }
    return STR("\n");
}

static bool add_value(struct csv_reader *reader, struct str value, struct error *err)
{
    struct csv_row *row = reader->row;
    if (row->count == CSV_COLUMNS_MAX)
        return error_set(err, ERROR_LIMIT, "more than %d columns", CSV_COLUMNS_MAX);
    if (row->count == reader->capacity) {
        size_t capacity = reader->capacity ? reader->capacity * 2 : 16;
        row->values = arena_grow(reader->arena, row->values, row->count * sizeof *row->values,
                                 capacity * sizeof *row->values);
        reader->capacity = capacity;
    }
    row->values[row->count++] = value;
    return true;
}

/* Joins the pieces of a quoted value: each run of text, and a quote for each two of them. */
static struct str without_doubled(struct csv_reader *reader, struct str quoted)
{
    struct str quote = reader->style->quote;
    char *out = arena_bytes(reader->arena, quoted.len);
    size_t len = 0;
    while (quoted.len > 0) {
        size_t piece = str_find(quoted, quote);
        piece = piece == SIZE_MAX ? quoted.len : piece + quote.len;
        memcpy(out + len, quoted.ptr, piece);
        len += piece;
        quoted = str_from_offset(quoted, piece);
        if (quoted.len > 0)
            quoted = str_from_offset(quoted, quote.len); /* the second of the two */
    }
    return str_make(out, len);
}

/* After the opening quote. */
static bool take_quoted(struct csv_reader *reader, struct str *out, struct error *err)
{
    struct str quote = reader->style->quote;
    const char *start = reader->at;
    bool doubled = false;
    for (;;) {
        size_t length = str_find(rest_of(reader), quote);
        if (length == SIZE_MAX)
            return error_set(err, ERROR_FORMAT, "a quoted value is not closed");
        reader->at += length + quote.len;
        if (!take(reader, quote))
            break;
        doubled = true;
    }
    *out = str_make(start, (size_t)(reader->at - start) - quote.len);
    if (doubled)
        *out = without_doubled(reader, *out);
    return true;
}

static bool ends_value(const struct csv_reader *reader)
{
    char c = *reader->at;
    return c == '\n' || c == '\r' || is_at(reader, reader->style->separator) ||
           is_at(reader, reader->style->quote);
}

/* Up to a separator, a quote or a line end; ptr NULL when there is nothing. */
static struct str take_unquoted(struct csv_reader *reader)
{
    const char *start = reader->at;
    while (reader->at < reader->end && !ends_value(reader))
        reader->at++;
    return reader->at == start ? str_make(NULL, 0) : str_make(start, (size_t)(reader->at - start));
}

/* What stands where a value should have ended. */
static bool refuse(const struct csv_reader *reader, bool quoted, struct error *err)
{
    if (quoted)
        return error_set(err, ERROR_FORMAT, "text after a quoted value");
    if (is_at(reader, reader->style->quote))
        return error_set(err, ERROR_FORMAT, "a quote inside a value without quotes");
    return error_set(err, ERROR_FORMAT, "a line end inside a value without quotes");
}

static bool take_row(struct csv_reader *reader, struct error *err)
{
    for (;;) {
        struct str value;
        bool quoted = take(reader, reader->style->quote);
        if (!quoted)
            value = take_unquoted(reader);
        else if (!take_quoted(reader, &value, err))
            return false;
        if (take(reader, reader->style->separator)) {
            if (!add_value(reader, value, err))
                return false;
            continue;
        }
        if (reader->at != reader->end && !take(reader, reader->line_end))
            return refuse(reader, quoted, err);
        /* A line without anything has no columns. */
        return (reader->row->count == 0 && !value.ptr) || add_value(reader, value, err);
    }
}

enum csv_result csv_line_parse(struct arena *arena, const struct csv_style *style, struct str text,
                               struct csv_row *out, struct error *err)
{
    assert(style->separator.len > 0 && style->quote.len > 0);
    struct csv_reader reader = {
        .arena = arena,
        .style = style,
        .line_end = find_line_end(text),
        .at = text.ptr,
        .end = text.ptr + text.len,
        .row = out,
    };
    *out = (struct csv_row){0};
    if (text.len == 0)
        return CSV_NO_ROW;
    return take_row(&reader, err) ? CSV_ROW : CSV_MALFORMED;
}
