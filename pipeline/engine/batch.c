/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/batch.h"

#include "base/mem.h"
#include "pipeline/engine/budget.h"

enum { BATCH_FIRST_EVENTS = 128 };

struct batch *batch_new(struct engine *engine)
{
    struct batch *batch = mem_zero(1, sizeof *batch);
    arena_init(&batch->arena, engine_account(engine, BUDGET_ARENAS));
    batch->arena.stays = true;
    batch->engine = engine;
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
    batch->events[batch->count++] = event;
}
