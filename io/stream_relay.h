/* SPDX-License-Identifier: Apache-2.0
 *
 * Carries bytes between two streams, both ways, each with one buffer: what the one does not take is not read from the other.
 * The end of one is told to the other; when both have ended, or one fails, both are closed.
 */
#ifndef MILLRACE_IO_STREAM_RELAY_H
#define MILLRACE_IO_STREAM_RELAY_H

#include "base/account.h"
#include "io/byte_stream.h"

struct stream_relay;

/* Takes both streams, whose handlers it replaces. finished: both are closed, and it is freed. charged may be NULL. */
struct stream_relay *stream_relay_new(struct byte_stream *one, struct byte_stream *other,
                                      struct account *charged, void (*finished)(void *ctx),
                                      void *ctx);
/* Closes both. Again: no effect. */
void stream_relay_close(struct stream_relay *relay);

#endif
