/* SPDX-License-Identifier: Apache-2.0
 *
 * Delivery: what every output gets for nothing. One for each output instance, used by its lane only. It collects encoded
 * events in groups, keeps a bounded number of groups in flight, tries again what may be tried again, and releases
 * the receipts.
 *
 * A group's way:   FILLING ──full, or nothing in flight──▶ READY ──pump──▶ IN FLIGHT ──group_done──▶ finished
 *                                                         ▲                          │ some items RETRY
 *                                                         └── WAITING (backoff) ◀────┘
 * 1. An item is released from its receipt exactly once: when its verdict is final, or as abandoned when the output closes
 *    before.
 * 2. in_flight ≤ allowed ≤ limits.max_in_flight; allowed shrinks when the destination is overloaded and grows back.
 * 3. A group whose items must all be tried again waits by itself. When two in a row come back so, or the destination asks for
 *    time, it is held to be down: nothing is sent until the backoff is over, then one group, until one succeeds.
 * 4. In an ordered pipeline there is one group in flight, and nothing overtakes a group that is tried again.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_DELIVERY_H
#define MILLRACE_PIPELINE_DELIVERY_DELIVERY_H

#include "pipeline/engine/batch.h"
#include "pipeline/engine/instance.h"

struct delivery;

/* Opens the output of this instance. NULL and *err when it cannot be. */
struct delivery *delivery_open(struct instance *instance, struct error *err);
/* Encodes the selected ones of these events. */
void delivery_add_selection(struct delivery *delivery, struct event *const *from,
                            const struct selection *selection, struct receipt *receipt);
/* The lane has nothing more at hand: a group that is not full goes when nothing is in flight. */
void delivery_flush(struct delivery *delivery);
/* Stops and closes the output. What was not delivered is given up: its receipts come home abandoned. */
void delivery_close(struct delivery *delivery);
/* After the loop has run the close callbacks. */
void delivery_free(struct delivery *delivery);

#endif
