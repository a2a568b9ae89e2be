/* SPDX-License-Identifier: Apache-2.0
 *
 * What the input and the output of RabbitMQ have in common: how the broker is reached, and tables of the configuration.
 */
#ifndef MILLRACE_PIPELINE_RABBITMQ_OPTIONS_H
#define MILLRACE_PIPELINE_RABBITMQ_OPTIONS_H

#include "io/rabbitmq.h"
#include "pipeline/plugin.h"

struct rabbitmq_client {
    struct option_strings hosts;
    int64_t port, retry_ms, timeout_ms, heartbeat_ms;
    struct str user, password, vhost, certificate_path, certificate_password;
    struct option_strings authorities, versions;
    bool ssl;
};

#define RABBITMQ_CLIENT_OPTIONS(struct_type, client)                                               \
    {                                                                                              \
        .name = "host",                                                                            \
        .doc = "Brokers, each with a port of its own or without; tried in turn.",                  \
        OPTION_IN_STRINGS(struct_type, client.hosts),                                              \
        .flags = OPTION_REQUIRED,                                                                  \
    },                                                                                             \
        {                                                                                          \
            .name = "port",                                                                        \
            .doc = "Port of those without one.",                                                   \
            OPTION_IN_INT(struct_type, client.port),                                               \
            .min = 1,                                                                              \
            .max = 65535,                                                                          \
            .def = "5672",                                                                         \
        },                                                                                         \
        {                                                                                          \
            .name = "user",                                                                        \
            .doc = "Who we are.",                                                                  \
            OPTION_IN_STRING(struct_type, client.user),                                            \
            .def = "guest",                                                                        \
        },                                                                                         \
        {                                                                                          \
            .name = "password",                                                                    \
            .doc = "The password.",                                                                \
            OPTION_IN_PASSWORD(struct_type, client.password),                                      \
            .def = "guest",                                                                        \
            .flags = OPTION_SECRET,                                                                \
        },                                                                                         \
        {                                                                                          \
            .name = "vhost",                                                                       \
            .doc = "The virtual host.",                                                            \
            OPTION_IN_STRING(struct_type, client.vhost),                                           \
            .def = "/",                                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "heartbeat",                                                                   \
            .doc = "Seconds between two signs of life; 0: none are sent or awaited.",              \
            OPTION_IN_DURATION_MS(struct_type, client.heartbeat_ms),                               \
            .min = 0,                                                                              \
            .max = 3600000,                                                                        \
            .def = "0",                                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "connection_timeout",                                                          \
            .doc = "Milliseconds that connecting and declaring may take.",                         \
            OPTION_IN_DURATION_MS(struct_type, client.timeout_ms),                                 \
            .unit_ms = 1,                                                                          \
            .min = 1,                                                                              \
            .max = 2147480000,                                                                     \
            .def = "60000",                                                                        \
        },                                                                                         \
        {                                                                                          \
            .name = "connect_retry_interval",                                                      \
            .doc = "Seconds after which it is tried again.",                                       \
            OPTION_IN_DURATION_MS(struct_type, client.retry_ms),                                   \
            .min = 1,                                                                              \
            .max = 2147480000,                                                                     \
            .def = "1",                                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "automatic_recovery",                                                          \
            .doc = "Connect again after a failure.",                                               \
            .note = "connections are always made again",                                           \
            OPTION_NOWHERE,                                                                        \
            .flags = OPTION_IGNORED,                                                               \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl",                                                                         \
            .doc = "Connect by TLS. The broker's certificate is looked at only with "              \
                   "ssl_certificate_authorities, as in Logstash.",                                 \
            OPTION_IN_BOOL(struct_type, client.ssl),                                               \
            .def = "false",                                                                        \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl_version",                                                                 \
            .doc = "TLSv1.1, TLSv1.2 or TLSv1.3; default: the last two.",                          \
            OPTION_IN_STRINGS(struct_type, client.versions),                                       \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl_certificate_path",                                                        \
            .doc = "PKCS#12 file with our certificate and key.",                                   \
            OPTION_IN_PATH(struct_type, client.certificate_path),                                  \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl_certificate_password",                                                    \
            .doc = "Its password.",                                                                \
            OPTION_IN_PASSWORD(struct_type, client.certificate_password),                          \
            .flags = OPTION_SECRET,                                                                \
        },                                                                                         \
    {                                                                                              \
        .name = "ssl_certificate_authorities",                                                     \
        .doc = "PEM files of the authorities: the broker's certificate must be good for its "      \
               "name. Only here.",                                                                 \
        OPTION_IN_STRINGS(struct_type, client.authorities),                                        \
    }

bool rabbitmq_client_check(const struct rabbitmq_client *client, struct error *err);
/* NULL without TLS, or with *err_out true. */
bool rabbitmq_client_tls(const struct rabbitmq_client *client, struct arena *arena,
                         struct tls_context **out, struct error *err);
/* Where the index-th attempt goes, counted round the hosts; fills host, port and what is the same for all. */
void rabbitmq_client_fill(const struct rabbitmq_client *client, struct arena *arena, size_t index,
                          struct rabbit_options *out);

/* A hash, or pairs in an array, of texts and numbers: numbers stay numbers, true and false stay what they are. */
bool rabbitmq_pairs(const char *option, const struct conf_pair *pairs, size_t count,
                    struct arena *arena, struct rabbit_pair **out, struct error *err);

#endif
