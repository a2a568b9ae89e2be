/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes gzip bodies (RFC 1952), and reads gzip and zlib bodies piece by piece. A compressor has about 256 KiB and is
 * kept and reused; an inflater has about 48 KiB. One thread.
 */
#ifndef MILLRACE_IO_GZIP_H
#define MILLRACE_IO_GZIP_H

#include "base/buf.h"

struct gzip;

struct gzip *gzip_new(int level);  /* 1..9 */
struct gzip *zlib_new(int level);  /* the same, but zlib's form (RFC 1950) */
void gzip_free(struct gzip *gzip); /* NULL is ok */
/* Appends one gzip member that holds text. False when out is at its maximum. */
bool gzip_append(struct gzip *gzip, struct str text, struct buf *out);

struct gunzip;

enum gunzip_result { GUNZIP_OK, GUNZIP_BROKEN, GUNZIP_FULL };

struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *gunzip); /* NULL is ok */
/* Inflates the next piece and appends to out. BROKEN: not gzip or zlib, or bytes behind the end that are neither. FULL:
 * out is at its maximum. After either nothing more may be added. */
enum gunzip_result gunzip_add(struct gunzip *gunzip, struct str piece, struct buf *out);
/* The body ended where it should. */
bool gunzip_is_whole(const struct gunzip *gunzip);

#endif
