/* SPDX-License-Identifier: Apache-2.0
 *
 * A receipt: the promise that a batch was dealt with, on its way back to the stream that handed the batch over. One for
 * each batch, apart from its arena, because responsibility ends later than memory does. Private to the engine.
 *
 *   stream_hand_over ──▶ OUT ── the last holder releases ──▶ posted to `home` ──▶ the stream takes it, in its order
 *
 * 1. `pending` counts the batch itself, until it is freed, and each item of it that lies in a group. Whoever holds a part
 *    releases it exactly once, on any thread, and says how it ended.
 * 2. The worst outcome wins: a batch of which one item was given up is ABANDONED, whatever became of the others.
 * 3. A stream tells its origin of receipts in the order in which it handed batches over. At the first ABANDONED one it stops
 *    for good: nothing handed over later is ever acknowledged, because the origin would take that for all of it.
 * 4. Only the release that takes `pending` to zero touches `link`; from then on the receipt belongs to its stream.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_RECEIPT_H
#define MILLRACE_PIPELINE_ENGINE_RECEIPT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pipeline/engine/lane.h"

struct stream;
struct transfer;
struct queue_intake;
struct queue_reading;
struct spool;

enum receipt_outcome {
    RECEIPT_DELIVERED, /* safe at every output, or dropped on purpose */
    RECEIPT_ABANDONED, /* thrown away undelivered: the origin has to send it again */
};

struct receipt {
    struct inbox_item link;        /* first: posted to the stream's lane */
    struct receipt *next;          /* in the stream's order */
    struct stream *stream;         /* NULL: of no input */
    struct transfer *transfer;     /* of a batch that came from another pipeline (bus.h) */
    struct queue_intake *intake;   /* of a batch that was read from the disk queue, */
    struct spool *spool;           /* or from an output's spool, */
    struct queue_reading *reading; /* and what was read */
    struct lane *home;
    uint64_t token;
    uint64_t handed_over_ms; /* on the clock that all loops share (uv_now) */
    uint32_t events;         /* that the batch came with */
    bool is_home;            /* the stream's lane only */
    atomic_uchar outcome;    /* enum receipt_outcome */
    atomic_size_t pending;
};

/* One part is held for the batch; `run` is called on `home` when everything has been released. */
struct receipt *receipt_new(struct stream *stream, struct lane *home,
                            void (*run)(struct inbox_item *item));
/* Only home again. */
void receipt_free(struct receipt *receipt);

/* By who holds a part already. */
void receipt_hold(struct receipt *receipt, size_t parts);
void receipt_release(struct receipt *receipt, size_t parts, enum receipt_outcome outcome);
/* Once it is home. */
enum receipt_outcome receipt_outcome(const struct receipt *receipt);

#endif
