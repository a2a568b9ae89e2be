/* SPDX-License-Identifier: Apache-2.0
 *
 * The estimate is the one of Ertl's "New cardinality estimation algorithms for HyperLogLog sketches" (2017), which needs
 * neither a table of corrections nor a switch between ranges.
 */
#include "base/distinct.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"

enum {
    REGISTER_BITS = 17,
    REGISTERS = 1 << REGISTER_BITS,
    RANK_BITS = 64 - REGISTER_BITS, /* a register holds 0 .. RANK_BITS + 1 */
    FIRST_CAPACITY = 16,
};

void distinct_init(struct distinct *distinct)
{
    *distinct = (struct distinct){.count = 0};
}

void distinct_release(struct distinct *distinct)
{
    mem_free(distinct->hashes);
    mem_free(distinct->registers);
    mem_free(distinct->levels);
    distinct_init(distinct);
}

/* ---- exact ---------------------------------------------------------------------------------------- */

/* The slot of this hash, or the free one where it belongs. */
static uint64_t *find_slot(const struct distinct *distinct, uint64_t hash)
{
    size_t mask = distinct->capacity - 1;
    assert(hash != 0 && distinct->count < distinct->capacity);
    size_t at = (size_t)hash & mask;
    while (distinct->hashes[at] != 0 && distinct->hashes[at] != hash)
        at = (at + 1) & mask;
    return &distinct->hashes[at];
}

static void grow(struct distinct *distinct)
{
    struct distinct old = *distinct;
    distinct->capacity = old.capacity == 0 ? FIRST_CAPACITY : old.capacity * 2;
    distinct->hashes = mem_zero(distinct->capacity, sizeof *distinct->hashes);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.hashes[i] != 0)
            *find_slot(distinct, old.hashes[i]) = old.hashes[i];
    mem_free(old.hashes);
}

/* ---- registers ------------------------------------------------------------------------------------ */

static void note(struct distinct *distinct, uint64_t hash)
{
    size_t index = (size_t)(hash >> RANK_BITS);
    uint64_t rest = hash << REGISTER_BITS;
    unsigned rank = rest == 0 ? RANK_BITS + 1 : (unsigned)__builtin_clzll(rest) + 1;
    unsigned before = distinct->registers[index];
    assert(rank <= RANK_BITS + 1 && distinct->levels[before] > 0);
    if (rank <= before)
        return;
    distinct->registers[index] = (unsigned char)rank;
    distinct->levels[before]--;
    distinct->levels[rank]++;
}

static void become_estimate(struct distinct *distinct)
{
    distinct->registers = mem_zero(REGISTERS, sizeof *distinct->registers);
    distinct->levels = mem_zero(RANK_BITS + 2, sizeof *distinct->levels);
    distinct->levels[0] = REGISTERS;
    for (size_t i = 0; i < distinct->capacity; i++)
        if (distinct->hashes[i] != 0)
            note(distinct, distinct->hashes[i]);
    mem_free(distinct->hashes);
    distinct->hashes = NULL;
    distinct->count = distinct->capacity = 0;
}

static double sigma(double x)
{
    double weight = 1, sum = x, before;
    if (x == 1.0)
        return (double)INFINITY;
    do {
        x *= x;
        before = sum;
        sum += x * weight;
        weight += weight;
    } while (sum > before);
    return sum;
}

static double tau(double x)
{
    double weight = 1, sum = 1 - x, before;
    if (x <= 0 || x >= 1)
        return 0;
    do {
        x = sqrt(x);
        before = sum;
        weight *= 0.5;
        sum -= (1 - x) * (1 - x) * weight;
    } while (sum < before);
    return sum / 3;
}

static double estimate(const uint32_t *levels)
{
    const double m = REGISTERS, alpha = 0.5 / 0.69314718055994530942; /* 1 / (2 ln 2) */
    double z = m * tau(1 - (double)levels[RANK_BITS + 1] / m);
    for (unsigned level = RANK_BITS; level >= 1; level--)
        z = 0.5 * (z + (double)levels[level]);
    z += m * sigma((double)levels[0] / m);
    return alpha * m * m / z;
}

/* ---- both ----------------------------------------------------------------------------------------- */

void distinct_add(struct distinct *distinct, uint64_t hash)
{
    if (distinct->registers) {
        note(distinct, hash);
        return;
    }
    if (hash == 0)
        hash = 1;
    if (distinct->count * 2 >= distinct->capacity)
        grow(distinct);
    uint64_t *slot = find_slot(distinct, hash);
    distinct->count += *slot == 0;
    *slot = hash;
    if (distinct->count > DISTINCT_EXACT_MAX)
        become_estimate(distinct);
}

double distinct_count(const struct distinct *distinct)
{
    return distinct->registers ? round(estimate(distinct->levels)) : (double)distinct->count;
}
