/* SPDX-License-Identifier: Apache-2.0
 *
 * Values and texts of events, as they may be written on a terminal: what would move its cursor, change its colours or turn
 * its writing round is shown as an escape (\x1b, \u202e), and what is no UTF-8 byte by byte.
 */
#ifndef MILLRACE_CMD_SHOWN_H
#define MILLRACE_CMD_SHOWN_H

#include "base/buf.h"
#include "pipeline/event/value.h"

/* As it is but for such characters. Line breaks and tabs too are escaped. */
void shown_text(struct str text, struct buf *out);
/* A string in quotes, a list or an object as JSON is written, a time as it is. */
void shown_value(const struct value *value, struct buf *out);

#endif
