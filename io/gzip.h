/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes gzip bodies (RFC 1952). One compressor, of about 256 KiB, is kept and reused.
 * One thread.
 */
#ifndef MILLRACE_IO_GZIP_H
#define MILLRACE_IO_GZIP_H

#include "base/buf.h"

struct gzip;

struct gzip *gzip_new(int level); /* 1..9 */
void gzip_free(struct gzip *gzip); /* NULL is ok */
/* Appends one gzip member that holds text. False when out is at its maximum. */
bool gzip_append(struct gzip *gzip, struct str text, struct buf *out);

#endif
