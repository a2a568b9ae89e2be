/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of the Kafka input, and the properties that they make.
 */
#ifndef MILLRACE_INPUTS_KAFKA_KAFKA_H
#define MILLRACE_INPUTS_KAFKA_KAFKA_H

#include "pipeline/kafka_options.h"
#include "pipeline/plugin.h"

enum kafka_decoration {
    DECORATE_NONE,
    DECORATE_BASIC,
    DECORATE_EXTENDED,
    DECORATE_FALSE,
    DECORATE_TRUE
};

struct kafka_input_options {
    struct kafka_client_options client;
    const struct conf_plugin *codec;
    struct option_strings topics, strategy;
    struct str topics_pattern, group_id, group_instance_id, client_rack;
    int auto_offset_reset, isolation_level, decorate, group_protocol;
    int key_deserializer, value_deserializer;
    bool check_crcs, auto_create_topics, exclude_internal_topics;
    int64_t auto_commit_interval_ms, max_poll_interval_ms;
    int64_t session_timeout_ms, heartbeat_interval_ms;
    int64_t fetch_min_bytes, fetch_max_bytes, fetch_max_wait_ms, max_partition_fetch_bytes;
    int64_t max_uncommitted, max_uncommitted_age_ms;
};

extern const struct option kafka_input_rows[];
/* memory_bytes: of the process, from which follows how much is fetched ahead. NULL and *err when an option cannot be. Texts
 * go into arena. */
struct kafka_conf *kafka_input_conf(const struct kafka_input_options *options, size_t memory_bytes,
                                    struct arena *arena, struct error *err);
/* What to subscribe to, NULL-terminated, in arena. */
const char *const *kafka_input_topics(const struct kafka_input_options *options,
                                      struct arena *arena);

#endif
