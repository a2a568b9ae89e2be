/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytes of a .gz file (all its members, one after the other).
 */
#ifndef MILLRACE_INPUTS_FILE_GZIP_SOURCE_H
#define MILLRACE_INPUTS_FILE_GZIP_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct gzip_source;

bool gzip_source_is_name(const char *path);        /* .gz or .gzip */
struct gzip_source *gzip_source_new(int fd);       /* fd stays the caller's, and must outlive it */
void gzip_source_free(struct gzip_source *source); /* NULL is ok */
/* 0 at the end, -errno when it cannot be read, -EBADMSG when it is damaged or cut. */
ssize_t gzip_source_read(struct gzip_source *source, char *out, size_t len);
/* Reads it all, for check_archive_validity. Any thread. */
bool gzip_source_is_whole(const char *path);

#endif
