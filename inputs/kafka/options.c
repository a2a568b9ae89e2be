/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/kafka/kafka.h"

#include <string.h>

enum {
    PREFETCH_FULL_BACKOFF_MS =
        5, /* how soon a partition whose queue was full is fetched from again */
    /* librdkafka wants answers to be as large as records that a producer may send, which this client is not. */
    MESSAGE_BYTES_LEAST = 1000,
    MESSAGE_BYTES_MOST = 1000000,
};

/* Parts of the memory, with the least and the most in bytes. What is fetched is compressed, and five times as much or more
 * in the queue: so an answer is smaller than the queue that it goes into, which may be passed by one answer. */
struct memory_part {
    size_t part, least, most;
};
static const struct memory_part QUEUE = {256, 64 * 1024, 1024 * 1024}; /* of one partition */
static const struct memory_part FETCH = {32, 256 * 1024, 8 * 1024 * 1024};
static const struct memory_part PARTITION_FETCH = {1024, 64 * 1024, 256 * 1024};
/* What a user asks for is given, up to a part of the memory. */
static const struct memory_part FETCH_MOST = {16, 1024 * 1024, SIZE_MAX};

static const char *const RESETS[] = {"latest", "earliest", "none", NULL};
static const char *const RESET_PROPERTIES[] = {"latest", "earliest", "error"};
static const char *const ISOLATIONS[] = {"read_uncommitted", "read_committed", NULL};
static const char *const DECORATIONS[] = {"none", "basic", "extended", "false", "true", NULL};
static const char *const PROTOCOLS[] = {"classic", NULL};
static const char *const DESERIALIZERS[] = {
    "org.apache.kafka.common.serialization.StringDeserializer",
    "org.apache.kafka.common.serialization.ByteArrayDeserializer",
    NULL,
};
/* What the watermark stands on. */
static const char *const OURS[] = {"enable.auto.commit", "enable.auto.offset.store",
                                   "auto.commit.enable", "enable.partition.eof",
                                   "log.queue",          "rebalance_cb",
                                   "offset_commit_cb",   NULL};

static const struct {
    const char *name, *property;
} STRATEGIES[] = {
    {"range", "range"},
    {"org.apache.kafka.clients.consumer.RangeAssignor", "range"},
    {"round_robin", "roundrobin"},
    {"org.apache.kafka.clients.consumer.RoundRobinAssignor", "roundrobin"},
    {"cooperative_sticky", "cooperative-sticky"},
    {"org.apache.kafka.clients.consumer.CooperativeStickyAssignor", "cooperative-sticky"},
};

static const char *strategy_property(struct str name)
{
    for (size_t i = 0; i < sizeof STRATEGIES / sizeof STRATEGIES[0]; i++)
        if (str_equal(name, str_from(STRATEGIES[i].name)))
            return STRATEGIES[i].property;
    return NULL;
}

static bool apply_strategy(const struct kafka_input_options *options, struct arena *arena,
                           struct kafka_conf *conf, struct error *err)
{
    const char *option = "partition_assignment_strategy";
    struct str list = STR("cooperative-sticky");
    for (size_t i = 0; i < options->strategy.count; i++) {
        const char *property = strategy_property(options->strategy.items[i]);
        if (!property)
            return error_set(err, ERROR_CONFIG,
                             "%s: '%.*s' is not known; use range, round_robin or "
                             "cooperative_sticky",
                             option, STR_FMT(options->strategy.items[i]));
        list =
            i == 0 ? str_from(property) : arena_printf(arena, "%.*s,%s", STR_FMT(list), property);
    }
    return kafka_set(conf, option, "partition.assignment.strategy", arena_cstr(arena, list), err);
}

static bool apply_group(const struct kafka_input_options *options, struct kafka_conf *conf,
                        struct error *err)
{
    return kafka_set(conf, "group_id", "group.id", options->group_id.ptr, err) &&
           (options->group_instance_id.len == 0 ||
            kafka_set(conf, "group_instance_id", "group.instance.id",
                      options->group_instance_id.ptr, err)) &&
           (options->client_rack.len == 0 ||
            kafka_set(conf, "client_rack", "client.rack", options->client_rack.ptr, err)) &&
           kafka_set_number(conf, "session_timeout_ms", "session.timeout.ms",
                            options->session_timeout_ms, err) &&
           kafka_set_number(conf, "heartbeat_interval_ms", "heartbeat.interval.ms",
                            options->heartbeat_interval_ms, err) &&
           kafka_set_number(conf, "max_poll_interval_ms", "max.poll.interval.ms",
                            options->max_poll_interval_ms, err) &&
           kafka_set(conf, "enable_auto_commit", "enable.auto.commit", "true", err) &&
           kafka_set(conf, "enable_auto_commit", "enable.auto.offset.store", "false", err) &&
           kafka_set_number(conf, "auto_commit_interval_ms", "auto.commit.interval.ms",
                            options->auto_commit_interval_ms, err);
}

static int64_t part_of(size_t memory_bytes, const struct memory_part *part)
{
    size_t bytes = memory_bytes / part->part;
    if (bytes < part->least)
        bytes = part->least;
    return (int64_t)(bytes < part->most ? bytes : part->most);
}

/* option 0: by the memory */
static int64_t fetch_bytes(int64_t option, size_t memory_bytes, const struct memory_part *part)
{
    int64_t most = part_of(memory_bytes, &FETCH_MOST);
    if (option == 0)
        return part_of(memory_bytes, part);
    return option < most ? option : most;
}

static bool apply_sizes(const struct kafka_input_options *options, size_t memory_bytes,
                        struct kafka_conf *conf, struct error *err)
{
    int64_t each = fetch_bytes(options->max_partition_fetch_bytes, memory_bytes, &PARTITION_FETCH);
    int64_t all = fetch_bytes(options->fetch_max_bytes, memory_bytes, &FETCH);
    if (all < MESSAGE_BYTES_LEAST)
        all = MESSAGE_BYTES_LEAST;
    int64_t message = all < MESSAGE_BYTES_MOST ? all : MESSAGE_BYTES_MOST;
    return kafka_set_number(conf, "max_partition_fetch_bytes", "fetch.message.max.bytes", each,
                            err) &&
           kafka_set_number(conf, "fetch_max_bytes", "message.max.bytes", message, err) &&
           kafka_set_number(conf, "fetch_max_bytes", "fetch.max.bytes", all, err) &&
           kafka_set_number(conf, "pipeline.memory", "queued.max.messages.kbytes",
                            part_of(memory_bytes, &QUEUE) / 1024, err) &&
           kafka_set_number(conf, "fetch_max_wait_ms", "fetch.queue.backoff.ms",
                            PREFETCH_FULL_BACKOFF_MS, err);
}

static bool apply_fetching(const struct kafka_input_options *options, struct kafka_conf *conf,
                           struct error *err)
{
    return kafka_set(conf, "auto_offset_reset", "auto.offset.reset",
                     RESET_PROPERTIES[options->auto_offset_reset], err) &&
           kafka_set(conf, "isolation_level", "isolation.level",
                     ISOLATIONS[options->isolation_level], err) &&
           kafka_set(conf, "check_crcs", "check.crcs", options->check_crcs ? "true" : "false",
                     err) &&
           kafka_set(conf, "auto_create_topics", "allow.auto.create.topics",
                     options->auto_create_topics ? "true" : "false", err) &&
           (!options->exclude_internal_topics ||
            kafka_set(conf, "exclude_internal_topics", "topic.blacklist",
                      "^__consumer_offsets$,^__transaction_state$", err)) &&
           kafka_set_number(conf, "fetch_min_bytes", "fetch.min.bytes", options->fetch_min_bytes,
                            err) &&
           kafka_set_number(conf, "fetch_max_wait_ms", "fetch.wait.max.ms",
                            options->fetch_max_wait_ms, err);
}

struct kafka_conf *kafka_input_conf(const struct kafka_input_options *options, size_t memory_bytes,
                                    struct arena *arena, struct error *err)
{
    struct kafka_conf *conf = kafka_conf_new();
    if (kafka_client_apply(&options->client, arena, conf, err) &&
        apply_strategy(options, arena, conf, err) && apply_group(options, conf, err) &&
        apply_fetching(options, conf, err) && apply_sizes(options, memory_bytes, conf, err) &&
        kafka_properties_apply(&options->client.properties, OURS, arena, conf, err))
        return conf;
    kafka_conf_free(conf);
    return NULL;
}

const char *const *kafka_input_topics(const struct kafka_input_options *options,
                                      struct arena *arena)
{
    const char **list = arena_alloc(arena, (options->topics.count + 2) * sizeof(const char *));
    size_t count = 0;
    if (options->topics_pattern.len > 0)
        list[count++] =
            arena_cstr(arena, arena_printf(arena, "^(%.*s)$", STR_FMT(options->topics_pattern)));
    else
        for (size_t i = 0; i < options->topics.count; i++)
            list[count++] = arena_cstr(arena, options->topics.items[i]);
    list[count] = NULL;
    return list;
}

#define ROW_STRUCT struct kafka_input_options
#define SCHEMA_ROW(name)                                                                           \
    KAFKA_NO_ROW(name, "Part of a schema registry for Avro.",                                      \
                 "a registry is not asked: codec => avro reads values without a registry's "       \
                 "header by a schema that you give it, or let the producer write JSON")

const struct option kafka_input_rows[] = {
    {
        .name = "topics",
        .doc = "Topics to read.",
        OPTION_IN_STRINGS(ROW_STRUCT, topics),
        .def = "logstash",
    },
    {
        .name = "topics_pattern",
        .doc = "Instead of topics: a POSIX regular expression for the whole name of a topic.",
        OPTION_IN_STRING(ROW_STRUCT, topics_pattern),
    },
    {
        .name = "codec",
        .doc = "How the value of a record becomes events.",
        OPTION_IN_CODEC(ROW_STRUCT, codec),
    },
    {
        .name = "group_id",
        .doc = "The consumer group: its members share the partitions.",
        OPTION_IN_STRING(ROW_STRUCT, group_id),
        .def = "logstash",
    },
    KAFKA_TEXT_ROW("group_instance_id",
                   "A name of this member that stays: it keeps its partitions "
                   "over a short restart.",
                   ROW_STRUCT, group_instance_id),
    {
        .name = "group_protocol",
        .doc = "How the group agrees.",
        OPTION_IN_CHOICE(ROW_STRUCT, group_protocol),
        .choices = PROTOCOLS,
        .def = "classic",
    },
    {
        .name = "auto_offset_reset",
        .doc = "Where to begin in a partition that has no committed offset.",
        OPTION_IN_CHOICE(ROW_STRUCT, auto_offset_reset),
        .choices = RESETS,
        .def = "latest",
    },
    {
        .name = "decorate_events",
        .doc = "What [@metadata][kafka] has: basic: topic, consumer_group, partition, offset, key "
               "and timestamp; extended: headers too.",
        OPTION_IN_CHOICE(ROW_STRUCT, decorate),
        .choices = DECORATIONS,
        .def = "none",
    },
    {
        .name = "partition_assignment_strategy",
        .doc = "range, round_robin or cooperative_sticky, which is used when absent.",
        OPTION_IN_STRINGS(ROW_STRUCT, strategy),
    },
    {
        .name = "isolation_level",
        .doc = "Whether records of transactions that are not committed are read.",
        OPTION_IN_CHOICE(ROW_STRUCT, isolation_level),
        .choices = ISOLATIONS,
        .def = "read_uncommitted",
    },
    KAFKA_NUMBER_ROW("auto_commit_interval_ms",
                     "How often offsets are committed, each up to where "
                     "every output has the events.",
                     ROW_STRUCT, auto_commit_interval_ms, 1, KAFKA_DAY_MS, "5000"),
    KAFKA_NUMBER_ROW("session_timeout_ms",
                     "A member that is not heard of for so long loses its partitions.", ROW_STRUCT,
                     session_timeout_ms, 1, 3600000, "10000"),
    KAFKA_NUMBER_ROW("heartbeat_interval_ms", "How often a member says that it is there.",
                     ROW_STRUCT, heartbeat_interval_ms, 1, 3600000, "3000"),
    KAFKA_NUMBER_ROW("max_poll_interval_ms",
                     "A member that hangs for so long loses its partitions.", ROW_STRUCT,
                     max_poll_interval_ms, 1, KAFKA_DAY_MS, "300000"),
    KAFKA_NUMBER_ROW("fetch_min_bytes", "A broker answers when it has so much.", ROW_STRUCT,
                     fetch_min_bytes, 1, 100000000, "1"),
    KAFKA_NUMBER_ROW("fetch_max_wait_ms", "Or after so long.", ROW_STRUCT, fetch_max_wait_ms, 0,
                     300000, "500"),
    KAFKA_NUMBER_ROW("fetch_max_bytes",
                     "Most bytes of one answer; 0: by pipeline.memory, 8 MiB at most. More than a "
                     "sixteenth of the memory is not asked for.",
                     ROW_STRUCT, fetch_max_bytes, 0, 90000000, "0"),
    KAFKA_NUMBER_ROW("max_partition_fetch_bytes",
                     "Most bytes of one partition in it; 0: by pipeline.memory, 256 KiB at most. A "
                     "larger record comes all the same.",
                     ROW_STRUCT, max_partition_fetch_bytes, 0, 90000000, "0"),
    KAFKA_NUMBER_ROW("max_uncommitted",
                     "So many events of a partition may be under way at once; at most about so "
                     "many come again after a crash. 0: as many as pipeline.memory allows.",
                     ROW_STRUCT, max_uncommitted, 0, 1000000000, "100000"),
    {
        .name = "max_uncommitted_age",
        .doc = "A partition whose oldest event under way is older is not read until it has "
               "arrived. 0: however old.",
        OPTION_IN_DURATION_MS(ROW_STRUCT, max_uncommitted_age_ms),
        .def = "0",
    },
    {
        .name = "check_crcs",
        .doc = "Whether checksums of records are checked.",
        OPTION_IN_BOOL(ROW_STRUCT, check_crcs),
        .def = "true",
    },
    {
        .name = "auto_create_topics",
        .doc = "Whether asking for a topic may make it, where the brokers allow that.",
        OPTION_IN_BOOL(ROW_STRUCT, auto_create_topics),
        .def = "true",
    },
    {
        .name = "exclude_internal_topics",
        .doc = "Whether topics_pattern leaves out the brokers' own topics.",
        OPTION_IN_BOOL(ROW_STRUCT, exclude_internal_topics),
        .def = "true",
    },
    KAFKA_TEXT_ROW("client_rack", "Where this client is, for brokers that let it read nearby.",
                   ROW_STRUCT, client_rack),
    {
        .name = "key_deserializer_class",
        .doc = "Java's class for keys: strings or byte arrays.",
        OPTION_IN_CHOICE(ROW_STRUCT, key_deserializer),
        .choices = DESERIALIZERS,
        .def = "org.apache.kafka.common.serialization.StringDeserializer",
    },
    {
        .name = "value_deserializer_class",
        .doc = "Java's class for values: strings or byte arrays.",
        OPTION_IN_CHOICE(ROW_STRUCT, value_deserializer),
        .choices = DESERIALIZERS,
        .def = "org.apache.kafka.common.serialization.StringDeserializer",
    },
    KAFKA_IGNORED_ROW("enable_auto_commit", "Whether offsets are committed at intervals.",
                      "they are, and never before every output has the events"),
    KAFKA_IGNORED_ROW("consumer_threads", "How many consumers read.",
                      "one does; all lanes filter what it reads"),
    KAFKA_IGNORED_ROW("poll_timeout_ms", "How long one poll waits.", "nothing waits"),
    KAFKA_IGNORED_ROW("max_poll_records", "Most records of one poll.",
                      "pipeline.batch.size and the memory limit decide"),
    SCHEMA_ROW("schema_registry_url"),
    SCHEMA_ROW("schema_registry_key"),
    SCHEMA_ROW("schema_registry_secret"),
    SCHEMA_ROW("schema_registry_proxy"),
    SCHEMA_ROW("schema_registry_validation"),
    SCHEMA_ROW("schema_registry_ssl_keystore_location"),
    SCHEMA_ROW("schema_registry_ssl_keystore_password"),
    SCHEMA_ROW("schema_registry_ssl_keystore_type"),
    SCHEMA_ROW("schema_registry_ssl_truststore_location"),
    SCHEMA_ROW("schema_registry_ssl_truststore_password"),
    SCHEMA_ROW("schema_registry_ssl_truststore_type"),
    KAFKA_NO_ROW("zk_connect", "Where ZooKeeper is, once.", "use bootstrap_servers"),
    KAFKA_NO_ROW("topic_id", "The topic, once.", "use topics"),
    KAFKA_NO_ROW("white_list", "Topics by a pattern, once.", "use topics_pattern"),
    KAFKA_NO_ROW("black_list", "Topics by a pattern that are left out, once.",
                 "use topics_pattern for those that are wanted"),
    KAFKA_NO_ROW("reset_beginning", "To read all once more, once.",
                 "use another group_id with auto_offset_reset => \"earliest\""),
    KAFKA_NO_ROW("fetch_message_max_bytes", "Most bytes of a partition in an answer, once.",
                 "use max_partition_fetch_bytes"),
    KAFKA_NO_ROW("consumer_id", "The name of this client, once.", "use client_id"),
    KAFKA_NO_ROW("decoder_class", "A Java class for values, once.", "use codec"),
    KAFKA_NO_ROW("key_decoder_class", "A Java class for keys, once.",
                 "leave it out: keys are texts"),
    KAFKA_NO_ROW("ssl", "TLS, once.", "use security_protocol => \"SSL\""),
    KAFKA_IGNORED_ROW("queue_size", "How much is read ahead, once.", "pipeline.memory decides"),
    KAFKA_IGNORED_ROW("rebalance_max_retries", "How often a rebalance is tried, once.",
                      "the group agrees by itself"),
    KAFKA_IGNORED_ROW("rebalance_backoff_ms", "Pause between those, once.",
                      "the group agrees by itself"),
    KAFKA_IGNORED_ROW("consumer_timeout_ms", "How long to wait for records, once.",
                      "nothing waits"),
    KAFKA_IGNORED_ROW("consumer_restart_on_error", "Whether to go on after an error, once.",
                      "it goes on"),
    KAFKA_IGNORED_ROW("consumer_restart_sleep_ms", "Pause before that, once.", "it goes on"),
    KAFKA_CLIENT_ROWS(ROW_STRUCT, client),
    OPTION_END,
};
