/* SPDX-License-Identifier: Apache-2.0
 *
 * The document store as a service on a loop: a directory with a SQLite file, behind a part of the Elasticsearch REST
 * API. HTTP on the loop, one thread that writes, a few that read (worker.h). docs/store.md says what it answers.
 *
 * What was answered is on disk. The directory is used by one process at a time.
 */
#ifndef MILLRACE_SERVICES_STORE_STORE_H
#define MILLRACE_SERVICES_STORE_STORE_H

#include <uv.h>

#include "base/error.h"
#include "base/log.h"

struct store;

struct store_options {
    uv_loop_t *loop;
    const struct log *log;
    const char *host;
    uint16_t port;    /* 0: a free one */
    const char *path; /* a directory; made when it is not there */
    bool
        allow_remote; /* else only addresses of the loopback are listened on: there are no passwords */
    bool sync;        /* what was answered also survives a loss of power */
    uint64_t max_body_bytes;
    uint64_t retention_days, retention_bytes; /* 0: no limit */
};

enum {
    STORE_BODY_BYTES = 100 * 1024 * 1024,
    STORE_BODY_BYTES_MIN = 1024,
    STORE_BODY_BYTES_MAX = 1024 * 1024 * 1024,
    STORE_RETENTION_MS = 5 * 60 * 1000,
    STORE_GIVE_BACK_PAGES = 4096, /* 32 MiB: writers wait for so much */
    STORE_GIVE_BACK_MS = 1000,    /* between passes while more is free */
    STORE_CONNECTIONS_MAX = 256,
};

/* Listens. NULL with *err. Strings are borrowed for the call. */
struct store *store_open(const struct store_options *options, struct error *err);
const char *store_address(const struct store *store); /* 127.0.0.1:9200 */
/* Answers what is under way; then closed() runs, and the store is gone. */
void store_close(struct store *store, void (*closed)(void *ctx), void *ctx);

#endif
