/* SPDX-License-Identifier: Apache-2.0
 *
 * EDN, Clojure's data notation, to values and back. Keywords, symbols and characters are text, lists and sets are arrays;
 * #inst is a timestamp, any other tagged value is the value alone. Ratios and numbers that no event can hold are text.
 */
#ifndef MILLRACE_CODECS_EDN_EDN_TEXT_H
#define MILLRACE_CODECS_EDN_EDN_TEXT_H

#include "base/buf.h"
#include "pipeline/event/event.h"

enum { EDN_MAX_DEPTH = 100 };

/* Reads the first value; what stands behind it is not looked at. text is valid UTF-8 and lives as long as the arena. */
bool edn_read(struct arena *arena, struct str text, struct value *out);

/* False when out is at its maximum. Keys are strings, a timestamp is its ISO 8601 text. */
bool edn_write(const struct value *value, struct buf *out);
bool edn_write_event(const struct event *event, struct buf *out);

#endif
