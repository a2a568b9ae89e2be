/* SPDX-License-Identifier: Apache-2.0
 *
 * A field is masked, and the text that it was read from is kept: whoever sees the event sees the original all the same. That is
 * said as a warning, with what to add. What cannot be told from the file (Ruby code that names the text, scripts, pruning by patterns)
 * counts as taken care of.
 */
#ifndef MILLRACE_CMD_MASK_CHECK_H
#define MILLRACE_CMD_MASK_CHECK_H

#include "conf/syntax.h"

/* ecs: events keep [event][original]. */
void mask_check(const struct conf_tree *tree, bool ecs, struct error_list *errors);

#endif
