/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/grok_options.h"

static void warn_of(const struct plugin_env *env, struct str path)
{
    if (env->warnings)
        error_list_warn_at(env->warnings, env->position,
                           "patterns_dir: '%.*s' names no file, so no patterns come from there, as "
                           "in Logstash",
                           STR_FMT(path));
}

bool grok_options_load(const struct plugin_env *env, const struct option_strings *paths,
                       struct str glob, struct grok_library *library, struct error *err)
{
    if (!grok_library_load_home(library, err))
        return false;
    for (size_t i = 0; i < paths->count; i++) {
        size_t files = 0;
        const char *path = arena_cstr(env->arena, paths->items[i]);
        if (!grok_library_load_path(library, path, arena_cstr(env->arena, glob), &files, err))
            return false;
        if (files == 0)
            warn_of(env, paths->items[i]);
    }
    return true;
}
