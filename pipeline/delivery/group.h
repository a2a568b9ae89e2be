/* SPDX-License-Identifier: Apache-2.0
 *
 * A group: the encoded events that an output sends together. The output answers for each item and gives the group
 * back; the engine (pipeline/delivery) acknowledges, retries, counts and reports. Nothing in a group points into an
 * event's arena. One thread at a time.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_GROUP_H
#define MILLRACE_PIPELINE_DELIVERY_GROUP_H

#include "base/buf.h"
#include "base/str.h"

enum verdict {
    VERDICT_NONE, /* not answered yet */
    VERDICT_DELIVERED,
    VERDICT_CONFLICT, /* the destination has something else under this id (409): counted, not sent again */
    VERDICT_RETRY,   /* send again later */
    VERDICT_REFUSED, /* never: dead letter, or counted and logged */
};

struct group;

size_t group_count(const struct group *group);
struct str group_bytes(const struct group *group); /* all items, in order, back to back */
struct str group_item(const struct group *group, size_t index); /* what encode() appended for it */
unsigned group_attempts(const struct group *group);             /* 0 at the first send */

/* reason: a short text kept for the log and the dead letter; borrowed for the call. */
void group_answer(struct group *group, size_t index, enum verdict verdict, struct str reason);
void group_answer_all(struct group *group, enum verdict verdict, struct str reason);
/* Gives the group back; every item must have been answered. retry_after_ms: what the server asked for, else 0.
 * shrink: the destination is overloaded (429, 503) or the request was too large (413): smaller groups, fewer in
 * flight, growing back with success. */
void group_done(struct group *group, unsigned retry_after_ms, bool shrink);

#endif
