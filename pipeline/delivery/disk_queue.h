/* SPDX-License-Identifier: Apache-2.0
 *
 * The disk queue of a pipeline: what inputs hand over is written to a log of segments (io/segment_log.h) and read again for the
 * lanes, so that an origin is done with its events as soon as they are on the disk. It knows neither lanes nor batches: the
 * engine gives it encoded records (queue_record.h) and is given them back (engine/queue_intake.h).
 *
 *   disk_queue_put ──▶ waiting ── writer: append, sync ──▶ the receipt is released
 *                                        │
 *   options.arrived ◀── reader: read ◀── on disk ── disk_queue_done: marked, and its segment deleted with the last one
 *
 * Two threads: the writer appends whatever waits and syncs it together (group commit); the reader reads ahead as much as may be
 * under way, marks what is done, and deletes segments.
 *
 * Invariants
 * Q1. A parcel's receipt is released once: as delivered when all its records are written, and under DURABLE_ACK synced; as
 *     abandoned when the queue closes before.
 * Q2. Records are given out in the order in which they were put, each once. One that is not marked as done is given out again at
 *     the next opening; with user.gives_again also before: when something came back undone nothing is given out until all that was
 *     is back, and then reading begins again with the first record that is not done.
 * Q3. The reader reads no record before all of it is written.
 * Q6. A batch that comes with its parcel goes on as it is only while everything before it was given out; so Q2 holds. The reader then
 *     passes over its records, and marks none of them before.
 * Q4. More than max_bytes is only on disk when a single record is larger, or for the head of a segment that lets a full one
 *     be deleted. While there is no room, or the disk is full, parcels wait, and whoever they are charged to; nothing is lost.
 * Q5. It opens whatever its files contain. What is damaged is counted and moved to DIR/damaged, what is whole is given out.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_DISK_QUEUE_H
#define MILLRACE_PIPELINE_DELIVERY_DISK_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/account.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/log.h"
#include "io/segment_log.h"

struct receipt;
struct disk_queue;

enum queue_durability {
    DURABLE_NONE,     /* written; the system decides when it goes to the disk */
    DURABLE_INTERVAL, /* written; synced now and then */
    DURABLE_ACK,      /* synced before the origin hears of it */
};

struct disk_queue_options {
    const char *folder;
    const struct log *log;
    uint64_t max_bytes;
    uint64_t max_events; /* 0: any number */
    uint64_t page_bytes; /* of a segment, at most */
    enum queue_durability durability;
    uint64_t sync_ms; /* DURABLE_INTERVAL: at least so often, */
    uint64_t
        sync_events; /* and after so many events; 0: does not count. Marks are synced as often */
};

/* Records on their way to the lanes. */
struct queue_reading {
    struct queue_reading *next;
    struct queue_read_record {
        struct segment_position at;
        struct str bytes;
        uint32_t events;
    } * records;
    size_t count, capacity;
    size_t events, bytes;
    void *batch; /* the user's */
    bool done;   /* else it is given out again (Q2) */
};

struct disk_queue_user {
    void *ctx;
    size_t batch_events, batch_bytes; /* records are read until they are so many */
    size_t ahead_bytes;               /* of records that are read and not done, about */
    size_t ahead_readings;
    bool gives_again; /* Q2 */
    /* All on the reader's thread. A reading begins: the arena that its bytes are to live in. */
    struct arena *(*begin)(void *ctx, struct queue_reading *reading);
    /* It is complete. Records without bytes: the batch is the one that came with the parcel. */
    void (*arrived)(void *ctx, struct queue_reading *reading);
    void (*unpassed)(
        void *ctx, void *batch); /* it is not needed: it will be read. NULL: no parcel brings one */
    /* Something has changed that disk_queue_is_drained depends on. Any thread. */
    void (*changed)(void *ctx);
};

/* NULL and *err: another process has it, or there cannot be such a folder. Its files may contain what they like. The options'
 * texts have to live as long. */
struct disk_queue *disk_queue_open(const struct disk_queue_options *options, struct error *err);
/* Begins to write and read. */
bool disk_queue_start(struct disk_queue *queue, const struct disk_queue_user *user,
                      struct error *err);
/* Nothing more is read for the lanes; what is put is still written. Any thread, also before the start. */
void disk_queue_stop_reading(struct disk_queue *queue);
/* Reading goes on. What was stopped for good stays so. Any thread. */
void disk_queue_read_on(struct disk_queue *queue);
/* All that was given out is back, and nothing is about to be. After disk_queue_stop it stays so. */
bool disk_queue_is_back(struct disk_queue *queue);
/* From now on; what is on disk stays. Any thread. */
void disk_queue_set_max_bytes(struct disk_queue *queue, uint64_t max_bytes);
/* Nothing will arrive any more unless something is put: all was read, or reading was stopped. */
bool disk_queue_is_drained(struct disk_queue *queue);
/* The threads end; what waits is written once more if that can be done at once, or abandoned. Again: no effect. */
void disk_queue_stop(struct disk_queue *queue);
/* After disk_queue_stop, when all readings are back. */
void disk_queue_close(struct disk_queue *queue);

/* ---- putting -------------------------------------------------------------------------------------- */

/* Records that belong to one receipt. */
struct queue_parcel {
    struct queue_parcel *next;
    struct buf bytes;
    struct queue_parcel_record {
        size_t len; /* behind those before it */
        uint32_t events;
    } * records;
    size_t count, capacity;
    size_t written, written_bytes;
    struct receipt *receipt;
    size_t parts; /* of it; 1 */
    /* The user's form of all of it, or NULL. While the reader has nothing to give out, and more may be under way, it goes on as it is
     * when it is written (user.arrived, on the writer's thread). Else it is given to user.unpassed. */
    void *batch;
};

struct queue_parcel *queue_parcel_new(struct account *account, struct receipt *receipt);
/* The bytes behind those of the records so far are another one. */
void queue_parcel_add(struct queue_parcel *parcel, size_t len, uint32_t events);
/* Whether a batch that comes with a parcel may well go on as it is. */
bool disk_queue_may_pass(struct disk_queue *queue);
/* Takes the parcel and its part of the receipt. Any thread, until disk_queue_stop. */
void disk_queue_put(struct disk_queue *queue, struct queue_parcel *parcel);

/* ---- what was read -------------------------------------------------------------------------------- */

/* Takes the reading back. Any thread. */
void disk_queue_done(struct disk_queue *queue, struct queue_reading *reading, bool done);
/* A record that is no record: its bytes are kept apart, for a person to look at. Any thread. */
void disk_queue_keep_apart(struct disk_queue *queue, struct segment_position at, struct str bytes);

struct disk_queue_figures {
    uint64_t events, records;  /* written and not done */
    uint64_t bytes, max_bytes; /* on disk */
    uint64_t max_events, page_bytes;
    uint64_t written_events, read_events, done_events; /* since it was opened */
    uint64_t syncs;
    uint64_t damaged_places, damaged_bytes;
    uint64_t waiting_bytes; /* not written yet */
    bool full;              /* they wait for room */
};
void disk_queue_figures(struct disk_queue *queue, struct disk_queue_figures *out);
/* Takes the folder's lock, which closing *fd_out gives back. False and *err: another process has it. */
bool disk_queue_claim(const char *folder, int *fd_out, struct error *err);
/* How many events are in the queue of this folder, that nobody has open; 0 as well when there is none. */
uint64_t disk_queue_left(const char *folder);
const char *disk_queue_folder(const struct disk_queue *queue);

#endif
