/* SPDX-License-Identifier: Apache-2.0
 *
 * Provenance: where an event comes from, as something that stays the same when its origin sends it again. A record is
 * what an origin gave as one (a line, a message), with its place (which file, which partition) and its position there. An
 * event says which one of its record it is, and what filters made of it.
 *
 * Only kept when a plugin of the process asks for it (plugin.h, needs_provenance); without, events have no record and
 * nothing is paid.
 *
 * 1. Two events of one batch never have the same record, ordinal and path.
 * 2. They do not depend on how bytes were cut, on lanes, nor on the time: the same bytes at the same place, through the
 *    same filters, give the same.
 * 3. A record lives in the arena of its events.
 */
#ifndef MILLRACE_PIPELINE_EVENT_ORIGIN_H
#define MILLRACE_PIPELINE_EVENT_ORIGIN_H

#include "pipeline/event/event.h"

struct origin_record {
    struct str raw;    /* the bytes as they came */
    struct str place;  /* empty: the origin has no name for it */
    uint64_t position; /* of the record's end, there */
    uint32_t events;   /* made of it so far */
};

struct origin_record *origin_record_new(struct arena *arena, struct str raw, struct str place,
                                        uint64_t position);
/* The event is the next one of the record; NULL: it has none. */
void event_set_record(struct event *event, struct origin_record *record);
/* A filter made child of parent. */
void event_derive(struct event *child, struct event *parent);

/* A name for the event, URL-safe text without a NUL: equal for the same event sent again, different for any other. */
enum { ORIGIN_ID_CHARS = 20 };
/* False: the event has no record; or the record has no place, and content alone is not to do. */
bool origin_id(const struct event *event, bool content_will_do, char out[ORIGIN_ID_CHARS]);

#endif
