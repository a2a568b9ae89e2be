/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream owns its current batch, its codec, and the receipts of what it handed over, in order. It is freed when it is
 * closed and its last receipt is home.
 */
#include "pipeline/engine/stream.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/engine/batch.h"
#include "pipeline/engine/budget.h"
#include "pipeline/engine/engine.h"
#include "pipeline/engine/instance.h"
#include "pipeline/engine/intake.h"
#include "pipeline/event/origin.h"
#include "pipeline/program/program.h"

enum {
    STREAM_REUSE_BYTES = 4096, /* a rest of the last buffer this large is offered again */
    STREAM_LEASE_BYTES =
        256 * 1024, /* of input, that stream_read_room asks the budget for at once */
    EXPANSION =
        3, /* so many times its size input is expected to take, with its events and encoded forms */
};

struct stream {
    struct event_sink sink; /* first; the codec emits into it */
    struct engine *engine;
    struct lane *lane;
    struct instance *input; /* of this lane */
    struct plugin_env env;  /* the input's, for this stream's lane and with an arena of its own */
    struct arena arena;     /* the codec */
    struct origin *origin;
    void (*decorate)(struct origin *origin, struct event *event);
    void (*complete)(struct origin *origin, struct event *event);
    struct codec_instance codec;
    struct batch *batch;
    size_t batch_bytes; /* decoded into the current batch */
    char *buffer, *buffer_end;
    struct receipt *receipts, *last_receipt; /* out, or home behind one that is out */
    size_t in_flight;
    uint64_t events_in_flight;
    struct str place;             /* in the batch; ptr NULL: not there yet */
    struct buf place_text;        /* as it was set last */
    struct origin_record *record; /* of what is emitted next; NULL: of none */
    struct budget_lease lease;
    size_t room;          /* bytes of input that may be taken in before the budget is asked again */
    size_t asked;         /* while waiting */
    size_t charged_bytes; /* of the current batch, that the lease became smaller by */
    size_t overdrawn;     /* of these, what there was no lease for */
    bool closed;
    bool broken;  /* an abandoned receipt came home: nothing is acknowledged any more */
    bool telling; /* the origin is being told about receipts */
    bool waiting; /* for a lease, or its grant is on the way */
};

static void give_back_room(struct stream *stream);
static void on_granted(struct inbox_item *item);

/* ---- provenance ----------------------------------------------------------------------------------- */

enum { PLACE_MAX_BYTES = 64 * 1024 };

static void forget_record(struct stream *stream)
{
    stream->record = NULL;
    stream->place = (struct str){0};
}

bool stream_wants_places(const struct stream *stream)
{
    return stream->sink.record;
}

void stream_set_place(struct stream *stream, struct str place, uint64_t position)
{
    stream->sink.position = position;
    if (str_equal(buf_str(&stream->place_text), place))
        return;
    stream->place_text.len = 0;
    stream->place = (struct str){0};
    if (!buf_append_str(&stream->place_text, place))
        stream->place_text.len = 0;
}

static void begin_record(struct event_sink *sink, struct str raw, uint64_t position)
{
    struct stream *stream = (struct stream *)sink;
    struct arena *arena = stream->sink.arena;
    if (!stream->place.ptr)
        stream->place = arena_dup(arena, buf_str(&stream->place_text));
    stream->record = origin_record_new(arena, raw, stream->place, position);
}

void stream_begin_record(struct stream *stream, struct str raw)
{
    (void)stream_arena(stream); /* the sink has it */
    if (stream_wants_places(stream))
        begin_record(&stream->sink, raw, stream->sink.position);
}

/* Of a stream that is cut anywhere, or where a record began earlier, the codec says what came of which bytes. */
static void begin_whole_record(struct stream *stream, struct str bytes)
{
    stream->record = NULL;
    if (stream_wants_places(stream) && !stream->env.stream && stream_codec_pending(stream) == 0)
        stream_begin_record(stream, bytes);
}

/* ---- opening and closing ------------------------------------------------------------------------------ */

static void emit_from_codec(struct event_sink *sink, struct event *event)
{
    struct stream *stream = (struct stream *)sink;
    if (stream->decorate)
        stream->decorate(stream->origin, event);
    stream_emit(stream, event);
}

struct stream *stream_open(const struct stream_options *options, struct error *err)
{
    struct stream *stream = mem_zero(1, sizeof *stream);
    stream->lane = options->lane ? options->lane : options->env->lane;
    stream->engine = lane_engine(stream->lane);
    stream->input = instance_of(options->env)->on_lanes[lane_index(stream->lane)];
    stream->origin = options->origin;
    stream->decorate = options->decorate;
    stream->complete = options->complete;
    stream->sink.emit = emit_from_codec;
    if (engine_keeps_provenance(stream->engine))
        stream->sink.record = begin_record;
    buf_init(&stream->place_text, PLACE_MAX_BYTES);
    arena_init_frugal(&stream->arena, NULL); /* there may be thousands of connections */
    budget_lease_init(&stream->lease, engine_share(stream->engine), stream->lane, on_granted);
    stream->env = *options->env;
    stream->env.host = stream->input; /* what the codec counts is counted on this lane */
    stream->env.primary = false;
    stream->env.lane = stream->lane;
    stream->env.loop = lane_loop(stream->lane);
    stream->env.json = lane_json(stream->lane);
    stream->env.regex = lane_regex(stream->lane);
    stream->env.arena = &stream->arena;
    stream->env.stream = options->line_based;
    if (codec_open(&stream->env, options->codec, options->codec_default, options->line_based,
                   &stream->codec, err))
        return stream;
    buf_release(&stream->place_text);
    arena_release(&stream->arena);
    mem_free(stream);
    return NULL;
}

static void free_if_over(struct stream *stream)
{
    if (!stream->closed || stream->receipts || stream->telling || stream->waiting)
        return;
    assert(stream->in_flight == 0 && stream->events_in_flight == 0 && stream->lease.bytes == 0);
    buf_release(&stream->place_text);
    arena_release(&stream->arena);
    mem_free(stream);
}

/* ---- waiting for memory --------------------------------------------------------------------------- */

/* The budget has granted what was waited for. */
static void on_granted(struct inbox_item *item)
{
    struct stream *stream =
        (struct stream *)(void *)((char *)item - offsetof(struct stream, lease));
    budget_lease_arrived(&stream->lease);
    stream->waiting = false;
    if (stream->closed || stream->asked == 0) {
        give_back_room(stream);
        free_if_over(stream);
        return;
    }
    stream->room = stream->asked;
    stream->origin->resume(stream->origin);
}

static bool ask(struct stream *stream, size_t bytes)
{
    assert(stream->origin->resume && bytes <= SIZE_MAX / EXPANSION);
    if (stream->waiting) {
        if (stream->asked ==
            0) /* dropped, but the grant is on its way: it comes in time for this */
            stream->asked = bytes;
        return false;
    }
    if (budget_lease_get(&stream->lease, bytes * EXPANSION)) {
        stream->room = bytes;
        return true;
    }
    stream->asked = bytes;
    stream->waiting = true;
    return false;
}

bool stream_admit(struct stream *stream, size_t bytes)
{
    return stream->room >= bytes || ask(stream, bytes);
}

static void give_back_room(struct stream *stream)
{
    budget_lease_give_back(&stream->lease, stream->lease.bytes);
    stream->room = 0;
}

/* What has arrived is charged as the batch's own: the lease becomes smaller by as much (budget.h, 6). */
static void shrink_lease(struct stream *stream)
{
    size_t total = stream->batch->arena.total_bytes;
    assert(total >= stream->charged_bytes);
    size_t grown = total - stream->charged_bytes;
    if (grown == 0)
        return;
    stream->charged_bytes = total;
    size_t leased = grown < stream->lease.bytes ? grown : stream->lease.bytes;
    stream->overdrawn += grown - leased;
    assert(stream->overdrawn <= stream->charged_bytes);
    budget_lease_give_back(&stream->lease, leased);
}

static void drop_batch(struct stream *stream)
{
    if (stream->batch)
        batch_free(stream->batch);
    stream->batch = NULL;
    stream->buffer = stream->buffer_end = NULL;
}

void stream_rest(struct stream *stream)
{
    if (stream_count(stream) == 0)
        drop_batch(stream);
    give_back_room(stream);
}

void stream_drop(struct stream *stream)
{
    drop_batch(stream);
    give_back_room(stream);
    stream->asked = 0;
    if (stream->waiting && budget_lease_cancel(&stream->lease))
        stream->waiting = false;
}

/* ---- filling -------------------------------------------------------------------------------------- */

static struct batch *current(struct stream *stream)
{
    if (!stream->batch) {
        stream->batch = batch_new(stream->engine);
        stream->batch->input = stream->input->plugin;
        stream->sink.arena = &stream->batch->arena;
        stream->batch_bytes = stream->charged_bytes = stream->overdrawn = 0;
        stream->buffer = stream->buffer_end = NULL;
        forget_record(stream);
    }
    return stream->batch;
}

struct account *stream_account(struct stream *stream)
{
    return engine_account(stream->engine, BUDGET_RECEIVE);
}

size_t stream_held_bytes(const struct stream *stream)
{
    return stream->lease.bytes + (stream->batch ? stream->batch->arena.total_bytes : 0);
}

size_t stream_overdrawn_bytes(const struct stream *stream)
{
    return stream->batch ? stream->overdrawn : 0;
}

struct arena *stream_arena(struct stream *stream)
{
    return &current(stream)->arena;
}

char *stream_buffer(struct stream *stream, size_t want, size_t *got_out)
{
    struct batch *batch = current(stream);
    size_t left = (size_t)(stream->buffer_end - stream->buffer);
    if (left < want && left < STREAM_REUSE_BYTES) {
        stream->buffer = arena_bytes(&batch->arena, want);
        stream->buffer_end = stream->buffer + want;
        left = want;
    }
    *got_out = left;
    return stream->buffer;
}

char *stream_read_room(struct stream *stream, size_t want, size_t *got_out)
{
    size_t lease = want > STREAM_LEASE_BYTES ? want : STREAM_LEASE_BYTES;
    if (stream->room > 0 || ask(stream, lease))
        return stream_buffer(stream, want, got_out);
    if (stream_count(stream) == 0)
        drop_batch(stream); /* it may hold the bytes of a line that is not complete */
    return NULL;
}

void stream_buffer_used(struct stream *stream, size_t bytes)
{
    assert(bytes <= (size_t)(stream->buffer_end - stream->buffer));
    stream->buffer += bytes;
}

void stream_decode(struct stream *stream, struct str bytes)
{
    struct batch *batch = current(stream);
    if (bytes.ptr == stream->buffer)
        stream_buffer_used(stream, bytes.len);
    stream->batch_bytes += bytes.len;
    stream->room -= bytes.len < stream->room ? bytes.len : stream->room;
    stream->sink.arena = &batch->arena;
    begin_whole_record(stream, bytes);
    stream->codec.codec->decode(stream->codec.self, bytes, &stream->sink);
    shrink_lease(stream);
}

void stream_flush_codec(struct stream *stream)
{
    current(stream);
    stream->record = NULL;
    if (stream->codec.codec->flush)
        stream->codec.codec->flush(stream->codec.self, &stream->sink);
}

size_t stream_codec_pending(const struct stream *stream)
{
    const struct codec *codec = stream->codec.codec;
    return codec->pending ? codec->pending(stream->codec.self) : 0;
}

struct codec_instance *stream_codec(struct stream *stream)
{
    return &stream->codec;
}

void stream_emit(struct stream *stream, struct event *event)
{
    common_options_decorate_input(&stream->input->plugin->common, event);
    if (stream->complete)
        stream->complete(stream->origin, event);
    batch_add(current(stream), event);
    event_set_record(event, stream->record);
    shrink_lease(stream);
}

size_t stream_count(const struct stream *stream)
{
    return stream->batch ? stream->batch->count : 0;
}

bool stream_full(const struct stream *stream)
{
    if (!stream->batch)
        return false;
    return stream->batch->count >= engine_batch_events(stream->engine) ||
           stream->batch_bytes >= BATCH_MAX_BYTES ||
           stream->batch->arena.total_bytes >= 4 * (size_t)BATCH_MAX_BYTES;
}

/* ---- handing over, and coming home ------------------------------------------------------------------ */

/* Takes the receipts that are home and not behind one that is still out. */
static bool take_receipts(struct stream *stream, uint64_t *token_out)
{
    bool moved = false;
    while (stream->receipts && stream->receipts->is_home) {
        struct receipt *first = stream->receipts;
        stream->receipts = first->next;
        stream->broken |= receipt_outcome(first) == RECEIPT_ABANDONED;
        if (!stream->broken) {
            *token_out = first->token;
            moved = true;
        }
        assert(stream->in_flight > 0 && stream->events_in_flight >= first->events);
        stream->in_flight--;
        stream->events_in_flight -= first->events;
        size_t events = first->events;
        engine_latency_end(stream->engine, first->handed_over_ms, uv_now(lane_loop(stream->lane)),
                           events);
        receipt_free(first);
        engine_receipt_settled(stream->engine, events);
    }
    if (!stream->receipts)
        stream->last_receipt = NULL;
    return moved;
}

/* The origin may close the stream from inside. */
static void tell_origin(struct stream *stream, bool moved, uint64_t token, bool broke)
{
    if (moved && !stream->closed)
        stream->origin->acked(stream->origin, token);
    if (broke && !stream->closed && stream->origin->abandoned)
        stream->origin->abandoned(stream->origin);
}

static void come_home(struct inbox_item *item)
{
    struct receipt *receipt = (struct receipt *)item;
    struct stream *stream = receipt->stream;
    bool was_broken = stream->broken;
    uint64_t token = 0;
    assert(!receipt->is_home && !stream->telling);
    receipt->is_home = stream->telling = true;
    bool moved = take_receipts(stream, &token);
    tell_origin(stream, moved, token, stream->broken && !was_broken);
    stream->telling = false;
    free_if_over(stream);
}

static struct receipt *add_receipt(struct stream *stream, uint64_t token, size_t events)
{
    struct receipt *receipt = receipt_new(stream, stream->lane, come_home);
    assert(!stream->last_receipt || stream->last_receipt->token <= token);
    receipt->token = token;
    receipt->events = (uint32_t)events;
    receipt->handed_over_ms = uv_now(lane_loop(stream->lane));
    *(stream->last_receipt ? &stream->last_receipt->next : &stream->receipts) = receipt;
    stream->last_receipt = receipt;
    stream->in_flight++;
    stream->events_in_flight += events;
    engine_receipt_out(stream->engine, events);
    engine_latency_begin(stream->engine, receipt->handed_over_ms);
    return receipt;
}

void stream_hand_over(struct stream *stream, uint64_t token)
{
    assert(!stream->closed);
    struct receipt *receipt = add_receipt(stream, token, stream_count(stream));
    give_back_room(stream);
    struct batch *batch = stream->batch;
    stream->batch = NULL;
    stream->buffer = stream->buffer_end = NULL;
    if (!batch || batch->count == 0) {
        if (batch)
            batch_free(batch); /* it may hold the bytes of a line that is not complete */
        receipt_release(receipt, 1, RECEIPT_DELIVERED);
        return;
    }
    batch->receipt = receipt;
    counter_add(stream->input->events_out, batch->count);
    engine_hand_over(stream->engine, stream->lane, batch);
}

size_t stream_in_flight(const struct stream *stream)
{
    return stream->in_flight;
}

uint64_t stream_events_in_flight(const struct stream *stream)
{
    return stream->events_in_flight;
}

uint64_t stream_oldest_ms(const struct stream *stream)
{
    return stream->receipts ? stream->receipts->handed_over_ms : 0;
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    assert(!stream->closed);
    stream_drop(stream);
    codec_close(&stream->codec);
    stream->closed = true;
    free_if_over(stream);
}
