/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups and their queues, shared by delivery.c (what is sent when) and group.c (what a group holds).
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_DELIVERY_PRIVATE_H
#define MILLRACE_PIPELINE_DELIVERY_DELIVERY_PRIVATE_H

#include "pipeline/delivery/delivery.h"
#include "pipeline/delivery/group.h"
#include "pipeline/engine/lane_private.h"

struct group_item {
    size_t offset;
    uint32_t len;
    uint32_t run; /* whose receipt */
    uint8_t verdict;
};

/* Items in a row that belong to one receipt. */
struct group_run {
    struct receipt *receipt;
    uint32_t open; /* items without a final verdict */
};

enum group_state { GROUP_FREE, GROUP_FILLING, GROUP_READY, GROUP_IN_FLIGHT, GROUP_WAITING };

struct group {
    struct group *next;
    struct delivery *delivery;
    enum group_state state;
    struct buf bytes;
    struct group_item *items;
    size_t count, capacity;
    struct group_run *runs;
    size_t run_count, run_capacity;
    unsigned attempts;
    uint64_t due_ms; /* FILLING: send by then; WAITING: try again then */
};

struct group_queue {
    struct group *first, *last;
};

struct delivery {
    struct instance *instance;
    const struct output *output;
    struct lane *lane;
    struct output_limits limits;
    bool ordered;
    bool closing;
    bool pumping;
    struct group *filling;
    struct group_queue ready;
    struct group_queue waiting; /* by due_ms */
    struct group *free;
    size_t free_count;
    unsigned in_flight, allowed;
    size_t items_allowed;
    unsigned failures; /* whole groups in a row */
    uint64_t paused_until_ms;
    uv_timer_t timer;
    struct log_limit refusals;
    struct counter *routed, *delivered, *conflicts, *refused, *dropped, *retried;
};

void group_set_state(struct group *group, enum group_state state);
struct group *group_take(struct delivery *delivery);
void group_recycle(struct group *group);
void group_free(struct group *group);
/* The bytes from offset on are a new item. */
void group_push(struct group *group, size_t offset, struct receipt *receipt);
/* Moves the items from index on to the end of `to`. */
void group_move_items(struct group *group, size_t index, struct group *to);

/* How a group came back. */
struct group_outcome {
    size_t delivered, conflicts, refused, retry;
};
/* Releases the items with a final verdict from their receipts and keeps the others, in order, for another try. */
struct group_outcome group_settle(struct group *group);
/* Forgets all items; their origins will have to send them again. */
void group_abandon(struct group *group);

void group_queue_push(struct group_queue *queue, struct group *group);
void group_queue_push_front(struct group_queue *queue, struct group *group);
void group_queue_push_due(struct group_queue *queue, struct group *group);
struct group *group_queue_pop(struct group_queue *queue);

#endif
