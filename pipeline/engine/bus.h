/* SPDX-License-Identifier: Apache-2.0
 *
 * The bus: addresses at which pipelines of one process take events from each other. An input binds an address; outputs of
 * other pipelines (links, link.h) send batches to it. One for each process.
 *
 * B1. An address has one receiver at most, and is bound and unbound on the main thread. When unbind has returned nobody
 *     is handing over to it and nobody will: what was handed over is in the inboxes of its lanes.
 * B2. A batch that was taken belongs to the receiver's pipeline as any other does. Its receipt is a part of the sender's:
 *     that comes home only when the receiver's outputs have the events, and abandoned when they never will.
 * B3. A receiver takes a batch when its share of the memory has room for it, or when it holds none from others: so each
 *     always gets on, whatever the others hold.
 * B4. A sender that was not served is woken whenever that may have changed: an address was bound, a batch was settled. It
 *     need not ask before.
 * B5. Events of one sender's lane arrive in the order in which they were sent, when both pipelines are ordered.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_BUS_H
#define MILLRACE_PIPELINE_ENGINE_BUS_H

#include "pipeline/engine/batch.h"
#include "pipeline/plugin.h"

struct bus;

/* Who takes events. What was handed over to it may come home when its input is gone already. */
struct bus_receiver {
    struct bus_receiver *next;
    struct bus *bus;
    struct str address;
    struct engine *engine;
    const struct plan_plugin *plugin;
    struct instance *const *on_lanes; /* of the input */
    atomic_size_t batches;            /* taken and not settled */
    atomic_size_t references;         /* those, and the address */
};

/* Who sends; embedded in a link. Its lane's thread, but for the wake. */
struct bus_sender {
    struct inbox_item link; /* first: a wake on its way to `lane` */
    struct bus_sender *next;
    struct lane *lane;
    bool waits, posted; /* under the bus' lock */
};

/* The selected events of a batch, and the receipt that they are a part of. */
struct bus_parcel {
    struct event *const *events;
    size_t count;
    struct receipt *receipt;
};

enum bus_result { BUS_TAKEN, BUS_BUSY, BUS_NOBODY };

struct bus *bus_new(void);
void bus_free(struct bus *bus);

/* For the input of this env. NULL and *err: the address is bound already. */
struct bus_receiver *bus_bind(const struct plugin_env *env, struct str address, struct error *err);
void bus_unbind(struct bus_receiver *receiver); /* NULL: nothing */

/* Copies the events into a batch of the receiver. What was not taken: the sender is woken by its link.run. */
enum bus_result bus_send(struct bus *bus, struct bus_sender *sender, struct str address,
                         const struct bus_parcel *parcel);
void bus_wakes_no_more(struct bus *bus, struct bus_sender *sender);
bool bus_sender_is_posted(struct bus *bus,
                          const struct bus_sender *sender); /* a wake is on its way */
/* A wake is there. */
void bus_wake_arrived(struct bus *bus, struct bus_sender *sender);

#endif
