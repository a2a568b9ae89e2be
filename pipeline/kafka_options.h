/* SPDX-License-Identifier: Apache-2.0
 *
 * What the Kafka input and output have in common: where the brokers are, TLS, SASL, timeouts and buffers of connections,
 * with Logstash's names, and the way from there to librdkafka's properties. Certificates that are
 * trusted may be in PEM, PKCS#12 or Java's own format; the client's own in PEM or PKCS#12.
 */
#ifndef MILLRACE_PIPELINE_KAFKA_OPTIONS_H
#define MILLRACE_PIPELINE_KAFKA_OPTIONS_H

#include "base/arena.h"
#include "base/buf.h"
#include "conf/option.h"
#include "io/kafka_conf.h"

struct kafka_store {
    struct str location, password;
    struct str type; /* PEM, PKCS12, JKS; absent: by the name of the file */
};

struct kafka_client_options {
    struct str bootstrap_servers, client_id;
    int dns_lookup, security_protocol;
    int64_t connections_max_idle_ms, metadata_max_age_ms, request_timeout_ms;
    int64_t receive_buffer_bytes, send_buffer_bytes;
    int64_t reconnect_backoff_ms, reconnect_backoff_max_ms, retry_backoff_ms;
    struct kafka_store truststore, keystore;
    struct str key_password, endpoint_identification;
    struct str sasl_mechanism, sasl_jaas_config;
    struct option_hash properties;
};

extern const char *const kafka_dns_lookups[];
extern const char *const kafka_security_protocols[];

/* Sets a property from an option; *err names the option. */
bool kafka_set(struct kafka_conf *conf, const char *option, const char *property, const char *value,
               struct error *err);
bool kafka_set_number(struct kafka_conf *conf, const char *option, const char *property,
                      int64_t value, struct error *err);
/* All but `properties`. */
bool kafka_client_apply(const struct kafka_client_options *options, struct arena *arena,
                        struct kafka_conf *conf, struct error *err);
/* Last, so that it wins. `ours` (NULL-terminated): properties that delivery depends on and nobody else may set. */
bool kafka_properties_apply(const struct option_hash *properties, const char *const *ours,
                            struct arena *arena, struct kafka_conf *conf, struct error *err);

/* For -t --connect: who answers and how many partitions the topics have (NULL-terminated; none: brokers only), in a line. conf
 * becomes its own. */
bool kafka_try(struct kafka_conf *conf, struct str servers, const char *const *topics,
               struct buf *said, struct error *err);

#define KAFKA_NUMBER_ROW(option_name, text, struct_type, member, least, most, standard)            \
    {                                                                                              \
        .name = option_name, .doc = text, OPTION_IN_INT(struct_type, member), .min = (least),      \
        .max = (most), .def = standard,                                                            \
    }
#define KAFKA_TEXT_ROW(option_name, text, struct_type, member)                                     \
    {                                                                                              \
        .name = option_name, .doc = text, OPTION_IN_STRING(struct_type, member),                   \
    }
#define KAFKA_SECRET_ROW(option_name, text, struct_type, member)                                   \
    {                                                                                              \
        .name = option_name, .doc = text, OPTION_IN_PASSWORD(struct_type, member),                 \
        .flags = OPTION_SECRET,                                                                    \
    }
#define KAFKA_NO_ROW(option_name, text, instead)                                                   \
    {                                                                                              \
        .name = option_name, .doc = text, .note = instead, OPTION_NOWHERE,                         \
        .flags = OPTION_UNSUPPORTED,                                                               \
    }
#define KAFKA_IGNORED_ROW(option_name, text, why)                                                  \
    {                                                                                              \
        .name = option_name, .doc = text, .note = why, OPTION_NOWHERE, .flags = OPTION_IGNORED,    \
    }
#define KAFKA_NO_OAUTH(option_name)                                                                \
    KAFKA_NO_ROW(option_name, "Part of login by OAuth.",                                           \
                 "use PLAIN or SCRAM over TLS, or a "                                              \
                 "client certificate")

#define KAFKA_DAY_MS 86400000.0

/* The rows of struct kafka_client_options inside a plugin's struct. */
#define KAFKA_CLIENT_ROWS(s, m)                                                                    \
    {                                                                                              \
        .name = "bootstrap_servers",                                                               \
        .doc = "Brokers to ask for the others, as host:port,host:port.",                           \
        OPTION_IN_STRING(s, m.bootstrap_servers),                                                  \
        .def = "localhost:9092",                                                                   \
    },                                                                                             \
        {                                                                                          \
            .name = "client_id",                                                                   \
            .doc = "The name under which brokers log and limit this client.",                      \
            OPTION_IN_STRING(s, m.client_id),                                                      \
            .def = "logstash",                                                                     \
        },                                                                                         \
        {                                                                                          \
            .name = "client_dns_lookup",                                                           \
            .doc = "How addresses of brokers are looked up.",                                      \
            OPTION_IN_CHOICE(s, m.dns_lookup),                                                     \
            .choices = kafka_dns_lookups,                                                          \
            .def = "use_all_dns_ips",                                                              \
        },                                                                                         \
        KAFKA_NUMBER_ROW("connections_max_idle_ms", "Idle connections are closed after so long.",  \
                         s, m.connections_max_idle_ms, 0, KAFKA_DAY_MS, "540000"),                 \
        KAFKA_NUMBER_ROW("metadata_max_age_ms",                                                    \
                         "New topics and partitions are seen within so long.", s,                  \
                         m.metadata_max_age_ms, 10, KAFKA_DAY_MS, "300000"),                       \
        KAFKA_NUMBER_ROW("request_timeout_ms", "How long a broker may take to answer.", s,         \
                         m.request_timeout_ms, 10, 300000, "40000"),                               \
        KAFKA_NUMBER_ROW("receive_buffer_bytes",                                                   \
                         "Receive buffer of a socket; -1 for the system's "                        \
                         "own.",                                                                   \
                         s, m.receive_buffer_bytes, -1, 100000000, "32768"),                       \
        KAFKA_NUMBER_ROW("send_buffer_bytes", "Send buffer of a socket; -1 for the system's own.", \
                         s, m.send_buffer_bytes, -1, 100000000, "131072"),                         \
        KAFKA_NUMBER_ROW("reconnect_backoff_ms", "Pause before a broker is connected to again.",   \
                         s, m.reconnect_backoff_ms, 0, 3600000, "50"),                             \
        KAFKA_NUMBER_ROW("reconnect_backoff_max_ms", "Longest such pause.", s,                     \
                         m.reconnect_backoff_max_ms, 0, 3600000, "1000"),                          \
        KAFKA_NUMBER_ROW("retry_backoff_ms", "Pause before a failed request is sent again.", s,    \
                         m.retry_backoff_ms, 1, 300000, "100"),                                    \
        {                                                                                          \
            .name = "security_protocol",                                                           \
            .doc = "TLS (SSL) or not, login (SASL) or not.",                                       \
            OPTION_IN_CHOICE(s, m.security_protocol),                                              \
            .choices = kafka_security_protocols,                                                   \
            .def = "PLAINTEXT",                                                                    \
        },                                                                                         \
        KAFKA_TEXT_ROW("ssl_truststore_location",                                                  \
                       "File of the certificates that are trusted instead of the system's: PEM, "  \
                       "or a store, PKCS#12 or JKS.",                                              \
                       s, m.truststore.location),                                                  \
        KAFKA_TEXT_ROW("ssl_truststore_type",                                                      \
                       "PEM, PKCS12 or JKS; which kind of store it is, is seen from the file.", s, \
                       m.truststore.type),                                                         \
        KAFKA_SECRET_ROW(                                                                          \
            "ssl_truststore_password",                                                             \
            "Not needed for PEM; without one, a JKS store is not checked for changes.", s,         \
            m.truststore.password),                                                                \
        KAFKA_TEXT_ROW("ssl_keystore_location",                                                    \
                       "The client's certificate and key: PEM, both in one file, or PKCS#12.", s,  \
                       m.keystore.location),                                                       \
        KAFKA_TEXT_ROW("ssl_keystore_type",                                                        \
                       "PEM or PKCS12; when absent the name of the file says it.", s,              \
                       m.keystore.type),                                                           \
        KAFKA_SECRET_ROW("ssl_keystore_password", "Password of the PKCS#12 file.", s,              \
                         m.keystore.password),                                                     \
        KAFKA_SECRET_ROW("ssl_key_password", "Password of the key.", s, m.key_password),           \
        {                                                                                          \
            .name = "ssl_endpoint_identification_algorithm",                                       \
            .doc = "https: a broker's certificate must be for its name; empty: for any.",          \
            OPTION_IN_STRING(s, m.endpoint_identification),                                        \
            .def = "https",                                                                        \
        },                                                                                         \
        KAFKA_TEXT_ROW("sasl_mechanism", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.", s,              \
                       m.sasl_mechanism),                                                          \
        KAFKA_SECRET_ROW("sasl_jaas_config",                                                       \
                         "The login in Java's form; username=\"...\" and password=\"...\" are "    \
                         "taken from it.",                                                         \
                         s, m.sasl_jaas_config),                                                   \
        KAFKA_NO_ROW("jaas_path", "File with the login in Java's form.",                           \
                     "put its entry into sasl_jaas_config"),                                       \
        KAFKA_NO_ROW("kerberos_config", "Settings of Kerberos.",                                   \
                     "Kerberos is not built in: use PLAIN or SCRAM over TLS"),                     \
        KAFKA_NO_ROW("sasl_kerberos_service_name", "Service of the brokers in Kerberos.",          \
                     "Kerberos is not built in: use PLAIN or SCRAM over TLS"),                     \
        KAFKA_NO_ROW("sasl_iam_jar_paths", "Java classes for AWS IAM.",                            \
                     "Java classes cannot be loaded: use SCRAM or a client certificate"),          \
        KAFKA_NO_ROW("sasl_client_callback_handler_class", "A Java class for the login.",          \
                     "Java classes cannot be loaded"),                                             \
        KAFKA_NO_ROW("sasl_login_callback_handler_class", "A Java class for the login.",           \
                     "Java classes cannot be loaded"),                                             \
        KAFKA_NO_OAUTH("sasl_oauthbearer_token_endpoint_url"),                                     \
        KAFKA_NO_OAUTH("sasl_oauthbearer_scope_claim_name"),                                       \
        KAFKA_NO_OAUTH("sasl_login_connect_timeout_ms"),                                           \
        KAFKA_NO_OAUTH("sasl_login_read_timeout_ms"),                                              \
        KAFKA_NO_OAUTH("sasl_login_retry_backoff_ms"),                                             \
        KAFKA_NO_OAUTH("sasl_login_retry_backoff_max_ms"),                                         \
    {                                                                                              \
        .name = "properties",                                                                      \
        .doc = "Further properties of librdkafka, by their names there; they win.",                \
        OPTION_IN_HASH(s, m.properties),                                                           \
    }

#endif
