/* SPDX-License-Identifier: Apache-2.0
 *
 * One request, waited for: for start-up, checks and commands, where nothing else runs on the loop.
 */
#ifndef MILLRACE_IO_HTTP_ASK_H
#define MILLRACE_IO_HTTP_ASK_H

#include "base/arena.h"
#include "io/http_client.h"

struct http_answer {
    enum http_outcome outcome;
    int status;             /* 0: none came */
    struct str body, error; /* in the arena; error is empty when outcome is HTTP_ANSWERED */
};

/* Runs the loop of the client until the answer is there. request.done and .ctx are set here. */
struct http_answer http_ask(struct http_client *client, uv_loop_t *loop, struct arena *arena,
                            struct http_request request);

#endif
