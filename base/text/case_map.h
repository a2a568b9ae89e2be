/* SPDX-License-Identifier: Apache-2.0
 *
 * Upper and lower case by Unicode's full mappings (ß becomes SS), without a locale and without context: a final sigma is
 * as any other. Tables of our own, so that no OS locale is needed. Text is valid UTF-8.
 */
#ifndef MILLRACE_BASE_TEXT_CASE_MAP_H
#define MILLRACE_BASE_TEXT_CASE_MAP_H

#include "base/arena.h"
#include "base/str.h"

struct str case_upper(struct arena *arena, struct str text);
struct str case_lower(struct arena *arena, struct str text);
/* The first character in title case, the rest in lower case. */
struct str case_capitalize(struct arena *arena, struct str text);

#endif
