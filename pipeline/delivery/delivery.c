/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening, filling, closing. What is sent when is in dispatch.c.
 */
#include "pipeline/delivery/delivery.h"

#include <assert.h>

#include "base/machine.h"
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
    STOCK_ITEMS = 256, /* in a group from which requests of a few items are cut */
    STOCK_BYTES = 64 * 1024,
    DESCRIPTORS_PER_REQUEST = 16,
    REFUSAL_LINES = 5, /* for each REFUSAL_WINDOW_MS */
    REFUSAL_WINDOW_MS = 10000,
};

static struct delivery *delivery_new(struct instance *instance, struct outlet *outlet)
{
    struct delivery *delivery = mem_zero(1, sizeof *delivery);
    delivery->instance = instance;
    delivery->output = instance->plugin->as.output;
    delivery->lane = instance->env.lane;
    delivery->outlet = outlet;
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
    arena_init(&delivery->scratch, NULL);
    return delivery;
}

/* Each request may need a connection, and each lane keeps its own: where descriptors are scarce, other things need them. */
static void bound_requests(struct output_limits *limits)
{
    size_t most = machine_descriptors() / DESCRIPTORS_PER_REQUEST;
    if (limits->max_in_flight > most)
        limits->max_in_flight = most > 1 ? (unsigned)most : 1;
}

static void choose_fill(struct delivery *delivery)
{
    const struct output_limits *limits = &delivery->limits;
    assert(limits->max_items > 0 && limits->max_bytes > 0 && limits->max_in_flight > 0);
    bool cut = limits->max_items < STOCK_ITEMS;
    delivery->fill_items = cut ? STOCK_ITEMS : limits->max_items;
    delivery->fill_bytes = cut && limits->max_bytes > STOCK_BYTES ? STOCK_BYTES : limits->max_bytes;
}

static bool open_output(struct delivery *delivery, struct error *err)
{
    struct instance *instance = delivery->instance;
    const struct output *output = delivery->output;
    if (output->open_encoder && !output->open_encoder(instance->self, &instance->env, err))
        return false;
    if (delivery->home && delivery->home != delivery)
        return true;
    return output->open(instance->self, &instance->env, &delivery->limits, err);
}

struct delivery *delivery_open(struct instance *instance, struct outlet *outlet,
                               struct delivery *home, struct error *err)
{
    struct delivery *delivery = delivery_new(instance, outlet);
    delivery->home = home ? home : delivery;
    if (!open_output(delivery, err)) {
        arena_release(&delivery->scratch);
        mem_free(delivery);
        return NULL;
    }
    if (home)
        delivery->limits = home->limits;
    bound_requests(&delivery->limits);
    choose_fill(delivery);
    dispatch_open(delivery);
    return delivery;
}

/* ---- filling -------------------------------------------------------------------------------------- */

void delivery_seal(struct delivery *delivery)
{
    struct group *group = delivery->filling;
    assert(group && group->count > 0);
    delivery->filling = NULL;
    group_set_state(group, GROUP_READY);
    if (delivery->home == delivery) {
        group_queue_push(&delivery->ready, group);
        return;
    }
    group->link.run = dispatch_receive;
    group->delivery = delivery->home;
    lane_post(delivery->home->lane, &group->link);
}

static struct group *filling(struct delivery *delivery)
{
    if (!delivery->filling) {
        delivery->filling = group_take(delivery, false);
        delivery->filling->due_ms =
            uv_now(delivery->lane->loop) + outlet_gather_ms(delivery->outlet);
    }
    return delivery->filling;
}

/* An item that took the group past its bytes starts the next one. */
static void seal_before_last(struct delivery *delivery)
{
    struct group *full = delivery->filling;
    delivery->filling = NULL;
    group_move_last(full, filling(delivery));
    struct group *next = delivery->filling;
    delivery->filling = full;
    delivery_seal(delivery);
    delivery->filling = next;
}

static void seal_when_full(struct delivery *delivery)
{
    if (delivery->filling->bytes.len > delivery->fill_bytes && delivery->filling->count > 1)
        seal_before_last(delivery);
    if (delivery->filling->count >= delivery->fill_items ||
        delivery->filling->bytes.len >= delivery->fill_bytes)
        delivery_seal(delivery);
}

void delivery_absorb(struct delivery *delivery, struct group *loose)
{
    assert(loose->loose && delivery->home == delivery);
    while (group_left(loose) > 0) {
        group_move_items(loose, 1, filling(delivery));
        seal_when_full(delivery);
    }
    group_recycle(loose);
}

void delivery_log_refusal(struct delivery *delivery, const char *what, struct str reason)
{
    uint64_t held_back;
    if (log_limit_allow(&delivery->refusals, clock_monotonic_ms(), &held_back))
        log_warn(delivery->instance->env.log, "event_refused", what, LOG_STR("reason", reason),
                 LOG_INT_IF("not_logged_before", held_back));
}

static void refuse(struct delivery *delivery, const struct error *err)
{
    counter_add(delivery->refused, 1);
    delivery_log_refusal(delivery, "an event cannot be encoded", str_from(err->text));
}

/* Encodes into the group that is filling; true when the buffer was full and the event has to go into a new one. */
static bool encode(struct delivery *delivery, const struct event *event, struct receipt *receipt)
{
    struct group *group = filling(delivery);
    size_t offset = group->bytes.len;
    struct error err = {0};
    enum encode_result result = delivery->output->encode(delivery->instance->self, event,
                                                         &delivery->scratch, &group->bytes, &err);
    switch (result) {
    case ENCODE_DONE:
    case ENCODE_OWN_ID:
        group_push(group, offset, receipt, result == ENCODE_OWN_ID);
        seal_when_full(delivery);
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
            delivery_seal(delivery);
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
    size_t events = selection_count(selection);
    if (delivery->closing)
        return;
    /* Before anything may be sent: what is delivered was routed, whoever looks. */
    counter_add(delivery->instance->events_in, events);
    counter_add(delivery->routed, events);
    for (size_t at = 0; selection_next(selection, &at); at++) {
        if (encode(delivery, from[at], receipt))
            encode(delivery, from[at], receipt);
        arena_reset(&delivery->scratch);
    }
    dispatch_soon(delivery);
}

/* ---- the end -------------------------------------------------------------------------------------- */

void delivery_close(struct delivery *delivery)
{
    struct instance *instance = delivery->instance;
    delivery->closing = true;
    dispatch_close(delivery);
    if (delivery->home == delivery) {
        if (delivery->output->stop)
            delivery->output->stop(instance->self);
        if (delivery->output->close)
            delivery->output->close(instance->self);
    }
    if (delivery->output->close_encoder)
        delivery->output->close_encoder(instance->self);
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
    assert(delivery->closing && delivery->in_flight == 0);
    free_queue(&delivery->ready);
    free_queue(&delivery->waiting);
    if (delivery->filling)
        give_up(delivery->filling);
    group_pools_release(delivery);
    arena_release(&delivery->scratch);
    mem_free(delivery);
}
