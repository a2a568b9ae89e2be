/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP/1.1 server on the caller's loop (libmicrohttpd). The handler gets a request when all of it is there, its
 * body inflated, and answers it now or later:
 *
 *   server = http_server_open(&options, &err)
 *   options.handle(ctx, exchange)            the exchange stays until it is answered, also when its client goes away
 *   http_exchange_respond(exchange, ...)     once for each exchange; it is gone afterwards
 *   http_server_close(server, closed, ctx)   takes nothing new; closed() runs when everything has been answered
 *
 * One that does not listen (host NULL) is given connections that somebody else accepted: http_server_add.
 *
 * All functions are called on the loop's thread; while an exchange waits for its answer, another thread may read it and
 * use its arena. Requests that meet a limit, and those of other sites' pages (io/http_origin.h), never reach the handler.
 * The server asks for no password.
 */
#ifndef MILLRACE_IO_HTTP_SERVER_H
#define MILLRACE_IO_HTTP_SERVER_H

#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/error.h"
#include "io/http_target.h"

enum {
    HTTP_SERVER_HEADER_BYTES =
        32 * 1024, /* request line and headers; more is answered 431 or 414 */
    HTTP_SERVER_DISCARD_BYTES =
        64 * 1024 * 1024, /* of a refused body that are read before hanging up */
    HTTP_EXCHANGE_HEADERS_MAX = 8,
};

struct http_server;
struct ssl_ctx_st;

struct http_exchange {
    struct str method;         /* GET, as it came */
    struct http_target target; /* empty when it cannot be taken apart, with any_request */
    struct str raw_target;     /* as it came */
    struct str version;        /* HTTP/1.1 */
    void *connection;          /* what http_server_add was given */
    struct str body;           /* without its gzip or deflate encoding */
    struct arena arena;        /* lives as long as the exchange */
    void *user;                /* for the handler; NULL at first */
};

/* Called with the server's ctx. */
struct http_server_tls {
    struct ssl_ctx_st *(*use)(void *ctx); /* what a new connection uses; taken */
    void (*failed)(void *ctx, const char *client, const char *reason); /* of a handshake */
};

struct http_server_options {
    uv_loop_t *loop;
    const char *host;                  /* NULL: it does not listen */
    uint16_t port;                     /* 0: a free one */
    const struct http_server_tls *tls; /* NULL: it speaks none. With host, and without `gone` */
    unsigned max_connections; /* for one more, that which has done nothing for longest is closed */
    unsigned idle_timeout_s;  /* of a connection on which nothing moves */
    unsigned request_timeout_s;  /* until a request has come, or an answer has gone, as a whole */
    size_t max_body_bytes;       /* of one body, as it came and inflated; more is answered 413 */
    size_t max_all_bodies_bytes; /* of all that are held at once; more is answered 503 */
    struct account *bodies;  /* what max_all_bodies_bytes is about; NULL: of this server alone */
    struct account *charged; /* what bodies are charged to; may be NULL */
    bool any_request;        /* also of other sites' pages, and with a target of any form */
    void (*handle)(void *ctx, struct http_exchange *exchange);
    /* The headers are there: 0, or the status with which it is refused, which `refuse` gets. May be NULL. */
    unsigned (*admit)(void *ctx, struct http_exchange *exchange);
    /* A connection that was added is gone. */
    void (*gone)(void *ctx, void *connection);
    /* Answers a request that is not taken: 400, 403, 413, 415 or 503 and why. NULL: plain text. */
    void (*refuse)(void *ctx, struct http_exchange *exchange, unsigned status, const char *reason);
    void *ctx;
};

/* Listens. NULL with *err, which is ERROR_BUSY when somebody else has the port. */
struct http_server *http_server_open(const struct http_server_options *options, struct error *err);
const char *http_server_address(const struct http_server *server); /* 127.0.0.1:9200 */
uint16_t http_server_port(const struct http_server *server);
bool http_server_is_loopback(const struct http_server *server);
void http_server_close(struct http_server *server, void (*closed)(void *ctx), void *ctx);

/* A connected socket, taken; `connection` comes back in its exchanges, and in options.gone once, perhaps before this
 * returns. */
void http_server_add(struct http_server *server, int fd, void *connection);

/* Each header of the request, in their order. Loop thread. */
void http_exchange_headers(const struct http_exchange *exchange,
                           void (*each)(void *ctx, struct str name, struct str value), void *ctx);
/* A header of the request; NULL when it has none. Loop thread. */
const char *http_exchange_header(const struct http_exchange *exchange, const char *name);
/* A header of the answer, besides Content-Type and those that HTTP itself needs. */
void http_exchange_add_header(struct http_exchange *exchange, const char *name, const char *value);
/* Takes the content of body. content_type NULL: none. */
void http_exchange_respond(struct http_exchange *exchange, unsigned status,
                           const char *content_type, struct buf *body);
void http_exchange_respond_text(struct http_exchange *exchange, unsigned status,
                                const char *content_type, struct str body);

#endif
