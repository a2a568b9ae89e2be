/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a disk queue, shared by disk_queue.c (opening, putting, closing), disk_queue_writer.c and disk_queue_reader.c.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_DISK_QUEUE_PRIVATE_H
#define MILLRACE_PIPELINE_DELIVERY_DISK_QUEUE_PRIVATE_H

#include <uv.h>

#include "pipeline/delivery/disk_queue.h"

enum {
    QUEUE_WARN_WINDOW_MS = 60000,
    QUEUE_AGAIN_MS = 500, /* after a write that failed: nobody tells when a disk has room again */
    QUEUE_BACK_MS =
        500, /* from going back once to the next time: what is given up at once goes round no faster */
};

struct disk_queue {
    struct disk_queue_options options;
    struct disk_queue_user user;
    char folder[PATH_MAX];
    int lock_fd; /* of the folder: one process has it */
    uv_thread_t writer, reader;
    bool has_writer, has_reader;

    uv_mutex_t lock; /* of all that follows, but for what is one thread's own */
    uv_cond_t wake_writer, wake_reader;
    bool counted;     /* what was there at the opening is known: writing may begin */
    bool stopping;    /* the threads end */
    bool no_reading;  /* nothing is read any more */
    bool reading_now; /* the reader is about to give something out */
    bool wants_room;  /* the writer waits for segments to be deleted */
    bool goes_back;   /* something came back undone; its records count as unread */
    struct queue_parcel *first, *last; /* wait to be written */
    struct queue_reading *done;        /* wait to be marked */
    struct queue_passed {              /* written and given out: the reader has to pass over them */
        struct segment_position at;
        size_t len;
    } * passed;
    size_t passed_count, passed_capacity;
    uint64_t unread_records;        /* written, not read */
    size_t out_bytes, out_readings; /* read, not back */
    struct disk_queue_figures figures;

    /* The writer's own. */
    struct segment_log *log;
    uint64_t synced_ms, unsynced_events;
    struct log_limit write_warnings;
    /* The reader's own. */
    struct segment_reader *segments;
    uint64_t marked_ms, unsynced_marks;
    uint64_t went_back_ms;
    uint64_t damaged_said; /* places */
    struct log_limit read_warnings;
};

/* With the lock: more may be given out. */
bool disk_queue_may_give(const struct disk_queue *queue);
void disk_queue_run_writer(void *queue);
void disk_queue_run_reader(void *queue);

/* Marks what is back as done. The reader, or nobody else any more. */
void disk_queue_mark(struct disk_queue *queue);

void queue_parcel_settle(struct queue_parcel *parcel, bool written);

#endif
