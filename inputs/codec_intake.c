/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/codec_intake.h"

#include <assert.h>
#include <string.h>

enum { PIECE_BYTES = 64 * 1024, LULL_MS = 1 };

static struct codec_intake *intake_of(struct origin *origin)
{
    return (struct codec_intake *)(void *)origin;
}

static void hand_over(struct codec_intake *intake)
{
    if (stream_count(intake->stream) == 0)
        return;
    stream_hand_over(intake->stream, ++intake->token);
    if (intake->handed_over)
        intake->handed_over(intake);
}

/* ---- codecs that hold something back until a time has passed ---- */

static void on_flush(void *ctx)
{
    struct codec_intake *intake = ctx;
    stream_flush_codec(intake->stream);
    hand_over(intake);
    stream_rest(intake->stream);
}

static void await_flush(struct codec_intake *intake)
{
    const struct codec_instance *codec = stream_codec(intake->stream);
    unsigned after_ms =
        codec->codec->flush_after_ms ? codec->codec->flush_after_ms(codec->self) : 0;
    if (after_ms == 0)
        return;
    if (!intake->flush)
        intake->flush = loop_timer_new(lane_loop(intake->lane), on_flush, intake);
    loop_timer_start(intake->flush, after_ms);
}

/* ---- decoding ---- */

static void decode(struct codec_intake *intake, struct str bytes)
{
    while (bytes.len > 0) {
        size_t room;
        char *copy = stream_buffer(intake->stream, bytes.len, &room);
        size_t len = bytes.len < room ? bytes.len : room;
        memcpy(copy, bytes.ptr, len);
        stream_decode(intake->stream, str_make(copy, len));
        bytes = str_from_offset(bytes, len);
        if (stream_full(intake->stream))
            hand_over(intake);
    }
}

static void keep(struct codec_intake *intake, struct str bytes)
{
    bool fits = buf_append_str(&intake->kept, bytes);
    assert(fits && !intake->paused);
    (void)fits;
    intake->paused = true;
    byte_stream_read_stop(intake->socket);
    hand_over(intake);
}

/* A read that filled its room may have been the last all the same: then nobody says that nothing follows. */
static void on_lull(void *ctx)
{
    struct codec_intake *intake = ctx;
    if (intake->paused)
        return;
    hand_over(intake);
    stream_rest(intake->stream);
    if (intake->settled)
        intake->settled(intake);
}

static void await_lull(struct codec_intake *intake)
{
    if (!intake->lull)
        intake->lull = loop_timer_new(lane_loop(intake->lane), on_lull, intake);
    loop_timer_start(intake->lull, LULL_MS);
}

static void take(struct codec_intake *intake, struct str bytes, bool more)
{
    if (!stream_admit(intake->stream, bytes.len)) {
        keep(intake, bytes);
        return;
    }
    decode(intake, bytes);
    await_flush(intake);
    if (more) {
        await_lull(intake);
        return;
    }
    hand_over(intake);
    stream_rest(intake->stream);
}

void codec_intake_take(struct codec_intake *intake, struct str bytes, bool more)
{
    assert(!intake->ended && !intake->paused && bytes.len <= PIECE_BYTES);
    take(intake, bytes, more);
    if (intake->settled)
        intake->settled(intake);
}

static void on_resume(struct origin *origin)
{
    struct codec_intake *intake = intake_of(origin);
    if (!intake->paused || intake->ended)
        return;
    intake->paused = false;
    struct buf bytes;
    buf_init(&bytes, CODEC_INTAKE_KEPT_MAX);
    buf_move(&bytes, &intake->kept);
    codec_intake_take(intake, buf_str(&bytes), false);
    buf_release(&bytes);
    if (!intake->paused)
        byte_stream_read_start(intake->socket); /* one that cannot be read says so by itself */
}

static void on_acked(struct origin *origin, uint64_t token)
{
    (void)origin, (void)token; /* the sender expects no word */
}

/* ---- the beginning and the end ---- */

bool codec_intake_open(struct codec_intake *intake, struct lane *lane,
                       struct stream_options *options, struct error *err)
{
    intake->origin = (struct origin){.acked = on_acked, .resume = on_resume};
    intake->lane = lane;
    options->origin = &intake->origin;
    options->lane = lane;
    intake->stream = stream_open(options, err);
    if (!intake->stream)
        return false;
    buf_init(&intake->kept, CODEC_INTAKE_KEPT_MAX);
    intake->kept.charged = stream_account(intake->stream);
    return true;
}

static void close_timers(struct codec_intake *intake)
{
    loop_timer_close(intake->flush);
    loop_timer_close(intake->lull);
    intake->flush = intake->lull = NULL;
}

void codec_intake_end(struct codec_intake *intake)
{
    if (intake->ended || !intake->stream)
        return;
    intake->ended = true;
    close_timers(intake);
    decode(intake, buf_str(&intake->kept)); /* it has arrived: the sender thinks that it is ours */
    buf_release(&intake->kept);
    stream_flush_codec(intake->stream);
    hand_over(intake);
    stream_drop(intake->stream);
}

void codec_intake_close(struct codec_intake *intake)
{
    if (!intake->stream)
        return;
    intake->ended = true;
    close_timers(intake);
    buf_release(&intake->kept);
    stream_close(intake->stream);
    intake->stream = NULL;
}

size_t codec_intake_held_bytes(const struct codec_intake *intake)
{
    if (!intake->stream || intake->ended)
        return 0;
    return stream_held_bytes(intake->stream) + stream_codec_pending(intake->stream) +
           intake->kept.capacity;
}
