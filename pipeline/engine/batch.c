/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/batch.h"

#include "base/mem.h"

enum { BATCH_FIRST_EVENTS = 128 };

void ack_hold(struct ack *ack, size_t count)
{
    size_t before = atomic_fetch_add_explicit(&ack->pending, count, memory_order_relaxed);
    assert(before > 0);
    (void)before;
}

void ack_release(struct ack *ack, size_t count)
{
    size_t before = atomic_fetch_sub_explicit(&ack->pending, count, memory_order_acq_rel);
    assert(before >= count);
    if (before == count)
        lane_post(ack->home, &ack->link);
}

struct batch *batch_new(struct engine *engine, atomic_size_t *charged)
{
    struct batch *batch = mem_zero(1, sizeof *batch);
    arena_init(&batch->arena, charged);
    batch->engine = engine;
    batch->handoffs_end = &batch->handoffs;
    return batch;
}

void batch_free(struct batch *batch)
{
    assert(!batch->link.next);
    arena_release(&batch->arena);
    mem_free(batch);
}

void batch_add(struct batch *batch, struct event *event)
{
    assert(event->arena == &batch->arena);
    if (batch->count == batch->capacity) {
        size_t capacity = batch->capacity ? batch->capacity * 2 : BATCH_FIRST_EVENTS;
        batch->events =
            arena_grow(&batch->arena, batch->events, batch->count * sizeof *batch->events,
                       capacity * sizeof *batch->events);
        batch->capacity = capacity;
    }
    event->ordinal = (uint32_t)batch->count;
    batch->events[batch->count++] = event;
}
