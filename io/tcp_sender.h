/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends bytes to one server over TCP or TLS. It connects when something is to be sent, keeps the connection, throws away what
 * the server says, and notices when it hangs up.
 *
 *   tcp_sender_send(sender, bytes)    bytes are borrowed until `sent`, which is called once, later
 *   tcp_sender_recall(sender)         what has not begun to go is answered TCP_STOPPED; the connection is made all the same
 *   tcp_sender_stop(sender)           what is under way is answered TCP_STOPPED
 *   tcp_sender_close(sender)          stops; frees itself when the loop has let go
 *
 * TCP_SENT says that the system has taken all of it, not that the server has read it: what a server has not read when it
 * goes away is lost. One send at a time; on the loop's thread.
 */
#ifndef MILLRACE_IO_TCP_SENDER_H
#define MILLRACE_IO_TCP_SENDER_H

#include "base/account.h"
#include "io/tls_context.h"

#include <stdint.h>
#include <uv.h>

struct tcp_sender;

enum tcp_sent {
    TCP_SENT,
    TCP_FAILED, /* some of it may have arrived */
    TCP_STOPPED,
};

struct tcp_sender_options {
    uv_loop_t *loop;
    const char *host; /* lives as long as the sender */
    uint16_t port;
    unsigned connect_timeout_ms;
    bool keep_alive;
    struct tls_context *tls; /* taken; NULL: none */
    struct account *charged; /* may be NULL */
    void (*sent)(void *ctx, enum tcp_sent sent, const char *reason);
    /* Certificates changed on disk and cannot be used. May be NULL. */
    void (*kept_old)(void *ctx, const char *reason);
    void *ctx;
};

struct tcp_sender *tcp_sender_new(const struct tcp_sender_options *options);
void tcp_sender_send(struct tcp_sender *sender, struct str bytes);
void tcp_sender_recall(struct tcp_sender *sender);
void tcp_sender_stop(struct tcp_sender *sender);
void tcp_sender_close(struct tcp_sender *sender); /* NULL is ok */

#endif
