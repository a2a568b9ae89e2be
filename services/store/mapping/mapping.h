/* SPDX-License-Identifier: Apache-2.0
 *
 * What an index knows of its fields: the types that a template or a request names, and those that documents bring
 * with them (dynamic mapping), as OpenSearch does it. A mapping only grows, and a refused document adds nothing to it.
 * One thread.
 *
 * A document is checked in the parsed form that the caller has anyway. Each object of the mapping remembers which
 * field came last, because documents of an index have their fields in the same order; so a field costs one comparison.
 */
#ifndef MILLRACE_SERVICES_STORE_MAPPING_MAPPING_H
#define MILLRACE_SERVICES_STORE_MAPPING_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "pipeline/event/value.h"
#include "services/store/api_error.h"

enum { MAPPING_FIELDS_MAX = 1000, MAPPING_DEPTH_MAX = 20, MAPPING_PATH_MAX = 32 * 1024 };

struct mapping;

struct mapping *mapping_new(void);
void mapping_free(struct mapping *mapping); /* NULL is ok */

/* Adds the `mappings` of a template or of a request: an object with properties, dynamic, dynamic_templates, ... On an
 * error (400 mapper_parsing_exception, illegal_argument_exception) the mapping may hold a part: use a new one for a
 * template, and for a change of a living index a copy (mapping_dup). */
bool mapping_merge(struct mapping *mapping, const struct value *mappings, struct api_error *err);
/* NULL never; the copy is equal as text. */
struct mapping *mapping_dup(const struct mapping *mapping);

/* Holds a document against the mapping and adds the fields that are new. On false the document must not be stored,
 * *err is what a bulk item says of it, and the mapping is as it was. */
bool mapping_apply(struct mapping *mapping, struct str id, const struct value *document,
                   struct api_error *err);
/* Another number after each change: whoever keeps mappings writes it again then. */
uint64_t mapping_version(const struct mapping *mapping);

/* What `GET INDEX/_mapping` has under "mappings" ({} when nothing is known yet); mapping_merge reads it back. */
bool mapping_write(const struct mapping *mapping, struct buf *out);

#endif
