/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/source.h"

#include <assert.h>
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"

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
