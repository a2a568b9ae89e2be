/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes to whole MessagePack values. In a stream a value that is not complete is kept until the rest of it comes, up to
 * max_bytes; else the bytes of one call are all there is.
 */
#ifndef MILLRACE_CODECS_MSGPACK_MSGPACK_STREAM_H
#define MILLRACE_CODECS_MSGPACK_MSGPACK_STREAM_H

#include "codecs/msgpack/msgpack_value.h"
#include "pipeline/plugin.h"

struct msgpack_stream {
    bool stream;
    struct buf partial;
    size_t scanned;   /* bytes of partial that are whole tokens of its first value */
    uint64_t pending; /* values that this value still needs; each byte is looked at once */
};

/* What to do with a value, or (value NULL) with bytes that are none. */
typedef void msgpack_take(void *self, const struct value *value, struct str bytes,
                          struct event_sink *sink);

void msgpack_stream_init(struct msgpack_stream *stream, const struct plugin_env *env);
void msgpack_stream_release(struct msgpack_stream *stream);
void msgpack_stream_feed(struct msgpack_stream *stream, struct str bytes, msgpack_take *take,
                         void *self, struct event_sink *sink);
/* What is kept is no value any more. */
void msgpack_stream_flush(struct msgpack_stream *stream, msgpack_take *take, void *self,
                          struct event_sink *sink);

#endif
