/* SPDX-License-Identifier: Apache-2.0
 *
 * The fingerprint of a file: a hash of its first bytes. It grows with the file up to FILE_HEAD_MAX_BYTES and then stays,
 * so appending never changes what is recognised, while a file that was rewritten, or another one that got the inode of a
 * deleted one, is told apart.
 */
#ifndef MILLRACE_INPUTS_FILE_FILE_HEAD_H
#define MILLRACE_INPUTS_FILE_FILE_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { FILE_HEAD_MAX_BYTES = 1024, FILE_HEAD_TEXT_MAX = 32 };

struct file_head {
    uint32_t len; /* how many bytes are hashed; 0: nothing is known */
    uint64_t hash;
};

/* bytes: the first of the file, as many as there are up to FILE_HEAD_MAX_BYTES (more are not looked at). */
struct file_head file_head_of(struct str bytes);
/* The file that begins with bytes also began with what head was made of. True when nothing is known. */
bool file_head_matches(const struct file_head *head, struct str bytes);

/* "LEN:HASH" with a zero byte; returns the length. */
size_t file_head_format(const struct file_head *head, char out[FILE_HEAD_TEXT_MAX]);
/* False (and *out as it was) when text is not the whole of what file_head_format writes. */
bool file_head_parse(struct str text, struct file_head *out);

#endif
