/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns of '*' and '?' over whole texts: of index names, field names, and the wildcard query. No backtracking
 * beyond the last '*', so a hostile pattern costs at most pattern × text.
 */
#ifndef MILLRACE_SERVICES_STORE_GLOB_H
#define MILLRACE_SERVICES_STORE_GLOB_H

#include <stdbool.h>

#include "base/str.h"

/* '*' is any run; nothing else is special. */
bool glob_match(struct str pattern, struct str text);

enum glob_flags { GLOB_IGNORE_CASE = 1 /* of ASCII */ };
/* '*', '?' is one character, '\' takes the meaning of what follows. */
bool glob_match_wildcard(struct str pattern, struct str text, unsigned flags);

#endif
