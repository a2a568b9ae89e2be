/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as bytes and back, with all that an event has: its types, @metadata and provenance. For what is kept on disk in
 * front of the filters (delivery/queue_record.h), so the form is fixed: what is written today is read by later versions.
 *
 *   event    u8 marks · [origin] · [u64 path · number made] · [object metadata] · object fields
 *   origin   text place · number position · text raw, left out when it is that of the event before · number ordinal
 *   value    u8 type · what the type has: a number, 8 bytes of a double, a text, items, or keys with values
 *   number   7 bits a byte, the lowest first, the highest bit says that more follow; signed ones zigzag
 *   text     number length · bytes
 */
#ifndef MILLRACE_PIPELINE_EVENT_EVENT_BINARY_H
#define MILLRACE_PIPELINE_EVENT_EVENT_BINARY_H

#include "base/buf.h"
#include "pipeline/event/event.h"

/* Containers in containers. What an input makes is far below it; below that depth a value is kept as its text. */
enum { EVENT_BINARY_DEPTH = 4000 };

/* Events that stand behind one another share their origin's record. */
struct event_writer {
    struct buf *out;
    const struct origin_record *record; /* of the event before */
};
/* False: the buffer is at its maximum, and holds a part of the event. */
bool event_write(struct event_writer *writer, const struct event *event);

struct event_reader {
    const unsigned char *at, *end;
    struct arena *arena;
    struct origin_record *record; /* of the event before */
};
/* The next event, in the arena; its texts point into the bytes, which live as long. NULL: the bytes are no event. */
struct event *event_read(struct event_reader *reader);

/* Numbers as above, for what stands around events. */
bool binary_put_number(struct buf *out, uint64_t number);
bool binary_take_number(struct event_reader *reader, uint64_t *out);

#endif
