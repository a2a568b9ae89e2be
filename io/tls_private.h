/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files around TLS share.
 */
#ifndef MILLRACE_IO_TLS_PRIVATE_H
#define MILLRACE_IO_TLS_PRIVATE_H

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "io/tls_context.h"

/* What OpenSSL last complained of on this thread, as text; empties its list. */
const char *tls_reason(void);

/* ---- tls_store.c */

bool tls_file_failed(struct error *err, const char *option, const char *path, const char *reason);
BIO *tls_open_file(const char *option, const char *path, struct error *err);

/* What a PKCS#12 store holds. */
struct tls_store_content {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * others;
};

/* False with *err; else to be released. */
bool tls_store_read(const char *option, const struct tls_store *store,
                    struct tls_store_content *out, struct error *err);
void tls_store_release(struct tls_store_content *content);

/* ---- tls_files.c: all fill *err with the file's name */

bool tls_load_identity(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err);
bool tls_load_trust(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err);

/* ---- tls_ciphers.c */

bool tls_set_ciphers(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err);

#endif
