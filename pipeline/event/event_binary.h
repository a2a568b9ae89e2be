/* SPDX-License-Identifier: Apache-2.0
 *
 * Events as bytes and back, with all that an event has: its types, @metadata and provenance. For what is kept on disk in
 * front of the filters (delivery/queue_record.h), so the form is fixed: what is written today is read by later versions.
 *
 *   event    u8 marks · [origin] · [u64 path · number made] · [metadata] · fields; objects, or values that are one (a mark)
 *   origin   text place · number position · text raw, left out when it is that of the event before · number ordinal
 *   value    u8 type · what the type has: a number, 8 bytes of a double, a text, items, or keys with values
 *   json     of containers that came as we write them and that nobody changed (value_store.h): a text, which is JSON
 *   shape    of objects whose keys are the same in the same order: the number of the shape, counted from the first event on; at the
 *            first of them number of keys · texts; then the values
 *   number   7 bits a byte, the lowest first, the highest bit says that more follow; signed ones zigzag
 *   text     number length · bytes
 */
#ifndef MILLRACE_PIPELINE_EVENT_EVENT_BINARY_H
#define MILLRACE_PIPELINE_EVENT_EVENT_BINARY_H

#include "base/buf.h"
#include "pipeline/event/event.h"
#include "pipeline/event/event_json.h"

/* Containers in containers. What an input makes is far below it; below that depth a value is kept as its text. */
enum { EVENT_BINARY_DEPTH = 4000 };

/* Keys that are written once for many objects: what was noted of them, in a table by the hash of their keys. */
enum { EVENT_SHAPES_NOTED = 32, EVENT_SHAPES_MAX = 256 };
struct object;
struct event_shape {
    const struct object *like; /* NULL: nothing is noted here */
    uint32_t number;
};

/* Events that stand behind one another share their origin's record, and shapes. */
struct event_writer {
    struct buf *out;
    const struct origin_record *record; /* of the event before */
    struct event_shape *
        shapes; /* EVENT_SHAPES_NOTED of them, zeroed, when all events live as long as the writer; or
                                         * NULL: keys are written with each object */
    uint32_t shape_count;
};
/* False: the buffer is at its maximum, and holds a part of the event. */
bool event_write(struct event_writer *writer, const struct event *event);

struct event_reader {
    const unsigned char *at, *end;
    struct arena *arena;
    struct json_reader *json;     /* for containers that were written as JSON */
    struct origin_record *record; /* of the event before */
    const struct object **shapes;
    uint32_t shape_count;
};
/* The next event, in the arena; its texts point into the bytes, which live as long. NULL: the bytes are no event. */
struct event *event_read(struct event_reader *reader);

/* Numbers as above, for what stands around events. */
bool binary_put_number(struct buf *out, uint64_t number);
bool binary_take_number(struct event_reader *reader, uint64_t *out);

#endif
