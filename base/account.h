/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory in use for one purpose, added up over all threads. Arenas and buffers are charged to one. Whoever set `returned`
 * hears of every return, after it happened and on the thread that gave back; it must be short.
 */
#ifndef MILLRACE_BASE_ACCOUNT_H
#define MILLRACE_BASE_ACCOUNT_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>

struct account {
    atomic_size_t used;
    void (*returned)(struct account *account); /* may be NULL */
};

/* account may be NULL in both: then nobody counts. */
static inline void account_charge(struct account *account, size_t bytes)
{
    if (account)
        atomic_fetch_add_explicit(&account->used, bytes, memory_order_relaxed);
}

/* Sequentially consistent, so that `returned` sees who began to wait before the memory came back. */
static inline void account_return(struct account *account, size_t bytes)
{
    if (!account || bytes == 0)
        return;
    size_t before = atomic_fetch_sub(&account->used, bytes);
    assert(before >= bytes);
    (void)before;
    if (account->returned)
        account->returned(account);
}

static inline size_t account_used(const struct account *account)
{
    return atomic_load(&account->used);
}

#endif
