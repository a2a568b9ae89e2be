/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins by name, and what to say about one that is not there.
 */
#ifndef MILLRACE_PIPELINE_REGISTRY_H
#define MILLRACE_PIPELINE_REGISTRY_H

#include "pipeline/plugin.h"

/* "input", "filter", "output" or "codec". */
const char *registry_section_name(enum conf_section section);
/* The plugins of a section by position; NULL behind the last. */
const struct plugin *registry_at(const struct plugin_list *list, enum conf_section section,
                                 size_t index);
/* NULL when there is none of that name. */
const struct plugin *registry_find(const struct plugin_list *list, enum conf_section section,
                                   struct str name);
/* Adds an error that says whether Logstash has such a plugin, and which of ours is meant. */
void registry_explain_unknown(const struct plugin_list *list, const struct conf_plugin *source,
                              struct error_list *errors);

#endif
