/* SPDX-License-Identifier: Apache-2.0
 *
 * A document whose field does not fit the mapping of its index, and the same document made so that it does: the field's value
 * stands under _conflict, and tags has _mappingconflict. So it can be found, and nothing of it is lost. Pure.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_MAPPING_CONFLICT_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_MAPPING_CONFLICT_H

#include "outputs/elasticsearch/options.h"
#include "outputs/elasticsearch/reply.h"
#include "pipeline/event/event_json.h"

/* The field that the server names as the one that does not fit ("a.b"); empty: it is another error, or it names none.
 * Borrows from the item. Texts of Elasticsearch 7.17 to 8.x and OpenSearch 2.x. */
struct str mapping_conflict_field(const struct bulk_item *item);

/* Appends the encoded item (bulk_encode) with the value of `field` moved to _conflict: as a text (MAPPING_STRINGIFY) or as it
 * is (MAPPING_MOVE). False when it cannot be done: the document has no such field, or it was done before. */
bool mapping_conflict_move(struct json_reader *json, struct arena *arena,
                           enum on_mapping_conflict how, struct str item, struct str field,
                           struct buf *out);

#endif
