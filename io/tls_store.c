/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tls_store.h"

#include <assert.h>
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

bool tls_file_failed(struct error *err, const char *option, const char *path, const char *reason)
{
    return error_set(err, ERROR_CONFIG, "%s '%s': %s", option, path, reason);
}

BIO *tls_open_file(const char *option, const char *path, struct error *err)
{
    errno = 0;
    BIO *bio = BIO_new_file(path, "re");
    if (!bio) {
        ERR_clear_error();
        tls_file_failed(err, option, path, errno ? strerror(errno) : "cannot be read");
    }
    return bio;
}

void tls_store_release(struct tls_store_content *content)
{
    EVP_PKEY_free(content->key);
    X509_free(content->certificate);
    sk_X509_pop_free(content->others, X509_free);
}

/* Older keytools encrypt certificates with what OpenSSL has moved into its provider "legacy". */
static bool parse_store(PKCS12 *store, const char *password, struct tls_store_content *out)
{
    if (PKCS12_parse(store, password, &out->key, &out->certificate, &out->others) == 1)
        return true;
    if (PKCS12_verify_mac(store, password, -1) != 1)
        return false;
    *out = (struct tls_store_content){0};
    ERR_clear_error();
    return OSSL_PROVIDER_try_load(NULL, "legacy", 1) &&
           PKCS12_parse(store, password, &out->key, &out->certificate, &out->others) == 1;
}

bool tls_store_read(const char *option, const struct tls_store *store,
                    struct tls_store_content *out, struct error *err)
{
    BIO *bio = tls_open_file(option, store->path, err);
    if (!bio)
        return false;
    *out = (struct tls_store_content){0};
    PKCS12 *parsed = d2i_PKCS12_bio(bio, NULL);
    BIO_free(bio);
    bool ok = parsed && parse_store(parsed, store->password ? store->password : "", out);
    ERR_clear_error();
    if (!ok)
        tls_file_failed(
            err, option, store->path,
            parsed ? "the password is not the store's"
                   : "is no PKCS#12 store; one of Java: keytool -importkeystore -srckeystore OLD "
                     "-destkeystore NEW.p12 -deststoretype pkcs12");
    PKCS12_free(parsed);
    return ok;
}

/* ---- as PEM text ---- */

static bool take_text(BIO *bio, struct buf *out)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    bool fits = len >= 0 && buf_append(out, bytes, (size_t)len);
    (void)BIO_reset(bio);
    return fits;
}

static bool append_certificates(const struct tls_store_content *content, BIO *bio, struct buf *out)
{
    bool ok = !content->certificate || PEM_write_bio_X509(bio, content->certificate) == 1;
    for (int i = 0; ok && i < sk_X509_num(content->others); i++)
        ok = PEM_write_bio_X509(bio, sk_X509_value(content->others, i)) == 1;
    return ok && take_text(bio, out);
}

bool tls_store_identity(const struct tls_store *store, struct buf *certificates, struct buf *key,
                        struct error *err)
{
    static const char OPTION[] = "ssl_keystore_path";
    struct tls_store_content content;
    if (!tls_store_read(OPTION, store, &content, err))
        return false;
    BIO *bio = BIO_new(BIO_s_mem());
    assert(bio);
    bool ok;
    if (!content.key || !content.certificate)
        ok = tls_file_failed(err, OPTION, store->path, "holds no key with its certificate");
    else if (X509_check_private_key(content.certificate, content.key) != 1)
        ok = tls_file_failed(err, OPTION, store->path, "is not the key of the certificate");
    else
        ok = (append_certificates(&content, bio, certificates) &&
              PEM_write_bio_PrivateKey(bio, content.key, NULL, NULL, 0, NULL, NULL) == 1 &&
              take_text(bio, key)) ||
             tls_file_failed(err, OPTION, store->path, "cannot be used");
    ERR_clear_error();
    BIO_free(bio);
    tls_store_release(&content);
    return ok;
}

bool tls_store_authorities(const char *option, const struct tls_store *store, struct buf *out,
                           struct error *err)
{
    struct tls_store_content content;
    if (!tls_store_read(option, store, &content, err))
        return false;
    BIO *bio = BIO_new(BIO_s_mem());
    assert(bio);
    bool any = content.certificate || sk_X509_num(content.others) > 0;
    bool ok = (any && append_certificates(&content, bio, out)) ||
              tls_file_failed(err, option, store->path, "holds no certificate");
    BIO_free(bio);
    tls_store_release(&content);
    return ok;
}
