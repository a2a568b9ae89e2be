/* SPDX-License-Identifier: Apache-2.0
 *
 * Certificates and keys out of PEM files and PKCS#12 stores.
 */
#include <errno.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <string.h>

#include "io/tls_private.h"

const char *tls_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    ERR_clear_error();
    return reason ? reason : "unknown reason";
}

static bool failed(struct error *err, const char *option, const char *path, const char *reason)
{
    return error_set(err, ERROR_CONFIG, "%s '%s': %s", option, path, reason);
}

static BIO *open_file(const char *option, const char *path, struct error *err)
{
    errno = 0;
    BIO *bio = BIO_new_file(path, "re");
    if (!bio) {
        ERR_clear_error();
        failed(err, option, path, errno ? strerror(errno) : "cannot be read");
    }
    return bio;
}

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
    BIO *bio = open_file("ssl_key", settings->key, err);
    if (!bio)
        return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
    BIO_free(bio);
    if (key)
        return key;
    ERR_clear_error();
    failed(err, "ssl_key", settings->key,
           !passphrase.asked ? "is no private key in PEM form"
           : passphrase.text ? "ssl_key_passphrase is not the key's"
                             : "the key is encrypted: give ssl_key_passphrase");
    return NULL;
}

/* ---- certificates ---- */

static bool add_chain_file(SSL_CTX *ssl_ctx, const char *path, struct error *err)
{
    BIO *bio = open_file("ssl_extra_chain_certs", path, err);
    if (!bio)
        return false;
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (certificate && SSL_CTX_add0_chain_cert(ssl_ctx, certificate) == 1)
        return true;
    X509_free(certificate);
    return failed(err, "ssl_extra_chain_certs", path, tls_reason());
}

static bool use_pair(SSL_CTX *ssl_ctx, EVP_PKEY *key, const char *option, const char *path,
                     struct error *err)
{
    if (SSL_CTX_use_PrivateKey(ssl_ctx, key) == 1 && SSL_CTX_check_private_key(ssl_ctx) == 1)
        return true;
    ERR_clear_error();
    return failed(err, option, path, "is not the key of the certificate");
}

static bool load_pem(SSL_CTX *ssl_ctx, const struct tls_settings *settings, struct error *err)
{
    BIO *bio = open_file("ssl_certificate", settings->certificate, err);
    if (!bio)
        return false;
    BIO_free(bio);
    if (SSL_CTX_use_certificate_chain_file(ssl_ctx, settings->certificate) != 1)
        return failed(err, "ssl_certificate", settings->certificate, tls_reason());
    for (const char *const *at = settings->extra_chain; at && *at; at++)
        if (!add_chain_file(ssl_ctx, *at, err))
            return false;
    EVP_PKEY *key = read_key(settings, err);
    bool ok = key && use_pair(ssl_ctx, key, "ssl_key", settings->key, err);
    EVP_PKEY_free(key);
    return ok;
}

/* ---- stores ---- */

struct store_content {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * others;
};

static void release_content(struct store_content *content)
{
    EVP_PKEY_free(content->key);
    X509_free(content->certificate);
    sk_X509_pop_free(content->others, X509_free);
}

/* Older keytools encrypt certificates with what OpenSSL has moved into its provider "legacy". */
static bool parse_store(PKCS12 *store, const char *password, struct store_content *out)
{
    if (PKCS12_parse(store, password, &out->key, &out->certificate, &out->others) == 1)
        return true;
    if (PKCS12_verify_mac(store, password, -1) != 1)
        return false;
    *out = (struct store_content){0};
    ERR_clear_error();
    return OSSL_PROVIDER_try_load(NULL, "legacy", 1) &&
           PKCS12_parse(store, password, &out->key, &out->certificate, &out->others) == 1;
}

static bool read_store(const char *option, const struct tls_store *store, struct store_content *out,
                       struct error *err)
{
    BIO *bio = open_file(option, store->path, err);
    if (!bio)
        return false;
    *out = (struct store_content){0};
    PKCS12 *parsed = d2i_PKCS12_bio(bio, NULL);
    BIO_free(bio);
    bool ok = parsed && parse_store(parsed, store->password ? store->password : "", out);
    ERR_clear_error();
    if (!ok)
        failed(err, option, store->path,
               parsed ? "the password is not the store's"
                      : "is no PKCS#12 store; a JKS store is converted by keytool -importkeystore "
                        "-deststoretype pkcs12");
    PKCS12_free(parsed);
    return ok;
}

static bool use_content(SSL_CTX *ssl_ctx, const struct store_content *content, const char *path,
                        struct error *err)
{
    if (!content->key || !content->certificate)
        return failed(err, "ssl_keystore_path", path, "holds no key with its certificate");
    if (SSL_CTX_use_certificate(ssl_ctx, content->certificate) != 1)
        return failed(err, "ssl_keystore_path", path, tls_reason());
    for (int i = 0; i < sk_X509_num(content->others); i++)
        SSL_CTX_add1_chain_cert(ssl_ctx, sk_X509_value(content->others, i));
    return use_pair(ssl_ctx, content->key, "ssl_keystore_path", path, err);
}

static bool load_keystore(SSL_CTX *ssl_ctx, const struct tls_store *store, struct error *err)
{
    struct store_content content;
    if (!read_store("ssl_keystore_path", store, &content, err))
        return false;
    bool ok = use_content(ssl_ctx, &content, store->path, err);
    release_content(&content);
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
    struct store_content content;
    if (!read_store("ssl_truststore_path", store, &content, err))
        return false;
    bool any = content.certificate || sk_X509_num(content.others) > 0;
    trust(ssl_ctx, content.certificate);
    for (int i = 0; i < sk_X509_num(content.others); i++)
        trust(ssl_ctx, sk_X509_value(content.others, i));
    release_content(&content);
    return any || failed(err, "ssl_truststore_path", store->path, "holds no certificate");
}

static bool load_authorities(SSL_CTX *ssl_ctx, const char *path, struct error *err)
{
    BIO *bio = open_file("ssl_certificate_authorities", path, err);
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
    return count > 0 ||
           failed(err, "ssl_certificate_authorities", path, "holds no certificate in PEM form");
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
