/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/latency.h"

#include <assert.h>

const uint64_t latency_bounds_ms[LATENCY_BOUNDS] = {1,   5,    10,   25,   50,    100,  250,
                                                    500, 1000, 2500, 5000, 10000, 60000};

static size_t second_of(uint64_t at_ms)
{
    return (size_t)(at_ms / LATENCY_SECOND_MS % LATENCY_SECONDS);
}

void latency_begin(struct latency *latency, uint64_t now_ms)
{
    atomic_fetch_add_explicit(&latency->out[second_of(now_ms)], 1, memory_order_relaxed);
}

void latency_end(struct latency *latency, uint64_t began_ms, uint64_t now_ms, size_t events)
{
    uint64_t took_ms = now_ms > began_ms ? now_ms - began_ms : 0;
    size_t at = 0;
    while (at < LATENCY_BOUNDS && took_ms > latency_bounds_ms[at])
        at++;
    atomic_fetch_add_explicit(&latency->events[at], events, memory_order_relaxed);
    atomic_fetch_add_explicit(&latency->sum_ms, took_ms * events, memory_order_relaxed);
    uint_fast32_t before =
        atomic_fetch_sub_explicit(&latency->out[second_of(began_ms)], 1, memory_order_relaxed);
    assert(before > 0);
    (void)before;
}

uint64_t latency_oldest_ms(const struct latency *latency, uint64_t now_ms)
{
    uint64_t second = now_ms / LATENCY_SECOND_MS;
    uint64_t most = second < LATENCY_SECONDS - 1 ? second : LATENCY_SECONDS - 1;
    for (uint64_t age = most; age > 0; age--)
        if (atomic_load_explicit(&latency->out[(second - age) % LATENCY_SECONDS],
                                 memory_order_relaxed) > 0)
            return age * LATENCY_SECOND_MS;
    return 0;
}
