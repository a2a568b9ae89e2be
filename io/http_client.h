/* SPDX-License-Identifier: Apache-2.0
 *
 * An HTTP/1.1 client: requests go out on the caller's loop, several at once, over kept connections. One client for each
 * output instance. It knows nothing of events, groups or retries.
 *
 *   client = http_client_new(&options)
 *   http_client_send(client, &request)     request.done is called once, later, from the loop
 *   http_client_stop(client)               what is under way is answered HTTP_CANCELLED
 *   http_client_close(client)              frees itself when the loop has let go of its handles
 *
 * Body, headers and ctx are borrowed until done; the url is copied. done may send again. A result is borrowed for the
 * call. All on one thread.
 */
#ifndef MILLRACE_IO_HTTP_CLIENT_H
#define MILLRACE_IO_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/str.h"

struct account;
struct http_client;
struct http_headers;

enum {
    HTTP_RESPONSE_MAX_BYTES = 64 * 1024 * 1024,
    HTTP_RETRY_AFTER_MAX_MS = 10 * 60 * 1000,
    HTTP_REDIRECTS_MAX = 10,
    HTTP_HEADERS_MAX_BYTES = 256 * 1024, /* of an answer; further ones are left out */
};

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

enum http_outcome {
    HTTP_ANSWERED,      /* a whole answer came; status says which */
    HTTP_NOT_CONNECTED, /* the request never left: no such name, refused, TLS not agreed */
    HTTP_BROKEN,        /* the connection ended early; the server may have acted on the request */
    HTTP_TIMED_OUT,
    HTTP_TOO_LARGE, /* the answer passed max_response_bytes */
    HTTP_CANCELLED,
};

struct http_result {
    enum http_outcome outcome;
    int status; /* of the last answer, 0 when none came */
    struct str body;
    struct str headers; /* of the last answer, for http_header_next; where the request wants them */
    const char *error;  /* what went wrong, as text; "" when ANSWERED */
    unsigned
        retry_after_ms; /* what the server asked for, at most HTTP_RETRY_AFTER_MAX_MS; else 0 */
    uint64_t elapsed_us;
};

struct http_request {
    enum http_method method;
    struct str url;
    struct str body;                    /* none for HEAD */
    const struct http_headers *headers; /* NULL: none */
    bool wants_headers;                 /* in the result */
    bool plain;                         /* not compressed, whatever the client's level is */
    unsigned timeout_ms;                /* 0: the client's */
    void (*done)(void *ctx, const struct http_result *result);
    void *ctx;
};

/* How a server's certificate is looked at. */
enum http_verify { HTTP_VERIFY_FULL, HTTP_VERIFY_CERTIFICATE, HTTP_VERIFY_NONE };

/* Strings are NUL-terminated, NULL when absent, and copied. */
struct http_client_options {
    uv_loop_t *loop;
    unsigned max_connections;
    unsigned max_host_connections;
    unsigned connect_timeout_ms;
    unsigned timeout_ms; /* of a whole request */
    size_t max_response_bytes;
    struct account
        *charged;          /* with answers and compressed bodies while they are held; may be NULL */
    int compression_level; /* of request bodies: 0 none .. 9 */
    const char *user_agent;
    const char *user, *password;   /* basic authentication, sent at once */
    const char *proxy;             /* the environment's proxies are not looked at */
    const char *const *connect_to; /* HOST:PORT:ADDR:PORT, NULL-terminated */
    bool follow_redirects, cookies, close_connections;
    enum http_verify verify;
    struct str authorities; /* PEM text of the trusted certificates; empty: the system's */
    const char *certificate, *key, *key_password; /* files of the client certificate */
    struct str certificate_pem, key_pem;          /* the same as PEM text; empty: files, or none */
    const char *ciphers;
    long tls_versions; /* as http_tls_versions() makes it; 0: any */
};

/* Lowest and highest of TLSv1.1, TLSv1.2, TLSv1.3 among names. */
bool http_tls_versions(const struct str *names, size_t count, long *out, struct error *err);

struct http_client *http_client_new(const struct http_client_options *options);
void http_client_send(struct http_client *client, const struct http_request *request);
size_t http_client_in_flight(const struct http_client *client);
/* Answers HTTP_CANCELLED those of whose request nothing has left yet, as far as `wanted` says so of their ctx. */
void http_client_recall(struct http_client *client, bool (*wanted)(const void *ctx));
void http_client_stop(struct http_client *client);
void http_client_close(struct http_client *client); /* stops first; NULL is ok */

/* Cuts the next header off *headers; false at the end. */
bool http_header_next(struct str *headers, struct str *name_out, struct str *value_out);

/* A list of headers, made once and shared by requests. */
struct http_headers *http_headers_new(void);
void http_headers_free(struct http_headers *headers); /* NULL is ok */
/* False when the name or the value has a byte that would end the header (CR, LF, NUL) or the name is not a token. */
bool http_headers_add(struct http_headers *headers, struct str name, struct str value);

/* Appends text as it may stand in a path segment or a form: all but A-Z a-z 0-9 - . _ ~ as %XX. */
struct buf;
bool http_escape(struct str text, struct buf *out);

#endif
