/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the HTTP client: one connection for plain requests. curl makes it (names, all addresses, connect_to, time
 * limit: as for its own requests) and hands the socket over; from then on requests and answers are ours.
 *
 *   connecting --> busy <--> idle --> closed
 *
 * 1. A link has at most one transfer: while it connects and while it is busy.
 * 2. An idle link is watched: when its peer closes it, or says anything, it is closed.
 * 3. Before it is used again it is looked at, so bytes behind one answer are never taken for the next one.
 * 4. How an exchange ends is told once, from the loop and never from inside http_link_send, by http_plain_ended.
 *
 * http_plain.c owns links, by their origin. One thread.
 */
#ifndef MILLRACE_IO_HTTP_LINK_H
#define MILLRACE_IO_HTTP_LINK_H

#include <sys/uio.h>

#include "io/http_reader.h"
#include "io/http_transfer.h"

enum { HTTP_RECEIVE_BYTES = 64 * 1024 };

enum http_link_end {
    LINK_ANSWERED,
    LINK_TOO_LARGE,
    LINK_UNUSUAL, /* an answer that curl has to read */
    LINK_STALE,   /* it was idle before, and nothing came: its peer had given it up */
    LINK_BROKEN,
    LINK_NOT_CONNECTED,
};

struct http_link {
    struct easy_owner owner; /* first */
    struct http_plain *plain;
    struct http_origin_state *origin;
    struct http_link *next, *previous; /* of all links */
    struct http_link *idle_next;       /* of its origin */
    struct transfer *transfer;         /* NULL: idle */
    CURL *easy;                        /* while it connects */
    int fd;                            /* -1 while it connects */
    uv_poll_t poll;
    int watched;           /* what the poll handle is started with */
    struct iovec parts[2]; /* head and body, as far as they are not sent */
    unsigned parts_left;   /* the last ones of parts */
    int send_error;        /* errno; the rest is not sent */
    struct http_reader reader;
    bool is_reused, got_bytes;
    bool is_answered; /* before all was sent, and the rest is still going out */
    bool is_fit;      /* for another request; once the exchange has ended */
};

/* Begins to connect for transfer. */
struct http_link *http_link_new(struct http_plain *plain, struct http_origin_state *origin,
                                struct transfer *transfer);
/* Nothing happened to it since it is idle. */
bool http_link_is_sound(const struct http_link *link);
/* Sends transfer's request on a link that is connected and idle. */
void http_link_send(struct http_link *link, struct transfer *transfer);
/* Nobody's any more: it frees itself. */
void http_link_close(struct http_link *link);

/* Of http_plain.c: the exchange of link->transfer ended so. error is NULL for LINK_ANSWERED; link may be gone afterwards. */
void http_plain_ended(struct http_link *link, enum http_link_end end, const char *error);
void http_plain_lost_idle(struct http_link *link);
/* What is received goes through here: HTTP_RECEIVE_BYTES. */
char *http_plain_receive_buffer(struct http_plain *plain);
struct http_client *http_plain_client(const struct http_plain *plain);
/* NUL-terminated, for curl: http://AUTHORITY/ */
const char *http_plain_origin_url(const struct http_origin_state *origin);

#endif
