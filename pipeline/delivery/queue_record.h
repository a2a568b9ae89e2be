/* SPDX-License-Identifier: Apache-2.0
 *
 * A record of a disk queue: events that were handed over together. In a spool (spool.h) it has encoded items instead.
 *
 *   u8 version · u32 number of events · u64 milliseconds since 1970 when it was written · the events (event/event_binary.h)
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_QUEUE_RECORD_H
#define MILLRACE_PIPELINE_DELIVERY_QUEUE_RECORD_H

#include "pipeline/event/event_binary.h"

enum {
    QUEUE_RECORD_EVENTS = 1,
    QUEUE_RECORD_ITEMS = 2,
    QUEUE_RECORD_HEAD_BYTES = 13
}; /* versions */

struct queue_record_writer {
    struct event_writer events; /* its shapes are the caller's to set, behind the beginning */
    size_t begin;               /* of the record in the buffer */
    uint32_t count;
};

/* False: the buffer is at its maximum. */
bool queue_record_begin(struct queue_record_writer *writer, struct buf *out);
/* False: the same, and nothing of the event stays. */
bool queue_record_add(struct queue_record_writer *writer, const struct event *event);
/* Its length. It has at least one event. */
size_t queue_record_end(struct queue_record_writer *writer);

struct queue_record {
    uint32_t count;
    uint64_t written_ms;
    struct str events;
};
/* False: it is no record that this version knows. */
bool queue_record_read(struct str bytes, struct queue_record *out);
/* How many events or items any of them has; 0: it is none. */
uint32_t queue_record_count(struct str bytes);

/* A record of items, appended to `out` between the two. */
bool queue_record_begin_items(struct buf *out, size_t *begin_out);
size_t queue_record_end_items(struct buf *out, size_t begin, uint32_t count);
bool queue_record_is_items(struct str bytes);

#endif
