/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/group.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/delivery/delivery_private.h"
#include "pipeline/engine/engine_private.h"

enum {
    GROUP_MAX_BYTES =
        512 * 1024 * 1024, /* the hard end of one group; limits.max_bytes is the usual one */
    GROUP_KEEP_BYTES = 4 * 1024 * 1024, /* memory that an idle group keeps */
    GROUPS_KEPT = 64,
};

void group_set_state(struct group *group, enum group_state state)
{
    static const unsigned FROM[] = {
        [GROUP_FREE] =
            1u << GROUP_FILLING | 1u << GROUP_IN_FLIGHT | 1u << GROUP_READY | 1u << GROUP_WAITING,
        [GROUP_FILLING] = 1u << GROUP_FREE,
        [GROUP_READY] = 1u << GROUP_FILLING | 1u << GROUP_WAITING | 1u << GROUP_IN_FLIGHT,
        [GROUP_IN_FLIGHT] = 1u << GROUP_READY,
        [GROUP_WAITING] = 1u << GROUP_IN_FLIGHT,
    };
    assert(FROM[state] & 1u << group->state);
    group->state = state;
}

struct group *group_take(struct delivery *delivery)
{
    struct group *group = delivery->free;
    if (group) {
        delivery->free = group->next;
        delivery->free_count--;
        group->next = NULL;
    } else {
        group = mem_zero(1, sizeof *group);
        group->delivery = delivery;
        buf_init(&group->bytes, GROUP_MAX_BYTES);
        group->bytes.charged = &delivery->lane->engine->options.memory->used;
    }
    assert(group->state == GROUP_FREE && group->count == 0);
    group->attempts = 0;
    group_set_state(group, GROUP_FILLING);
    return group;
}

void group_recycle(struct group *group)
{
    struct delivery *delivery = group->delivery;
    group_set_state(group, GROUP_FREE);
    group->count = group->run_count = 0;
    buf_clear(&group->bytes, GROUP_KEEP_BYTES);
    if (delivery->free_count >= GROUPS_KEPT) {
        group_free(group);
        return;
    }
    group->next = delivery->free;
    delivery->free = group;
    delivery->free_count++;
}

void group_free(struct group *group)
{
    buf_release(&group->bytes);
    mem_free(group->items);
    mem_free(group->runs);
    mem_free(group);
}

static void push_item(struct group *group, size_t offset, size_t len, struct receipt *receipt)
{
    if (group->run_count == 0 || group->runs[group->run_count - 1].receipt != receipt) {
        group->runs =
            mem_grow(group->runs, group->run_count, &group->run_capacity, sizeof *group->runs);
        group->runs[group->run_count++] = (struct group_run){.receipt = receipt};
    }
    group->runs[group->run_count - 1].open++;
    group->items = mem_grow(group->items, group->count, &group->capacity, sizeof *group->items);
    group->items[group->count++] = (struct group_item){
        .offset = offset, .len = (uint32_t)len, .run = (uint32_t)(group->run_count - 1)};
}

void group_push(struct group *group, size_t offset, struct receipt *receipt)
{
    assert(offset <= group->bytes.len && group->bytes.len - offset <= UINT32_MAX);
    push_item(group, offset, group->bytes.len - offset, receipt);
    receipt_hold(receipt, 1);
}

void group_move_items(struct group *group, size_t index, struct group *to)
{
    assert(index <= group->count);
    for (size_t i = index; i < group->count; i++) {
        struct group_item *item = &group->items[i];
        size_t offset = to->bytes.len;
        bool fits = buf_append(&to->bytes, group->bytes.ptr + item->offset, item->len);
        assert(fits);
        (void)fits;
        struct group_run *run = &group->runs[item->run];
        push_item(to, offset, item->len, run->receipt);
        run->open--;
    }
    if (index < group->count)
        group->bytes.len = group->items[index].offset;
    group->count = index;
}

struct group_outcome group_settle(struct group *group)
{
    struct group_outcome outcome = {0};
    size_t kept = 0, kept_bytes = 0;
    size_t closed_run = 0, closed = 0; /* items of one run, released together */
    for (size_t i = 0; i < group->count; i++) {
        struct group_item item = group->items[i];
        assert(item.verdict != VERDICT_NONE);
        outcome.delivered += item.verdict == VERDICT_DELIVERED;
        outcome.conflicts += item.verdict == VERDICT_CONFLICT;
        outcome.refused += item.verdict == VERDICT_REFUSED;
        if (item.verdict == VERDICT_RETRY) {
            if (kept_bytes != item.offset)
                memmove(group->bytes.ptr + kept_bytes, group->bytes.ptr + item.offset, item.len);
            item.offset = kept_bytes;
            item.verdict = VERDICT_NONE;
            kept_bytes += item.len;
            group->items[kept++] = item;
            continue;
        }
        if (item.run != closed_run && closed > 0) {
            receipt_release(group->runs[closed_run].receipt, closed, RECEIPT_DELIVERED);
            closed = 0;
        }
        closed_run = item.run;
        closed++;
        group->runs[item.run].open--;
    }
    if (closed > 0)
        receipt_release(group->runs[closed_run].receipt, closed, RECEIPT_DELIVERED);
    outcome.retry = group->count = kept;
    group->bytes.len = kept_bytes;
    return outcome;
}

void group_abandon(struct group *group)
{
    for (size_t i = 0; i < group->run_count; i++)
        if (group->runs[i].open > 0)
            receipt_release(group->runs[i].receipt, group->runs[i].open, RECEIPT_ABANDONED);
    group->count = group->run_count = 0;
    group->bytes.len = 0;
}

/* ---- queues -------------------------------------------------------------------------------------- */

void group_queue_push(struct group_queue *queue, struct group *group)
{
    group->next = NULL;
    if (queue->last)
        queue->last->next = group;
    else
        queue->first = group;
    queue->last = group;
}

void group_queue_push_front(struct group_queue *queue, struct group *group)
{
    group->next = queue->first;
    queue->first = group;
    if (!queue->last)
        queue->last = group;
}

void group_queue_push_due(struct group_queue *queue, struct group *group)
{
    struct group **at = &queue->first;
    while (*at && (*at)->due_ms <= group->due_ms)
        at = &(*at)->next;
    group->next = *at;
    *at = group;
    if (!group->next)
        queue->last = group;
}

struct group *group_queue_pop(struct group_queue *queue)
{
    struct group *group = queue->first;
    if (!group)
        return NULL;
    queue->first = group->next;
    if (!queue->first)
        queue->last = NULL;
    group->next = NULL;
    return group;
}

/* ---- for outputs --------------------------------------------------------------------------------- */

size_t group_count(const struct group *group)
{
    return group->count;
}

struct str group_bytes(const struct group *group)
{
    return buf_str(&group->bytes);
}

struct str group_item(const struct group *group, size_t index)
{
    assert(index < group->count);
    return str_make(group->bytes.ptr + group->items[index].offset, group->items[index].len);
}

unsigned group_attempts(const struct group *group)
{
    return group->attempts;
}

void group_answer(struct group *group, size_t index, enum verdict verdict, struct str reason)
{
    assert(index < group->count && verdict != VERDICT_NONE);
    assert(group->state == GROUP_IN_FLIGHT);
    assert(group->items[index].verdict == VERDICT_NONE);
    group->items[index].verdict = (uint8_t)verdict;
    if (verdict != VERDICT_REFUSED)
        return;
    struct delivery *delivery = group->delivery;
    uint64_t held_back;
    if (log_limit_allow(&delivery->refusals, clock_monotonic_ms(), &held_back))
        log_warn(delivery->instance->env.log, "event_refused",
                 "the destination refused an event for good", LOG_STR("reason", reason),
                 LOG_INT("not_logged_before", held_back));
}

void group_answer_all(struct group *group, enum verdict verdict, struct str reason)
{
    for (size_t i = 0; i < group->count; i++)
        group_answer(group, i, verdict, reason);
}
