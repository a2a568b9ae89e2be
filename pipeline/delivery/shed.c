/* SPDX-License-Identifier: Apache-2.0
 *
 * hold_max: an output that does not get rid of its events holds up their origins only so long. Then they become dead letters,
 * the origins go on, and other outputs with them. What is in flight is never set aside: it may have arrived.
 */
#include <assert.h>

#include "base/time/clock.h"
#include "pipeline/delivery/delivery_private.h"

enum { LOOKS_IN_HOLD = 4, SHED_LINES = 1, SHED_WINDOW_MS = 60000 };

void shed_open(struct delivery *delivery, uint64_t hold_ms)
{
    delivery->hold_ms = hold_ms;
    delivery->shed_at_ms = hold_ms > 0 ? 0 : UINT64_MAX;
    delivery->shed_lines = (struct log_limit){.window_ms = SHED_WINDOW_MS, .burst = SHED_LINES};
}

static void forget_loose(struct delivery *delivery, const struct group *group)
{
    for (size_t level = 0; level < LOOSE_LEVELS; level++)
        if (delivery->loose[level] == group)
            delivery->loose[level] = NULL;
}

static size_t set_aside(struct delivery *delivery, struct group *group)
{
    size_t count = group_left(group);
    for (size_t i = group->taken; i < group->count; i++) {
        delivery_keep_letter(delivery, group, i,
                             STR("it waited for its destination longer than hold_max"));
        group->runs[group->items[i].run].open--; /* its letter holds the receipt now */
    }
    if (group->state == GROUP_WAITING)
        forget_loose(delivery, group);
    group->taken = group->count;
    group_recycle(group);
    return count;
}

static size_t shed_queue(struct delivery *delivery, struct group_queue *queue, uint64_t now_ms)
{
    struct group_queue kept = {0};
    size_t count = 0;
    for (struct group *group; (group = group_queue_pop(queue));) {
        if (group->born_ms + delivery->hold_ms <= now_ms)
            count += set_aside(delivery, group);
        else
            group_queue_push(&kept, group);
    }
    *queue = kept;
    return count;
}

void shed_old(struct delivery *delivery, uint64_t now_ms)
{
    if (now_ms < delivery->shed_at_ms)
        return;
    assert(delivery->letters && delivery->hold_ms > 0);
    delivery->shed_at_ms = now_ms + delivery->hold_ms / LOOKS_IN_HOLD + 1;
    size_t count = shed_queue(delivery, &delivery->ready, now_ms) +
                   shed_queue(delivery, &delivery->waiting, now_ms);
    if (count == 0)
        return;
    counter_add(delivery->set_aside, count);
    delivery_hand_in(delivery);
    uint64_t held_back;
    if (log_limit_allow(&delivery->shed_lines, clock_monotonic_ms(), &held_back))
        log_warn(
            delivery->instance->env.log, "events_set_aside",
            "events waited longer than hold_max and become dead letters; 'millrace dlq replay' "
            "sends them again",
            LOG_INT("events", count), LOG_INT("hold_max_ms", delivery->hold_ms),
            LOG_INT_IF("not_logged_before", held_back));
}
