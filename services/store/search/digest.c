/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/search/digest.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Centroids after merging: about this many. */
enum { DIGEST_COMPRESSION = 1000, DIGEST_FIRST = 16 };

struct centroid {
    double mean, weight;
};

struct digest {
    struct centroid *items;
    size_t count, capacity, sorted; /* items up to sorted are in order */
    double weight, min, max;
};

struct digest *digest_new(struct arena *arena)
{
    struct digest *digest = arena_zero(arena, sizeof *digest);
    digest->min = INFINITY;
    digest->max = -INFINITY;
    return digest;
}

size_t digest_count(const struct digest *digest)
{
    return (size_t)digest->weight;
}

static int compare(const void *a, const void *b)
{
    const struct centroid *left = a, *right = b;
    return (left->mean > right->mean) - (left->mean < right->mean);
}

static void sort(struct digest *digest)
{
    if (digest->sorted < digest->count)
        qsort(digest->items, digest->count, sizeof *digest->items, compare);
    digest->sorted = digest->count;
}

/* How much one centroid may weigh at a quantile: little at both ends. */
static double weight_limit(const struct digest *digest, double before)
{
    double quantile = before / digest->weight;
    return 4 * digest->weight * quantile * (1 - quantile) / DIGEST_COMPRESSION;
}

static void merge(struct digest *digest)
{
    sort(digest);
    size_t kept = 0;
    double before = 0;
    for (size_t i = 1; i < digest->count; i++) {
        struct centroid *last = &digest->items[kept], next = digest->items[i];
        double weight = last->weight + next.weight;
        if (weight <= weight_limit(digest, before + weight / 2)) {
            last->mean += (next.mean - last->mean) * next.weight / weight;
            last->weight = weight;
        } else {
            before += last->weight;
            digest->items[++kept] = next;
        }
    }
    digest->count = digest->sorted = kept + 1;
    assert(digest->count < DIGEST_EXACT_MAX);
}

void digest_add(struct digest *digest, struct arena *arena, double number)
{
    size_t size = sizeof *digest->items;
    if (digest->count == DIGEST_EXACT_MAX)
        merge(digest);
    if (digest->count == digest->capacity) {
        size_t capacity = digest->capacity ? digest->capacity * 2 : DIGEST_FIRST;
        digest->items = arena_grow(arena, digest->items, digest->count * size, capacity * size);
        digest->capacity = capacity;
    }
    digest->items[digest->count++] = (struct centroid){number, 1};
    digest->weight++;
    digest->min = number < digest->min ? number : digest->min;
    digest->max = number > digest->max ? number : digest->max;
}

/* Between the middles of the two centroids around it, in a straight line. */
double digest_quantile(struct digest *digest, double quantile)
{
    assert(digest->count > 0 && quantile >= 0 && quantile <= 1);
    sort(digest);
    double index = quantile * digest->weight, middle = digest->items[0].weight / 2;
    if (index < middle)
        return digest->min;
    for (size_t i = 0; i + 1 < digest->count; i++) {
        const struct centroid *left = &digest->items[i], *right = left + 1;
        double step = (left->weight + right->weight) / 2;
        if (index < middle + step)
            return left->mean + (right->mean - left->mean) * (index - middle) / step;
        middle += step;
    }
    return digest->max;
}
