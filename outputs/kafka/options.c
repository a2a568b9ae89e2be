/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/kafka/kafka.h"

#include <string.h>

enum {
    /* How long librdkafka sends a record again by itself before it says that it could not; delivery then goes on. */
    MESSAGE_TIMEOUT_MS = 120 * 1000,
};

static const char *const ACKS[] = {"all", "1", "0", NULL};
static const char *const ACKS_PROPERTIES[] = {"all", "1", "0"};
static const char *const COMPRESSIONS[] = {"none", "gzip", "snappy", "lz4", "zstd", NULL};
static const char *const SERIALIZERS[] = {
    "org.apache.kafka.common.serialization.StringSerializer",
    "org.apache.kafka.common.serialization.ByteArraySerializer",
    NULL,
};
/* Names that mean what the client does anyway: by the key as Java does it, else whatever is best for batches. */
static const char *const USUAL_PARTITIONERS[] = {
    "default",
    "uniform_sticky",
    "org.apache.kafka.clients.producer.internals.DefaultPartitioner",
    "org.apache.kafka.clients.producer.UniformStickyPartitioner",
    NULL,
};
static const char *const OURS[] = {"dr_cb",     "dr_msg_cb", "delivery.report.only.error",
                                   "log.queue", "log_cb",    "transactional.id",
                                   NULL};

bool kafka_output_is_round_robin(const struct kafka_output_options *options)
{
    return str_equal(options->partitioner, STR("round_robin")) ||
           str_equal(options->partitioner,
                     STR("org.apache.kafka.clients.producer.RoundRobinPartitioner"));
}

static bool check_partitioner(const struct kafka_output_options *options, struct error *err)
{
    if (options->partitioner.len == 0 || kafka_output_is_round_robin(options))
        return true;
    for (const char *const *name = USUAL_PARTITIONERS; *name; name++)
        if (str_equal(options->partitioner, str_from(*name)))
            return true;
    return error_set(err, ERROR_CONFIG,
                     "partitioner '%.*s' is not known: Java classes cannot be loaded; leave it out "
                     "(the key decides) or write round_robin",
                     STR_FMT(options->partitioner));
}

static bool apply(const struct kafka_output_options *options, struct arena *arena,
                  struct kafka_conf *conf, struct error *err)
{
    bool spread = kafka_output_is_round_robin(options);
    return check_partitioner(options, err) &&
           kafka_client_apply(&options->client, arena, conf, err) &&
           kafka_set(conf, "acks", "acks", ACKS_PROPERTIES[options->acks], err) &&
           kafka_set(conf, "acks", "enable.idempotence",
                     options->acks == KAFKA_ACKS_ALL ? "true" : "false", err) &&
           kafka_set(conf, "compression_type", "compression.type",
                     COMPRESSIONS[options->compression], err) &&
           kafka_set_number(conf, "request_timeout_ms", "request.timeout.ms",
                            options->client.request_timeout_ms, err) &&
           kafka_set_number(conf, "request_timeout_ms", "message.timeout.ms", MESSAGE_TIMEOUT_MS,
                            err) &&
           kafka_set_number(conf, "batch_size", "batch.size", options->batch_size, err) &&
           kafka_set_number(conf, "linger_ms", "linger.ms", options->linger_ms, err) &&
           kafka_set_number(conf, "max_request_size", "message.max.bytes",
                            options->max_request_size, err) &&
           kafka_set_number(conf, "buffer_memory", "queue.buffering.max.kbytes",
                            options->buffer_memory / 1024, err) &&
           kafka_set_number(conf, "buffer_memory", "queue.buffering.max.messages", 0, err) &&
           kafka_set(conf, "partitioner", "partitioner", "murmur2_random", err) &&
           kafka_set_number(conf, "partitioner", "sticky.partitioning.linger.ms",
                            spread ? 0 : options->linger_ms, err) &&
           kafka_properties_apply(&options->client.properties, OURS, arena, conf, err);
}

struct kafka_conf *kafka_output_conf(const struct kafka_output_options *options,
                                     struct arena *arena, struct error *err)
{
    struct kafka_conf *conf = kafka_conf_new();
    if (apply(options, arena, conf, err))
        return conf;
    kafka_conf_free(conf);
    return NULL;
}

#define ROW_STRUCT struct kafka_output_options

const struct option kafka_output_rows[] = {
    {
        .name = "topic_id",
        .doc = "The topic; %{} takes parts of the event.",
        OPTION_IN_TEMPLATE(ROW_STRUCT, topic),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "codec",
        .doc = "How events are written; plain when not given, json is what readers mostly want.",
        OPTION_IN_CODEC(ROW_STRUCT, codec),
    },
    {
        .name = "message_key",
        .doc = "The key, which decides the partition; %{} takes parts of the event. None when "
               "absent.",
        OPTION_IN_TEMPLATE(ROW_STRUCT, key),
    },
    {
        .name = "message_headers",
        .doc = "Headers of each record; %{} in a value takes parts of the event.",
        OPTION_IN_HASH(ROW_STRUCT, headers),
    },
    {
        .name = "acks",
        .doc = "How many brokers have a record before it counts as delivered: all that are in "
               "sync, 1, or 0: none.",
        OPTION_IN_CHOICE(ROW_STRUCT, acks),
        .choices = ACKS,
        .def = "all",
    },
    {
        .name = "compression_type",
        .doc = "How batches are compressed.",
        OPTION_IN_CHOICE(ROW_STRUCT, compression),
        .choices = COMPRESSIONS,
        .def = "none",
    },
    KAFKA_NUMBER_ROW("batch_size", "Bytes of one batch for a partition.", ROW_STRUCT, batch_size, 1,
                     2147483647.0, "16384"),
    KAFKA_NUMBER_ROW("linger_ms", "How long a batch waits for more records.", ROW_STRUCT, linger_ms,
                     0, 60000, "5"),
    KAFKA_NUMBER_ROW(
        "buffer_memory",
        "Bytes of records that may wait to be sent; an eighth of pipeline.memory at most.",
        ROW_STRUCT, buffer_memory, 1048576, 2147483648.0, "33554432"),
    KAFKA_NUMBER_ROW("max_request_size", "Largest record; larger ones are refused.", ROW_STRUCT,
                     max_request_size, 1000, 100000000.0, "1048576"),
    {
        .name = "partitioner",
        .doc = "round_robin: partitions in turn; absent: by the key as Java's client does, else "
               "any.",
        OPTION_IN_STRING(ROW_STRUCT, partitioner),
    },
    {
        .name = "key_serializer",
        .doc = "Java's class for keys: strings or byte arrays.",
        OPTION_IN_CHOICE(ROW_STRUCT, key_serializer),
        .choices = SERIALIZERS,
        .def = "org.apache.kafka.common.serialization.StringSerializer",
    },
    {
        .name = "value_serializer",
        .doc = "Java's class for values: strings or byte arrays.",
        OPTION_IN_CHOICE(ROW_STRUCT, value_serializer),
        .choices = SERIALIZERS,
        .def = "org.apache.kafka.common.serialization.StringSerializer",
    },
    KAFKA_IGNORED_ROW("retries", "How often a record is sent again.",
                      "records are sent again until they are delivered"),
    KAFKA_IGNORED_ROW("metadata_fetch_timeout_ms", "How long to wait for what a topic looks like.",
                      "records wait for it as they wait for a broker"),
    KAFKA_NO_ROW("broker_list", "The brokers, once.", "use bootstrap_servers"),
    KAFKA_NO_ROW("ssl", "TLS, once.", "use security_protocol => \"SSL\""),
    KAFKA_IGNORED_ROW("block_on_buffer_full", "What to do when records wait, once.",
                      "inputs wait when as much waits as pipeline.memory allows"),
    KAFKA_IGNORED_ROW("timeout_ms", "How long brokers may take among themselves, once.",
                      "use request_timeout_ms"),
    KAFKA_IGNORED_ROW("producer_type", "Whether records are sent in batches, once.",
                      "they are; batch_size and linger_ms say how"),
    KAFKA_NO_ROW("serializer_class", "A Java class for values, once.", "use codec"),
    KAFKA_NO_ROW("key_serializer_class", "A Java class for keys, once.",
                 "leave it out: keys are texts"),
    KAFKA_NO_ROW("partitioner_class", "A Java class that chooses partitions, once.",
                 "use partitioner => \"round_robin\", or message_key"),
    KAFKA_NO_ROW("compression_codec", "How batches are compressed, once.", "use compression_type"),
    KAFKA_NO_ROW("request_required_acks", "How many brokers have a record, once.", "use acks"),
    KAFKA_CLIENT_ROWS(ROW_STRUCT, client),
    OPTION_END,
};
