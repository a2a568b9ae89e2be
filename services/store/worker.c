/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/worker.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/thread.h"

/* ---- queues ---- */

static void queue_init(struct work_queue *queue)
{
    *queue = (struct work_queue){.first = NULL};
    queue->end = &queue->first;
    uv_mutex_init(&queue->mutex);
    uv_cond_init(&queue->wake);
}

static void queue_release(struct work_queue *queue)
{
    assert(!queue->first);
    uv_mutex_destroy(&queue->mutex);
    uv_cond_destroy(&queue->wake);
}

static void push(struct work_queue *queue, struct work *first, struct work **end)
{
    uv_mutex_lock(&queue->mutex);
    *queue->end = first;
    queue->end = end;
    *end = NULL;
    uv_cond_signal(&queue->wake);
    uv_mutex_unlock(&queue->mutex);
}

static void push_one(struct work_queue *queue, struct work *work)
{
    work->next = NULL;
    push(queue, work, &work->next);
}

/* Waits, and takes work until there is enough for one transaction. NULL: the queue is closed. */
static struct work *take(struct work_queue *queue, size_t max_bytes, bool wait)
{
    uv_mutex_lock(&queue->mutex);
    while (wait && !queue->first && !queue->closing)
        uv_cond_wait(&queue->wake, &queue->mutex);
    struct work *taken = queue->first;
    struct work **link = &queue->first;
    for (size_t bytes = 0; *link && bytes <= max_bytes; link = &(*link)->next)
        bytes += (*link)->bytes > 0 ? (*link)->bytes : 1;
    queue->first = *link;
    if (!queue->first)
        queue->end = &queue->first;
    if (taken)
        *link = NULL;
    uv_mutex_unlock(&queue->mutex);
    return taken;
}

static void close_queue(struct work_queue *queue)
{
    uv_mutex_lock(&queue->mutex);
    queue->closing = true;
    uv_cond_broadcast(&queue->wake);
    uv_mutex_unlock(&queue->mutex);
}

static void finish(struct workers *workers, struct work *first)
{
    struct work **end = &first->next;
    while (*end)
        end = &(*end)->next;
    push(&workers->finished, first, end);
    uv_async_send(&workers->async);
}

/* ---- writing ---- */

static bool write_all(struct worker *worker, struct work *first, struct error *err)
{
    bool good = database_begin(&worker->database) && catalog_load(&worker->catalog);
    for (struct work *work = first; work && good; work = work->next) {
        document_writer_begin(&worker->writer);
        arena_reset(&worker->scratch);
        work->run(worker, work);
        good = !worker->database.failed;
    }
    if (good)
        catalog_save(&worker->catalog);
    if (database_end(&worker->database, err))
        return true;
    catalog_forget(&worker->catalog);
    return false;
}

static void write_one(struct worker *worker, struct work *work)
{
    struct work *next = work->next;
    work->next = NULL;
    work->failed = !write_all(worker, work, &work->error);
    work->next = next;
}

/* What fails in company is tried alone, so that it fails nobody else. */
static void write_group(struct worker *worker, struct work *first)
{
    struct error err;
    bool good = first->next && write_all(worker, first, &err);
    for (struct work *work = first; work; work = work->next) {
        work->failed = false;
        if (!good)
            write_one(worker, work);
    }
}

static void writer_thread(void *ctx)
{
    struct worker *worker = ctx;
    struct work *first;
    while ((first = take(&worker->workers->to_write, WORKER_COMMIT_BYTES, true)) != NULL) {
        write_group(worker, first);
        finish(worker->workers, first);
    }
}

/* ---- reading ---- */

static void reader_thread(void *ctx)
{
    struct worker *worker = ctx;
    struct work *work;
    while ((work = take(&worker->workers->to_read, 0, true)) != NULL) {
        arena_reset(&worker->scratch);
        if (database_begin(&worker->database) && catalog_load(&worker->catalog))
            work->run(worker, work);
        work->failed = !database_end(&worker->database, &work->error);
        if (work->failed)
            catalog_forget(&worker->catalog);
        finish(worker->workers, work);
    }
}

/* ---- the loop's side ---- */

static void on_finished(uv_async_t *async)
{
    struct workers *workers = async->data;
    for (struct work *work = take(&workers->finished, SIZE_MAX - 1, false); work;) {
        struct work *next = work->next;
        work->done(work);
        work = next;
    }
}

void workers_write(struct workers *workers, struct work *work)
{
    push_one(&workers->to_write, work);
}

void workers_read(struct workers *workers, struct work *work)
{
    work->bytes = 1;
    push_one(&workers->to_read, work);
}

void workers_hurry(struct workers *workers)
{
    atomic_store(&workers->stop, true);
}

static void init_worker(struct worker *worker, struct workers *workers)
{
    worker->workers = workers;
    catalog_init(&worker->catalog, &worker->database);
    document_writer_init(&worker->writer, &worker->catalog);
    arena_init(&worker->scratch, NULL);
}

static void release_worker(struct worker *worker)
{
    document_writer_release(&worker->writer);
    catalog_release(&worker->catalog);
    arena_release(&worker->scratch);
    json_tape_release(&worker->tape);
    database_close(&worker->database);
}

static bool open_databases(struct workers *workers, enum database_sync sync, struct error *err)
{
    if (!database_open_writer(&workers->writer.database, workers->path, sync, err))
        return false;
    size_t count = 0;
    while (count < WORKER_READERS && database_open_reader(&workers->readers[count].database,
                                                          workers->path, &workers->stop, err))
        count++;
    if (count == WORKER_READERS)
        return true;
    while (count > 0)
        database_close(&workers->readers[--count].database);
    database_close(&workers->writer.database);
    return false;
}

static void start(uv_thread_t *thread, void (*run)(void *ctx), struct worker *worker)
{
    if (!thread_start(thread, run, worker))
        mem_abort("cannot start a thread");
}

bool workers_open(struct workers *workers, uv_loop_t *loop, const char *path,
                  enum database_sync sync, struct error *err)
{
    *workers = (struct workers){.closed = NULL};
    snprintf(workers->path, sizeof workers->path, "%s", path);
    if (!open_databases(workers, sync, err))
        return false;
    queue_init(&workers->to_write);
    queue_init(&workers->to_read);
    queue_init(&workers->finished);
    uv_async_init(loop, &workers->async, on_finished);
    workers->async.data = workers;
    init_worker(&workers->writer, workers);
    start(&workers->writer.thread, writer_thread, &workers->writer);
    for (size_t i = 0; i < WORKER_READERS; i++) {
        init_worker(&workers->readers[i], workers);
        start(&workers->readers[i].thread, reader_thread, &workers->readers[i]);
    }
    return true;
}

static void on_async_closed(uv_handle_t *handle)
{
    struct workers *workers = handle->data;
    workers->closed(workers->closed_ctx);
}

void workers_close(struct workers *workers, void (*closed)(void *ctx), void *ctx)
{
    workers->closed = closed;
    workers->closed_ctx = ctx;
    close_queue(&workers->to_write);
    close_queue(&workers->to_read);
    for (size_t i = 0; i < WORKER_READERS; i++) {
        uv_thread_join(&workers->readers[i].thread);
        release_worker(&workers->readers[i]);
    }
    uv_thread_join(&workers->writer.thread);
    release_worker(&workers->writer); /* last: closing it empties the log file into the other */
    queue_release(&workers->to_write);
    queue_release(&workers->to_read);
    queue_release(&workers->finished);
    uv_close((uv_handle_t *)&workers->async, on_async_closed);
}
