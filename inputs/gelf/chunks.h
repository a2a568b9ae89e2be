/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages that came in several datagrams: chunks of them, until all are there. Each has an identifier that its sender chose;
 * senders do not get mixed.
 *
 * Invariants
 * G1. At most max_sets messages and max_bytes of their chunks are kept; above that the oldest is given up.
 * G2. None is kept for longer than max_age_ms after its first chunk, as far as chunks come that make us look.
 */
#ifndef MILLRACE_INPUTS_GELF_CHUNKS_H
#define MILLRACE_INPUTS_GELF_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { GELF_CHUNKS_MAX = 128, GELF_CHUNK_HEADER_BYTES = 12 };

struct chunks;

struct chunks_limits {
    size_t max_sets, max_bytes;
    uint64_t max_age_ms;
};

struct chunks *chunks_new(const struct chunks_limits *limits);
void chunks_free(struct chunks *chunks); /* NULL is ok */

enum chunk_result {
    CHUNK_KEPT,
    CHUNK_COMPLETE, /* *whole holds the message */
    CHUNK_BAD,      /* not one that can be */
};

/* Whether a datagram says that it is a chunk. */
bool chunk_is_one(struct str datagram);
/* whole: cleared, then filled when it is complete. */
enum chunk_result chunks_add(struct chunks *chunks, struct str datagram, struct str sender,
                             uint64_t now_ms, struct buf *whole);
/* How many messages were given up, unfinished, since the last call. */
size_t chunks_given_up(struct chunks *chunks);

#endif
