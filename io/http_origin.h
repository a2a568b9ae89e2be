/* SPDX-License-Identifier: Apache-2.0
 *
 * Keeps browsers that show pages of other sites away from a server that asks for no password. Such a page cannot choose
 * two headers: Origin, which names it, and Host, which is the name that was looked up (and may lead here on purpose).
 */
#ifndef MILLRACE_IO_HTTP_ORIGIN_H
#define MILLRACE_IO_HTTP_ORIGIN_H

#include <stdbool.h>

/* NULL: served. Else why not. host and origin as they came, NULL when absent. A server on a loopback address is meant by
 * loopback addresses and names, and names of one part, whatever the port (it may be forwarded); others by any name. */
const char *http_origin_refusal(bool is_loopback, const char *host, const char *origin);

#endif
