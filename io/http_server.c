/* SPDX-License-Identifier: Apache-2.0
 *
 * libmicrohttpd watches its sockets with an epoll descriptor of its own; the loop watches that one, and a timer runs what
 * libmicrohttpd wants to do later.
 *
 * 1. libmicrohttpd runs in run() only, which is called from the poll and from the timer and never from itself.
 * 2. A resumed connection moves at the next MHD_run: whoever resumes one sets the timer to 0.
 * 3. The daemon is stopped only when no connection is suspended.
 *
 * An exchange:
 *
 *   NEW ── on_head ──▶ RECEIVING ── complete ──▶ HANDLING ── http_exchange_respond ──▶ ANSWERED ── send_answer ──▶ SENDING
 *   NEW, RECEIVING, SENDING ── the client is gone, or all is sent: on_completed ──▶ freed
 *
 * In HANDLING without an answer its connection is suspended, and libmicrohttpd does not look at the socket.
 */
#include "io/http_server.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/gzip.h"
#include "io/listen_socket.h"

enum {
    SERVER_BACKLOG = 1024,
    SERVER_MEMORY_BYTES =
        2 * HTTP_SERVER_HEADER_BYTES, /* of a connection: what it reads into, and its headers */
    SERVER_READ_BYTES = 32 * 1024,
    SERVER_SWEEP_MS = 1000,
    SERVER_CLOSE_GRACE_MS = 5000,
    SERVER_HANDLES = 3,
};

enum exchange_state {
    EXCHANGE_NEW,
    EXCHANGE_RECEIVING,
    EXCHANGE_HANDLING,
    EXCHANGE_ANSWERED,
    EXCHANGE_SENDING
};

/* A connection, from accept to close. */
struct peer {
    struct peer *next, **link;
    int fd;
    uint64_t since_ms; /* when it came, or its last answer began or ended */
    bool in_handler;   /* time is the handler's */
};

struct exchange {
    struct http_exchange shown;
    struct http_server *server;
    struct MHD_Connection *connection;
    struct peer *peer;
    enum exchange_state state;
    bool suspended, broken_target;
    struct buf body;
    struct gunzip *gunzip; /* NULL: the body comes as it is */
    size_t received_bytes;
    unsigned refused_status; /* 0: not refused */
    const char *refused_reason;
    unsigned status;
    struct MHD_Response *response;
    struct http_parameter headers[HTTP_EXCHANGE_HEADERS_MAX];
    size_t header_count;
};

struct http_server {
    struct http_server_options options;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;
    uv_timer_t timer; /* what libmicrohttpd wants to do later */
    uv_timer_t sweep; /* connections that are too slow */
    struct peer *peers;
    atomic_size_t body_bytes; /* of all exchanges */
    unsigned handling, sending;
    unsigned open_handles;
    char address[LISTEN_SOCKET_ADDRESS_MAX];
    uint16_t port;
    bool loopback;
    bool running; /* inside MHD_run */
    bool resumed; /* since the last MHD_run began */
    bool closing;
    uint64_t close_deadline_ms;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static struct exchange *exchange_of(const struct http_exchange *shown)
{
    return (struct exchange *)(uintptr_t)shown;
}

static void set_state(struct exchange *exchange, enum exchange_state state)
{
    struct http_server *server = exchange->server;
    assert((int)state == (int)exchange->state + 1);
    exchange->state = state;
    exchange->peer->in_handler = state == EXCHANGE_HANDLING;
    exchange->peer->since_ms = uv_now(server->options.loop);
    if (state == EXCHANGE_HANDLING)
        server->handling++;
    else if (state == EXCHANGE_ANSWERED)
        server->handling--;
    if (state == EXCHANGE_ANSWERED)
        server->sending++;
}

/* ---- the answer ---- */

static void wake(struct http_server *server);

const char *http_exchange_header(const struct http_exchange *shown, const char *name)
{
    return MHD_lookup_connection_value(exchange_of(shown)->connection, MHD_HEADER_KIND, name);
}

void http_exchange_add_header(struct http_exchange *shown, const char *name, const char *value)
{
    struct exchange *exchange = exchange_of(shown);
    assert(exchange->header_count < HTTP_EXCHANGE_HEADERS_MAX);
    exchange->headers[exchange->header_count++] = (struct http_parameter){
        arena_dup(&shown->arena, str_from(name)), arena_dup(&shown->arena, str_from(value))};
}

static struct MHD_Response *make_response(struct exchange *exchange, const char *content_type,
                                          struct buf *body)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(body->len, body->ptr, mem_free);
    if (!response)
        mem_abort("out of memory");
    if (body->charged)
        atomic_fetch_sub(body->charged, body->capacity);
    *body = (struct buf){.max = body->max};
    if (content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    for (size_t i = 0; i < exchange->header_count; i++)
        MHD_add_response_header(response, exchange->headers[i].name.ptr,
                                exchange->headers[i].value.ptr);
    if (exchange->server->closing)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    return response;
}

void http_exchange_respond(struct http_exchange *shown, unsigned status, const char *content_type,
                           struct buf *body)
{
    struct exchange *exchange = exchange_of(shown);
    assert(exchange->state == EXCHANGE_HANDLING && status >= 200 && status <= 599);
    exchange->status = status;
    exchange->response = make_response(exchange, content_type, body);
    buf_release(&exchange->body);
    set_state(exchange, EXCHANGE_ANSWERED);
    if (!exchange->suspended)
        return;
    exchange->suspended = false;
    MHD_resume_connection(exchange->connection);
    wake(exchange->server);
}

void http_exchange_respond_text(struct http_exchange *shown, unsigned status,
                                const char *content_type, struct str body)
{
    struct buf copy;
    buf_init(&copy, body.len);
    buf_append_str(&copy, body);
    http_exchange_respond(shown, status, content_type, &copy);
}

static enum MHD_Result send_answer(struct exchange *exchange)
{
    set_state(exchange, EXCHANGE_SENDING);
    enum MHD_Result result =
        MHD_queue_response(exchange->connection, exchange->status, exchange->response);
    MHD_destroy_response(exchange->response);
    exchange->response = NULL;
    return result;
}

/* ---- the request ---- */

static void refuse(struct exchange *exchange, unsigned status, const char *reason)
{
    assert(exchange->refused_status == 0);
    exchange->refused_status = status;
    exchange->refused_reason = reason;
    buf_release(&exchange->body);
}

static void *on_target(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct http_server *server = ctx;
    struct exchange *exchange = mem_zero(1, sizeof *exchange);
    exchange->server = server;
    exchange->connection = connection;
    exchange->peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    arena_init(&exchange->shown.arena, NULL);
    buf_init(&exchange->body, server->options.max_body_bytes);
    exchange->body.charged = &server->body_bytes;
    struct str text = arena_dup(&exchange->shown.arena, str_from(target));
    exchange->broken_target =
        !http_target_parse(&exchange->shown.arena, text, &exchange->shown.target);
    return exchange;
}

static void read_encoding(struct exchange *exchange)
{
    const char *encoding = http_exchange_header(&exchange->shown, MHD_HTTP_HEADER_CONTENT_ENCODING);
    struct str name = str_trim(str_from(encoding));
    if (name.len == 0 || str_equal_nocase(name, STR("identity")))
        return;
    if (str_equal_nocase(name, STR("gzip")) || str_equal_nocase(name, STR("x-gzip")) ||
        str_equal_nocase(name, STR("deflate")))
        exchange->gunzip = gunzip_new();
    else if (exchange->refused_status == 0)
        refuse(exchange, 415, "the body's Content-Encoding is none of gzip, deflate and identity");
}

static void finish_request(struct exchange *exchange);

/* The headers are there. An answer given now is sent without waiting for the body. */
static enum MHD_Result on_head(struct exchange *exchange, const char *method)
{
    set_state(exchange, EXCHANGE_RECEIVING);
    exchange->shown.method = arena_dup(&exchange->shown.arena, str_from(method));
    if (exchange->broken_target)
        refuse(exchange, 400, "the path or the query has a wrong escape or too many parts");
    int64_t length = 0;
    const char *text = http_exchange_header(&exchange->shown, MHD_HTTP_HEADER_CONTENT_LENGTH);
    size_t max_bytes = exchange->server->options.max_body_bytes;
    if (text && str_to_int(str_from(text), &length) && (uint64_t)length > max_bytes) {
        if (exchange->refused_status == 0)
            refuse(exchange, 413, "the body is larger than the server takes");
        if (http_exchange_header(&exchange->shown, MHD_HTTP_HEADER_EXPECT) ||
            (uint64_t)length > max_bytes + HTTP_SERVER_DISCARD_BYTES) {
            finish_request(exchange);
            return send_answer(exchange);
        }
    }
    read_encoding(exchange);
    return MHD_YES;
}

static void take_plain(struct exchange *exchange, struct str piece)
{
    if (!buf_append_str(&exchange->body, piece))
        refuse(exchange, 413, "the body is larger than the server takes");
}

static void take_compressed(struct exchange *exchange, struct str piece)
{
    enum gunzip_result result = gunzip_add(exchange->gunzip, piece, &exchange->body);
    if (result == GUNZIP_FULL)
        refuse(exchange, 413, "the body is larger than the server takes when it is inflated");
    else if (result == GUNZIP_BROKEN)
        refuse(exchange, 400, "the body is not what its Content-Encoding says");
}

static enum MHD_Result take(struct exchange *exchange, struct str piece)
{
    const struct http_server_options *options = &exchange->server->options;
    exchange->received_bytes += piece.len;
    if (exchange->refused_status != 0)
        return exchange->received_bytes > options->max_body_bytes + HTTP_SERVER_DISCARD_BYTES
                   ? MHD_NO
                   : MHD_YES;
    if (exchange->gunzip)
        take_compressed(exchange, piece);
    else
        take_plain(exchange, piece);
    if (atomic_load(&exchange->server->body_bytes) > options->max_all_bodies_bytes &&
        exchange->refused_status == 0)
        refuse(exchange, 503, "too many requests are held at once; try again later");
    return MHD_YES;
}

/* All of it is there, or it is refused. Returns with an answer, or without one. */
static void finish_request(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    const struct http_server_options *options = &server->options;
    if (exchange->refused_status == 0 && exchange->gunzip && exchange->body.len > 0 &&
        !gunzip_is_whole(exchange->gunzip))
        refuse(exchange, 400, "the body ends in the middle of its compressed data");
    if (exchange->refused_status == 0 && server->closing)
        refuse(exchange, 503, "the server is closing");
    gunzip_free(exchange->gunzip);
    exchange->gunzip = NULL;
    exchange->shown.body = buf_str(&exchange->body);
    set_state(exchange, EXCHANGE_HANDLING);
    if (exchange->refused_status == 0)
        options->handle(options->ctx, &exchange->shown);
    else if (options->refuse)
        options->refuse(options->ctx, &exchange->shown, exchange->refused_status,
                        exchange->refused_reason);
    else
        http_exchange_respond_text(&exchange->shown, exchange->refused_status, "text/plain",
                                   str_from(exchange->refused_reason));
}

static enum MHD_Result complete(struct exchange *exchange)
{
    finish_request(exchange);
    if (exchange->state == EXCHANGE_ANSWERED)
        return send_answer(exchange);
    exchange->suspended = true;
    MHD_suspend_connection(exchange->connection);
    return MHD_YES;
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_bytes, void **exchange_inout)
{
    struct exchange *exchange = *exchange_inout;
    assert(exchange->server == ctx && exchange->connection == connection);
    (void)url;
    (void)version;
    if (exchange->state == EXCHANGE_NEW)
        return on_head(exchange, method);
    if (exchange->state == EXCHANGE_ANSWERED)
        return send_answer(exchange);
    assert(exchange->state == EXCHANGE_RECEIVING);
    if (*upload_bytes == 0)
        return complete(exchange);
    struct str piece = str_make(upload, *upload_bytes);
    *upload_bytes = 0;
    return take(exchange, piece);
}

static void on_completed(void *ctx, struct MHD_Connection *connection, void **exchange_inout,
                         enum MHD_RequestTerminationCode code)
{
    struct http_server *server = ctx;
    struct exchange *exchange = *exchange_inout;
    (void)connection;
    (void)code;
    if (!exchange)
        return;
    assert(exchange->state != EXCHANGE_HANDLING && !exchange->suspended);
    if (exchange->state >= EXCHANGE_ANSWERED)
        server->sending--;
    if (exchange->response)
        MHD_destroy_response(exchange->response);
    exchange->peer->since_ms = uv_now(server->options.loop);
    gunzip_free(exchange->gunzip);
    buf_release(&exchange->body);
    arena_release(&exchange->shown.arena);
    mem_free(exchange);
    *exchange_inout = NULL;
}

/* ---- connections ---- */

static void on_connection(void *ctx, struct MHD_Connection *connection, void **peer_inout,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = ctx;
    struct peer *peer = *peer_inout;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        *peer->link = peer->next;
        if (peer->next)
            peer->next->link = peer->link;
        mem_free(peer);
        *peer_inout = NULL;
        return;
    }
    peer = mem_zero(1, sizeof *peer);
    peer->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    peer->since_ms = uv_now(server->options.loop);
    peer->next = server->peers;
    peer->link = &server->peers;
    if (peer->next)
        peer->next->link = &peer->next;
    server->peers = peer;
    *peer_inout = peer;
}

/* ---- running ---- */

static void on_timer(uv_timer_t *timer);
static void stop_if_done(struct http_server *server);

static void wake(struct http_server *server)
{
    server->resumed = true;
    if (!server->running)
        uv_timer_start(&server->timer, on_timer, 0, 0);
}

static void set_timer(struct http_server *server)
{
    unsigned long long delay_ms;
    if (server->resumed)
        delay_ms = 0;
    else if (MHD_get_timeout(server->daemon, &delay_ms) != MHD_YES) {
        uv_timer_stop(&server->timer);
        return;
    }
    uv_timer_start(&server->timer, on_timer, delay_ms, 0);
}

static void run(struct http_server *server)
{
    assert(!server->running && server->daemon);
    server->running = true;
    server->resumed = false;
    MHD_run(server->daemon);
    server->running = false;
    set_timer(server);
    stop_if_done(server);
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run(poll->data);
}

/* The idle timeout starts again with each byte; this one does not. Also ends the wait of a close. */
static void on_sweep(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    const struct http_server_options *options = &server->options;
    if (server->closing) {
        run(server);
        return;
    }
    uint64_t limit_ms = 1000 * (uint64_t)(options->idle_timeout_s + options->request_timeout_s);
    uint64_t now_ms = uv_now(options->loop);
    for (struct peer *peer = server->peers; peer; peer = peer->next)
        if (!peer->in_handler && now_ms - peer->since_ms > limit_ms)
            shutdown(peer->fd, SHUT_RDWR);
}

/* ---- opening and closing ---- */

static bool start_daemon(struct http_server *server, int fd, struct error *err)
{
    const struct http_server_options *options = &server->options;
    server->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, server,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, options->max_connections,
        MHD_OPTION_CONNECTION_TIMEOUT, options->idle_timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)SERVER_MEMORY_BYTES, MHD_OPTION_CONNECTION_MEMORY_INCREMENT,
        (size_t)SERVER_READ_BYTES, MHD_OPTION_URI_LOG_CALLBACK, on_target, server,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, server, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
    return server->daemon || error_set(err, ERROR_IO, "cannot serve HTTP on %s", server->address);
}

static void start_handles(struct http_server *server)
{
    uv_loop_t *loop = server->options.loop;
    int fd = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    int failure = uv_poll_init(loop, &server->poll, fd);
    assert(failure == 0);
    (void)failure;
    uv_timer_init(loop, &server->timer);
    uv_timer_init(loop, &server->sweep);
    server->poll.data = server->timer.data = server->sweep.data = server;
    server->open_handles = SERVER_HANDLES;
    uv_poll_start(&server->poll, UV_READABLE, on_readable);
    uv_timer_start(&server->timer, on_timer, 0, 0);
    uv_timer_start(&server->sweep, on_sweep, SERVER_SWEEP_MS, SERVER_SWEEP_MS);
}

struct http_server *http_server_open(const struct http_server_options *options, struct error *err)
{
    assert(options->handle && options->max_connections > 0 && options->max_body_bytes > 0);
    int fd = listen_socket_bind(options->host, options->port, err);
    if (fd < 0)
        return NULL;
    struct http_server *server = mem_zero(1, sizeof *server);
    server->options = *options;
    server->options.host = NULL; /* borrowed for the call */
    server->port = listen_socket_address(fd, server->address);
    server->loopback = listen_socket_is_loopback(fd);
    if (listen(fd, SERVER_BACKLOG) != 0) {
        error_set(err, ERROR_IO, "cannot listen on %s: %s", server->address, strerror(errno));
        close(fd);
    } else if (start_daemon(server, fd, err)) {
        start_handles(server);
        return server;
    }
    mem_free(server);
    return NULL;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

bool http_server_is_loopback(const struct http_server *server)
{
    return server->loopback;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;
    if (--server->open_handles > 0)
        return;
    assert(!server->peers && atomic_load(&server->body_bytes) == 0);
    void (*closed)(void *ctx) = server->closed;
    void *ctx = server->closed_ctx;
    mem_free(server);
    if (closed)
        closed(ctx);
}

static void stop_if_done(struct http_server *server)
{
    if (!server->closing || server->handling > 0)
        return;
    uint64_t now_ms = uv_now(server->options.loop);
    if (server->sending > 0 && now_ms < server->close_deadline_ms)
        return;
    uv_close((uv_handle_t *)&server->poll, on_handle_closed);
    uv_close((uv_handle_t *)&server->timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->sweep, on_handle_closed);
    MHD_stop_daemon(server->daemon);
    server->daemon = NULL;
}

void http_server_close(struct http_server *server, void (*closed)(void *ctx), void *ctx)
{
    assert(!server->closing);
    server->closing = true;
    server->closed = closed;
    server->closed_ctx = ctx;
    server->close_deadline_ms = uv_now(server->options.loop) + SERVER_CLOSE_GRACE_MS;
    close(MHD_quiesce_daemon(server->daemon));
    wake(server);
}
