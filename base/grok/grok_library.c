/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/grok/grok.h"
#include "base/grok/grok_patterns.h"
#include "base/map.h"
#include "base/mem.h"

struct grok_library {
    struct map patterns; /* name → struct str * */
};

struct grok_library *grok_library_new(enum grok_set set)
{
    struct grok_library *library = mem_zero(1, sizeof *library);
    map_init(&library->patterns);
    const struct grok_pattern *const *tables =
        set == GROK_SET_ECS ? GROK_PATTERNS_ECS : GROK_PATTERNS_LEGACY;
    for (; *tables; tables++)
        for (const struct grok_pattern *pattern = *tables; pattern->name; pattern++)
            grok_library_add(library, str_from(pattern->name), str_from(pattern->text));
    return library;
}

void grok_library_free(struct grok_library *library)
{
    if (!library)
        return;
    size_t at = 0;
    struct str name;
    void *pattern;
    while (map_next(&library->patterns, &at, &name, &pattern))
        mem_free(pattern);
    map_release(&library->patterns);
    mem_free(library);
}

void grok_library_add(struct grok_library *library, struct str name, struct str pattern)
{
    struct str *copy = mem_alloc(sizeof *copy + pattern.len + 1);
    char *text = (char *)(copy + 1);
    if (pattern.len > 0)
        memcpy(text, pattern.ptr, pattern.len);
    text[pattern.len] = 0;
    *copy = str_make(text, pattern.len);
    mem_free(map_set(&library->patterns, name, copy));
}

struct str grok_library_get(const struct grok_library *library, struct str name)
{
    const struct str *pattern = map_get(&library->patterns, name);
    return pattern ? *pattern : str_make(NULL, 0);
}

static void add_line(struct grok_library *library, struct str line)
{
    struct str trimmed = str_trim(line);
    if (trimmed.len == 0 || trimmed.ptr[0] == '#')
        return;
    size_t end = 0;
    while (end < trimmed.len && trimmed.ptr[end] != ' ' && trimmed.ptr[end] != '\t')
        end++;
    grok_library_add(library, str_make(trimmed.ptr, end), str_trim(str_from_offset(trimmed, end)));
}

static bool read_lines(struct grok_library *library, FILE *file, const char *path,
                       struct error *err)
{
    char *line = NULL;
    size_t capacity = 0, total = 0;
    ssize_t len;
    bool ok = true;
    while (ok && (len = getline(&line, &capacity, file)) >= 0) {
        total += (size_t)len;
        if (total > GROK_MAX_FILE_BYTES)
            ok = error_set(err, ERROR_LIMIT, "pattern file '%s' is larger than %d bytes", path,
                           GROK_MAX_FILE_BYTES);
        else
            add_line(library, str_make(line, (size_t)len));
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

static bool load_directory(struct grok_library *library, const char *path, const char *glob,
                           struct error *err)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        return error_set(err, ERROR_IO, "cannot read directory '%s': %s", path, strerror(errno));
    bool ok = true;
    for (int i = 0; i < count; i++) {
        char file[4096];
        struct stat info;
        int len = snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
        if (ok && len > 0 && (size_t)len < sizeof file &&
            fnmatch(glob, entries[i]->d_name, FNM_PERIOD) == 0 && stat(file, &info) == 0 &&
            S_ISREG(info.st_mode))
            ok = grok_library_load_file(library, file, err);
        free(entries[i]);
    }
    free(entries);
    return ok;
}

bool grok_library_load_path(struct grok_library *library, const char *path, const char *glob,
                            struct error *err)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return error_set(err, ERROR_IO, "cannot find patterns '%s': %s", path, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return load_directory(library, path, glob, err);
    return grok_library_load_file(library, path, err);
}
