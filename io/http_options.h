/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the HTTP client: what every easy handle of a client has in common, and header lists. The options own
 * copies of what curl only borrows.
 */
#ifndef MILLRACE_IO_HTTP_OPTIONS_H
#define MILLRACE_IO_HTTP_OPTIONS_H

#include <curl/curl.h>

#include "io/http_client.h"
#include "io/http_head.h"

struct http_easy_options;

struct http_easy_options *http_easy_options_new(const struct http_client_options *options);
/* After the last easy handle that they were applied to. */
void http_easy_options_free(struct http_easy_options *self);
void http_easy_options_apply(const struct http_easy_options *self, CURL *easy);

/* The list that curl takes. headers may be NULL. */
struct curl_slist *http_headers_list(const struct http_easy_options *self,
                                     const struct http_headers *headers, bool compressed);
/* The same as text, for our own requests. */
const struct http_header_lines *http_headers_lines(const struct http_easy_options *self,
                                                   const struct http_headers *headers);

#endif
