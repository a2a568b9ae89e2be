/* SPDX-License-Identifier: Apache-2.0
 *
 * A server's connection:
 *
 *   NONE ── an operation comes ──▶ CONNECTS, then OPEN
 *     ▲                                  │
 *     └──── break_off: all in line fail ◀┘
 */
#include "io/memcached.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/client_stream.h"
#include "io/memcached_private.h"

enum {
    DEFAULT_PORT = 11211,
    IN_ROOM_BYTES = 64 * 1024, /* beside the largest value */
    OUT_MAX_BYTES = 256 * 1024 * 1024,
    HOST_MAX_BYTES = 256,
};

struct server {
    struct memcached *client;
    char host[HOST_MAX_BYTES];
    uint16_t port;
    struct client_stream *stream; /* NULL: none */
    struct memcached_op *first,
        **last; /* in line, those that were written and those that were not */
    struct buf in;
};

struct memcached {
    struct memcached_options options;
    struct memcached_ring *ring;
    size_t count;
    struct server servers[];
};

/* ---- ending ---------------------------------------------------------------------------------------- */

/* done may send again: the line is taken first. */
static void break_off(struct server *server, const char *reason)
{
    struct memcached_op *op = server->first;
    client_stream_close(server->stream);
    server->stream = NULL;
    server->first = NULL;
    server->last = &server->first;
    server->in.len = 0;
    while (op) {
        struct memcached_op *next = op->next;
        op->result = MEMCACHED_FAILED;
        op->error = reason;
        op->done(op);
        op = next;
    }
}

static void on_lost(void *ctx, const char *reason)
{
    break_off(ctx, reason);
}

/* ---- reading --------------------------------------------------------------------------------------- */

/* Answers the operation at the head of the line; false: nothing more can be read now. */
static bool take_answer(struct server *server)
{
    struct memcached_op *op = server->first;
    size_t taken = 0;
    if (!op || server->in.len == 0)
        return false;
    switch (
        memcached_read(op, buf_str(&server->in), server->client->options.max_value_bytes, &taken)) {
    case MEMCACHED_REPLY_MORE:
        return false;
    case MEMCACHED_REPLY_BROKEN:
        client_stream_lose(server->stream, "the server's answer cannot be read");
        return false;
    case MEMCACHED_REPLY_DONE:
        break;
    }
    server->first = op->next;
    if (!server->first)
        server->last = &server->first;
    if (server->first)
        client_stream_wait(server->stream, server->client->options.timeout_ms);
    else
        client_stream_wait_over(server->stream);
    op->done(op);
    buf_consume(&server->in, taken);
    return true;
}

static void on_read(void *ctx, struct str bytes)
{
    struct server *server = ctx;
    if (!buf_append_str(&server->in, bytes)) {
        client_stream_lose(server->stream, "the server's answer is too long");
        return;
    }
    while (take_answer(server))
        ;
}

/* ---- connecting ------------------------------------------------------------------------------------ */

static void on_connected(void *ctx)
{
    struct server *server = ctx;
    client_stream_flush(server->stream);
}

static void connect_to(struct server *server)
{
    struct client_stream_options options = {
        .loop = server->client->options.loop,
        .host = server->host,
        .port = server->port,
        .connect_timeout_ms = server->client->options.timeout_ms,
        .out_max_bytes = OUT_MAX_BYTES,
        .peer = "server",
        .ctx = server,
        .connected = on_connected,
        .read = on_read,
        .lost = on_lost,
    };
    server->stream = client_stream_new(&options);
}

/* ---- the client ------------------------------------------------------------------------------------ */

void memcached_send(struct memcached *client, struct memcached_op *op)
{
    assert(op->done && op->key.len > 0);
    struct server *server = &client->servers[memcached_ring_server(client->ring, op->key)];
    bool was_empty = !server->first;
    op->next = NULL;
    *server->last = op;
    server->last = &op->next;
    if (!server->stream)
        connect_to(server);
    if (was_empty)
        client_stream_wait(server->stream, client->options.timeout_ms);
    if (memcached_write(op, client_stream_out(server->stream)))
        client_stream_flush(server->stream);
    else
        client_stream_lose(server->stream, "more waits to be sent than may wait");
}

static bool read_host(struct str text, struct server *server, struct error *err)
{
    struct str host = text, port = {0};
    size_t bracket = str_find(text, STR("]"));
    struct str tail = bracket == SIZE_MAX ? text : str_from_offset(text, bracket + 1);
    size_t colon = str_find(tail, STR(":"));
    bool bare_v6 = bracket == SIZE_MAX && colon != SIZE_MAX &&
                   memchr(tail.ptr + colon + 1, ':', tail.len - colon - 1);
    if (colon != SIZE_MAX && !bare_v6) {
        port = str_from_offset(tail, colon + 1);
        host.len = (size_t)(tail.ptr - text.ptr) + colon;
    }
    if (str_starts_with(host, STR("[")) && str_ends_with(host, STR("]")))
        host = str_make(host.ptr + 1, host.len - 2);
    int64_t number = DEFAULT_PORT;
    if (host.len == 0 || host.len >= HOST_MAX_BYTES ||
        (port.ptr && (!str_to_int(port, &number) || number < 1 || number > 65535)))
        return error_set(err, ERROR_CONFIG, "hosts: '%.*s' is no HOST or HOST:PORT", STR_FMT(text));
    snprintf(server->host, sizeof server->host, "%.*s", STR_FMT(host));
    server->port = (uint16_t)number;
    return true;
}

static void open_server(struct memcached *client, struct server *server)
{
    server->client = client;
    server->last = &server->first;
    buf_init(&server->in, client->options.max_value_bytes + IN_ROOM_BYTES);
}

static struct memcached_ring *ring_of(const struct memcached *client)
{
    struct str names[MEMCACHED_SERVERS_MAX];
    char texts[MEMCACHED_SERVERS_MAX][HOST_MAX_BYTES + 8];
    for (size_t i = 0; i < client->count; i++) {
        int len = snprintf(texts[i], sizeof texts[i], "%s:%u", client->servers[i].host,
                           client->servers[i].port);
        names[i] = str_make(texts[i], (size_t)len);
    }
    return memcached_ring_new(names, client->count);
}

struct memcached *memcached_new(const struct memcached_options *options, struct error *err)
{
    if (options->host_count == 0 || options->host_count > MEMCACHED_SERVERS_MAX) {
        error_set(err, ERROR_CONFIG, "hosts: one to %d servers are taken", MEMCACHED_SERVERS_MAX);
        return NULL;
    }
    struct memcached *client =
        mem_zero(1, sizeof *client + options->host_count * sizeof *client->servers);
    client->options = *options;
    for (; client->count < options->host_count; client->count++) {
        struct server *server = &client->servers[client->count];
        open_server(client, server);
        if (read_host(options->hosts[client->count], server, err))
            continue;
        client->count++;
        memcached_close(client);
        return NULL;
    }
    client->ring = ring_of(client);
    return client;
}

void memcached_close(struct memcached *client)
{
    if (!client)
        return;
    for (size_t i = 0; i < client->count; i++)
        break_off(&client->servers[i], "cancelled");
    for (size_t i = 0; i < client->count; i++) {
        struct server *server = &client->servers[i];
        assert(!server->first && !server->stream); /* done sends nothing when it is closed */
        buf_release(&server->in);
    }
    memcached_ring_free(client->ring);
    mem_free(client);
}
