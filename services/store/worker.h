/* SPDX-License-Identifier: Apache-2.0
 *
 * The threads that use the database. One writes: whatever waits when it is free goes into one transaction, and all of
 * it is done when that is committed. A few read, each in a transaction of its own, so that a long search holds up
 * neither writes nor short reads.
 *
 *   loop: workers_write(&workers, work)    writer: work->run(worker, work)    loop: work->done(work)
 *
 * run may be called again from the start when a transaction failed. `failed` says whether the last one did.
 */
#ifndef MILLRACE_SERVICES_STORE_WORKER_H
#define MILLRACE_SERVICES_STORE_WORKER_H

#include <uv.h>

#include "base/json/json_scan.h"
#include "services/store/document_write.h"

enum { WORKER_READERS = 2, WORKER_COMMIT_BYTES = 32 * 1024 * 1024, WORKER_PATH_MAX = 4096 };

struct worker {
    struct workers *workers;
    uv_thread_t thread;
    struct database database;
    struct catalog catalog;
    struct document_writer writer;
    struct arena scratch;  /* of one work */
    struct json_tape tape; /* of action lines of bulk requests */
};

struct work {
    struct work *next;
    size_t bytes; /* how much it writes, about */
    void (*run)(struct worker *worker, struct work *work);
    void (*done)(struct work *work); /* on the loop */
    bool failed;                     /* nothing of it is stored: error says why */
    struct error error;
};

struct work_queue {
    uv_mutex_t mutex;
    uv_cond_t wake;
    struct work *first, **end;
    bool closing;
};

struct workers {
    char path[WORKER_PATH_MAX];
    struct worker writer, readers[WORKER_READERS];
    struct work_queue to_write, to_read,
        finished; /* nobody waits for finished: the loop is woken */
    uv_async_t async;
    atomic_bool stop; /* reads are to end early */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

bool workers_open(struct workers *workers, uv_loop_t *loop, const char *path,
                  enum database_sync sync, struct error *err);
void workers_write(struct workers *workers, struct work *work);
void workers_read(struct workers *workers, struct work *work);
/* Searches under way end as failed. */
void workers_hurry(struct workers *workers);
/* Nothing may be under way. closed() runs from the loop. */
void workers_close(struct workers *workers, void (*closed)(void *ctx), void *ctx);

#endif
