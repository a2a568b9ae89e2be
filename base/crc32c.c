/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crc32c.h"

#include <stdbool.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u /* reflected */

#define STEP(crc)  ((crc)&1 ? (crc) >> 1 ^ POLYNOMIAL : (crc) >> 1)
#define STEP4(crc) STEP(STEP(STEP(STEP(crc))))

/* Four bits at a time: sixteen numbers that the compiler makes, and no state. */
#define N(n) STEP4((uint32_t)(n))
static const uint32_t nibbles[16] = {N(0), N(1), N(2),  N(3),  N(4),  N(5),  N(6),  N(7),
                                     N(8), N(9), N(10), N(11), N(12), N(13), N(14), N(15)};
#undef N

uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    crc = ~crc;
    for (; len > 0; len--, at++) {
        crc ^= *at;
        crc = crc >> 4 ^ nibbles[crc & 15];
        crc = crc >> 4 ^ nibbles[crc & 15];
    }
    return ~crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const void *bytes,
                                                                 size_t len)
{
    const unsigned char *at = bytes;
    uint64_t sum = ~crc;
    for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        sum = __builtin_ia32_crc32di(sum, word);
    }
    uint32_t rest = (uint32_t)sum;
    for (; len > 0; len--, at++)
        rest = __builtin_ia32_crc32qi(rest, *at);
    return ~rest;
}
#endif

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return by_instruction(crc, bytes, len);
#endif
    return crc32c_by_table(crc, bytes, len);
}
