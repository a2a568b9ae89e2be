/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON that can be shown: characters that JSON may have as they are, and that change what a terminal or an editor shows
 * (utf8_is_showable), are written as \u escapes. They stand in
 * strings only, so the JSON means the same.
 */
#ifndef MILLRACE_PIPELINE_EVENT_JSON_SHOWABLE_H
#define MILLRACE_PIPELINE_EVENT_JSON_SHOWABLE_H

#include "base/buf.h"

/* The JSON is valid UTF-8. False when the buffer is at its maximum; it then holds a part. */
bool json_append_showable(struct str json, struct buf *out);

#endif
