/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to conf/: the line of a configuration below an error, without what must not be shown.
 */
#ifndef MILLRACE_CONF_REPORT_H
#define MILLRACE_CONF_REPORT_H

#include "base/buf.h"
#include "conf/source.h"

/* The line that a position names, as it may be shown: secrets are "***". *caret_out is the offset in it of
 * what stands at the column, or of the "***" that covers it. False when the file is not part of the
 * source. The caller owns *out, which it has initialised. */
bool report_line(const struct conf_source *source, const struct error_position *position,
                 struct buf *out, size_t *caret_out);

#endif
