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

/* ---- tls_files.c: all fill *err with the file's name */

bool tls_load_identity(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err);
bool tls_load_trust(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err);

/* ---- tls_ciphers.c */

bool tls_set_ciphers(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err);

#endif
