/* SPDX-License-Identifier: Apache-2.0
 *
 * An input with a stream on each lane, as one that listens has. Each stream hands over the world's batches at once; what it
 * decodes on the way is counted by its codec.
 */
#include <check.h>

#include "base/mem.h"
#include "pipeline/engine/lane.h"
#include "pipeline/engine/stream.h"
#include "tests/unit/pipeline/fake_plugins.h"

struct spread_feed;

/* The part on one lane. */
struct spread_part {
    struct origin origin;                      /* first */
    struct inbox_item begin, begun, end, over; /* to the lane and back */
    struct spread_feed *feed;
    struct lane *lane;
    struct stream *stream;
    uint64_t last_token;
};

struct spread_feed {
    const struct plugin_env *env;
    struct spread_part *parts;
    size_t count, begun, over;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static const struct option NO_OPTIONS[] = {OPTION_END};

#define PART_OF(item, member)                                                                      \
    ((struct spread_part *)(void *)((char *)(item)-offsetof(struct spread_part, member)))

static void spread_acked(struct origin *origin, uint64_t token)
{
    struct spread_part *part = (struct spread_part *)origin;
    struct fake_world *world = fake_plugins_world();
    ck_assert_uint_gt(token, part->last_token);
    atomic_fetch_add(&world->spread_acked, (unsigned)(token - part->last_token));
    part->last_token = token;
}

static void on_begun(struct inbox_item *item)
{
    struct spread_feed *feed = PART_OF(item, begun)->feed;
    if (++feed->begun == feed->count)
        input_finished(feed->env);
}

static void on_begin(struct inbox_item *item)
{
    struct spread_part *part = PART_OF(item, begin);
    const struct fake_world *world = fake_plugins_world();
    struct error err;
    struct stream_options options = {.env = part->feed->env,
                                     .lane = part->lane,
                                     .origin = &part->origin,
                                     .codec_default = "raw"};
    part->stream = stream_open(&options, &err);
    for (unsigned batch = 1; batch <= world->batches; batch++) {
        for (unsigned i = 0; i < world->batch_events; i++) {
            stream_decode(part->stream, STR("x"));
            stream_emit(part->stream, fake_event(stream_arena(part->stream), i));
        }
        stream_hand_over(part->stream, batch);
    }
    lane_post(part->feed->env->lane, &part->begun);
}

static void on_over(struct inbox_item *item)
{
    struct spread_feed *feed = PART_OF(item, over)->feed;
    if (++feed->over < feed->count)
        return;
    mem_free(feed->parts);
    feed->closed(feed->closed_ctx);
}

static void on_end(struct inbox_item *item)
{
    struct spread_part *part = PART_OF(item, end);
    stream_close(part->stream);
    lane_post(part->feed->env->lane, &part->over);
}

static bool spread_open(void *self, const struct plugin_env *env, struct error *err)
{
    (void)err;
    ((struct spread_feed *)self)->env = env;
    return true;
}

static bool spread_start(void *self, struct error *err)
{
    struct spread_feed *feed = self;
    (void)err;
    feed->count = engine_lane_count(feed->env->engine);
    feed->parts = mem_zero(feed->count, sizeof *feed->parts);
    for (size_t i = 0; i < feed->count; i++) {
        struct spread_part *part = &feed->parts[i];
        part->origin.acked = spread_acked;
        part->feed = feed;
        part->lane = engine_lane(feed->env->engine, i);
        part->begin.run = on_begin;
        part->begun.run = on_begun;
        part->end.run = on_end;
        part->over.run = on_over;
        lane_post(part->lane, &part->begin);
    }
    return true;
}

static void spread_stop(void *self)
{
    (void)self; /* it finishes by itself */
}

static void spread_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct spread_feed *feed = self;
    feed->closed = closed;
    feed->closed_ctx = ctx;
    for (size_t i = 0; i < feed->count; i++)
        lane_post(feed->parts[i].lane, &feed->parts[i].end);
}

const struct input fake_spread_feed = {
    .plugin = {.name = "spread_feed", .options = NO_OPTIONS, .size = sizeof(struct spread_feed)},
    .open = spread_open,
    .start = spread_start,
    .stop = spread_stop,
    .close = spread_close,
};
