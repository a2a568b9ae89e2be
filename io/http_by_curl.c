/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_by_curl.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/http_plain.h"

enum {
    LARGE_BODY_BYTES = 64 * 1024, /* above this curl sends from its upload buffer */
    UPLOAD_BUFFER_BYTES = 256 * 1024,
};

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

bool http_by_curl_has_left(const struct transfer *transfer)
{
    curl_off_t until_sending_us = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &until_sending_us);
    return until_sending_us != 0;
}

static enum http_outcome outcome_of(const struct transfer *transfer, CURLcode code)
{
    if (code == CURLE_OK)
        return HTTP_ANSWERED;
    if (transfer->too_large)
        return HTTP_TOO_LARGE;
    if (!http_by_curl_has_left(transfer))
        return HTTP_NOT_CONNECTED;
    return code == CURLE_OPERATION_TIMEDOUT ? HTTP_TIMED_OUT : HTTP_BROKEN;
}

/* Nothing but the one answer of an HTTP/1.1 server was needed. */
static bool was_plain(const struct transfer *transfer)
{
    long redirects = 0, version = 0;
    struct curl_slist *cookies = NULL;
    curl_easy_getinfo(transfer->easy, CURLINFO_REDIRECT_COUNT, &redirects);
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
    curl_easy_getinfo(transfer->easy, CURLINFO_COOKIELIST, &cookies);
    bool has_cookies = cookies != NULL;
    curl_slist_free_all(cookies);
    return redirects == 0 && version == CURL_HTTP_VERSION_1_1 && !has_cookies;
}

static void on_finished(struct easy_owner *owner, CURLcode code)
{
    struct transfer *transfer = (struct transfer *)owner;
    long status = 0;
    curl_off_t retry_after_s = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    transfer->status = (int)status;
    transfer->retry_after_s = retry_after_s > 0 ? (uint64_t)retry_after_s : 0;
    if (code != CURLE_OK && !transfer->error[0])
        http_transfer_set_error(transfer, curl_easy_strerror(code));
    if (code == CURLE_OK && transfer->origin)
        http_plain_learn(transfer->origin, was_plain(transfer));
    http_transfer_finished(transfer, outcome_of(transfer, code));
}

static void make_easy(struct transfer *transfer)
{
    struct http_client *client = transfer->client;
    CURL *easy = transfer->easy = curl_easy_init();
    if (!easy)
        mem_abort("curl_easy_init");
    transfer->owner.finished = on_finished;
    http_easy_options_apply(client->easy_options, easy);
    curl_loop_prepare(&client->curl, easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer->owner);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

static void set_method(const struct transfer *transfer)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = NULL,     [HTTP_POST] = NULL,
        [HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
    };
    CURL *easy = transfer->easy;
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, names[transfer->request.method]);
    if (transfer->request.method == HTTP_HEAD)
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (http_transfer_sends_body(transfer))
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
    else
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
}

static void set_body(const struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    const struct http_easy_options *options = transfer->client->easy_options;
    struct str body = transfer->body;
    curl_easy_setopt(
        easy, CURLOPT_HTTPHEADER,
        http_headers_list(options, transfer->request.headers, transfer->is_compressed));
    if (!http_transfer_sends_body(transfer))
        return;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.ptr ? body.ptr : "");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    if (body.len > LARGE_BODY_BYTES)
        curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BUFFER_BYTES);
}

void http_by_curl_carry(struct transfer *transfer)
{
    if (!transfer->easy)
        make_easy(transfer);
    CURL *easy = transfer->easy;
    bool wants_headers = transfer->request.wants_headers;
    transfer->too_large = false;
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, wants_headers ? on_header : NULL);
    /* else they are written as a body */
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, wants_headers ? transfer : NULL);
    if (!transfer->easy_has_url)
        curl_easy_setopt(easy, CURLOPT_URL, transfer->url.ptr);
    transfer->easy_has_url = true;
    set_method(transfer);
    set_body(transfer);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)http_transfer_timeout_ms(transfer));
    curl_loop_add(&transfer->client->curl, easy);
}

void http_by_curl_stop(struct transfer *transfer)
{
    curl_loop_remove(&transfer->client->curl, transfer->easy);
}

void http_by_curl_release(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->easy);
    transfer->easy = NULL;
}
