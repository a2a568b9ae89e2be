/* SPDX-License-Identifier: Apache-2.0
 *
 * A server's connection:
 *
 *   NONE ── an operation comes ──▶ LOOKS UP (names only) ──▶ CONNECTS ──▶ OPEN
 *     ▲                               │                         │          │
 *     └──── break_off: all in line fail ◀───────────────────────┴──────────┘
 *
 * The handles belong to a struct link, which outlives its server until the loop has let go of them.
 */
#include "io/memcached.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/loop_timer.h"
#include "io/memcached_private.h"

enum {
    DEFAULT_PORT = 11211,
    READ_BYTES = 64 * 1024,
    KEEP_BYTES = 64 * 1024,
    OUT_MAX_BYTES = 256 * 1024 * 1024,
    HOST_MAX_BYTES = 256,
};

enum link_state { LINK_LOOKS_UP, LINK_CONNECTS, LINK_OPEN, LINK_CLOSING };

struct server;

struct link {
    struct server *server; /* NULL: it has been broken off */
    enum link_state state;
    uv_tcp_t tcp;
    uv_getaddrinfo_t lookup;
    uv_connect_t connecting;
    uv_write_t write;
    struct buf writing;
    bool has_tcp, is_looking, is_writing;
    char room[READ_BYTES];
};

struct server {
    struct memcached *client;
    char host[HOST_MAX_BYTES], port[8];
    struct addrinfo *addresses, *next_address; /* of its name, while they are tried */
    struct link *link;                         /* NULL: none */
    struct memcached_op *first,
        **last; /* in line, those that were written and those that were not */
    struct buf out, in;
    struct loop_timer *silence;
};

struct memcached {
    struct memcached_options options;
    struct memcached_ring *ring;
    size_t count;
    struct server servers[];
};

/* ---- ending ---------------------------------------------------------------------------------------- */

static void free_link(struct link *link)
{
    buf_release(&link->writing);
    mem_free(link);
}

static void on_closed(uv_handle_t *handle)
{
    struct link *link = handle->data;
    link->has_tcp = false;
    if (!link->is_looking)
        free_link(link);
}

static void drop_link(struct link *link)
{
    link->server = NULL;
    link->state = LINK_CLOSING;
    if (link->has_tcp)
        uv_close((uv_handle_t *)&link->tcp, on_closed);
    if (link->is_looking)
        uv_cancel((uv_req_t *)&link->lookup); /* its callback comes in any case */
}

static void forget_addresses(struct server *server)
{
    uv_freeaddrinfo(server->addresses);
    server->addresses = server->next_address = NULL;
}

/* done may send again: the line is taken first. */
static void break_off(struct server *server, const char *reason)
{
    struct memcached_op *op = server->first;
    if (server->link)
        drop_link(server->link);
    server->link = NULL;
    forget_addresses(server);
    server->first = NULL;
    server->last = &server->first;
    server->out.len = 0;
    server->in.len = 0;
    loop_timer_stop(server->silence);
    while (op) {
        struct memcached_op *next = op->next;
        op->result = MEMCACHED_FAILED;
        op->error = reason;
        op->done(op);
        op = next;
    }
}

static void on_silence(void *ctx)
{
    break_off(ctx, "the server did not answer in time");
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
        break_off(server, "the server's answer cannot be read");
        return false;
    case MEMCACHED_REPLY_DONE:
        break;
    }
    server->first = op->next;
    if (!server->first)
        server->last = &server->first;
    loop_timer_stop(server->silence);
    if (server->first)
        loop_timer_start(server->silence, server->client->options.timeout_ms);
    op->done(op);
    buf_consume(&server->in, taken);
    return true;
}

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct link *link = handle->data;
    (void)suggested;
    *out = uv_buf_init(link->room, sizeof link->room);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *room)
{
    struct link *link = stream->data;
    struct server *server = link->server;
    if (!server || got == 0)
        return;
    if (got < 0) {
        break_off(server, "the server closed the connection");
        return;
    }
    if (!buf_append(&server->in, room->base, (size_t)got)) {
        break_off(server, "the server's answer is too long");
        return;
    }
    while (link->server && take_answer(server))
        ;
}

/* ---- writing --------------------------------------------------------------------------------------- */

static void write_on(struct server *server);

static void on_written(uv_write_t *write, int status)
{
    struct link *link = write->data;
    link->is_writing = false;
    if (!link->server)
        return;
    if (status != 0)
        break_off(link->server, uv_strerror(status));
    else
        write_on(link->server);
}

static void write_on(struct server *server)
{
    struct link *link = server->link;
    if (!link || link->state != LINK_OPEN || link->is_writing || server->out.len == 0)
        return;
    struct buf spare = link->writing;
    link->writing = server->out;
    server->out = spare;
    buf_clear(&server->out, KEEP_BYTES);
    uv_buf_t bytes = uv_buf_init(link->writing.ptr, (unsigned)link->writing.len);
    link->write.data = link;
    link->is_writing = true;
    int status = uv_write(&link->write, (uv_stream_t *)&link->tcp, &bytes, 1, on_written);
    if (status != 0) {
        link->is_writing = false;
        break_off(server, uv_strerror(status));
    }
}

/* ---- connecting ------------------------------------------------------------------------------------ */

static struct link *link_new(struct server *server)
{
    struct link *link = mem_zero(1, sizeof *link);
    link->server = server;
    buf_init(&link->writing, OUT_MAX_BYTES);
    server->link = link;
    return link;
}

static void try_next_address(struct server *server, int status);

static void on_connected(uv_connect_t *connecting, int status)
{
    struct link *link = connecting->data;
    struct server *server = link->server;
    if (!server)
        return;
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&link->tcp, give_room, on_read);
    if (status != 0) {
        drop_link(link);
        try_next_address(server, status);
        return;
    }
    uv_tcp_nodelay(&link->tcp, 1);
    forget_addresses(server);
    link->state = LINK_OPEN;
    write_on(server);
}

/* status: why the one before was none. */
static void try_next_address(struct server *server, int status)
{
    server->link = NULL;
    while (status != 0 && server->next_address) {
        struct link *link = link_new(server);
        const struct sockaddr *address = server->next_address->ai_addr;
        server->next_address = server->next_address->ai_next;
        link->state = LINK_CONNECTS;
        uv_tcp_init(server->client->options.loop, &link->tcp);
        link->has_tcp = true;
        link->tcp.data = link;
        link->connecting.data = link;
        status = uv_tcp_connect(&link->connecting, &link->tcp, address, on_connected);
        if (status == 0)
            return;
        drop_link(link);
        server->link = NULL;
    }
    break_off(server, uv_strerror(status));
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct link *link = lookup->data;
    struct server *server = link->server;
    free_link(link);
    if (!server) {
        uv_freeaddrinfo(found);
        return;
    }
    server->addresses = server->next_address = found;
    try_next_address(server, status != 0 ? status : UV_EHOSTUNREACH);
}

static void begin_link(struct server *server)
{
    struct link *link = link_new(server);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    link->lookup.data = link;
    link->state = LINK_LOOKS_UP;
    link->is_looking = true;
    int status = uv_getaddrinfo(server->client->options.loop, &link->lookup, on_looked_up,
                                server->host, server->port, &hints);
    assert(status == 0); /* out of memory, or arguments of ours */
    (void)status;
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
    if (!server->link)
        begin_link(server);
    if (was_empty)
        loop_timer_start(server->silence, client->options.timeout_ms);
    if (!memcached_write(op, &server->out))
        loop_timer_start(server->silence, 0); /* more than a line of operations may be: it fails */
    else
        write_on(server);
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
    snprintf(server->port, sizeof server->port, "%lld", (long long)number);
    return true;
}

static void open_server(struct memcached *client, struct server *server)
{
    server->client = client;
    server->last = &server->first;
    buf_init(&server->out, OUT_MAX_BYTES);
    buf_init(&server->in, client->options.max_value_bytes + READ_BYTES);
    server->silence = loop_timer_new(client->options.loop, on_silence, server);
}

static struct memcached_ring *ring_of(const struct memcached *client)
{
    struct str names[MEMCACHED_SERVERS_MAX];
    char texts[MEMCACHED_SERVERS_MAX][HOST_MAX_BYTES + 8];
    for (size_t i = 0; i < client->count; i++) {
        int len = snprintf(texts[i], sizeof texts[i], "%s:%s", client->servers[i].host,
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
        assert(!server->first && !server->link); /* done sends nothing when it is closed */
        loop_timer_close(server->silence);
        buf_release(&server->out);
        buf_release(&server->in);
    }
    memcached_ring_free(client->ring);
    mem_free(client);
}
