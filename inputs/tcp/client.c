/* SPDX-License-Identifier: Apache-2.0
 *
 * Client mode: one connection at a time, to a server that sends.
 *
 *   CONNECTING ── connected ──▶ READING ── the server's end ──▶ CLOSING ── closed ──▶ WAITING ──▶ CONNECTING
 *   CONNECTING ── failed ──▶ WAITING
 *   any ── client_stop ──▶ STOPPED
 *
 * After a connection that brought something the next one follows at once, as in Logstash, else after a second.
 */
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "inputs/tcp/tcp.h"
#include "io/connector.h"
#include "pipeline/engine/budget.h"

enum { RETRY_MS = 1000, CLIENT_READ_BYTES = 64 * 1024, CLIENT_LOG_WINDOW_MS = 60 * 1000 };

enum client_state {
    CLIENT_WAITING,
    CLIENT_CONNECTING,
    CLIENT_READING,
    CLIENT_CLOSING,
    CLIENT_STOPPED
};

struct tcp_client {
    struct codec_intake intake; /* first */
    struct tcp_input *input;
    struct tls_context *tls;
    const char *host;
    enum client_state state;
    struct connector *connector; /* CONNECTING */
    struct byte_stream *stream;  /* READING, CLOSING */
    struct tcp_source source;
    struct loop_timer *retry;
    struct log_limit log_limit;
    char *room;
    bool stopped, brought;
    unsigned parts; /* what client_close waits for */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void end_part(void *ctx)
{
    struct tcp_client *client = ctx;
    assert(client->parts > 0);
    if (--client->parts > 0)
        return;
    void (*closed)(void *ctx) = client->closed;
    void *closed_ctx = client->closed_ctx;
    loop_timer_close(client->retry);
    tls_context_free(client->tls);
    mem_free(client->room);
    mem_free(client);
    closed(closed_ctx);
}

static void set_state(struct tcp_client *client, enum client_state state)
{
    assert(client->state != CLIENT_STOPPED);
    client->state = state;
}

static void wait_to_retry(struct tcp_client *client, uint64_t delay_ms)
{
    set_state(client, CLIENT_WAITING);
    loop_timer_start(client->retry, delay_ms);
}

static void complain(struct tcp_client *client, const char *sentence, const char *reason)
{
    uint64_t suppressed;
    if (log_limit_allow(&client->log_limit, uv_now(client->input->env->loop), &suppressed))
        log_warn(client->input->env->log, "server_lost", sentence, LOG_CSTR("host", client->host),
                 LOG_INT("port", client->input->options.port), LOG_CSTR("reason", reason),
                 LOG_INT_IF("not_logged_before", suppressed));
}

/* ---- the connection ---- */

static uv_buf_t on_room(void *ctx)
{
    struct tcp_client *client = ctx;
    return uv_buf_init(client->room, CLIENT_READ_BYTES);
}

static void end_reading(struct tcp_client *client)
{
    set_state(client, CLIENT_CLOSING);
    codec_intake_end(&client->intake);
    byte_stream_close(client->stream);
}

static void on_read(void *ctx, struct str bytes)
{
    struct tcp_client *client = ctx;
    bool more = bytes.len == CLIENT_READ_BYTES;
    server_count(client->input->bytes, bytes.len);
    client->brought = true;
    if (client->source.waits_for_header && !source_take_header(&client->source, &bytes)) {
        server_count(client->input->proxy_errors, 1);
        complain(client, "the server sent no PROXY header: the connection is closed", "");
        client->brought = false;
        end_reading(client);
    } else if (bytes.len > 0) {
        codec_intake_take(&client->intake, bytes, more);
    }
}

static void on_ended(void *ctx, int status)
{
    struct tcp_client *client = ctx;
    if (status != UV_EOF)
        complain(client, "the connection to the server broke", uv_strerror(status));
    end_reading(client);
}

static void on_closed(void *ctx)
{
    struct tcp_client *client = ctx;
    client->stream = NULL;
    codec_intake_close(&client->intake);
    if (client->stopped)
        end_part(client);
    else
        wait_to_retry(client, client->brought ? 0 : RETRY_MS);
}

static void ignore(void *ctx, int status)
{
    (void)ctx, (void)status; /* nothing is written */
}

static const struct byte_stream_handler HANDLER = {
    .room = on_room,
    .read = on_read,
    .ended = on_ended,
    .written = ignore,
    .shut = ignore,
    .closed = on_closed,
};

static struct tcp_client *of_origin(struct origin *origin)
{
    return (struct tcp_client *)(void *)origin;
}

static void decorate(struct origin *origin, struct event *event)
{
    source_decorate(&of_origin(origin)->source, event);
}

static void on_handed_over(struct codec_intake *intake)
{
    source_batch_ended(&((struct tcp_client *)(void *)intake)->source);
}

static void on_connected(void *ctx, struct byte_stream *stream, const struct peer_address *peer)
{
    struct tcp_client *client = ctx;
    const struct tcp_input *input = client->input;
    struct error err;
    struct stream_options options = {
        .env = input->env,
        .codec = input->options.codec,
        .codec_default = "line",
        .line_based = true,
        .decorate = decorate,
    };
    client->connector = NULL;
    client->stream = stream;
    client->brought = false;
    set_state(client, CLIENT_READING);
    client->intake = (struct codec_intake){.socket = stream, .handed_over = on_handed_over};
    client->source = (struct tcp_source){0};
    source_init(&client->source, input, peer);
    if (client->tls)
        source_set_subject(&client->source, stream);
    if (!codec_intake_open(&client->intake, input->env->lane, &options, &err)) {
        complain(client, "what the server sends cannot be taken", err.text);
        end_reading(client);
        return;
    }
    log_info(input->env->log, "connected", "reading from the server",
             LOG_CSTR("host", client->host), LOG_INT("port", input->options.port));
    if (byte_stream_read_start(stream) != 0)
        end_reading(client);
}

static void on_failed(void *ctx, const char *reason)
{
    struct tcp_client *client = ctx;
    client->connector = NULL;
    complain(client, "the server cannot be reached, trying again", reason);
    wait_to_retry(client, RETRY_MS);
}

/* Certificates that changed on disk are taken for the next connection. */
static void refresh_tls(struct tcp_client *client)
{
    struct error err;
    if (client->tls && tls_context_refresh(client->tls, &err) == TLS_KEPT_OLD)
        complain(client, "certificates changed on disk and cannot be used: the old ones stay",
                 err.text);
}

static void connect_now(void *ctx)
{
    struct tcp_client *client = ctx;
    const struct tcp_input *input = client->input;
    refresh_tls(client);
    struct connector_options options = {
        .loop = input->env->loop,
        .host = client->host,
        .port = (uint16_t)input->options.port,
        .timeout_ms = (unsigned)input->options.tls.handshake_timeout_ms,
        .tls = client->tls,
        .keep_alive = input->options.keep_alive,
        .charged = engine_account(input->env->engine, BUDGET_RECEIVE),
        .handler = &HANDLER,
        .connected = on_connected,
        .failed = on_failed,
        .ctx = client,
    };
    set_state(client, CLIENT_CONNECTING);
    client->connector = connector_start(&options);
}

/* ---- the life of the client ---- */

struct tcp_client *client_open(struct tcp_input *input, struct tls_context *tls)
{
    struct tcp_client *client = mem_zero(1, sizeof *client);
    client->input = input;
    client->tls = tls;
    client->host = arena_cstr(input->env->arena, input->options.host);
    client->log_limit = (struct log_limit){.window_ms = CLIENT_LOG_WINDOW_MS, .burst = 3};
    client->room = mem_alloc(CLIENT_READ_BYTES);
    client->retry = loop_timer_new(input->env->loop, connect_now, client);
    return client;
}

void client_start(struct tcp_client *client)
{
    connect_now(client);
}

bool client_stop(struct tcp_client *client)
{
    if (client->stopped)
        return false;
    enum client_state before = client->state;
    client->stopped = true;
    client->parts = 1; /* client_close */
    loop_timer_stop(client->retry);
    if (before == CLIENT_READING)
        end_reading(client);
    if (before == CLIENT_CONNECTING) {
        client->parts++;
        connector_cancel(client->connector, end_part, client);
        client->connector = NULL;
    } else if (client->stream) {
        client->parts++;
    }
    client->state = CLIENT_STOPPED;
    return true;
}

void client_close(struct tcp_client *client, void (*closed)(void *ctx), void *ctx)
{
    client_stop(client);
    client->closed = closed;
    client->closed_ctx = ctx;
    end_part(client);
}
