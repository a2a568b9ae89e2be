/* SPDX-License-Identifier: Apache-2.0
 *
 * How one text becomes another, line by line, as `diff -u` shows it. Between the lines that both begin and end with, the
 * longest common sequence is looked for; where that would need more than LINE_DIFF_MAX_CELLS, all of it is replaced.
 */
#ifndef MILLRACE_BASE_TEXT_LINE_DIFF_H
#define MILLRACE_BASE_TEXT_LINE_DIFF_H

#include <stdbool.h>

#include "base/str.h"

enum { LINE_DIFF_CONTEXT = 3, LINE_DIFF_MAX_CELLS = 4 * 1024 * 1024 };

/* A line of it, without its newline. mark: '@' a heading of line numbers, ' ', '-' or '+'; '\\' says of the line before it
 * that the file ends without a newline. */
typedef void line_diff_emit(void *ctx, char mark, struct str line);

/* True when the texts differ; else nothing is given out. */
bool line_diff(struct str before, struct str after, line_diff_emit *emit, void *ctx);

#endif
