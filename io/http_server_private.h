/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two files of the HTTP server share: http_server.c runs libmicrohttpd and its connections, http_exchange.c has
 * the requests and their answers. On the loop's thread.
 *
 * An exchange:
 *
 *   NEW ── on_head ──▶ RECEIVING ── complete ──▶ HANDLING ── http_exchange_respond ──▶ ANSWERED ── send_answer ──▶ SENDING
 *   NEW, RECEIVING, SENDING ── the client is gone, or all is sent: on_completed ──▶ freed
 *
 * In HANDLING without an answer its connection is suspended, and libmicrohttpd does not look at the socket.
 */
#ifndef MILLRACE_IO_HTTP_SERVER_PRIVATE_H
#define MILLRACE_IO_HTTP_SERVER_PRIVATE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "io/gzip.h"
#include "io/http_server.h"
#include "io/listen_socket.h"

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
    uint64_t since_ms;         /* when it came, or its last answer began or ended */
    bool in_handler;           /* time is the handler's */
    bool shut;                 /* closed for another one */
    void *added;               /* by http_server_add; NULL: accepted here */
    struct exchange *exchange; /* NULL: none is under way */
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
    size_t counted_bytes;    /* of options.bodies */
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
    uv_timer_t timer;         /* what libmicrohttpd wants to do later */
    uv_timer_t sweep;         /* connections that are too slow */
    struct http_front *front; /* TLS; NULL: none */
    struct peer *peers;
    unsigned peer_count;
    struct account body_bytes; /* of all exchanges, unless options.bodies is given */
    void *adding;              /* the connection that http_server_add adds now */
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

/* ---- http_server.c ---- */
/* A connection was resumed: libmicrohttpd is to run. */
void http_server_wake(struct http_server *server);

/* One of its handles is closed. */
void http_server_handle_closed(struct http_server *server);

/* ---- http_front.c: TLS ---- */
/* Takes the socket, which is bound. On false the server is to be closed. */
bool http_front_open(struct http_server *server, int fd, struct error *err);
void http_front_close(struct http_server *server);   /* takes nothing new */
void http_front_stopped(struct http_server *server); /* libmicrohttpd has let go of all */
void http_front_free(struct http_server *server);

/* ---- http_exchange.c ---- */
void http_exchange_free(struct exchange *exchange);
/* What libmicrohttpd calls, ctx is the server ---- */
void *http_exchange_on_target(void *ctx, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_exchange_on_request(void *ctx, struct MHD_Connection *connection,
                                         const char *url, const char *method, const char *version,
                                         const char *upload, size_t *upload_bytes,
                                         void **exchange_inout);
void http_exchange_on_completed(void *ctx, struct MHD_Connection *connection, void **exchange_inout,
                                enum MHD_RequestTerminationCode code);

#endif
