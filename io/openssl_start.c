/* SPDX-License-Identifier: Apache-2.0
 *
 * curl_global_init has OpenSSL begin at once: read openssl.cnf, list its engines and error texts. That is a fifth of what a start
 * does and 2 MiB at rest, also where nothing is encrypted. OpenSSL does the same by itself with its first context
 * (SSL_CTX_new), on any thread, so here nothing is done. The linker leads libcurl's call to this function
 * (--wrap in meson.build); OpenSSL's own calls go to its own.
 */
#include "io/openssl_start.h"

#include <openssl/ssl.h>

#include "base/mem.h"

int __wrap_OPENSSL_init_ssl(uint64_t options, const OPENSSL_INIT_SETTINGS *settings);

int __wrap_OPENSSL_init_ssl(uint64_t options, const OPENSSL_INIT_SETTINGS *settings)
{
    (void)options;
    (void)settings;
    return 1;
}

void openssl_start(void)
{
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL) != 1)
        mem_abort("OPENSSL_init_crypto");
}
