/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/msgpack/msgpack_stream.h"

#include <assert.h>

enum { KEEP_BYTES = 64 * 1024 };

static void start_value(struct msgpack_stream *stream)
{
    stream->scanned = 0;
    stream->pending = 1;
}

void msgpack_stream_init(struct msgpack_stream *stream, const struct plugin_env *env)
{
    *stream = (struct msgpack_stream){.stream = env->stream};
    buf_init(&stream->partial, env->settings->max_event_bytes);
    start_value(stream);
}

void msgpack_stream_release(struct msgpack_stream *stream)
{
    buf_release(&stream->partial);
}

/* Takes whole values off *bytes. False when what is left can never become one. */
static bool take_values(struct str *bytes, msgpack_take *take, void *self, struct event_sink *sink)
{
    while (bytes->len > 0) {
        struct value value;
        struct str before = *bytes;
        switch (msgpack_read(sink->arena, bytes, &value)) {
        case MSGPACK_DONE:
            take(self, &value, str_make(before.ptr, before.len - bytes->len), sink);
            break;
        case MSGPACK_MORE:
            return true;
        case MSGPACK_BROKEN:
            return false;
        }
    }
    return true;
}

static void give_up(struct msgpack_stream *stream, struct str bytes, msgpack_take *take, void *self,
                    struct event_sink *sink)
{
    take(self, NULL, bytes, sink);
    buf_clear(&stream->partial, KEEP_BYTES);
    start_value(stream);
}

/* Goes on through the tokens of the first value of partial. */
static enum msgpack_result scan(struct msgpack_stream *stream)
{
    while (stream->pending > 0) {
        struct str rest = str_from_offset(buf_str(&stream->partial), stream->scanned);
        struct msgpack_token token;
        enum msgpack_result result = msgpack_next(&rest, &token);
        if (result != MSGPACK_DONE)
            return result;
        uint64_t items = token.kind == MSGPACK_MAP ? 2 * (uint64_t)token.count : token.count;
        stream->scanned = stream->partial.len - rest.len;
        stream->pending += items - 1;
        if (stream->pending > stream->partial.max) /* each takes a byte at least */
            return MSGPACK_BROKEN;
    }
    return MSGPACK_DONE;
}

/* Values point into the arena, never into partial, which moves. */
static void take_scanned(struct msgpack_stream *stream, msgpack_take *take, void *self,
                         struct event_sink *sink)
{
    assert(stream->scanned <= stream->partial.len);
    struct str bytes = arena_dup(sink->arena, str_make(stream->partial.ptr, stream->scanned));
    if (!take_values(&bytes, take, self, sink))
        take(self, NULL, bytes, sink);
    buf_consume(&stream->partial, stream->scanned);
    start_value(stream);
}

static void feed_partial(struct msgpack_stream *stream, struct str bytes, msgpack_take *take,
                         void *self, struct event_sink *sink)
{
    if (!buf_append_str(&stream->partial, bytes)) {
        give_up(stream, arena_dup(sink->arena, buf_str(&stream->partial)), take, self, sink);
        give_up(stream, bytes, take, self, sink);
        return;
    }
    while (stream->partial.len > 0) {
        switch (scan(stream)) {
        case MSGPACK_DONE:
            take_scanned(stream, take, self, sink);
            break;
        case MSGPACK_MORE:
            return;
        case MSGPACK_BROKEN:
            give_up(stream, arena_dup(sink->arena, buf_str(&stream->partial)), take, self, sink);
            return;
        }
    }
}

void msgpack_stream_feed(struct msgpack_stream *stream, struct str bytes, msgpack_take *take,
                         void *self, struct event_sink *sink)
{
    if (stream->partial.len > 0) {
        feed_partial(stream, bytes, take, self, sink);
        return;
    }
    if (!take_values(&bytes, take, self, sink))
        give_up(stream, bytes, take, self, sink);
    else if (bytes.len > 0 && stream->stream)
        feed_partial(stream, bytes, take, self, sink);
    else if (bytes.len > 0)
        take(self, NULL, bytes, sink);
}

void msgpack_stream_flush(struct msgpack_stream *stream, msgpack_take *take, void *self,
                          struct event_sink *sink)
{
    if (stream->partial.len == 0)
        return;
    struct str rest = arena_dup(sink->arena, buf_str(&stream->partial));
    bool whole = take_values(&rest, take, self, sink);
    if (!whole || rest.len > 0)
        take(self, NULL, rest, sink);
    buf_clear(&stream->partial, 0);
    start_value(stream);
}
