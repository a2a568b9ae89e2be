/* SPDX-License-Identifier: Apache-2.0
 *
 * Transfers: each has an easy handle whose constant options are set once, when it is made, and which goes back to the
 * pool afterwards. What finished waits in `finished` until curl has nothing more to say in this turn; only then is
 * done called, so that done may send or stop.
 *
 *   idle -- http_client_send --> active -- on_finished, cancel --> finished -- answer_finished --> idle
 */
#include "io/http_client.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/curl_loop.h"
#include "io/gzip.h"
#include "io/http_options.h"

enum {
    KEEP_BODY_BYTES = 64 * 1024,
    LARGE_BODY_BYTES = 64 * 1024, /* above this curl sends from its upload buffer */
    UPLOAD_BUFFER_BYTES = 256 * 1024,
    COMPRESSED_MAX_BYTES = 1024 * 1024 * 1024,
};

struct transfer {
    struct http_client *client;
    struct transfer *next, *previous; /* in the list it is in */
    CURL *easy;
    struct http_request request;
    struct buf url; /* with its NUL; what the easy handle has */
    struct buf compressed;
    struct buf response, headers;
    enum http_outcome outcome;
    bool too_large;
    char error[CURL_ERROR_SIZE];
};

struct http_client {
    struct curl_loop curl;
    struct http_easy_options *easy_options;
    struct transfer *idle, *active, *finished, *finished_last;
    size_t in_flight;
    size_t max_response_bytes;
    struct account *charged;
    unsigned timeout_ms;
    struct gzip *gzip;
    bool answering;
};

static pthread_once_t curl_started = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        mem_abort("curl_global_init");
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = ctx;
    assert(size == 1);
    (void)size;
    transfer->too_large = !buf_append(&transfer->response, bytes, count);
    return transfer->too_large ? 0 : count;
}

/* A line at a time; a redirect or an interim answer begins anew. */
static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = ctx;
    struct str line = str_make(bytes, size * count);
    if (str_starts_with(line, STR("HTTP/")))
        transfer->headers.len = 0;
    else
        (void)buf_append_str(&transfer->headers, line); /* at its maximum the line is left out */
    return line.len;
}

bool http_header_next(struct str *headers, struct str *name_out, struct str *value_out)
{
    while (headers->len > 0) {
        size_t end = str_find(*headers, STR("\n"));
        struct str line = str_make(headers->ptr, end == SIZE_MAX ? headers->len : end);
        *headers = str_from_offset(*headers, end == SIZE_MAX ? headers->len : end + 1);
        size_t colon = str_find(line, STR(":"));
        if (colon == SIZE_MAX || colon == 0)
            continue;
        *name_out = str_make(line.ptr, colon);
        *value_out = str_trim(str_from_offset(line, colon + 1));
        return true;
    }
    return false;
}

static struct transfer *transfer_new(struct http_client *client)
{
    struct transfer *transfer = mem_zero(1, sizeof *transfer);
    transfer->client = client;
    transfer->easy = curl_easy_init();
    if (!transfer->easy)
        mem_abort("curl_easy_init");
    buf_init(&transfer->url, SIZE_MAX / 2);
    buf_init(&transfer->compressed, COMPRESSED_MAX_BYTES);
    buf_init(&transfer->response, client->max_response_bytes);
    buf_init(&transfer->headers, HTTP_HEADERS_MAX_BYTES);
    transfer->compressed.charged = transfer->response.charged = client->charged;
    transfer->headers.charged = client->charged;
    CURL *easy = transfer->easy;
    http_easy_options_apply(client->easy_options, easy);
    curl_loop_prepare(&client->curl, easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    return transfer;
}

static void transfer_free(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    buf_release(&transfer->url);
    buf_release(&transfer->compressed);
    buf_release(&transfer->response);
    buf_release(&transfer->headers);
    mem_free(transfer);
}

static void set_url(struct transfer *transfer, struct str url)
{
    if (transfer->url.len == url.len + 1 && memcmp(transfer->url.ptr, url.ptr, url.len) == 0)
        return;
    transfer->url.len = 0;
    buf_append_str(&transfer->url, url);
    buf_append_char(&transfer->url, 0);
    curl_easy_setopt(transfer->easy, CURLOPT_URL, transfer->url.ptr);
}

static bool sends_body(const struct http_request *request)
{
    bool optional = request->method == HTTP_GET || request->method == HTTP_DELETE;
    return request->method != HTTP_HEAD && (!optional || request->body.len > 0);
}

static void set_method(CURL *easy, const struct http_request *request)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = NULL,     [HTTP_POST] = NULL,
        [HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
    };
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, names[request->method]);
    if (request->method == HTTP_HEAD)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (sends_body(request))
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
}

/* The body as it is sent. */
static struct str prepare_body(struct transfer *transfer, bool *compressed_out)
{
    struct http_client *client = transfer->client;
    const struct http_request *request = &transfer->request;
    *compressed_out = client->gzip && !request->plain && request->body.len > 0;
    if (!*compressed_out)
        return request->body;
    transfer->compressed.len = 0;
    if (!gzip_append(client->gzip, request->body, &transfer->compressed)) {
        *compressed_out = false;
        return request->body;
    }
    return buf_str(&transfer->compressed);
}

static void set_body(struct transfer *transfer)
{
    bool compressed;
    struct str body = prepare_body(transfer, &compressed);
    CURL *easy = transfer->easy;
    curl_easy_setopt(
        easy, CURLOPT_HTTPHEADER,
        http_headers_list(transfer->client->easy_options, transfer->request.headers, compressed));
    if (!sends_body(&transfer->request))
        return;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.ptr ? body.ptr : "");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    if (body.len > LARGE_BODY_BYTES)
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
}

static void list_push(struct transfer **list, struct transfer *transfer)
{
    transfer->previous = NULL;
    transfer->next = *list;
    if (*list)
        (*list)->previous = transfer;
    *list = transfer;
}

static void list_remove(struct transfer **list, struct transfer *transfer)
{
    if (transfer->previous)
        transfer->previous->next = transfer->next;
    else
        *list = transfer->next;
    if (transfer->next)
        transfer->next->previous = transfer->previous;
}

void http_client_send(struct http_client *client, const struct http_request *request)
{
    assert(request->done && request->url.len > 0);
    struct transfer *transfer = client->idle;
    if (transfer)
        list_remove(&client->idle, transfer);
    else
        transfer = transfer_new(client);
    transfer->request = *request;
    transfer->too_large = false;
    transfer->error[0] = 0;
    buf_clear(&transfer->response, KEEP_BODY_BYTES);
    transfer->headers.len = 0;
    curl_easy_setopt(transfer->easy, CURLOPT_HEADERFUNCTION,
                     request->wants_headers ? on_header : NULL);
    curl_easy_setopt(transfer->easy, CURLOPT_HEADERDATA,
                     request->wants_headers ? transfer
                                            : NULL); /* else they are written as a body */
    set_url(transfer, request->url);
    set_method(transfer->easy, request);
    set_body(transfer);
    unsigned timeout_ms = request->timeout_ms ? request->timeout_ms : client->timeout_ms;
    curl_easy_setopt(transfer->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    list_push(&client->active, transfer);
    client->in_flight++;
    curl_loop_add(&client->curl, transfer->easy);
}

size_t http_client_in_flight(const struct http_client *client)
{
    return client->in_flight;
}

static enum http_outcome outcome_of(const struct transfer *transfer, CURLcode code)
{
    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    if (transfer->too_large)
        return HTTP_TOO_LARGE;
    curl_off_t until_sending_us = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &until_sending_us);
    if (until_sending_us == 0)
        return HTTP_NOT_CONNECTED;
    return code == CURLE_OPERATION_TIMEDOUT ? HTTP_TIMED_OUT : HTTP_BROKEN;
}

static void move_to_finished(struct transfer *transfer, enum http_outcome outcome)
{
    struct http_client *client = transfer->client;
    list_remove(&client->active, transfer);
    transfer->outcome = outcome;
    transfer->next = NULL;
    if (client->finished)
        client->finished_last->next = transfer;
    else
        client->finished = transfer;
    client->finished_last = transfer;
}

static void on_finished(struct curl_loop *curl, CURL *easy, CURLcode code)
{
    (void)curl;
    struct transfer *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    assert(transfer && transfer->easy == easy);
    if (code != CURLE_OK && !transfer->error[0])
        snprintf(transfer->error, sizeof transfer->error, "%s", curl_easy_strerror(code));
    move_to_finished(transfer, outcome_of(transfer, code));
}

static void read_answer(struct transfer *transfer, struct http_result *out)
{
    long status = 0;
    curl_off_t elapsed_us = 0, retry_after_s = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &elapsed_us);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    if (retry_after_s > HTTP_RETRY_AFTER_MAX_MS / 1000)
        retry_after_s = HTTP_RETRY_AFTER_MAX_MS / 1000;
    *out = (struct http_result){
        .outcome = transfer->outcome,
        .status = (int)status,
        .body = buf_str(&transfer->response),
        .headers = buf_str(&transfer->headers),
        .error = transfer->outcome == HTTP_ANSWERED ? "" : transfer->error,
        .retry_after_ms = retry_after_s > 0 ? (unsigned)retry_after_s * 1000 : 0,
        .elapsed_us = elapsed_us > 0 ? (uint64_t)elapsed_us : 0,
    };
}

/* done may send, stop, or close: the list is looked at afresh each time. */
static void answer_finished(struct http_client *client)
{
    if (client->answering)
        return;
    client->answering = true;
    while (client->finished) {
        struct transfer *transfer = client->finished;
        client->finished = transfer->next;
        struct http_result result;
        read_answer(transfer, &result);
        client->in_flight--;
        transfer->request.done(transfer->request.ctx, &result);
        buf_clear(&transfer->compressed, KEEP_BODY_BYTES);
        buf_clear(&transfer->response, KEEP_BODY_BYTES);
        list_push(&client->idle, transfer);
    }
    client->answering = false;
}

static void on_settled(struct curl_loop *curl)
{
    answer_finished((struct http_client *)((char *)curl - offsetof(struct http_client, curl)));
}

static void on_closed(struct curl_loop *curl)
{
    mem_free((char *)curl - offsetof(struct http_client, curl));
}

void http_client_stop(struct http_client *client)
{
    while (client->active) {
        struct transfer *transfer = client->active;
        curl_loop_remove(&client->curl, transfer->easy);
        snprintf(transfer->error, sizeof transfer->error, "cancelled");
        move_to_finished(transfer, HTTP_CANCELLED);
    }
    answer_finished(client);
}

void http_client_close(struct http_client *client)
{
    if (!client)
        return;
    http_client_stop(client);
    assert(!client->answering && client->in_flight == 0);
    while (client->idle) {
        struct transfer *transfer = client->idle;
        list_remove(&client->idle, transfer);
        transfer_free(transfer);
    }
    gzip_free(client->gzip);
    curl_loop_close(&client->curl);
    http_easy_options_free(client->easy_options);
    client->easy_options = NULL;
}

struct http_client *http_client_new(const struct http_client_options *options)
{
    pthread_once(&curl_started, start_curl);
    assert(options->loop && options->max_connections > 0 && options->max_response_bytes > 0);
    struct http_client *client = mem_zero(1, sizeof *client);
    client->max_response_bytes = options->max_response_bytes;
    client->charged = options->charged;
    client->timeout_ms = options->timeout_ms;
    client->easy_options = http_easy_options_new(options);
    if (options->compression_level > 0)
        client->gzip = gzip_new(options->compression_level);
    client->curl.finished = on_finished;
    client->curl.settled = on_settled;
    client->curl.closed = on_closed;
    curl_loop_init(&client->curl, options->loop);
    CURLM *multi = client->curl.multi;
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)options->max_connections);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)options->max_connections);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)options->max_host_connections);
    return client;
}
