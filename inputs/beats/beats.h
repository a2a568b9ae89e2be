/* SPDX-License-Identifier: Apache-2.0
 *
 * The beats input's own parts and how they know each other:
 *
 *   beats.c       the option table, open / start / stop / close                         main lane
 *   connection.c  one client: reading, acknowledging, deadlines, closing                its lane
 *   intake.c      bytes to batches: windows, admission, pauses                          its lane
 *   event.c       one event from its JSON text or pairs                                 its lane
 *   window.c, lumberjack.c, inflater.c know neither loop nor engine.
 *
 * The options are const after open(). Counters are shared by the lanes, so they are only changed by beats_count.
 */
#ifndef MILLRACE_INPUTS_BEATS_BEATS_H
#define MILLRACE_INPUTS_BEATS_BEATS_H

#include "inputs/beats/lumberjack.h"
#include "inputs/server.h"
#include "pipeline/tls_options.h"

enum {
    BEATS_BATCH_BYTES = 1024 * 1024,   /* payload of one batch, and what is reserved for it */
    BEATS_EVENT_GUESS_BYTES = 1024,    /* of a connection's first events */
    BEATS_MIN_BYTES_PER_SECOND = 1024, /* a window that comes more slowly meets window_timeout */
    BEATS_IDLE_MS =
        1000, /* a client that sends nothing for so long keeps no memory that others need */
    BEATS_LINGER_MS = 1000,        /* how long a closed connection waits for the client's end */
    BEATS_CLOSING_LINGER_MS = 200, /* the same while the input closes */
    BEATS_LINGER_BYTES = 4 * 1024 * 1024,
    BEATS_ACK_BUFFER_BYTES = 64 * LUMBERJACK_ACK_BYTES,
};

enum beats_counter {
    BEATS_BYTES,
    BEATS_WINDOWS,
    BEATS_EVENTS,
    BEATS_ACKS,
    BEATS_KEEPALIVES,
    BEATS_PAUSES,
    BEATS_JSON_FAILURES,
    BEATS_PROTOCOL_ERRORS,
    BEATS_LIMIT_ERRORS,
    BEATS_INACTIVE,
    BEATS_WINDOW_TIMEOUTS,
    BEATS_WRITE_TIMEOUTS,
    BEATS_ABANDONED,
    BEATS_COUNTERS,
};

struct beats_options {
    int64_t port;
    struct str host;
    const struct conf_plugin *codec;
    struct option_strings enrich;
    bool include_codec_tag;
    bool add_hostname;
    struct tls_options tls;
    bool ssl_peer_metadata; /* the old way to say it in enrich */
    int64_t client_inactivity_timeout_ms;
    int64_t window_timeout_ms;
    int64_t write_timeout_ms;
    int64_t keepalive_interval_ms;
    int64_t max_connections;
    int64_t max_window;
    int64_t max_event_bytes; /* 0: the process's limit */
    int64_t max_compressed_bytes;
    int64_t max_inflated_bytes;
    int64_t max_window_inflated_bytes;
};

/* What is added to each event, worked out once. */
struct beats_enrichment {
    bool source;   /* the client's address */
    bool codec;    /* the tag that says how the event was made, and event.original */
    bool tls_peer; /* how it proved who it is */
    bool host_name;
    struct str codec_tag;
    bool plain_codec; /* no codec named: the Beat's object becomes the event without a detour */
};

struct beats_input {
    struct beats_options options; /* first: bound by the engine */
    const struct plugin_env *env;
    struct lumberjack_limits limits;
    struct beats_enrichment enrichment;
    struct counter *counters[BEATS_COUNTERS];
    struct server server;
};

/* Any lane. */
static inline void beats_count(struct beats_input *input, enum beats_counter which, uint64_t n)
{
    server_count(input->counters[which], n);
}

#endif
