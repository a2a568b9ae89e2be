/* SPDX-License-Identifier: Apache-2.0
 *
 * A client:   SHAKING (TLS only) ── opened ──▶ OPEN ── it hangs up, fails, or is too far behind ──▶ CLOSED ──▶ freed
 *
 * What is to be sent to it waits in `waiting` while `flying` is being written.
 */
#include <assert.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/machine.h"
#include "base/mem.h"
#include "conf/listen_at.h"
#include "io/loop_timer.h"
#include "io/tcp_stream.h"
#include "io/tls_stream.h"
#include "outputs/tcp/tcp.h"
#include "pipeline/engine/budget.h"

enum { CLIENT_ROOM_BYTES = 4096, CLIENTS_LOG_WINDOW_MS = 10 * 1000, CLIENTS_LAST_CALL_MS = 1000 };

struct tcp_client {
    struct tcp_clients *home;
    struct tcp_client *previous, *next;
    struct byte_stream *stream;
    struct peer_address peer;
    struct buf waiting, flying;
    bool is_open, writing, closed;
};

struct tcp_clients {
    struct tcp_output *output;
    struct listener *listener;
    struct tls_context *tls;
    struct tcp_client *clients;
    size_t count;
    struct counter *accepted, *refused, *too_slow, *unheard;
    struct log_limit log_limit;
    bool closing;
    struct loop_timer *last_call;
    char room[CLIENT_ROOM_BYTES]; /* for what clients say */
};

static void say(struct tcp_clients *clients, const char *event, const char *sentence,
                const struct tcp_client *client, const char *reason)
{
    const struct plugin_env *env = clients->output->env;
    uint64_t suppressed;
    if (log_limit_allow(&clients->log_limit, uv_now(env->loop), &suppressed))
        log_warn(env->log, event, sentence, LOG_CSTR_IF("client", client ? client->peer.text : ""),
                 LOG_CSTR_IF("reason", reason), LOG_INT_IF("not_logged_before", suppressed));
}

static void free_if_over(struct tcp_clients *clients)
{
    if (!clients->closing || clients->clients || clients->listener)
        return;
    loop_timer_close(clients->last_call);
    tls_context_free(clients->tls);
    mem_free(clients);
}

/* ---- one client ---- */

static void hang_up(struct tcp_client *client)
{
    if (client->closed)
        return;
    client->closed = true;
    byte_stream_close(client->stream);
}

static uv_buf_t on_room(void *ctx)
{
    struct tcp_client *client = ctx;
    return uv_buf_init(client->home->room, sizeof client->home->room);
}

static void on_read(void *ctx, struct str bytes)
{
    (void)ctx, (void)bytes;
}

static void on_ended(void *ctx, int status)
{
    struct tcp_client *client = ctx;
    if (!client->is_open) {
        const char *reason = tls_stream_reason(client->stream);
        say(client->home, "handshake_failed", "a client could not agree on TLS", client,
            reason ? reason : uv_strerror(status));
    }
    hang_up(client);
}

/* Everything that waits, in one write. */
static void write_on(struct tcp_client *client)
{
    if (client->writing || client->closed || client->waiting.len == 0)
        return;
    buf_move(&client->flying, &client->waiting);
    client->writing = byte_stream_write(client->stream, buf_str(&client->flying)) == 0;
    if (!client->writing)
        hang_up(client);
}

static void on_written(void *ctx, int status)
{
    struct tcp_client *client = ctx;
    client->writing = false;
    if (status != 0)
        hang_up(client);
    buf_release(&client->flying);
    write_on(client);
    if (client->home->closing && !client->writing)
        hang_up(client);
}

static void on_shut(void *ctx, int status)
{
    (void)ctx, (void)status;
}

static void on_closed(void *ctx)
{
    struct tcp_client *client = ctx;
    struct tcp_clients *clients = client->home;
    assert(!client->writing);
    if (client->previous)
        client->previous->next = client->next;
    else
        clients->clients = client->next;
    if (client->next)
        client->next->previous = client->previous;
    clients->count--;
    buf_release(&client->waiting);
    buf_release(&client->flying);
    mem_free(client);
    free_if_over(clients);
}

static void on_opened(void *ctx)
{
    struct tcp_client *client = ctx;
    client->is_open = true;
    if (byte_stream_read_start(client->stream) != 0)
        hang_up(client);
}

static const struct byte_stream_handler HANDLER = {
    .room = on_room,
    .read = on_read,
    .ended = on_ended,
    .written = on_written,
    .shut = on_shut,
    .closed = on_closed,
    .opened = on_opened,
};

/* ---- accepting ---- */

static void refresh_tls(struct tcp_clients *clients)
{
    struct error err;
    if (clients->tls && tls_context_refresh(clients->tls, &err) == TLS_KEPT_OLD)
        say(clients, "certificates_kept",
            "certificates changed on disk and cannot be used: the old ones stay", NULL, err.text);
}

static struct account *account_of(struct tcp_clients *clients)
{
    return engine_account(clients->output->env->engine, BUDGET_GROUPS);
}

static void open_stream(struct tcp_client *client, int fd)
{
    struct tcp_clients *clients = client->home;
    const struct tcp_output *output = clients->output;
    client->stream = tcp_stream_new(output->env->loop, fd, &HANDLER, client);
    if (!clients->tls) {
        on_opened(client);
        return;
    }
    refresh_tls(clients);
    client->stream = tls_stream_new(&(struct tls_stream_options){
        .below = client->stream,
        .use = tls_context_use(clients->tls),
        .is_server = true,
        .handshake_timeout_ms = (unsigned)output->options.tls.handshake_timeout_ms,
        .charged = account_of(clients),
        .handler = &HANDLER,
        .ctx = client,
    });
}

static void on_accepted(void *ctx, int fd, const struct peer_address *peer)
{
    struct tcp_clients *clients = ctx;
    const struct tcp_output_options *options = &clients->output->options;
    if (clients->count >= (size_t)options->max_connections ||
        (size_t)fd >= machine_descriptors_for_inputs()) {
        counter_add(clients->refused, 1);
        say(clients, "connection_refused",
            "a client was turned away: max_connections or the limit of descriptors is reached",
            NULL, "");
        close(fd);
        return;
    }
    struct tcp_client *client = mem_zero(1, sizeof *client);
    client->home = clients;
    client->peer = *peer;
    buf_init(&client->waiting, (size_t)options->max_client_bytes);
    buf_init(&client->flying, (size_t)options->max_client_bytes);
    client->waiting.charged = client->flying.charged = account_of(clients);
    client->next = clients->clients;
    if (client->next)
        client->next->previous = client;
    clients->clients = client;
    clients->count++;
    counter_add(clients->accepted, 1);
    open_stream(client, fd);
}

static void on_exhausted(void *ctx)
{
    say(ctx, "accept_failed", "no connection can be accepted for now: out of descriptors", NULL,
        "");
}

static const struct listener_handler LISTENER_HANDLER = {on_accepted, on_exhausted};

/* ---- the output's ---- */

struct tcp_clients *clients_open(struct tcp_output *output, struct tls_context *tls,
                                 struct error *err)
{
    const struct plugin_env *env = output->env;
    struct tcp_clients *clients = mem_zero(1, sizeof *clients);
    struct str host = output->options.host;
    int64_t port = output->options.port;
    if (env->settings)
        listen_at_lead(env->settings->listen_at, &host, &port);
    clients->output = output;
    clients->tls = tls;
    clients->log_limit = (struct log_limit){.window_ms = CLIENTS_LOG_WINDOW_MS, .burst = 3};
    clients->accepted = env->counter(env, "connections_accepted");
    clients->refused = env->counter(env, "connections_refused");
    clients->too_slow = env->counter(env, "clients_too_slow");
    clients->unheard = env->counter(env, "events_without_client");
    clients->listener = listener_bind(arena_cstr(env->arena, host), (uint16_t)port, err);
    if (clients->listener &&
        listener_start(clients->listener, env->loop, &LISTENER_HANDLER, clients, err)) {
        log_info(env->log, "listening", "waiting for TCP clients to send to", LOG_STR("host", host),
                 LOG_INT("port", listener_port(clients->listener)));
        return clients;
    }
    clients_close(clients);
    return NULL;
}

void clients_send(struct tcp_clients *clients, struct str bytes)
{
    bool heard = false;
    struct tcp_client *next;
    for (struct tcp_client *client = clients->clients; client; client = next) {
        next = client->next;
        if (!client->is_open || client->closed)
            continue;
        heard = true;
        if (buf_append_str(&client->waiting, bytes)) {
            write_on(client);
            continue;
        }
        counter_add(clients->too_slow, 1);
        say(clients, "client_too_slow",
            "a client that reads too slowly is disconnected: max_client_bytes wait for it", client,
            "");
        hang_up(client);
    }
    if (!heard)
        counter_add(clients->unheard, 1);
}

static void on_listener_closed(void *ctx)
{
    struct tcp_clients *clients = ctx;
    clients->listener = NULL;
    free_if_over(clients);
}

/* What has been answered as delivered has a moment to go out. */
static void on_last_call(void *ctx)
{
    struct tcp_clients *clients = ctx;
    for (struct tcp_client *client = clients->clients; client; client = client->next)
        hang_up(client);
}

void clients_close(struct tcp_clients *clients)
{
    struct listener *listener = clients->listener;
    clients->closing = true;
    clients->last_call = loop_timer_new(clients->output->env->loop, on_last_call, clients);
    loop_timer_start(clients->last_call, CLIENTS_LAST_CALL_MS);
    for (struct tcp_client *client = clients->clients; client; client = client->next)
        if (!client->writing)
            hang_up(client);
    if (listener)
        listener_close(listener, on_listener_closed, clients);
    else
        free_if_over(clients);
}
