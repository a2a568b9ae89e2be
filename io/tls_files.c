/* SPDX-License-Identifier: Apache-2.0
 *
 * What an SSL_CTX shows and trusts: certificates and keys out of PEM files and PKCS#12 stores.
 */
#include <openssl/pem.h>
#include <string.h>

#include "base/file.h"
#include "io/tls_private.h"

/* ---- keys ---- */

struct passphrase {
    const char *text;
    bool asked;
};

static int give_passphrase(char *out, int size, int writing, void *ctx)
{
    struct passphrase *passphrase = ctx;
    size_t len = passphrase->text ? strlen(passphrase->text) : 0;
    (void)writing;
    passphrase->asked = true;
    if (len == 0 || len > (size_t)size)
        return -1;
    memcpy(out, passphrase->text, len);
    return (int)len;
}

static EVP_PKEY *read_key(const struct tls_settings *settings, struct error *err)
{
    struct passphrase passphrase = {settings->key_passphrase, false};
    BIO *bio = tls_open_file("ssl_key", settings->key, err);
    if (!bio)
        return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
    BIO_free(bio);
    struct error why;
    if (key && (passphrase.asked || file_check_private(settings->key, &why)))
        return key;
    ERR_clear_error();
    if (key) {
        EVP_PKEY_free(key);
        tls_file_failed(err, "ssl_key", settings->key, why.text);
        return NULL;
    }
    tls_file_failed(err, "ssl_key", settings->key,
                    !passphrase.asked ? "is no private key in PEM form"
                    : passphrase.text ? "ssl_key_passphrase is not the key's"
                                      : "the key is encrypted: give ssl_key_passphrase");
    return NULL;
}

/* ---- certificates ---- */

static bool add_chain_file(SSL_CTX *ssl_ctx, const char *path, struct error *err)
{
    BIO *bio = tls_open_file("ssl_extra_chain_certs", path, err);
    if (!bio)
        return false;
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (certificate && SSL_CTX_add0_chain_cert(ssl_ctx, certificate) == 1)
        return true;
    X509_free(certificate);
    return tls_file_failed(err, "ssl_extra_chain_certs", path, tls_reason());
}

static bool use_pair(SSL_CTX *ssl_ctx, EVP_PKEY *key, const char *option, const char *path,
                     struct error *err)
{
    if (SSL_CTX_use_PrivateKey(ssl_ctx, key) == 1 && SSL_CTX_check_private_key(ssl_ctx) == 1)
        return true;
    ERR_clear_error();
    return tls_file_failed(err, option, path, "is not the key of the certificate");
}

static bool load_pem(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err)
{
    BIO *bio = tls_open_file("ssl_certificate", settings->certificate, err);
    if (!bio)
        return false;
    BIO_free(bio);
    if (SSL_CTX_use_certificate_chain_file(ssl_ctx, settings->certificate) != 1)
        return tls_file_failed(err, "ssl_certificate", settings->certificate, tls_reason());
    for (const char *const *at = settings->extra_chain; at && *at; at++)
        if (!add_chain_file(ssl_ctx, *at, err))
            return false;
    EVP_PKEY *key = read_key(settings, err);
    bool ok = key && use_pair(ssl_ctx, key, "ssl_key", settings->key, err);
    EVP_PKEY_free(key);
    return ok;
}

/* ---- stores ---- */

static bool use_content(SSL_CTX *ssl_ctx, const struct tls_store_content *content, const char *path,
                        struct error *err)
{
    if (!content->key || !content->certificate)
        return tls_file_failed(err, "ssl_keystore_path", path, "holds no key with its certificate");
    if (SSL_CTX_use_certificate(ssl_ctx, content->certificate) != 1)
        return tls_file_failed(err, "ssl_keystore_path", path, tls_reason());
    for (int i = 0; i < sk_X509_num(content->others); i++)
        SSL_CTX_add1_chain_cert(ssl_ctx, sk_X509_value(content->others, i));
    return use_pair(ssl_ctx, content->key, "ssl_keystore_path", path, err);
}

static bool load_keystore(SSL_CTX *ssl_ctx, const struct tls_store *store, struct error *err)
{
    struct tls_store_content content;
    if (!tls_store_read("ssl_keystore_path", store, &content, err))
        return false;
    bool ok = use_content(ssl_ctx, &content, store->path, err);
    tls_store_release(&content);
    return ok;
}

static void trust(SSL_CTX *ssl_ctx, X509 *certificate)
{
    if (!certificate)
        return;
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_ctx), certificate);
    SSL_CTX_add_client_CA(ssl_ctx, certificate);
    ERR_clear_error(); /* one that is there already */
}

static bool load_truststore(SSL_CTX *ssl_ctx, const struct tls_store *store, struct error *err)
{
    struct tls_store_content content;
    if (!tls_store_read("ssl_truststore_path", store, &content, err))
        return false;
    bool any = content.certificate || sk_X509_num(content.others) > 0;
    trust(ssl_ctx, content.certificate);
    for (int i = 0; i < sk_X509_num(content.others); i++)
        trust(ssl_ctx, sk_X509_value(content.others, i));
    tls_store_release(&content);
    return any || tls_file_failed(err, "ssl_truststore_path", store->path, "holds no certificate");
}

static bool load_authorities(SSL_CTX *ssl_ctx, const char *path, struct error *err)
{
    BIO *bio = tls_open_file("ssl_certificate_authorities", path, err);
    if (!bio)
        return false;
    X509 *certificate;
    size_t count = 0;
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        trust(ssl_ctx, certificate);
        X509_free(certificate);
        count++;
    }
    BIO_free(bio);
    ERR_clear_error();
    return count > 0 || tls_file_failed(err, "ssl_certificate_authorities", path,
                                        "holds no certificate in PEM form");
}

/* ---- all of it ---- */

bool tls_load_identity(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err)
{
    if (settings->keystore.path)
        return load_keystore(ssl_ctx, &settings->keystore, err);
    return !settings->certificate || load_pem(ssl_ctx, settings, err);
}

bool tls_load_trust(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err)
{
    bool own = settings->truststore.path || (settings->authorities && *settings->authorities);
    if (settings->verify == TLS_VERIFY_NONE && !own)
        return true;
    if (!own && SSL_CTX_set_default_verify_paths(ssl_ctx) != 1)
        return error_set(err, ERROR_CONFIG, "the system's certificates: %s", tls_reason());
    for (const char *const *at = settings->authorities; at && *at; at++)
        if (!load_authorities(ssl_ctx, *at, err))
            return false;
    return !settings->truststore.path || load_truststore(ssl_ctx, &settings->truststore, err);
}
