/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups of an output as datagrams, one for each item, or over one TCP or TLS connection, all items in a row: for outputs that
 * send messages of their own making (syslog, gelf).
 */
#ifndef MILLRACE_OUTPUTS_NET_SENDER_H
#define MILLRACE_OUTPUTS_NET_SENDER_H

#include "io/tls_context.h"
#include "pipeline/delivery/group.h"
#include "pipeline/plugin.h"

struct net_sender;

struct net_sender_options {
    const struct plugin_env *env;
    struct str host;
    uint16_t port;
    bool is_udp;
    struct tls_context *tls; /* TCP: taken; NULL: none */
    unsigned reconnect_ms;   /* TCP: the pause after a connection that failed */
    /* UDP: the datagrams of an item, made into out one behind the other, each with its length (two bytes, as this machine has
     * them) in front; false: none can be made. NULL: the item is the datagram. */
    bool (*pack)(void *ctx, struct str item, struct buf *out, struct error *err);
    void *ctx;
};

struct net_sender *net_sender_new(const struct net_sender_options *options,
                                  struct output_limits *limits);
void net_sender_send(struct net_sender *sender, struct group *group);
/* Gives back what has not begun to go, when it waits too long. */
void net_sender_recall(struct net_sender *sender);
void net_sender_stop(struct net_sender *sender);
void net_sender_close(struct net_sender *sender); /* NULL is ok */

#endif
