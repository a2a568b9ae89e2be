/* SPDX-License-Identifier: Apache-2.0
 *
 * Plugins that do as they are told, and a way to run a pipeline text with them on real lanes. The input 'feed' hands over
 * numbered events in batches; the filter 'wait' lets each wait for a while; the output 'sink' answers by a script.
 */
#ifndef MILLRACE_TESTS_UNIT_PIPELINE_FAKES_H
#define MILLRACE_TESTS_UNIT_PIPELINE_FAKES_H

#include <stdatomic.h>

#include "base/regex/regex.h"
#include "pipeline/delivery/group.h"
#include "pipeline/engine/engine.h"

/* What happened in one run, written by the fakes. */
struct fake_world {
    atomic_uint delivered;          /* items that a sink answered DELIVERED for */
    atomic_uint sends;              /* groups that were sent */
    atomic_uint most_items;         /* in one group */
    atomic_uint most_capacity;      /* bytes of memory of one group */
    atomic_uint most_in_flight;     /* of one sink instance */
    unsigned batches, batch_events; /* what the feed hands over */
    bool feed_endless;              /* until stop() */
    unsigned shutdown_ms;           /* 0: 200 */
    bool unordered;                 /* also on one lane */
    atomic_uint prepared, applied;  /* events, by the filter 'wait' */
    atomic_uint mistakes;           /* events applied that it had not prepared, or not said ready */
    uint64_t last_token;            /* the last acknowledged */
    bool tokens_out_of_order;
    struct taps *taps; /* NULL: nobody looks on */
    struct regex_limits regex;
    atomic_uint most_in_turn,
        most_looks;     /* of events and of the clock, in one turn of the loop; slow */
    unsigned abandoned; /* how often the feed was told so */
    int64_t lost;       /* the sink throws away the batch of this number; 0: none */
    /* The sink's answer for an item; NULL: DELIVERED at once. */
    enum verdict (*answer)(struct fake_world *world, struct str item, unsigned attempts);
    bool sink_holds;             /* the sink never answers until it is stopped */
    enum send_cause retry_cause; /* how a group with a RETRY ends: as answered, or all of it so */
    char order[4096];            /* first bytes of the delivered items, in order (one lane) */
    atomic_size_t order_len;     /* may pass its size */
    atomic_uint spread_acked;    /* batches, of all streams of a spread_feed */
    char counters[8192];         /* as JSON, at the end */
    struct engine_summary summary;
};

/* The number at the beginning of an item, which ends nowhere. */
static inline long fake_number(struct str item)
{
    long number = 0;
    for (size_t i = 0; i < item.len && item.ptr[i] >= '0' && item.ptr[i] <= '9'; i++)
        number = number * 10 + (item.ptr[i] - '0');
    return number;
}

/* Runs the text to its end (or, when stop_after_ms is not 0, stops it then). Fails the test when it does not start. */
void fake_run(struct fake_world *world, const char *text, size_t lanes, unsigned stop_after_ms);
/* Why the engine of a text cannot be opened; everything that was open must be closed again. */
const char *fake_open_error(const char *text, size_t lanes);
/* The errors of a text that must be refused, joined by '\n'. */
const char *fake_refusal(const char *text);

#endif
