/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical form of a pipeline file. Only blanks between tokens change: every comment stays behind the token that it
 * stood behind, and quotes, numbers and the order of everything stay as they are written.
 *
 *  1. A level is two blanks. Sections, `if` and `else` are always opened over several lines; `} else {` is one line.
 *  2. Options, hashes and lists that stand on one line stay on one; otherwise each option and each entry of a hash has a
 *     line of its own, and items of a list stay on the lines they are on.
 *  3. One blank around => and operators, none inside parentheses and brackets, `{ a => 1 }` and `{}`.
 *  4. At most one empty line where there were some, none inside a bracket's ends, one between sections.
 *
 * Formatting what was formatted changes nothing.
 */
#ifndef MILLRACE_CONF_FORMAT_H
#define MILLRACE_CONF_FORMAT_H

#include "base/buf.h"
#include "conf/source.h"

/* source: one file, which conf_parse has taken without an error. False when `out` would pass its maximum. */
bool conf_format(const struct conf_source *source, struct buf *out);

/* Whether two trees mean the same: everything but positions is equal. (same.c) */
bool conf_tree_same(const struct conf_tree *a, const struct conf_tree *b);

#endif
