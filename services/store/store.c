/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening order: the directory's lock, the database with its threads, the server. Closing goes the other way: the
 * server ends when every exchange has been answered, then the threads have nothing left to do.
 */
#include "services/store/store.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/loop_timer.h"
#include "pipeline/engine/data_path.h"
#include "services/store/rest/rest.h"
#include "services/store/retention.h"

enum {
    IDLE_TIMEOUT_S = 120,
    REQUEST_TIMEOUT_S = 300,
    CONTENT_TYPE_SHOWN_MAX = 100,
    ALL_BODIES_FACTOR = 4, /* bodies of the largest size that are held at once */
};

struct retention_work {
    struct work work; /* first */
    struct store *store;
    int64_t now_ms;
    int64_t free_pages; /* that are left */
    size_t count;
    struct retention_deleted deleted[RETENTION_DELETED_MAX];
};

struct store {
    struct store_options options;
    struct data_path directory;
    struct workers workers;
    struct http_server *server; /* NULL: closed */
    struct loop_timer *retention_timer;
    struct retention_work retention;
    bool retaining; /* retention is under way */
    bool served;    /* the server has ended */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- requests ---- */

static void run_route(struct worker *worker, struct work *work)
{
    struct rest_request *request = (struct rest_request *)(void *)work;
    buf_clear(&request->answer, 0);
    request->status = 200;
    request->content_type = "application/json; charset=UTF-8";
    request->route->run(worker, request);
    rest_finish(worker, request);
}

static void respond(struct work *work)
{
    struct rest_request *request = (struct rest_request *)(void *)work;
    struct api_error err;
    if (work->failed) {
        api_error_set(&err, 503, "storage_exception", "%s", work->error.text);
        rest_error(request, &err);
    }
    http_exchange_respond(request->exchange, (unsigned)request->status, request->content_type,
                          &request->answer);
}

static struct rest_request *make_request(struct http_exchange *exchange)
{
    struct rest_request *request = arena_zero(&exchange->arena, sizeof *request);
    request->exchange = exchange;
    request->started_ms = clock_monotonic_ms();
    request->work.run = run_route;
    request->work.done = respond;
    request->work.bytes = exchange->body.len;
    buf_init(&request->answer, REST_ANSWER_MAX);
    return request;
}

/* A page of another site may send some kinds of bodies without asking, and JSON is none of them. What HTTP clients say
 * when nobody told them a kind (curl -d) is taken: such a page has an Origin, which the server looks at. */
static bool has_json_body(const struct http_exchange *exchange, struct api_error *err)
{
    static const struct str KINDS[] = {
        STR_INIT("application/json"),
        STR_INIT("application/x-ndjson"),
        STR_INIT("application/vnd.elasticsearch+json"),
        STR_INIT("application/vnd.elasticsearch+x-ndjson"),
        STR_INIT("application/x-www-form-urlencoded"),
    };
    const char *header = http_exchange_header(exchange, "Content-Type");
    if (exchange->body.len == 0 || !header)
        return true;
    struct str kind = str_make(header, strcspn(header, ";"));
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        if (str_equal_nocase(str_trim(kind), KINDS[i]))
            return true;
    return api_error_set(err, 406, "media_type_header_exception",
                         "Content-Type header [%.*s] is not supported; send application/json",
                         (int)strnlen(header, CONTENT_TYPE_SHOWN_MAX), header);
}

static void handle(void *ctx, struct http_exchange *exchange)
{
    struct store *store = ctx;
    struct rest_request *request = make_request(exchange);
    struct api_error err;
    request->route = has_json_body(exchange, &err) ? rest_route(request, &err) : NULL;
    if (!request->route) {
        rest_error(request, &err);
        respond(&request->work);
    } else if (request->route->place == REST_WRITES) {
        workers_write(&store->workers, &request->work);
    } else {
        workers_read(&store->workers, &request->work);
    }
}

static void refuse(void *ctx, struct http_exchange *exchange, unsigned status, const char *reason)
{
    (void)ctx;
    struct rest_request *request = make_request(exchange);
    struct api_error err;
    api_error_set(&err, (int)status,
                  status == 503   ? "es_rejected_execution_exception"
                  : status == 403 ? "security_exception"
                                  : "illegal_argument_exception",
                  "%s", reason);
    rest_error(request, &err);
    respond(&request->work);
}

/* ---- retention: also without limits, for the space of what clients delete ---- */

static void run_retention(struct worker *worker, struct work *work)
{
    struct retention_work *retention = (struct retention_work *)(void *)work;
    const struct store_options *options = &retention->store->options;
    const struct retention limits = {options->retention_days, options->retention_bytes};
    retention->count =
        retention_apply(&worker->catalog, &limits, retention->now_ms, retention->deleted);
    retention->free_pages = database_give_back(&worker->database, STORE_GIVE_BACK_PAGES);
}

static void finish_close(struct store *store);

static void retention_done(struct work *work)
{
    struct retention_work *retention = (struct retention_work *)(void *)work;
    struct store *store = retention->store;
    store->retaining = false;
    if (work->failed)
        log_error(store->options.log, "retention_failed", "old indices could not be deleted",
                  LOG_CSTR("reason", work->error.text));
    for (size_t i = 0; i < retention->count && !work->failed; i++) {
        const struct retention_deleted *deleted = &retention->deleted[i];
        log_info(store->options.log, "index_deleted",
                 deleted->by_age ? "an index was older than --retention-days"
                                 : "the documents took more than --retention-bytes",
                 LOG_CSTR("index", deleted->name), LOG_INT("documents", deleted->docs),
                 LOG_INT("bytes", deleted->bytes));
    }
    if (store->server)
        loop_timer_start(store->retention_timer, !work->failed && store->retention.free_pages > 0
                                                     ? STORE_GIVE_BACK_MS
                                                     : STORE_RETENTION_MS);
    else if (store->served)
        finish_close(store);
}

static void on_retention(void *ctx)
{
    struct store *store = ctx;
    struct instant now = clock_now();
    assert(!store->retaining);
    store->retaining = true;
    store->retention.store = store;
    store->retention.now_ms = now.seconds * 1000 + now.nanoseconds / 1000000;
    store->retention.work = (struct work){.bytes = 1, .run = run_retention, .done = retention_done};
    workers_write(&store->workers, &store->retention.work);
}

/* ---- opening ---- */

static bool open_database(struct store *store, const char *path, struct error *err)
{
    struct arena arena;
    const char *directory;
    arena_init(&arena, NULL);
    data_path_init(&store->directory, path);
    bool done = data_path_make(&store->directory, ".", &arena, &directory, err) &&
                workers_open(&store->workers, store->options.loop,
                             arena_printf(&arena, "%s/store.db", path).ptr,
                             store->options.sync ? DATABASE_SYNC_FULL : DATABASE_SYNC_NORMAL, err);
    store->directory.path = NULL; /* borrowed */
    arena_release(&arena);
    if (!done)
        data_path_release(&store->directory);
    return done;
}

static struct http_server *serve(struct store *store, const struct store_options *options,
                                 struct error *err)
{
    struct http_server_options server = {
        .loop = options->loop,
        .host = options->host,
        .port = options->port,
        .max_connections = STORE_CONNECTIONS_MAX,
        .idle_timeout_s = IDLE_TIMEOUT_S,
        .request_timeout_s = REQUEST_TIMEOUT_S,
        .max_body_bytes = options->max_body_bytes,
        .max_all_bodies_bytes = ALL_BODIES_FACTOR * options->max_body_bytes,
        .handle = handle,
        .refuse = refuse,
        .ctx = store,
    };
    return http_server_open(&server, err);
}

static void free_store(void *ctx)
{
    struct store *store = ctx;
    void (*closed)(void *ctx) = store->closed;
    void *closed_ctx = store->closed_ctx;
    data_path_release(&store->directory);
    mem_free(store);
    if (closed)
        closed(closed_ctx);
}

struct store *store_open(const struct store_options *options, struct error *err)
{
    assert(options->max_body_bytes >= STORE_BODY_BYTES_MIN);
    struct store *store = mem_zero(1, sizeof *store);
    store->options = *options;
    if (!open_database(store, options->path, err)) {
        mem_free(store);
        return NULL;
    }
    store->server = serve(store, options, err);
    if (store->server && !options->allow_remote && !http_server_is_loopback(store->server)) {
        error_set(err, ERROR_CONFIG,
                  "%s can be reached from other machines, and the store asks for no password; "
                  "--allow-remote if that is what you want",
                  http_server_address(store->server));
        http_server_close(store->server, NULL, NULL);
        store->server = NULL;
    }
    if (!store->server) {
        workers_close(&store->workers, free_store, store);
        return NULL;
    }
    store->retention_timer = loop_timer_new(options->loop, on_retention, store);
    on_retention(store);
    return store;
}

const char *store_address(const struct store *store)
{
    return http_server_address(store->server);
}

/* ---- closing ---- */

static void finish_close(struct store *store)
{
    workers_close(&store->workers, free_store, store);
}

static void on_served(void *ctx)
{
    struct store *store = ctx;
    store->served = true;
    if (!store->retaining)
        finish_close(store);
}

void store_close(struct store *store, void (*closed)(void *ctx), void *ctx)
{
    assert(store->server);
    store->closed = closed;
    store->closed_ctx = ctx;
    loop_timer_close(store->retention_timer);
    store->retention_timer = NULL;
    workers_hurry(&store->workers);
    http_server_close(store->server, on_served, store);
    store->server = NULL;
}
