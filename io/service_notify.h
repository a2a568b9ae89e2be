/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells the service manager that started the process how far it is (the protocol of sd_notify(3): one datagram to the
 * socket that NOTIFY_SOCKET names). Without that variable nothing happens; a manager that does not listen is no error.
 */
#ifndef MILLRACE_IO_SERVICE_NOTIFY_H
#define MILLRACE_IO_SERVICE_NOTIFY_H

#include <stdbool.h>

#define SERVICE_READY    "READY=1"
#define SERVICE_STOPPING "STOPPING=1"

/* True when the datagram was handed over. */
bool service_notify(const char *state);

#endif
