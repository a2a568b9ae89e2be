/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening, putting, what comes back, closing.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "base/time/clock.h"
#include "io/directory.h"
#include "pipeline/delivery/disk_queue_private.h"
#include "pipeline/engine/receipt.h"

enum {
    PAGES_OF_ALL = 8, /* what is freed at once is an eighth of what may be kept */
    PAGE_MIN_BYTES = 64 * 1024,
    PARCEL_MAX_BYTES = 1024 * 1024 * 1024,
};

/* ---- opening -------------------------------------------------------------------------------------- */

bool disk_queue_claim(const char *folder, int *fd_out, struct error *err)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/lock", folder);
    if (len < 0 || len >= (int)sizeof path)
        return error_set(err, ERROR_LIMIT, "the path '%s' is too long", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    *fd_out = fd;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    (void)close(fd);
    *fd_out = -1;
    return error_set(err, ERROR_BUSY,
                     "the queue in '%s' is in use by another process; give each its own path.queue",
                     folder);
}

static uint64_t page_bytes(const struct disk_queue_options *options)
{
    uint64_t most = options->max_bytes / PAGES_OF_ALL;
    if (most < PAGE_MIN_BYTES)
        most = PAGE_MIN_BYTES;
    return options->page_bytes > 0 && options->page_bytes < most ? options->page_bytes : most;
}

static struct disk_queue *queue_new(const struct disk_queue_options *options)
{
    struct disk_queue *queue = mem_zero(1, sizeof *queue);
    queue->options = *options;
    queue->lock_fd = -1;
    queue->figures.max_bytes = options->max_bytes;
    queue->figures.max_events = options->max_events;
    queue->figures.page_bytes = page_bytes(options);
    queue->write_warnings = (struct log_limit){.window_ms = QUEUE_WARN_WINDOW_MS, .burst = 1};
    queue->read_warnings = queue->write_warnings;
    if (uv_mutex_init(&queue->lock) != 0 || uv_cond_init(&queue->wake_writer) != 0 ||
        uv_cond_init(&queue->wake_reader) != 0)
        mem_abort("no lock for a disk queue");
    return queue;
}

static void queue_free(struct disk_queue *queue)
{
    segment_log_close(queue->log);
    segment_reader_close(queue->segments);
    if (queue->lock_fd >= 0)
        (void)close(queue->lock_fd);
    mem_free(queue->passed);
    uv_mutex_destroy(&queue->lock);
    uv_cond_destroy(&queue->wake_writer);
    uv_cond_destroy(&queue->wake_reader);
    mem_free(queue);
}

struct disk_queue *disk_queue_open(const struct disk_queue_options *options, struct error *err)
{
    struct disk_queue *queue = queue_new(options);
    int len = snprintf(queue->folder, sizeof queue->folder, "%s", options->folder);
    bool opened = len > 0 && len < (int)sizeof queue->folder;
    if (!opened)
        error_set(err, ERROR_LIMIT, "the path '%s' is too long", options->folder);
    opened = opened && directory_make(queue->folder, 0700, err) &&
             disk_queue_claim(queue->folder, &queue->lock_fd, err);
    if (opened) {
        queue->log = segment_log_open(queue->folder, page_bytes(options), err);
        queue->segments = segment_reader_open(queue->folder);
    }
    if (opened && queue->log) {
        queue->figures.bytes = segment_log_bytes(queue->log);
        return queue;
    }
    queue_free(queue);
    return NULL;
}

bool disk_queue_start(struct disk_queue *queue, const struct disk_queue_user *user,
                      struct error *err)
{
    assert(!queue->has_writer && !queue->has_reader);
    queue->user = *user;
    queue->synced_ms = queue->marked_ms = clock_monotonic_ms();
    queue->has_reader = thread_start(&queue->reader, disk_queue_run_reader, queue);
    queue->has_writer =
        queue->has_reader && thread_start(&queue->writer, disk_queue_run_writer, queue);
    return queue->has_writer || error_set(err, ERROR_IO, "cannot start the threads of a queue");
}

/* ---- putting -------------------------------------------------------------------------------------- */

struct queue_parcel *queue_parcel_new(struct account *account, struct receipt *receipt)
{
    struct queue_parcel *parcel = mem_zero(1, sizeof *parcel);
    buf_init(&parcel->bytes, PARCEL_MAX_BYTES);
    parcel->bytes.charged = account;
    parcel->receipt = receipt;
    parcel->parts = 1;
    return parcel;
}

void queue_parcel_add(struct queue_parcel *parcel, size_t len, uint32_t events)
{
    assert(len > 0 && len <= SEGMENT_RECORD_MAX && events > 0);
    parcel->records =
        mem_grow(parcel->records, parcel->count, &parcel->capacity, sizeof *parcel->records);
    parcel->records[parcel->count++] = (struct queue_parcel_record){len, events};
}

void queue_parcel_settle(struct queue_parcel *parcel, bool written)
{
    receipt_release(parcel->receipt, parcel->parts,
                    written ? RECEIPT_DELIVERED : RECEIPT_ABANDONED); /* Q1 */
    buf_release(&parcel->bytes);
    mem_free(parcel->records);
    mem_free(parcel);
}

bool disk_queue_may_pass(struct disk_queue *queue)
{
    uv_mutex_lock(&queue->lock);
    bool may = queue->counted && queue->unread_records == 0 && disk_queue_may_give(queue);
    uv_mutex_unlock(&queue->lock);
    return may;
}

void disk_queue_put(struct disk_queue *queue, struct queue_parcel *parcel)
{
    assert(parcel->count > 0 && !parcel->next);
    uv_mutex_lock(&queue->lock);
    assert(!queue->stopping);
    if (queue->first)
        queue->last->next = parcel;
    else
        queue->first = parcel;
    queue->last = parcel;
    queue->figures.waiting_bytes += parcel->bytes.len;
    uv_cond_signal(&queue->wake_writer);
    uv_mutex_unlock(&queue->lock);
}

/* ---- what comes back ------------------------------------------------------------------------------ */

void disk_queue_done(struct disk_queue *queue, struct queue_reading *reading, bool done)
{
    uv_mutex_lock(&queue->lock);
    assert(queue->out_readings > 0 && queue->out_bytes >= reading->bytes);
    queue->out_readings--;
    queue->out_bytes -= reading->bytes;
    reading->done = done;
    reading->next = queue->done;
    queue->done = reading;
    if (done) {
        queue->figures.done_events += reading->events;
        queue->figures.events -= reading->events;
        queue->figures.records -= reading->count;
    } else if (queue->user.gives_again) {
        queue->goes_back = true;
        queue->unread_records += reading->count;
    }
    uv_cond_signal(&queue->wake_reader);
    uv_mutex_unlock(&queue->lock);
}

/* DIR/damaged/record-SEGMENT-OFFSET */
static bool keep_bytes(const struct disk_queue *queue, struct segment_position at, struct str bytes,
                       char path[PATH_MAX])
{
    int len = snprintf(path, PATH_MAX, "%s/damaged/record-%010" PRIu64 "-%" PRIu64, queue->folder,
                       at.segment, at.offset);
    if (len < 0 || len >= PATH_MAX || !directory_make_for(path, 0700, NULL))
        return false;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool kept = fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len;
    if (fd >= 0)
        (void)close(fd);
    return kept;
}

void disk_queue_keep_apart(struct disk_queue *queue, struct segment_position at, struct str bytes)
{
    char path[PATH_MAX] = "";
    bool kept = keep_bytes(queue, at, bytes, path);
    uv_mutex_lock(&queue->lock);
    queue->figures.damaged_places++;
    queue->figures.damaged_bytes += bytes.len;
    uv_mutex_unlock(&queue->lock);
    log_error(queue->options.log, "queue_record_unreadable",
              kept ? "a record of the queue is none that this version knows: it is kept apart"
                   : "a record of the queue is none that this version knows",
              LOG_CSTR("path", path), LOG_INT("bytes", bytes.len));
}

/* ---- the end -------------------------------------------------------------------------------------- */

void disk_queue_stop_reading(struct disk_queue *queue)
{
    uv_mutex_lock(&queue->lock);
    queue->no_reading = true;
    uv_cond_signal(&queue->wake_reader);
    uv_mutex_unlock(&queue->lock);
}

void disk_queue_read_on(struct disk_queue *queue)
{
    uv_mutex_lock(&queue->lock);
    queue->no_reading = queue->stopping;
    uv_cond_signal(&queue->wake_reader);
    uv_mutex_unlock(&queue->lock);
}

bool disk_queue_is_back(struct disk_queue *queue)
{
    uv_mutex_lock(&queue->lock);
    bool back = queue->out_readings == 0 && !queue->reading_now;
    uv_mutex_unlock(&queue->lock);
    return back;
}

void disk_queue_set_max_bytes(struct disk_queue *queue, uint64_t max_bytes)
{
    assert(max_bytes > 0);
    uv_mutex_lock(&queue->lock);
    queue->options.max_bytes = queue->figures.max_bytes = max_bytes;
    uv_cond_signal(&queue->wake_writer);
    uv_mutex_unlock(&queue->lock);
}

bool disk_queue_is_drained(struct disk_queue *queue)
{
    uv_mutex_lock(&queue->lock);
    bool drained = !queue->reading_now &&
                   (queue->no_reading || (queue->counted && queue->unread_records == 0));
    uv_mutex_unlock(&queue->lock);
    return drained;
}

static void join_threads(struct disk_queue *queue)
{
    if (queue->has_writer)
        uv_thread_join(&queue->writer);
    if (queue->has_reader)
        uv_thread_join(&queue->reader);
    queue->has_writer = queue->has_reader = false;
}

void disk_queue_stop(struct disk_queue *queue)
{
    if (!queue)
        return;
    uv_mutex_lock(&queue->lock);
    queue->stopping = queue->no_reading = true;
    uv_cond_signal(&queue->wake_writer);
    uv_cond_signal(&queue->wake_reader);
    uv_mutex_unlock(&queue->lock);
    join_threads(queue);
    for (struct queue_parcel *parcel; (parcel = queue->first);) {
        queue->first = parcel->next;
        if (parcel->batch)
            queue->user.unpassed(queue->user.ctx, parcel->batch);
        queue_parcel_settle(parcel, false);
    }
}

/* All is done: the last segment can be deleted too. */
static void leave_nothing(struct disk_queue *queue)
{
    struct str payload;
    struct segment_position at;
    if (!segment_reader_next(queue->segments, &payload, &at))
        segment_reader_finish(queue->segments);
}

void disk_queue_close(struct disk_queue *queue)
{
    if (!queue)
        return;
    assert(!queue->has_writer && !queue->has_reader && !queue->first && queue->out_readings == 0);
    disk_queue_mark(queue);
    if (queue->figures.records == 0)
        leave_nothing(queue);
    (void)segment_reader_sync(queue->segments, NULL);
    queue_free(queue);
}

void disk_queue_figures(struct disk_queue *queue, struct disk_queue_figures *out)
{
    uv_mutex_lock(&queue->lock);
    *out = queue->figures;
    uv_mutex_unlock(&queue->lock);
}

const char *disk_queue_folder(const struct disk_queue *queue)
{
    return queue->folder;
}
