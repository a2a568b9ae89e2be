/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/grok/grok.h"
#include "base/grok/grok_patterns.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text/suggest.h"

enum { PATTERN_PATH_MAX = 8192 };

/* A pattern that was added; its texts follow it in its memory. */
struct added {
    struct str text, origin;
};

struct grok_library {
    struct map shipped; /* name → const char *: the expression in its table */
    struct map added;   /* name → struct added *; they win */
};

static void add_shipped(struct grok_library *library, const struct grok_pattern *table)
{
    for (; table && table->name; table++) {
        void *before =
            map_set(&library->shipped, str_from(table->name), (void *)(uintptr_t)table->text);
        assert(!before && "a name stands twice in a set");
    }
}

struct grok_library *grok_library_new(enum grok_set set)
{
    struct grok_library *library = mem_zero(1, sizeof *library);
    map_init(&library->shipped);
    map_init(&library->added);
    for (const struct grok_family *family = GROK_FAMILIES; family->name; family++) {
        add_shipped(library, family->common);
        add_shipped(library, set == GROK_SET_ECS ? family->ecs : family->legacy);
    }
    return library;
}

void grok_library_free(struct grok_library *library)
{
    if (!library)
        return;
    size_t at = 0;
    struct str name;
    void *pattern;
    while (map_next(&library->added, &at, &name, &pattern))
        mem_free(pattern);
    map_release(&library->added);
    map_release(&library->shipped);
    mem_free(library);
}

static struct str copy_behind(char *place, struct str text)
{
    if (text.len > 0)
        memcpy(place, text.ptr, text.len);
    return str_make(place, text.len);
}

void grok_library_add(struct grok_library *library, struct str name, struct str pattern,
                      struct str origin)
{
    struct added *copy = mem_alloc(sizeof *copy + pattern.len + origin.len);
    char *texts = (char *)(copy + 1);
    copy->text = copy_behind(texts, pattern);
    copy->origin = copy_behind(texts + pattern.len, origin);
    mem_free(map_set(&library->added, name, copy));
}

bool grok_library_find(const struct grok_library *library, struct str name,
                       struct grok_definition *out)
{
    const struct added *added = map_get(&library->added, name);
    if (added) {
        *out = (struct grok_definition){.text = added->text, .origin = added->origin};
        return true;
    }
    const char *shipped = map_get(&library->shipped, name);
    if (!shipped)
        return false;
    *out = (struct grok_definition){.text = str_from(shipped), .origin = STR("")};
    return true;
}

static size_t list_names(const struct map *map, const char **names)
{
    size_t at = 0, count = 0;
    struct str name;
    void *pattern;
    while (map_next(map, &at, &name, &pattern))
        names[count++] = name.ptr;
    return count;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Sorted first: of several that are equally near always the same is named. */
const char *grok_library_nearest(const struct grok_library *library, struct str name)
{
    size_t room = library->added.count + library->shipped.count + 1;
    const char **names = mem_zero(room, sizeof *names);
    size_t count = list_names(&library->added, names);
    count += list_names(&library->shipped, names + count);
    qsort(names, count, sizeof *names, by_name);
    const char *near = suggest_name(name, names);
    mem_free(names);
    return near;
}

static void add_line(struct grok_library *library, struct str line, const char *path,
                     unsigned number)
{
    struct str trimmed = str_trim(line);
    if (trimmed.len == 0 || trimmed.ptr[0] == '#')
        return;
    size_t end = 0;
    while (end < trimmed.len && trimmed.ptr[end] != ' ' && trimmed.ptr[end] != '\t')
        end++;
    char origin[256];
    int len = snprintf(origin, sizeof origin, "%s:%u", path, number);
    grok_library_add(library, str_make(trimmed.ptr, end), str_trim(str_from_offset(trimmed, end)),
                     len > 0 && (size_t)len < sizeof origin ? str_from(origin) : STR(""));
}

static bool read_lines(struct grok_library *library, FILE *file, const char *path,
                       struct error *err)
{
    char *line = NULL;
    size_t capacity = 0, total = 0;
    unsigned number = 0;
    ssize_t len;
    bool ok = true;
    while (ok && (len = getline(&line, &capacity, file)) >= 0) {
        total += (size_t)len;
        if (total > GROK_MAX_FILE_BYTES)
            ok = error_set(err, ERROR_LIMIT, "pattern file '%s' is larger than %d bytes", path,
                           GROK_MAX_FILE_BYTES);
        else
            add_line(library, str_make(line, (size_t)len), path, ++number);
    }
    free(line);
    return ok;
}

bool grok_library_load_file(struct grok_library *library, const char *path, struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, ERROR_IO, "cannot open pattern file '%s': %s", path, strerror(errno));
    bool ok = read_lines(library, file, path, err);
    fclose(file);
    return ok;
}

static bool load_globbed(struct grok_library *library, const char *pattern, size_t *files,
                         struct error *err)
{
    glob_t found = {0};
    int result = glob(pattern, GLOB_BRACE, NULL, &found);
    bool ok = result == 0 || result == GLOB_NOMATCH ||
              error_set(err, ERROR_IO, "cannot look for pattern files '%s'", pattern);
    for (size_t i = 0; ok && result == 0 && i < found.gl_pathc; i++) {
        struct stat info;
        if (stat(found.gl_pathv[i], &info) != 0 || !S_ISREG(info.st_mode))
            continue;
        ok = grok_library_load_file(library, found.gl_pathv[i], err);
        ++*files;
    }
    globfree(&found);
    return ok;
}

/* Of the directory itself nothing is a wildcard. */
static bool load_directory(struct grok_library *library, const char *path, const char *glob,
                           size_t *files, struct error *err)
{
    if (access(path, R_OK | X_OK) != 0)
        return error_set(err, ERROR_IO, "cannot read directory '%s': %s", path, strerror(errno));
    struct buf pattern;
    buf_init(&pattern, PATTERN_PATH_MAX);
    bool ok = true;
    for (const char *at = path; ok && *at; at++)
        ok = (!strchr("*?[]{}\\", *at) || buf_append_char(&pattern, '\\')) &&
             buf_append_char(&pattern, *at);
    ok = ok && buf_printf(&pattern, "/%s", glob) && buf_append_char(&pattern, '\0');
    ok = ok ? load_globbed(library, pattern.ptr, files, err)
            : error_set(err, ERROR_LIMIT, "the path of '%s' is longer than %d bytes", path,
                        PATTERN_PATH_MAX);
    buf_release(&pattern);
    return ok;
}

bool grok_library_load_home(struct grok_library *library, struct error *err)
{
    const char *home = getenv("LOGSTASH_HOME");
    char path[4096];
    struct stat info;
    int len =
        snprintf(path, sizeof path, "%s/patterns", home && *home ? home : "/usr/share/logstash");
    if (len < 0 || (size_t)len >= sizeof path || stat(path, &info) != 0 || !S_ISDIR(info.st_mode))
        return true;
    return load_directory(library, path, "*", &(size_t){0}, err);
}

bool grok_library_load_path(struct grok_library *library, const char *path, const char *glob,
                            size_t *files, struct error *err)
{
    struct stat info;
    bool there = stat(path, &info) == 0;
    if (there && S_ISDIR(info.st_mode))
        return load_directory(library, path, glob, files, err);
    if (!there)
        return load_globbed(library, path, files, err);
    ++*files;
    return grok_library_load_file(library, path, err);
}
