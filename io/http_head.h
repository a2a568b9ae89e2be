/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the HTTP client: which URLs are plain enough for our own requests, and the head of such a request. Whatever
 * curl would have to look at twice (other schemes, user:password@, names that are not plain ASCII in lower case, numbers
 * that are an address in disguise, "/../", a fragment) is not plain.
 */
#ifndef MILLRACE_IO_HTTP_HEAD_H
#define MILLRACE_IO_HTTP_HEAD_H

#include "base/buf.h"
#include "io/http_client.h"

struct http_plain_url {
    struct str authority; /* HOST or HOST:PORT */
    struct str target;    /* path and query; empty: "/" */
};

/* Parts of url; false when it is not plain. */
bool http_plain_url(struct str url, struct http_plain_url *out);

/* Which of the headers that every request has a list replaces; it also may have what only curl knows how to send. */
struct http_header_lines {
    struct buf text; /* "Name: value\r\n" for each */
    bool has_agent, has_accept, has_authorization, has_type;
    bool is_unusual;
};

void http_header_lines_add(struct http_header_lines *lines, struct str name, struct str value);

struct http_head_parts {
    enum http_method method;
    struct http_plain_url url;
    struct str authorization, agent; /* empty: none */
    const struct http_header_lines *headers;
    bool compressed, has_body;
    size_t body_len;
};

/* Writes the head anew into out. */
void http_head_write(const struct http_head_parts *parts, struct buf *out);

#endif
