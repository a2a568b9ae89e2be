/* SPDX-License-Identifier: Apache-2.0
 *
 * Index templates: the older ones of _template, which add up by their order, and those of _index_template, of which
 * the one with the highest priority counts alone. What they say is applied when an index is created. One thread.
 */
#ifndef MILLRACE_SERVICES_STORE_TEMPLATE_H
#define MILLRACE_SERVICES_STORE_TEMPLATE_H

#include "pipeline/event/event_json.h"
#include "services/store/database.h"
#include "services/store/mapping/mapping.h"

enum template_kind { TEMPLATE_LEGACY, TEMPLATE_COMPOSABLE };

/* What an index begins with. */
struct template_content {
    struct mapping *mapping;
    struct value settings; /* {"number_of_shards":"1",...}: what stands under "index" */
    struct value aliases;
};

/* Adds settings, mappings and aliases of a body to the content. */
bool template_apply(struct template_content *content, struct arena *arena, const struct value *body,
                    struct api_error *err);
/* Adds what the stored templates say of an index with this name. */
bool template_apply_stored(struct template_content *content, struct arena *arena,
                           struct database *database, struct str index_name, struct api_error *err);
/* Whether a body may be stored as a template. */
bool template_check(enum template_kind kind, struct arena *arena, struct str name,
                    const struct value *body, struct api_error *err);
/* {"index.a.b":1,"c":true} becomes {"a":{"b":"1"},"c":"true"}, added to *settings. */
bool settings_add(struct arena *arena, struct value *settings, const struct value *given,
                  struct api_error *err);

#endif
