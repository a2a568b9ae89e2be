/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/budget.h"

#include <assert.h>

#include "base/mem.h"

const char *const budget_class_names[BUDGET_CLASSES] = {
    [BUDGET_ARENAS] = "arenas", [BUDGET_GROUPS] = "groups",   [BUDGET_RECEIVE] = "receive",
    [BUDGET_SPOOL] = "spool",   [BUDGET_FILTERS] = "filters", [BUDGET_SCRIPTS] = "scripts",
    [BUDGET_KAFKA] = "kafka",
};

void budget_init(struct budget *budget, size_t limit_bytes)
{
    *budget = (struct budget){.limit_bytes = limit_bytes};
    if (uv_mutex_init(&budget->lock) != 0)
        mem_abort("cannot make a mutex");
}

void budget_release(struct budget *budget)
{
    assert(!budget->shares && !atomic_load(&budget->has_waiters));
    uv_mutex_destroy(&budget->lock);
}

/* ---- how much is in use; under the lock ------------------------------------------------------------ */

static size_t charged(const struct budget_share *share)
{
    size_t sum = 0;
    for (size_t i = 0; i < BUDGET_CLASSES; i++)
        sum += account_used(&share->accounts[i].account);
    return sum;
}

/* 1 */
static size_t common_bytes(const struct budget *budget)
{
    return budget->limit_bytes / 8 * 3;
}

static size_t floor_bytes(const struct budget *budget)
{
    return common_bytes(budget) / budget->share_count;
}

static size_t above_floor(size_t used, size_t floor)
{
    return used > floor ? used - floor : 0;
}

/* 3 */
static bool is_idle(const struct budget_share *share)
{
    return share->leased == 0 && atomic_load(share->batches) == 0;
}

static bool fits_floor(const struct budget_share *share, size_t bytes)
{
    return is_idle(share) || charged(share) + share->leased + bytes <= floor_bytes(share->budget);
}

static bool fits_common(const struct budget_share *share, size_t bytes)
{
    const struct budget *budget = share->budget;
    size_t floor = floor_bytes(budget), above = 0;
    for (const struct budget_share *at = budget->shares; at; at = at->next)
        above += above_floor(charged(at) + at->leased + (at == share ? bytes : 0), floor);
    return above <= common_bytes(budget);
}

/* ---- granting; under the lock ----------------------------------------------------------------------- */

static void queue(struct budget_lease *lease, size_t bytes)
{
    struct budget_share *share = lease->share;
    lease->state = LEASE_QUEUED;
    lease->asked = bytes;
    lease->ticket = ++share->budget->tickets;
    lease->next = NULL;
    *(share->last_waiting ? &share->last_waiting->next : &share->waiting) = lease;
    share->last_waiting = lease;
    atomic_store(&share->budget->has_waiters, true);
}

static void unqueue(struct budget_lease *lease)
{
    struct budget_share *share = lease->share;
    struct budget_lease **at = &share->waiting, *before = NULL;
    while (*at != lease) {
        assert(*at);
        before = *at;
        at = &before->next;
    }
    *at = lease->next;
    if (share->last_waiting == lease)
        share->last_waiting = before;
    lease->next = NULL;
}

static void serve_first(struct budget_share *share)
{
    struct budget_lease *first = share->waiting;
    unqueue(first);
    share->leased += first->asked;
    first->state = LEASE_GRANTED;
    lane_post(first->home, &first->link); /* 5 */
}

/* The first waiter of the share that has waited longest for the common part (4). */
static struct budget_share *longest_waiting(struct budget *budget)
{
    struct budget_share *oldest = NULL;
    for (struct budget_share *at = budget->shares; at; at = at->next)
        if (at->waiting && (!oldest || at->waiting->ticket < oldest->waiting->ticket))
            oldest = at;
    return oldest;
}

static void serve(struct budget *budget)
{
    struct budget_share *share;
    for (share = budget->shares; share; share = share->next)
        while (share->waiting && fits_floor(share, share->waiting->asked))
            serve_first(share);
    while ((share = longest_waiting(budget)) && fits_common(share, share->waiting->asked))
        serve_first(share);
    if (!share)
        atomic_store(&budget->has_waiters, false);
}

static void look_for_waiters(struct budget *budget)
{
    if (!atomic_load(&budget->has_waiters))
        return;
    uv_mutex_lock(&budget->lock);
    serve(budget);
    uv_mutex_unlock(&budget->lock);
}

/* ---- shares ----------------------------------------------------------------------------------------- */

static void on_returned(struct account *account)
{
    look_for_waiters(((struct budget_account *)account)->share->budget);
}

void budget_share_open(struct budget_share *share, struct budget *budget,
                       const atomic_size_t *batches)
{
    *share = (struct budget_share){.budget = budget, .batches = batches};
    for (size_t i = 0; i < BUDGET_CLASSES; i++)
        share->accounts[i] =
            (struct budget_account){.account.returned = on_returned, .share = share};
    uv_mutex_lock(&budget->lock);
    share->next = budget->shares;
    budget->shares = share;
    budget->share_count++;
    uv_mutex_unlock(&budget->lock);
}

void budget_share_close(struct budget_share *share)
{
    struct budget *budget = share->budget;
    uv_mutex_lock(&budget->lock);
    assert(charged(share) == 0 && share->leased == 0 && !share->waiting); /* 6 */
    struct budget_share **at = &budget->shares;
    while (*at != share)
        at = &(*at)->next;
    *at = share->next;
    budget->share_count--;
    if (budget->share_count > 0)
        serve(budget); /* the floors have grown */
    uv_mutex_unlock(&budget->lock);
}

struct account *budget_account(struct budget_share *share, enum budget_class which)
{
    return &share->accounts[which].account;
}

bool budget_share_has_room(struct budget_share *share, size_t bytes)
{
    uv_mutex_lock(&share->budget->lock);
    bool has_room = fits_floor(share, bytes) || fits_common(share, bytes);
    uv_mutex_unlock(&share->budget->lock);
    return has_room;
}

size_t budget_share_leased(struct budget_share *share)
{
    uv_mutex_lock(&share->budget->lock);
    size_t leased = share->leased;
    uv_mutex_unlock(&share->budget->lock);
    return leased;
}

void budget_share_is_idle(struct budget_share *share)
{
    look_for_waiters(share->budget);
}

size_t budget_used(struct budget *budget)
{
    size_t sum = 0;
    uv_mutex_lock(&budget->lock);
    for (const struct budget_share *at = budget->shares; at; at = at->next)
        sum += charged(at);
    uv_mutex_unlock(&budget->lock);
    return sum;
}

/* ---- leases ----------------------------------------------------------------------------------------- */

void budget_lease_init(struct budget_lease *lease, struct budget_share *share, struct lane *home,
                       void (*granted)(struct inbox_item *item))
{
    *lease = (struct budget_lease){.link.run = granted, .share = share, .home = home};
}

/* Nobody else waits, or nobody in this share and the floor has room (4). */
static bool may_go_first(const struct budget_lease *lease, size_t bytes)
{
    const struct budget_share *share = lease->share;
    if (share->waiting)
        return false;
    return fits_floor(share, bytes) ||
           (!atomic_load(&share->budget->has_waiters) && fits_common(share, bytes));
}

bool budget_lease_get(struct budget_lease *lease, size_t bytes)
{
    struct budget *budget = lease->share->budget;
    uv_mutex_lock(&budget->lock);
    assert(lease->state == LEASE_IDLE);
    bool granted = may_go_first(lease, bytes);
    if (granted) {
        lease->share->leased += bytes;
        lease->bytes += bytes;
    } else {
        queue(lease, bytes);
        serve(budget); /* what came back before it stood in the line was told to nobody */
    }
    uv_mutex_unlock(&budget->lock);
    return granted;
}

void budget_lease_arrived(struct budget_lease *lease)
{
    uv_mutex_lock(&lease->share->budget->lock);
    assert(lease->state == LEASE_GRANTED);
    lease->state = LEASE_IDLE;
    lease->bytes += lease->asked;
    uv_mutex_unlock(&lease->share->budget->lock);
}

static void take_back(struct budget_lease *lease, size_t bytes)
{
    assert(lease->bytes >= bytes && lease->share->leased >= bytes);
    lease->bytes -= bytes;
    lease->share->leased -= bytes;
    if (atomic_load(&lease->share->budget->has_waiters))
        serve(lease->share->budget);
}

void budget_lease_give_back(struct budget_lease *lease, size_t bytes)
{
    if (bytes == 0)
        return;
    uv_mutex_lock(&lease->share->budget->lock);
    take_back(lease, bytes);
    uv_mutex_unlock(&lease->share->budget->lock);
}

bool budget_lease_cancel(struct budget_lease *lease)
{
    uv_mutex_lock(&lease->share->budget->lock);
    if (lease->state == LEASE_QUEUED) {
        unqueue(lease);
        lease->state = LEASE_IDLE;
    }
    bool over = lease->state == LEASE_IDLE;
    take_back(lease, lease->bytes);
    uv_mutex_unlock(&lease->share->budget->lock);
    return over;
}
