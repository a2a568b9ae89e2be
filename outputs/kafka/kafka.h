/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of the Kafka output, and the properties that they make.
 */
#ifndef MILLRACE_OUTPUTS_KAFKA_KAFKA_H
#define MILLRACE_OUTPUTS_KAFKA_KAFKA_H

#include "pipeline/kafka_options.h"
#include "pipeline/plugin.h"

enum { KAFKA_ACKS_ALL, KAFKA_ACKS_ONE, KAFKA_ACKS_NONE };

struct kafka_output_options {
    struct kafka_client_options client;
    const struct conf_plugin *codec;
    struct template topic, key;
    struct option_hash headers;
    int acks, compression, key_serializer, value_serializer;
    int64_t batch_size, linger_ms, buffer_memory, max_request_size;
    struct str partitioner;
};

extern const struct option kafka_output_rows[];
/* NULL and *err when an option cannot be. Texts go into arena. */
struct kafka_conf *kafka_output_conf(const struct kafka_output_options *options,
                                     struct arena *arena, struct error *err);
bool kafka_output_is_round_robin(const struct kafka_output_options *options);

#endif
