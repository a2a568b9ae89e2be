/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/shipped.h"

#include <assert.h>
#include <limits.h>
#include <unistd.h>

/* The folder that the program is in; empty when the system does not say. */
static struct str program_folder(char path[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);
    while (len > 0 && path[len - 1] != '/')
        len--;
    return str_make(path, len > 0 ? (size_t)len : 0);
}

const char *shipped_path(struct arena *arena, const char *name)
{
    static const char *const PLACES[] = {"../deploy", "../share/millrace"};
    char path[PATH_MAX];
    struct str folder = program_folder(path);
    assert(name[0] != '/');
    for (size_t i = 0; folder.len > 0 && i < sizeof PLACES / sizeof *PLACES; i++) {
        struct str place = arena_printf(arena, "%.*s%s/%s", STR_FMT(folder), PLACES[i], name);
        if (access(place.ptr, R_OK) == 0)
            return place.ptr;
    }
    return arena_printf(arena, "%s/%s", MILLRACE_SHARED, name).ptr;
}
