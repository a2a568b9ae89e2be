/* SPDX-License-Identifier: Apache-2.0
 *
 * The index template that is installed at start: the user's file, found where the configuration says, else under its
 * file name in --path.templates, else among the templates that ship; or one of our own when none is named.
 *
 * There are two APIs. A template of the new one has its content in a `template` object; one of the old has mappings and
 * settings at the top. So the file's own shape says where it goes, whatever the server's version is.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_INDEX_TEMPLATE_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_INDEX_TEMPLATE_H

#include "outputs/elasticsearch/options.h"

enum { INDEX_TEMPLATE_MAX_BYTES = 4 * 1024 * 1024 };

struct index_template {
    struct str name;
    struct str body; /* empty: our own, made when the server is known */
    bool composable;
    bool is_ecs;
};

/* False and *err when the file is nowhere or is not a template. */
bool index_template_load(const struct elasticsearch_options *options, const struct plugin_env *env,
                         struct index_template *out, struct error *err);

/* Our own template in the shape of the API. */
struct str index_template_own(struct arena *arena, bool is_ecs, bool composable);
/* "/_index_template/NAME" or "/_template/NAME" */
struct str index_template_path(struct arena *arena, const struct index_template *template);

#endif
