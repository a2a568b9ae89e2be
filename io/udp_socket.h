/* SPDX-License-Identifier: Apache-2.0
 *
 * A bound UDP socket that is read many datagrams at a time. It waits for nothing: its owner watches the descriptor. One
 * thread.
 */
#ifndef MILLRACE_IO_UDP_SOCKET_H
#define MILLRACE_IO_UDP_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/str.h"

enum {
    UDP_RECEIVE_MAX = 64, /* datagrams of one call */
    UDP_ADDRESS_TEXT_MAX = 64,
    UDP_DATAGRAM_MAX = 65536, /* bytes; none is larger */
};

struct udp_socket;

struct udp_datagram {
    struct str bytes; /* until the next udp_socket_receive */
    bool is_cut;      /* it was longer than max_bytes */
    const struct sockaddr_storage *from;
};

struct udp_socket_options {
    const char *host; /* an address, IPv4 or IPv6 */
    uint16_t port;    /* 0: a free one */
    size_t max_bytes; /* of a datagram: what is behind them is cut off */
    size_t
        receive_buffer_bytes; /* that the kernel is asked for; 0: as much as it gives without privileges */
};

/* NULL with *err. */
struct udp_socket *udp_socket_new(const struct udp_socket_options *options, struct error *err);
void udp_socket_free(struct udp_socket *socket); /* closes the descriptor; NULL is ok */
int udp_socket_fd(const struct udp_socket *socket);
/* What the kernel keeps for it, in its own count, which is twice what was asked for. */
size_t udp_socket_receive_buffer(const struct udp_socket *socket);
/* Up to UDP_RECEIVE_MAX datagrams that have arrived, 0: none is there. An error of the network (an ICMP answer) counts as
 * none and is over with that. */
size_t udp_socket_receive(struct udp_socket *socket,
                          struct udp_datagram datagrams[UDP_RECEIVE_MAX]);
/* How many datagrams the kernel threw away since the last call, because its buffer was full. */
uint64_t udp_socket_lost(struct udp_socket *socket);

bool udp_address_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b);
/* The address alone; an IPv4 address that came over IPv6 as such. */
void udp_address_text(const struct sockaddr_storage *from, char out[UDP_ADDRESS_TEXT_MAX]);

#endif
