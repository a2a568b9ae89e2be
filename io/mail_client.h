/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends mails by SMTP, one at a time, over libcurl on the caller's loop. The connection is kept from one to the next.
 */
#ifndef MILLRACE_IO_MAIL_CLIENT_H
#define MILLRACE_IO_MAIL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/str.h"

struct mail_client;

enum mail_outcome {
    MAIL_SENT,
    MAIL_UNREACHABLE, /* nobody there, or it broke: also what a server does for now only (4xx) */
    MAIL_REFUSED,     /* for good (5xx): a recipient, the mail, or who we are */
};

/* Texts are copied. */
struct mail_client_options {
    uv_loop_t *loop;
    const char *host, *domain; /* domain: who says HELO */
    unsigned port;
    const char *user, *password, *mechanism; /* PLAIN, LOGIN, CRAM-MD5; all NULL: none */
    bool use_tls;                            /* STARTTLS where the server offers it */
    unsigned timeout_ms;
    void (*done)(void *ctx, enum mail_outcome outcome, const char *reason);
    void *ctx;
};

struct mail_client *mail_client_new(const struct mail_client_options *options);
/* from and recipients: addresses alone; recipients one on a line. The message lives until done, which is called later. False:
 * an address is none. */
bool mail_client_send(struct mail_client *client, struct str from, struct str recipients,
                      struct str message);
/* Nothing of the mail itself was asked for yet, so it is not sent if it is cancelled. */
bool mail_client_is_waiting(const struct mail_client *client);
void mail_client_cancel(struct mail_client *client); /* done is not called */
void mail_client_close(
    struct mail_client *client); /* frees itself when the loop allows; NULL is ok */

#endif
