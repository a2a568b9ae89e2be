/* SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams of a UDP port, for the inputs that take them: the socket, the stream of their events, memory and losses. On the
 * main lane; the work on the events is spread by the engine.
 *
 *   CLOSED ──start──▶ READING ◀──memory is there── WAITING
 *      ▲  cannot bind:    │
 *      └─── 5 s later     └──stop──▶ STOPPED (after what the kernel still has of it)
 *
 * Nobody is told what became of a datagram. What comes while there is no memory stays with the kernel, which throws away
 * what its buffer has no room for; that is counted (datagrams_lost) and logged.
 */
#ifndef MILLRACE_INPUTS_DATAGRAMS_H
#define MILLRACE_INPUTS_DATAGRAMS_H

#include "pipeline/engine/stream.h"

struct datagrams;

struct datagrams_options {
    const struct plugin_env *env;
    struct str host;
    int64_t port;
    int64_t
        max_bytes; /* of a datagram; what is behind them is cut off and counted (datagrams_cut) */
    int64_t receive_buffer_bytes; /* 0: as large as the kernel lets it be */
    const struct conf_plugin *codec;
    const char *codec_default;
    void *ctx;
    /* One datagram that is not empty; the bytes live as long as the arena of the stream. NULL: it goes through the codec,
     * which is flushed behind it. */
    void (*take)(void *ctx, struct stream *stream, struct str bytes);
    /* An event has all that the configuration adds. May be NULL. */
    void (*complete)(void *ctx, struct event *event);
};

struct datagrams *datagrams_new(const struct datagrams_options *options, struct error *err);
/* A port that cannot be had is logged and tried again. */
void datagrams_start(struct datagrams *datagrams);
void datagrams_stop(struct datagrams *datagrams); /* nothing comes any more */
void datagrams_close(struct datagrams *datagrams, void (*closed)(void *ctx), void *ctx);
/* The address that the datagram came from, in the arena of the events that are made now. */
struct str datagrams_sender(struct datagrams *datagrams);

#endif
