/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

enum { NANOSECONDS = 1000000000, READ_BYTES = 64 * 1024 };

static bool read_all(FILE *file, struct arena *arena, size_t max_bytes, struct str *out)
{
    char *text = NULL;
    size_t len = 0, capacity = 0;
    for (;;) {
        if (len == capacity) {
            size_t wanted = capacity ? capacity * 2 : READ_BYTES;
            text = arena_grow(arena, text, len, wanted + 1);
            capacity = wanted;
        }
        size_t got = fread(text + len, 1, capacity - len, file);
        len += got;
        if (len > max_bytes)
            return false;
        if (got == 0)
            break;
    }
    text[len] = 0;
    *out = str_make(text, len);
    return !ferror(file);
}

bool file_read(struct arena *arena, const char *path, size_t max_bytes, struct str *out,
               struct error *err)
{
    assert(path);
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    bool read = read_all(file, arena, max_bytes, out);
    bool failed = ferror(file);
    fclose(file);
    if (failed)
        return error_set(err, ERROR_IO, "cannot read '%s'", path);
    return read || error_set(err, ERROR_LIMIT, "'%s' has more than %zu bytes", path, max_bytes);
}

struct file_stamp file_stamp(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return (struct file_stamp){0};
    return (struct file_stamp){
        .modified_ns = (int64_t)status.st_mtim.tv_sec * NANOSECONDS + status.st_mtim.tv_nsec,
        .size = (uint64_t)status.st_size,
        .inode = status.st_ino,
    };
}

bool file_stamp_equal(struct file_stamp a, struct file_stamp b)
{
    return a.modified_ns == b.modified_ns && a.size == b.size && a.inode == b.inode;
}
