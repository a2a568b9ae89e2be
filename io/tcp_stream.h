/* SPDX-License-Identifier: Apache-2.0
 *
 * A byte stream over a connected socket as it is: TCP, or a Unix socket.
 */
#ifndef MILLRACE_IO_TCP_STREAM_H
#define MILLRACE_IO_TCP_STREAM_H

#include "io/byte_stream.h"

/* Takes the descriptor, which is non-blocking and connected. */
struct byte_stream *tcp_stream_new(uv_loop_t *loop, int fd,
                                   const struct byte_stream_handler *handler, void *ctx);

#endif
