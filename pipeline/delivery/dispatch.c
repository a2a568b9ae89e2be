/* SPDX-License-Identifier: Apache-2.0
 *
 * What a delivery sends when, and what it does with what comes back.
 */
#include <assert.h>

#include "base/time/clock.h"
#include "pipeline/delivery/delivery_private.h"
#include "pipeline/delivery/retry.h"
#include "pipeline/engine/engine_private.h"

enum {
    SPOOLED_REST_MS = 5000, /* the longest rest of an item of the spool */
    REQUEST_RETRY_MS =
        20, /* a request that failed goes again after this at first: a destination that is down is paused
                             * for as a whole, and one that is not takes it */
};

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

static uint64_t random_of(const struct delivery *delivery)
{
    const struct plugin_env *env = &delivery->instance->env;
    return env->random(env->random_ctx);
}

/* ---- sending -------------------------------------------------------------------------------------- */

/* How many of the group's items go into one request just now. */
static size_t items_of_request(struct delivery *delivery, const struct group *group)
{
    size_t max_bytes = outlet_max_bytes(delivery->outlet);
    size_t most = group_left(group);
    if (most > delivery->limits.max_items)
        most = delivery->limits.max_items;
    size_t start = group->items[group->taken].offset, count = 1;
    while (count < most) {
        const struct group_item *next = &group->items[group->taken + count];
        if (next->offset + next->len - start > max_bytes)
            break;
        count++;
    }
    return count;
}

/* The next request: the first group that is ready, or as much of it as one may be. */
static struct group *take_request(struct delivery *delivery)
{
    struct group *first = delivery->ready.first;
    size_t count = items_of_request(delivery, first);
    if (first->taken == 0 && count == first->count)
        return group_queue_pop(&delivery->ready);
    struct group *parcel = group_take(delivery, delivery->limits.max_items < delivery->fill_items);
    parcel->attempts = first->attempts;
    parcel->part = first->part;
    parcel->spooled = first->spooled;
    group_move_items(first, count, parcel);
    group_set_state(parcel, GROUP_READY);
    if (group_left(first) == 0)
        group_recycle(group_queue_pop(&delivery->ready));
    return parcel;
}

static bool may_send(struct delivery *delivery, uint64_t now_ms)
{
    if (!delivery->ready.first || delivery->closing)
        return false;
    return !delivery->ordered ||
           (delivery->in_flight == 0 && delivery->behind == 0 && delivery->held_until_ms <= now_ms);
}

static void send_next(struct delivery *delivery)
{
    struct group *group = take_request(delivery);
    group_set_state(group, GROUP_IN_FLIGHT);
    group->sent_us = now_us();
    delivery->last_sent_ms = uv_now(delivery->lane->loop);
    delivery->in_flight++;
    delivery->output->send(delivery->instance->self, group);
}

/* The group that is not full, when it may go as it is: nothing that could go is before it. */
static struct group *part_to_seal(const struct delivery *delivery)
{
    struct group *group = delivery->filling;
    bool is_first = !delivery->ready.first || delivery->was_holding;
    return group && group->count > 0 && is_first ? group : NULL;
}

/* It goes when nothing is in flight and the loop is about to wait, or when it is old enough. */
static void seal_if_due(struct delivery *delivery, uint64_t now_ms, bool idle)
{
    const struct group *group = part_to_seal(delivery);
    if (!group)
        return;
    if (delivery->home != delivery ? idle
                                   : (idle && delivery->in_flight == 0) || group->due_ms <= now_ms)
        delivery_seal(delivery);
}

/* What goes behind others into the spool gains nothing by waiting for more: its origins would wait as well. */
static void seal_for_spool(struct delivery *delivery, uint64_t now_ms, bool idle)
{
    const struct group *group = delivery->filling;
    if (delivery->home == delivery && group && group->count > 0 &&
        (idle || group->due_ms <= now_ms) && shed_is_spooling(delivery))
        delivery_seal(delivery);
}

static void take_due(struct delivery *delivery, uint64_t now_ms)
{
    while (delivery->waiting.first && delivery->waiting.first->due_ms <= now_ms) {
        struct group *group = group_queue_pop(&delivery->waiting);
        group_set_state(group, GROUP_READY);
        if (!group->loose) {
            group_queue_push(&delivery->ready, group);
            continue;
        }
        for (size_t level = 0; level < LOOSE_LEVELS; level++)
            if (delivery->loose[level] == group)
                delivery->loose[level] = NULL;
        delivery_absorb(delivery, group);
    }
}

static void pump(struct delivery *delivery, bool idle);

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data, false);
}

static void set_timer(struct delivery *delivery, uint64_t now_ms, uint64_t again_ms)
{
    const struct group *part = part_to_seal(delivery);
    uint64_t due = again_ms;
    if (delivery->waiting.first && delivery->waiting.first->due_ms < due)
        due = delivery->waiting.first->due_ms;
    if (part && part->due_ms < due)
        due = part->due_ms;
    if (delivery->ready.first && delivery->held_until_ms > now_ms && delivery->held_until_ms < due)
        due = delivery->held_until_ms;
    bool may_recall = delivery->in_flight > 0 && delivery->output->recall;
    if ((delivery->ready.first || delivery->waiting.first || may_recall) &&
        delivery->shed_at_ms < due)
        due = delivery->shed_at_ms;
    if (due == UINT64_MAX)
        uv_timer_stop(&delivery->timer);
    else
        uv_timer_start(&delivery->timer, on_timer, due > now_ms ? due - now_ms : 1, 0);
}

/* Sends what may be sent. idle: the loop has nothing more at hand. An output that answers at once comes back here through
 * group_done: the outer call goes on. */
static void pump(struct delivery *delivery, bool idle)
{
    if (delivery->pumping)
        return;
    if (delivery->passes_on)
        pass_on_all(delivery);
    if (delivery->passes_on || delivery->closing)
        return;
    delivery->pumping = true;
    uint64_t now_ms = uv_now(delivery->lane->loop), again_ms = UINT64_MAX;
    bool denied = false;
    take_due(delivery, now_ms);
    seal_for_spool(delivery, now_ms, idle);
    shed_old(delivery, now_ms);
    do {
        while (!denied && may_send(delivery, now_ms)) {
            if (outlet_take_permit(delivery->outlet, &delivery->member, now_ms, &again_ms))
                send_next(delivery);
            else
                denied = true;
        }
        seal_if_due(delivery, now_ms, idle);
    } while (!denied && may_send(delivery, now_ms));
    shed_unsent(delivery, now_ms);
    delivery->pumping = false;
    set_timer(delivery, now_ms, again_ms);
}

static void on_flush(uv_idle_t *flush)
{
    uv_idle_stop(flush);
    pump(flush->data, true);
}

void dispatch_soon(struct delivery *delivery)
{
    if (delivery->ready.first)
        pump(delivery, false);
    uv_idle_start(&delivery->flush, on_flush);
}

static void on_nudge(struct inbox_item *link)
{
    struct delivery *delivery = (struct delivery *)link;
    atomic_store_explicit(&delivery->nudged, false, memory_order_release);
    pump(delivery, false);
    if (!delivery->closing) /* what it had may have gone without having been told */
        outlet_pass_on(delivery->outlet);
}

/* With the outlet locked, on any thread. */
static void post_nudge(struct outlet_member *member)
{
    struct delivery *delivery =
        (struct delivery *)(void *)((char *)member - offsetof(struct delivery, member));
    /* Whoever posts the link again has seen that it was taken out of the inbox. */
    if (!atomic_exchange_explicit(&delivery->nudged, true, memory_order_acquire))
        lane_post(delivery->lane, &delivery->link);
}

void delivery_receive_spooled(struct delivery *delivery, struct group *group)
{
    assert(group->spooled && !delivery->closing);
    if (group->count == 0) { /* its records were none */
        group_recycle(group);
        return;
    }
    counter_add(delivery->unspooled, group->count);
    group_set_state(group, GROUP_READY);
    group_queue_push(&delivery->ready, group);
    dispatch_soon(delivery);
}

void dispatch_receive(struct inbox_item *link)
{
    struct group *group = (struct group *)link;
    struct delivery *delivery = group->delivery;
    group_queue_push(&delivery->ready, group);
    if (delivery->passes_on)
        pass_on_all(delivery);
    else if (!delivery->closing)
        dispatch_soon(delivery);
}

/* ---- coming back ---------------------------------------------------------------------------------- */

static void count_outcome(struct delivery *delivery, const struct group_outcome *outcome)
{
    counter_add(delivery->delivered, outcome->delivered);
    counter_add(delivery->instance->events_out, outcome->delivered);
    counter_add(delivery->conflicts, outcome->conflicts);
    counter_add(delivery->refused, outcome->refused);
    counter_add(delivery->dropped, outcome->dropped);
    counter_add(delivery->retried, outcome->retry + outcome->changed);
}

/* A whole group goes again: in all, and by what the destination said. */
static void count_retried(struct delivery *delivery, const struct group *group,
                          const struct send_result *result)
{
    enum send_cause cause = result->cause;
    counter_add(delivery->retried, group->count);
    retried_count(delivery, result->status, group->count);
    counter_add(cause == SEND_UNREACHABLE  ? delivery->retried_unreachable
                : cause == SEND_OVERLOADED ? delivery->retried_overloaded
                                           : delivery->retried_forbidden,
                group->count);
}

static void put_first(struct delivery *delivery, struct group *group)
{
    group_set_state(group, GROUP_READY);
    group_queue_push_front(&delivery->ready, group);
}

/* The whole group goes again after a pause; in an ordered pipeline nothing overtakes it, but for a lone item that was
 * rejected: only what comes behind it can show whether it is to blame, and then it is refused. */
static void retry_whole(struct delivery *delivery, struct group *group, unsigned asked_ms,
                        bool rejected)
{
    struct output_limits pace = delivery->limits;
    if (pace.retry_initial_ms > REQUEST_RETRY_MS)
        pace.retry_initial_ms = REQUEST_RETRY_MS;
    group->attempts++;
    uint64_t due_ms = uv_now(delivery->lane->loop) +
                      retry_backoff_ms(&pace, group->attempts - 1, asked_ms, random_of(delivery));
    if (delivery->ordered) {
        delivery->held_until_ms = due_ms;
        group_set_state(group, GROUP_READY);
        if (rejected)
            group_queue_push(&delivery->ready, group);
        else
            group_queue_push_front(&delivery->ready, group);
        return;
    }
    group->due_ms = due_ms;
    group_trim(group);
    group_set_state(group, GROUP_WAITING);
    group_queue_push_due(&delivery->waiting, group);
}

struct group *dispatch_loose_group(struct delivery *delivery, unsigned attempts, unsigned asked_ms,
                                   bool spooled)
{
    unsigned level = attempts < LOOSE_LEVELS ? attempts : LOOSE_LEVELS - 1;
    struct group *group = delivery->loose[level];
    if (group && group->rests == spooled && group->bytes.len < delivery->limits.max_bytes)
        return group;
    struct output_limits pace = delivery->limits;
    if (spooled && pace.retry_max_ms > SPOOLED_REST_MS)
        pace.retry_max_ms = SPOOLED_REST_MS;
    group = delivery->loose[level] = group_take(delivery, true);
    group->loose = true;
    group->rests = spooled;
    group->due_ms = uv_now(delivery->lane->loop) +
                    retry_backoff_ms(&pace, attempts, asked_ms, random_of(delivery));
    group_set_state(group, GROUP_WAITING);
    group_queue_push_due(&delivery->waiting, group);
    return group;
}

/* Items that are to be tried again leave the group, which says nothing about others: they wait with their like, and go on
 * with whatever is sent then. */
static void loosen(struct delivery *delivery, struct group *group, unsigned asked_ms)
{
    while (group_left(group) > 0) {
        struct group_item *item = &group->items[group->taken];
        struct group *to = dispatch_loose_group(delivery, group_attempts(group, group->taken),
                                                asked_ms, group->spooled);
        unsigned attempts = group->attempts + item->attempts + 1u;
        item->attempts = (uint8_t)(attempts < UINT8_MAX ? attempts : UINT8_MAX);
        group_move_items(group, 1, to);
    }
    group_recycle(group);
}

static void settle(struct delivery *delivery, struct group *group, const struct send_result *result)
{
    struct group_outcome outcome = group_settle(group);
    count_outcome(delivery, &outcome);
    retried_count(delivery, result->status, outcome.retry);
    delivery_hand_in(delivery);
    if (outcome.retry == 0)
        group_recycle(group);
    else if (delivery->closing)
        put_first(delivery, group);
    else if (delivery->ordered)
        retry_whole(delivery, group, result->retry_after_ms, false);
    else
        loosen(delivery, group, result->retry_after_ms);
}

static void split(struct delivery *delivery, struct group *group)
{
    struct group *half = group_take(delivery, true);
    group->part = half->part = true;
    half->spooled = group->spooled;
    half->attempts = group->attempts;
    group_move_items(group, group->count / 2, half);
    put_first(delivery, group);
    put_first(delivery, half);
}

static void refuse_only_item(struct delivery *delivery, struct group *group,
                             const struct send_result *result)
{
    assert(group->count == 1);
    group_answer(group, 0, VERDICT_REFUSED, result->reason);
    settle(delivery, group, &(struct send_result){.cause = SEND_ANSWERED});
}

/* Too large or rejected as a whole: looks for the item that is to blame. */
static void narrow_down(struct delivery *delivery, struct group *group,
                        const struct send_result *result)
{
    if (group->count > 1)
        split(delivery, group);
    else if (result->cause == SEND_TOO_LARGE || outlet_blames_item(delivery->outlet))
        refuse_only_item(delivery, group, result);
    else
        retry_whole(delivery, group, result->retry_after_ms, true);
}

static bool took_nothing(const struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        if (group->items[i].verdict != VERDICT_RETRY)
            return false;
    return group->count > 0;
}

static void tell_outlet(struct delivery *delivery, const struct group *group,
                        const struct send_result *result)
{
    struct outlet_report report = {
        .cause = result->cause,
        .retry_after_ms = result->retry_after_ms,
        .bytes = group->bytes.len,
        .full = group->count >= (delivery->limits.max_items + 1) / 2 ||
                group->bytes.len >= outlet_max_bytes(delivery->outlet) / 2,
        .fresh = group->attempts == 0 && !group->part,
        .sent_us = group->sent_us,
        .now_us = now_us(),
        .random = random_of(delivery),
        .reason = result->reason,
        .took_nothing = result->cause == SEND_ANSWERED && took_nothing(group),
    };
    outlet_finish(delivery->outlet, &report);
}

void group_done(struct group *group, const struct send_result *result)
{
    struct delivery *delivery = group->delivery;
    assert(delivery->in_flight > 0 && group->state == GROUP_IN_FLIGHT);
    delivery->in_flight--;
    tell_outlet(delivery, group, result);
    switch (result->cause) {
    case SEND_ANSWERED:
        settle(delivery, group, result);
        break;
    case SEND_TOO_LARGE:
    case SEND_REJECTED:
        narrow_down(delivery, group, result);
        break;
    case SEND_UNREACHABLE:
    case SEND_OVERLOADED:
    case SEND_FORBIDDEN:
        count_retried(delivery, group, result);
        retry_whole(delivery, group, result->retry_after_ms, false);
        break;
    case SEND_STOPPED:
        put_first(delivery, group);
        break;
    }
    pass_on_landed(delivery);
    pump(delivery, true);
    if (delivery->closing)
        pass_on_over(delivery);
}

/* ---- opening and closing -------------------------------------------------------------------------- */

void dispatch_open(struct delivery *delivery)
{
    delivery->link.run = on_nudge;
    delivery->member.nudge = post_nudge;
    if (delivery->home == delivery)
        outlet_join(delivery->outlet, &delivery->member, &delivery->limits);
    uv_timer_init(delivery->lane->loop, &delivery->timer);
    uv_idle_init(delivery->lane->loop, &delivery->flush);
    delivery->timer.data = delivery->flush.data = delivery;
}

void dispatch_close(struct delivery *delivery)
{
    assert(delivery->closing);
    uv_close((uv_handle_t *)&delivery->timer, NULL);
    uv_close((uv_handle_t *)&delivery->flush, NULL);
    if (delivery->home == delivery)
        outlet_leave(delivery->outlet, &delivery->member);
}
