/* SPDX-License-Identifier: Apache-2.0
 *
 * Small files read whole (dictionaries, lists), and whether they have changed since.
 */
#ifndef MILLRACE_BASE_FILE_H
#define MILLRACE_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* The content, followed by a NUL. False when it cannot be read or has more than max_bytes. */
bool file_read(struct arena *arena, const char *path, size_t max_bytes, struct str *out,
               struct error *err);

/* False where a file can be read by everyone on the machine; what cannot be looked at is left to who opens it. For files that
 * hold a secret, such as a private key. */
bool file_check_private(const char *path, struct error *err);

/* Writes a file that only its owner may read, in place of the one that is there: whoever reads it sees the old or the new
 * one, also after a crash. */
bool file_write_private(const char *path, struct str text, struct error *err);

/* What changes when a file is written or replaced; all zero when it is not there. */
struct file_stamp {
    int64_t modified_ns;
    uint64_t size, inode;
};
struct file_stamp file_stamp(const char *path);
bool file_stamp_equal(struct file_stamp a, struct file_stamp b);

#endif
