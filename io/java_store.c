/* SPDX-License-Identifier: Apache-2.0
 *
 * The file: a magic number, a version and a count; for each entry a tag, a name, a date, and a certificate or an encrypted
 * key with its chain; a SHA-1 over the password, a fixed text and all of this. Numbers are in network order.
 */
#include "io/java_store.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "io/digest.h"

static const uint32_t MAGIC = 0xFEEDFEED;
enum { TAG_KEY = 1, TAG_TRUSTED = 2, DIGEST_BYTES = 20, DATE_BYTES = 8 };

struct store_reader {
    struct str rest;
    uint32_t version;
    bool is_broken; /* more was asked for than there is; everything read since is empty */
};

static struct str take(struct store_reader *reader, size_t len)
{
    if (len > reader->rest.len) {
        reader->is_broken = true;
        reader->rest = str_from_offset(reader->rest, reader->rest.len);
        return STR("");
    }
    struct str taken = str_make(reader->rest.ptr, len);
    reader->rest = str_from_offset(reader->rest, len);
    return taken;
}

static uint32_t take_number(struct store_reader *reader, size_t bytes)
{
    struct str taken = take(reader, bytes);
    uint32_t number = 0;
    assert(bytes <= sizeof number);
    for (size_t i = 0; i < taken.len; i++)
        number = number << 8 | (unsigned char)taken.ptr[i];
    return number;
}

static struct str take_certificate(struct store_reader *reader)
{
    if (reader->version == 2)
        (void)take(reader, take_number(reader, 2)); /* the type: "X.509" */
    return take(reader, take_number(reader, 4));
}

static void pass_key(struct store_reader *reader)
{
    (void)take(reader, take_number(reader, 4));
    for (uint32_t chain = take_number(reader, 4); chain > 0 && !reader->is_broken; chain--)
        (void)take_certificate(reader);
}

static bool append_pem(struct str der, struct buf *out)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    bool ok = certificate && bio && PEM_write_bio_X509(bio, certificate) == 1;
    long len = ok ? BIO_get_mem_data(bio, &bytes) : 0;
    ok = ok && len > 0 && buf_append(out, bytes, (size_t)len);
    BIO_free(bio);
    X509_free(certificate);
    ERR_clear_error();
    return ok;
}

static bool is_password(struct str content, struct str digest, struct str password)
{
    static const char SALT[] = "Mighty Aphrodite";
    unsigned char found[DIGEST_MAX_BYTES];
    struct buf text;
    buf_init(&text, JAVA_STORE_MAX_BYTES + sizeof SALT + 2 * password.len);
    for (size_t i = 0; i < password.len; i++)
        buf_append(&text, (char[]){0, password.ptr[i]}, 2); /* UTF-16, of ASCII */
    buf_append(&text, SALT, sizeof SALT - 1);
    buf_append_str(&text, content);
    size_t len = digest_bytes(DIGEST_SHA1, buf_str(&text), found);
    buf_release(&text);
    return str_equal(str_make((const char *)found, len), digest);
}

static const char *read_entries(struct store_reader *reader, struct buf *out)
{
    bool any = false;
    for (uint32_t count = take_number(reader, 4); count > 0 && !reader->is_broken; count--) {
        uint32_t tag = take_number(reader, 4);
        (void)take(reader, take_number(reader, 2)); /* its name */
        (void)take(reader, DATE_BYTES);
        if (tag == TAG_KEY)
            pass_key(reader);
        else if (tag != TAG_TRUSTED)
            return "has an entry of a kind that is not known";
        else if (!append_pem(take_certificate(reader), out))
            return "has a certificate that cannot be read";
        else
            any = true;
    }
    if (reader->is_broken)
        return "ends in the middle of an entry";
    return any ? NULL : "holds no certificate that is trusted";
}

bool java_store_is(struct str bytes)
{
    struct store_reader reader = {.rest = bytes};
    return take_number(&reader, 4) == MAGIC;
}

const char *java_store_authorities(struct str bytes, struct str password, struct buf *out)
{
    struct store_reader reader = {.rest = bytes};
    if (bytes.len > JAVA_STORE_MAX_BYTES || take_number(&reader, 4) != MAGIC)
        return "is no key store of Java";
    reader.version = take_number(&reader, 4);
    if (reader.version < 1 || reader.version > 2 || reader.rest.len < DIGEST_BYTES)
        return "is no key store of Java's versions 1 and 2";
    struct str digest = str_from_offset(bytes, bytes.len - DIGEST_BYTES);
    struct str content = str_make(bytes.ptr, bytes.len - DIGEST_BYTES);
    if (password.len > 0 && !is_password(content, digest, password))
        return "the password is not the store's";
    reader.rest.len -= DIGEST_BYTES;
    return read_entries(&reader, out);
}
