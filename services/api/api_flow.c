/* SPDX-License-Identifier: Apache-2.0 */
#include "services/api/api_flow.h"

#include <assert.h>
#include <math.h>

#include "base/mem.h"

enum { FINE_SAMPLES = 92, COARSE_SAMPLES = 146, COARSE_MS = 10 * 60 * 1000 };

/* What grows. */
enum flow_counter { FLOW_IN, FLOW_FILTERED, FLOW_OUT, FLOW_BUSY_MS, FLOW_WAIT_MS, FLOW_COUNTERS };

struct sample {
    uint64_t at_ms;
    uint64_t values[FLOW_COUNTERS];
};

struct ring {
    struct sample *items;
    size_t capacity, count; /* of all that were ever added */
    uint64_t interval_ms;
};

struct flow_pipeline {
    char *id;
    struct ring fine, coarse;
};

struct flow {
    uint64_t started_ms;
    struct flow_pipeline *pipelines; /* [0]: all together */
    size_t count, capacity;
};

static struct ring ring_new(size_t capacity, uint64_t interval_ms)
{
    return (struct ring){.items = mem_zero(capacity, sizeof(struct sample)),
                         .capacity = capacity,
                         .interval_ms = interval_ms};
}

static const struct sample *ring_at(const struct ring *ring, size_t back)
{
    size_t kept = ring->count < ring->capacity ? ring->count : ring->capacity;
    return back < kept ? &ring->items[(ring->count - 1 - back) % ring->capacity] : NULL;
}

static void ring_add(struct ring *ring, const struct sample *sample)
{
    const struct sample *last = ring_at(ring, 0);
    if (last && sample->at_ms - last->at_ms + FLOW_SAMPLE_MS / 2 < ring->interval_ms)
        return;
    ring->items[ring->count++ % ring->capacity] = *sample;
}

static struct flow_pipeline *add_pipeline(struct flow *flow, struct str id)
{
    flow->pipelines =
        mem_grow(flow->pipelines, flow->count, &flow->capacity, sizeof *flow->pipelines);
    struct flow_pipeline *added = &flow->pipelines[flow->count++];
    *added = (struct flow_pipeline){.id = mem_alloc(id.len + 1)};
    memcpy(added->id, id.len > 0 ? id.ptr : "", id.len);
    added->id[id.len] = 0;
    added->fine = ring_new(FINE_SAMPLES, FLOW_SAMPLE_MS);
    added->coarse = ring_new(COARSE_SAMPLES, COARSE_MS);
    return added;
}

struct flow *flow_new(uint64_t now_ms)
{
    struct flow *flow = mem_zero(1, sizeof *flow);
    flow->started_ms = now_ms;
    add_pipeline(flow, STR(""));
    return flow;
}

void flow_free(struct flow *flow)
{
    for (size_t i = 0; i < flow->count; i++) {
        mem_free(flow->pipelines[i].id);
        mem_free(flow->pipelines[i].fine.items);
        mem_free(flow->pipelines[i].coarse.items);
    }
    mem_free(flow->pipelines);
    mem_free(flow);
}

static const struct flow_pipeline *find(const struct flow *flow, struct str id)
{
    for (size_t i = 1; i < flow->count; i++)
        if (str_equal(id, str_from(flow->pipelines[i].id)))
            return &flow->pipelines[i];
    return NULL;
}

static void read_pipeline(const struct metric_pipeline *pipeline, uint64_t values[FLOW_COUNTERS])
{
    const struct metric *const metrics[FLOW_COUNTERS] = {[FLOW_IN] = metric_events_in,
                                                         [FLOW_FILTERED] = metric_events_filtered,
                                                         [FLOW_OUT] = metric_events_out,
                                                         [FLOW_BUSY_MS] = metric_events_busy,
                                                         [FLOW_WAIT_MS] = metric_events_wait};
    for (int i = 0; i < FLOW_COUNTERS; i++)
        values[i] += metric_get(&pipeline->values, metrics[i]);
}

static struct sample take(const struct metric_page *page, size_t pipeline, uint64_t now_ms)
{
    struct sample sample = {.at_ms = now_ms};
    for (size_t i = 0; i < page->count; i++)
        if (pipeline == SIZE_MAX || pipeline == i)
            read_pipeline(&page->pipelines[i], sample.values);
    return sample;
}

static void add_sample(struct flow_pipeline *pipeline, struct sample sample)
{
    ring_add(&pipeline->fine, &sample);
    ring_add(&pipeline->coarse, &sample);
}

void flow_sample(struct flow *flow, const struct metric_page *page, uint64_t now_ms)
{
    add_sample(&flow->pipelines[0], take(page, SIZE_MAX, now_ms));
    for (size_t i = 0; i < page->count; i++) {
        const struct flow_pipeline *known = find(flow, page->pipelines[i].id);
        size_t at = known ? (size_t)(known - flow->pipelines) : flow->count;
        if (!known)
            add_pipeline(flow, page->pipelines[i].id);
        add_sample(&flow->pipelines[at], take(page, i, now_ms));
    }
}

/* ---- rates ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    uint64_t ms;
} WINDOWS[] = {
    {"current", FLOW_SAMPLE_MS},       {"last_1_minute", 60 * 1000},
    {"last_5_minutes", 5 * 60 * 1000}, {"last_15_minutes", 15 * 60 * 1000},
    {"last_1_hour", 60 * 60 * 1000},   {"last_24_hours", 24 * 60 * 60 * 1000},
};

/* The newest sample that is at least so old. */
static const struct sample *sample_before(const struct flow_pipeline *pipeline, uint64_t at_ms)
{
    const struct ring *const rings[] = {&pipeline->fine, &pipeline->coarse};
    for (size_t i = 0; i < sizeof rings / sizeof *rings; i++) {
        const struct sample *sample;
        for (size_t back = 0; (sample = ring_at(rings[i], back)); back++)
            if (sample->at_ms <= at_ms)
                return sample;
    }
    return NULL;
}

/* How a rate is made of a counter's growth in a time. */
struct rate {
    const char *name;
    enum flow_counter counter;
    double factor;
};

static struct value rate_of(const struct rate *rate, const struct sample *from,
                            const struct sample *to)
{
    enum { SHOWN = 1000 }; /* three places */
    double grown = (double)(to->values[rate->counter] - from->values[rate->counter]);
    double ms = (double)(to->at_ms - from->at_ms);
    return value_float(ms > 0 ? round(grown * rate->factor / ms * SHOWN) / SHOWN : 0);
}

static struct value rate_json(const struct flow *flow, struct arena *arena,
                              const struct flow_pipeline *pipeline, const struct rate *rate,
                              const struct sample *now)
{
    struct value object = value_object_new(arena, 0);
    const struct sample start = {.at_ms = flow->started_ms};
    for (size_t i = 0; i < sizeof WINDOWS / sizeof *WINDOWS; i++) {
        const struct sample *from = pipeline && now->at_ms >= WINDOWS[i].ms
                                        ? sample_before(pipeline, now->at_ms - WINDOWS[i].ms)
                                        : NULL;
        if (!from && i == 0)
            from = &start;
        if (from)
            value_object_set(arena, &object, str_from(WINDOWS[i].name), rate_of(rate, from, now));
    }
    value_object_set(arena, &object, STR("lifetime"), rate_of(rate, &start, now));
    return object;
}

struct value flow_json(const struct flow *flow, struct arena *arena, const struct metric_page *page,
                       size_t pipeline, uint64_t now_ms)
{
    enum { PER_SECOND = 1000, PERCENT = 100 };
    struct rate rates[] = {
        {"input_throughput", FLOW_IN, PER_SECOND},
        {"filter_throughput", FLOW_FILTERED, PER_SECOND},
        {"output_throughput", FLOW_OUT, PER_SECOND},
        {"queue_backpressure", FLOW_WAIT_MS, 1},
        {"worker_concurrency", FLOW_BUSY_MS, 1},
        {"worker_utilization", FLOW_BUSY_MS, PERCENT},
    };
    size_t count = sizeof rates / sizeof *rates - (pipeline == SIZE_MAX);
    const struct flow_pipeline *known = &flow->pipelines[0];
    if (pipeline != SIZE_MAX) {
        const struct metric_pipeline *of = &page->pipelines[pipeline];
        uint64_t workers = metric_get(&of->values, metric_workers);
        known = find(flow, of->id);
        rates[count - 1].factor /= workers > 0 ? (double)workers : 1;
    }
    struct sample now = take(page, pipeline, now_ms);
    struct value object = value_object_new(arena, 0);
    for (size_t i = 0; i < count; i++)
        value_object_set(arena, &object, str_from(rates[i].name),
                         rate_json(flow, arena, known, &rates[i], &now));
    return object;
}
