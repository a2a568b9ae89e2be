/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of a delivery, shared by delivery.c (filling), dispatch.c (sending and coming back), group.c (what a group
 * holds), shed.c (what waited too long) and pass_on.c (what another one takes over).
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_DELIVERY_PRIVATE_H
#define MILLRACE_PIPELINE_DELIVERY_DELIVERY_PRIVATE_H

#include "pipeline/delivery/dead_letters.h"
#include "pipeline/delivery/delivery.h"
#include "pipeline/delivery/group.h"
#include "pipeline/delivery/outlet.h"
#include "pipeline/delivery/spool.h"
#include "pipeline/engine/lane_private.h"

struct group_item {
    size_t offset;
    uint32_t len;
    uint32_t run;                   /* whose receipt */
    uint32_t note_offset, note_len; /* what its dead letter needs beside its bytes */
    uint32_t born_ms;               /* the lane's clock, when it was encoded; goes round */
    uint16_t answers;               /* that asked for another try; stops at the largest */
    uint8_t attempts;               /* apart from those of the group; stops at the largest */
    uint8_t verdict : 7;
    uint8_t own_id : 1; /* it is sent under an id that we made */
};

/* Items in a row that belong to one receipt. */
struct group_run {
    struct receipt *receipt;
    uint32_t open; /* items without a final verdict */
};

enum group_state { GROUP_FREE, GROUP_FILLING, GROUP_READY, GROUP_IN_FLIGHT, GROUP_WAITING };

struct group {
    struct inbox_item link; /* first: posted to the lane that sends */
    struct group *next;
    struct delivery *delivery;
    enum group_state state;
    struct buf bytes;
    struct buf notes; /* empty where there are no dead letters */
    struct group_item *items;
    size_t count, capacity;
    size_t taken; /* items before it have been moved to other groups */
    struct group_run *runs;
    size_t run_count, run_capacity;
    unsigned attempts; /* of all its items */
    bool parcel;       /* was cut from a larger group: small, kept apart when free */
    bool part;         /* of a group that was rejected as a whole */
    bool spooled;      /* was read from the spool */
    bool
        rests; /* WAITING, loose: it has items from the spool, which go back there when it is due */
    bool loose;       /* WAITING: its items go on with whatever is sent next, not as a group */
    uint64_t due_ms;  /* FILLING: send by then; WAITING: try again then */
    uint64_t born_ms; /* when its oldest item was encoded; UINT64_MAX: it has none */
    uint64_t sent_us;
};

struct group_queue {
    struct group *first, *last;
};

/* Free groups, to be used again. */
struct group_pool {
    struct group *first;
    size_t count;
};

/* Items that failed so often wait together; those that failed more often wait in the last. */
enum { LOOSE_LEVELS = 8 };

enum { RETRIED_STATUSES = 18 }; /* that are told apart */

struct delivery {
    struct inbox_item link; /* first: the outlet's nudge */
    atomic_bool nudged;     /* and it is posted */
    struct outlet_member member;
    struct instance *instance;
    const struct output *output;
    struct lane *lane;
    struct outlet *outlet;
    struct delivery *home; /* sends what is encoded here; itself, or the one on the output's lane */
    struct output_limits limits;
    size_t fill_items, fill_bytes; /* what makes a group full */
    bool ordered;
    bool closing;
    bool stopped; /* its output is */
    bool pumping;
    /* pass_on.c: what it has, and what comes back to it, goes to its heir, or to the spool when it has none. */
    bool passes_on;
    struct delivery *heir; /* of the same lane */
    bool anew;             /* which encodes the events anew */
    bool is_before;        /* its heir counts it in `behind` */
    unsigned awaits;       /* deliveries that this one is the heir of and that are not closed yet */
    unsigned behind;       /* those of them that have something in flight, or are behind such */
    uint64_t last_sent_ms;
    struct arena scratch; /* of encode() */
    struct group *filling;
    struct group_queue ready;
    struct group_queue waiting;        /* by due_ms */
    struct group *loose[LOOSE_LEVELS]; /* those in waiting that still take items */
    struct group_pool stock, parcels;
    unsigned in_flight;
    uint64_t hold_ms;    /* what waits longer is set aside; 0: for ever */
    uint64_t shed_at_ms; /* when to look for such */
    struct log_limit shed_lines;
    enum on_full on_full;
    struct spool *spool;    /* NULL: it has none */
    bool was_holding;       /* at the last look */
    uint64_t held_until_ms; /* ordered: the group that failed is first in ready */
    uv_timer_t timer;
    uv_idle_t flush;              /* before the loop waits: what the turn brought is sent */
    struct dead_letters *letters; /* NULL: what is refused is only counted */
    bool notes;                   /* what encoded items lack for a letter is noted beside them */
    struct dead_letter_parcel *parcel; /* letters that are not handed in yet */
    struct log_limit refusals;
    struct counter *routed, *delivered, *conflicts, *refused, *dropped, *set_aside, *retried,
        *spooled, *unspooled;
    struct counter *retried_unreachable, *retried_overloaded, *retried_forbidden; /* of those */
    struct counter *retried_by_status[RETRIED_STATUSES]; /* NULL: it has not come yet */
};

/* ---- retried.c ---- */

/* Events go again after an answer with this status of HTTP; 0: it had none. */
void retried_count(struct delivery *delivery, int status, size_t events);

/* ---- group.c ---- */

void group_set_state(struct group *group, enum group_state state);
/* A free group in state FILLING. parcel: for few items of a larger one. */
struct group *group_take(struct delivery *delivery, bool parcel);
void group_recycle(struct group *group);
void group_free(struct group *group);
void group_pools_release(struct delivery *delivery);
size_t group_left(const struct group *group); /* items that were not moved away */
/* The bytes from offset on are a new item, the notes from `note` on are its own. */
void group_push(struct group *group, size_t offset, size_t note, struct receipt *receipt,
                bool own_id);
struct str group_note(const struct group *group, const struct group_item *item);
/* Moves the next `count` items to the end of `to`. */
void group_move_items(struct group *group, size_t count, struct group *to);
/* Moves the last item to the end of `to`. */
void group_move_last(struct group *group, struct group *to);
/* Memory that is not needed for what it holds is given back. */
void group_trim(struct group *group);

/* How a group came back. */
struct group_outcome {
    size_t delivered, conflicts, refused, dropped, changed, retry;
};
/* Releases the items with a final verdict from their receipts and keeps the others, in order, for another try. */
struct group_outcome group_settle(struct group *group);
/* Forgets all items; their origins will have to send them again. */
void group_abandon(struct group *group);

void group_queue_push(struct group_queue *queue, struct group *group);
void group_queue_push_front(struct group_queue *queue, struct group *group);
void group_queue_push_due(struct group_queue *queue, struct group *group);
struct group *group_queue_pop(struct group_queue *queue);

/* ---- delivery.c ---- */

/* Encoded items that wait loosely join what is filling. */
void delivery_absorb(struct delivery *delivery, struct group *loose);
void delivery_seal(struct delivery *delivery);
/* A group that was read from the spool is ready to be sent. */
void delivery_receive_spooled(struct delivery *delivery, struct group *group);
/* The item becomes a dead letter, which takes over its hold of the receipt. Only where there are letters. */
void delivery_keep_letter(struct delivery *delivery, struct group *group, size_t index,
                          struct str reason);
/* What is known of an item's event beside its bytes. carried: JSON within them, or empty; note: group_note. *event is empty when
 * nothing is known. */
void delivery_split_note(struct str carried, struct str note, struct str *event,
                         struct str *metadata);
struct str delivery_carried_event(const struct delivery *delivery, struct str item);
/* Encodes an event that is known as JSON into the group, or refuses or drops it. False: it is no event, or the group is full. */
bool delivery_encode_anew(struct delivery *delivery, struct group *group, struct str event,
                          struct str metadata, struct receipt *receipt);
/* Letters go to whoever writes them. */
void delivery_hand_in(struct delivery *delivery);
void delivery_log_refusal(struct delivery *delivery, const char *what, struct str reason);

/* ---- shed.c ---- */

void shed_open(struct delivery *delivery);
/* The spool has something: what comes goes behind it. */
bool shed_is_spooling(const struct delivery *delivery);
/* Sets aside what has waited too long; looks now and then. */
void shed_old(struct delivery *delivery, uint64_t now_ms);
/* Sets aside what could not be sent now, when the destination took nothing for hold_max. With a spool nothing: there it follows
 * what is in it. */
void shed_unsent(struct delivery *delivery, uint64_t now_ms);

/* ---- pass_on.c ---- */

/* All that is here goes; the delivery passes on. */
void pass_on_all(struct delivery *delivery);
/* A request came back. */
void pass_on_landed(struct delivery *delivery);
/* It is closed: when it has nothing in flight any more its heir need not wait for it. */
void pass_on_over(struct delivery *delivery);

/* ---- dispatch.c ---- */

void dispatch_open(struct delivery *delivery);
void dispatch_close(struct delivery *delivery);
/* Items were added: full groups go now, the rest before the loop waits. */
void dispatch_soon(struct delivery *delivery);
/* Where items wait that failed so often; for one more. spooled: it was read from the spool. */
struct group *dispatch_loose_group(struct delivery *delivery, unsigned attempts, unsigned asked_ms,
                                   bool spooled);
/* A group that was encoded on another lane is here. */
void dispatch_receive(struct inbox_item *link);

#endif
