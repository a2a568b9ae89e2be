/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivery: what every output gets for nothing. One for each output instance, used by its lane only. It encodes events into
 * groups, keeps as many groups in flight as the outlet (outlet.h) permits, tries again what may be tried again, and releases
 * the receipts. An output of pipeline scope has an encoder on each lane and sends from one: there the groups are posted.
 *
 *            full, or the loop waits         permit                      request failed
 *   FILLING ─────────────────────────▶ READY ──────▶ IN FLIGHT ─────────────────────────────▶ WAITING (backoff)
 *      ▲                                ▲                │ group_done                             │
 *      │                                └────────────────│────────────────────────────────────────┘
 *      └─── when due ── WAITING, loose ◀── some items ───┴──▶ finished
 *
 * Invariants
 * D1. An item is released from its receipt exactly once: when its verdict is final, or as abandoned when the output closes
 *     before.
 * D2. Items that failed say nothing about the destination: they slow nothing, wait in groups of their like that are as large
 *     as what is in them, and never go in front of others.
 * D3. A request that failed as a whole is told to the outlet; it goes again as it is, or in halves when its size or
 *     one of its items may be the reason.
 * D4. In an ordered pipeline there is one group in flight for each lane, and nothing overtakes what is tried again.
 * D5. A group that is not full is sent when nothing is in flight, else after a part of the destination's latency.
 * D6. One that passes on sends nothing any more: what it has, and what comes back to it undelivered, is its heir's, in front of what
 *     that has. An heir lives at least as long; in an ordered pipeline it sends nothing before all that is back.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_DELIVERY_H
#define MILLRACE_PIPELINE_DELIVERY_DELIVERY_H

#include "pipeline/delivery/outlet.h"
#include "pipeline/engine/batch.h"
#include "pipeline/engine/instance.h"

struct delivery;

/* Opens the output of this instance. home: the delivery, on another lane, that sends what this one encodes; NULL: it sends
 * itself. NULL and *err when it cannot be. */
struct delivery *delivery_open(struct instance *instance, struct outlet *outlet,
                               struct delivery *home, struct error *err);
/* Encodes the selected ones of these events. */
void delivery_add_selection(struct delivery *delivery, struct event *const *from,
                            const struct selection *selection, struct receipt *receipt);
/* It has nothing that is not delivered. */
bool delivery_is_idle(const struct delivery *delivery);
/* The output has not given back all that it was given to send. */
bool delivery_is_sending(const struct delivery *delivery);
/* The lane goes on with a program in which `heir` has the place of this one and encodes as this one did: on the lane's thread,
 * before the heir gets an event. */
void delivery_pass_on(struct delivery *delivery, struct delivery *heir);
/* The same for one that encodes otherwise: it encodes the events anew, where the other has noted them for dead letters; else
 * nothing. */
void delivery_pass_on_events(struct delivery *delivery, struct delivery *heir);
/* The same to the spool, where it has one (on_full => spool); else nothing. */
void delivery_pass_to_spool(struct delivery *delivery);
/* The time to stop is over, and the output is of no program that has another one in its place: what it has, what is in flight and
 * what comes yet goes to the spool, where it has one; else nothing. What is in flight may have arrived, and comes twice then. */
void delivery_end_in_spool(struct delivery *delivery);
/* Of one that passes on: its last request has been under way for long, and is not waited for. */
bool delivery_is_given_up(const struct delivery *delivery);
/* It is the heir of one that is not closed yet. */
bool delivery_is_awaited(const struct delivery *delivery);
/* Stops and closes the output. What was not delivered is given up: its receipts come home abandoned. */
void delivery_close(struct delivery *delivery);
/* After the loop has run the close callbacks. */
void delivery_free(struct delivery *delivery);

#endif
