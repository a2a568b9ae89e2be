/* SPDX-License-Identifier: Apache-2.0
 *
 * Who carries a request is decided in one place, carry(): our own writer and reader where everything is plain, curl
 * everything else. What finished waits in `finished` until the carrier has nothing more to say in this turn; only then is
 * done called, so that done may send or stop.
 */
#include "io/http_client.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/gzip.h"
#include "io/http_by_curl.h"
#include "io/http_plain.h"

enum {
    KEEP_BODY_BYTES = 64 * 1024,
    COMPRESSED_MAX_BYTES = 1024 * 1024 * 1024,
};

static pthread_once_t curl_started = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        mem_abort("curl_global_init");
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
    buf_init(&transfer->url, SIZE_MAX / 2);
    buf_init(&transfer->compressed, COMPRESSED_MAX_BYTES);
    buf_init(&transfer->response, client->max_response_bytes);
    buf_init(&transfer->headers, HTTP_HEADERS_MAX_BYTES);
    buf_init(&transfer->head, SIZE_MAX / 2);
    transfer->compressed.charged = transfer->response.charged = client->charged;
    transfer->headers.charged = client->charged;
    return transfer;
}

static void transfer_free(struct transfer *transfer)
{
    http_by_curl_release(transfer);
    buf_release(&transfer->url);
    buf_release(&transfer->compressed);
    buf_release(&transfer->response);
    buf_release(&transfer->headers);
    buf_release(&transfer->head);
    mem_free(transfer);
}

static void set_url(struct transfer *transfer, struct str url)
{
    if (transfer->url.len == url.len + 1 && memcmp(transfer->url.ptr, url.ptr, url.len) == 0)
        return;
    transfer->url.len = 0;
    buf_append_str(&transfer->url, url);
    buf_append_char(&transfer->url, 0);
    transfer->easy_has_url = false;
}

bool http_transfer_sends_body(const struct transfer *transfer)
{
    enum http_method method = transfer->request.method;
    bool optional = method == HTTP_GET || method == HTTP_DELETE;
    return method != HTTP_HEAD && (!optional || transfer->request.body.len > 0);
}

unsigned http_transfer_timeout_ms(const struct transfer *transfer)
{
    unsigned own = transfer->request.timeout_ms;
    return own ? own : transfer->client->timeout_ms;
}

void http_transfer_set_error(struct transfer *transfer, const char *error)
{
    snprintf(transfer->error, sizeof transfer->error, "%s", error);
}

/* The body as it is sent. */
static void prepare_body(struct transfer *transfer)
{
    struct http_client *client = transfer->client;
    const struct http_request *request = &transfer->request;
    transfer->body = request->body;
    transfer->is_compressed = client->gzip && !request->plain && request->body.len > 0;
    if (!transfer->is_compressed)
        return;
    transfer->compressed.len = 0;
    transfer->is_compressed = gzip_append(client->gzip, request->body, &transfer->compressed);
    if (transfer->is_compressed)
        transfer->body = buf_str(&transfer->compressed);
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

static void carry(struct transfer *transfer)
{
    if (!transfer->client->plain || !http_plain_carry(transfer->client->plain, transfer))
        http_by_curl_carry(transfer);
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
    transfer->status = 0;
    transfer->retry_after_s = 0;
    transfer->origin = NULL;
    transfer->is_plain = false;
    transfer->started_us = uv_hrtime() / 1000;
    transfer->error[0] = 0;
    buf_clear(&transfer->response, KEEP_BODY_BYTES);
    transfer->headers.len = 0;
    set_url(transfer, request->url);
    prepare_body(transfer);
    list_push(&client->active, transfer);
    client->in_flight++;
    carry(transfer);
}

size_t http_client_in_flight(const struct http_client *client)
{
    return client->in_flight;
}

void http_transfer_finished(struct transfer *transfer, enum http_outcome outcome)
{
    struct http_client *client = transfer->client;
    assert(outcome == HTTP_ANSWERED || transfer->error[0]);
    list_remove(&client->active, transfer);
    transfer->outcome = outcome;
    transfer->next = NULL;
    if (client->finished)
        client->finished_last->next = transfer;
    else
        client->finished = transfer;
    client->finished_last = transfer;
}

static struct http_result result_of(const struct transfer *transfer)
{
    uint64_t retry_after_s = transfer->retry_after_s;
    if (retry_after_s > HTTP_RETRY_AFTER_MAX_MS / 1000)
        retry_after_s = HTTP_RETRY_AFTER_MAX_MS / 1000;
    return (struct http_result){
        .outcome = transfer->outcome,
        .status = transfer->status,
        .body = buf_str(&transfer->response),
        .headers = buf_str(&transfer->headers),
        .error = transfer->outcome == HTTP_ANSWERED ? "" : transfer->error,
        .retry_after_ms = (unsigned)retry_after_s * 1000,
        .elapsed_us = uv_hrtime() / 1000 - transfer->started_us,
    };
}

/* done may send, stop, or close: the list is looked at afresh each time. */
void http_client_settle(struct http_client *client)
{
    if (client->answering)
        return;
    client->answering = true;
    while (client->finished) {
        struct transfer *transfer = client->finished;
        client->finished = transfer->next;
        struct http_result result = result_of(transfer);
        client->in_flight--;
        transfer->request.done(transfer->request.ctx, &result);
        buf_clear(&transfer->compressed, KEEP_BODY_BYTES);
        buf_clear(&transfer->response, KEEP_BODY_BYTES);
        list_push(&client->idle, transfer);
    }
    client->answering = false;
}

static struct http_client *client_of(struct curl_loop *curl)
{
    return (struct http_client *)((char *)curl - offsetof(struct http_client, curl));
}

static struct easy_owner *owner_of(CURL *easy)
{
    struct easy_owner *owner = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &owner);
    assert(owner && owner->finished);
    return owner;
}

static void on_leaving(struct curl_loop *curl, CURL *easy, CURLcode code)
{
    (void)curl;
    struct easy_owner *owner = owner_of(easy);
    if (owner->leaving)
        owner->leaving(owner, code);
}

static void on_finished(struct curl_loop *curl, CURL *easy, CURLcode code)
{
    (void)curl;
    struct easy_owner *owner = owner_of(easy);
    owner->finished(owner, code);
}

static void on_settled(struct curl_loop *curl)
{
    http_client_settle(client_of(curl));
}

static void on_closed(struct curl_loop *curl)
{
    struct http_client *client = client_of(curl);
    http_plain_free(client->plain);
    mem_free(client);
}

static void cancel(struct transfer *transfer, const char *why)
{
    if (transfer->is_plain)
        http_plain_stop(transfer->client->plain, transfer);
    else
        http_by_curl_stop(transfer);
    http_transfer_set_error(transfer, why);
    http_transfer_finished(transfer, HTTP_CANCELLED);
}

void http_client_recall(struct http_client *client, bool (*wanted)(const void *ctx))
{
    for (struct transfer *transfer = client->active, *next; transfer; transfer = next) {
        bool has_left =
            transfer->is_plain ? http_plain_has_left(transfer) : http_by_curl_has_left(transfer);
        next = transfer->next;
        if (!has_left && wanted(transfer->request.ctx))
            cancel(transfer, "there was no connection in time");
    }
    http_client_settle(client);
}

void http_client_stop(struct http_client *client)
{
    while (client->active)
        cancel(client->active, "cancelled");
    http_client_settle(client);
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
    if (client->plain)
        http_plain_close(client->plain);
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
    client->curl.leaving = on_leaving;
    client->curl.finished = on_finished;
    client->curl.settled = on_settled;
    client->curl.closed = on_closed;
    curl_loop_init(&client->curl, options->loop);
    CURLM *multi = client->curl.multi;
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)options->max_connections);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)options->max_connections);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)options->max_host_connections);
    client->plain = http_plain_new(client, options);
    return client;
}
