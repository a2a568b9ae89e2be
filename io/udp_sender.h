/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends datagrams to a host, by name or address. The name is looked up in libuv's thread pool, at first and again from time to
 * time while datagrams are sent; meanwhile the address from before serves. Nothing blocks. One thread.
 */
#ifndef MILLRACE_IO_UDP_SENDER_H
#define MILLRACE_IO_UDP_SENDER_H

#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/str.h"

struct udp_sender;

enum udp_sent {
    UDP_SENT,     /* the system has it; whether it arrives nobody says */
    UDP_WAIT,     /* not now: wake is called when it is worth while */
    UDP_NO_HOST,  /* the name has no address for now */
    UDP_TOO_LONG, /* no datagram is so long */
    UDP_FAILED,
};

struct udp_sender_options {
    uv_loop_t *loop;
    const char *host; /* lives as long as the sender */
    void (*wake)(void *ctx);
    void *ctx;
};

struct udp_sender *udp_sender_new(const struct udp_sender_options *options);
/* err: what went wrong with NO_HOST, TOO_LONG and FAILED. */
enum udp_sent udp_sender_send(struct udp_sender *sender, uint16_t port, struct str bytes,
                              struct error *err);
void udp_sender_close(struct udp_sender *sender); /* frees it when the loop allows; NULL is ok */

#endif
