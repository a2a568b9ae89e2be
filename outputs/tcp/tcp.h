/* SPDX-License-Identifier: Apache-2.0
 *
 * The tcp output's parts: tcp.c has the options and sends to a server (client mode); clients.c has those who connect to
 * us (server mode). All on the main lane, but for encoding.
 */
#ifndef MILLRACE_OUTPUTS_TCP_TCP_H
#define MILLRACE_OUTPUTS_TCP_TCP_H

#include "io/listener.h"
#include "io/tcp_sender.h"
#include "pipeline/delivery/group.h"
#include "pipeline/plugin.h"
#include "pipeline/tls_options.h"

enum tcp_output_mode { TCP_OUTPUT_SERVER, TCP_OUTPUT_CLIENT };

struct tcp_output_options {
    struct str host;
    int64_t port;
    int mode;
    int64_t reconnect_interval_ms;
    int64_t max_connections, max_client_bytes;
    const struct conf_plugin *codec;
    struct tls_options tls;
};

struct tcp_clients;

struct tcp_output {
    struct tcp_output_options options; /* first: bound by the engine */
    const struct plugin_env *env;
    struct codec_instance codec;
    struct log_limit log_limit;
    struct tcp_sender *sender;   /* client mode */
    struct tcp_clients *clients; /* server mode */
    struct group *group;         /* client mode: being sent */
};

/* ---- clients.c */

/* Binds and listens. Takes tls, also when it fails. */
struct tcp_clients *clients_open(struct tcp_output *output, struct tls_context *tls,
                                 struct error *err);
/* Every client gets them; who is too far behind is disconnected. */
void clients_send(struct tcp_clients *clients, struct str bytes);
/* Frees itself when the loop has let go of all. */
void clients_close(struct tcp_clients *clients);

#endif
