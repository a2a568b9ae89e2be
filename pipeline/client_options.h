/* SPDX-License-Identifier: Apache-2.0
 *
 * What the plugins that speak HTTP as clients have in common: the TLS options of a client, with the names that Logstash gives
 * them now and gave them before, and the way from there to the options of the HTTP client.
 */
#ifndef MILLRACE_PIPELINE_CLIENT_OPTIONS_H
#define MILLRACE_PIPELINE_CLIENT_OPTIONS_H

#include "io/http_client.h"
#include "pipeline/plugin.h"
#include "pipeline/tls_options.h"

enum client_tls_enabled { CLIENT_TLS_AUTO, CLIENT_TLS_ON, CLIENT_TLS_OFF };
enum client_tls_verification { CLIENT_VERIFY_FULL, CLIENT_VERIFY_NONE };

struct client_tls {
    int enabled;      /* enum client_tls_enabled */
    int verification; /* enum client_tls_verification */
    struct option_strings authorities;
    struct str certificate, key, key_passphrase;
    struct option_strings protocols, ciphers;
    struct str keystore_path, keystore_password, keystore_type;
    struct str truststore_path, truststore_password, truststore_type;
};

extern const char *const client_auto_true_false[];    /* auto, true, false */
extern const char *const client_verification_modes[]; /* full, none */
extern const char *const client_true_false[];         /* true, false */

/* The rows of struct client_tls inside a plugin's struct. */
#define CLIENT_TLS_OPTIONS(struct_type, tls)                                                       \
    {                                                                                              \
        .name = "ssl_enabled",                                                                     \
        .doc = "Whether connections use TLS; auto: as the URL says.",                              \
        OPTION_IN_CHOICE(struct_type, tls.enabled),                                                \
        .choices = client_auto_true_false,                                                         \
        .def = "auto",                                                                             \
    },                                                                                             \
        {                                                                                          \
            .name = "ssl_verification_mode",                                                       \
            .doc =                                                                                 \
                "full: the server's certificate must be valid and for its name; none: anything.",  \
            OPTION_IN_CHOICE(struct_type, tls.verification),                                       \
            .choices = client_verification_modes,                                                  \
            .def = "full",                                                                         \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl_certificate_authorities",                                                 \
            .doc = "PEM files of the certificates that are trusted instead of the system's.",      \
            OPTION_IN_STRINGS(struct_type, tls.authorities),                                       \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl_certificate",                                                             \
            .doc = "PEM file of the client's certificate.",                                        \
            OPTION_IN_PATH(struct_type, tls.certificate),                                          \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl_key",                                                                     \
            .doc = "PEM file of the client certificate's key.",                                    \
            OPTION_IN_PATH(struct_type, tls.key),                                                  \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl_key_passphrase",                                                          \
            .doc = "Password of the client certificate's key.",                                    \
            OPTION_IN_PASSWORD(struct_type, tls.key_passphrase),                                   \
            .flags = OPTION_SECRET,                                                                \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl_supported_protocols",                                                     \
            .doc = "TLS versions that may be used: TLSv1.1, TLSv1.2, TLSv1.3.",                    \
            OPTION_IN_STRINGS(struct_type, tls.protocols),                                         \
        },                                                                                         \
        {                                                                                          \
            .name = "ssl_cipher_suites",                                                           \
            .doc = "Cipher suites for TLS up to 1.2, by their OpenSSL names.",                     \
            OPTION_IN_STRINGS(struct_type, tls.ciphers),                                           \
        },                                                                                         \
        TLS_STORE_ROWS(struct_type, tls)

/* The same settings under the names of Logstash 8 and before. */
#define CLIENT_OLD_TLS_OPTIONS(struct_type, tls)                                                   \
    {                                                                                              \
        .name = "ssl",                                                                             \
        .doc = "The old name of ssl_enabled.",                                                     \
        .note = "write ssl_enabled",                                                               \
        OPTION_IN_CHOICE(struct_type, tls.enabled),                                                \
        .choices = client_auto_true_false,                                                         \
        .flags = OPTION_DEPRECATED,                                                                \
    },                                                                                             \
        {                                                                                          \
            .name = "ssl_certificate_verification",                                                \
            .doc = "The old form of ssl_verification_mode.",                                       \
            .note = "write ssl_verification_mode => full or none",                                 \
            OPTION_IN_CHOICE(struct_type, tls.verification),                                       \
            .choices = client_true_false,                                                          \
            .flags = OPTION_DEPRECATED,                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "cacert",                                                                      \
            .doc = "The old name of ssl_certificate_authorities.",                                 \
            .note = "write ssl_certificate_authorities",                                           \
            OPTION_IN_STRINGS(struct_type, tls.authorities),                                       \
            .flags = OPTION_DEPRECATED,                                                            \
        },                                                                                         \
        CLIENT_OLD_STORE_ROW("keystore", "ssl_keystore_path", STRING, struct_type,                 \
                             tls.keystore_path),                                                   \
        CLIENT_OLD_STORE_ROW("keystore_password", "ssl_keystore_password", PASSWORD, struct_type,  \
                             tls.keystore_password),                                               \
        CLIENT_OLD_STORE_ROW("keystore_type", "ssl_keystore_type", STRING, struct_type,            \
                             tls.keystore_type),                                                   \
        CLIENT_OLD_STORE_ROW("truststore", "ssl_truststore_path", STRING, struct_type,             \
                             tls.truststore_path),                                                 \
        CLIENT_OLD_STORE_ROW("truststore_password", "ssl_truststore_password", PASSWORD,           \
                             struct_type, tls.truststore_password),                                \
        CLIENT_OLD_STORE_ROW("truststore_type", "ssl_truststore_type", STRING, struct_type,        \
                             tls.truststore_type)

#define CLIENT_SECRET_STRING   0
#define CLIENT_SECRET_PASSWORD OPTION_SECRET
#define CLIENT_OLD_STORE_ROW(option_name, instead, kind, s, m)                                     \
    {                                                                                              \
        .name = option_name, .doc = "The old name of " instead ".", .note = "write " instead,      \
        OPTION_IN_##kind(s, m), .flags = OPTION_DEPRECATED | CLIENT_SECRET_##kind,                 \
    }

#define CLIENT_IGNORED_OPTION(option_name, option_doc, option_note)                                \
    {                                                                                              \
        .name = option_name, .doc = option_doc, .note = option_note, OPTION_NOWHERE,               \
        .flags = OPTION_IGNORED,                                                                   \
    }

/* What Logstash's plugins have that share its HTTP client: the http output and filter, http_poller. */
struct client_connection {
    int64_t request_timeout_ms, connect_timeout_ms;
    int64_t pool_max, pool_max_per_route;
    bool follow_redirects, keepalive, cookies;
    struct str proxy, user, password;
    struct client_tls tls;
};

#define CLIENT_CONNECTION_OPTIONS(struct_type, member)                                             \
    {                                                                                              \
        .name = "request_timeout",                                                                 \
        .doc = "How long a request may take.",                                                     \
        OPTION_IN_DURATION_MS(struct_type, member.request_timeout_ms),                             \
        .min = 1,                                                                                  \
        .max = 24 * 3600 * 1000.0,                                                                 \
        .def = "60",                                                                               \
    },                                                                                             \
        {                                                                                          \
            .name = "connect_timeout",                                                             \
            .doc = "How long connecting may take.",                                                \
            OPTION_IN_DURATION_MS(struct_type, member.connect_timeout_ms),                         \
            .min = 1,                                                                              \
            .max = 24 * 3600 * 1000.0,                                                             \
            .def = "10",                                                                           \
        },                                                                                         \
        {                                                                                          \
            .name = "follow_redirects",                                                            \
            .doc = "Send again where a redirect says.",                                            \
            OPTION_IN_BOOL(struct_type, member.follow_redirects),                                  \
            .def = "true",                                                                         \
        },                                                                                         \
        {                                                                                          \
            .name = "pool_max",                                                                    \
            .doc = "Largest number of connections at once.",                                       \
            OPTION_IN_INT(struct_type, member.pool_max),                                           \
            .min = 1,                                                                              \
            .max = 10000,                                                                          \
            .def = "50",                                                                           \
        },                                                                                         \
        {                                                                                          \
            .name = "pool_max_per_route",                                                          \
            .doc = "Largest number of connections to one server at once.",                         \
            OPTION_IN_INT(struct_type, member.pool_max_per_route),                                 \
            .min = 1,                                                                              \
            .max = 10000,                                                                          \
            .def = "25",                                                                           \
        },                                                                                         \
        {                                                                                          \
            .name = "keepalive",                                                                   \
            .doc = "Use a connection for more than one request.",                                  \
            OPTION_IN_BOOL(struct_type, member.keepalive),                                         \
            .def = "true",                                                                         \
        },                                                                                         \
        {                                                                                          \
            .name = "cookies",                                                                     \
            .doc = "Send cookies back.",                                                           \
            OPTION_IN_BOOL(struct_type, member.cookies),                                           \
            .def = "true",                                                                         \
        },                                                                                         \
        {                                                                                          \
            .name = "proxy",                                                                       \
            .doc = "URL of the proxy that requests go through.",                                   \
            OPTION_IN_STRING(struct_type, member.proxy),                                           \
        },                                                                                         \
        {                                                                                          \
            .name = "user",                                                                        \
            .doc = "Name for basic authentication, sent at once.",                                 \
            OPTION_IN_STRING(struct_type, member.user),                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "password",                                                                    \
            .doc = "Password for basic authentication.",                                           \
            OPTION_IN_PASSWORD(struct_type, member.password),                                      \
            .flags = OPTION_SECRET,                                                                \
        },                                                                                         \
        CLIENT_TLS_OPTIONS(struct_type, member.tls),                                               \
        CLIENT_OLD_TLS_OPTIONS(struct_type, member.tls),                                           \
        {                                                                                          \
            .name = "client_cert",                                                                 \
            .doc = "The old name of ssl_certificate.",                                             \
            .note = "write ssl_certificate",                                                       \
            OPTION_IN_PATH(struct_type, member.tls.certificate),                                   \
            .flags = OPTION_DEPRECATED,                                                            \
        },                                                                                         \
        {                                                                                          \
            .name = "client_key",                                                                  \
            .doc = "The old name of ssl_key.",                                                     \
            .note = "write ssl_key",                                                               \
            OPTION_IN_PATH(struct_type, member.tls.key),                                           \
            .flags = OPTION_DEPRECATED,                                                            \
        },                                                                                         \
        CLIENT_IGNORED_OPTION("socket_timeout", "How long the server may be silent.",              \
                              "request_timeout bounds the whole request"),                         \
        CLIENT_IGNORED_OPTION(                                                                     \
            "automatic_retries", "Tries on one connection.",                                       \
            "a request on a connection that was closed meanwhile is sent on a new one"),           \
        CLIENT_IGNORED_OPTION(                                                                     \
            "retry_non_idempotent", "Whether automatic_retries holds for POST.",                   \
            "a request on a connection that was closed meanwhile is sent on a new one"),           \
        CLIENT_IGNORED_OPTION("validate_after_inactivity",                                         \
                              "When an idle connection is checked before use.",                    \
                              "idle connections are checked before every use")

bool client_connection_check(const struct client_connection *connection, struct error *err);
/* Fills all of *out but max_response_bytes, charged and compression_level. */
bool client_connection_apply(const struct client_connection *connection,
                             const struct plugin_env *env, struct http_client_options *out,
                             struct error *err);
/* A client with these options; NULL and *err. charged: with what it holds (io/http_client.h). */
struct http_client *client_connection_open(const struct client_connection *connection,
                                           const struct plugin_env *env, size_t max_response_bytes,
                                           struct account *charged, struct error *err);

/* http:// or https:// and something behind it, without blanks. */
bool client_url_is_valid(struct str url);
bool client_url_begins(struct str url); /* the first half of it */
/* Appends a URL made of fields: bytes that cannot stand in one come out as %XX. */
bool client_append_url(struct str text, struct buf *out);

/* Across the options; reads nothing. */
bool client_tls_check(const struct client_tls *tls, struct error *err);
/* Reads the files and fills the TLS members of *out, in arena. Stores are read once. */
bool client_tls_apply(const struct client_tls *tls, struct arena *arena,
                      struct http_client_options *out, struct error *err);

/* NULL for an absent option. */
const char *client_cstr(struct arena *arena, struct str text);

/* Reads a whole file of at most max_bytes into the arena. */
bool client_read_file(struct arena *arena, const char *path, size_t max_bytes, struct str *out,
                      struct error *err);

/* A list of headers from an option. Values are literal here. NULL and *err for one that cannot be sent. */
struct http_headers *client_headers(const struct option_hash *pairs, struct error *err);

#endif
