/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer: appends what waits, syncs it together, and releases the receipts.
 */
#include <assert.h>

#include "base/mem.h"
#include "base/time/clock.h"
#include "pipeline/delivery/disk_queue_private.h"

/* What was written and waits for the sync that it shares. */
struct group {
    struct queue_parcel *first, **end;
};

static void warn(struct disk_queue *queue, const char *event, const char *sentence,
                 const char *reason)
{
    uint64_t held_back;
    if (log_limit_allow(&queue->write_warnings, clock_monotonic_ms(), &held_back))
        log_warn(queue->options.log, event, sentence, LOG_CSTR_IF("reason", reason),
                 LOG_CSTR("path", queue->folder), LOG_INT_IF("not_logged_before", held_back));
}

/* ---- room ----------------------------------------------------------------------------------------- */

static bool fits(struct disk_queue *queue, size_t len)
{
    uv_mutex_lock(&queue->lock);
    uint64_t events = queue->figures.events, most = queue->options.max_events;
    bool has_room = events == 0 || /* Q4: a single record always fits */
                    ((most == 0 || events < most) &&
                     segment_log_bytes(queue->log) + len <= queue->options.max_bytes);
    uv_mutex_unlock(&queue->lock);
    return has_room;
}

static void say_full(struct disk_queue *queue, bool full)
{
    uv_mutex_lock(&queue->lock);
    bool was_full = queue->figures.full;
    queue->figures.full = queue->wants_room = full;
    if (full)
        uv_cond_signal(&queue->wake_reader);
    uv_mutex_unlock(&queue->lock);
    if (full && !was_full)
        warn(queue, "queue_full", "the disk queue is full: inputs wait until there is room", "");
}

/* Whether a record of so many bytes may be written. A segment that is written to cannot be deleted: a new one is begun. */
static bool has_room(struct disk_queue *queue, size_t len)
{
    if (fits(queue, len))
        return true;
    (void)segment_log_roll(queue->log, NULL);
    segment_log_look(queue->log);
    return fits(queue, len);
}

/* ---- writing -------------------------------------------------------------------------------------- */

static void count_written(struct disk_queue *queue, const struct queue_parcel_record *record,
                          bool is_unread)
{
    uv_mutex_lock(&queue->lock);
    struct disk_queue_figures *figures = &queue->figures;
    queue->unread_records += is_unread;
    figures->records++;
    figures->events += record->events;
    figures->written_events += record->events;
    figures->bytes += record->len; /* until the reader looks at the files */
    assert(figures->waiting_bytes >= record->len);
    figures->waiting_bytes -= record->len;
    if (is_unread)
        uv_cond_signal(&queue->wake_reader); /* Q3 */
    uv_mutex_unlock(&queue->lock);
    queue->unsynced_events += record->events;
}

/* ---- passing on (Q6) ------------------------------------------------------------------------------- */

static struct queue_reading *reading_of(const struct queue_parcel *parcel,
                                        struct segment_position at)
{
    struct queue_reading *reading = mem_zero(1, sizeof *reading);
    reading->records = mem_zero(1, sizeof *reading->records);
    reading->records[0] = (struct queue_read_record){.at = at, .events = parcel->records[0].events};
    reading->count = reading->capacity = 1;
    reading->events = parcel->records[0].events;
    reading->bytes = parcel->records[0].len;
    reading->batch = parcel->batch;
    return reading;
}

static void note_passed(struct disk_queue *queue, const struct queue_reading *reading)
{
    queue->passed = mem_grow(queue->passed, queue->passed_count, &queue->passed_capacity,
                             sizeof *queue->passed);
    queue->passed[queue->passed_count++] =
        (struct queue_passed){reading->records[0].at, reading->bytes};
}

/* The only record of the parcel is written: its batch goes on, or is not needed any more. */
static void pass_on(struct disk_queue *queue, struct queue_parcel *parcel)
{
    struct queue_reading *reading = NULL;
    uv_mutex_lock(&queue->lock);
    if (queue->unread_records == 0 && !queue->reading_now && parcel->count == 1 &&
        disk_queue_may_give(queue)) {
        reading = reading_of(parcel, segment_log_last(queue->log));
        note_passed(queue, reading);
        queue->out_readings++;
        queue->out_bytes += reading->bytes;
        queue->figures.read_events += reading->events;
    } else {
        queue->unread_records += parcel->count;
    }
    uv_cond_signal(&queue->wake_reader); /* Q3 */
    uv_mutex_unlock(&queue->lock);
    if (reading)
        queue->user.arrived(queue->user.ctx, reading);
    else
        queue->user.unpassed(queue->user.ctx, parcel->batch);
    parcel->batch = NULL;
}

/* False: not all of it, for now. */
static bool write_parcel(struct disk_queue *queue, struct queue_parcel *parcel)
{
    struct error err = {0};
    for (; parcel->written < parcel->count; parcel->written++) {
        const struct queue_parcel_record *record = &parcel->records[parcel->written];
        struct str bytes = str_make(parcel->bytes.ptr + parcel->written_bytes, record->len);
        if (!has_room(queue, record->len)) {
            say_full(queue, true);
            return false;
        }
        if (!segment_log_append(queue->log, bytes, &err)) {
            warn(queue, "queue_write_failed",
                 "the disk queue cannot be written: inputs wait until it can", err.text);
            return false;
        }
        parcel->written_bytes += record->len;
        count_written(queue, record, !parcel->batch);
    }
    if (parcel->batch)
        pass_on(queue, parcel);
    say_full(queue, false);
    return true;
}

static bool sync_is_due(const struct disk_queue *queue, bool has_group)
{
    const struct disk_queue_options *options = &queue->options;
    if (queue->unsynced_events == 0)
        return false;
    switch (options->durability) {
    case DURABLE_NONE:
        return false;
    case DURABLE_ACK:
        return has_group;
    case DURABLE_INTERVAL:
        break;
    }
    return (options->sync_events > 0 && queue->unsynced_events >= options->sync_events) ||
           clock_monotonic_ms() >= queue->synced_ms + options->sync_ms;
}

static bool sync_log(struct disk_queue *queue)
{
    struct error err = {0};
    if (!segment_log_sync(queue->log, &err)) {
        warn(queue, "queue_sync_failed", "the disk queue cannot be synced", err.text);
        return false;
    }
    queue->unsynced_events = 0;
    queue->synced_ms = clock_monotonic_ms();
    uv_mutex_lock(&queue->lock);
    queue->figures.syncs++;
    uv_mutex_unlock(&queue->lock);
    return true;
}

/* Waits before another try, or until the reader made room; true: no, it is the end. */
static bool wait_again(struct disk_queue *queue)
{
    uv_mutex_lock(&queue->lock);
    if (!queue->stopping)
        (void)uv_cond_timedwait(&queue->wake_writer, &queue->lock,
                                QUEUE_AGAIN_MS * UINT64_C(1000000));
    bool stopping = queue->stopping;
    uv_mutex_unlock(&queue->lock);
    return stopping;
}

/* Nothing is known of what was written since the last sync: it is written again, for better twice than never. */
static void write_again(struct disk_queue *queue, struct group *group)
{
    for (struct queue_parcel *parcel = group->first; parcel; parcel = parcel->next) {
        uv_mutex_lock(&queue->lock);
        queue->figures.waiting_bytes += parcel->written_bytes;
        uv_mutex_unlock(&queue->lock);
        parcel->written = parcel->written_bytes = 0;
        while (!write_parcel(queue, parcel) && !wait_again(queue))
            ;
    }
}

/* Their origins may forget them (Q1). */
static void settle(struct disk_queue *queue, struct group *group)
{
    bool needs_sync = queue->options.durability == DURABLE_ACK;
    bool sure = !sync_is_due(queue, group->first != NULL) || sync_log(queue) || !needs_sync;
    while (!sure && !wait_again(queue)) {
        write_again(queue, group);
        sure = sync_log(queue);
    }
    for (struct queue_parcel *parcel; (parcel = group->first);) {
        group->first = parcel->next;
        queue_parcel_settle(parcel, sure && parcel->written == parcel->count);
    }
    group->end = &group->first;
}

/* ---- the thread ----------------------------------------------------------------------------------- */

static void wait_for_work(struct disk_queue *queue)
{
    bool timed = queue->options.durability == DURABLE_INTERVAL && queue->unsynced_events > 0;
    if (timed)
        (void)uv_cond_timedwait(&queue->wake_writer, &queue->lock,
                                queue->options.sync_ms * UINT64_C(1000000));
    else
        uv_cond_wait(&queue->wake_writer, &queue->lock);
}

/* All that waits. *ending: nothing comes any more. */
static struct queue_parcel *take_waiting(struct disk_queue *queue, bool *ending)
{
    uv_mutex_lock(&queue->lock);
    if (!queue->stopping && (!queue->first || !queue->counted))
        wait_for_work(queue);
    struct queue_parcel *taken = queue->counted ? queue->first : NULL;
    if (taken)
        queue->first = queue->last = NULL;
    *ending = queue->stopping;
    uv_mutex_unlock(&queue->lock);
    return taken;
}

static void write_all(struct disk_queue *queue, struct queue_parcel *waiting)
{
    struct group group = {.end = &group.first};
    while (waiting) {
        struct queue_parcel *parcel = waiting;
        waiting = parcel->next;
        parcel->next = NULL;
        bool written = write_parcel(queue, parcel);
        if (!written)
            settle(queue, &group); /* they do not wait for room with it */
        while (!written && !wait_again(queue))
            written = write_parcel(queue, parcel);
        *group.end = parcel;
        group.end = &parcel->next;
    }
    settle(queue, &group);
}

void disk_queue_run_writer(void *arg)
{
    struct disk_queue *queue = arg;
    for (bool ending = false; !ending;) {
        struct queue_parcel *waiting = take_waiting(queue, &ending);
        write_all(queue, waiting);
    }
    if (queue->options.durability != DURABLE_NONE && queue->unsynced_events > 0)
        (void)sync_log(queue);
}
