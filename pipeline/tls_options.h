/* SPDX-License-Identifier: Apache-2.0
 *
 * The TLS options of whoever listens, with Logstash's names of now and before, and of clients that speak their own protocol
 * (outputs that speak HTTP have pipeline/client_options.h). A plugin puts struct tls_options into its own and the rows that
 * its Logstash counterpart has into its table:
 *
 *   TLS_LISTENER_ROWS     ssl_enabled, certificate, key, passphrase, authorities, client authentication, versions, ciphers
 *   TLS_HANDSHAKE_ROW     ssl_handshake_timeout
 *   TLS_STORE_ROWS        PKCS#12 stores in the place of PEM files
 *   TLS_EXTRA_CHAIN_ROW, TLS_VERIFICATION_ROW (client), TLS_OLD_ROWS (old names)
 *
 * check() calls tls_options_check, which also reads the files; open() calls tls_options_open.
 */
#ifndef MILLRACE_PIPELINE_TLS_OPTIONS_H
#define MILLRACE_PIPELINE_TLS_OPTIONS_H

#include "base/arena.h"
#include "conf/option.h"
#include "io/tls_context.h"
#include "pipeline/plugin_env.h"

struct tls_options {
    bool enabled;
    struct str certificate, key, key_passphrase;
    struct option_strings extra_chain, authorities, versions, ciphers;
    struct str client_authentication; /* none, optional, required; old: none, peer, force_peer */
    struct str verification;          /* client: full, certificate, none */
    double min_version, max_version;  /* old; 0: not given */
    int64_t handshake_timeout_ms;
    struct str keystore_path, keystore_password, keystore_type;
    struct str truststore_path, truststore_password, truststore_type;
};

enum tls_side { TLS_SERVER, TLS_CLIENT };

/* What a plugin takes when nothing is said: "none" or "required" for the server, "full" or "none" for the client. */
struct tls_defaults {
    enum tls_side side;
    const char *verify;
};

/* What stands in options is complete and fits together, and its files can be read. True when TLS is off, with a warning
 * when other options of it are given. */
bool tls_options_check(const struct tls_options *options, const struct tls_defaults *defaults,
                       const struct plugin_env *env, struct error *err);
/* NULL without *err when TLS is off. Texts go to env->arena, which outlives the context. */
bool tls_options_open(const struct tls_options *options, const struct tls_defaults *defaults,
                      const struct plugin_env *env, struct tls_context **context_out,
                      struct error *err);

/* The type of a store, which is given with its path only. */
bool tls_check_store(struct str path, struct str type, const char *option, struct error *err);

#define TLS_ROW(option_name, text, kind, s, m)                                                     \
    {                                                                                              \
        .name = option_name, .doc = text, OPTION_IN_##kind(s, m),                                  \
    }
#define TLS_SECRET_ROW(option_name, text, s, m)                                                    \
    {                                                                                              \
        .name = option_name, .doc = text, OPTION_IN_PASSWORD(s, m), .flags = OPTION_SECRET,        \
    }
#define TLS_OLD_ROW(option_name, instead, kind, s, m)                                              \
    {                                                                                              \
        .name = option_name, .doc = "The old name of " instead ".", .note = "write " instead,      \
        OPTION_IN_##kind(s, m), .flags = OPTION_DEPRECATED,                                        \
    }

#define TLS_COMMON_ROWS(s, m)                                                                      \
    {                                                                                              \
        .name = "ssl_enabled",                                                                     \
        .doc = "Speak TLS.",                                                                       \
        OPTION_IN_BOOL(s, m.enabled),                                                              \
        .def = "false",                                                                            \
    },                                                                                             \
        TLS_ROW("ssl_certificate",                                                                 \
                "The certificate, a PEM file; the rest of its chain may follow in it. A new one "  \
                "on disk is taken for new connections.",                                           \
                STRING, s, m.certificate),                                                         \
        TLS_ROW("ssl_key",                                                                         \
                "The key of the certificate, a PEM file: PKCS#1, PKCS#8 or SEC1, also encrypted.", \
                STRING, s, m.key),                                                                 \
        TLS_SECRET_ROW("ssl_key_passphrase", "The passphrase of an encrypted key.", s,             \
                       m.key_passphrase),                                                          \
        TLS_ROW("ssl_supported_protocols",                                                         \
                "TLS versions that are spoken: TLSv1.1, TLSv1.2, TLSv1.3. Default: TLSv1.2 and "   \
                "TLSv1.3.",                                                                        \
                STRINGS, s, m.versions),                                                           \
        TLS_ROW("ssl_cipher_suites",                                                               \
                "Cipher suites that are taken, by their IANA or OpenSSL names.", STRINGS, s,       \
                m.ciphers)

#define TLS_LISTENER_ROWS(s, m, standard)                                                          \
    TLS_COMMON_ROWS(s, m),                                                                         \
        TLS_ROW("ssl_certificate_authorities",                                                     \
                "PEM files with the authorities that clients' certificates are checked against.",  \
                STRINGS, s, m.authorities),                                                        \
        TLS_ROW("ssl_client_authentication",                                                       \
                "Whether clients show a certificate: none, optional, required. Default: " standard \
                ".",                                                                               \
                STRING, s, m.client_authentication)

#define TLS_CLIENT_ROWS(s, m, standard)                                                            \
    TLS_ROW("ssl_verification_mode",                                                               \
            "How the server's certificate is looked at: full, certificate (not its name), none. "  \
            "Default: " standard ".",                                                              \
            STRING, s, m.verification)

#define TLS_HANDSHAKE_ROW(s, m)                                                                    \
    {                                                                                              \
        .name = "ssl_handshake_timeout", .doc = "Milliseconds that a handshake may take.",         \
        OPTION_IN_DURATION_MS(s, m.handshake_timeout_ms), .def = "10000", .unit_ms = 1, .min = 1,  \
        .max = 2147483647,                                                                         \
    }

#define TLS_EXTRA_CHAIN_ROW(s, m)                                                                  \
    TLS_ROW("ssl_extra_chain_certs", "PEM files that complete the certificate's chain.", STRINGS,  \
            s, m.extra_chain)

#define TLS_STORE_ROWS(s, m)                                                                       \
    TLS_ROW("ssl_keystore_path", "A PKCS#12 file with certificate and key.", STRING, s,            \
            m.keystore_path),                                                                      \
        TLS_SECRET_ROW("ssl_keystore_password", "The password of the keystore.", s,                \
                       m.keystore_password),                                                       \
        TLS_ROW("ssl_keystore_type", "pkcs12, which is the default; jks is refused.", STRING, s,   \
                m.keystore_type),                                                                  \
        TLS_ROW("ssl_truststore_path",                                                             \
                "A PKCS#12 file with the authorities that peers are checked against.", STRING, s,  \
                m.truststore_path),                                                                \
        TLS_SECRET_ROW("ssl_truststore_password", "The password of the truststore.", s,            \
                       m.truststore_password),                                                     \
        TLS_ROW("ssl_truststore_type", "pkcs12, which is the default; jks is refused.", STRING, s, \
                m.truststore_type)

/* Names that Logstash 8 and before gave to options of its listeners. */
#define TLS_OLD_ROWS(s, m)                                                                         \
    TLS_OLD_ROW("ssl", "ssl_enabled", BOOL, s, m.enabled),                                         \
        TLS_OLD_ROW("ssl_verify_mode", "ssl_client_authentication", STRING, s,                     \
                    m.client_authentication),                                                      \
        TLS_OLD_ROW("cipher_suites", "ssl_cipher_suites", STRINGS, s, m.ciphers),                  \
        TLS_OLD_ROW("tls_min_version", "ssl_supported_protocols", FLOAT, s, m.min_version),        \
        TLS_OLD_ROW("tls_max_version", "ssl_supported_protocols", FLOAT, s, m.max_version)

#endif
