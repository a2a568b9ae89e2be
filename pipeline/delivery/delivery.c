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
    delivery->letters = delivery->lane->engine->options.dead_letters;
    delivery->spool = outlet_spool(outlet);
    delivery->refusals = (struct log_limit){.window_ms = REFUSAL_WINDOW_MS, .burst = REFUSAL_LINES};
    delivery->routed = instance_counter(instance, "routed");
    delivery->unspooled = instance_counter(instance, "unspooled");
    delivery->delivered = instance_counter(instance, "delivered");
    delivery->conflicts = instance_counter(instance, "conflicts");
    delivery->refused = instance_counter(instance, "refused");
    delivery->dropped = instance_counter(instance, "dropped");
    delivery->set_aside = instance_counter(instance, "set_aside");
    delivery->spooled = instance_counter(instance, "spooled");
    delivery->retried = instance_counter(instance, "retried");
    delivery->retried_unreachable = instance_counter(instance, "retried_unreachable");
    delivery->retried_overloaded = instance_counter(instance, "retried_overloaded");
    delivery->retried_forbidden = instance_counter(instance, "retried_forbidden");
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
    if (delivery->on_full == ON_FULL_DEAD_LETTER && !delivery->letters)
        return error_set(err, ERROR_CONFIG,
                         "on_full => dead_letter wants dead_letter_queue.enable");
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
    shed_open(delivery);
    if (!open_output(delivery, err)) {
        arena_release(&delivery->scratch);
        mem_free(delivery);
        return NULL;
    }
    if (home)
        delivery->limits = home->limits;
    bound_requests(&delivery->limits);
    choose_fill(delivery);
    delivery->notes = delivery->letters && (delivery->output->refuses || delivery->hold_ms > 0);
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

/* ---- dead letters --------------------------------------------------------------------------------- */

static void add_letter(struct delivery *delivery, struct dead_letter *letter,
                       struct receipt *receipt)
{
    letter->plugin_type = str_from(delivery->output->plugin.name);
    letter->plugin_id = delivery->instance->plugin->id;
    dead_letter_add(delivery->letters, &delivery->parcel,
                    engine_account(delivery->lane->engine, BUDGET_SPOOL), letter, receipt);
}

/* The event within an encoded item; empty where it is not in there as JSON. */
struct str delivery_carried_event(const struct delivery *delivery, struct str item)
{
    const struct output *output = delivery->output;
    return output->carried_event ? output->carried_event(delivery->instance->self, item)
                                 : (struct str){0};
}

/* Where the item does not carry the event the note is that and, behind a line break, its metadata; else only these. */
void delivery_split_note(struct str carried, struct str note, struct str *event,
                         struct str *metadata)
{
    size_t end = carried.len > 0 ? SIZE_MAX : str_find(note, STR("\n"));
    *event = carried.len > 0 ? carried : end == SIZE_MAX ? note : str_make(note.ptr, end);
    *metadata = carried.len > 0   ? note
                : end == SIZE_MAX ? (struct str){0}
                                  : str_from_offset(note, end + 1);
}

void delivery_keep_letter(struct delivery *delivery, struct group *group, size_t index,
                          struct str reason)
{
    const struct group_item *item = &group->items[index];
    assert(delivery->letters);
    struct str carried = delivery_carried_event(delivery, group_item(group, index));
    struct dead_letter letter = {.reason = reason, .attempts = group_attempts(group, index) + 1};
    delivery_split_note(carried, group_note(group, item), &letter.event, &letter.metadata);
    add_letter(delivery, &letter, group->runs[item->run].receipt);
}

static bool has_metadata(const struct event *event)
{
    return value_object_count(&event->metadata) > 0;
}

/* What a dead letter of this item would need and the item does not have. JSON has no line breaks here. */
static void note(struct delivery *delivery, struct group *group, size_t offset,
                 const struct event *event)
{
    struct str item = str_make(group->bytes.ptr + offset, group->bytes.len - offset);
    struct buf *notes = &group->notes;
    bool fits = true, carried = delivery_carried_event(delivery, item).len > 0;
    if (!carried)
        fits = json_encode_event(event, notes);
    if (has_metadata(event))
        fits = fits && (carried || buf_append_char(notes, '\n')) &&
               json_encode_value(&event->metadata, notes);
    assert(fits); /* a group's notes are bounded as its bytes are, far below the maximum */
    (void)fits;
}

void delivery_hand_in(struct delivery *delivery)
{
    if (delivery->parcel)
        dead_letters_put(delivery->letters, &delivery->parcel);
}

static void refuse(struct delivery *delivery, const struct event *event, struct receipt *receipt,
                   const struct error *err)
{
    delivery_log_refusal(delivery, "an event cannot be encoded", str_from(err->text));
    counter_add(delivery->refused, 1);
    if (!delivery->letters)
        return;
    struct dead_letter letter = {
        .plugin_type = str_from(delivery->output->plugin.name),
        .plugin_id = delivery->instance->plugin->id,
        .reason = str_from(err->text),
    };
    dead_letter_add_event(delivery->letters, &delivery->parcel,
                          engine_account(delivery->lane->engine, BUDGET_SPOOL), letter, event,
                          receipt);
}

/* ---- encoding ------------------------------------------------------------------------------------- */

/* True: the event is an item, or is refused or dropped. False: the group is full. */
static bool encode_into(struct delivery *delivery, struct group *group, const struct event *event,
                        struct receipt *receipt)
{
    size_t offset = group->bytes.len, note_offset = group->notes.len;
    struct error err = {0};
    enum encode_result result = delivery->output->encode(delivery->instance->self, event,
                                                         &delivery->scratch, &group->bytes, &err);
    switch (result) {
    case ENCODE_DONE:
    case ENCODE_OWN_ID:
        if (delivery->notes)
            note(delivery, group, offset, event);
        group_push(group, offset, note_offset, receipt, result == ENCODE_OWN_ID);
        return true;
    case ENCODE_DROPPED:
        counter_add(delivery->dropped, 1);
        break;
    case ENCODE_REFUSED:
        refuse(delivery, event, receipt, &err);
        break;
    case ENCODE_FULL:
        group->bytes.len = offset;
        if (group->count > 0)
            return false;
        error_set(&err, ERROR_LIMIT, "the encoded event is larger than a group can be");
        refuse(delivery, event, receipt, &err);
        break;
    }
    group->bytes.len = offset;
    return true;
}

static void encode(struct delivery *delivery, const struct event *event, struct receipt *receipt)
{
    bool fits = encode_into(delivery, filling(delivery), event, receipt);
    if (!fits) {
        delivery_seal(delivery);
        fits = encode_into(delivery, filling(delivery), event, receipt);
    }
    assert(fits); /* into an empty one */
    (void)fits;
    if (delivery->filling->count > 0)
        seal_when_full(delivery);
}

static void remove_unless(bool had, struct event *event, struct str name)
{
    if (!had)
        value_object_remove(&event->fields, name);
}

/* As the filters left it: creation adds nothing to it. */
static struct event *event_of(struct delivery *delivery, struct arena *arena, struct str text,
                              struct str metadata)
{
    struct json_reader *json = delivery->lane->json;
    struct value object, more;
    if (!json_decode(json, arena, text, &object, NULL) || value_type(&object) != VALUE_OBJECT)
        return NULL;
    bool has_version = value_object_get(&object, STR("@version"));
    bool has_time = value_object_get(&object, STR("@timestamp"));
    struct event *event = event_from_object(arena, object);
    remove_unless(has_version, event, STR("@version"));
    remove_unless(has_time, event, STR("@timestamp"));
    if (metadata.len > 0 && json_decode(json, arena, metadata, &more, NULL) &&
        value_type(&more) == VALUE_OBJECT)
        event->metadata = more;
    return event;
}

bool delivery_encode_anew(struct delivery *delivery, struct group *group, struct str event,
                          struct str metadata, struct receipt *receipt)
{
    struct arena arena;
    arena_init(&arena, NULL);
    const struct event *read = event.len > 0 ? event_of(delivery, &arena, event, metadata) : NULL;
    bool done = read && encode_into(delivery, group, read, receipt);
    arena_reset(&delivery->scratch);
    arena_release(&arena);
    return done;
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
    uint64_t began_ns = uv_hrtime();
    for (size_t at = 0; selection_next(selection, &at); at++) {
        encode(delivery, from[at], receipt);
        arena_reset(&delivery->scratch);
    }
    counter_add(delivery->instance->busy_ns, uv_hrtime() - began_ns);
    delivery_hand_in(delivery);
    dispatch_soon(delivery);
}

/* ---- the end -------------------------------------------------------------------------------------- */

bool delivery_is_sending(const struct delivery *delivery)
{
    return delivery->in_flight > 0;
}

bool delivery_is_idle(const struct delivery *delivery)
{
    bool fills = delivery->filling && delivery->filling->count > 0;
    return !fills && !delivery->ready.first && !delivery->waiting.first && delivery->in_flight == 0;
}

static void stop_output(struct delivery *delivery)
{
    if (delivery->home != delivery || delivery->stopped)
        return;
    delivery->stopped = true;
    if (delivery->output->stop)
        delivery->output->stop(delivery->instance->self);
}

static void leave_spool(struct delivery *delivery)
{
    if (delivery->spool && delivery->lane->index == 0)
        spool_leave(delivery->spool, delivery);
}

void delivery_end_in_spool(struct delivery *delivery)
{
    if (delivery->on_full != ON_FULL_SPOOL || delivery->closing)
        return;
    assert(!delivery->heir);
    leave_spool(delivery);
    delivery_pass_to_spool(delivery);
    stop_output(delivery);
}

void delivery_close(struct delivery *delivery)
{
    struct instance *instance = delivery->instance;
    delivery->closing = true;
    dispatch_close(delivery);
    stop_output(delivery);
    if (delivery->home == delivery && delivery->output->close)
        delivery->output->close(instance->self);
    if (delivery->output->close_encoder)
        delivery->output->close_encoder(instance->self);
    leave_spool(delivery);
    pass_on_over(delivery);
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
