/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/receipt.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/engine/budget.h"

static struct account *account_at(struct lane *home)
{
    return engine_account(lane_engine(home), BUDGET_ARENAS);
}

struct receipt *receipt_new(struct stream *stream, struct lane *home,
                            void (*run)(struct inbox_item *item))
{
    struct receipt *receipt = mem_zero(1, sizeof *receipt);
    account_charge(account_at(home), sizeof *receipt);
    receipt->link.run = run;
    receipt->stream = stream;
    receipt->home = home;
    atomic_init(&receipt->outcome, RECEIPT_DELIVERED);
    atomic_init(&receipt->pending, 1);
    return receipt;
}

void receipt_free(struct receipt *receipt)
{
    assert(receipt->is_home && !receipt->link.next); /* 4 */
    account_return(account_at(receipt->home), sizeof *receipt);
    mem_free(receipt);
}

void receipt_hold(struct receipt *receipt, size_t parts)
{
    size_t before = atomic_fetch_add_explicit(&receipt->pending, parts, memory_order_relaxed);
    assert(before > 0); /* 1 */
    (void)before;
}

void receipt_release(struct receipt *receipt, size_t parts, enum receipt_outcome outcome)
{
    if (outcome == RECEIPT_ABANDONED)
        atomic_store_explicit(&receipt->outcome, RECEIPT_ABANDONED, memory_order_relaxed);
    size_t before = atomic_fetch_sub_explicit(&receipt->pending, parts, memory_order_acq_rel);
    assert(parts > 0 && before >= parts); /* 1 */
    if (before == parts)
        lane_post(receipt->home, &receipt->link);
}

enum receipt_outcome receipt_outcome(const struct receipt *receipt)
{
    assert(receipt->is_home);
    return (enum receipt_outcome)atomic_load_explicit(&receipt->outcome, memory_order_relaxed);
}
