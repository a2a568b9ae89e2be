/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/metrics/meter.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

const unsigned rate_minutes[RATES] = {1, 5, 15};

static const double TICK_SECONDS = 5, DECAY = 0.015;
enum { TICKS_MAX = 100000 }; /* five days: every average is 0 by then */

/* ---- rates ---------------------------------------------------------------------------------------- */

void meter_init(struct meter *meter, double now)
{
    *meter = (struct meter){.ticked = now};
}

static void tick(struct meter *meter)
{
    double instant = meter->uncounted / TICK_SECONDS;
    for (size_t i = 0; i < RATES; i++) {
        double weight = 1 - exp(-TICK_SECONDS / (60.0 * rate_minutes[i]));
        meter->rates[i] =
            meter->moved ? meter->rates[i] + weight * (instant - meter->rates[i]) : instant;
    }
    meter->uncounted = 0;
    meter->moved = true;
}

void meter_look(struct meter *meter, double now)
{
    double ticks = (now - meter->ticked) / TICK_SECONDS;
    if (ticks <= 1)
        return;
    meter->ticked = now;
    for (int i = ticks < TICKS_MAX ? (int)ticks : TICKS_MAX; i > 0; i--)
        tick(meter);
}

void meter_mark(struct meter *meter, double now)
{
    meter_look(meter, now);
    meter->count++;
    meter->uncounted++;
}

/* ---- distributions -------------------------------------------------------------------------------- */

void distribution_init(struct distribution *distribution, double now)
{
    *distribution = (struct distribution){.began = now};
}

void distribution_release(struct distribution *distribution)
{
    mem_free(distribution->sample);
    distribution->sample = NULL;
}

static void swap(struct sampled *a, struct sampled *b)
{
    struct sampled kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(struct sampled *heap, size_t at)
{
    for (size_t parent; at > 0 && heap[parent = (at - 1) / 2].key > heap[at].key; at = parent)
        swap(&heap[parent], &heap[at]);
}

static void sift_down(struct sampled *heap, size_t count)
{
    for (size_t at = 0, child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1].key < heap[child].key)
            child++;
        if (heap[at].key <= heap[child].key)
            return;
        swap(&heap[at], &heap[child]);
    }
}

/* A key is the logarithm of exp(DECAY * age) / random, so it never overflows. */
static void add_to_sample(struct distribution *distribution, struct sampled item)
{
    struct sampled *heap = distribution->sample;
    if (distribution->sample_count == SAMPLE_MAX) {
        if (item.key <= heap[0].key)
            return;
        heap[0] = item;
        sift_down(heap, SAMPLE_MAX);
        return;
    }
    heap = mem_grow(heap, distribution->sample_count, &distribution->sample_capacity, sizeof *heap);
    heap[distribution->sample_count] = item;
    sift_up(heap, distribution->sample_count++);
    distribution->sample = heap;
}

void distribution_add(struct distribution *distribution, double value, double now, double random)
{
    assert(random > 0 && random <= 1);
    bool first = distribution->count++ == 0;
    distribution->min = first || value < distribution->min ? value : distribution->min;
    distribution->max = first || value > distribution->max ? value : distribution->max;
    double before = value - distribution->mean;
    distribution->mean += before / (double)distribution->count;
    distribution->squares += before * (value - distribution->mean);
    struct sampled item = {DECAY * (now - distribution->began) - log(random), value};
    add_to_sample(distribution, item);
}

double distribution_stddev(const struct distribution *distribution)
{
    if (distribution->count < 2)
        return 0;
    return sqrt(distribution->squares / (double)(distribution->count - 1));
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

size_t distribution_sorted(const struct distribution *distribution, double out[SAMPLE_MAX])
{
    for (size_t i = 0; i < distribution->sample_count; i++)
        out[i] = distribution->sample[i].value;
    qsort(out, distribution->sample_count, sizeof *out, compare);
    return distribution->sample_count;
}

double percentile_of(const double *sorted, size_t count, double fraction)
{
    double position = fraction * (double)(count + 1);
    if (count == 0)
        return 0;
    if (position < 1)
        return sorted[0];
    if (position >= (double)count)
        return sorted[count - 1];
    size_t below = (size_t)position - 1;
    return sorted[below] + (position - floor(position)) * (sorted[below + 1] - sorted[below]);
}
