/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that events wait for, of one filter instance (http, elasticsearch): begun in prepare(), read in apply(). The
 * lane does other work meanwhile.
 *
 *   http_calls_begin ── UNDER WAY ── the answer came ──▶ DONE (filter_ready is called) ── http_call_end
 *
 * A call belongs to its filter, not to the event, which may go away without an apply(): what is left is freed by
 * http_calls_close. An answer is at most as long as an event from outside, and charged to the filters' memory. All on the
 * instance's lane.
 */
#ifndef MILLRACE_FILTERS_HTTP_CALLS_H
#define MILLRACE_FILTERS_HTTP_CALLS_H

#include "pipeline/client_options.h"

enum { HTTP_CALLS_MAX = 64 };

struct http_call {
    struct http_call *next, *previous;
    struct http_calls *calls;
    struct http_request request; /* what it points at is ours */
    struct http_headers *sent;
    struct buf url, body;
    unsigned tries_left;
    bool done;
    enum http_outcome outcome;
    int status;
    struct buf answer, headers; /* headers: lines as http_header_next reads them */
    char error[256];
};

struct http_calls {
    const struct plugin_env *env;
    struct http_client *client;
    struct account *charged; /* of what servers answered; NULL: nobody counts */
    struct http_call *first;
    size_t under_way;
    unsigned retries; /* of a request that failed or was answered with one of retry_statuses */
    const int *retry_statuses;
    size_t retry_status_count;
};

/* What a call is made of; texts and body are copied. */
struct http_call_request {
    enum http_method method;
    struct str url, body;
    struct http_headers *headers;              /* taken; or */
    const struct http_headers *shared_headers; /* outlive the call; both may be NULL */
};

/* Takes the client. */
void http_calls_init(struct http_calls *calls, const struct plugin_env *env,
                     struct http_client *client);
/* Too many are under way for one more: prepare() answers false and will be asked again when one is done. What is done and not
 * ended does not count: all events of a slice must be ready before any of them is. */
bool http_calls_are_full(const struct http_calls *calls);
struct http_call *http_calls_begin(struct http_calls *calls,
                                   const struct http_call_request *request);
/* 2xx. */
bool http_call_succeeded(const struct http_call *call);
/* Why it did not, as a text for the log, without what the server said. In arena. */
struct str http_call_failure(struct arena *arena, const struct http_call *call);
void http_call_end(struct http_call *call);
void http_calls_close(struct http_calls *calls);

#endif
