/* SPDX-License-Identifier: Apache-2.0
 *
 * Digests and HMACs of bytes (OpenSSL). Thread-safe; nothing is kept between calls.
 */
#ifndef MILLRACE_IO_DIGEST_H
#define MILLRACE_IO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum digest_algorithm { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384, DIGEST_SHA512 };
enum { DIGEST_MAX_BYTES = 64 };

/* Fills out; returns its length. */
size_t digest_bytes(enum digest_algorithm algorithm, struct str bytes,
                    unsigned char out[DIGEST_MAX_BYTES]);
size_t digest_hmac(enum digest_algorithm algorithm, struct str key, struct str bytes,
                   unsigned char out[DIGEST_MAX_BYTES]);
/* Lower-case hexadecimal; hex has room for 2 * len bytes. No NUL. */
void digest_hex(const unsigned char *digest, size_t len, char *hex);

#endif
