/* SPDX-License-Identifier: Apache-2.0
 *
 * Lumberjack bytes from a short text, for tests. Words are separated by blanks:
 *   2W3            a window of 3 events, version 2
 *   2J7={"a":1}    an event numbered 7
 *   1D7=k:v,k2:v2  the same in version 1
 *   2C[ … ]        a compressed frame of what is inside; a letter before the bracket spoils it:
 *                  s stored blocks, g gzip, a wrong adler32, n no adler32, t trailing bytes, h cut in half,
 *                  d two zlib streams, m made for its length minus one (the last byte of the content is missing)
 *   x0a1b          raw bytes
 */
#ifndef MILLRACE_TESTS_UNIT_INPUTS_FRAMES_H
#define MILLRACE_TESTS_UNIT_INPUTS_FRAMES_H

#include "base/buf.h"

void frames_build(const char *script, struct buf *out);

void frames_window(struct buf *out, char version, uint32_t count);
void frames_json(struct buf *out, uint32_t sequence, struct str text);
void frames_compressed(struct buf *out, char version, struct str content, char spoil);

#endif
