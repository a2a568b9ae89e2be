/* SPDX-License-Identifier: Apache-2.0
 *
 * A counter with moving averages of its rate, and a distribution of values. Times are seconds and given by the caller. No
 * I/O, one thread.
 */
#ifndef MILLRACE_FILTERS_METRICS_METER_H
#define MILLRACE_FILTERS_METRICS_METER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RATES = 3, SAMPLE_MAX = 1028 };
extern const unsigned rate_minutes[RATES]; /* 1, 5, 15 */

/* Averages are moved on in ticks of five seconds, as many as have passed since the last mark or look. */
struct meter {
    int64_t count;
    double rates[RATES]; /* per second */
    double uncounted;    /* marks since the last tick */
    double ticked;       /* when */
    bool moved;          /* there was a tick */
};

void meter_init(struct meter *meter, double now);
void meter_mark(struct meter *meter, double now);
void meter_look(struct meter *meter, double now); /* brings the rates up to now */

/* One value of the sample; those with the largest keys stay, and keys grow with time, so that newer values do. */
struct sampled {
    double key, value;
};

struct distribution {
    int64_t count;
    double min, max, mean, squares; /* squares: the sum of squared differences from the mean */
    double began;
    struct sampled *sample; /* a heap, the smallest key first */
    size_t sample_count, sample_capacity;
};

void distribution_init(struct distribution *distribution, double now);
void distribution_release(struct distribution *distribution);
/* random: evenly from (0, 1]. */
void distribution_add(struct distribution *distribution, double value, double now, double random);
double distribution_stddev(const struct distribution *distribution);
/* The sample in ascending order, SAMPLE_MAX values at most; how many there are. */
size_t distribution_sorted(const struct distribution *distribution, double out[SAMPLE_MAX]);
/* Of sorted values, interpolated; fraction 0..1. */
double percentile_of(const double *sorted, size_t count, double fraction);

#endif
