/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files a `path` option means: the C library's globs with braces, and `**` for any number of directories (not
 * through symbolic links). `exclude` patterns are held against the file's name alone. Main thread.
 */
#ifndef MILLRACE_INPUTS_FILE_PATH_MATCH_H
#define MILLRACE_INPUTS_FILE_PATH_MATCH_H

#include "base/arena.h"
#include "conf/option.h"

enum { PATH_MATCH_MAX_FILES = 1000000, PATH_MATCH_MAX_DEPTH = 64 };

struct path_list {
    const char **items;
    size_t count, capacity;
    /* Told of a directory that is there and cannot be read, and why (errno). May be NULL. */
    void (*unreadable)(void *ctx, const char *directory, int number);
    void *ctx;
};

/* Adds the paths that match pattern and are not excluded; all in the arena. */
void path_match(struct arena *arena, struct str pattern, const struct option_strings *exclude,
                struct path_list *out);
bool path_excluded(const char *path, const struct option_strings *exclude);

#endif
