/* SPDX-License-Identifier: Apache-2.0
 *
 * A scripted HTTP server on the loopback address and on the test's own loop. It reads whole requests and writes the
 * next of `answers`, byte for byte; an answer of "" closes the connection, NULL never answers.
 */
#ifndef MILLRACE_TESTS_UNIT_IO_HTTP_PEER_H
#define MILLRACE_TESTS_UNIT_IO_HTTP_PEER_H

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"

enum { PEER_ANSWERS_MAX = 32, PEER_REQUESTS_MAX = 64 };

struct http_peer {
    uv_tcp_t listener;
    int port;
    const char *answers[PEER_ANSWERS_MAX]; /* the last one is repeated */
    size_t answer_count;
    struct buf requests[PEER_REQUESTS_MAX]; /* head and body as received */
    size_t request_count;
    size_t connection_count;
};

void http_peer_open(struct http_peer *peer, uv_loop_t *loop);
void http_peer_answer(struct http_peer *peer, const char *answer);
/* Stops listening and frees the requests; open connections end with the loop. */
void http_peer_close(struct http_peer *peer);
bool http_peer_saw(const struct http_peer *peer, size_t request, const char *text);

#endif
