/* SPDX-License-Identifier: Apache-2.0 */
#include "base/colour.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

bool colour_wanted(int fd)
{
    const char *force = variable("CLICOLOR_FORCE"), *term = variable("TERM");
    if (variable("NO_COLOR"))
        return false;
    if (force && strcmp(force, "0") != 0)
        return true;
    return term && strcmp(term, "dumb") != 0 && isatty(fd);
}

bool utf8_wanted(void)
{
    const char *locale = variable("LC_ALL");
    if (!locale)
        locale = variable("LC_CTYPE");
    if (!locale)
        locale = variable("LANG");
    return !locale || strcasestr(locale, "UTF-8") || strcasestr(locale, "UTF8");
}

const char *ellipsis(void)
{
    return utf8_wanted() ? "…" : "...";
}
