/* SPDX-License-Identifier: Apache-2.0
 *
 * Where in a plugin's block a message points. A plugin checks values long after they have left their places
 * in the file; its message names the option and quotes, in single quotes, what is wrong (base/error.h), and
 * the same words stand in the block.
 */
#ifndef MILLRACE_CONF_POINT_H
#define MILLRACE_CONF_POINT_H

#include "base/error.h"
#include "conf/syntax.h"

/* The place of the last quoted text of the message that is a value or key of the block, inside the option that the message names if
 * it names one; else that option; else the plugin. A position without a file in err is a line of that option's text,
 * as code has them. A position with a file is the answer itself. */
struct error_position conf_point(const struct conf_plugin *plugin, const struct error *err);

#endif
