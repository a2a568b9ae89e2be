/* SPDX-License-Identifier: Apache-2.0
 *
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), by the processor's instruction where it has one.
 */
#ifndef MILLRACE_BASE_CRC32C_H
#define MILLRACE_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of the bytes, going on from an earlier checksum; 0 to begin with. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);
/* The same without the instruction, for tests. */
uint32_t crc32c_by_table(uint32_t crc, const void *bytes, size_t len);

#endif
