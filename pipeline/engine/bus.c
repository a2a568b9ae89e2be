/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/bus.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/instance.h"
#include "pipeline/engine/queue_intake.h"
#include "pipeline/program/program.h"

struct bus {
    uv_rwlock_t lock; /* held for reading while a batch is handed over */
    struct bus_receiver *receivers;
    uv_mutex_t wake_lock;
    struct bus_sender *waiting;
};

/* What a receipt of a receiver's batch is a part of. */
struct transfer {
    struct receipt *receipt; /* the sender's */
    struct bus_receiver *receiver;
};

struct bus *bus_new(void)
{
    struct bus *bus = mem_zero(1, sizeof *bus);
    if (uv_rwlock_init(&bus->lock) != 0 || uv_mutex_init(&bus->wake_lock) != 0)
        mem_abort("no lock for the addresses of pipelines");
    return bus;
}

void bus_free(struct bus *bus)
{
    if (!bus)
        return;
    assert(!bus->receivers && !bus->waiting);
    uv_rwlock_destroy(&bus->lock);
    uv_mutex_destroy(&bus->wake_lock);
    mem_free(bus);
}

/* ---- waking (B4) ---------------------------------------------------------------------------------- */

static void wake_senders(struct bus *bus)
{
    uv_mutex_lock(&bus->wake_lock);
    while (bus->waiting) {
        struct bus_sender *sender = bus->waiting;
        bus->waiting = sender->next;
        sender->waits = false;
        sender->posted = true;
        lane_post(sender->lane, &sender->link);
    }
    uv_mutex_unlock(&bus->wake_lock);
}

static void wait_for_wake(struct bus *bus, struct bus_sender *sender)
{
    uv_mutex_lock(&bus->wake_lock);
    if (!sender->waits && !sender->posted) {
        sender->waits = true;
        sender->next = bus->waiting;
        bus->waiting = sender;
    }
    uv_mutex_unlock(&bus->wake_lock);
}

void bus_wake_arrived(struct bus *bus, struct bus_sender *sender)
{
    uv_mutex_lock(&bus->wake_lock);
    assert(sender->posted && !sender->waits);
    sender->posted = false;
    uv_mutex_unlock(&bus->wake_lock);
}

bool bus_sender_is_posted(struct bus *bus, const struct bus_sender *sender)
{
    uv_mutex_lock(&bus->wake_lock);
    bool posted = sender->posted;
    uv_mutex_unlock(&bus->wake_lock);
    return posted;
}

void bus_wakes_no_more(struct bus *bus, struct bus_sender *sender)
{
    uv_mutex_lock(&bus->wake_lock);
    struct bus_sender **at = &bus->waiting;
    while (sender->waits && *at != sender)
        at = &(*at)->next;
    if (sender->waits)
        *at = sender->next;
    sender->waits = false;
    uv_mutex_unlock(&bus->wake_lock);
}

/* ---- receivers ------------------------------------------------------------------------------------ */

static struct bus_receiver *find(const struct bus *bus, struct str address)
{
    struct bus_receiver *at = bus->receivers;
    while (at && !str_equal(at->address, address))
        at = at->next;
    return at;
}

static void let_go(struct bus_receiver *receiver)
{
    if (atomic_fetch_sub(&receiver->references, 1) == 1)
        mem_free(receiver);
}

/* The address is the plan's. */
struct bus_receiver *bus_bind(const struct plugin_env *env, struct str address, struct error *err)
{
    struct bus *bus = env->settings->bus;
    assert(bus);
    struct bus_receiver *receiver = NULL;
    uv_rwlock_wrlock(&bus->lock);
    if (!find(bus, address)) {
        receiver = mem_zero(1, sizeof *receiver);
        receiver->bus = bus;
        receiver->address = address;
        receiver->engine = env->engine;
        receiver->plugin = instance_of(env)->plugin;
        receiver->on_lanes = instance_of(env)->on_lanes;
        atomic_init(&receiver->references, 1);
        receiver->next = bus->receivers;
        bus->receivers = receiver;
    }
    uv_rwlock_wrunlock(&bus->lock);
    if (receiver)
        wake_senders(bus);
    else
        error_set(err, ERROR_CONFIG, "another pipeline input has the address '%.*s'",
                  STR_FMT(address));
    return receiver;
}

void bus_unbind(struct bus_receiver *receiver)
{
    if (!receiver)
        return;
    struct bus *bus = receiver->bus;
    uv_rwlock_wrlock(&bus->lock); /* whoever hands over holds it (B1) */
    struct bus_receiver **at = &bus->receivers;
    while (*at != receiver) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = receiver->next;
    uv_rwlock_wrunlock(&bus->lock);
    wake_senders(bus); /* who waited for room waits for an address now, and says so */
    let_go(receiver);
}

/* ---- handing over --------------------------------------------------------------------------------- */

/* On a lane of the receiver. */
static void count_taken(struct lane *lane, const struct bus_receiver *receiver, size_t events)
{
    if (lane->program) /* else it is closed, and nobody reads its counters */
        counter_add(receiver->on_lanes[lane->index]->events_out, events);
}

static void run_batch(struct inbox_item *item)
{
    struct batch *batch = (struct batch *)item;
    count_taken(batch->lane, batch->receipt->transfer->receiver, batch->count);
    lane_run_batch(batch->lane, batch);
}

static void settle(struct inbox_item *item)
{
    struct receipt *receipt = (struct receipt *)item;
    struct transfer *transfer = receipt->transfer;
    struct bus_receiver *receiver = transfer->receiver;
    struct engine *engine = receiver->engine;
    size_t events = receipt->events;
    receipt->is_home = true;
    if (engine->queue)
        count_taken(receipt->home, receiver, events);
    receipt_release(transfer->receipt, 1, receipt_outcome(receipt)); /* B2 */
    receipt_free(receipt);
    mem_free(transfer);
    size_t before = atomic_fetch_sub(&receiver->batches, 1);
    assert(before > 0);
    (void)before;
    wake_senders(receiver->bus);
    let_go(receiver);
    engine_receipt_settled(engine, events);
}

static struct receipt *new_receipt(struct bus_receiver *receiver, struct lane *lane,
                                   const struct bus_parcel *parcel)
{
    struct receipt *receipt = receipt_new(NULL, lane, settle);
    receipt->transfer = mem_alloc(sizeof *receipt->transfer);
    *receipt->transfer = (struct transfer){parcel->receipt, receiver};
    receipt->events = (uint32_t)parcel->count;
    receipt_hold(parcel->receipt, 1);
    atomic_fetch_add(&receiver->batches, 1);
    atomic_fetch_add(&receiver->references, 1);
    engine_receipt_out(receiver->engine, parcel->count);
    return receipt;
}

static void hand_over(struct bus_receiver *receiver, const struct bus_sender *sender,
                      const struct bus_parcel *parcel)
{
    struct engine *engine = receiver->engine;
    struct lane *lane = engine_lane_from_outside(engine, sender->lane->index);
    struct batch *batch = batch_new(engine);
    for (size_t i = 0; i < parcel->count; i++) {
        struct event *event = event_clone(&batch->arena, parcel->events[i]);
        common_options_decorate_input(&receiver->plugin->common, event);
        batch_add(batch, event);
    }
    batch->lane = lane;
    batch->input = receiver->plugin;
    batch->receipt = new_receipt(receiver, lane, parcel);
    batch->receipt->handed_over_ms = uv_now(sender->lane->loop);
    if (engine->queue) {
        queue_intake_put(engine->queue, batch);
        return;
    }
    engine_post_batch(lane, batch, run_batch);
}

/* B3. The copies take about what their originals take, and their encoded forms after them. */
static bool has_room(struct bus_receiver *receiver)
{
    struct queue_intake *queue = receiver->engine->queue;
    if (atomic_load(&receiver->batches) == 0)
        return true;
    return (!queue || queue_intake_has_room(queue)) &&
           budget_share_has_room(&receiver->engine->share, BATCH_MAX_BYTES);
}

static enum bus_result try_to_send(struct bus *bus, const struct bus_sender *sender,
                                   struct str address, const struct bus_parcel *parcel)
{
    enum bus_result result = BUS_NOBODY;
    uv_rwlock_rdlock(&bus->lock);
    struct bus_receiver *receiver = find(bus, address);
    if (receiver)
        result = has_room(receiver) ? BUS_TAKEN : BUS_BUSY;
    if (result == BUS_TAKEN)
        hand_over(receiver, sender, parcel);
    uv_rwlock_rdunlock(&bus->lock);
    return result;
}

/* Who is not served enters the line and looks again: what changed in between woke nobody. */
enum bus_result bus_send(struct bus *bus, struct bus_sender *sender, struct str address,
                         const struct bus_parcel *parcel)
{
    assert(parcel->count > 0);
    enum bus_result result = try_to_send(bus, sender, address, parcel);
    if (result == BUS_TAKEN)
        return result;
    wait_for_wake(bus, sender);
    return try_to_send(bus, sender, address, parcel);
}
