/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads one HTTP/1.x answer out of bytes as they come, in pieces of any size. It trusts nothing: every length meets a
 * limit, and what is not HTTP ends in FAILED with a text. It knows no socket.
 *
 *   begin -> feed, feed, ... -> DONE, FAILED, TOO_LARGE, UNUSUAL
 *                 end (the connection was closed) -> DONE or FAILED
 *
 * Interim answers (1xx) are read over. UNUSUAL is what curl can read and this cannot: a coding other than gzip and zlib.
 * One thread; the buffers are the caller's and are only appended to.
 */
#ifndef MILLRACE_IO_HTTP_READER_H
#define MILLRACE_IO_HTTP_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct gunzip;

enum {
    HTTP_HEAD_MAX_BYTES =
        256 * 1024, /* status lines, headers and trailers of one answer, interim ones too */
    HTTP_CHUNK_LINE_MAX_BYTES = 4096,
};

enum http_reading {
    HTTP_READ_MORE, /* all of the bytes were taken */
    HTTP_READ_DONE,
    HTTP_READ_FAILED,
    HTTP_READ_TOO_LARGE, /* the body passed the maximum of its buffer */
    HTTP_READ_UNUSUAL,
};

enum http_reader_state {
    HTTP_AT_STATUS,
    HTTP_AT_HEADER,
    HTTP_AT_BODY,      /* `left` bytes of it */
    HTTP_AT_OPEN_BODY, /* until the connection is closed */
    HTTP_AT_CHUNK_SIZE,
    HTTP_AT_CHUNK, /* `left` bytes of it */
    HTTP_AT_CHUNK_END,
    HTTP_AT_TRAILER,
    HTTP_AT_END,
};

struct http_reader {
    enum http_reader_state state;
    bool to_head;        /* the request was HEAD: no body follows */
    struct buf *headers; /* lines of the last answer go here; NULL: nobody wants them */
    struct buf *body;
    struct buf line;   /* what came of a line that has not ended */
    bool line_is_used; /* `line` is what the last line was */
    size_t head_bytes;
    uint64_t left;
    struct gunzip *gunzip; /* made when first needed, for one answer */

    /* what the head says */
    int status; /* 0 before the first status line */
    bool has_length, is_chunked, is_packed, is_unusual;
    bool keeps_alive, has_location, sets_cookie;
    uint64_t length;
    uint64_t retry_after_s;
    const char *error; /* of FAILED */
};

void http_reader_init(struct http_reader *reader);
void http_reader_release(struct http_reader *reader); /* usable again as after init */
/* The next answer. headers and body are empty. */
void http_reader_begin(struct http_reader *reader, bool to_head, struct buf *headers,
                       struct buf *body);
/* Takes from *bytes what belongs to the answer and leaves the rest. */
enum http_reading http_reader_feed(struct http_reader *reader, struct str *bytes);
/* The connection was closed in order. Never MORE. */
enum http_reading http_reader_end(struct http_reader *reader);

#endif
