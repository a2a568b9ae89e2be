/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream: how an input hands events to the engine. One stream for each connection, file or other sequence whose
 * position is acknowledged. It collects events into the current batch, applies the input's decoration (type, add_field,
 * tags) and hands batches over to the lanes. A stream lives on one lane and is used by that thread only.
 *
 *   stream_open(&options)            codec, origin
 *   buf = stream_read_room(s, want, &got)  memory of the current batch to read bytes into; NULL: wait
 *   stream_decode(s, bytes)          through the codec into the current batch
 *   stream_emit(s, event)            or an event that the input made itself, in stream_arena(s)
 *   stream_hand_over(s, token)       the batch goes; origin->acked(token) once it is safe at every output
 *
 * Batches are bounded: when stream_full() says so, hand over before decoding more (stream_decode may pass the bound by
 * what one call decodes). Acknowledgements come on the stream's lane, in the order of hand-over (never ack for a later token
 * before an earlier one).
 */
#ifndef MILLRACE_PIPELINE_ENGINE_STREAM_H
#define MILLRACE_PIPELINE_ENGINE_STREAM_H

#include "pipeline/plugin.h"

struct stream;

/* Who is told that events are safe. Embedded in the input's connection or file. */
struct origin {
    /* Everything handed over up to and including token is delivered. */
    void (*acked)(struct origin *origin, uint64_t token);
    /* Something handed over after the last token acknowledged was thrown away undelivered. Said once; nothing is
     * acknowledged any more. The origin gets it again from its source, through a new stream. May be NULL for one that
     * cannot, or that finds out at its next start. */
    void (*abandoned)(struct origin *origin);
    /* The room that stream_admit or stream_read_room did not get is there. May be NULL when neither is used. */
    void (*resume)(struct origin *origin);
};

struct stream_options {
    const struct plugin_env *env; /* of the input */
    struct lane *lane;            /* the lane this stream lives on; NULL: env->lane */
    struct origin *origin;
    const struct conf_plugin *codec; /* the input's codec option */
    const char *codec_default;       /* "plain", "line", … */
    bool line_based;                 /* apply codec.stream_name */
    /* Called for each event that the codec makes, before the input's type, tags and add_field; may be NULL. */
    void (*decorate)(struct origin *origin, struct event *event);
    /* The same, but after them, for fields that give way to what the configuration adds; may be NULL. */
    void (*complete)(struct origin *origin, struct event *event);
};

struct stream *stream_open(const struct stream_options *options, struct error *err);
/* What was not handed over is dropped; receipts of what was are still awaited, but origin is told nothing any more. */
void stream_close(struct stream *stream);

/* Memory in the current batch: about `want` bytes, at least some. Asks nobody for room. */
char *stream_buffer(struct stream *stream, size_t want, size_t *got_out);
/* So many bytes of the last stream_buffer are in use: the rest may be offered again. stream_decode says it itself. */
void stream_buffer_used(struct stream *stream, size_t bytes);
struct arena *stream_arena(struct stream *stream);
/* What else an input holds for a stream (half frames, inflaters) is charged to this. */
struct account *stream_account(struct stream *stream);
/* What the current batch and the room for more of it take of the memory budget. */
size_t stream_held_bytes(const struct stream *stream);
/* The part of it that the budget did not grant before it came: events were larger than their input expected. */
size_t stream_overdrawn_bytes(const struct stream *stream);
void stream_decode(struct stream *stream, struct str bytes);
void stream_flush_codec(
    struct stream *stream); /* the end of the bytes: the codec gives what it holds */
size_t stream_codec_pending(const struct stream *stream);
/* The codec itself, with a sink of the input's own, for inputs that merge what it makes (beats). */
struct codec_instance *stream_codec(struct stream *stream);
void stream_emit(struct stream *stream, struct event *event);

/* Provenance (pipeline/event/origin.h). Inputs that know where their bytes come from say so, when somebody wants it. */
bool stream_wants_places(const struct stream *stream);
/* The bytes that are decoded next end at this position of this place (text that any other origin of any host would not
 * use). Borrowed for the call. */
void stream_set_place(struct stream *stream, struct str place, uint64_t position);
/* Events that are emitted next come of this record, at the place set. raw lives as long as the batch. */
void stream_begin_record(struct stream *stream, struct str raw);

size_t stream_count(const struct stream *stream); /* events in the current batch */
bool stream_full(const struct stream *stream);    /* at the bound of events or bytes */
/* Hands the current batch over, also an empty one (it is acknowledged in its turn). Tokens grow. */
void stream_hand_over(struct stream *stream, uint64_t token);
/* How many handed-over batches are not acknowledged yet. */
size_t stream_in_flight(const struct stream *stream);
/* How many events they came with, and when the oldest was handed over (uv_now of then); 0: none is in flight. */
uint64_t stream_events_in_flight(const struct stream *stream);
uint64_t stream_oldest_ms(const struct stream *stream);

/* Room in the memory budget (budget.h), which the stream holds until it hands over, rests or is closed.
 *
 * For who reads as much as there is: memory to read about `want` bytes into, or NULL: there is none. Then hand over what the
 * batch holds, if it has events, and read no more until origin->resume is called: the room is granted by then. */
char *stream_read_room(struct stream *stream, size_t want, size_t *got_out);
/* For who knows how much is coming: may about `bytes` of input be taken in? False as above. */
bool stream_admit(struct stream *stream, size_t bytes);
/* Nothing comes for now: gives back the room, and the batch when it has no events. */
void stream_rest(struct stream *stream);
/* What was not handed over is dropped, with its room, and nothing is waited for any more. */
void stream_drop(struct stream *stream);

#endif
