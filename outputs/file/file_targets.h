/* SPDX-License-Identifier: Apache-2.0
 *
 * The files that the file output writes to, by path: opened when first written to, made again when they were deleted or
 * renamed, closed when unused. What one group has for a file is collected and written at once; a write that fails part
 * of the way is undone, so that it can be repeated. One thread.
 */
#ifndef MILLRACE_OUTPUTS_FILE_FILE_TARGETS_H
#define MILLRACE_OUTPUTS_FILE_FILE_TARGETS_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "io/gzip.h"

enum { FILE_TARGETS_OPEN_MAX = 512 };

struct file_targets_options {
    bool gzip, overwrite, create_if_deleted;
    bool has_file_mode;
    mode_t dir_mode, file_mode;
    const char *failure_path;
};

struct file_target {
    char *path;
    int fd; /* -1: not open */
    dev_t device;
    ino_t inode;
    bool regular;
    bool opened; /* ever: its absence means that it was deleted */
    bool used;   /* since the last sweep */
    struct buf pending;
    bool failed; /* the last write */
    struct error err;
};

struct file_targets {
    struct file_targets_options options;
    struct map by_path;
    size_t open_count;
    struct gzip *compressor;
    struct buf compressed;
};

void file_targets_init(struct file_targets *targets, const struct file_targets_options *options);
void file_targets_release(struct file_targets *targets);
struct file_target *file_targets_get(struct file_targets *targets, struct str path);
void file_target_add(struct file_targets *targets, struct file_target *target, struct str bytes);
/* Writes all that is pending; target->failed and target->err say what became of it. */
void file_targets_write(struct file_targets *targets);
/* Closes what was not used since the last call. */
void file_targets_sweep(struct file_targets *targets);

#endif
