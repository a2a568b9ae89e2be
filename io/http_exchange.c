/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests and answers of the HTTP server, from the first line of the one to the end of the other.
 */
#include <assert.h>

#include "base/mem.h"
#include "io/http_origin.h"
#include "io/http_server_private.h"

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

/* ---- the memory of bodies ---- */

static void count_body(struct exchange *exchange)
{
    struct account *bodies = exchange->server->options.bodies;
    size_t before = exchange->counted_bytes, now = exchange->body.capacity;
    if (now > before)
        account_charge(bodies, now - before);
    else
        account_return(bodies, before - now);
    exchange->counted_bytes = now;
}

static void release_body(struct exchange *exchange)
{
    buf_release(&exchange->body);
    count_body(exchange);
}

/* ---- the answer ---- */

const char *http_exchange_header(const struct http_exchange *shown, const char *name)
{
    return MHD_lookup_connection_value(exchange_of(shown)->connection, MHD_HEADER_KIND, name);
}

struct header_visit {
    void (*each)(void *ctx, struct str name, struct str value);
    void *ctx;
};

static enum MHD_Result visit_header(void *ctx, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    const struct header_visit *visit = ctx;
    (void)kind;
    visit->each(visit->ctx, str_from(name), value ? str_from(value) : STR(""));
    return MHD_YES;
}

void http_exchange_headers(const struct http_exchange *shown,
                           void (*each)(void *ctx, struct str name, struct str value), void *ctx)
{
    struct header_visit visit = {each, ctx};
    MHD_get_connection_values(exchange_of(shown)->connection, MHD_HEADER_KIND, visit_header,
                              &visit);
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
    account_return(body->charged, body->capacity);
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
    release_body(exchange);
    set_state(exchange, EXCHANGE_ANSWERED);
    if (!exchange->suspended)
        return;
    exchange->suspended = false;
    MHD_resume_connection(exchange->connection);
    http_server_wake(exchange->server);
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
    release_body(exchange);
}

/* libmicrohttpd would take the parameters apart once more, and neither answer nor let go of a request with more of them
 * than its memory holds. The text is its own and may be changed: without a separator they are one. */
static void hide_parameters(const char *target)
{
    char *query = (char *)(uintptr_t)strchr(target, '?');
    for (char *at = query; at && *at; at++)
        *at = *at == '&' || *at == '%' || *at == '=' ? '_' : *at;
}

void *http_exchange_on_target(void *ctx, const char *target, struct MHD_Connection *connection)
{
    struct http_server *server = ctx;
    struct exchange *exchange = mem_zero(1, sizeof *exchange);
    exchange->server = server;
    exchange->connection = connection;
    exchange->peer =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    arena_init(&exchange->shown.arena, NULL);
    buf_init(&exchange->body, server->options.max_body_bytes);
    exchange->body.charged = server->options.charged;
    struct str text = arena_dup(&exchange->shown.arena, str_from(target));
    exchange->shown.raw_target = text;
    exchange->shown.connection = exchange->peer->added;
    exchange->broken_target =
        !http_target_parse(&exchange->shown.arena, text, &exchange->shown.target);
    if (exchange->broken_target)
        exchange->shown.target = (struct http_target){0};
    hide_parameters(target);
    if (exchange->peer->exchange) /* it was refused below, and nobody said so */
        http_exchange_free(exchange->peer->exchange);
    exchange->peer->exchange = exchange;
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

static void look_at_origin(struct exchange *exchange)
{
    if (exchange->server->options.any_request)
        return;
    if (exchange->broken_target)
        refuse(exchange, 400, "the path or the query has a wrong escape or too many parts");
    const char *foreign = http_origin_refusal(
        exchange->server->loopback, http_exchange_header(&exchange->shown, MHD_HTTP_HEADER_HOST),
        http_exchange_header(&exchange->shown, MHD_HTTP_HEADER_ORIGIN));
    if (foreign && exchange->refused_status == 0)
        refuse(exchange, 403, foreign);
}

static void look_at_admission(struct exchange *exchange)
{
    const struct http_server_options *options = &exchange->server->options;
    unsigned status = options->admit && exchange->refused_status == 0
                          ? options->admit(options->ctx, &exchange->shown)
                          : 0;
    if (status != 0)
        refuse(exchange, status, "");
}

/* The headers are there. An answer given now is sent without waiting for the body. */
static enum MHD_Result on_head(struct exchange *exchange, const char *method, const char *version)
{
    set_state(exchange, EXCHANGE_RECEIVING);
    exchange->shown.method = arena_dup(&exchange->shown.arena, str_from(method));
    exchange->shown.version = arena_dup(&exchange->shown.arena, str_from(version));
    look_at_origin(exchange);
    look_at_admission(exchange);
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
    count_body(exchange);
    if (account_used(options->bodies) > options->max_all_bodies_bytes &&
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

enum MHD_Result http_exchange_on_request(void *ctx, struct MHD_Connection *connection,
                                         const char *url, const char *method, const char *version,
                                         const char *upload, size_t *upload_bytes,
                                         void **exchange_inout)
{
    struct exchange *exchange = *exchange_inout;
    assert(exchange->server == ctx && exchange->connection == connection);
    (void)url;
    if (exchange->state == EXCHANGE_NEW)
        return on_head(exchange, method, version);
    if (exchange->state == EXCHANGE_ANSWERED)
        return send_answer(exchange);
    assert(exchange->state == EXCHANGE_RECEIVING);
    if (*upload_bytes == 0)
        return complete(exchange);
    struct str piece = str_make(upload, *upload_bytes);
    *upload_bytes = 0;
    return take(exchange, piece);
}

void http_exchange_free(struct exchange *exchange)
{
    struct http_server *server = exchange->server;
    assert(exchange->state != EXCHANGE_HANDLING && !exchange->suspended);
    if (exchange->state >= EXCHANGE_ANSWERED)
        server->sending--;
    if (exchange->response)
        MHD_destroy_response(exchange->response);
    exchange->peer->since_ms = uv_now(server->options.loop);
    exchange->peer->exchange = NULL;
    gunzip_free(exchange->gunzip);
    release_body(exchange);
    arena_release(&exchange->shown.arena);
    mem_free(exchange);
}

void http_exchange_on_completed(void *ctx, struct MHD_Connection *connection, void **exchange_inout,
                                enum MHD_RequestTerminationCode code)
{
    struct http_server *server = ctx;
    struct exchange *exchange = *exchange_inout;
    (void)connection;
    (void)code;
    if (!exchange)
        return;
    assert(exchange->peer->exchange == exchange && exchange->server == server);
    http_exchange_free(exchange);
    *exchange_inout = NULL;
}
