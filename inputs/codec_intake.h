/* SPDX-License-Identifier: Apache-2.0
 *
 * From the bytes of a connection to batches, for protocols whose messages are the codec's work (lines, JSON, …). It reads
 * into a room that others use too and copies what came into the batch, so that an idle connection holds nothing; a batch is
 * handed over when it is full, or when nothing more has come.
 *
 *   codec_intake_open    opens the stream; the owner then reads from `socket` and gives what comes to codec_intake_take
 *   codec_intake_take    decodes, or keeps what there is no memory for and stops reading the socket until there is
 *   codec_intake_end     no more comes: what is kept is decoded, the codec flushed, all of it handed over
 *   codec_intake_close   also without codec_intake_end: then what was not handed over is dropped
 *
 * On one lane. What the sender was told stays true without an acknowledgement of ours: none is expected here.
 */
#ifndef MILLRACE_INPUTS_CODEC_INTAKE_H
#define MILLRACE_INPUTS_CODEC_INTAKE_H

#include "io/byte_stream.h"
#include "io/loop_timer.h"
#include "pipeline/engine/lane.h"
#include "pipeline/engine/stream.h"

enum { CODEC_INTAKE_KEPT_MAX = 128 * 1024 }; /* more than one read */

struct codec_intake {
    struct origin origin; /* first; the stream's decorate and complete get it */
    struct stream *stream;
    struct byte_stream *socket;
    struct lane *lane;
    struct buf kept; /* while paused */
    struct loop_timer *flush, *lull;
    uint64_t token;
    bool paused, ended;
    void (*handed_over)(
        struct codec_intake *intake); /* texts in the batch's arena are gone; may be NULL */
    void (*settled)(struct codec_intake *intake); /* what it holds may have changed; may be NULL */
};

/* options.origin and .lane are filled in. */
bool codec_intake_open(struct codec_intake *intake, struct lane *lane,
                       struct stream_options *options, struct error *err);
/* more: the read filled its room, so more is probably there, and what came waits a moment for it. */
void codec_intake_take(struct codec_intake *intake, struct str bytes, bool more);
void codec_intake_end(struct codec_intake *intake);
void codec_intake_close(struct codec_intake *intake);
/* Half messages, what is kept, and the room for more. */
size_t codec_intake_held_bytes(const struct codec_intake *intake);

#endif
