/* SPDX-License-Identifier: Apache-2.0
 *
 * A TCP port whose clients send messages one after the other, for inputs that decode each by itself (syslog, gelf): a server
 * (server.h) that cuts the bytes into messages. They end with a byte, or begin with their length where that is allowed. Nobody is
 * told what became of a message.
 *
 *   connection  READING ◀──memory is there── WAITING (holds what it has read, reads no more)
 *                  └──the peer's end, an error, frame_timeout, stop──▶ ENDED (what has no end yet is a message too)
 *
 * A port that cannot be had is logged and tried again, as Logstash's inputs of this kind do.
 */
#ifndef MILLRACE_INPUTS_FRAME_SERVER_H
#define MILLRACE_INPUTS_FRAME_SERVER_H

#include "pipeline/engine/stream.h"

struct frame_server;

/* Where a message came from, and the lane that it is decoded on. */
struct frame_source {
    struct str address; /* as text, in the arena of the events that are made now */
    struct stream *stream;
    struct regex_scratch *regex;
    struct json_reader *json;
};

struct frame_server_options {
    const struct plugin_env *env;
    const char *waiting; /* what the log says when it listens */
    struct str host;
    int64_t port;
    int64_t max_connections;
    int64_t max_frame_bytes;  /* longer ones are skipped and counted (messages_too_long) */
    int64_t frame_timeout_ms; /* that a message may take to arrive whole; 0: any time */
    char delimiter;
    bool keeps_delimiter; /* it is a part of the message */
    bool counts_octets;   /* a digit in front is a length, as RFC 6587 has it */
    bool proxy_protocol;  /* a proxy says first who the client is (proxy_header.h) */
    const struct conf_plugin *codec;
    const char *codec_default;
    void *ctx;
    /* One message, whose bytes live as long as the events. NULL: through the codec. On any lane, as complete. */
    void (*take)(void *ctx, const struct frame_source *source, struct str message);
    void (*complete)(void *ctx, const struct frame_source *source, struct event *event);
};

/* Whether it can be: opens the codec and gives it back. NULL with *err. */
struct frame_server *frame_server_new(const struct frame_server_options *options,
                                      struct error *err);
void frame_server_start(struct frame_server *server);
void frame_server_stop(struct frame_server *server); /* ends in input_finished */
void frame_server_close(struct frame_server *server, void (*closed)(void *ctx), void *ctx);

#endif
