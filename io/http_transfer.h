/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the HTTP client: one request on its way. http_client.c owns transfers and decides who carries each; a carrier
 * (http_by_curl.h, http_plain.h) takes one with carry, and gives it back once with http_transfer_finished.
 *
 *   idle -- http_client_send --> active -- http_transfer_finished, stop --> finished -- done was called --> idle
 */
#ifndef MILLRACE_IO_HTTP_TRANSFER_H
#define MILLRACE_IO_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "base/buf.h"
#include "io/curl_loop.h"
#include "io/http_client.h"
#include "io/http_options.h"

struct http_plain;
struct gzip;

/* Whom an easy handle belongs to: its CURLOPT_PRIVATE. */
struct easy_owner {
    /* easy is done and still in its connection's hold; NULL: it wants to know only afterwards. */
    void (*leaving)(struct easy_owner *owner, CURLcode code);
    void (*finished)(struct easy_owner *owner, CURLcode code);
};

struct transfer {
    struct easy_owner owner; /* first */
    struct http_client *client;
    struct transfer *next, *previous; /* in the list it is in */
    struct http_request request;
    struct buf url;  /* with its NUL */
    struct str body; /* as it is sent, perhaps compressed */
    bool is_compressed;
    struct buf compressed, response, headers;
    enum http_outcome outcome;
    int status;
    uint64_t started_us, retry_after_s;
    char error[CURL_ERROR_SIZE];

    /* http_by_curl.c */
    CURL *easy; /* NULL until curl carries it for the first time */
    bool easy_has_url, too_large;

    /* http_plain.c */
    struct http_origin_state *origin; /* NULL: its url is not plain */
    bool is_plain;                    /* curl does not carry it */
    struct http_link *link;           /* NULL: waits for one */
    struct transfer *waiting_next;
    struct buf head;
    uint64_t deadline_us;
    bool tried_again;
};

struct http_client {
    struct curl_loop curl;
    struct http_easy_options *easy_options;
    struct http_plain *plain; /* NULL: curl carries everything */
    struct transfer *idle, *active, *finished, *finished_last;
    size_t in_flight;
    size_t max_response_bytes;
    struct account *charged;
    unsigned timeout_ms;
    struct gzip *gzip;
    bool answering;
};

/* The request has a body, perhaps of no bytes. */
bool http_transfer_sends_body(const struct transfer *transfer);
unsigned http_transfer_timeout_ms(const struct transfer *transfer);
/* transfer->status and the like are set, and transfer->error unless it was answered. It is answered at the next settle. */
void http_transfer_finished(struct transfer *transfer, enum http_outcome outcome);
void http_transfer_set_error(struct transfer *transfer, const char *error);
/* Calls done for all that finished. The client may be gone afterwards. */
void http_client_settle(struct http_client *client);

#endif
