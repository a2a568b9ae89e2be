/* SPDX-License-Identifier: Apache-2.0
 *
 * How `millrace tap` shows an event for people: a field on each line, and of a difference what came, went and changed.
 */
#ifndef MILLRACE_CMD_TAP_SHOW_H
#define MILLRACE_CMD_TAP_SHOW_H

#include "cmd/terminal.h"
#include "pipeline/event/value.h"

/* A line of the tap (pipeline/engine/tap.h), decoded, appended to out as text. The arena is for scratch. */
void tap_show(const struct terminal *terminal, const struct value *line, struct arena *arena,
              struct buf *out);

#endif
