/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/substitute.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text/ascii.h"
#include "base/text/utf8.h"

struct placeholder {
    struct str whole;
    struct str name;
    struct str fallback;
    bool has_fallback;
};

static bool is_name_start(char c)
{
    return ascii_is_letter(c) || c == '_' || c == '.';
}

static bool is_name(char c)
{
    return is_name_start(c) || ascii_is_digit(c);
}

/* The placeholder at text.ptr[at] (a '$'), if there is one. */
static bool placeholder_read(struct str text, size_t at, struct placeholder *out)
{
    size_t end = at + 2;
    if (end >= text.len || text.ptr[at + 1] != '{' || !is_name_start(text.ptr[end]))
        return false;
    while (end < text.len && is_name(text.ptr[end]))
        end++;
    *out = (struct placeholder){.name = str_make(text.ptr + at + 2, end - at - 2)};
    if (end < text.len && text.ptr[end] == ':') {
        size_t from = ++end;
        while (end < text.len && text.ptr[end] != '}')
            end++;
        out->has_fallback = true;
        out->fallback = str_make(text.ptr + from, end - from);
    }
    if (end >= text.len || text.ptr[end] != '}')
        return false;
    out->whole = str_make(text.ptr + at, end + 1 - at);
    return true;
}

static bool placeholder_find(struct str text, size_t from, struct placeholder *out)
{
    while (from < text.len) {
        const char *hit = memchr(text.ptr + from, '$', text.len - from);
        if (!hit)
            return false;
        from = (size_t)(hit - text.ptr);
        if (placeholder_read(text, from, out))
            return true;
        from++;
    }
    return false;
}

static bool too_long(struct error *err)
{
    return error_set(err, ERROR_LIMIT,
                     "the text is longer than %d bytes with its variables filled in",
                     SUBSTITUTE_MAX_BYTES);
}

static bool append_file(struct buf *buf, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    char *content = mem_alloc(SUBSTITUTE_FILE_MAX_BYTES + 1);
    size_t len = fread(content, 1, SUBSTITUTE_FILE_MAX_BYTES + 1, file);
    bool failed = ferror(file);
    fclose(file);
    bool ok = !failed && len <= SUBSTITUTE_FILE_MAX_BYTES;
    while (ok && len > 0 && (content[len - 1] == '\n' || content[len - 1] == '\r'))
        len--;
    if (failed)
        error_set(err, ERROR_IO, "cannot read '%s'", path);
    else if (!ok)
        error_set(err, ERROR_LIMIT, "'%s' is larger than %d bytes", path,
                  SUBSTITUTE_FILE_MAX_BYTES);
    else if (!utf8_valid(str_make(content, len)))
        ok = error_set(err, ERROR_FORMAT, "'%s' is not UTF-8", path);
    else if (!buf_append(buf, content, len))
        ok = too_long(err);
    mem_free(content);
    return ok;
}

static bool append_variable(struct arena *arena, const struct conf_options *options,
                            const struct placeholder *found, struct buf *buf, struct error *err)
{
    if (str_equal(found->name, STR("file")) && str_starts_with(found->fallback, STR("/")))
        return append_file(buf, arena_cstr(arena, found->fallback), err);
    char *name = arena_cstr(arena, found->name);
    const char *value =
        options && options->lookup ? options->lookup(options->lookup_ctx, name) : getenv(name);
    if (!value && !found->has_fallback)
        return error_set(
            err, ERROR_CONFIG,
            "the environment variable '%s' is not set; '${%s:default}' gives a default", name,
            name);
    if (value && !utf8_valid(str_from(value)))
        return error_set(err, ERROR_FORMAT, "the environment variable '%s' is not UTF-8", name);
    if (!buf_append_str(buf, value ? str_from(value) : found->fallback))
        return too_long(err);
    return true;
}

bool substitute(struct arena *arena, const struct conf_options *options, struct str text,
                struct substitution *out, struct error *err)
{
    struct placeholder found;
    bool wanted = !options || !options->as_written;
    *out = (struct substitution){text, wanted && placeholder_find(text, 0, &found), false};
    if (!out->replaced)
        return true;
    struct buf buf;
    buf_init(&buf, SUBSTITUTE_MAX_BYTES);
    size_t done = 0;
    bool ok = true;
    while (ok && placeholder_find(text, done, &found)) {
        size_t at = (size_t)(found.whole.ptr - text.ptr);
        ok = buf_append(&buf, text.ptr + done, at - done) || too_long(err);
        ok = ok && append_variable(arena, options, &found, &buf, err);
        assert(at >= done && found.whole.len > 3);
        out->nests |= str_find(found.fallback, STR("${")) != SIZE_MAX;
        done = at + found.whole.len;
    }
    if (ok)
        ok = buf_append_str(&buf, str_from_offset(text, done)) || too_long(err);
    if (ok)
        out->text = arena_dup(arena, buf_str(&buf));
    buf_release(&buf);
    return ok;
}

bool substitute_is_whole(struct str text)
{
    struct placeholder found;
    return text.len > 0 && text.ptr[0] == '$' && placeholder_read(text, 0, &found) &&
           found.whole.len == text.len;
}

static struct str strip_enclosing(struct str text, char quote)
{
    if (text.len == 0 || text.ptr[0] != quote || text.ptr[text.len - 1] != quote)
        return text;
    return text.len == 1 ? str_make(text.ptr, 0) : str_make(text.ptr + 1, text.len - 2);
}

struct str substitute_unquote(struct str text)
{
    return strip_enclosing(strip_enclosing(text, '\''), '"');
}

/* Items are split at commas; empty ones at the end do not count. */
bool substitute_list(struct arena *arena, struct str text, struct str **items_out,
                     size_t *count_out)
{
    if (text.len < 2 || text.ptr[0] != '[' || text.ptr[text.len - 1] != ']')
        return false;
    struct str inner = str_make(text.ptr + 1, text.len - 2);
    while (inner.len > 0 && inner.ptr[inner.len - 1] == ',')
        inner.len--;
    size_t count = inner.len > 0;
    for (size_t i = 0; i < inner.len; i++)
        count += inner.ptr[i] == ',';
    struct str *items = arena_alloc(arena, count * sizeof *items);
    size_t from = 0;
    for (size_t i = 0; i < count; i++) {
        size_t end = from;
        while (end < inner.len && inner.ptr[end] != ',')
            end++;
        items[i] = substitute_unquote(str_trim(str_make(inner.ptr + from, end - from)));
        from = end + 1;
    }
    assert(from >= inner.len);
    *items_out = items;
    *count_out = count;
    return true;
}
