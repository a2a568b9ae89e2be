/* SPDX-License-Identifier: Apache-2.0
 *
 * The first line that a proxy sends before a client's own bytes (PROXY protocol, version 1):
 *
 *   PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n
 */
#ifndef MILLRACE_INPUTS_PROXY_HEADER_H
#define MILLRACE_INPUTS_PROXY_HEADER_H

#include <stdbool.h>

#include "base/str.h"

enum { PROXY_HEADER_MAX = 256 }; /* the protocol allows 107 */

enum proxy_header_result { PROXY_HEADER_MORE, PROXY_HEADER_WHOLE, PROXY_HEADER_BROKEN };

/* Borrowed from the bytes; empty where the proxy did not say ("PROXY UNKNOWN"). */
struct proxy_header {
    struct str source, destination, source_port, destination_port;
};

/* *len_out: how many bytes the header takes, when it is WHOLE. */
enum proxy_header_result proxy_header_read(struct str bytes, struct proxy_header *out,
                                           size_t *len_out);

#endif
