/* SPDX-License-Identifier: Apache-2.0
 *
 * Events to lines of a bulk request: an action line, and for all actions but delete a source line, straight into the
 * group's buffer. Everything that comes from an event goes through JSON escaping.
 *
 * The index name is mostly text with a date in it: it is made once for each day (or second) and kept, already escaped,
 * together with what stands before it.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_ENCODE_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_ENCODE_H

#include "outputs/elasticsearch/options.h"

enum bulk_action { BULK_INDEX, BULK_CREATE, BULK_UPDATE, BULK_DELETE };

enum { KEPT_INDEX_NAMES = 4 };

/* How often a template of text and dates changes. */
enum index_period { INDEX_CONSTANT, INDEX_EACH_DAY, INDEX_EACH_SECOND, INDEX_EACH_EVENT };

struct kept_index {
    int64_t period;  /* days or seconds since 1970 */
    struct buf text; /* "_index":"…" */
};

struct bulk_encoder {
    const struct elasticsearch_options *options;
    struct json_reader *json;
    struct arena *scratch; /* of the event that is being encoded */
    struct template index; /* the option or its default */
    bool index_is_default;
    enum index_period index_period;
    struct kept_index kept[KEPT_INDEX_NAMES];
    size_t kept_count, kept_next;
    enum bulk_action action; /* when the option is not a template */
    bool plain;              /* nothing but an index in the action line, unless the event says so */
    struct str stream_index; /* "_index":"type-dataset-namespace" */
    struct str stream_type, stream_dataset, stream_namespace;
    struct str stream_prefix; /* {"data_stream":{…} */
};

void bulk_encoder_init(struct bulk_encoder *encoder, const struct elasticsearch_options *options,
                       const struct plugin_env *env);
void bulk_encoder_release(struct bulk_encoder *encoder);
enum encode_result bulk_encode(struct bulk_encoder *encoder, const struct event *event,
                               struct arena *scratch, struct buf *out, struct error *err);
/* The event within an encoded item: the source line of an index or create action; empty for the others. */
struct str bulk_document(const void *self, struct str item);
/* Public for its test. */
enum index_period bulk_index_period(const struct template *index);

#endif
