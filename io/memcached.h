/* SPDX-License-Identifier: Apache-2.0
 *
 * A client of memcached servers, by the text protocol. Operations on one server go out behind each other over one
 * connection, without waiting for answers. Keys are spread over several servers as Ruby's dalli spreads them, so that
 * both find what the other one has stored.
 *
 *   memcached_send ── the server's line ── its answer ──▶ op.done, once, later, from the loop
 *
 * A server that cannot be reached, breaks off or is silent for timeout_ms fails all operations in its line; the next one
 * connects anew. An operation is the caller's, unchanged until done. All on the loop's thread.
 */
#ifndef MILLRACE_IO_MEMCACHED_H
#define MILLRACE_IO_MEMCACHED_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "base/str.h"

enum { MEMCACHED_KEY_MAX_BYTES = 250, MEMCACHED_SERVERS_MAX = 64 };

enum memcached_result { MEMCACHED_FOUND, MEMCACHED_MISSING, MEMCACHED_STORED, MEMCACHED_FAILED };

struct memcached_op {
    bool stores; /* else it looks up */
    struct str
        key; /* any bytes; with blanks or control bytes at most 180 of them, else MEMCACHED_KEY_MAX_BYTES */
    struct str value;  /* to store */
    uint32_t flags;    /* kept with it */
    uint32_t expire_s; /* 0: never */
    void (*done)(struct memcached_op *op);
    void *ctx;
    /* the answer; found and error are borrowed for done */
    enum memcached_result result;
    struct str found;
    uint32_t found_flags;
    const char *error;
    struct memcached_op *next; /* the client's */
    bool is_meta;
};

struct memcached_options {
    uv_loop_t *loop;
    const struct str *hosts; /* HOST or HOST:PORT, [::1]:PORT */
    size_t host_count;
    unsigned timeout_ms;
    size_t max_value_bytes; /* of what is looked up; more breaks the connection */
};

struct memcached;
/* NULL and *err when a host is no address of a server. */
struct memcached *memcached_new(const struct memcached_options *options, struct error *err);
void memcached_send(struct memcached *client, struct memcached_op *op);
/* What is in line fails; frees itself when the loop has let go of its handles. NULL is ok. */
void memcached_close(struct memcached *client);

#endif
