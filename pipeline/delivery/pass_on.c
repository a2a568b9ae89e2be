/* SPDX-License-Identifier: Apache-2.0
 *
 * What becomes of a delivery's events when its lane goes on with a program that has another one in its place: its heir takes
 * them, or they go to the spool. On the lane's thread, before the heir gets events of its own.
 */
#include <assert.h>

#include "pipeline/delivery/delivery_private.h"

enum { REQUEST_GRACE_MS = OUTLET_MOMENT_MS };

/* ---- to an heir ----------------------------------------------------------------------------------- */

/* The plan may have changed once more. */
static struct delivery *last_heir(struct delivery *delivery)
{
    struct delivery *heir = delivery->heir;
    while (heir->heir)
        heir = heir->heir;
    return heir;
}

/* So its books balance: what was read from the spool was not routed to it. */
static void count_taken(const struct delivery *heir, const struct group *group)
{
    size_t count = group_left(group);
    if (group->spooled || group->rests) {
        counter_add(heir->unspooled, count);
        return;
    }
    counter_add(heir->instance->events_in, count);
    counter_add(heir->routed, count);
}

/* Attempts at the destination before do not slow down what comes now; the items remember them. */
static void make_fresh(struct group *group, struct delivery *owner)
{
    for (size_t i = group->taken; i < group->count; i++) {
        unsigned attempts = group_attempts(group, i);
        group->items[i].attempts = (uint8_t)(attempts < UINT8_MAX ? attempts : UINT8_MAX);
    }
    group->attempts = 0;
    group->part = group->loose = group->rests = false;
    group->delivery = owner;
    group->born_ms = uv_now(owner->lane->loop);
    if (group->state != GROUP_READY)
        group_set_state(group, GROUP_READY);
}

static void send_home(struct delivery *heir, struct group *group)
{
    struct delivery *home = heir->home;
    make_fresh(group, home);
    if (home == heir) {
        group_queue_push(&heir->ready, group);
        return;
    }
    group->link.run = dispatch_receive;
    lane_post(home->lane, &group->link);
}

static void give(struct delivery *heir, struct group *group)
{
    count_taken(heir, group);
    send_home(heir, group);
}

static void encode_anew(const struct delivery *delivery, struct delivery *heir, struct group *group,
                        size_t index, struct group *made)
{
    const struct group_item *item = &group->items[index];
    struct group_run *run = &group->runs[item->run];
    struct str bytes = str_make(group->bytes.ptr + item->offset, item->len), event, metadata;
    delivery_split_note(delivery_carried_event(delivery, bytes), group_note(group, item), &event,
                        &metadata);
    bool done = delivery_encode_anew(heir, made, event, metadata, run->receipt);
    assert(run->open > 0);
    run->open--;
    receipt_release(run->receipt, 1, done ? RECEIPT_DELIVERED : RECEIPT_ABANDONED);
}

static void give_anew(const struct delivery *delivery, struct delivery *heir, struct group *group)
{
    struct group *made = group_take(heir, false);
    count_taken(heir, group);
    made->spooled = group->spooled;
    for (size_t i = group->taken; i < group->count; i++)
        encode_anew(delivery, heir, group, i, made);
    delivery_hand_in(heir);
    group->taken = group->count;
    group_recycle(group);
    if (made->count > 0)
        send_home(heir, made);
    else
        group_recycle(made);
}

/* ---- to the spool --------------------------------------------------------------------------------- */

/* What was read from there is still in it, and read again by whoever has it next. */
static void put_into_spool(struct delivery *delivery, struct group *group)
{
    if (group->spooled)
        group_abandon(group);
    else
        counter_add(delivery->spooled, spool_put(delivery->spool, group));
    group->taken = group->count;
    group_recycle(group);
}

/* ---- both ----------------------------------------------------------------------------------------- */

static void pass(struct delivery *delivery, struct delivery *heir, struct group *group)
{
    if (heir && delivery->anew)
        give_anew(delivery, heir, group);
    else if (heir)
        give(heir, group);
    else
        put_into_spool(delivery, group);
}

static void pass_queue(struct delivery *delivery, struct delivery *heir, struct group_queue *queue)
{
    for (struct group *group; (group = group_queue_pop(queue));)
        pass(delivery, heir, group);
}

static void join(struct group_queue *queue, struct group_queue *behind)
{
    for (struct group *group; (group = group_queue_pop(behind));)
        group_queue_push(queue, group);
}

void pass_on_all(struct delivery *delivery)
{
    struct delivery *heir = delivery->heir ? last_heir(delivery) : NULL;
    assert(delivery->passes_on);
    if (heir && heir->closing)
        return; /* the engine closes */
    struct group_queue later = {0};
    if (heir) { /* it goes before what the heir has: it is older */
        later = heir->ready;
        heir->ready = (struct group_queue){0};
    }
    for (size_t level = 0; level < LOOSE_LEVELS; level++)
        delivery->loose[level] = NULL;
    pass_queue(delivery, heir, &delivery->ready);
    pass_queue(delivery, heir, &delivery->waiting);
    if (delivery->filling && delivery->filling->count > 0) {
        pass(delivery, heir, delivery->filling);
        delivery->filling = NULL;
    }
    if (!heir)
        return;
    join(&heir->ready, &later);
    if (heir->passes_on)
        pass_on_all(heir);
    else
        dispatch_soon(heir);
}

static void begin(struct delivery *delivery, struct delivery *heir)
{
    assert(!delivery->passes_on && !delivery->closing);
    assert(heir || delivery->spool);
    delivery->passes_on = true;
    delivery->heir = heir;
    if (heir) {
        heir->awaits++;
        delivery->is_before = delivery->in_flight > 0 || delivery->behind > 0;
        heir->behind += delivery->is_before;
    }
    pass_on_all(delivery);
}

void delivery_pass_on(struct delivery *delivery, struct delivery *heir)
{
    assert(heir && heir != delivery && heir->lane == delivery->lane && !heir->heir);
    begin(delivery, heir);
}

void delivery_pass_on_events(struct delivery *delivery, struct delivery *heir)
{
    assert(heir && heir != delivery && heir->lane == delivery->lane && !heir->heir);
    if (!delivery->notes)
        return;
    delivery->anew = true;
    begin(delivery, heir);
}

void delivery_pass_to_spool(struct delivery *delivery)
{
    if (!delivery->passes_on && delivery->on_full == ON_FULL_SPOOL)
        begin(delivery, NULL);
}

/* ---- what is in flight ---------------------------------------------------------------------------- */

/* Of those that follow each other. */
void pass_on_landed(struct delivery *delivery)
{
    for (; delivery->is_before && delivery->in_flight + delivery->behind == 0;
         delivery = delivery->heir) {
        assert(delivery->heir && delivery->heir->behind > 0);
        delivery->is_before = false;
        delivery->heir->behind--;
    }
}

void pass_on_over(struct delivery *delivery)
{
    struct delivery *heir = delivery->heir;
    if (!heir || delivery->in_flight > 0)
        return;
    assert(delivery->closing && heir->awaits > 0 && !delivery->is_before);
    delivery->heir = NULL;
    delivery->passes_on = false;
    heir->awaits--;
}

bool delivery_is_awaited(const struct delivery *delivery)
{
    return delivery->awaits > 0;
}

bool delivery_is_given_up(const struct delivery *delivery)
{
    return delivery->passes_on &&
           uv_now(delivery->lane->loop) >= delivery->last_sent_ms + REQUEST_GRACE_MS;
}
