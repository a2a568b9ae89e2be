/* SPDX-License-Identifier: Apache-2.0
 *
 * What somebody may have meant who wrote a name that does not exist.
 */
#ifndef MILLRACE_BASE_TEXT_SUGGEST_H
#define MILLRACE_BASE_TEXT_SUGGEST_H

#include "base/str.h"

/* The nearest of names (NULL-terminated) to what was written, or NULL when none is near. */
const char *suggest_name(struct str written, const char *const *names);

#endif
