/* SPDX-License-Identifier: Apache-2.0
 *
 * The tcp input's parts:
 *
 *   tcp.c         the option table, open / start / stop / close           main lane
 *   connection.c  server: one client, on the lanes (inputs/server.h)      its lane
 *   names.c       server: the names of clients' addresses, from DNS       each lane
 *   client.c      client: one connection to a server                      main lane
 *   source.c      who sent it, and the fields that say so                 any
 *
 * The options are const after open().
 */
#ifndef MILLRACE_INPUTS_TCP_TCP_H
#define MILLRACE_INPUTS_TCP_TCP_H

#include "inputs/codec_intake.h"
#include "inputs/proxy_header.h"
#include "inputs/server.h"
#include "pipeline/tls_options.h"

enum tcp_mode { TCP_SERVER_MODE, TCP_CLIENT_MODE };
enum { TCP_NAME_MAX = 256 };

struct tcp_options {
    int64_t port;
    struct str host;
    const struct conf_plugin *codec;
    int mode;
    bool proxy_protocol, keep_alive, reverse_lookup;
    int64_t max_connections, idle_timeout_ms;
    struct tls_options tls;
};

struct tcp_client;

struct tcp_input {
    struct tcp_options options; /* first: bound by the engine */
    const struct plugin_env *env;
    struct server server;      /* server mode */
    struct tcp_client *client; /* client mode */
    struct counter *bytes, *idle_timeouts, *proxy_errors;
};

extern const struct tls_defaults tcp_tls_defaults[]; /* by mode */

/* ---- source.c: who sent the bytes of a connection */

struct tcp_source {
    const struct tcp_input *input;
    char name[TCP_NAME_MAX], ip[PEER_ADDRESS_MAX], subject[TCP_NAME_MAX];
    int64_t port;
    bool waits_for_header;
    char header[PROXY_HEADER_MAX]; /* as far as it has come; then what it says, as text */
    size_t header_len;
    struct proxy_header proxy;
    bool has_proxy;
    struct {
        struct str name, ip, subject, proxy_ip, proxy_port, port;
    } in_batch; /* copies in the current batch's arena, once they are needed */
};

void source_init(struct tcp_source *source, const struct tcp_input *input,
                 const struct peer_address *peer);
void source_set_subject(struct tcp_source *source, const struct byte_stream *stream);
/* Cuts the header of a proxy off, or all of the bytes while it is not whole. False: there is none. */
bool source_take_header(struct tcp_source *source, struct str *bytes_inout);
void source_decorate(struct tcp_source *source, struct event *event);
void source_batch_ended(struct tcp_source *source);

/* ---- connection.c */

extern const struct server_protocol tcp_protocol;

struct lookup;

struct tcp_connection {
    struct server_connection base; /* first */
    struct codec_intake intake;
    struct tcp_source source;
    struct lookup *lookup; /* of its name, while it is asked for */
    struct loop_timer *idle;
    uint64_t last_activity_ms;
    size_t room; /* of the read under way */
};

/* The name is known, or will not be: reading begins. */
void tcp_connection_start(struct tcp_connection *connection);

/* ---- names.c */

/* True when it is settled; else tcp_connection_start follows. */
bool names_ask(struct tcp_connection *connection);
void names_forget(struct tcp_connection *connection);
void names_end_lane(struct server_lane *lane);

/* ---- client.c */

struct tcp_client *client_open(struct tcp_input *input, struct tls_context *tls);
void client_start(struct tcp_client *client);
/* False: it was stopped before. */
bool client_stop(struct tcp_client *client);
/* Frees it. */
void client_close(struct tcp_client *client, void (*closed)(void *ctx), void *ctx);

#endif
