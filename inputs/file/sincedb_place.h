/* SPDX-License-Identifier: Apache-2.0
 *
 * Where an input keeps its sincedb. The name is Logstash's, made of the paths alone, as long as one input uses it. When
 * several inputs or pipelines would use the same file, each has its own: the one that has always used it (PATH.owner
 * says which) keeps it, the others add their pipeline's name. Positions that were written before anybody wrote down an
 * owner are everybody's: each begins with a copy. Main thread.
 */
#ifndef MILLRACE_INPUTS_FILE_SINCEDB_PLACE_H
#define MILLRACE_INPUTS_FILE_SINCEDB_PLACE_H

#include "conf/option.h"
#include "pipeline/plugin_env.h"

struct sincedb_place {
    const char *given; /* sincedb_path; NULL: the default */
    const char *name;  /* .sincedb_MD5, of the default */
    const char *
        user; /* the pipeline, with a number from its second input on; NULL: nobody else can be told apart */
};

/* While the configuration is checked. path is the option `path`, sincedb_path may be NULL. All in env->arena. */
struct sincedb_place sincedb_place_announce(const struct plugin_env *env, struct str sincedb_path,
                                            const struct option_strings *path);
/* The file to use, in env->arena. */
bool sincedb_place_find(const struct sincedb_place *place, const struct plugin_env *env,
                        const char **path_out, struct error *err);

#endif
