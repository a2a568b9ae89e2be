/* SPDX-License-Identifier: Apache-2.0 */
#include "io/directory.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool make_one(const char *path, mode_t mode, struct error *err)
{
    struct stat status;
    if (mkdir(path, mode) == 0)
        return true;
    int number = errno;
    if (number == EEXIST && stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return error_set(err, ERROR_IO, "'%s' is not a directory", path);
    if (number == EEXIST || (stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
        return true;
    return error_set(err, ERROR_IO, "cannot make directory '%s': %s", path, strerror(number));
}

bool directory_make(const char *path, mode_t mode, struct error *err)
{
    char part[PATH_MAX];
    size_t len = strlen(path);
    if (len >= sizeof part)
        return error_set(err, ERROR_LIMIT, "path of %zu bytes is too long", len);
    memcpy(part, path, len + 1);
    for (size_t i = 1; i < len; i++) {
        if (part[i] != '/')
            continue;
        part[i] = '\0';
        if (!make_one(part, mode, err))
            return false;
        part[i] = '/';
    }
    return make_one(part, mode, err);
}

bool directory_make_for(const char *file_path, mode_t mode, struct error *err)
{
    char directory[PATH_MAX];
    const char *slash = strrchr(file_path, '/');
    size_t len = slash ? (size_t)(slash - file_path) : 0;
    if (len >= sizeof directory)
        return error_set(err, ERROR_LIMIT, "path of %zu bytes is too long", strlen(file_path));
    memcpy(directory, file_path, len);
    directory[len] = '\0';
    return len == 0 || directory_make(directory, mode, err);
}
