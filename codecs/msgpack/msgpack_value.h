/* SPDX-License-Identifier: Apache-2.0
 *
 * MessagePack to values and back. What is read is never trusted: a length is looked at before it is used, and nesting has a
 * limit. No state.
 */
#ifndef MILLRACE_CODECS_MSGPACK_MSGPACK_VALUE_H
#define MILLRACE_CODECS_MSGPACK_MSGPACK_VALUE_H

#include "base/buf.h"
#include "pipeline/event/event.h"

enum { MSGPACK_MAX_DEPTH = 100 };

enum msgpack_result {
    MSGPACK_DONE,
    MSGPACK_MORE, /* the bytes end within it */
    MSGPACK_BROKEN,
};

enum msgpack_kind {
    MSGPACK_SCALAR, /* nil, boolean, number: in `scalar` */
    MSGPACK_TEXT,   /* str */
    MSGPACK_BYTES,  /* bin */
    MSGPACK_ARRAY,
    MSGPACK_MAP,
    MSGPACK_EXT,
};

/* One token: all of a scalar, a text or an extension; of an array or a map how many items (pairs) follow. */
struct msgpack_token {
    enum msgpack_kind kind;
    struct value scalar;
    struct str bytes; /* TEXT, BYTES, EXT; in the input */
    uint32_t count;
    int8_t ext_type;
};

/* Takes it off *bytes, which is unchanged when it is not DONE. */
enum msgpack_result msgpack_next(struct str *bytes, struct msgpack_token *out);
/* Takes a whole value. Text is made valid UTF-8, keys that are no text become it, lists and maps are
 * none; an extension is null. */
enum msgpack_result msgpack_read(struct arena *arena, struct str *bytes, struct value *out);

/* False when out is at its maximum. A timestamp is written as its ISO 8601 text. */
bool msgpack_write(const struct value *value, struct buf *out);
bool msgpack_write_array(uint32_t count, struct buf *out);
bool msgpack_write_map(uint32_t count, struct buf *out);
bool msgpack_write_text(struct str text, struct buf *out);
/* The event's fields, without @metadata. */
bool msgpack_write_event(const struct event *event, struct buf *out);

#endif
