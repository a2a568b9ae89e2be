/* SPDX-License-Identifier: Apache-2.0
 *
 * Unix sockets by directory and name, whatever the length of the directory's path: a socket address has 108 bytes, and a longer
 * path is reached through a descriptor of the directory.
 */
#ifndef MILLRACE_IO_LOCAL_SOCKET_H
#define MILLRACE_IO_LOCAL_SOCKET_H

#include "base/error.h"

enum { LOCAL_SOCKET_NAME_MAX = 64 };

/* A listening socket of mode 0600, non-blocking, in place of a file of that name. -1 with *err. */
int local_socket_listen(const char *directory, const char *name, struct error *err);
/* A connected blocking socket; -1 with errno: nobody listens there. */
int local_socket_connect(const char *directory, const char *name);
void local_socket_remove(const char *directory, const char *name);

#endif
