/* SPDX-License-Identifier: Apache-2.0 */
#include "io/digest.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/mem.h"

static const EVP_MD *find(enum digest_algorithm algorithm)
{
    switch (algorithm) {
    case DIGEST_MD5:
        return EVP_md5();
    case DIGEST_SHA1:
        return EVP_sha1();
    case DIGEST_SHA256:
        return EVP_sha256();
    case DIGEST_SHA384:
        return EVP_sha384();
    case DIGEST_SHA512:
        return EVP_sha512();
    }
    mem_abort("unknown digest algorithm");
}

size_t digest_bytes(enum digest_algorithm algorithm, struct str bytes,
                    unsigned char out[DIGEST_MAX_BYTES])
{
    unsigned len = 0;
    if (EVP_Digest(bytes.ptr ? bytes.ptr : "", bytes.len, out, &len, find(algorithm), NULL) != 1)
        mem_abort(
            "digest failed"); /* only without memory, or in a FIPS build that lacks the algorithm */
    return len;
}

size_t digest_hmac(enum digest_algorithm algorithm, struct str key, struct str bytes,
                   unsigned char out[DIGEST_MAX_BYTES])
{
    unsigned len = 0;
    if (!HMAC(find(algorithm), key.ptr ? key.ptr : "", (int)key.len,
              (const unsigned char *)(bytes.ptr ? bytes.ptr : ""), bytes.len, out, &len))
        mem_abort("HMAC failed");
    return len;
}

void digest_hex(const unsigned char *digest, size_t len, char *hex)
{
    static const char DIGITS[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        hex[2 * i] = DIGITS[digest[i] >> 4];
        hex[2 * i + 1] = DIGITS[digest[i] & 15];
    }
}
