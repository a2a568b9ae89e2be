/* SPDX-License-Identifier: Apache-2.0
 *
 * The reader: counts what is there at the opening, gives records out, marks those that are done, deletes segments.
 */
#include <assert.h>

#include "base/mem.h"
#include "base/time/clock.h"
#include "pipeline/delivery/disk_queue_private.h"
#include "pipeline/delivery/queue_record.h"

/* ---- counting ------------------------------------------------------------------------------------- */

static void say_damage(struct disk_queue *queue, const struct segment_damage *damage)
{
    log_error(queue->options.log, "queue_damaged",
              "the disk queue is damaged: what is whole is delivered, the files are kept apart",
              LOG_CSTR("path", queue->folder), LOG_INT("places", damage->places),
              LOG_INT("bytes", damage->bytes), LOG_INT("whole_events", queue->figures.events));
}

static void say_what_is_there(struct disk_queue *queue, const struct segment_damage *damage)
{
    const struct disk_queue_figures *figures = &queue->figures;
    if (damage->places > 0)
        say_damage(queue, damage);
    else if (figures->events > 0)
        log_info(queue->options.log, "queue_opened",
                 "the disk queue has events that were not delivered",
                 LOG_CSTR("path", queue->folder), LOG_INT("events", figures->events),
                 LOG_INT("bytes", figures->bytes));
}

uint64_t disk_queue_left(const char *folder)
{
    struct str payload;
    struct segment_position at;
    struct segment_reader *segments = segment_reader_open(folder);
    uint64_t events = 0;
    while (segment_reader_next(segments, &payload, &at))
        events += queue_record_count(payload);
    segment_reader_close(segments);
    return events;
}

static bool is_stopping(struct disk_queue *queue)
{
    uv_mutex_lock(&queue->lock);
    bool stopping = queue->stopping;
    uv_mutex_unlock(&queue->lock);
    return stopping;
}

/* Nothing is written meanwhile. Reads all of it: about a second for each gigabyte. */
static void count_what_is_there(struct disk_queue *queue)
{
    struct str payload;
    struct segment_position at;
    uint64_t records = 0, events = 0;
    while (!is_stopping(queue) && segment_reader_next(queue->segments, &payload, &at)) {
        records++;
        events += queue_record_count(payload);
    }
    struct segment_damage damage = segment_reader_damage(queue->segments);
    (void)segment_reader_sync(queue->segments, NULL); /* what was done, but not deleted */
    segment_reader_rewind(queue->segments);
    uv_mutex_lock(&queue->lock);
    queue->unread_records = queue->figures.records = records;
    queue->figures.events = events;
    queue->figures.damaged_places = damage.places;
    queue->figures.damaged_bytes = damage.bytes;
    queue->counted = true;
    uv_cond_signal(&queue->wake_writer);
    uv_mutex_unlock(&queue->lock);
    say_what_is_there(queue, &damage);
    queue->user.changed(queue->user.ctx);
}

/* ---- marks ---------------------------------------------------------------------------------------- */

static void warn(struct disk_queue *queue, const char *sentence, const struct error *err)
{
    uint64_t held_back;
    if (log_limit_allow(&queue->read_warnings, clock_monotonic_ms(), &held_back))
        log_warn(queue->options.log, "queue_mark_failed", sentence, LOG_CSTR("reason", err->text),
                 LOG_INT_IF("not_logged_before", held_back));
}

static void mark_reading(struct disk_queue *queue, const struct queue_reading *reading)
{
    struct error err = {0};
    for (size_t i = 0; i < reading->count; i++)
        if (!segment_reader_done(queue->segments, reading->records[i].at, &err))
            warn(queue, "what is delivered cannot be noted: a crash now would deliver it again",
                 &err);
    queue->unsynced_marks += reading->events;
}

void disk_queue_mark(struct disk_queue *queue)
{
    uv_mutex_lock(&queue->lock);
    struct queue_reading *reading = queue->done;
    queue->done = NULL;
    uv_mutex_unlock(&queue->lock);
    while (reading) {
        struct queue_reading *next = reading->next;
        if (reading->done)
            mark_reading(queue, reading);
        mem_free(reading->records);
        mem_free(reading);
        reading = next;
    }
}

/* Marks go to the disk, segments that are done are deleted. */
static void sync_marks(struct disk_queue *queue)
{
    struct error err = {0};
    if (!segment_reader_sync(queue->segments, &err))
        warn(queue, "what is delivered cannot be synced", &err);
    queue->unsynced_marks = 0;
    queue->marked_ms = clock_monotonic_ms();
    uint64_t bytes = segment_list_bytes(queue->folder);
    uv_mutex_lock(&queue->lock);
    queue->figures.bytes = bytes;
    queue->wants_room = false;
    uv_cond_signal(&queue->wake_writer);
    uv_mutex_unlock(&queue->lock);
}

static bool sync_is_due(const struct disk_queue *queue)
{
    return queue->unsynced_marks > 0 &&
           (queue->wants_room || clock_monotonic_ms() >= queue->marked_ms + queue->options.sync_ms);
}

/* ---- reading -------------------------------------------------------------------------------------- */

bool disk_queue_may_give(const struct disk_queue *queue)
{
    const struct disk_queue_user *user = &queue->user;
    return !queue->no_reading && !queue->goes_back &&
           (queue->out_readings == 0 ||
            (queue->out_readings < user->ahead_readings && queue->out_bytes < user->ahead_bytes));
}

static bool may_go_back(const struct disk_queue *queue)
{
    return queue->goes_back && !queue->no_reading && queue->out_readings == 0;
}

/* All that was given out is back, and what was done is marked: the first record that is not done is the next (Q2). */
static void go_back(struct disk_queue *queue)
{
    sync_marks(queue); /* also those that could not be written: the reader forgets them now */
    segment_reader_rewind(queue->segments);
    queue->went_back_ms = clock_monotonic_ms();
    uv_mutex_lock(&queue->lock);
    queue->goes_back = false;
    uint64_t events = queue->figures.events;
    uv_mutex_unlock(&queue->lock);
    log_info(queue->options.log, "queue_goes_back",
             "events that an output gave up are read from the disk queue again",
             LOG_CSTR("path", queue->folder), LOG_INT("undelivered_events", events));
}

/* What went on as it was handed over is only looked at: marks want it (Q6). */
static void pass_over(struct disk_queue *queue)
{
    struct str payload;
    struct segment_position at;
    uv_mutex_lock(&queue->lock);
    struct queue_passed *passed = queue->passed;
    size_t count = queue->passed_count;
    queue->passed = NULL;
    queue->passed_count = queue->passed_capacity = 0;
    uv_mutex_unlock(&queue->lock);
    for (size_t i = 0; i < count; i++)
        if (!segment_reader_pass(queue->segments, passed[i].at, passed[i].len))
            (void)segment_reader_next(queue->segments, &payload, &at);
    mem_free(passed);
}

static void add_record(struct queue_reading *reading, struct arena *arena, struct str payload,
                       struct segment_position at)
{
    uint32_t events = queue_record_count(payload);
    reading->records =
        mem_grow(reading->records, reading->count, &reading->capacity, sizeof *reading->records);
    reading->records[reading->count++] =
        (struct queue_read_record){.at = at, .bytes = arena_dup(arena, payload), .events = events};
    reading->events += events;
    reading->bytes += payload.len;
}

/* Everything that was counted was there; it is not any more when somebody damages files under our hands. */
static void nothing_there(struct disk_queue *queue)
{
    uv_mutex_lock(&queue->lock);
    queue->unread_records = 0;
    uv_mutex_unlock(&queue->lock);
    log_error(queue->options.log, "queue_changed",
              "files of the disk queue were changed from outside: what is gone is not delivered",
              LOG_CSTR("path", queue->folder));
}

/* unread: so many records are written. */
static struct queue_reading *read_some(struct disk_queue *queue, uint64_t unread)
{
    const struct disk_queue_user *user = &queue->user;
    struct queue_reading *reading = mem_zero(1, sizeof *reading);
    struct arena *arena = user->begin(user->ctx, reading);
    struct str payload;
    struct segment_position at;
    while (reading->count < unread && reading->events < user->batch_events &&
           reading->bytes < user->batch_bytes) {
        if (!segment_reader_next(queue->segments, &payload, &at)) {
            nothing_there(queue);
            break;
        }
        add_record(reading, arena, payload, at);
    }
    return reading;
}

static void read_on(struct disk_queue *queue, uint64_t unread)
{
    struct queue_reading *reading = read_some(queue, unread);
    uv_mutex_lock(&queue->lock);
    queue->unread_records -=
        reading->count < queue->unread_records ? reading->count : queue->unread_records;
    queue->out_readings++;
    queue->out_bytes += reading->bytes;
    queue->figures.read_events += reading->events;
    uv_mutex_unlock(&queue->lock);
    queue->user.arrived(queue->user.ctx, reading);
    uv_mutex_lock(&queue->lock);
    queue->reading_now = false;
    uv_mutex_unlock(&queue->lock);
    queue->user.changed(queue->user.ctx);
}

/* ---- the thread ----------------------------------------------------------------------------------- */

enum task { TASK_END, TASK_PASS, TASK_MARK, TASK_SYNC, TASK_BACK, TASK_READ };

static void wait_for_task(struct disk_queue *queue)
{
    bool goes_back = may_go_back(queue);
    uint64_t ms = goes_back && QUEUE_BACK_MS < queue->options.sync_ms ? QUEUE_BACK_MS
                                                                      : queue->options.sync_ms;
    if (goes_back || queue->unsynced_marks > 0)
        (void)uv_cond_timedwait(&queue->wake_reader, &queue->lock, ms * UINT64_C(1000000));
    else
        uv_cond_wait(&queue->wake_reader, &queue->lock);
}

static enum task next_task(struct disk_queue *queue, uint64_t *records_out)
{
    enum task task = TASK_END;
    uv_mutex_lock(&queue->lock);
    for (;; wait_for_task(queue)) {
        if (queue->passed_count > 0)
            task = TASK_PASS;
        else if (queue->done)
            task = TASK_MARK;
        else if (queue->stopping)
            task = TASK_END;
        else if (sync_is_due(queue))
            task = TASK_SYNC;
        else if (may_go_back(queue) && clock_monotonic_ms() >= queue->went_back_ms + QUEUE_BACK_MS)
            task = TASK_BACK;
        else if (queue->unread_records > 0 && disk_queue_may_give(queue))
            task = TASK_READ;
        else
            continue;
        break;
    }
    if (task == TASK_READ)
        queue->reading_now = true;
    *records_out = queue->unread_records;
    uv_mutex_unlock(&queue->lock);
    return task;
}

void disk_queue_run_reader(void *arg)
{
    struct disk_queue *queue = arg;
    uint64_t records;
    count_what_is_there(queue);
    for (;;) {
        switch (next_task(queue, &records)) {
        case TASK_END:
            return;
        case TASK_PASS:
            pass_over(queue);
            break;
        case TASK_MARK:
            disk_queue_mark(queue);
            break;
        case TASK_SYNC:
            sync_marks(queue);
            break;
        case TASK_BACK:
            go_back(queue);
            break;
        case TASK_READ:
            read_on(queue, records);
            break;
        }
    }
}
