/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the HTTP client: requests that curl carries, each by an easy handle whose constant options are set once, when
 * it is made. What curl learns of an origin on the way says whether our own requests will do there.
 */
#ifndef MILLRACE_IO_HTTP_BY_CURL_H
#define MILLRACE_IO_HTTP_BY_CURL_H

#include "io/http_transfer.h"

void http_by_curl_carry(struct transfer *transfer);
/* Some of the request may have gone. */
bool http_by_curl_has_left(const struct transfer *transfer);
void http_by_curl_stop(struct transfer *transfer); /* under way; it is not given back */
void http_by_curl_release(struct transfer *transfer);

#endif
