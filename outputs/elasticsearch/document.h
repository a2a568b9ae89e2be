/* SPDX-License-Identifier: Apache-2.0
 *
 * The source line of a bulk item. Each function appends it without its line break, and is false when the buffer is at
 * its maximum.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_DOCUMENT_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_DOCUMENT_H

#include "outputs/elasticsearch/encode.h"

/* The event, with its join field when the options have one. */
bool append_document(const struct elasticsearch_options *options, const struct event *event,
                     struct arena *scratch, struct buf *out);

/* The event with [data_stream] saying which stream it is in. */
bool append_stream_document(const struct bulk_encoder *encoder, const struct event *event,
                            struct buf *out);

struct update_source {
    const struct elasticsearch_options *options;
    struct json_reader *json;
    struct arena *scratch;
    bool *refused; /* set when the event cannot be made into an update; *err says why */
    struct error *err;
};
/* A partial document or a script, and what to do when there is no document yet. */
bool append_update(const struct update_source *source, const struct event *event, struct buf *out);

#endif
