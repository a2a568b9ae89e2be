/* SPDX-License-Identifier: Apache-2.0 */
#include "io/stream_relay.h"

#include <assert.h>

#include "base/mem.h"

enum { RELAY_BYTES = 16 * 1024 };

struct side {
    struct stream_relay *relay;
    struct side *other;
    struct byte_stream *stream;
    char *room; /* what was read here and goes to the other; NULL while nothing is under way */
    bool ended; /* reading is over */
    bool writing;
};

struct stream_relay {
    struct side sides[2];
    unsigned open_streams;
    bool closing;
    struct account *charged;
    void (*finished)(void *ctx);
    void *ctx;
};

static void release_room(struct side *side)
{
    if (side->room)
        account_return(side->relay->charged, RELAY_BYTES);
    mem_free(side->room);
    side->room = NULL;
}

void stream_relay_close(struct stream_relay *relay)
{
    if (relay->closing)
        return;
    relay->closing = true;
    byte_stream_close(relay->sides[0].stream);
    byte_stream_close(relay->sides[1].stream);
}

static void on_closed(void *ctx)
{
    struct stream_relay *relay = ((struct side *)ctx)->relay;
    assert(relay->closing && relay->open_streams > 0);
    if (--relay->open_streams > 0)
        return;
    void (*finished)(void *ctx) = relay->finished;
    void *finished_ctx = relay->ctx;
    release_room(&relay->sides[0]);
    release_room(&relay->sides[1]);
    mem_free(relay);
    finished(finished_ctx);
}

static uv_buf_t on_room(void *ctx)
{
    struct side *side = ctx;
    if (!side->room) {
        side->room = mem_alloc(RELAY_BYTES);
        account_charge(side->relay->charged, RELAY_BYTES);
    }
    return uv_buf_init(side->room, RELAY_BYTES);
}

static void on_read(void *ctx, struct str bytes)
{
    struct side *side = ctx;
    struct side *other = side->other;
    ssize_t sent = byte_stream_try_write(other->stream, bytes);
    if (sent >= 0 && (size_t)sent == bytes.len) {
        release_room(side);
        return;
    }
    byte_stream_read_stop(side->stream);
    other->writing =
        sent >= 0 && byte_stream_write(other->stream, str_from_offset(bytes, (size_t)sent)) == 0;
    if (!other->writing)
        stream_relay_close(side->relay);
}

/* The other one hears of an end when it has everything before it. */
static void pass_end_on(struct side *side)
{
    assert(side->ended && !side->other->writing);
    if (side->other->ended || byte_stream_shutdown(side->other->stream) != 0)
        stream_relay_close(side->relay);
}

static void on_ended(void *ctx, int status)
{
    struct side *side = ctx;
    if (side->relay->closing)
        return;
    side->ended = true;
    if (status != UV_EOF)
        stream_relay_close(side->relay);
    else if (!side->other->writing)
        pass_end_on(side);
}

static void on_written(void *ctx, int status)
{
    struct side *side = ctx;
    struct side *source = side->other;
    side->writing = false;
    if (side->relay->closing)
        return;
    release_room(source);
    if (status != 0)
        stream_relay_close(side->relay);
    else if (source->ended)
        pass_end_on(source);
    else if (byte_stream_read_start(source->stream) != 0)
        stream_relay_close(side->relay);
}

static void on_shut(void *ctx, int status)
{
    struct side *side = ctx;
    if (status != 0)
        stream_relay_close(side->relay);
}

static const struct byte_stream_handler HANDLER = {
    .room = on_room,
    .read = on_read,
    .ended = on_ended,
    .written = on_written,
    .shut = on_shut,
    .closed = on_closed,
};

struct stream_relay *stream_relay_new(struct byte_stream *one, struct byte_stream *other,
                                      struct account *charged, void (*finished)(void *ctx),
                                      void *ctx)
{
    struct stream_relay *relay = mem_zero(1, sizeof *relay);
    relay->sides[0] = (struct side){.relay = relay, .other = &relay->sides[1], .stream = one};
    relay->sides[1] = (struct side){.relay = relay, .other = &relay->sides[0], .stream = other};
    relay->open_streams = 2;
    relay->charged = charged;
    relay->finished = finished;
    relay->ctx = ctx;
    for (size_t i = 0; i < 2; i++)
        byte_stream_set_handler(relay->sides[i].stream, &HANDLER, &relay->sides[i]);
    for (size_t i = 0; i < 2 && !relay->closing; i++)
        if (byte_stream_read_start(relay->sides[i].stream) != 0)
            stream_relay_close(relay);
    return relay;
}
