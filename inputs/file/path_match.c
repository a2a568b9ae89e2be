/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/file/path_match.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <sys/stat.h>

enum { FIRST_CAPACITY = 16, EXCLUDE_MAX = 4096 };

struct matcher {
    struct arena *arena;
    const struct option_strings *exclude;
    struct path_list *out;
    unsigned depth;
};

static void match_pattern(struct matcher *matcher, const char *pattern);

bool path_excluded(const char *path, const struct option_strings *exclude)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < exclude->count; i++) {
        char pattern[EXCLUDE_MAX];
        struct str text = exclude->items[i];
        if (text.len >= sizeof pattern)
            continue;
        memcpy(pattern, text.ptr, text.len);
        pattern[text.len] = '\0';
        if (fnmatch(pattern, name, FNM_PERIOD) == 0)
            return true;
    }
    return false;
}

static void add_path(struct matcher *matcher, const char *path)
{
    struct path_list *list = matcher->out;
    if (list->count == PATH_MATCH_MAX_FILES || path_excluded(path, matcher->exclude))
        return;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
        list->items = arena_grow(matcher->arena, list->items, list->count * sizeof *list->items,
                                 capacity * sizeof *list->items);
        list->capacity = capacity;
    }
    list->items[list->count++] = arena_cstr(matcher->arena, str_from(path));
}

static void tell_unreadable(const struct path_list *list, const char *directory, int number)
{
    if (list->unreadable && number != ENOENT && number != ENOTDIR)
        list->unreadable(list->ctx, directory, number);
}

/* glob() hands nothing on to its callback. */
static const struct path_list *told;

static int on_glob_error(const char *directory, int number)
{
    tell_unreadable(told, directory, number);
    return 0;
}

static int run_glob(const struct matcher *matcher, const char *pattern, int flags, glob_t *found)
{
    told = matcher->out;
    return glob(pattern, GLOB_BRACE | GLOB_NOSORT | flags, on_glob_error, found);
}

static void match_glob(struct matcher *matcher, const char *pattern)
{
    glob_t found;
    if (run_glob(matcher, pattern, 0, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        add_path(matcher, found.gl_pathv[i]);
    globfree(&found);
}

/* A name as a pattern that matches only itself. */
static struct str escape_name(struct arena *arena, struct str name)
{
    char *out = arena_bytes(arena, 2 * name.len), *to = out;
    for (size_t i = 0; i < name.len; i++) {
        if (strchr("*?[]{}\\,", name.ptr[i]))
            *to++ = '\\';
        *to++ = name.ptr[i];
    }
    return str_make(out, (size_t)(to - out));
}

static bool is_directory(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* rest in this directory, and in every directory below it. */
static void match_below(struct matcher *matcher, const char *directory, const char *rest)
{
    struct arena *arena = matcher->arena;
    struct str escaped = escape_name(arena, str_from(directory));
    match_pattern(matcher, arena_printf(arena, "%.*s/%s", STR_FMT(escaped), rest).ptr);
    if (matcher->depth >= PATH_MATCH_MAX_DEPTH)
        return;
    DIR *entries = opendir(*directory ? directory : "/");
    if (!entries) {
        tell_unreadable(matcher->out, directory, errno);
        return;
    }
    matcher->depth++;
    for (struct dirent *entry; (entry = readdir(entries));) {
        if (entry->d_name[0] == '.')
            continue;
        const char *path = arena_printf(arena, "%s/%s", directory, entry->d_name).ptr;
        if (entry->d_type == DT_DIR || (entry->d_type == DT_UNKNOWN && is_directory(path)))
            match_below(matcher, path, rest);
    }
    matcher->depth--;
    closedir(entries);
}

/* The directories that `head` (before a double star) means. */
static void match_double_star(struct matcher *matcher, struct str head, const char *rest)
{
    if (head.len == 0) {
        match_below(matcher, "", rest);
        return;
    }
    glob_t found;
    if (run_glob(matcher, arena_cstr(matcher->arena, head), GLOB_ONLYDIR, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        match_below(matcher, found.gl_pathv[i], rest);
    globfree(&found);
}

static void match_pattern(struct matcher *matcher, const char *pattern)
{
    const char *star = strstr(pattern, "/**/");
    if (star)
        match_double_star(matcher, str_make(pattern, (size_t)(star - pattern)), star + 4);
    else
        match_glob(matcher, pattern);
}

void path_match(struct arena *arena, struct str pattern, const struct option_strings *exclude,
                struct path_list *out)
{
    struct matcher matcher = {.arena = arena, .exclude = exclude, .out = out};
    match_pattern(&matcher, arena_cstr(arena, pattern));
}
