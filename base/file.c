/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { NANOSECONDS = 1000000000, READ_BYTES = 64 * 1024, PRIVATE_MODE = 0600 };

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

bool file_check_private(const char *path, struct error *err)
{
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode) || !(status.st_mode & S_IROTH))
        return true;
    return error_set(err, ERROR_CONFIG,
                     "everyone on this machine may read it (mode %04o): chmod 600, or 640 with the "
                     "service's group; defaultMode 0400 of a Kubernetes secret",
                     (unsigned)(status.st_mode & 07777));
}

static bool write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t wrote = write(fd, text.ptr, text.len);
        if (wrote < 0 && errno != EINTR)
            return false;
        text = str_from_offset(text, wrote < 0 ? 0 : (size_t)wrote);
    }
    return true;
}

bool file_write_private(const char *path, struct str text, struct error *err)
{
    static const char SUFFIX[] = ".part";
    size_t len = strlen(path);
    char *part = mem_alloc(len + sizeof SUFFIX);
    memcpy(part, path, len);
    memcpy(part + len, SUFFIX, sizeof SUFFIX);
    unlink(part); /* one that is left over may be anybody's to read */
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, PRIVATE_MODE);
    bool ok = fd >= 0 && write_all(fd, text) && fsync(fd) == 0;
    int failed = errno;
    if (fd >= 0)
        close(fd);
    if (ok && rename(part, path) != 0) {
        failed = errno;
        ok = false;
    }
    if (!ok && fd >= 0)
        unlink(part);
    mem_free(part);
    return ok || error_set(err, ERROR_IO, "cannot write '%s': %s", path, strerror(failed));
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
