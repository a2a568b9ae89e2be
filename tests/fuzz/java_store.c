/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: a key store of Java. Whatever is accepted gives whole certificates in PEM, at least one, and no more than fits; what
 * is accepted with a password is accepted without one.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "io/java_store.h"

enum { PEM_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static bool accepts(struct str bytes, struct str password)
{
    static const struct str END = STR_INIT("-----END CERTIFICATE-----\n");
    struct buf pem;
    buf_init(&pem, PEM_MAX);
    bool accepted = !java_store_authorities(bytes, password, &pem);
    if (accepted) {
        assert(java_store_is(bytes));
        assert(str_starts_with(buf_str(&pem), STR("-----BEGIN CERTIFICATE-----\n")));
        assert(str_ends_with(buf_str(&pem), END));
    }
    buf_release(&pem);
    return accepted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct str bytes = str_make((const char *)data, len);
    bool without = accepts(bytes, STR(""));
    assert(!accepts(bytes, STR("secret1")) || without);
    return 0;
}
