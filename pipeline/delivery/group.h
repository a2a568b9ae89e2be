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

struct output_limits;

enum verdict {
    VERDICT_NONE, /* not answered yet */
    VERDICT_DELIVERED,
    VERDICT_CONFLICT, /* the destination has something else under this id (409): counted, not sent again */
    VERDICT_RETRY,   /* send again later */
    VERDICT_REFUSED, /* never: dead letter, or counted and logged */
    VERDICT_DROPPED, /* never, and no dead letter: the user wants it so */
    VERDICT_HELD, /* send again later, however long it takes: retry_max_age and the like do not count */
    VERDICT_CHANGED, /* by group_answer_changed: it goes again with other bytes */
};

/* How the request as a whole ended. Only what is not SEND_ANSWERED says something about the destination. */
enum send_cause {
    SEND_ANSWERED,    /* taken; each item has its verdict */
    SEND_UNREACHABLE, /* nobody there, the connection broke, or a server failed as a whole (5xx) */
    SEND_OVERLOADED,  /* it asks for less: 429, 503, no answer in time */
    SEND_TOO_LARGE,   /* 413: smaller requests may pass */
    SEND_REJECTED,    /* refused as a whole for good (400), perhaps for the sake of one item */
    SEND_FORBIDDEN,   /* 401, 403: nothing passes until somebody mends it */
    SEND_STOPPED,     /* given back without having been sent, or because the output stops */
};

struct send_result {
    enum send_cause cause;
    unsigned retry_after_ms; /* what the destination asked for, else 0 */
    struct str reason;       /* for the log and the dead letter; borrowed for the call */
    int status; /* of HTTP, for the request as a whole: what goes again is counted under it; 0: none */
};

struct group;

size_t group_count(const struct group *group);
struct str group_bytes(const struct group *group); /* all items, in order, back to back */
struct str group_item(const struct group *group, size_t index); /* what encode() appended for it */
bool group_item_has_own_id(const struct group *group, size_t index); /* ENCODE_OWN_ID */
unsigned group_attempts(const struct group *group,
                        size_t index); /* of the item: 0 at its first send */
/* A VERDICT_RETRY would be one too many for this item (retry_max_attempts, retry_max_age): it becomes a dead letter, and
 * its reason is worth making. */
bool group_gives_up(const struct group *group, size_t index);

/* reason: a short text kept for the log and the dead letter; borrowed for the call. */
void group_answer(struct group *group, size_t index, enum verdict verdict, struct str reason);
/* The same, of an item with a status of its own: when it goes again, that is counted under it. */
void group_answer_status(struct group *group, size_t index, int status, enum verdict verdict,
                         struct str reason);
void group_answer_all(struct group *group, enum verdict verdict, struct str reason);
/* The item was refused as it is, and goes again with these bytes in its place; copied. In an ordered pipeline it may be
 * overtaken. */
void group_answer_changed(struct group *group, size_t index, struct str bytes);
/* It waits longer than hold_max, and can be set aside (on_full) if it was not sent yet: an output that holds it gives it back
 * when it is asked to (recall). */
bool group_waits_too_long(const struct group *group);

/* Gives the group back. With SEND_ANSWERED every item must have been answered; otherwise none may be, and delivery decides:
 * it tries again, in smaller parts where the request was too large or rejected, until the item that is to blame stands
 * alone. */
void group_done(struct group *group, const struct send_result *result);
/* group_done with SEND_ANSWERED. */
void group_answered(struct group *group);

#endif
