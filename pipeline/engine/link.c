/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/link.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/engine/bus.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/program/program.h"

enum { MISSING_WINDOW_MS = 60000 };

/* Events of one slice that wait; in their batch. */
struct waiting {
    struct waiting *next;
    struct batch *batch;
    struct event **events;
    size_t count;
    size_t address;               /* the next one that they go to */
    struct option_strings served; /* addresses of another link that have had them */
};

struct link {
    struct bus_sender sender; /* first */
    struct instance *instance;
    const struct link_options *options;
    struct bus *bus;
    struct waiting *first, **end;
    bool closed;
    struct log_limit missing;
    struct counter *routed, *delivered, *dropped;
};

static void on_wake(struct inbox_item *item);

struct link *link_open(struct instance *instance)
{
    struct link *link = mem_zero(1, sizeof *link);
    const struct plan_plugin *plugin = instance->plugin;
    link->instance = instance;
    link->options = plugin->as.output->link(plugin->options);
    link->bus = instance->env.settings->bus;
    link->sender = (struct bus_sender){.link.run = on_wake, .lane = instance->env.lane};
    link->end = &link->first;
    link->missing = (struct log_limit){.window_ms = MISSING_WINDOW_MS, .burst = 1};
    link->routed = instance_counter(instance, "routed");
    link->delivered = instance_counter(instance, "delivered");
    link->dropped = instance_counter(instance, "dropped");
    return link;
}

static void say_missing(struct link *link, struct str address)
{
    uint64_t suppressed;
    if (log_limit_allow(&link->missing, uv_now(link->sender.lane->loop), &suppressed))
        log_warn(link->instance->env.log, "address_missing",
                 link->options->ensure_delivery
                     ? "no pipeline takes events at this address; they wait until one does"
                     : "no pipeline takes events at this address; they are dropped",
                 LOG_STR("address", address));
}

static bool is_one_of(struct str address, const struct option_strings *addresses)
{
    for (size_t i = 0; i < addresses->count; i++)
        if (str_equal(addresses->items[i], address))
            return true;
    return false;
}

/* To the addresses from *at on that are not served yet. False: one of them has to be waited for, *at. */
static bool send_on(struct link *link, const struct bus_parcel *parcel, size_t *at,
                    const struct option_strings *served)
{
    const struct option_strings *to = &link->options->send_to;
    for (; *at < to->count; ++*at) {
        if (is_one_of(to->items[*at], served))
            continue;
        enum bus_result result = bus_send(link->bus, &link->sender, to->items[*at], parcel);
        if (result == BUS_NOBODY)
            say_missing(link, to->items[*at]);
        if (result == BUS_NOBODY && !link->options->ensure_delivery) {
            counter_add(link->dropped, parcel->count);
            return true;
        }
        if (result != BUS_TAKEN)
            return false;
    }
    counter_add(link->delivered, parcel->count);
    counter_add(link->instance->events_out, parcel->count);
    return true;
}

static void push(struct link *link, struct waiting *waiting)
{
    waiting->next = NULL;
    *link->end = waiting;
    link->end = &waiting->next;
}

static void keep(struct link *link, struct batch *batch, const struct bus_parcel *parcel,
                 size_t address)
{
    struct waiting *waiting = arena_alloc(&batch->arena, sizeof *waiting);
    *waiting = (struct waiting){
        .batch = batch,
        .events = arena_copy(&batch->arena, parcel->events, parcel->count * sizeof(struct event *)),
        .count = parcel->count,
        .address = address,
    };
    program_keep_at_link(batch); /* L2 */
    push(link, waiting);
}

void link_add_selection(struct link *link, struct batch *batch, struct event *const *from,
                        const struct selection *selection)
{
    struct lane *lane = link->sender.lane;
    size_t count = selection_count(selection), next = 0, address = 0;
    if (count == 0)
        return;
    assert(!link->closed);
    counter_add(link->instance->events_in, count);
    counter_add(link->routed, count);
    struct event **events = mem_alloc(count * sizeof *events);
    for (size_t at = 0; selection_next(selection, &at); at++)
        events[next++] = from[at];
    assert(next == count && lane == batch->lane);
    (void)lane;
    struct bus_parcel parcel = {events, count, batch->receipt};
    static const struct option_strings NONE = {0};
    if (link->first || !send_on(link, &parcel, &address, &NONE)) /* L1 */
        keep(link, batch, &parcel, address);
    mem_free(events);
}

static struct waiting *pop(struct link *link)
{
    struct waiting *first = link->first;
    link->first = first->next;
    if (!link->first)
        link->end = &link->first;
    return first;
}

static void release_first(struct link *link, bool given_up)
{
    struct batch *batch = pop(link)->batch; /* which the waiting is in */
    program_release_from_link(link->sender.lane->program, batch, given_up);
}

static void send_waiting(struct link *link)
{
    while (link->first && !link->closed) {
        struct waiting *first = link->first;
        struct bus_parcel parcel = {first->events, first->count, first->batch->receipt};
        if (!send_on(link, &parcel, &first->address, &first->served))
            return;
        release_first(link, false);
    }
}

static void on_wake(struct inbox_item *item)
{
    struct link *link = (struct link *)item;
    bus_wake_arrived(link->bus, &link->sender);
    send_waiting(link);
}

bool link_is_idle(const struct link *link)
{
    return !link->first;
}

/* The addresses before the one that it waits for. Copies: the plan may end before the batch. */
static void note_served(const struct link *link, struct waiting *waiting)
{
    const struct option_strings *to = &link->options->send_to, before = waiting->served;
    struct arena *arena = &waiting->batch->arena;
    struct str *items = arena_alloc(arena, (before.count + waiting->address) * sizeof *items);
    for (size_t i = 0; i < before.count; i++)
        items[i] = before.items[i];
    for (size_t i = 0; i < waiting->address; i++)
        items[before.count + i] = arena_dup(arena, to->items[i]);
    waiting->served = (struct option_strings){items, before.count + waiting->address};
    waiting->address = 0;
}

void link_pass_on(struct link *link, struct link *heir)
{
    assert(link != heir && !link->closed && !heir->closed && !heir->first);
    while (link->first) {
        struct waiting *waiting = pop(link);
        note_served(link, waiting);
        push(heir, waiting);
        counter_add(heir->instance->events_in, waiting->count);
        counter_add(heir->routed, waiting->count);
    }
    send_waiting(heir);
}

void link_close(struct link *link)
{
    assert(!link->closed);
    link->closed = true;
    bus_wakes_no_more(link->bus, &link->sender);
    while (link->first)
        release_first(link, true);
}

bool link_is_over(const struct link *link)
{
    return link->closed && !bus_sender_is_posted(link->bus, &link->sender);
}

void link_free(struct link *link)
{
    assert(link->closed && !link->sender.waits);
    mem_free(link);
}
