/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory budget: who may take in more, and who has to wait.
 *
 * A process has one budget. Each pipeline has a share of it: a floor that nobody else can take, and with all others the
 * common rest. What exists is charged to the share's accounts as it comes and goes; it is never refused, because what has
 * begun must be able to end. What is still to come is refused: before a stream reads on it holds a lease for the bytes
 * that it expects, and without one it waits.
 *
 * 1. Three quarters of the limit are for what is taken in: floor = 3/8 of the limit / shares, common = the other 3/8. The
 *    last quarter is kept for encoding and sending, so that work under way always ends.
 * 2. A share uses what is charged to its accounts and what its leases hold. A lease of `bytes` is granted when the share stays
 *    within its floor, or when all that shares use above their floors stays within the common part. Looking and taking
 *    is one step (the lock), so leases never add up to more than that.
 * 3. A share that has no lease and no batch under way gets what it asks for, however much is charged: else one window larger
 *    than the budget, or memory that is kept for later, would stop a pipeline for ever.
 * 4. Waiters of a share are served in the order in which they began to wait, and nobody who asks later goes before one that
 *    waits. Of several shares whose first waiter needs the common part, the one that waits longest comes first.
 * 5. A waiter is woken with its bytes granted already, through its lane's inbox, by whoever gave back what it needed: each
 *    return of memory, of a lease, and the end of the last batch of a share looks for waiters. Nothing polls.
 * 6. A lease belongs to one stream, which gives back what it holds when it hands a batch over, rests or is closed. What
 *    arrives in the batch meanwhile is charged, and the lease becomes smaller by as much: nothing counts twice.
 *
 * Charging and giving back: any thread. A lease: its lane's thread.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_BUDGET_H
#define MILLRACE_PIPELINE_ENGINE_BUDGET_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/account.h"
#include "pipeline/engine/lane.h"

enum budget_class {
    BUDGET_ARENAS,  /* batches and receipts */
    BUDGET_GROUPS,  /* what outputs have encoded */
    BUDGET_RECEIVE, /* half frames, inflaters, what was read and not decoded */
    BUDGET_SPOOL,
    BUDGET_FILTERS, /* what filters keep between events */
    BUDGET_SCRIPTS, /* mruby's heaps */
    BUDGET_KAFKA,
    BUDGET_CLASSES,
};
extern const char *const budget_class_names[BUDGET_CLASSES];

struct budget;

/* Embedded in the pipeline. */
struct budget_share {
    struct budget *budget;
    struct budget_share *next;
    struct budget_account {
        struct account account; /* first */
        struct budget_share *share;
    } accounts[BUDGET_CLASSES];
    const atomic_size_t *batches; /* handed over and not settled: the pipeline's count */
    size_t leased;                /* under the lock, as what follows */
    struct budget_lease *waiting, *last_waiting;
};

struct budget {
    size_t limit_bytes;
    uv_mutex_t lock;
    struct budget_share *shares;
    size_t share_count;
    uint64_t tickets;        /* of waiters so far */
    atomic_bool has_waiters; /* read without the lock by those who give back */
};

void budget_init(struct budget *budget, size_t limit_bytes);
void budget_release(struct budget *budget);
/* Of all shares. */
size_t budget_used(struct budget *budget);

void budget_share_open(struct budget_share *share, struct budget *budget,
                       const atomic_size_t *batches);
/* When everything is given back. */
void budget_share_close(struct budget_share *share);
struct account *budget_account(struct budget_share *share, enum budget_class which);
/* Whether a lease of so many bytes would be granted now; nobody waits for it. */
bool budget_share_has_room(struct budget_share *share, size_t bytes);
size_t budget_share_leased(struct budget_share *share);
/* The last batch of the share is settled (3). Any thread. */
void budget_share_is_idle(struct budget_share *share);

/*   IDLE ── budget_lease_get: no room ──▶ QUEUED ── somebody gives back ──▶ GRANTED, posted ── budget_lease_arrived ──▶ IDLE */
enum budget_lease_state { LEASE_IDLE, LEASE_QUEUED, LEASE_GRANTED };

/* Embedded in the stream. */
struct budget_lease {
    struct inbox_item link; /* first: a grant on its way to `home` */
    struct budget_share *share;
    struct lane *home;
    size_t bytes;                  /* held; the lane's thread only */
    enum budget_lease_state state; /* under the lock, as what follows */
    size_t asked;
    uint64_t ticket;
    struct budget_lease *next;
};

/* granted: called on `home` with the link when a lease that waited was granted; begins with budget_lease_arrived. */
void budget_lease_init(struct budget_lease *lease, struct budget_share *share, struct lane *home,
                       void (*granted)(struct inbox_item *item));
/* True: `bytes` more are held. False: they are waited for. Not while something is waited for. */
bool budget_lease_get(struct budget_lease *lease, size_t bytes);
void budget_lease_arrived(struct budget_lease *lease);
void budget_lease_give_back(struct budget_lease *lease, size_t bytes);
/* Gives back what is held and waits no more. False: a grant is on its way, and what it brings is to be given back when it
 * arrives. */
bool budget_lease_cancel(struct budget_lease *lease);

/* What plugins and parts of the engine hold for a pipeline. Any thread. NULL for none: a plugin that is only tried out, which
 * nobody counts. */
struct account *engine_account(struct engine *engine, enum budget_class which);
/* What the process may use, pipeline.memory. */
size_t engine_memory_bytes(const struct engine *engine);

#endif
