/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/group.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/delivery/delivery_private.h"
#include "pipeline/engine/engine_private.h"

enum {
    GROUP_MAX_BYTES =
        512 * 1024 * 1024, /* the hard end of one group; limits.max_bytes is the usual one */
    STOCK_KEPT = 3,        /* free groups: one that fills, and what a turn of the loop gives back */
    PARCELS_KEPT = 64,     /* small ones */
    PARCEL_KEEP_BYTES = 16 * 1024,
    TRIM_SLACK_BYTES = 4096,
    LAST_ITEM_FRACTION =
        32, /* of a full group's bytes: room for the item that shows it to be full */
};

void group_set_state(struct group *group, enum group_state state)
{
    static const unsigned FROM[] = {
        [GROUP_FREE] =
            1u << GROUP_FILLING | 1u << GROUP_IN_FLIGHT | 1u << GROUP_READY | 1u << GROUP_WAITING,
        [GROUP_FILLING] = 1u << GROUP_FREE,
        [GROUP_READY] = 1u << GROUP_FILLING | 1u << GROUP_WAITING | 1u << GROUP_IN_FLIGHT,
        [GROUP_IN_FLIGHT] = 1u << GROUP_READY,
        [GROUP_WAITING] = 1u << GROUP_IN_FLIGHT | 1u << GROUP_FILLING,
    };
    assert(FROM[state] & 1u << group->state);
    group->state = state;
}

/* ---- memory --------------------------------------------------------------------------------------- */

static struct group_pool *pool_of(struct delivery *delivery, bool parcel)
{
    return parcel ? &delivery->parcels : &delivery->stock;
}

struct group *group_take(struct delivery *delivery, bool parcel)
{
    struct group_pool *pool = pool_of(delivery, parcel);
    struct group *group = pool->first;
    if (group) {
        pool->first = group->next;
        pool->count--;
        group->next = NULL;
    } else {
        group = mem_zero(1, sizeof *group);
        buf_init(&group->bytes, GROUP_MAX_BYTES);
        buf_init(&group->notes, GROUP_MAX_BYTES);
        group->bytes.charged = engine_account(delivery->lane->engine, BUDGET_GROUPS);
        group->notes.charged = group->bytes.charged;
        group->parcel = parcel;
        if (!parcel)
            group->bytes.expected =
                delivery->fill_bytes + delivery->fill_bytes / LAST_ITEM_FRACTION;
    }
    assert(group->state == GROUP_FREE && group->count == 0 && group->parcel == parcel);
    group->delivery = delivery;
    group->attempts = 0;
    group->born_ms = UINT64_MAX;
    group->part = group->loose = group->spooled = group->rests = false;
    group_set_state(group, GROUP_FILLING);
    return group;
}

void group_recycle(struct group *group)
{
    struct delivery *delivery = group->delivery;
    struct group_pool *pool = pool_of(delivery, group->parcel);
    size_t kept = group->parcel ? PARCELS_KEPT : STOCK_KEPT;
    size_t keep_bytes = group->parcel ? PARCEL_KEEP_BYTES : 2 * delivery->fill_bytes;
    group_set_state(group, GROUP_FREE);
    group->count = group->run_count = group->taken = 0;
    if (pool->count >= kept || group->bytes.capacity > keep_bytes ||
        group->notes.capacity > keep_bytes) {
        group_free(group);
        return;
    }
    group->bytes.len = group->notes.len = 0;
    group->next = pool->first;
    pool->first = group;
    pool->count++;
}

void group_free(struct group *group)
{
    buf_release(&group->bytes);
    buf_release(&group->notes);
    mem_free(group->items);
    mem_free(group->runs);
    mem_free(group);
}

static void release_pool(struct group_pool *pool)
{
    while (pool->first) {
        struct group *next = pool->first->next;
        group_free(pool->first);
        pool->first = next;
    }
    pool->count = 0;
}

void group_pools_release(struct delivery *delivery)
{
    release_pool(&delivery->stock);
    release_pool(&delivery->parcels);
}

void group_trim(struct group *group)
{
    assert(group->taken == 0);
    if (group->bytes.capacity - group->bytes.len > TRIM_SLACK_BYTES)
        buf_trim(&group->bytes);
    if (group->notes.capacity - group->notes.len > TRIM_SLACK_BYTES)
        buf_trim(&group->notes);
}

/* ---- items ---------------------------------------------------------------------------------------- */

size_t group_left(const struct group *group)
{
    assert(group->taken <= group->count);
    return group->count - group->taken;
}

static void push_item(struct group *group, struct group_item item, struct receipt *receipt)
{
    if (group->run_count == 0 || group->runs[group->run_count - 1].receipt != receipt) {
        group->runs =
            mem_grow(group->runs, group->run_count, &group->run_capacity, sizeof *group->runs);
        group->runs[group->run_count++] = (struct group_run){.receipt = receipt};
    }
    group->runs[group->run_count - 1].open++;
    item.run = (uint32_t)(group->run_count - 1);
    group->items = mem_grow(group->items, group->count, &group->capacity, sizeof *group->items);
    group->items[group->count++] = item;
}

void group_push(struct group *group, size_t offset, size_t note, struct receipt *receipt,
                bool own_id)
{
    assert(offset <= group->bytes.len && group->bytes.len - offset <= UINT32_MAX);
    assert(note <= group->notes.len);
    struct group_item item = {.offset = offset,
                              .len = (uint32_t)(group->bytes.len - offset),
                              .note_offset = (uint32_t)note,
                              .note_len = (uint32_t)(group->notes.len - note),
                              .born_ms = (uint32_t)uv_now(group->delivery->lane->loop),
                              .own_id = own_id};
    if (group->born_ms == UINT64_MAX)
        group->born_ms = uv_now(group->delivery->lane->loop);
    push_item(group, item, receipt);
    receipt_hold(receipt, 1);
}

struct str group_note(const struct group *group, const struct group_item *item)
{
    return item->note_len > 0 ? str_make(group->notes.ptr + item->note_offset, item->note_len)
                              : (struct str){0};
}

/* Copies one item, perhaps with other bytes; it keeps its hold on the receipt. */
static void hand_on_as(struct group *group, const struct group_item *item, struct str bytes,
                       struct group *to)
{
    struct group_run *run = &group->runs[item->run];
    struct group_item copy = *item;
    copy.offset = to->bytes.len;
    copy.len = (uint32_t)bytes.len;
    copy.note_offset = (uint32_t)to->notes.len;
    bool fits =
        buf_append_str(&to->bytes, bytes) && buf_append_str(&to->notes, group_note(group, item));
    assert(fits && run->open > 0);
    (void)fits;
    push_item(to, copy, run->receipt);
    run->open--;
    if (group->born_ms < to->born_ms)
        to->born_ms = group->born_ms;
}

static void hand_on(struct group *group, const struct group_item *item, struct group *to)
{
    hand_on_as(group, item, str_make(group->bytes.ptr + item->offset, item->len), to);
}

void group_move_items(struct group *group, size_t count, struct group *to)
{
    assert(count <= group_left(group));
    for (; count > 0; count--)
        hand_on(group, &group->items[group->taken++], to);
}

void group_move_last(struct group *group, struct group *to)
{
    assert(group_left(group) > 0);
    struct group_item *last = &group->items[group->count - 1];
    hand_on(group, last, to);
    group->bytes.len = last->offset;
    if (last->note_len > 0)
        group->notes.len = last->note_offset;
    group->count--;
}

struct group_outcome group_settle(struct group *group)
{
    struct group_outcome outcome = {0};
    size_t kept = 0, kept_bytes = 0, kept_notes = 0;
    size_t closed_run = 0, closed = 0; /* items of one run, released together */
    assert(group->taken == 0);
    for (size_t i = 0; i < group->count; i++) {
        struct group_item item = group->items[i];
        assert(item.verdict != VERDICT_NONE);
        outcome.delivered += item.verdict == VERDICT_DELIVERED;
        outcome.conflicts += item.verdict == VERDICT_CONFLICT;
        outcome.refused += item.verdict == VERDICT_REFUSED;
        outcome.dropped += item.verdict == VERDICT_DROPPED;
        if (item.verdict == VERDICT_RETRY) {
            if (kept_bytes != item.offset)
                memmove(group->bytes.ptr + kept_bytes, group->bytes.ptr + item.offset, item.len);
            item.offset = kept_bytes;
            item.verdict = VERDICT_NONE;
            kept_bytes += item.len;
            if (item.note_len > 0)
                memmove(group->notes.ptr + kept_notes, group->notes.ptr + item.note_offset,
                        item.note_len);
            item.note_offset = (uint32_t)kept_notes;
            kept_notes += item.note_len;
            group->items[kept++] = item;
            continue;
        }
        if (item.verdict == VERDICT_CHANGED) {
            outcome.changed++; /* its hold went with it */
            continue;
        }
        if (item.verdict == VERDICT_REFUSED && group->delivery->letters) {
            group->runs[item.run].open--; /* its letter holds the receipt now */
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
    group->notes.len = kept_notes;
    return outcome;
}

void group_abandon(struct group *group)
{
    for (size_t i = 0; i < group->run_count; i++)
        if (group->runs[i].open > 0)
            receipt_release(group->runs[i].receipt, group->runs[i].open, RECEIPT_ABANDONED);
    group->count = group->run_count = group->taken = 0;
    group->bytes.len = group->notes.len = 0;
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
    assert(group->taken == 0);
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

bool group_item_has_own_id(const struct group *group, size_t index)
{
    assert(index < group->count);
    return group->items[index].own_id;
}

unsigned group_attempts(const struct group *group, size_t index)
{
    assert(index < group->count);
    return group->attempts + group->items[index].attempts;
}

bool group_gives_up(const struct group *group, size_t index)
{
    const struct delivery *delivery = group->delivery;
    assert(index < group->count && group->state == GROUP_IN_FLIGHT);
    const struct output_limits *limits = &delivery->limits;
    const struct group_item *item = &group->items[index];
    uint32_t age_ms = (uint32_t)uv_now(delivery->lane->loop) - item->born_ms;
    if (delivery->closing)
        return false; /* it was not answered: its output stops */
    return (limits->retry_max_attempts > 0 && item->answers + 1u >= limits->retry_max_attempts) ||
           (limits->retry_max_age_ms > 0 && age_ms >= limits->retry_max_age_ms);
}

static void refuse_item(struct group *group, size_t index, const char *what, struct str reason)
{
    struct delivery *delivery = group->delivery;
    delivery_log_refusal(delivery, what, reason);
    if (delivery->letters)
        delivery_keep_letter(delivery, group, index, reason);
}

/* What becomes of an item that the destination wants to see again. */
static enum verdict try_again(struct group *group, size_t index, enum verdict verdict,
                              struct str reason)
{
    struct group_item *item = &group->items[index];
    if (verdict == VERDICT_RETRY && group_gives_up(group, index)) {
        assert(group->delivery->output->refuses);
        refuse_item(group, index, "an event was tried as often or as long as it may be", reason);
        return VERDICT_REFUSED;
    }
    item->answers += item->answers < UINT16_MAX;
    return VERDICT_RETRY;
}

void group_answer(struct group *group, size_t index, enum verdict verdict, struct str reason)
{
    assert(index < group->count && verdict != VERDICT_NONE && verdict != VERDICT_CHANGED);
    assert(group->state == GROUP_IN_FLIGHT);
    struct group_item *item = &group->items[index];
    assert(item->verdict == VERDICT_NONE);
    switch (verdict) {
    case VERDICT_RETRY:
    case VERDICT_HELD:
        verdict = try_again(group, index, verdict, reason);
        break;
    case VERDICT_REFUSED:
        assert(group->delivery->output->refuses);
        refuse_item(group, index, "the destination permanently rejected an event", reason);
        break;
    case VERDICT_CONFLICT:
        delivery_log_refusal(group->delivery,
                             "the destination has something else under the id of an event", reason);
        break;
    case VERDICT_NONE:
    case VERDICT_DELIVERED:
    case VERDICT_DROPPED:
    case VERDICT_CHANGED:
        break;
    }
    item->verdict = (unsigned)verdict & 0x7f;
}

void group_answer_status(struct group *group, size_t index, int status, enum verdict verdict,
                         struct str reason)
{
    group_answer(group, index, verdict, reason);
    if (group->items[index].verdict == VERDICT_RETRY)
        retried_count(group->delivery, status, 1);
}

void group_answer_all(struct group *group, enum verdict verdict, struct str reason)
{
    for (size_t i = 0; i < group->count; i++)
        group_answer(group, i, verdict, reason);
}

void group_answer_changed(struct group *group, size_t index, struct str bytes)
{
    assert(index < group->count && group->state == GROUP_IN_FLIGHT);
    struct group_item *item = &group->items[index];
    assert(item->verdict == VERDICT_NONE);
    struct group *to =
        dispatch_loose_group(group->delivery, group_attempts(group, index), 0, group->spooled);
    hand_on_as(group, item, bytes, to);
    struct group_item *changed = &to->items[to->count - 1];
    unsigned attempts = group_attempts(group, index) + 1;
    changed->attempts = (uint8_t)(attempts < UINT8_MAX ? attempts : UINT8_MAX);
    item->verdict = VERDICT_CHANGED;
}

void group_answered(struct group *group)
{
    group_done(group, &(struct send_result){.cause = SEND_ANSWERED});
}
