/* SPDX-License-Identifier: Apache-2.0
 *
 * How many different things were seen, in bounded memory: exact up to DISTINCT_EXACT_MAX, then a HyperLogLog of 2^17
 * registers (128 KiB), whose standard error is 0.29 %; so an answer is off by more than 1 % about once in two thousand.
 * Callers hash what they see to 64 bits that are as good as random.
 *
 * One owner, one thread.
 */
#ifndef MILLRACE_BASE_DISTINCT_H
#define MILLRACE_BASE_DISTINCT_H

#include <stddef.h>
#include <stdint.h>

enum { DISTINCT_EXACT_MAX = 8192 };

struct distinct {
    uint64_t *hashes; /* while it is exact: an open table, 0 is a free slot */
    size_t count, capacity;
    unsigned char *registers; /* then */
    uint32_t *levels;         /* how many registers have each value */
};

void distinct_init(struct distinct *distinct);
void distinct_release(struct distinct *distinct); /* usable again as after distinct_init */
void distinct_add(struct distinct *distinct, uint64_t hash);
double distinct_count(const struct distinct *distinct);

#endif
