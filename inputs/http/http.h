/* SPDX-License-Identifier: Apache-2.0
 *
 * The http input's parts:
 *
 *   http.c       the option table, open / start / stop / close                                main lane
 *   lane.c       the HTTP server of one lane, and the connections that are given to it        each lane
 *   request.c    one request, from its body to its answer                                     its lane
 *   fields.c     what an event is told of its request                                         its lane
 *
 * Connections come from inputs/server.h. libmicrohttpd reads them where they are plain; TLS is ended by io/tls_stream, as for
 * all inputs, and what it decrypts goes to libmicrohttpd through a pair of sockets.
 */
#ifndef MILLRACE_INPUTS_HTTP_HTTP_H
#define MILLRACE_INPUTS_HTTP_HTTP_H

#include "inputs/server.h"
#include "io/http_server.h"
#include "pipeline/engine/stream.h"
#include "pipeline/tls_options.h"

enum http_ack { HTTP_ACK_DELIVERED, HTTP_ACK_RECEIVED };

struct http_options {
    struct str host;
    int64_t port;
    const struct conf_plugin *codec;
    struct option_hash additional_codecs, response_headers;
    struct str user, password;
    int64_t threads, max_pending_requests, max_content_length, response_code, max_connections;
    int ack;
    struct field_ref remote_host_field, request_headers_field;
    struct tls_options tls;
};

enum http_counter {
    HTTP_REQUESTS,
    HTTP_BYTES,
    HTTP_UNAUTHORIZED,
    HTTP_TOO_MANY, /* 429 */
    HTTP_REFUSED,  /* otherwise */
    HTTP_ABANDONED,
    HTTP_COUNTERS,
};

struct http_input {
    struct http_options options; /* first: bound by the engine */
    const struct plugin_env *env;
    struct server server;
    struct counter *counters[HTTP_COUNTERS];
    struct http_codec { /* of a content type */
        struct str type;
        const char *name;
    } * codecs;
    size_t codec_count;
    struct http_answer_header {
        const char *name, *value;
    } * answer_headers;
    size_t answer_header_count;
    struct str authorization; /* the header that is wanted; empty: none */
    size_t max_requests;      /* under way at once, on all lanes */
    atomic_size_t requests;
    struct account bodies; /* of all lanes */
};

struct http_request;

/* The server of one lane, from its first connection on (server_lane.shared). */
struct http_lane {
    struct http_input *input;
    struct lane *lane;
    struct http_server *server;
    struct http_request *requests; /* under way */
    bool closing;
    unsigned holders; /* the server until it has closed, and server_lane.shared */
};

static inline void http_count(struct http_input *input, enum http_counter which, uint64_t n)
{
    server_count(input->counters[which], n);
}

/* ---- lane.c */

extern const struct server_protocol http_protocol;

/* ---- request.c */

void request_handle(void *lane, struct http_exchange *exchange);
unsigned request_admit(void *lane, struct http_exchange *exchange);
void request_refuse(void *lane, struct http_exchange *exchange, unsigned status,
                    const char *reason);
/* Everything that waits is answered: it will not be delivered. */
void requests_give_up(struct http_lane *lane);

/* ---- fields.c */

struct http_fields {
    struct value headers; /* an object in the arena of the batch */
    const char *host;     /* the Host header, or NULL */
    const char *agent, *type, *length;
};

void fields_read(const struct http_exchange *exchange, struct arena *arena,
                 struct http_fields *out);
void fields_set(const struct http_input *input, const struct http_exchange *exchange,
                struct http_fields *fields, struct event *event);

#endif
