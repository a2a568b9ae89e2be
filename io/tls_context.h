/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates, keys and what a TLS connection may use (OpenSSL's SSL_CTX), made from files, and made anew when a file
 * changes: connections that are there keep what they began with. A change that cannot be read, such as a certificate
 * without its key, is told once and the old ones stay in use until the next change.
 *
 * tls_context_refresh: one thread. What tls_context_use gives may be used and given back on any thread.
 */
#ifndef MILLRACE_IO_TLS_CONTEXT_H
#define MILLRACE_IO_TLS_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

struct ssl_ctx_st;
struct tls_context;

enum tls_version { TLS_1_1 = 1, TLS_1_2 = 2, TLS_1_3 = 4 };

enum tls_verify {
    TLS_VERIFY_NONE,     /* server: asks for no certificate; client: takes any */
    TLS_VERIFY_OPTIONAL, /* server: a client may show one, and then it must be good */
    TLS_VERIFY_REQUIRED, /* the peer must show a good one */
    TLS_VERIFY_FULL,     /* client: and it must be for the name that it was connected to */
};

/* A PKCS#12 file. */
struct tls_store {
    const char *path; /* NULL: none */
    const char *password;
};

/* Texts live as long as the context; absent ones are NULL. Files are PEM unless they are stores. */
struct tls_settings {
    bool is_server;
    const char *certificate; /* with the chain behind it, or alone */
    const char *key;         /* PKCS#1, PKCS#8 or SEC1, also encrypted */
    const char *key_passphrase;
    const char *const *extra_chain; /* NULL-terminated; or NULL */
    struct tls_store keystore;      /* instead of certificate and key */
    const char *const *authorities; /* NULL-terminated; or NULL: the system's */
    struct tls_store truststore;    /* more of them */
    enum tls_verify verify;
    unsigned versions;         /* of enum tls_version; 0: 1.2 and 1.3 */
    const struct str *ciphers; /* by IANA's or OpenSSL's names; none: OpenSSL's default */
    size_t cipher_count;
};

/* Reads the files. NULL with *err, which names the file. */
struct tls_context *tls_context_new(const struct tls_settings *settings, struct error *err);
void tls_context_free(struct tls_context *context); /* NULL is ok */

enum tls_refresh { TLS_UNCHANGED, TLS_RENEWED, TLS_KEPT_OLD };
/* Looks whether the files changed, and reads them then. *err says why the old ones are kept. */
enum tls_refresh tls_context_refresh(struct tls_context *context, struct error *err);

/* What a new connection uses; one for each tls_stream_new, which takes it. */
struct ssl_ctx_st *tls_context_use(const struct tls_context *context);
void tls_context_unuse(struct ssl_ctx_st *used);
/* TLS_VERIFY_FULL. */
bool tls_context_verifies_host(const struct tls_context *context);

/* "TLSv1.2" and its like to a bit of `versions`; 0: unknown. */
unsigned tls_version_of(struct str name);

#endif
