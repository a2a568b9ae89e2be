/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/inflater.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>
#include <zlib.h>

#include "base/mem.h"
#include "inputs/beats/lumberjack.h"

struct lumberjack_inflater {
    z_stream zlib;
    struct account *charged;
    size_t input_left;               /* bytes of the frame not taken yet */
    size_t total_bytes;              /* inflated so far */
    size_t waiting_from, waiting_to; /* the part of output that was not read yet */
    bool ended;                      /* zlib saw the end and the right checksum */
    bool output_full;                /* zlib may have more without input */
    char output[LUMBERJACK_INFLATE_STEP_BYTES];
};

enum { CHARGED_BYTES = sizeof(struct lumberjack_inflater) + LUMBERJACK_ZLIB_BYTES };

struct lumberjack_inflater *inflater_new(size_t compressed_bytes, struct account *charged)
{
    struct lumberjack_inflater *inflater = mem_alloc(sizeof *inflater);
    inflater->zlib = (z_stream){0};
    inflater->charged = charged;
    inflater->input_left = compressed_bytes;
    inflater->total_bytes = 0;
    inflater->waiting_from = inflater->waiting_to = 0;
    inflater->ended = inflater->output_full = false;
    if (inflateInit(&inflater->zlib) != Z_OK)
        mem_abort("out of memory for zlib");
    account_charge(charged, CHARGED_BYTES);
    return inflater;
}

void inflater_free(struct lumberjack_inflater *inflater)
{
    if (!inflater)
        return;
    inflateEnd(&inflater->zlib);
    account_return(inflater->charged, CHARGED_BYTES);
    mem_free(inflater);
}

size_t inflater_held_bytes(void)
{
    return CHARGED_BYTES;
}

static struct str waiting(const struct lumberjack_inflater *inflater)
{
    return str_make(inflater->output + inflater->waiting_from,
                    inflater->waiting_to - inflater->waiting_from);
}

/* One call of zlib: from `bytes` into the empty output. */
static bool inflate_step(struct lumberjack_inflater *inflater, struct str bytes, size_t *taken_out,
                         struct error *err)
{
    z_stream *zlib = &inflater->zlib;
    assert(inflater->waiting_from == inflater->waiting_to && !inflater->ended);
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
    inflater->waiting_from = 0;
    inflater->waiting_to = sizeof inflater->output - zlib->avail_out;
    inflater->total_bytes += inflater->waiting_to;
    *taken_out = given - zlib->avail_in;
    return true;
}

bool inflater_step(struct lumberjack_inflater *inflater, struct str bytes, size_t *taken_out,
                   struct str *out, struct error *err)
{
    *taken_out = 0;
    if (bytes.len > inflater->input_left)
        bytes.len = inflater->input_left;
    if (inflater->waiting_from == inflater->waiting_to) {
        if (inflater->ended)
            *taken_out = bytes.len; /* what follows the end of the stream is skipped */
        else if (!inflate_step(inflater, bytes, taken_out, err))
            return false;
    }
    assert(*taken_out <= inflater->input_left);
    inflater->input_left -= *taken_out;
    *out = waiting(inflater);
    return true;
}

void inflater_read(struct lumberjack_inflater *inflater, size_t count)
{
    assert(count <= inflater->waiting_to - inflater->waiting_from);
    inflater->waiting_from += count;
}

bool inflater_has_pending(const struct lumberjack_inflater *inflater)
{
    return inflater->output_full || inflater->waiting_from < inflater->waiting_to;
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
    return inflater->input_left;
}

size_t inflater_total(const struct lumberjack_inflater *inflater)
{
    return inflater->total_bytes;
}
