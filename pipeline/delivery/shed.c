/* SPDX-License-Identifier: Apache-2.0
 *
 * hold_max and on_full: an output that does not get rid of its events holds up their origins only so long. Then they become dead
 * letters, go to the spool or are dropped; the origins go on, and other outputs with them. What is in flight is never set aside:
 * it may have arrived. A destination that took nothing for hold_max is not waited for again, until it takes something: what cannot be
 * sent at once follows what was set aside.
 */
#include <assert.h>

#include "base/time/clock.h"
#include "pipeline/delivery/delivery_private.h"

enum { LOOKS_IN_HOLD = 4, SHED_LINES = 1, SHED_WINDOW_MS = 60000 };

void shed_open(struct delivery *delivery)
{
    const struct common_options *common = &delivery->instance->plugin->common;
    delivery->on_full = (enum on_full)common->on_full;
    if (delivery->on_full == ON_FULL_SPOOL && !delivery->spool) /* a run without files */
        delivery->on_full = ON_FULL_BLOCK;
    delivery->hold_ms = delivery->on_full == ON_FULL_BLOCK ? 0 : (uint64_t)common->hold_max_ms;
    delivery->shed_at_ms = delivery->hold_ms > 0 ? 0 : UINT64_MAX;
    delivery->shed_lines = (struct log_limit){.window_ms = SHED_WINDOW_MS, .burst = SHED_LINES};
}

static void forget_loose(struct delivery *delivery, const struct group *group)
{
    for (size_t level = 0; level < LOOSE_LEVELS; level++)
        if (delivery->loose[level] == group)
            delivery->loose[level] = NULL;
}

/* Their letters hold the receipts then. */
static size_t make_letters(struct delivery *delivery, struct group *group)
{
    struct str reason = group_waits_too_long(group)
                            ? STR("it waited for its destination longer than hold_max")
                            : STR("its destination took nothing for longer than hold_max");
    for (size_t i = group->taken; i < group->count; i++) {
        delivery_keep_letter(delivery, group, i, reason);
        group->runs[group->items[i].run].open--;
    }
    return group_left(group);
}

static size_t drop(struct group *group)
{
    size_t count = group_left(group);
    for (size_t i = 0; i < group->run_count; i++)
        if (group->runs[i].open > 0)
            receipt_release(group->runs[i].receipt, group->runs[i].open, RECEIPT_DELIVERED);
    return count;
}

static size_t set_aside(struct delivery *delivery, struct group *group)
{
    size_t count = 0;
    switch (delivery->on_full) {
    case ON_FULL_BLOCK:
        assert(false); /* then nothing is set aside */
        break;
    case ON_FULL_DEAD_LETTER:
        count = make_letters(delivery, group);
        break;
    case ON_FULL_SPOOL:
        count = spool_put(delivery->spool, group);
        break;
    case ON_FULL_DROP_OLDEST:
        count = drop(group);
        break;
    }
    if (group->state == GROUP_WAITING)
        forget_loose(delivery, group);
    group->taken = group->count;
    group_recycle(group);
    return count;
}

/* Also of one that the output holds, and never of one that was read from the spool (spool.h, P2). */
bool group_waits_too_long(const struct group *group)
{
    const struct delivery *delivery = group->delivery;
    return delivery->hold_ms > 0 && !group->spooled &&
           group->born_ms + delivery->hold_ms <= uv_now(delivery->lane->loop);
}

static bool is_old(const struct delivery *delivery, const struct group *group, uint64_t now_ms)
{
    return !group->spooled && group->born_ms + delivery->hold_ms <= now_ms;
}

/* all: also what is not old yet. */
static size_t shed_queue(struct delivery *delivery, struct group_queue *queue, uint64_t now_ms,
                         bool all)
{
    struct group_queue kept = {0};
    size_t count = 0;
    for (struct group *group; (group = group_queue_pop(queue));) {
        bool goes = all ? !group->spooled : is_old(delivery, group, now_ms);
        if (goes && !(group->rests && group->due_ms > now_ms))
            count += set_aside(delivery, group);
        else
            group_queue_push(&kept, group);
    }
    *queue = kept;
    return count;
}

static void say(struct delivery *delivery, size_t count)
{
    static const char *const SENTENCES[] = {
        [ON_FULL_BLOCK] = "",
        [ON_FULL_DEAD_LETTER] = "events waited longer than hold_max and become dead letters; "
                                "'millrace dlq replay' sends them again",
        [ON_FULL_SPOOL] = "events waited longer than hold_max and go to the spool; they are sent "
                          "when the destination takes them again",
        [ON_FULL_DROP_OLDEST] = "events waited longer than hold_max and are dropped",
    };
    uint64_t held_back;
    if (log_limit_allow(&delivery->shed_lines, clock_monotonic_ms(), &held_back))
        log_warn(delivery->instance->env.log, "events_set_aside", SENTENCES[delivery->on_full],
                 LOG_INT("events", count), LOG_INT("hold_max_ms", delivery->hold_ms),
                 LOG_INT_IF("not_logged_before", held_back));
}

static void count_shed(struct delivery *delivery, size_t count)
{
    struct counter *const counters[] = {
        [ON_FULL_BLOCK] = NULL,
        [ON_FULL_DEAD_LETTER] = delivery->set_aside,
        [ON_FULL_SPOOL] = delivery->spooled,
        [ON_FULL_DROP_OLDEST] = delivery->dropped,
    };
    counter_add(counters[delivery->on_full], count);
}

/* ---- the spool ------------------------------------------------------------------------------------- */

bool shed_is_spooling(const struct delivery *delivery)
{
    return delivery->spool && spool_is_holding(delivery->spool);
}

static bool has_old(const struct delivery *delivery, const struct group_queue *queue,
                    uint64_t now_ms)
{
    const struct group *group = queue->first;
    while (group && !is_old(delivery, group, now_ms))
        group = group->next;
    return group != NULL;
}

static void say_empty(struct delivery *delivery, bool is_holding)
{
    if (delivery->was_holding && !is_holding)
        log_info(delivery->instance->env.log, "spool_empty",
                 "all of the spool is delivered; events go to the destination at once again",
                 LOG_NONE);
    delivery->was_holding = is_holding;
}

/* One that is too old takes all with it, also what is not full yet, and what comes later follows until the spool is empty
 * (spool.h, P1). */
static size_t shed_to_spool(struct delivery *delivery, uint64_t now_ms)
{
    bool is_holding = spool_is_holding(delivery->spool);
    say_empty(delivery, is_holding);
    if (!is_holding && now_ms < delivery->shed_at_ms)
        return 0;
    delivery->shed_at_ms = now_ms + delivery->hold_ms / LOOKS_IN_HOLD + 1;
    if (!is_holding && !has_old(delivery, &delivery->waiting, now_ms) &&
        !has_old(delivery, &delivery->ready, now_ms))
        return 0;
    if (!is_holding && delivery->filling && delivery->filling->count > 0)
        delivery_seal(delivery);
    size_t count = shed_queue(delivery, &delivery->waiting, now_ms, true);
    return count + shed_queue(delivery, &delivery->ready, now_ms, true);
}

/* ---------------------------------------------------------------------------------------------------- */

static size_t shed_each(struct delivery *delivery, uint64_t now_ms)
{
    if (now_ms < delivery->shed_at_ms)
        return 0;
    delivery->shed_at_ms = now_ms + delivery->hold_ms / LOOKS_IN_HOLD + 1;
    return shed_queue(delivery, &delivery->ready, now_ms, false) +
           shed_queue(delivery, &delivery->waiting, now_ms, false);
}

static void account_for(struct delivery *delivery, size_t count)
{
    if (count == 0)
        return;
    count_shed(delivery, count);
    delivery_hand_in(delivery);
    say(delivery, count);
}

void shed_old(struct delivery *delivery, uint64_t now_ms)
{
    if (delivery->hold_ms == 0 || delivery->home != delivery)
        return;
    assert(delivery->letters || delivery->on_full != ON_FULL_DEAD_LETTER);
    assert(delivery->spool || delivery->on_full != ON_FULL_SPOOL);
    if (delivery->in_flight > 0 && delivery->output->recall && now_ms >= delivery->shed_at_ms)
        delivery->output->recall(delivery->instance->self);
    size_t count = delivery->spool ? shed_to_spool(delivery, now_ms) : shed_each(delivery, now_ms);
    account_for(delivery, count);
}

static bool took_nothing_for_long(const struct delivery *delivery)
{
    struct outlet_look look = outlet_look(delivery->outlet, uv_hrtime() / 1000);
    return look.state >= OUTLET_WAITS && look.for_ms >= delivery->hold_ms;
}

void shed_unsent(struct delivery *delivery, uint64_t now_ms)
{
    if (delivery->hold_ms == 0 || delivery->spool || delivery->home != delivery ||
        !(delivery->ready.first || delivery->waiting.first) || !took_nothing_for_long(delivery))
        return;
    account_for(delivery, shed_queue(delivery, &delivery->ready, now_ms, true) +
                              shed_queue(delivery, &delivery->waiting, now_ms, true));
}
