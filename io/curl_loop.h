/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's multi interface on a libuv loop. curl says which sockets to watch and when to wake it; libuv
 * does both, and nothing else runs curl.
 *
 * 1. curl is never called from inside one of its own callbacks: those only note what is wanted.
 * 2. A timer of 0 runs on the next turn of the loop (an idle handle), not after a millisecond.
 * 3. A connection keeps its poll handle, and its place in epoll, from socket() to close(), also between requests:
 *    a request on a kept connection costs no epoll_ctl. An idle connection that becomes readable (its peer hung up)
 *    is no longer watched, and curl finds out when it wants to use it.
 * 4. Transfers end in `finished`, which may call curl freely.
 *
 * One thread, that of the loop. The struct is embedded in its owner; close is asynchronous.
 */
#ifndef MILLRACE_IO_CURL_LOOP_H
#define MILLRACE_IO_CURL_LOOP_H

#include <curl/curl.h>
#include <stdbool.h>
#include <uv.h>

struct curl_socket;

struct curl_loop {
    CURLM *multi;
    uv_loop_t *loop;
    uv_timer_t timer;
    uv_idle_t idle;              /* active: curl wants to run at once */
    struct curl_socket *sockets; /* newest first */
    unsigned open_handles;       /* of the loop; at 0 after curl_loop_close: closed() */
    /* easy is done, but its connection is still its own. It must not call curl but to ask for information. */
    void (*leaving)(struct curl_loop *self, CURL *easy, CURLcode code);
    /* easy is done and already removed from the multi handle. */
    void (*finished)(struct curl_loop *self, CURL *easy, CURLcode code);
    /* All that finished in this turn has been reported. */
    void (*settled)(struct curl_loop *self);
    void (*closed)(struct curl_loop *self);
};

/* finished, settled and closed are set by the caller; leaving may be NULL. */
void curl_loop_init(struct curl_loop *self, uv_loop_t *loop);
/* Makes easy's connections known to the loop; once for each easy handle. */
void curl_loop_prepare(struct curl_loop *self, CURL *easy);
void curl_loop_add(struct curl_loop *self, CURL *easy);
/* Ends a transfer that has not finished; its connection is closed. */
void curl_loop_remove(struct curl_loop *self, CURL *easy);
/* Shuts all connections. For protocols in which curl says farewell when it closes one, and waits for the answer while the
 * loop stands still (SMTP's QUIT): to one that is shut it says nothing. */
void curl_loop_hang_up(struct curl_loop *self);
/* One more handle of the owner's that closed() waits for, and that it is gone. */
void curl_loop_hold(struct curl_loop *self);
void curl_loop_let_go(struct curl_loop *self);
/* No transfer may be left. closed() runs when the loop has let go of everything. */
void curl_loop_close(struct curl_loop *self);

#endif
