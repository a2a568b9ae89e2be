/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the HTTP client: requests that need nothing of curl but connections (http_link.h). A request goes this way
 * when its URL is plain (http_head.h), its headers are, and the client has no proxy and keeps its connections. What an
 * origin does that only curl knows how to answer (a redirect that is followed, a cookie that is kept, an unusual coding)
 * sends its requests to curl from then on; a client that follows redirects or keeps cookies finds out by giving the first
 * ones of each origin to curl.
 *
 * Connections are kept and counted by origin within the client's limits; what finds none free waits, in order. One timer
 * looks after the time limits of all.
 */
#ifndef MILLRACE_IO_HTTP_PLAIN_H
#define MILLRACE_IO_HTTP_PLAIN_H

#include "io/http_transfer.h"

enum { HTTP_ORIGINS_MAX = 64 }; /* further ones are curl's */

struct http_plain;
struct http_origin_state;

/* NULL when the options want curl for everything. */
struct http_plain *http_plain_new(struct http_client *client,
                                  const struct http_client_options *options);
/* False: curl has to. */
bool http_plain_carry(struct http_plain *plain, struct transfer *transfer);
/* Some of the request may have gone. */
bool http_plain_has_left(const struct transfer *transfer);
void http_plain_stop(struct http_plain *plain, struct transfer *transfer); /* not given back */
/* curl was answered by origin, and was (not) needed for it. */
void http_plain_learn(struct http_origin_state *origin, bool was_plain);
/* Nothing is under way. Handles close; free when the client's loop is closed. */
void http_plain_close(struct http_plain *plain);
void http_plain_free(struct http_plain *plain); /* NULL is ok */

#endif
