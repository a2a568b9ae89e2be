/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON that can be shown: characters that JSON may have as they are, and that change what a terminal or an editor shows
 * (C1 controls, separators of lines, directions of text, what has no width), are written as \u escapes. They stand in
 * strings only, so the JSON means the same.
 */
#ifndef MILLRACE_PIPELINE_EVENT_JSON_SHOWABLE_H
#define MILLRACE_PIPELINE_EVENT_JSON_SHOWABLE_H

#include "base/buf.h"

/* False when the buffer is at its maximum; it then holds a part. */
bool json_append_showable(struct str json, struct buf *out);

#endif
