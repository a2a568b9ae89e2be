/* SPDX-License-Identifier: Apache-2.0
 *
 * Inside the memcached client: what is written and read, and which server has a key. Neither knows a socket.
 */
#ifndef MILLRACE_IO_MEMCACHED_PRIVATE_H
#define MILLRACE_IO_MEMCACHED_PRIVATE_H

#include "base/buf.h"
#include "io/memcached.h"

enum memcached_reply {
    MEMCACHED_REPLY_MORE, /* it is not all there */
    MEMCACHED_REPLY_DONE, /* op has its result; *taken_out bytes were the answer */
    MEMCACHED_REPLY_BROKEN,
};

/* False when the buffer is at its maximum. */
bool memcached_write(struct memcached_op *op, struct buf *out);
enum memcached_reply memcached_read(struct memcached_op *op, struct str bytes,
                                    size_t max_value_bytes, size_t *taken_out);

/* dalli's ring: 160 places for each server, by the SHA-1 of its name and their number. */
struct memcached_ring;
struct memcached_ring *memcached_ring_new(const struct str *names, size_t count);
void memcached_ring_free(struct memcached_ring *ring);
size_t memcached_ring_server(const struct memcached_ring *ring, struct str key);

#endif
