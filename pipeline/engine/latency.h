/* SPDX-License-Identifier: Apache-2.0
 *
 * How long batches take from their hand-over until their origin hears of them, and how old the oldest one is that is out.
 * Written by every lane, a few relaxed additions for each batch; read by whoever makes a page.
 *
 * The oldest is found by counting what was handed over in each second, in a ring: what is out for longer than the ring is
 * long is seen as that old at most.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_LATENCY_H
#define MILLRACE_PIPELINE_ENGINE_LATENCY_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { LATENCY_BOUNDS = 13, LATENCY_SECONDS = 4096, LATENCY_SECOND_MS = 1000 };

struct latency {
    atomic_uint_fast64_t events[LATENCY_BOUNDS + 1]; /* by latency_bounds_ms; the last: longer */
    atomic_uint_fast64_t sum_ms;                     /* of all events */
    atomic_uint_fast32_t out[LATENCY_SECONDS];       /* batches, by the second of their hand-over */
};

extern const uint64_t latency_bounds_ms[LATENCY_BOUNDS];

void latency_begin(struct latency *latency, uint64_t now_ms);
/* Exactly once for each latency_begin, with its time. */
void latency_end(struct latency *latency, uint64_t began_ms, uint64_t now_ms, size_t events);
/* 0: nothing is out. To the second. */
uint64_t latency_oldest_ms(const struct latency *latency, uint64_t now_ms);

#endif
