/* SPDX-License-Identifier: Apache-2.0
 *
 * Cipher suites have two names: IANA's, which Logstash's files use (TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), and OpenSSL's
 * (ECDHE-RSA-AES128-GCM-SHA256). Those of TLS 1.3 have one, and OpenSSL keeps them in a list of their own.
 */
#include <string.h>

#include "base/buf.h"
#include "io/tls_private.h"

enum { CIPHER_NAME_MAX = 128, CIPHERS_MAX_BYTES = 16 * 1024 };

static bool is_of_tls_1_3(const char *name)
{
    return strncmp(name, "TLS_AES_", 8) == 0 || strncmp(name, "TLS_CHACHA20_", 13) == 0;
}

static bool is_known(SSL_CTX *ssl_ctx, const char *name)
{
    SSL *ssl = SSL_new(ssl_ctx);
    bool known = ssl && (is_of_tls_1_3(name) ? SSL_set_ciphersuites(ssl, name) == 1
                                             : SSL_set_cipher_list(ssl, name) == 1);
    SSL_free(ssl);
    ERR_clear_error();
    return known;
}

static bool add(SSL_CTX *ssl_ctx, struct str wanted, struct buf lists[2], struct error *err)
{
    char name[CIPHER_NAME_MAX];
    if (wanted.len >= sizeof name)
        return error_set(err, ERROR_CONFIG, "ssl_cipher_suites: no suite has so long a name");
    memcpy(name, wanted.ptr, wanted.len);
    name[wanted.len] = '\0';
    const char *openssl = OPENSSL_cipher_name(name);
    bool translated = strcmp(openssl, "(NONE)") != 0 && !is_of_tls_1_3(name);
    const char *used = translated ? openssl : name;
    if (strpbrk(used, ":,! ") || !is_known(ssl_ctx, used))
        return error_set(err, ERROR_CONFIG, "ssl_cipher_suites: '%s' is no cipher suite of OpenSSL",
                         name);
    struct buf *list = &lists[is_of_tls_1_3(used)];
    buf_printf(list, "%s%s", list->len > 0 ? ":" : "", used);
    return true;
}

/* A version for which no suite is left is not spoken, as in Java. */
static bool apply(SSL_CTX *ssl_ctx, struct buf lists[2], struct error *err)
{
    buf_append_char(&lists[0], '\0');
    buf_append_char(&lists[1], '\0');
    bool old = lists[0].len > 1, new = lists[1].len > 1;
    bool ok = (!old || SSL_CTX_set_cipher_list(ssl_ctx, lists[0].ptr) == 1) &&
              (!new || SSL_CTX_set_ciphersuites(ssl_ctx, lists[1].ptr) == 1);
    if (!ok)
        return error_set(err, ERROR_CONFIG, "ssl_cipher_suites: %s", tls_reason());
    if (!new)
        SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TLSv1_3);
    if (!old)
        SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2);
    return true;
}

bool tls_set_ciphers(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err)
{
    struct buf lists[2];
    bool ok = true;
    if (settings->cipher_count == 0)
        return true;
    buf_init(&lists[0], CIPHERS_MAX_BYTES);
    buf_init(&lists[1], CIPHERS_MAX_BYTES);
    for (size_t i = 0; ok && i < settings->cipher_count; i++)
        ok = add(ssl_ctx, settings->ciphers[i], lists, err);
    ok = ok && apply(ssl_ctx, lists, err);
    buf_release(&lists[0]);
    buf_release(&lists[1]);
    return ok;
}
