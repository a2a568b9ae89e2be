/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/queue_intake.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "pipeline/delivery/disk_queue.h"
#include "pipeline/delivery/queue_record.h"
#include "pipeline/engine/engine_private.h"
#include "pipeline/engine/pick_lane.h"
#include "pipeline/program/program.h"

enum {
    RECORD_BYTES = 1024 * 1024, /* a record is cut when it is as large */
    AHEAD_SHARE = 8, /* of the memory budget: bytes of records that are under way again */
    AHEAD_EACH_LANE = 8,
    PARCEL_FIRST_BYTES = 1024 * 1024,
};

struct queue_intake {
    struct engine *engine;
    struct disk_queue *queue;
    atomic_size_t next_lane; /* where to begin to look for one */
};

/* ---- putting -------------------------------------------------------------------------------------- */

static void end_record(struct queue_record_writer *writer, struct queue_parcel *parcel)
{
    uint32_t count = writer->count;
    queue_parcel_add(parcel, queue_record_end(writer), count);
}

static bool begin_record(struct queue_record_writer *writer, struct buf *out,
                         struct event_shape shapes[EVENT_SHAPES_NOTED])
{
    bool fits = queue_record_begin(writer, out);
    memset(shapes, 0, EVENT_SHAPES_NOTED * sizeof *shapes);
    writer->events.shapes = shapes;
    return fits;
}

/* Events are far smaller than what a parcel and a record may be: the engine's max_event_bytes sees to it. */
static void encode(const struct batch *batch, struct queue_parcel *parcel)
{
    struct queue_record_writer writer;
    struct event_shape shapes[EVENT_SHAPES_NOTED];
    bool fits = begin_record(&writer, &parcel->bytes, shapes);
    for (size_t i = 0; fits && i < batch->count; i++) {
        if (parcel->bytes.len - writer.begin >= RECORD_BYTES) {
            end_record(&writer, parcel);
            fits = begin_record(&writer, &parcel->bytes, shapes);
        }
        fits = fits && queue_record_add(&writer, batch->events[i]);
    }
    if (!fits)
        mem_abort("a batch is larger than the disk queue can take");
    end_record(&writer, parcel);
}

void queue_intake_put(struct queue_intake *intake, struct batch *batch)
{
    struct account *account = engine_account(intake->engine, BUDGET_SPOOL);
    struct queue_parcel *parcel = queue_parcel_new(account, batch->receipt);
    size_t guess = batch->arena.total_bytes;
    assert(batch->count > 0);
    (void)buf_reserve(&parcel->bytes, guess < PARCEL_FIRST_BYTES ? guess : PARCEL_FIRST_BYTES);
    encode(batch, parcel);
    buf_trim(&parcel->bytes);
    if (parcel->count == 1 && disk_queue_may_pass(intake->queue))
        parcel->batch = batch;
    else
        batch_free(batch);
    disk_queue_put(intake->queue, parcel);
}

/* ---- what comes back: the queue's reader ----------------------------------------------------------- */

static struct arena *begin(void *ctx, struct queue_reading *reading)
{
    struct queue_intake *intake = ctx;
    struct batch *batch = batch_new(intake->engine);
    reading->batch = batch;
    return &batch->arena;
}

/* Its receipt is home: marked as done when everybody has the events. Any lane. */
static void settle(struct inbox_item *item)
{
    struct receipt *receipt = (struct receipt *)item;
    struct queue_intake *intake = receipt->intake;
    struct engine *engine = intake->engine;
    receipt->is_home = true;
    disk_queue_done(intake->queue, receipt->reading, receipt_outcome(receipt) == RECEIPT_DELIVERED);
    receipt_free(receipt);
    engine_receipt_settled(engine, 0);
}

static void decode_record(struct queue_intake *intake, struct batch *batch,
                          const struct queue_read_record *read)
{
    struct queue_record record;
    bool whole = queue_record_read(read->bytes, &record);
    if (whole) {
        const unsigned char *at = (const unsigned char *)record.events.ptr;
        struct event_reader events = {.at = at,
                                      .end = at + record.events.len,
                                      .arena = &batch->arena,
                                      .json = lane_json(batch->lane)};
        for (uint32_t i = 0; whole && i < record.count; i++) {
            struct event *event = event_read(&events);
            whole = event != NULL;
            if (whole)
                batch_add(batch, event);
        }
    }
    if (!whole)
        disk_queue_keep_apart(intake->queue, read->at, read->bytes);
}

static void run_batch(struct inbox_item *item)
{
    struct batch *batch = (struct batch *)item;
    struct lane *lane = batch->lane;
    struct receipt *receipt = batch->receipt;
    const struct queue_reading *reading = receipt->reading;
    for (size_t i = 0; i < reading->count; i++)
        if (reading->records[i].bytes.len > 0) /* else it came as it is */
            decode_record(receipt->intake, batch, &reading->records[i]);
    if (batch->count > 0) {
        lane_run_batch(lane, batch);
        return;
    }
    batch_free(batch);
    receipt_release(receipt, 1, RECEIPT_DELIVERED);
    lane_batch_is_done(lane);
}

static void arrived(void *ctx, struct queue_reading *reading)
{
    struct queue_intake *intake = ctx;
    struct engine *engine = intake->engine;
    struct batch *batch = reading->batch;
    struct lane *lane = engine_lane_from_outside(engine, atomic_fetch_add(&intake->next_lane, 1));
    struct receipt *receipt = receipt_new(NULL, lane, settle);
    receipt->intake = intake;
    receipt->reading = reading;
    receipt->events = (uint32_t)reading->events;
    receipt->handed_over_ms = uv_hrtime() / 1000000;
    engine_receipt_out(engine, 0); /* its origin has nothing to wait for any more */
    batch->receipt = receipt;
    engine_post_batch(lane, batch, run_batch);
}

static void unpassed(void *ctx, void *batch)
{
    (void)ctx;
    batch_free(batch);
}

static void changed(void *ctx)
{
    struct queue_intake *intake = ctx;
    if (atomic_load(&intake->engine->draining))
        uv_async_send(&intake->engine->drained);
}

/* ---- beginning and end ----------------------------------------------------------------------------- */

struct queue_intake *queue_intake_open(struct engine *engine,
                                       const struct disk_queue_options *options, struct error *err)
{
    struct disk_queue *queue = disk_queue_open(options, err);
    if (!queue)
        return NULL;
    struct queue_intake *intake = mem_zero(1, sizeof *intake);
    intake->engine = engine;
    intake->queue = queue;
    return intake;
}

bool queue_intake_start(struct queue_intake *intake, struct error *err)
{
    struct engine *engine = intake->engine;
    size_t shares = engine->options.budget->share_count;
    struct disk_queue_user user = {
        .ctx = intake,
        .batch_events = engine->options.batch_events,
        .batch_bytes = BATCH_MAX_BYTES,
        .ahead_bytes = engine_memory_bytes(engine) / AHEAD_SHARE / (shares > 0 ? shares : 1),
        .ahead_readings = (engine->lane_count + 1) * AHEAD_EACH_LANE,
        .gives_again = true,
        .begin = begin,
        .arrived = arrived,
        .unpassed = unpassed,
        .changed = changed,
    };
    return disk_queue_start(intake->queue, &user, err);
}

void queue_intake_end(struct queue_intake *intake, bool drain)
{
    if (intake && !drain)
        disk_queue_stop_reading(intake->queue);
}

bool queue_intake_is_drained(struct queue_intake *intake)
{
    return !intake || disk_queue_is_drained(intake->queue);
}

bool queue_intake_has_room(struct queue_intake *intake)
{
    struct disk_queue_figures figures;
    disk_queue_figures(intake->queue, &figures);
    return figures.waiting_bytes < BATCH_MAX_BYTES;
}

void queue_intake_stop(struct queue_intake *intake)
{
    if (intake)
        disk_queue_stop(intake->queue);
}

void queue_intake_free(struct queue_intake *intake)
{
    if (!intake)
        return;
    disk_queue_stop(intake->queue);
    disk_queue_close(intake->queue);
    mem_free(intake);
}

struct disk_queue *queue_intake_queue(struct queue_intake *intake)
{
    return intake->queue;
}
