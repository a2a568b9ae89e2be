/* SPDX-License-Identifier: Apache-2.0
 *
 * The Lumberjack protocol, versions 1 and 2, as a server reads it: bytes in, in any fragments, windows and events out
 * through callbacks. One state machine reads both the socket's bytes and what a compressed frame inflates to. It knows
 * no socket, no loop and no event.
 *
 * Invariants
 * - Nothing is allocated because of a number on the wire: memory grows with bytes that arrived, up to the limits.
 * - A window belongs to the version of its W frame; every frame in it has that version and the type that goes with it
 *   (1: D, 2: J). An event outside a window, and a window before the last one is full, are protocol errors.
 * - Compressed frames do not nest, and no frame spans the end of one. A window whose last event came in a compressed
 *   frame ends when that frame has ended and its checksum was right.
 * - After an error the decoder is of no use but for lumberjack_release.
 *
 * The owner's thread only.
 */
#ifndef MILLRACE_INPUTS_BEATS_LUMBERJACK_H
#define MILLRACE_INPUTS_BEATS_LUMBERJACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum lumberjack_version { LUMBERJACK_V1 = '1', LUMBERJACK_V2 = '2' };

enum {
    LUMBERJACK_HEADER_MAX_BYTES = 10,
    LUMBERJACK_ACK_BYTES = 6,
    LUMBERJACK_MAX_PAIRS = 65536, /* of a version 1 event */
    LUMBERJACK_INFLATE_STEP_BYTES = 16 * 1024,
    LUMBERJACK_ZLIB_BYTES = 44 * 1024, /* what zlib holds meanwhile, about */
};

struct lumberjack_limits {
    uint32_t max_window_events;
    size_t max_event_bytes;           /* JSON text, or all pairs of a version 1 event */
    size_t max_compressed_bytes;      /* of one compressed frame, as sent */
    size_t max_inflated_bytes;        /* of one compressed frame, inflated */
    size_t max_window_inflated_bytes; /* of all compressed frames of one window */
};

struct lumberjack_event {
    enum lumberjack_version version;
    uint32_t sequence; /* as the client numbered it */
    struct str
        payload; /* 2: JSON text; 1: pairs, for lumberjack_next_pair. Good for the call only. */
};

struct lumberjack_handler {
    void (*window)(void *ctx, enum lumberjack_version version, uint32_t count);
    void (*event)(void *ctx, const struct lumberjack_event *event);
    /* All events of the window are there. */
    void (*window_end)(void *ctx);
};

struct lumberjack_inflater;

/* What the decoders of one thread share to inflate their frames with: memory that is kept from one to the next. Frames that are
 * inflated at once hold max_bytes at most together; the others are inflated in steps. */
struct lumberjack_inflaters;
struct lumberjack_inflaters *lumberjack_inflaters_new(size_t max_bytes);
void lumberjack_inflaters_free(
    struct lumberjack_inflaters *shared); /* NULL is ok; after its decoders */

enum lumberjack_state {
    LUMBERJACK_HEADER,
    LUMBERJACK_JSON,
    LUMBERJACK_PART_LENGTH,
    LUMBERJACK_PART
};

struct lumberjack {
    const struct lumberjack_handler *handler;
    void *ctx;
    const struct lumberjack_limits *limits;
    enum lumberjack_state state;
    bool paused;
    bool failed;

    /* the window */
    enum lumberjack_version version;
    bool window_open; /* its window_end was not called yet */
    uint32_t events_left;
    size_t window_inflated_bytes;

    /* the frame */
    unsigned char header[LUMBERJACK_HEADER_MAX_BYTES]; /* also the length of a part */
    size_t header_len;
    uint32_t sequence;
    size_t body_left;    /* bytes of the JSON text or part still to come */
    uint32_t parts_left; /* keys and values still to come */
    struct buf partial;  /* a body that came in pieces; version 1: the pairs so far */

    struct lumberjack_inflater *inflater; /* inside a compressed frame only */
    struct lumberjack_inflaters
        *shared; /* the owner's to set; NULL: each frame for itself, in steps */
};

/* limits and handler are borrowed for the life of the decoder. charged, may be NULL: the account that the decoder's
 * memory is added to. */
void lumberjack_init(struct lumberjack *decoder, const struct lumberjack_handler *handler,
                     void *ctx, const struct lumberjack_limits *limits, struct account *charged);
void lumberjack_release(struct lumberjack *decoder);

/* Reads on. *consumed_out is bytes.len unless a callback asked for a pause; then the caller keeps the rest and feeds
 * it again (also when nothing is left: inflated bytes may be waiting, see lumberjack_has_pending). */
bool lumberjack_feed(struct lumberjack *decoder, struct str bytes, size_t *consumed_out,
                     struct error *err);
/* From inside a callback: lumberjack_feed returns after it. */
void lumberjack_pause(struct lumberjack *decoder);

/* A window, or a frame, has begun and not ended: the end of the stream would cut it. */
bool lumberjack_is_incomplete(const struct lumberjack *decoder);
/* After a pause: bytes taken in earlier are still to be read. */
bool lumberjack_has_pending(const struct lumberjack *decoder);

/* Memory that belongs to what is incomplete. */
size_t lumberjack_held_bytes(const struct lumberjack *decoder);

/* Takes the next pair off *rest; false at the end. */
bool lumberjack_next_pair(struct str *rest, struct str *key_out, struct str *value_out);

void lumberjack_write_ack(enum lumberjack_version version, uint32_t sequence,
                          unsigned char out[LUMBERJACK_ACK_BYTES]);

#endif
