/* SPDX-License-Identifier: Apache-2.0
 *
 * What may be shown where people read: colours, and characters beyond ASCII. Both are asked of the
 * environment, so that nothing here needs to know who looks.
 */
#ifndef MILLRACE_BASE_COLOUR_H
#define MILLRACE_BASE_COLOUR_H

#include <stdbool.h>

/* Colours: on a terminal whose TERM is not dumb, unless NO_COLOR is set; CLICOLOR_FORCE (anything but 0)
 * asks for them in a pipe or file too. NO_COLOR is the stronger one. */
bool colour_wanted(int fd);

/* False when the locale (LC_ALL, else LC_CTYPE, else LANG) names a character set that is not UTF-8, as
 * "C" does. Without any of them the answer is true: containers have no locale, their terminals do. */
bool utf8_wanted(void);

/* "…", or "..." where only ASCII is wanted. */
const char *ellipsis(void);

#define COLOUR_RESET   "\x1b[0m"
#define COLOUR_BOLD    "\x1b[1m"
#define COLOUR_DIM     "\x1b[2m"
#define COLOUR_RED     "\x1b[31m"
#define COLOUR_GREEN   "\x1b[32m"
#define COLOUR_YELLOW  "\x1b[33m"
#define COLOUR_MAGENTA "\x1b[35m"
#define COLOUR_CYAN    "\x1b[36m"

#endif
