/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/delivery.h"

#include <assert.h>

#include "base/mem.h"
#include "base/time/clock.h"
#include "pipeline/delivery/delivery_private.h"
#include "pipeline/engine/engine_private.h"

enum {
    DEFAULT_MAX_ITEMS = 2000,
    DEFAULT_MAX_BYTES = 1024 * 1024,
    DEFAULT_IN_FLIGHT = 2,
    DEFAULT_FLUSH_MS = 50,
    DEFAULT_RETRY_INITIAL_MS = 2000,
    DEFAULT_RETRY_MAX_MS = 64000,
    REFUSAL_LINES = 5, /* for each REFUSAL_WINDOW_MS */
    REFUSAL_WINDOW_MS = 10000,
    BACKOFF_MAX_DOUBLINGS = 20,
};

static void pump(struct delivery *delivery);

static void on_timer(uv_timer_t *timer)
{
    pump(timer->data);
}

struct delivery *delivery_open(struct instance *instance, struct error *err)
{
    struct delivery *delivery = mem_zero(1, sizeof *delivery);
    delivery->instance = instance;
    delivery->output = instance->plugin->as.output;
    delivery->lane = instance->env.lane;
    delivery->ordered = delivery->lane->engine->options.ordered;
    delivery->limits = (struct output_limits){
        .max_items = DEFAULT_MAX_ITEMS,
        .max_bytes = DEFAULT_MAX_BYTES,
        .max_in_flight = DEFAULT_IN_FLIGHT,
        .flush_ms = DEFAULT_FLUSH_MS,
        .retry_initial_ms = DEFAULT_RETRY_INITIAL_MS,
        .retry_max_ms = DEFAULT_RETRY_MAX_MS,
    };
    delivery->refusals = (struct log_limit){.window_ms = REFUSAL_WINDOW_MS, .burst = REFUSAL_LINES};
    delivery->routed = instance_counter(instance, "routed");
    delivery->delivered = instance_counter(instance, "delivered");
    delivery->conflicts = instance_counter(instance, "conflicts");
    delivery->refused = instance_counter(instance, "refused");
    delivery->dropped = instance_counter(instance, "dropped");
    delivery->retried = instance_counter(instance, "retried");
    if (!delivery->output->open(instance->self, &instance->env, &delivery->limits, err)) {
        mem_free(delivery);
        return NULL;
    }
    assert(delivery->limits.max_items > 0 && delivery->limits.max_in_flight > 0);
    if (delivery->ordered)
        delivery->limits.max_in_flight = 1;
    delivery->allowed = delivery->limits.max_in_flight;
    delivery->items_allowed = delivery->limits.max_items;
    uv_timer_init(delivery->lane->loop, &delivery->timer);
    delivery->timer.data = delivery;
    return delivery;
}

/* ---- filling -------------------------------------------------------------------------------------- */

static void seal(struct delivery *delivery)
{
    struct group *group = delivery->filling;
    delivery->filling = NULL;
    group_set_state(group, GROUP_READY);
    group_queue_push(&delivery->ready, group);
}

/* An item that took the group past its bytes starts the next one. */
static void seal_before_last(struct delivery *delivery)
{
    struct group *full = delivery->filling;
    seal(delivery);
    delivery->filling = group_take(delivery);
    group_move_items(full, full->count - 1, delivery->filling);
}

static void refuse(struct delivery *delivery, const struct error *err)
{
    counter_add(delivery->refused, 1);
    uint64_t held_back;
    if (log_limit_allow(&delivery->refusals, clock_monotonic_ms(), &held_back))
        log_warn(delivery->instance->env.log, "event_refused", "an event cannot be encoded",
                 LOG_CSTR("reason", err->text), LOG_INT("not_logged_before", held_back));
}

static void push(struct delivery *delivery, size_t offset, struct receipt *receipt)
{
    group_push(delivery->filling, offset, receipt);
    if (delivery->filling->bytes.len > delivery->limits.max_bytes && delivery->filling->count > 1)
        seal_before_last(delivery);
    if (delivery->filling->count >= delivery->items_allowed ||
        delivery->filling->bytes.len >= delivery->limits.max_bytes)
        seal(delivery);
}

/* Encodes into the group that is filling; true when the buffer was full and the event has to go into a new one. */
static bool encode(struct delivery *delivery, const struct event *event, struct receipt *receipt)
{
    if (!delivery->filling) {
        delivery->filling = group_take(delivery);
        delivery->filling->due_ms = uv_now(delivery->lane->loop) + delivery->limits.flush_ms;
    }
    struct group *group = delivery->filling;
    size_t offset = group->bytes.len;
    struct error err = {0};
    switch (delivery->output->encode(delivery->instance->self, event, &group->bytes, &err)) {
    case ENCODE_DONE:
        push(delivery, offset, receipt);
        return false;
    case ENCODE_DROPPED:
        counter_add(delivery->dropped, 1);
        break;
    case ENCODE_REFUSED:
        refuse(delivery, &err);
        break;
    case ENCODE_FULL:
        group->bytes.len = offset;
        if (group->count > 0) {
            seal(delivery);
            return true;
        }
        error_set(&err, ERROR_LIMIT, "the encoded event is larger than a group can be");
        refuse(delivery, &err);
        break;
    }
    group->bytes.len = offset;
    return false;
}

void delivery_add_selection(struct delivery *delivery, struct event *const *from,
                            const struct selection *selection, struct receipt *receipt)
{
    size_t events = 0;
    for (size_t at = 0; selection_next(selection, &at); at++) {
        events++;
        if (encode(delivery, from[at], receipt))
            encode(delivery, from[at], receipt);
    }
    counter_add(delivery->instance->events_in, events);
    counter_add(delivery->routed, events);
    pump(delivery);
}

/* ---- sending -------------------------------------------------------------------------------------- */

static void send_group(struct delivery *delivery, struct group *group)
{
    group_set_state(group, GROUP_IN_FLIGHT);
    delivery->in_flight++;
    assert(delivery->in_flight <= delivery->limits.max_in_flight);
    delivery->output->send(delivery->instance->self, group);
}

/* The part of a group that the destination takes at once just now; the rest goes back to the front. */
static void cut_to_allowed(struct delivery *delivery, struct group *group)
{
    if (group->count <= delivery->items_allowed)
        return;
    struct group *rest = group_take(delivery);
    group_move_items(group, delivery->items_allowed, rest);
    rest->attempts = group->attempts;
    group_set_state(rest, GROUP_READY);
    group_queue_push_front(&delivery->ready, rest);
}

static void take_due(struct delivery *delivery, uint64_t now_ms)
{
    while (delivery->waiting.first && delivery->waiting.first->due_ms <= now_ms) {
        struct group *group = group_queue_pop(&delivery->waiting);
        group_set_state(group, GROUP_READY);
        group_queue_push_front(&delivery->ready, group);
    }
}

/* A group that is not full goes when nothing is in flight, or when it is old enough. */
static void seal_if_due(struct delivery *delivery, uint64_t now_ms)
{
    struct group *group = delivery->filling;
    if (!group || group->count == 0 || delivery->ready.first)
        return;
    if (delivery->in_flight == 0 || group->due_ms <= now_ms)
        seal(delivery);
}

static bool may_send(const struct delivery *delivery, uint64_t now_ms)
{
    if (!delivery->ready.first || delivery->in_flight >= delivery->allowed)
        return false;
    if (delivery->paused_until_ms > now_ms || delivery->closing)
        return false;
    return !(delivery->ordered && delivery->waiting.first);
}

static void set_timer(struct delivery *delivery, uint64_t now_ms)
{
    uint64_t due = UINT64_MAX;
    if (delivery->ready.first && delivery->paused_until_ms > now_ms)
        due = delivery->paused_until_ms;
    if (delivery->waiting.first && delivery->waiting.first->due_ms < due)
        due = delivery->waiting.first->due_ms;
    if (delivery->filling && delivery->filling->count > 0 && delivery->in_flight > 0 &&
        delivery->filling->due_ms < due && delivery->filling->due_ms > now_ms)
        due = delivery->filling->due_ms;
    if (due == UINT64_MAX)
        uv_timer_stop(&delivery->timer);
    else
        uv_timer_start(&delivery->timer, on_timer, due > now_ms ? due - now_ms : 1, 0);
}

/* Sends what may be sent. An output that answers at once comes back here through group_done: the outer call goes on. */
static void pump(struct delivery *delivery)
{
    if (delivery->pumping || delivery->closing)
        return;
    delivery->pumping = true;
    uint64_t now_ms = uv_now(delivery->lane->loop);
    take_due(delivery, now_ms);
    do {
        while (may_send(delivery, now_ms)) {
            struct group *group = group_queue_pop(&delivery->ready);
            cut_to_allowed(delivery, group);
            send_group(delivery, group);
        }
        if (delivery->filling && delivery->filling->due_ms <= now_ms)
            seal_if_due(delivery, now_ms);
    } while (may_send(delivery, now_ms));
    delivery->pumping = false;
    set_timer(delivery, now_ms);
}

void delivery_flush(struct delivery *delivery)
{
    if (delivery->closing)
        return;
    seal_if_due(delivery, uv_now(delivery->lane->loop));
    pump(delivery);
}

/* ---- coming back ---------------------------------------------------------------------------------- */

/* initial · 2^n up to the maximum, of which between half and all is waited. */
static uint64_t backoff_ms(struct delivery *delivery, unsigned tries, unsigned asked_ms)
{
    const struct plugin_env *env = &delivery->instance->env;
    unsigned doublings = tries < BACKOFF_MAX_DOUBLINGS ? tries : BACKOFF_MAX_DOUBLINGS;
    uint64_t wait = (uint64_t)delivery->limits.retry_initial_ms << doublings;
    if (wait > delivery->limits.retry_max_ms)
        wait = delivery->limits.retry_max_ms;
    if (wait > 1)
        wait = wait / 2 + env->random(env->random_ctx) % (wait / 2 + 1);
    return wait > asked_ms ? wait : asked_ms;
}

static void count_outcome(struct delivery *delivery, const struct group_outcome *outcome)
{
    counter_add(delivery->delivered, outcome->delivered);
    counter_add(delivery->instance->events_out, outcome->delivered);
    counter_add(delivery->conflicts, outcome->conflicts);
    counter_add(delivery->refused, outcome->refused);
    counter_add(delivery->retried, outcome->retry);
}

/* Less at once for a destination that asks for it; more again with each group that got through. */
static void adapt(struct delivery *delivery, bool shrink, bool failed, size_t count)
{
    if (failed && !shrink)
        return;
    if (shrink) {
        delivery->allowed = delivery->allowed > 1 ? delivery->allowed / 2 : 1;
        size_t half = count > 1 ? count / 2 : 1;
        if (half < delivery->items_allowed)
            delivery->items_allowed = half;
        return;
    }
    if (delivery->allowed < delivery->limits.max_in_flight)
        delivery->allowed++;
    if (delivery->items_allowed < delivery->limits.max_items)
        delivery->items_allowed += delivery->items_allowed / 4 + 1;
    if (delivery->items_allowed > delivery->limits.max_items)
        delivery->items_allowed = delivery->limits.max_items;
}

/* One group that fails alone may be its own fault and waits alone. When the next one fails as well, or the destination
 * itself asked for time, nothing is sent for a while, and then one group at a time until one gets through. */
static void retry_whole(struct delivery *delivery, struct group *group, unsigned retry_after_ms,
                        bool asked)
{
    uint64_t now_ms = uv_now(delivery->lane->loop);
    delivery->failures++;
    if (delivery->failures > 1 || asked || delivery->ordered) {
        delivery->allowed = 1;
        delivery->paused_until_ms =
            now_ms + backoff_ms(delivery, delivery->failures - 1, retry_after_ms);
    }
    if (delivery->ordered) {
        group_set_state(group, GROUP_READY);
        group_queue_push_front(&delivery->ready, group);
        return;
    }
    group->due_ms = now_ms + backoff_ms(delivery, group->attempts - 1, retry_after_ms);
    group_set_state(group, GROUP_WAITING);
    group_queue_push_due(&delivery->waiting, group);
}

static void retry_part(struct delivery *delivery, struct group *group, unsigned retry_after_ms)
{
    group->due_ms =
        uv_now(delivery->lane->loop) + backoff_ms(delivery, group->attempts - 1, retry_after_ms);
    group_set_state(group, GROUP_WAITING);
    group_queue_push_due(&delivery->waiting, group);
}

void group_done(struct group *group, unsigned retry_after_ms, bool shrink)
{
    struct delivery *delivery = group->delivery;
    assert(delivery->in_flight > 0);
    delivery->in_flight--;
    size_t count = group->count;
    struct group_outcome outcome = group_settle(group);
    count_outcome(delivery, &outcome);
    adapt(delivery, shrink, outcome.retry == count, count);
    group->attempts++;
    if (outcome.retry < count)
        delivery->failures = 0;
    if (outcome.retry == 0)
        group_recycle(group);
    else if (outcome.retry == count)
        retry_whole(delivery, group, retry_after_ms, shrink || retry_after_ms > 0);
    else
        retry_part(delivery, group, retry_after_ms);
    if (delivery->in_flight == 0)
        seal_if_due(delivery, uv_now(delivery->lane->loop));
    pump(delivery);
}

/* ---- the end -------------------------------------------------------------------------------------- */

void delivery_close(struct delivery *delivery)
{
    delivery->closing = true;
    uv_close((uv_handle_t *)&delivery->timer, NULL);
    if (delivery->output->stop)
        delivery->output->stop(delivery->instance->self);
    if (delivery->output->close)
        delivery->output->close(delivery->instance->self);
}

static void give_up(struct group *group)
{
    group_abandon(group);
    group_free(group);
}

static void free_queue(struct group_queue *queue)
{
    struct group *group;
    while ((group = group_queue_pop(queue)))
        give_up(group);
}

void delivery_free(struct delivery *delivery)
{
    free_queue(&delivery->ready);
    free_queue(&delivery->waiting);
    if (delivery->filling)
        give_up(delivery->filling);
    while (delivery->free) {
        struct group *next = delivery->free->next;
        group_free(delivery->free);
        delivery->free = next;
    }
    mem_free(delivery);
}
