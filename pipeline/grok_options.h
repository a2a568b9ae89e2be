/* SPDX-License-Identifier: Apache-2.0
 *
 * The option patterns_dir, which everything with grok patterns has.
 */
#ifndef MILLRACE_PIPELINE_GROK_OPTIONS_H
#define MILLRACE_PIPELINE_GROK_OPTIONS_H

#include "base/grok/grok.h"
#include "conf/option.h"
#include "pipeline/plugin_env.h"

/* Reads the pattern files of the home and those that paths name: directories, whose files fit the glob, files, and globs. One that
 * names no file is warned of when the plugin is checked; it is no error, as in Logstash. */
bool grok_options_load(const struct plugin_env *env, const struct option_strings *paths,
                       struct str glob, struct grok_library *library, struct error *err);

#endif
