/* SPDX-License-Identifier: Apache-2.0
 *
 * Secrets are found by reading the file's words up to the line that is shown: what follows a word such as
 * password, with only "=>", blanks, brackets and commas between, is one, and so is the user and password of
 * a URL. A value that is wholly a ${VARIABLE} is none. The words are read more loosely than the parser
 * reads them, because the file is wrong: an unclosed quote hides everything after it.
 */
#include <assert.h>

#include "base/text/redact.h"
#include "conf/parser.h"
#include "conf/report.h"

struct words {
    struct str text; /* the file up to the end of the line */
    size_t line;     /* offset where the line begins */
    size_t at;
    bool after_secret; /* the last word names a secret */
    bool
        after_key; /* it was "key": a fingerprint's secret, or some other filter's text with fields */
    struct buf *out;
    size_t copied; /* up to here the line is in out */
    size_t column; /* offset in text of what the caret shows */
    size_t caret;  /* the same in out */
    bool has_caret;
};

static void copy_to(struct words *words, size_t end)
{
    if (end <= words->copied)
        return;
    if (!words->has_caret && words->column < end) {
        words->caret = words->out->len + words->column - words->copied;
        words->has_caret = true;
    }
    buf_append(words->out, words->text.ptr + words->copied, end - words->copied);
    words->copied = end;
}

static void hide(struct words *words, size_t from, size_t end)
{
    if (from < words->line)
        from = words->line;
    if (end <= from)
        return;
    copy_to(words, from);
    if (!words->has_caret && words->column < end) {
        words->caret = words->out->len;
        words->has_caret = true;
    }
    buf_append_str(words->out, STR("***"));
    words->copied = end;
}

static bool is_variable(struct str text)
{
    return str_starts_with(text, STR("${")) && str_find(text, STR("}")) == text.len - 1;
}

/* User, password and query of a URL. */
static void hide_in_url(struct words *words, struct str word)
{
    size_t start = (size_t)(word.ptr - words->text.ptr);
    struct str user_info = redact_user_info(word);
    if (user_info.len > 0 && !is_variable(user_info)) {
        size_t from = (size_t)(user_info.ptr - words->text.ptr);
        hide(words, from, from + user_info.len);
    }
    size_t query = str_find(word, STR("?"));
    if (query != SIZE_MAX)
        hide(words, start + query + 1, start + word.len);
}

static bool is_name(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!scan_is_name(word.ptr[i]) && !strchr("[]@.", word.ptr[i]))
            return false;
    return true;
}

/* A value, or the name of what comes next. True when it was hidden. */
static bool take_word(struct words *words, size_t from, size_t end)
{
    struct str word = str_make(words->text.ptr + from, end - from);
    bool hidden = words->after_secret && !is_variable(word);
    if (words->after_key && str_find(word, STR("%{")) != SIZE_MAX)
        hidden = false;
    if (hidden)
        hide(words, from, end);
    else if (str_find(word, STR("//")) != SIZE_MAX)
        hide_in_url(words, word);
    words->after_key = !hidden && str_equal(word, STR("key"));
    words->after_secret = !hidden && is_name(word) && (words->after_key || redact_is_secret(word));
    return hidden;
}

static void read_quoted(struct words *words)
{
    struct str text = words->text;
    char quote = text.ptr[words->at];
    size_t from = ++words->at;
    while (words->at < text.len && text.ptr[words->at] != quote) {
        bool pair = text.ptr[words->at] == '\\' && words->at + 1 < text.len &&
                    text.ptr[words->at + 1] == quote;
        words->at += pair ? 2 : 1;
    }
    bool hidden = take_word(words, from, words->at);
    if (words->at < text.len)
        words->at++;
    size_t rest = words->at; /* a quote within a secret has ended it too early */
    while (hidden && words->at < text.len && !scan_is_blank(text.ptr[words->at]) &&
           !strchr("]},", text.ptr[words->at]))
        words->at++;
    if (words->at > rest)
        hide(words, rest, words->at);
}

/* Of a value without quotes everything up to a blank belongs to it. */
static void read_word(struct words *words)
{
    struct str text = words->text;
    size_t from = words->at;
    while (words->at < text.len && !scan_is_blank(text.ptr[words->at]) &&
           (words->after_secret ? !strchr("]},", text.ptr[words->at])
                                : scan_is_name(text.ptr[words->at])))
        words->at++;
    take_word(words, from, words->at);
}

static void read_comment(struct words *words)
{
    const char *end = memchr(words->text.ptr + words->at, '\n', words->text.len - words->at);
    words->at = end ? (size_t)(end - words->text.ptr) : words->text.len;
}

static void read_words(struct words *words)
{
    while (words->at < words->text.len) {
        char c = words->text.ptr[words->at];
        if (c == '"' || c == '\'') {
            read_quoted(words);
        } else if (c == '#') {
            read_comment(words);
        } else if (scan_is_blank(c) || strchr("=>:[,", c)) {
            words->at++;
        } else if (scan_is_name(c) || (words->after_secret && !strchr("{}]", c))) {
            read_word(words);
        } else {
            words->after_secret = false;
            words->at++;
        }
    }
}

/* The file of a position within the source. */
static bool find_file(const struct conf_source *source, const char *file, struct str *out)
{
    for (size_t i = 0; file && i < source->count; i++) {
        if (strcmp(source->parts[i].file, file) != 0)
            continue;
        size_t start = source->parts[i].start;
        size_t end = i + 1 < source->count ? source->parts[i + 1].start : source->text.len;
        *out = str_make(source->text.ptr + start, end - start);
        return true;
    }
    return false;
}

static size_t line_end(struct str text, size_t at)
{
    const char *newline = at < text.len ? memchr(text.ptr + at, '\n', text.len - at) : NULL;
    return newline ? (size_t)(newline - text.ptr) : text.len;
}

static size_t line_start(struct str text, unsigned number)
{
    size_t at = 0;
    for (unsigned line = 1; line < number && at < text.len; line++)
        at = line_end(text, at) + 1;
    return at < text.len ? at : text.len;
}

/* Offset of a column's character. */
static size_t column_offset(struct str line, unsigned column)
{
    size_t at = 0;
    for (unsigned i = 1; i < column && at < line.len; i++)
        do
            at++;
        while (at < line.len && ((unsigned char)line.ptr[at] & 0xC0) == 0x80);
    return at;
}

bool report_line(const struct conf_source *source, const struct error_position *position,
                 struct buf *out, size_t *caret_out)
{
    struct words words = {.out = out};
    struct str file;
    if (!find_file(source, position->file, &file))
        return false;
    words.line = words.copied = line_start(file, position->line);
    size_t end = line_end(file, words.line);
    if (end > words.line && file.ptr[end - 1] == '\r')
        end--;
    words.text = str_make(file.ptr, end);
    struct str line = str_make(file.ptr + words.line, end - words.line);
    words.column = words.line + column_offset(line, position->column);
    read_words(&words);
    copy_to(&words, end);
    *caret_out = words.has_caret ? words.caret : out->len;
    assert(*caret_out <= out->len);
    return true;
}
