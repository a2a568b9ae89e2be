/* SPDX-License-Identifier: Apache-2.0
 *
 * An outlet: what is known of one output's destination. One for each configured output, shared by the deliveries of all
 * lanes; any thread, behind one lock that is taken a few times for each request and never for an event. It says how many
 * requests may be under way, how large they may be, and when to try again after a failure.
 *
 * How many: `limit` follows the latency (learn_latency): one more with each full request that was answered as fast as ever
 * and during which somebody was denied a permit, so that it doubles in the time of an answer; an eighth less when answers
 * take more than twice as long. Of that limit the share that the destination lately took is allowed: when it refuses a third,
 * two thirds.
 *
 *   UP ── DOWN_IN_A_ROW failures, or three in four ──▶ DOWN ── a request gets through ──▶ UP
 *         (one request at a time, with growing pauses between them)
 *
 * Invariants
 * O1. in_flight ≤ limit ≤ max_in_flight: each permit is taken once and given back once.
 * O2. Only failures of whole requests change limit, share or pauses; what becomes of single items never does.
 * O3. A member that was denied a permit is posted to (nudged) when one may be had; it need not ask before. One that was posted
 *     to and has no use for a permit passes it on, or those behind it would wait for ever.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_OUTLET_H
#define MILLRACE_PIPELINE_DELIVERY_OUTLET_H

#include <stdbool.h>
#include <stdint.h>

#include "pipeline/delivery/group.h"

struct outlet;
struct spool;

/* Who sends through the outlet; embedded in a delivery. */
struct outlet_member {
    struct outlet_member *next;
    /* A permit may be had. Called with the outlet locked, from any thread, at most once until the member asks again: it
     * posts itself a message. */
    void (*nudge)(struct outlet_member *member);
    bool denied;
};

/* How a request ended. */
struct outlet_report {
    enum send_cause cause;
    unsigned retry_after_ms;
    size_t bytes;
    bool full;  /* as large as requests get here: its latency is one to compare */
    bool fresh; /* sent for the first time, and not part of a request that was rejected */
    uint64_t sent_us, now_us; /* of the monotonic clock */
    uint64_t random;
    struct str reason; /* of a failure, for people; borrowed for the call */
    bool took_nothing; /* it was answered, and each of its items is to be sent again */
};

struct outlet *outlet_new(void);
/* The outlet takes over a reference of the spool. NULL: it has none. */
void outlet_set_spool(struct outlet *outlet, struct spool *spool);
struct spool *outlet_spool(const struct outlet *outlet);
void outlet_drop_spool(struct outlet *outlet); /* all deliveries of the outlet are gone */
void outlet_free(struct outlet *outlet);
/* The first member's limits hold for all: they come from the same options. */
void outlet_join(struct outlet *outlet, struct outlet_member *member,
                 const struct output_limits *limits);
void outlet_leave(struct outlet *outlet, struct outlet_member *member);

/* True: a request may go, and outlet_finish is owed. False: *again_ms_out says when to ask again, UINT64_MAX that a nudge
 * will come. */
bool outlet_take_permit(struct outlet *outlet, struct outlet_member *member, uint64_t now_ms,
                        uint64_t *again_ms_out);
void outlet_finish(struct outlet *outlet, const struct outlet_report *report);
/* By who was nudged and did not take a permit: others may (O3). */
void outlet_pass_on(struct outlet *outlet);

/* The largest request for now; less than the limit after a SEND_TOO_LARGE. */
size_t outlet_max_bytes(struct outlet *outlet);
/* How long a group that is not full waits for more while another is under way. */
unsigned outlet_gather_ms(struct outlet *outlet);
/* A request with a single item was rejected: whether another one got through that was sent after the rejection, so that it
 * must be this item's fault and not the request's. */
bool outlet_blames_item(struct outlet *outlet);
/* How the destination is. */
enum outlet_state {
    OUTLET_IDLE, /* nothing is under way, and nothing failed last */
    OUTLET_ANSWERS, /* the last request was answered, and what is under way has been for less than a moment */
    OUTLET_WAITS, /* something is under way, and nothing has ended for for_ms */
    OUTLET_FAILS, /* the last requests failed, the first of them for_ms ago */
    OUTLET_DOWN,  /* the same, so often that it is asked with pauses only */
};
enum { OUTLET_REASON_BYTES = 200, OUTLET_MOMENT_MS = 3000 };
struct outlet_look {
    enum outlet_state state;
    uint64_t for_ms, failures;
    const char *cause; /* of the last failure, as a sentence; NULL: none */
    char reason[OUTLET_REASON_BYTES];
};
/* now_us: of the monotonic clock. */
struct outlet_look outlet_look(struct outlet *outlet, uint64_t now_us);
/* For reading out: requests under way and allowed now. */
void outlet_usage(struct outlet *outlet, unsigned *in_flight_out, unsigned *allowed_out);

#endif
