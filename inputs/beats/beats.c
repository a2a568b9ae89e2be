/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/beats/beats.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "inputs/beats/connection.h"
#include "inputs/inputs.h"

#define ROW(kind, member) OPTION_IN_##kind(struct beats_options, member)

static const struct option OPTIONS[] = {
    {
        .name = "port",
        .doc = "The TCP port to listen on, usually 5044.",
        ROW(INT, port),
        .min = 1,
        .max = 65535,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "host",
        .doc = "The address to listen on.",
        ROW(STRING, host),
        .def = "0.0.0.0",
    },
    {
        .name = "codec",
        .doc = "How the message of each event is decoded. Not multiline: that is the Beat's work.",
        ROW(CODEC, codec),
    },
    {
        .name = "client_inactivity_timeout",
        .doc = "Seconds without a byte after which a connection with no work under way is closed; "
               "0: never.",
        ROW(DURATION_MS, client_inactivity_timeout_ms),
        .def = "60",
        .min = 0,
        .max = 2147483647,
    },
    {
        .name = "window_timeout",
        .doc = "Seconds that a window may take to arrive, and one more for each KiB of it.",
        ROW(DURATION_MS, window_timeout_ms),
        .def = "30",
        .min = 1,
        .max = 2147483647,
    },
    {
        .name = "write_timeout",
        .doc = "Seconds after which a client that takes no acknowledgement is disconnected.",
        ROW(DURATION_MS, write_timeout_ms),
        .def = "30",
        .min = 1,
        .max = 2147483647,
    },
    {
        .name = "keepalive_interval",
        .doc =
            "Seconds of silence after which a client with a complete window under way is told so.",
        ROW(DURATION_MS, keepalive_interval_ms),
        .def = "5",
        .min = 1,
        .max = 2147483647,
    },
    {
        .name = "max_connections",
        .doc = "Largest number of connections at once; more are closed at once.",
        ROW(INT, max_connections),
        .def = "10000",
        .min = 1,
        .max = 1000000,
    },
    {
        .name = "max_window",
        .doc = "Largest number of events in a window.",
        ROW(INT, max_window),
        .def = "1000000",
        .min = 1,
        .max = 4294967295,
    },
    {
        .name = "max_event_bytes",
        .doc = "Largest event as sent. Default: what the memory budget allows, at most 16 MiB.",
        ROW(BYTES, max_event_bytes),
        .min = 1024,
        .max = 268435456,
    },
    {
        .name = "max_compressed_bytes",
        .doc = "Largest compressed frame as sent.",
        ROW(BYTES, max_compressed_bytes),
        .def = "64 MiB",
        .min = 1024,
        .max = 2147483647,
    },
    {
        .name = "max_inflated_bytes",
        .doc = "Largest content of one compressed frame.",
        ROW(BYTES, max_inflated_bytes),
        .def = "256 MiB",
        .min = 1024,
        .max = 1099511627776,
    },
    {
        .name = "max_window_inflated_bytes",
        .doc = "Largest content of all compressed frames of one window.",
        ROW(BYTES, max_window_inflated_bytes),
        .def = "256 MiB",
        .min = 1024,
        .max = 1099511627776,
    },
    {
        .name = "enrich",
        .doc = "What is added to events: codec_metadata, source_metadata, ssl_peer_metadata; or "
               "all, or none. "
               "Default: codec_metadata and source_metadata.",
        ROW(STRINGS, enrich),
    },
    {
        .name = "congestion_threshold",
        .doc = "Seconds after which a busy pipeline made Logstash close connections.",
        .note = "a busy pipeline holds the clients back with keep-alives: leave it out",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "target_field_for_codec",
        .doc = "Field that the codec's result went to.",
        .note = "what a codec makes becomes the event's fields: leave it out",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "include_codec_tag",
        .doc = "Tag each event with the way it was decoded.",
        .note = "use enrich, with or without codec_metadata",
        ROW(BOOL, include_codec_tag),
        .def = "true",
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "add_hostname",
        .doc = "Copy the Beat's host name to the host field.",
        .note = "Beats send the host themselves",
        ROW(BOOL, add_hostname),
        .def = "false",
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "executor_threads",
        .doc = "Threads that decode.",
        .note = "connections are spread over the lanes; use pipeline.workers",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "event_loop_threads",
        .doc = "Threads that read.",
        .note = "connections are spread over the lanes; use pipeline.workers",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    TLS_LISTENER_ROWS(struct beats_options, tls, "none"),
    TLS_HANDSHAKE_ROW(struct beats_options, tls),
    {
        .name = "ssl_peer_metadata",
        .doc = "The old way to ask for details of the client's certificate.",
        .note = "use enrich with ssl_peer_metadata",
        ROW(BOOL, ssl_peer_metadata),
        .def = "false",
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "max_clients",
        .doc = "Largest number of connections at once.",
        .note = "write max_connections",
        OPTION_NOWHERE,
        .flags = OPTION_DEPRECATED | OPTION_IGNORED,
    },
    TLS_OLD_ROWS(struct beats_options, tls),
    OPTION_END,
};

static const char *const COUNTER_NAMES[BEATS_COUNTERS] = {
    [BEATS_BYTES] = "bytes",
    [BEATS_WINDOWS] = "windows",
    [BEATS_EVENTS] = "events",
    [BEATS_ACKS] = "acks",
    [BEATS_KEEPALIVES] = "keepalives",
    [BEATS_PAUSES] = "pauses",
    [BEATS_JSON_FAILURES] = "json_failures",
    [BEATS_PROTOCOL_ERRORS] = "protocol_errors",
    [BEATS_LIMIT_ERRORS] = "limit_errors",
    [BEATS_INACTIVE] = "inactivity_timeouts",
    [BEATS_WINDOW_TIMEOUTS] = "window_timeouts",
    [BEATS_WRITE_TIMEOUTS] = "write_timeouts",
    [BEATS_ABANDONED] = "connections_abandoned",
};

static const struct tls_defaults TLS_DEFAULTS = {TLS_SERVER, "none"};

/* ---- checks across options ---- */

static bool has(const struct option_strings *list, struct str name)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(list->items[i], name))
            return true;
    return false;
}

static bool check_enrich(const struct option_strings *enrich, struct error *err)
{
    static const char *const NAMES[] = {"codec_metadata", "source_metadata", "ssl_peer_metadata",
                                        "all", "none"};
    for (size_t i = 0; i < enrich->count; i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof NAMES / sizeof *NAMES; k++)
            known |= str_equal(enrich->items[i], str_from(NAMES[k]));
        if (!known)
            return error_set(err, ERROR_CONFIG,
                             "enrich is '%.*s', expected codec_metadata, source_metadata, "
                             "ssl_peer_metadata, all or none",
                             STR_FMT(enrich->items[i]));
    }
    if (enrich->count > 1 && (has(enrich, STR("all")) || has(enrich, STR("none"))))
        return error_set(err, ERROR_CONFIG, "enrich: 'all' and 'none' stand alone");
    return true;
}

static bool check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct beats_options *options = self;
    if (options->enrich.count > 0 && options->ssl_peer_metadata)
        return error_set(err, ERROR_CONFIG,
                         "ssl_peer_metadata and enrich say the same thing: keep enrich");
    if (options->enrich.count > 0 && !options->include_codec_tag)
        return error_set(err, ERROR_CONFIG,
                         "include_codec_tag and enrich say the same thing: keep enrich");
    if (options->codec && str_equal(options->codec->name, STR("multiline")))
        return error_set(
            err, ERROR_CONFIG,
            "the multiline codec would mix lines of different files: configure multiline "
            "in the Beat");
    return check_enrich(&options->enrich, err) &&
           tls_options_check(&options->tls, &TLS_DEFAULTS, env, err);
}

/* ---- opening ---- */

enum { EVENT_MAX_BYTES = 16 * 1024 * 1024 };

static size_t event_limit(const struct beats_input *input)
{
    size_t limit = EVENT_MAX_BYTES;
    if (input->options.max_event_bytes > 0)
        return (size_t)input->options.max_event_bytes;
    if (input->env->settings && input->env->settings->max_event_bytes > 0 &&
        input->env->settings->max_event_bytes < limit)
        limit = input->env->settings->max_event_bytes;
    return limit;
}

static void set_limits(struct beats_input *input)
{
    const struct beats_options *options = &input->options;
    input->limits = (struct lumberjack_limits){
        .max_window_events = (uint32_t)options->max_window,
        .max_event_bytes = event_limit(input),
        .max_compressed_bytes = (size_t)options->max_compressed_bytes,
        .max_inflated_bytes = (size_t)options->max_inflated_bytes,
        .max_window_inflated_bytes = (size_t)options->max_window_inflated_bytes,
    };
}

static void set_enrichment(struct beats_input *input)
{
    const struct beats_options *options = &input->options;
    const struct option_strings *enrich = &options->enrich;
    struct beats_enrichment *out = &input->enrichment;
    bool all = enrich->count == 0 || has(enrich, STR("all"));
    out->source = all || has(enrich, STR("source_metadata"));
    out->codec = (all || has(enrich, STR("codec_metadata"))) && options->include_codec_tag;
    out->tls_peer = has(enrich, STR("all")) || has(enrich, STR("ssl_peer_metadata")) ||
                    options->ssl_peer_metadata;
    out->host_name = options->add_hostname;
    out->plain_codec = !options->codec;
    struct str codec = options->codec ? options->codec->name : STR("plain");
    out->codec_tag =
        arena_printf(input->env->arena, "beats_input_codec_%.*s_applied", STR_FMT(codec));
}

static bool open_input(void *self, const struct plugin_env *env, struct error *err)
{
    struct beats_input *input = self;
    input->env = env;
    set_limits(input);
    set_enrichment(input);
    struct server_options options = {
        .env = env,
        .waiting = "waiting for Beats",
        .host = input->options.host,
        .port = input->options.port,
        .max_connections = input->options.max_connections,
        .protocol = connection_protocol,
        .input = input,
        .handshake_timeout_ms = input->options.tls.handshake_timeout_ms,
    };
    if (!tls_options_open(&input->options.tls, &TLS_DEFAULTS, env, &options.tls, err) ||
        !server_open(&input->server, &options, err))
        return false;
    for (size_t i = 0; i < BEATS_COUNTERS; i++)
        input->counters[i] = env->counter(env, COUNTER_NAMES[i]);
    return true;
}

static bool start(void *self, struct error *err)
{
    struct beats_input *input = self;
    return server_start(&input->server, err);
}

static void stop(void *self)
{
    struct beats_input *input = self;
    server_stop(&input->server);
}

static void close_input(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct beats_input *input = self;
    server_close(&input->server, closed, ctx);
}

/* One input under several names, as in Logstash; lumberjack differs before it opens. */
#define BEATS_INPUT(input_name, what, check_options, open_it)                                      \
    {                                                                                              \
        .plugin = {.name = (input_name),                                                           \
                   .summary = (what),                                                              \
                   .options = OPTIONS,                                                             \
                   .size = sizeof(struct beats_input),                                             \
                   .check = (check_options)},                                                      \
        .open = (open_it), .start = start, .stop = stop, .close = close_input,                     \
    }

const struct input input_beats = BEATS_INPUT(
    "beats", "Events from Filebeat and other Beats (Lumberjack over TCP)", check, open_input);

const struct input input_elastic_agent = BEATS_INPUT(
    "elastic_agent", "Events from Elastic Agent: beats under another name", check, open_input);

/* ---- lumberjack ---- */

/* The name of the first version's clients, who always come by TLS and whose events get nothing but what they carry. */
static void make_lumberjack(struct beats_options *options)
{
    static struct str nothing = STR_INIT("none");
    options->tls.enabled = true;
    if (options->enrich.count == 0)
        options->enrich = (struct option_strings){&nothing, 1};
}

static bool check_lumberjack(void *self, const struct plugin_env *env, struct error *err)
{
    make_lumberjack(self);
    return check(self, env, err);
}

static bool open_lumberjack(void *self, const struct plugin_env *env, struct error *err)
{
    struct beats_input *input = self;
    make_lumberjack(&input->options);
    return open_input(self, env, err);
}

const struct input input_lumberjack = BEATS_INPUT(
    "lumberjack", "Events from clients of Lumberjack 1, by TLS: beats under its older name",
    check_lumberjack, open_lumberjack);
