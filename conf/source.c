/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/source.h"

#include <assert.h>
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text/utf8.h"

static bool is_directory(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static bool append_stream(FILE *file, const char *path, struct buf *text, struct error *err)
{
    enum { READ_BYTES = 16 * 1024 };
    for (;;) {
        if (!buf_reserve(text, READ_BYTES))
            return error_set(err, ERROR_LIMIT,
                             "'%s' and the files before it are larger than %d bytes", path,
                             CONF_SOURCE_MAX_BYTES);
        size_t got = fread(text->ptr + text->len, 1, READ_BYTES, file);
        text->len += got;
        if (got == 0)
            break;
    }
    if (ferror(file))
        return error_set(err, ERROR_IO, "cannot read '%s': %s", path, strerror(errno));
    return true;
}

/* A byte order mark, which some editors write, is no part of the text. */
static void drop_byte_order_mark(struct buf *text, size_t start)
{
    static const char MARK[] = "\xEF\xBB\xBF";
    size_t len = sizeof MARK - 1;
    if (text->len - start < len || memcmp(text->ptr + start, MARK, len) != 0)
        return;
    memmove(text->ptr + start, text->ptr + start + len, text->len - start - len);
    text->len -= len;
}

/* Each file ends its last line, so that a comment there does not swallow the next file. */
static bool append_file(const char *path, struct buf *text, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    size_t start = text->len;
    bool ok = append_stream(file, path, text, err);
    fclose(file);
    if (!ok)
        return false;
    drop_byte_order_mark(text, start);
    return buf_append_char(text, '\n') ||
           error_set(err, ERROR_LIMIT, "the files are larger than %d bytes", CONF_SOURCE_MAX_BYTES);
}

static bool is_wanted(const char *path)
{
    return !str_ends_with(str_from(path), STR("~")) && !is_directory(path);
}

static bool load_paths(struct arena *arena, const glob_t *found, const char *path,
                       struct conf_source *out, struct error *err)
{
    struct buf text;
    buf_init(&text, CONF_SOURCE_MAX_BYTES);
    bool ok = true;
    out->parts = arena_zero(arena, (found->gl_pathc + 1) * sizeof *out->parts);
    for (size_t i = 0; ok && i < found->gl_pathc; i++) {
        if (!is_wanted(found->gl_pathv[i]))
            continue;
        out->parts[out->count].file = arena_cstr(arena, str_from(found->gl_pathv[i]));
        out->parts[out->count].start = text.len;
        out->count++;
        ok = append_file(found->gl_pathv[i], &text, err);
    }
    if (ok && out->count == 0)
        ok = error_set(err, ERROR_NOT_FOUND, "no configuration file found at '%s'", path);
    assert(out->count <= found->gl_pathc);
    if (ok)
        out->text = arena_dup(arena, buf_str(&text));
    buf_release(&text);
    return ok;
}

static const char *local_path(struct arena *arena, const char *path)
{
    struct str text = str_from(path);
    if (str_starts_with(text, STR("file://")))
        text = str_from_offset(text, strlen("file://"));
    struct str name = arena_dup(arena, text);
    return is_directory(name.ptr) ? arena_printf(arena, "%s/*", name.ptr).ptr : name.ptr;
}

bool conf_source_load(struct arena *arena, const char *path, struct conf_source *out,
                      struct error *err)
{
    assert(path);
    *out = (struct conf_source){0};
    if (strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0)
        return error_set(err, ERROR_CONFIG,
                         "'%s': a configuration is read from files only; fetch it first", path);
    glob_t found = {0};
    int status = glob(local_path(arena, path), GLOB_BRACE | GLOB_NOMAGIC, NULL, &found);
    bool ok = status == 0 || status == GLOB_NOMATCH;
    if (ok)
        ok = load_paths(arena, &found, path, out, err);
    else
        error_set(err, ERROR_IO, "cannot read the directory of '%s'", path);
    globfree(&found);
    return ok;
}

void conf_source_text(struct arena *arena, struct str text, const char *name,
                      struct conf_source *out)
{
    *out = (struct conf_source){.text = arena_dup(arena, text), .count = 1};
    out->parts = arena_alloc(arena, sizeof *out->parts);
    *out->parts = (struct conf_part){.file = arena_cstr(arena, str_from(name)), .start = 0};
}

/* The line that a position names; false when the file is not part of the source. */
static bool find_line(const struct conf_source *source, const struct error_position *position,
                      struct str *out)
{
    for (size_t i = 0; i < source->count; i++) {
        if (!position->file || strcmp(source->parts[i].file, position->file) != 0)
            continue;
        size_t end = i + 1 < source->count ? source->parts[i + 1].start : source->text.len;
        struct str rest =
            str_make(source->text.ptr + source->parts[i].start, end - source->parts[i].start);
        for (unsigned line = 1; line < position->line && rest.len > 0; line++) {
            const char *newline = memchr(rest.ptr, '\n', rest.len);
            rest = str_from_offset(rest, newline ? (size_t)(newline + 1 - rest.ptr) : rest.len);
        }
        const char *newline = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
        *out = str_make(rest.ptr, newline ? (size_t)(newline - rest.ptr) : rest.len);
        return true;
    }
    return false;
}

/* Below the end of `before`; behind a byte that is not UTF-8, below that. */
static void print_caret(FILE *out, struct str before)
{
    before.len = utf8_valid_prefix(before);
    while (before.len > 0) {
        uint32_t codepoint;
        before = str_from_offset(before, utf8_decode(before, &codepoint));
        if (codepoint == '\t')
            fputc('\t', out);
        else
            fprintf(out, "%*s", (int)utf8_columns(codepoint), "");
    }
    fputs("^\n", out);
}

/* The beginning of the character that the byte `at` belongs to. */
static size_t character_start(struct str line, size_t at)
{
    while (at > 0 && at < line.len && ((unsigned char)line.ptr[at] & 0xC0) == 0x80)
        at--;
    return at;
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

/* Of a long line, what surrounds the column; `…` stands for what was left out. */
static void print_line(FILE *out, struct str line, unsigned column)
{
    enum { SHOWN_MAX = 100, SHOWN_BEFORE = 60 }; /* bytes */
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line.len--;
    size_t at = column_offset(line, column), start = 0, end = line.len;
    if (line.len > SHOWN_MAX && at > SHOWN_BEFORE)
        start = character_start(line, at - SHOWN_BEFORE);
    if (end - start > SHOWN_MAX)
        end = character_start(line, start + SHOWN_MAX);
    struct str shown = str_make(line.ptr + start, end - start);
    const char *before = start > 0 ? "…" : "";
    fprintf(out, "    %s%.*s%s\n    %s", before, STR_FMT(shown), end < line.len ? "…" : "",
            start > 0 ? " " : "");
    print_caret(out, str_make(shown.ptr, at - start));
}

static void print_error(FILE *out, const struct conf_source *source, const struct error *err,
                        bool warning)
{
    const struct error_position *position = &err->position;
    const char *kind = warning ? "warning" : "error";
    if (position->line == 0) {
        fprintf(out, "%s: %s\n", kind, err->text);
        return;
    }
    fprintf(out, "%s:%u:%u: %s: %s\n", position->file ? position->file : "?", position->line,
            position->column, kind, err->text);
    struct str line;
    if (source && find_line(source, position, &line))
        print_line(out, line, position->column);
}

void conf_print_errors(FILE *out, const struct conf_source *source, const struct error_list *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        print_error(out, source, &errors->items[i], errors->warnings[i]);
    if (errors->dropped > 0)
        fprintf(out, "and %zu more\n", errors->dropped);
}
