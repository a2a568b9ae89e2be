/* SPDX-License-Identifier: Apache-2.0
 *
 * MurmurHash3, the 32-bit and the 128-bit (x64) variant: public-domain functions, for fingerprints that must be the same
 * as Logstash's. Not for tables whose keys come from outside (str_hash is).
 */
#ifndef MILLRACE_BASE_MURMUR3_H
#define MILLRACE_BASE_MURMUR3_H

#include "base/str.h"

enum { MURMUR3_128_BYTES = 16 };

uint32_t murmur3_32(struct str bytes, uint32_t seed);
void murmur3_128(struct str bytes, uint32_t seed, unsigned char out[MURMUR3_128_BYTES]);

#endif
