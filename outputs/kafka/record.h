/* SPDX-License-Identifier: Apache-2.0
 *
 * Events to records and back: an item of a group is the record's topic, key, headers and value, each behind its length of
 * four bytes.
 */
#ifndef MILLRACE_OUTPUTS_KAFKA_RECORD_H
#define MILLRACE_OUTPUTS_KAFKA_RECORD_H

#include "io/kafka_producer.h"
#include "pipeline/plugin.h"

enum { RECORD_HEADERS_MAX = 64 };

struct record_header {
    struct str name;
    struct template value;
};

struct record_encoder {
    const struct template *topic, *key; /* key->parts NULL: none */
    struct record_header *headers;
    size_t header_count;
    struct codec_instance codec;
};

/* The templates of the message_headers option. */
bool record_headers_compile(struct record_encoder *encoder, const struct option_hash *option,
                            const struct plugin_env *env, struct error *err);
enum encode_result record_encode(struct record_encoder *encoder, const struct event *event,
                                 struct arena *scratch, struct buf *out, struct error *err);
/* Borrows from the item; headers has room for RECORD_HEADERS_MAX. */
struct kafka_record record_read(struct str item, struct kafka_header *headers);

#endif
