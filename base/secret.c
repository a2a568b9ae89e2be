/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

bool secret_equal(struct str given, struct str wanted)
{
    unsigned difference = given.len != wanted.len;
    for (size_t i = 0; i < given.len && wanted.len > 0; i++)
        difference |= (unsigned char)(given.ptr[i] ^ wanted.ptr[i % wanted.len]);
    return difference == 0;
}
