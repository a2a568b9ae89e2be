/* SPDX-License-Identifier: Apache-2.0
 *
 * Text as Ruby's String#inspect writes it, without the quotes: what rubydebug shows, and what Logstash makes of a line
 * that is not valid in its charset.
 */
#ifndef MILLRACE_BASE_TEXT_INSPECT_H
#define MILLRACE_BASE_TEXT_INSPECT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* How many bytes at the front are shown as they are. */
size_t inspect_plain_prefix(struct str text);
/* Bytes that are no UTF-8 become \xE9. False when the buffer is at its maximum. */
bool inspect_append(struct str text, struct buf *out);
/* Valid text as it is; anything else wholly in Ruby's form, in arena. */
struct str inspect_unless_valid(struct arena *arena, struct str text);

#endif
