/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/inflater.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <zlib.h>

#include "base/mem.h"
#include "io/whole_zlib.h"

enum {
    COLLECTED_MAX_BYTES = 512 * 1024,    /* a frame that is inflated at once, as sent */
    AT_ONCE_MAX_BYTES = 4 * 1024 * 1024, /* and inflated */
    FIRST_ROOM_BYTES = 64 * 1024,
    RATIO = 16 /* the first guess at what a frame inflates to */
};

struct lumberjack_inflaters {
    struct whole_zlib *whole;
    struct lumberjack_inflater *spare; /* zlib's state is kept for the next one; NULL: none */
    size_t max_bytes, reserved;        /* by frames that are collected and inflated at once */
};

struct lumberjack_inflater {
    struct lumberjack_inflaters *shared;
    z_stream zlib;
    bool zlib_is_ready; /* it was initialised, maybe for a frame before */
    bool in_steps;      /* and is at work on this one */
    struct account *charged;
    size_t input_left;  /* bytes of the frame not taken yet */
    size_t total_bytes; /* inflated so far */
    struct str waiting; /* what was inflated and not read yet */
    bool ended;         /* the end of the stream was there, with the right checksum */
    bool output_full;   /* zlib may have more without input */

    bool collects;    /* until all of the frame is there */
    struct buf input; /* what was collected */
    size_t input_at;  /* inflated of it */
    size_t inflated_max;
    size_t reserved;
    char *whole; /* inflated at once; NULL: not */
    size_t whole_room;
    char output[LUMBERJACK_INFLATE_STEP_BYTES];
};

enum { CHARGED_BYTES = sizeof(struct lumberjack_inflater) + LUMBERJACK_ZLIB_BYTES };

/* ---- what a lane shares ---- */

struct lumberjack_inflaters *lumberjack_inflaters_new(size_t max_bytes)
{
    struct lumberjack_inflaters *shared = mem_zero(1, sizeof *shared);
    shared->max_bytes = max_bytes;
    shared->whole = whole_zlib_new();
    return shared;
}

static void destroy(struct lumberjack_inflater *inflater)
{
    if (inflater && inflater->zlib_is_ready)
        inflateEnd(&inflater->zlib);
    mem_free(inflater);
}

void lumberjack_inflaters_free(struct lumberjack_inflaters *shared)
{
    if (!shared)
        return;
    assert(shared->reserved == 0);
    destroy(shared->spare);
    whole_zlib_free(shared->whole);
    mem_free(shared);
}

static void reserve(struct lumberjack_inflater *inflater, size_t bytes)
{
    inflater->reserved += bytes;
    inflater->shared->reserved += bytes;
    assert(inflater->shared->reserved <= inflater->shared->max_bytes);
}

static void give_back(struct lumberjack_inflater *inflater, size_t bytes)
{
    assert(bytes <= inflater->reserved && bytes <= inflater->shared->reserved);
    inflater->reserved -= bytes;
    inflater->shared->reserved -= bytes;
}

/* ---- one frame ---- */

static struct lumberjack_inflater *take_spare(struct lumberjack_inflaters *shared)
{
    struct lumberjack_inflater *inflater = shared ? shared->spare : NULL;
    if (inflater)
        shared->spare = NULL;
    else
        inflater = mem_zero(1, sizeof *inflater);
    return inflater;
}

struct lumberjack_inflater *inflater_new(struct lumberjack_inflaters *shared,
                                         size_t compressed_bytes, size_t inflated_max,
                                         struct account *charged)
{
    struct lumberjack_inflater *inflater = take_spare(shared);
    inflater->shared = shared;
    inflater->charged = charged;
    inflater->input_left = compressed_bytes;
    inflater->inflated_max = inflated_max;
    inflater->total_bytes = inflater->input_at = inflater->reserved = 0;
    inflater->waiting = (struct str){0};
    inflater->ended = inflater->output_full = inflater->in_steps = false;
    buf_init(&inflater->input, compressed_bytes);
    inflater->input.charged = charged;
    inflater->input.expected = compressed_bytes;
    inflater->collects = shared && compressed_bytes <= COLLECTED_MAX_BYTES &&
                         shared->reserved + compressed_bytes <= shared->max_bytes;
    if (inflater->collects)
        reserve(inflater, compressed_bytes);
    account_charge(charged, CHARGED_BYTES);
    return inflater;
}

static void release_whole(struct lumberjack_inflater *inflater)
{
    if (!inflater->whole)
        return;
    mem_free(inflater->whole);
    account_return(inflater->charged, inflater->whole_room);
    give_back(inflater, inflater->whole_room);
    inflater->whole = NULL;
}

void inflater_free(struct lumberjack_inflater *inflater)
{
    if (!inflater)
        return;
    release_whole(inflater);
    buf_release(&inflater->input);
    account_return(inflater->charged, CHARGED_BYTES);
    if (inflater->shared)
        give_back(inflater, inflater->reserved);
    if (inflater->shared && !inflater->shared->spare)
        inflater->shared->spare = inflater;
    else
        destroy(inflater);
}

size_t inflater_held_bytes(const struct lumberjack_inflater *inflater)
{
    return CHARGED_BYTES + inflater->input.capacity + (inflater->whole ? inflater->whole_room : 0);
}

/* ---- at once ---- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static enum whole_zlib_result inflate_into(struct lumberjack_inflater *inflater, size_t room)
{
    size_t len;
    release_whole(inflater);
    reserve(inflater, room);
    account_charge(inflater->charged, room);
    inflater->whole = mem_alloc(room);
    inflater->whole_room = room;
    enum whole_zlib_result result = whole_zlib_inflate(
        inflater->shared->whole, buf_str(&inflater->input), inflater->whole, room, &len);
    if (result == WHOLE_ZLIB_GOOD)
        inflater->waiting = str_make(inflater->whole, len);
    return result;
}

/* Gives back the room that was not needed. */
static void keep_only(struct lumberjack_inflater *inflater, size_t len)
{
    size_t spare = inflater->whole_room - len;
    if (len == 0 || spare == 0)
        return;
    inflater->whole = mem_realloc(inflater->whole, len);
    inflater->waiting.ptr = inflater->whole;
    inflater->whole_room = len;
    account_return(inflater->charged, spare);
    give_back(inflater, spare);
}

/* All of the frame is there. When it is not simply good, or too much, zlib goes through what was collected. */
static void inflate_whole(struct lumberjack_inflater *inflater)
{
    size_t most =
        smaller(AT_ONCE_MAX_BYTES, inflater->shared->max_bytes - inflater->shared->reserved);
    size_t room = inflater->input.len * RATIO;
    enum whole_zlib_result result = WHOLE_ZLIB_NO_ROOM;
    most = smaller(most, inflater->inflated_max);
    for (room = room > FIRST_ROOM_BYTES ? room : FIRST_ROOM_BYTES;
         result == WHOLE_ZLIB_NO_ROOM && room < most; room *= 2)
        result = inflate_into(inflater, room);
    if (result == WHOLE_ZLIB_NO_ROOM && most > 0)
        result = inflate_into(inflater, most);
    if (result != WHOLE_ZLIB_GOOD) {
        release_whole(inflater);
        return;
    }
    keep_only(inflater, inflater->waiting.len);
    inflater->ended = true;
    inflater->total_bytes = inflater->waiting.len;
    inflater->input_at = 0;
    buf_release(&inflater->input);
}

/* ---- in steps ---- */

static void prepare_zlib(struct lumberjack_inflater *inflater)
{
    if (inflater->zlib_is_ready)
        (void)inflateReset(&inflater->zlib);
    else if (inflateInit(&inflater->zlib) != Z_OK)
        mem_abort("out of memory for zlib");
    inflater->zlib_is_ready = inflater->in_steps = true;
}

/* One call of zlib: from `bytes` into the empty output. */
static bool inflate_step(struct lumberjack_inflater *inflater, struct str bytes, size_t *taken_out,
                         struct error *err)
{
    z_stream *zlib = &inflater->zlib;
    assert(inflater->waiting.len == 0 && !inflater->ended && !inflater->whole);
    if (!inflater->in_steps)
        prepare_zlib(inflater);
    uInt given = bytes.len > UINT_MAX ? UINT_MAX : (uInt)bytes.len;
    zlib->next_in = (z_const Bytef *)(uintptr_t)bytes.ptr;
    zlib->avail_in = given;
    zlib->next_out = (Bytef *)inflater->output;
    zlib->avail_out = sizeof inflater->output;
    int result = inflate(zlib, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR)
        mem_abort("out of memory for zlib");
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        return error_set(err, ERROR_PROTOCOL, "a compressed frame is not a zlib stream: %s",
                         zlib->msg ? zlib->msg : "it asks for a dictionary");
    inflater->ended = result == Z_STREAM_END;
    inflater->output_full = !inflater->ended && zlib->avail_out == 0;
    inflater->waiting = str_make(inflater->output, sizeof inflater->output - zlib->avail_out);
    inflater->total_bytes += inflater->waiting.len;
    *taken_out = given - zlib->avail_in;
    return true;
}

/* Of what was collected, as long as there is something of it. */
static bool advance(struct lumberjack_inflater *inflater, struct str bytes, size_t *taken_out,
                    struct error *err)
{
    bool is_own = inflater->input_at < inflater->input.len;
    struct str from =
        is_own ? str_from_offset(buf_str(&inflater->input), inflater->input_at) : bytes;
    size_t taken = from.len; /* what follows the end of the stream is skipped */
    if (!inflater->ended && !inflate_step(inflater, from, &taken, err))
        return false;
    if (is_own) {
        inflater->input_at += taken;
    } else {
        assert(taken <= inflater->input_left);
        inflater->input_left -= taken;
        *taken_out += taken;
    }
    return true;
}

/* False: not all of the frame is there. */
static bool collect(struct lumberjack_inflater *inflater, struct str *bytes, size_t *taken_out)
{
    bool fits = buf_append_str(&inflater->input, *bytes);
    assert(fits); /* it has room for the frame */
    (void)fits;
    inflater->input_left -= bytes->len;
    *taken_out = bytes->len;
    *bytes = (struct str){0};
    if (inflater->input_left > 0)
        return false;
    inflater->collects = false;
    inflate_whole(inflater);
    return true;
}

bool inflater_step(struct lumberjack_inflater *inflater, struct str bytes, size_t *taken_out,
                   struct str *out, struct error *err)
{
    *taken_out = 0;
    *out = (struct str){0};
    if (bytes.len > inflater->input_left)
        bytes.len = inflater->input_left;
    if (inflater->collects && !collect(inflater, &bytes, taken_out))
        return true;
    if (inflater->waiting.len == 0 && !advance(inflater, bytes, taken_out, err))
        return false;
    *out = inflater->waiting;
    return true;
}

void inflater_read(struct lumberjack_inflater *inflater, size_t count)
{
    assert(count <= inflater->waiting.len);
    inflater->waiting = str_from_offset(inflater->waiting, count);
}

bool inflater_has_pending(const struct lumberjack_inflater *inflater)
{
    return inflater->output_full || inflater->waiting.len > 0 ||
           (!inflater->collects && inflater->input_at < inflater->input.len);
}

bool inflater_at_end(const struct lumberjack_inflater *inflater)
{
    return inflater->input_left == 0 && !inflater_has_pending(inflater);
}

bool inflater_is_whole(const struct lumberjack_inflater *inflater)
{
    return inflater->ended;
}

size_t inflater_left(const struct lumberjack_inflater *inflater)
{
    return inflater->input_left + inflater->input.len - inflater->input_at;
}

size_t inflater_total(const struct lumberjack_inflater *inflater)
{
    return inflater->total_bytes;
}
