/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/datagrams.h"

#include <assert.h>

#include "base/mem.h"
#include "conf/listen_at.h"
#include "io/listen_socket.h"
#include "io/loop_timer.h"
#include "io/udp_socket.h"

enum {
    ADMITTED_BYTES = 128 * 1024, /* asked of the budget for a round */
    RECEIVES_OF_A_BATCH = 4,
    BATCHES_OF_A_TURN = 4, /* then everything else on the loop has its turn */
    BATCHES_AT_STOP = 4096,
    BIND_AGAIN_MS = 5000,
    LOG_WINDOW_MS = 10 * 1000,
};

enum datagrams_state { DATAGRAMS_CLOSED, DATAGRAMS_READING, DATAGRAMS_WAITING, DATAGRAMS_STOPPED };

struct datagrams {
    struct origin origin; /* first */
    struct datagrams_options options;
    enum datagrams_state state;
    struct stream *stream;
    struct udp_socket *socket;
    struct loop_timer *again;
    uv_poll_t poll;
    bool poll_open;
    uint64_t token;
    const struct sockaddr_storage *from; /* of the datagram that is taken */
    struct sockaddr_storage last_from;
    struct str sender; /* last_from as text, in the arena of the current batch; ptr NULL: not yet */
    struct counter *taken, *lost, *cut;
    struct log_limit log_limit;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* nobody waits for it */
    (void)token;
}

static void complete(struct origin *origin, struct event *event)
{
    const struct datagrams *datagrams = (const struct datagrams *)origin;
    if (datagrams->options.complete)
        datagrams->options.complete(datagrams->options.ctx, event);
}

struct str datagrams_sender(struct datagrams *datagrams)
{
    assert(datagrams->from);
    if (datagrams->sender.ptr && udp_address_equal(datagrams->from, &datagrams->last_from))
        return datagrams->sender;
    char text[UDP_ADDRESS_TEXT_MAX];
    udp_address_text(datagrams->from, text);
    datagrams->last_from = *datagrams->from;
    datagrams->sender = arena_dup(stream_arena(datagrams->stream), str_from(text));
    return datagrams->sender;
}

/* ---- losses --------------------------------------------------------------------------------------- */

static uint64_t now_ms(const struct datagrams *datagrams)
{
    return uv_now(datagrams->options.env->loop);
}

static void note_lost(struct datagrams *datagrams)
{
    uint64_t suppressed, lost = udp_socket_lost(datagrams->socket);
    if (lost == 0)
        return;
    counter_add(datagrams->lost, lost);
    if (log_limit_allow(&datagrams->log_limit, now_ms(datagrams), &suppressed))
        log_warn(datagrams->options.env->log, "datagrams_lost",
                 "datagrams came faster than they could be taken and the kernel had no room: raise "
                 "receive_buffer_bytes, with the system's net.core.rmem_max",
                 LOG_INT("port", datagrams->options.port), LOG_INT("lost", lost),
                 LOG_INT("lost_in_all", counter_read(datagrams->lost)));
}

/* ---- reading -------------------------------------------------------------------------------------- */

static void take(struct datagrams *datagrams, const struct udp_datagram *datagram)
{
    struct stream *stream = datagrams->stream;
    if (datagram->is_cut)
        counter_add(datagrams->cut, 1);
    if (datagram->bytes.len == 0)
        return;
    datagrams->from = datagram->from;
    struct str bytes = arena_dup(stream_arena(stream), datagram->bytes);
    if (datagrams->options.take) {
        datagrams->options.take(datagrams->options.ctx, stream, bytes);
    } else {
        stream_decode(stream, bytes);
        stream_flush_codec(stream);
    }
    datagrams->from = NULL;
}

static void hand_over(struct datagrams *datagrams)
{
    datagrams->sender = STR("");
    datagrams->sender.ptr = NULL;
    if (stream_count(datagrams->stream) > 0)
        stream_hand_over(datagrams->stream, ++datagrams->token);
}

/* A batch of what has arrived. False: nothing more is there, or there is no memory. */
static bool read_batch(struct datagrams *datagrams)
{
    struct udp_datagram received[UDP_RECEIVE_MAX];
    size_t count = UDP_RECEIVE_MAX;
    for (unsigned i = 0; i < RECEIVES_OF_A_BATCH && count == UDP_RECEIVE_MAX; i++) {
        if (!stream_admit(datagrams->stream, ADMITTED_BYTES)) {
            hand_over(datagrams);
            datagrams->state = DATAGRAMS_WAITING;
            return false;
        }
        count = udp_socket_receive(datagrams->socket, received);
        counter_add(datagrams->taken, count);
        for (size_t j = 0; j < count; j++)
            take(datagrams, &received[j]);
        if (stream_full(datagrams->stream))
            break;
    }
    hand_over(datagrams);
    return count == UDP_RECEIVE_MAX;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct datagrams *datagrams = poll->data;
    (void)status;
    (void)events;
    assert(datagrams->state == DATAGRAMS_READING);
    unsigned batches = 0;
    while (read_batch(datagrams) && ++batches < BATCHES_OF_A_TURN)
        ;
    note_lost(datagrams);
    if (datagrams->state == DATAGRAMS_WAITING)
        uv_poll_stop(&datagrams->poll);
    else if (batches < BATCHES_OF_A_TURN)
        stream_rest(datagrams->stream);
}

static void resume(struct origin *origin)
{
    struct datagrams *datagrams = (struct datagrams *)origin;
    if (datagrams->state != DATAGRAMS_WAITING)
        return;
    datagrams->state = DATAGRAMS_READING;
    uv_poll_start(&datagrams->poll, UV_READABLE, on_readable);
}

/* ---- opening -------------------------------------------------------------------------------------- */

struct datagrams *datagrams_new(const struct datagrams_options *options, struct error *err)
{
    const struct plugin_env *env = options->env;
    struct datagrams *datagrams = mem_zero(1, sizeof *datagrams);
    datagrams->options = *options;
    datagrams->origin = (struct origin){.acked = acked, .resume = resume};
    datagrams->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    datagrams->taken = env->counter(env, "datagrams");
    datagrams->lost = env->counter(env, "datagrams_lost");
    datagrams->cut = env->counter(env, "datagrams_cut");
    listen_at_lead(env->settings->listen_at, &datagrams->options.host, &datagrams->options.port);
    struct stream_options stream = {
        .env = env,
        .origin = &datagrams->origin,
        .codec = options->codec,
        .codec_default = options->codec_default,
        .complete = complete,
    };
    datagrams->stream = stream_open(&stream, err);
    if (datagrams->stream)
        return datagrams;
    mem_free(datagrams);
    return NULL;
}

static bool watch(struct datagrams *datagrams, struct error *err)
{
    int failed = uv_poll_init_socket(datagrams->options.env->loop, &datagrams->poll,
                                     udp_socket_fd(datagrams->socket));
    if (failed)
        return error_set(err, ERROR_IO, "cannot watch the socket: %s", uv_strerror(failed));
    datagrams->poll.data = datagrams;
    datagrams->poll_open = true;
    datagrams->state = DATAGRAMS_READING;
    uv_poll_start(&datagrams->poll, UV_READABLE, on_readable);
    return true;
}

static void say_listening(struct datagrams *datagrams)
{
    const struct datagrams_options *options = &datagrams->options;
    char address[LISTEN_SOCKET_ADDRESS_MAX];
    size_t granted = udp_socket_receive_buffer(datagrams->socket);
    uint16_t port = listen_socket_address(udp_socket_fd(datagrams->socket), address);
    log_info(options->env->log, "listening", "waiting for datagrams",
             LOG_STR("host", options->host), LOG_INT("port", port),
             LOG_INT("receive_buffer", granted));
    if (options->receive_buffer_bytes > 0 && granted < 2 * (size_t)options->receive_buffer_bytes)
        log_warn(options->env->log, "receive_buffer_small",
                 "the system gives less than receive_buffer_bytes: raise net.core.rmem_max",
                 LOG_INT("wanted", options->receive_buffer_bytes), LOG_INT("given", granted / 2));
}

static void begin(void *ctx)
{
    struct datagrams *datagrams = ctx;
    const struct datagrams_options *options = &datagrams->options;
    struct error err;
    struct udp_socket_options socket = {
        .host = arena_cstr(options->env->arena, options->host),
        .port = (uint16_t)options->port,
        .max_bytes = (size_t)options->max_bytes,
        .receive_buffer_bytes = (size_t)options->receive_buffer_bytes,
    };
    assert(datagrams->state == DATAGRAMS_CLOSED && !datagrams->socket);
    datagrams->socket = udp_socket_new(&socket, &err);
    if (datagrams->socket && watch(datagrams, &err)) {
        say_listening(datagrams);
        return;
    }
    udp_socket_free(datagrams->socket);
    datagrams->socket = NULL;
    log_error(options->env->log, "listen_failed", err.text,
              LOG_INT("next_try_in_s", BIND_AGAIN_MS / 1000));
    loop_timer_start(datagrams->again, BIND_AGAIN_MS);
}

void datagrams_start(struct datagrams *datagrams)
{
    datagrams->again = loop_timer_new(datagrams->options.env->loop, begin, datagrams);
    begin(datagrams);
}

/* ---- the end -------------------------------------------------------------------------------------- */

/* What the kernel has of it was sent to us while we were there. */
static void read_rest(struct datagrams *datagrams)
{
    for (unsigned i = 0; i < BATCHES_AT_STOP && read_batch(datagrams); i++)
        ;
    note_lost(datagrams);
}

void datagrams_stop(struct datagrams *datagrams)
{
    if (datagrams->state == DATAGRAMS_STOPPED)
        return;
    if (datagrams->again)
        loop_timer_stop(datagrams->again);
    if (datagrams->poll_open)
        uv_poll_stop(&datagrams->poll);
    if (datagrams->state == DATAGRAMS_READING)
        read_rest(datagrams);
    datagrams->state = DATAGRAMS_STOPPED;
}

static void on_closed(uv_handle_t *handle)
{
    struct datagrams *datagrams = handle->data;
    void (*closed)(void *ctx) = datagrams->closed;
    void *ctx = datagrams->closed_ctx;
    udp_socket_free(datagrams->socket);
    mem_free(datagrams);
    closed(ctx);
}

void datagrams_close(struct datagrams *datagrams, void (*closed)(void *ctx), void *ctx)
{
    stream_close(datagrams->stream);
    loop_timer_close(datagrams->again);
    datagrams->closed = closed;
    datagrams->closed_ctx = ctx;
    if (datagrams->poll_open) {
        uv_close((uv_handle_t *)&datagrams->poll, on_closed);
        return;
    }
    udp_socket_free(datagrams->socket);
    mem_free(datagrams);
    closed(ctx);
}
