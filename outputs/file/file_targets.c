/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/file/file_targets.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/directory.h"

enum { PENDING_KEEP_BYTES = 64 * 1024, GZIP_LEVEL = 6, WRITE_PIECE_BYTES = 1024 * 1024 };

void file_targets_init(struct file_targets *targets, const struct file_targets_options *options)
{
    *targets = (struct file_targets){.options = *options};
    map_init(&targets->by_path);
    buf_init(&targets->compressed, SIZE_MAX);
    targets->compressor = options->gzip ? gzip_new(GZIP_LEVEL) : NULL;
}

static void target_close(struct file_targets *targets, struct file_target *target)
{
    if (target->fd < 0)
        return;
    close(target->fd);
    target->fd = -1;
    targets->open_count--;
}

static void target_free(struct file_targets *targets, struct file_target *target)
{
    target_close(targets, target);
    buf_release(&target->pending);
    mem_free(target->path);
    mem_free(target);
}

void file_targets_release(struct file_targets *targets)
{
    size_t at = 0;
    struct str key;
    void *target;
    while (map_next(&targets->by_path, &at, &key, &target))
        target_free(targets, target);
    map_release(&targets->by_path);
    buf_release(&targets->compressed);
    gzip_free(targets->compressor);
}

struct file_target *file_targets_get(struct file_targets *targets, struct str path)
{
    struct file_target *target = map_get(&targets->by_path, path);
    if (target)
        return target;
    target = mem_zero(1, sizeof *target);
    target->fd = -1;
    target->path = mem_zero(1, path.len + 1);
    memcpy(target->path, path.ptr, path.len);
    buf_init(&target->pending, SIZE_MAX);
    map_set(&targets->by_path, path, target);
    return target;
}

void file_target_add(struct file_targets *targets, struct file_target *target, struct str bytes)
{
    if (targets->options.overwrite) /* only the last event stays */
        buf_clear(&target->pending, PENDING_KEEP_BYTES);
    bool fits = buf_append_str(&target->pending, bytes);
    assert(fits);
    (void)fits;
    target->used = true;
}

/* ---- opening -------------------------------------------------------------------------------------- */

static void close_one_other(struct file_targets *targets)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&targets->by_path, &at, &key, &value)) {
        struct file_target *target = value;
        if (target->fd >= 0) {
            target_close(targets, target);
            return;
        }
    }
}

/* A process that was killed may have left a line without its end: what comes next must not be joined to it. */
static void end_cut_line(const struct file_target *target, off_t size)
{
    struct str pending = buf_str(&target->pending);
    char last;
    int reader = str_ends_with(pending, STR("\n")) ? open(target->path, O_RDONLY | O_CLOEXEC) : -1;
    if (reader < 0)
        return;
    if (size > 0 && pread(reader, &last, 1, size - 1) == 1 && last != '\n' &&
        write(target->fd, "\n", 1) != 1)
        errno = EIO; /* the write that follows fails as well */
    close(reader);
}

static bool target_open(struct file_targets *targets, struct file_target *target, struct error *err)
{
    const struct file_targets_options *options = &targets->options;
    if (targets->open_count >= FILE_TARGETS_OPEN_MAX)
        close_one_other(targets);
    if (!directory_make_for(target->path, options->dir_mode, err))
        return false;
    /* O_NONBLOCK: a named pipe without a reader is an error here, and not a wait. */
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
                (options->overwrite ? 0 : O_APPEND);
    int fd = open(target->path, flags, options->file_mode);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        error_set(err, ERROR_IO, "cannot open '%s': %s", target->path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    target->regular = S_ISREG(status.st_mode);
    if (!target->regular)
        (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    else if (options->has_file_mode && status.st_size == 0)
        (void)fchmod(fd, options->file_mode);
    assert(target->fd < 0);
    target->fd = fd;
    target->device = status.st_dev;
    target->inode = status.st_ino;
    target->opened = true;
    targets->open_count++;
    if (target->regular && !options->overwrite && !options->gzip)
        end_cut_line(target, status.st_size);
    return true;
}

/* Whether the path still leads to the file that is open. */
static bool is_in_place(const struct file_target *target)
{
    struct stat status;
    return stat(target->path, &status) == 0 && status.st_dev == target->device &&
           status.st_ino == target->inode;
}

/* Opens the target or, when it was deleted and must stay so, the failure file. */
static struct file_target *ready(struct file_targets *targets, struct file_target *target,
                                 struct error *err)
{
    if (target->fd >= 0 && is_in_place(target))
        return target;
    if (target->opened && !targets->options.create_if_deleted && access(target->path, F_OK) != 0) {
        const char *failure_path = targets->options.failure_path;
        if (strcmp(target->path, failure_path) != 0)
            return ready(targets, file_targets_get(targets, str_from(failure_path)), err);
    }
    target_close(targets, target);
    return target_open(targets, target, err) ? target : NULL;
}

/* ---- writing -------------------------------------------------------------------------------------- */

static bool write_all(const struct file_target *target, struct str bytes)
{
    while (bytes.len > 0) {
        size_t piece = bytes.len < WRITE_PIECE_BYTES ? bytes.len : WRITE_PIECE_BYTES;
        ssize_t count = write(target->fd, bytes.ptr, piece);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        bytes = str_from_offset(bytes, (size_t)count);
    }
    return true;
}

static bool write_undoing(const struct file_targets *targets, struct file_target *target,
                          struct str bytes)
{
    if (!target->regular)
        return write_all(target, bytes);
    off_t before = targets->options.overwrite ? 0 : lseek(target->fd, 0, SEEK_END);
    if (targets->options.overwrite &&
        (ftruncate(target->fd, 0) != 0 || lseek(target->fd, 0, SEEK_SET) != 0))
        return false;
    if (write_all(target, bytes))
        return true;
    int number = errno;
    if (before >= 0 && ftruncate(target->fd, before) != 0)
        number = EIO;
    errno = number;
    return false;
}

static void write_target(struct file_targets *targets, struct file_target *target)
{
    struct str bytes = buf_str(&target->pending);
    assert(bytes.len > 0);
    target->failed = false;
    if (targets->compressor) {
        buf_clear(&targets->compressed, PENDING_KEEP_BYTES);
        bool fits = gzip_append(targets->compressor, bytes, &targets->compressed);
        assert(fits);
        (void)fits;
        bytes = buf_str(&targets->compressed);
    }
    struct file_target *open_target = ready(targets, target, &target->err);
    if (!open_target) {
        target->failed = true;
    } else if (!write_undoing(targets, open_target, bytes)) {
        target->failed = true;
        error_set(&target->err, ERROR_IO, "cannot write '%s': %s", open_target->path,
                  strerror(errno));
    }
    buf_clear(&target->pending, PENDING_KEEP_BYTES);
}

void file_targets_write(struct file_targets *targets)
{
    /* Opening the failure file may add it to the map, which must not change under the iteration. */
    (void)file_targets_get(targets, str_from(targets->options.failure_path));
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&targets->by_path, &at, &key, &value)) {
        struct file_target *target = value;
        if (target->pending.len > 0)
            write_target(targets, target);
    }
}

void file_targets_sweep(struct file_targets *targets)
{
    bool removed = true;
    while (removed) { /* the map may not change while it is walked */
        removed = false;
        size_t at = 0;
        struct str key;
        void *value;
        while (!removed && map_next(&targets->by_path, &at, &key, &value)) {
            struct file_target *target = value;
            if (target->used)
                continue;
            removed = map_remove(&targets->by_path, key) != NULL;
            target_free(targets, target);
        }
    }
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&targets->by_path, &at, &key, &value))
        ((struct file_target *)value)->used = false;
    assert(targets->open_count <= FILE_TARGETS_OPEN_MAX);
}
