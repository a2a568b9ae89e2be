/* SPDX-License-Identifier: Apache-2.0
 *
 * gelf: messages over UDP, in one datagram or in chunks, as they are or compressed; and over TCP, each with a NUL behind it.
 */
#include <assert.h>

#include "inputs/datagrams.h"
#include "inputs/frame_server.h"
#include "inputs/gelf/chunks.h"
#include "inputs/gelf/message.h"
#include "inputs/inputs.h"
#include "io/gzip.h"

enum {
    GELF_DATAGRAM_BYTES = 65536,
    GELF_CHUNK_AGE_MS = 20 * 1000,
    GELF_LOG_WINDOW_MS = 10 * 1000,
};

struct gelf_input {
    struct str host;
    int64_t port, port_udp, port_tcp, max_connections, message_timeout_ms, max_message_bytes;
    int64_t max_chunked_messages, max_chunk_bytes;
    bool use_udp, use_tcp;
    struct gelf_rules rules;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct datagrams *datagrams;
    struct frame_server *server;
    struct chunks *chunks;
    struct gunzip *gunzip;
    struct buf whole, inflated;
    struct counter *given_up, *bad_chunks, *broken, *too_long;
    struct log_limit log_limit;
    unsigned closing;
    bool stopped;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- datagrams ------------------------------------------------------------------------------------ */

static void warn(struct gelf_input *input, struct counter *counter, uint64_t count,
                 const char *sentence, struct str sender)
{
    uint64_t suppressed;
    counter_add(counter, count);
    if (log_limit_allow(&input->log_limit, uv_now(input->env->loop), &suppressed))
        log_warn(input->env->log, "gelf_lost", sentence, LOG_STR("sender", sender),
                 LOG_INT_IF("not_logged_before", suppressed));
}

/* The two bytes of gzip, or those of zlib at any level. */
static bool is_compressed(struct str text)
{
    if (text.len < 2)
        return false;
    unsigned first = (unsigned char)text.ptr[0], second = (unsigned char)text.ptr[1];
    return (first == 0x1f && second == 0x8b) || (first == 0x78 && (first * 256 + second) % 31 == 0);
}

/* False: it is lost, which was said. */
static bool inflate(struct gelf_input *input, struct str *text, struct str sender)
{
    buf_clear(&input->inflated, GELF_DATAGRAM_BYTES);
    if (!input->gunzip)
        input->gunzip = gunzip_new();
    enum gunzip_result result = gunzip_add(input->gunzip, *text, &input->inflated);
    if (result == GUNZIP_OK && gunzip_is_whole(input->gunzip)) {
        *text = buf_str(&input->inflated);
        return true;
    }
    gunzip_free(input->gunzip);
    input->gunzip = NULL;
    if (result == GUNZIP_FULL)
        warn(input, input->too_long, 1, "a message is longer than max_message_bytes", sender);
    else
        warn(input, input->broken, 1, "a compressed message is broken", sender);
    return false;
}

static void take_text(struct gelf_input *input, struct stream *stream, struct str text,
                      struct str sender)
{
    struct arena *arena = stream_arena(stream);
    if (is_compressed(text)) {
        if (!inflate(input, &text, sender))
            return;
        text = arena_dup(arena, text);
    }
    stream_emit(stream, gelf_event(input->env->json, arena, text, sender, &input->rules));
}

static void take_chunk(struct gelf_input *input, struct stream *stream, struct str datagram,
                       struct str sender)
{
    uint64_t now_ms = uv_now(input->env->loop);
    enum chunk_result result = chunks_add(input->chunks, datagram, sender, now_ms, &input->whole);
    size_t given_up = chunks_given_up(input->chunks);
    if (given_up > 0)
        warn(input, input->given_up, given_up,
             "chunks of a message did not all come in time, or there are too many such messages",
             sender);
    if (result == CHUNK_BAD)
        warn(input, input->bad_chunks, 1, "a chunk is not one that can be", sender);
    if (result == CHUNK_COMPLETE)
        take_text(input, stream, arena_dup(stream_arena(stream), buf_str(&input->whole)), sender);
    buf_clear(&input->whole, GELF_DATAGRAM_BYTES);
}

static void take_datagram(void *ctx, struct stream *stream, struct str datagram)
{
    struct gelf_input *input = ctx;
    struct str sender = datagrams_sender(input->datagrams);
    if (chunk_is_one(datagram))
        take_chunk(input, stream, datagram, sender);
    else
        take_text(input, stream, datagram, sender);
}

/* ---- TCP ------------------------------------------------------------------------------------------ */

static void take_document(void *ctx, const struct frame_source *source, struct str document)
{
    const struct gelf_input *input = ctx;
    struct arena *arena = stream_arena(source->stream);
    stream_emit(source->stream,
                gelf_event(source->json, arena, document, source->address, &input->rules));
}

/* ---- the input ------------------------------------------------------------------------------------ */

static int64_t least(int64_t a, size_t b)
{
    return (uint64_t)a < b ? a : (int64_t)b;
}

static bool open_udp(struct gelf_input *input, struct error *err)
{
    const struct plugin_env *env = input->env;
    size_t most = (size_t)least(input->max_message_bytes, env->settings->max_event_bytes);
    struct chunks_limits limits = {
        .max_sets = (size_t)input->max_chunked_messages,
        .max_bytes = (size_t)input->max_chunk_bytes,
        .max_age_ms = GELF_CHUNK_AGE_MS,
    };
    struct datagrams_options options = {
        .env = env,
        .host = input->host,
        .port = input->port_udp > 0 ? input->port_udp : input->port,
        .max_bytes = GELF_DATAGRAM_BYTES,
        .codec_default = "plain",
        .ctx = input,
        .take = take_datagram,
    };
    input->chunks = chunks_new(&limits);
    buf_init(&input->whole, most);
    buf_init(&input->inflated, most);
    input->given_up = env->counter(env, "chunked_messages_given_up");
    input->bad_chunks = env->counter(env, "chunks_bad");
    input->broken = env->counter(env, "messages_broken");
    input->too_long = env->counter(env, "messages_too_long");
    input->datagrams = datagrams_new(&options, err);
    return input->datagrams != NULL;
}

static bool open_tcp(struct gelf_input *input, struct error *err)
{
    struct frame_server_options options = {
        .env = input->env,
        .waiting = "waiting for GELF over TCP",
        .host = input->host,
        .port = input->port_tcp > 0 ? input->port_tcp : input->port,
        .max_connections = input->max_connections,
        .max_frame_bytes = least(input->max_message_bytes, input->env->settings->max_event_bytes),
        .frame_timeout_ms = input->message_timeout_ms,
        .delimiter = '\0',
        .codec_default = "plain",
        .ctx = input,
        .take = take_document,
    };
    input->server = frame_server_new(&options, err);
    return input->server != NULL;
}

static bool gelf_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct gelf_input *input = self;
    input->env = env;
    input->log_limit = (struct log_limit){.window_ms = GELF_LOG_WINDOW_MS, .burst = 1};
    return (!input->use_udp || open_udp(input, err)) && (!input->use_tcp || open_tcp(input, err));
}

static bool gelf_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct gelf_input *input = self;
    (void)env;
    return input->use_udp || input->use_tcp ||
           error_set(err, ERROR_CONFIG, "neither use_udp nor use_tcp: nothing would be received");
}

static bool gelf_start(void *self, struct error *err)
{
    struct gelf_input *input = self;
    (void)err;
    assert(input->datagrams || input->server);
    if (input->datagrams)
        datagrams_start(input->datagrams);
    if (input->server)
        frame_server_start(input->server);
    return true;
}

static void gelf_stop(void *self)
{
    struct gelf_input *input = self;
    if (input->stopped)
        return;
    input->stopped = true;
    if (input->datagrams)
        datagrams_stop(input->datagrams);
    if (input->server)
        frame_server_stop(input->server);
    else
        input_finished(input->env);
}

static void closed_part(void *ctx)
{
    struct gelf_input *input = ctx;
    assert(input->closing > 0);
    if (--input->closing > 0)
        return;
    if (input->chunks) {
        buf_release(&input->whole);
        buf_release(&input->inflated);
    }
    chunks_free(input->chunks);
    gunzip_free(input->gunzip);
    input->closed(input->closed_ctx);
}

static void gelf_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct gelf_input *input = self;
    input->closed = closed;
    input->closed_ctx = ctx;
    input->closing = 1u + (input->datagrams != NULL) + (input->server != NULL);
    if (input->datagrams)
        datagrams_close(input->datagrams, closed_part, input);
    if (input->server)
        frame_server_close(input->server, closed_part, input);
    closed_part(input);
}

static const struct option gelf_options[] = {
    {
        .name = "host",
        .doc = "The address to receive on.",
        OPTION_IN_STRING(struct gelf_input, host),
        .def = "0.0.0.0",
    },
    {
        .name = "port",
        .doc = "The port to receive on, UDP and TCP.",
        OPTION_IN_INT(struct gelf_input, port),
        .min = 0,
        .max = 65535,
        .def = "12201",
    },
    {
        .name = "port_udp",
        .doc = "Another port for UDP; 0: port.",
        OPTION_IN_INT(struct gelf_input, port_udp),
        .min = 0,
        .max = 65535,
        .def = "0",
    },
    {
        .name = "port_tcp",
        .doc = "Another port for TCP; 0: port.",
        OPTION_IN_INT(struct gelf_input, port_tcp),
        .min = 0,
        .max = 65535,
        .def = "0",
    },
    {
        .name = "use_udp",
        .doc = "Receive datagrams.",
        OPTION_IN_BOOL(struct gelf_input, use_udp),
        .def = "true",
    },
    {
        .name = "use_tcp",
        .doc = "Receive documents over TCP, each with a NUL behind it, not compressed.",
        OPTION_IN_BOOL(struct gelf_input, use_tcp),
        .def = "false",
    },
    {
        .name = "remap",
        .doc = "full_message, or else short_message, becomes message.",
        OPTION_IN_BOOL(struct gelf_input, rules.remap),
        .def = "true",
    },
    {
        .name = "strip_leading_underscore",
        .doc = "A field _x becomes x.",
        OPTION_IN_BOOL(struct gelf_input, rules.strip_underscore),
        .def = "true",
    },
    {
        .name = "codec",
        .doc = "Has no effect: messages are JSON.",
        OPTION_IN_CODEC(struct gelf_input, codec),
    },
    {
        .name = "max_chunked_messages",
        .doc = "Messages whose chunks have not all come, at most; the oldest makes way.",
        OPTION_IN_INT(struct gelf_input, max_chunked_messages),
        .min = 1,
        .max = 1000000,
        .def = "1000",
    },
    {
        .name = "max_chunk_bytes",
        .doc = "Bytes of such chunks, at most.",
        OPTION_IN_BYTES(struct gelf_input, max_chunk_bytes),
        .min = 65536,
        .max = 1073741824,
        .def = "8 MiB",
    },
    {
        .name = "max_message_bytes",
        .doc = "Longest message, inflated; longer ones are left out and counted.",
        OPTION_IN_BYTES(struct gelf_input, max_message_bytes),
        .min = 1024,
        .max = 268435456,
        .def = "8 MiB",
    },
    {
        .name = "max_connections",
        .doc = "Largest number of TCP connections at once; more are closed at once.",
        OPTION_IN_INT(struct gelf_input, max_connections),
        .min = 1,
        .max = 1000000,
        .def = "10000",
    },
    {
        .name = "message_timeout",
        .doc = "Seconds that a message may take to arrive whole over TCP; then the connection is "
               "closed. 0: any time.",
        OPTION_IN_DURATION_MS(struct gelf_input, message_timeout_ms),
        .min = 0,
        .max = 2147483647,
        .def = "60",
    },
    OPTION_END,
};

const struct input input_gelf = {
    .plugin = {.name = "gelf",
               .summary = "messages of Graylog's GELF over UDP and TCP",
               .options = gelf_options,
               .size = sizeof(struct gelf_input),
               .scope = SCOPE_PIPELINE,
               .check = gelf_check},
    .open = gelf_open,
    .start = gelf_start,
    .stop = gelf_stop,
    .close = gelf_close,
};
