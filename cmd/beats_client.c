/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/beats_client.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

enum client_state {
    CLIENT_WAITING,
    CLIENT_CONNECTING,
    CLIENT_READY,
    CLIENT_CLOSING,
    CLIENT_STOPPED
};

enum {
    CLIENT_TICK_MS = 50,
    CLIENT_RETRY_FIRST_MS = 100,
    CLIENT_RETRY_MAX_MS = 10000,
    ACK_BYTES = 6,
    CLIENT_READ_BYTES = 4096,
};

struct beats_client {
    struct beats_client_options options;
    enum client_state state;
    bool stopping;
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_connect_t connect;
    struct beats_window *first, **end; /* to be sent or acknowledged, in order */
    struct beats_window *unsent;       /* the first of them that is not on the wire */
    unsigned in_flight;
    unsigned char ack[ACK_BYTES];
    size_t ack_len;
    uint64_t heard_ms; /* or began to connect, or to wait for an answer */
    uint64_t retry_ms, retry_at_ms;
    struct beats_client_figures figures;
    char read_buffer[CLIENT_READ_BYTES];
};

static uint64_t now_ms(const struct beats_client *client)
{
    return uv_now(client->options.loop);
}

static void begin_connecting(struct beats_client *client);

/* ---- the end of a connection ---- */

static void on_closed(uv_handle_t *handle)
{
    struct beats_client *client = handle->data;
    client->unsent = client->first;
    client->in_flight = 0;
    client->ack_len = 0;
    client->state = client->stopping ? CLIENT_STOPPED : CLIENT_WAITING;
}

static void close_socket(struct beats_client *client)
{
    assert(client->state == CLIENT_CONNECTING || client->state == CLIENT_READY);
    client->state = CLIENT_CLOSING;
    uv_close((uv_handle_t *)&client->tcp, on_closed);
}

/* Half of the time is fixed, half is chance, so that many clients do not come back together. */
static void fail(struct beats_client *client, const char *reason)
{
    if (client->state == CLIENT_CLOSING || client->state == CLIENT_STOPPED)
        return;
    uint64_t wait_ms = client->retry_ms / 2 + (uint64_t)random() % (client->retry_ms / 2 + 1);
    client->retry_at_ms = now_ms(client) + wait_ms;
    client->retry_ms =
        client->retry_ms * 2 < CLIENT_RETRY_MAX_MS ? client->retry_ms * 2 : CLIENT_RETRY_MAX_MS;
    close_socket(client);
    client->options.owner->lost(client->options.owner, reason, wait_ms);
}

/* ---- acknowledgements ---- */

static void take_window_off(struct beats_client *client)
{
    struct beats_window *window = client->first;
    client->first = window->next;
    if (!client->first)
        client->end = &client->first;
    client->in_flight--;
    client->retry_ms = CLIENT_RETRY_FIRST_MS;
    window->acked = true;
    if (!window->writing)
        client->options.owner->acked(client->options.owner, window);
}

static void take_ack(struct beats_client *client)
{
    const unsigned char *ack = client->ack;
    uint32_t sequence =
        (uint32_t)ack[2] << 24 | (uint32_t)ack[3] << 16 | (uint32_t)ack[4] << 8 | ack[5];
    if (ack[0] != '2' || ack[1] != 'A') {
        fail(client, "the server's answer is no acknowledgement");
    } else if (sequence == 0) {
        client->figures.keepalives++;
    } else if (client->in_flight == 0 || sequence > client->first->events) {
        fail(client, "the server acknowledged what was not sent");
    } else if (sequence == client->first->events) {
        take_window_off(client);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct beats_client *client = handle->data;
    (void)suggested;
    *out = uv_buf_init(client->read_buffer, sizeof client->read_buffer);
}

static void on_read(uv_stream_t *socket, ssize_t len, const uv_buf_t *buf)
{
    struct beats_client *client = socket->data;
    if (len < 0) {
        fail(client, len == UV_EOF ? "the server closed the connection" : uv_strerror((int)len));
        return;
    }
    client->heard_ms = now_ms(client);
    for (ssize_t i = 0; i < len && client->state == CLIENT_READY; i++) {
        client->ack[client->ack_len++] = (unsigned char)buf->base[i];
        if (client->ack_len == ACK_BYTES) {
            client->ack_len = 0;
            take_ack(client);
        }
    }
    beats_client_wake(client);
}

/* ---- sending ---- */

static void on_written(uv_write_t *request, int status)
{
    struct beats_window *window = request->data;
    struct beats_client *client = window->client;
    window->writing = false;
    if (window->acked)
        client->options.owner->acked(client->options.owner, window);
    if (status != 0 && status != UV_ECANCELED)
        fail(client, uv_strerror(status));
}

static void send_window(struct beats_client *client, struct beats_window *window)
{
    uv_buf_t bytes = uv_buf_init(window->bytes.ptr, (unsigned)window->bytes.len);
    if (client->in_flight == 0)
        client->heard_ms = now_ms(client);
    client->in_flight++;
    client->figures.windows_sent++;
    client->figures.windows_resent += window->times_sent > 0;
    client->figures.bytes_sent += window->bytes.len;
    window->times_sent++;
    window->writing = true;
    window->client = client;
    window->write.data = window;
    uv_write(&window->write, (uv_stream_t *)&client->tcp, &bytes, 1, on_written);
}

/* What has to be sent again comes first. */
static struct beats_window *take_next(struct beats_client *client)
{
    struct beats_window *window = client->unsent;
    if (window) {
        client->unsent = window->next;
        return window;
    }
    window = client->options.owner->next(client->options.owner);
    if (window) {
        window->next = NULL;
        *client->end = window;
        client->end = &window->next;
    }
    return window;
}

void beats_client_wake(struct beats_client *client)
{
    while (client->state == CLIENT_READY && client->in_flight < client->options.max_in_flight) {
        struct beats_window *window = take_next(client);
        if (!window)
            return;
        send_window(client, window);
    }
}

/* ---- connecting ---- */

static void on_connected(uv_connect_t *request, int status)
{
    struct beats_client *client = request->handle->data;
    if (status == UV_ECANCELED || client->state != CLIENT_CONNECTING)
        return;
    if (status != 0) {
        fail(client, uv_strerror(status));
        return;
    }
    client->state = CLIENT_READY;
    client->figures.connections++;
    client->heard_ms = now_ms(client);
    uv_tcp_nodelay(&client->tcp, 1);
    uv_read_start((uv_stream_t *)&client->tcp, on_alloc, on_read);
    beats_client_wake(client);
}

static void begin_connecting(struct beats_client *client)
{
    assert(client->state == CLIENT_WAITING);
    client->state = CLIENT_CONNECTING;
    client->heard_ms = now_ms(client);
    uv_tcp_init(client->options.loop, &client->tcp);
    client->tcp.data = client;
    int status = uv_tcp_connect(&client->connect, &client->tcp,
                                (const struct sockaddr *)&client->options.address, on_connected);
    if (status != 0)
        fail(client, uv_strerror(status));
}

static void on_tick(uv_timer_t *timer)
{
    struct beats_client *client = timer->data;
    uint64_t silent_ms = now_ms(client) - client->heard_ms;
    if (client->state == CLIENT_WAITING && now_ms(client) >= client->retry_at_ms)
        begin_connecting(client);
    else if (client->state == CLIENT_CONNECTING && silent_ms > client->options.timeout_ms)
        fail(client, "no connection in time");
    else if (client->state == CLIENT_READY && client->in_flight > 0 &&
             silent_ms > client->options.timeout_ms)
        fail(client, "no answer in time");
}

/* ---- beginning and end ---- */

struct beats_client *beats_client_new(const struct beats_client_options *options)
{
    assert(options->max_in_flight > 0);
    struct beats_client *client = mem_zero(1, sizeof *client);
    client->options = *options;
    client->end = &client->first;
    client->retry_ms = CLIENT_RETRY_FIRST_MS;
    uv_timer_init(options->loop, &client->timer);
    client->timer.data = client;
    uv_timer_start(&client->timer, on_tick, CLIENT_TICK_MS, CLIENT_TICK_MS);
    begin_connecting(client);
    return client;
}

void beats_client_stop(struct beats_client *client)
{
    if (client->stopping)
        return;
    client->stopping = true;
    uv_close((uv_handle_t *)&client->timer, NULL);
    if (client->state == CLIENT_CONNECTING || client->state == CLIENT_READY)
        close_socket(client);
}

void beats_client_add_figures(const struct beats_client *client, struct beats_client_figures *sum)
{
    sum->windows_sent += client->figures.windows_sent;
    sum->windows_resent += client->figures.windows_resent;
    sum->bytes_sent += client->figures.bytes_sent;
    sum->keepalives += client->figures.keepalives;
    sum->connections += client->figures.connections;
}

void beats_client_free(struct beats_client *client)
{
    if (!client)
        return;
    while (client->first) {
        struct beats_window *window = client->first;
        client->first = window->next;
        beats_window_free(window);
    }
    mem_free(client);
}
