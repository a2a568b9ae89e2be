/* SPDX-License-Identifier: Apache-2.0
 *
 * What differs between two events, field by field: those of objects one by one, by their path ("message",
 * "[user][name]", "[@metadata][id]"); a list as a whole.
 */
#ifndef MILLRACE_CMD_EVENT_DIFF_H
#define MILLRACE_CMD_EVENT_DIFF_H

#include "pipeline/event/event.h"

enum field_change { FIELD_ADDED, FIELD_REMOVED, FIELD_CHANGED };

struct event_change {
    enum field_change change;
    struct str path;
    struct value before, after; /* as the events have them; a null where there is none */
};

struct event_diff {
    struct event_change *items;
    size_t count, capacity;
    size_t same; /* fields, and objects as a whole, that both have alike */
};

/* All fields of an event, and beside them its metadata: as a copy of it, or from a file. */
struct event_fields {
    struct value fields, metadata; /* OBJECT */
};
/* A copy in the arena. */
struct event_fields event_fields_of(struct arena *arena, const struct event *event);

/* In the order of `before`, then what is new in that of `after`; it borrows from both, and lives in the arena. */
void event_diff(struct arena *arena, const struct event_fields *before,
                const struct event_fields *after, struct event_diff *out);
/* The fields of one event, as if all were added. */
void event_list(struct arena *arena, const struct event_fields *event, struct event_diff *out);
/* The path of a member: of the event itself when the outer path is empty. */
struct str event_path(struct arena *arena, struct str outer, struct str name);

#endif
