/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_reader.h"

#include <assert.h>
#include <curl/curl.h>
#include <time.h>

#include "base/text/ascii.h"
#include "io/gzip.h"

enum { STATUS_LINE_MIN = 12, LENGTH_DIGITS_MAX = 18, CHUNK_DIGITS_MAX = 15 };

void http_reader_init(struct http_reader *reader)
{
    *reader = (struct http_reader){.state = HTTP_AT_END};
    buf_init(&reader->line, HTTP_HEAD_MAX_BYTES);
}

void http_reader_release(struct http_reader *reader)
{
    buf_release(&reader->line);
    gunzip_free(reader->gunzip);
    reader->gunzip = NULL;
}

static void forget_head(struct http_reader *reader)
{
    reader->status = 0;
    reader->has_length = reader->is_chunked = reader->is_packed = reader->is_unusual = false;
    reader->keeps_alive = reader->has_location = reader->sets_cookie = false;
    reader->length = reader->retry_after_s = 0;
}

void http_reader_begin(struct http_reader *reader, bool to_head, struct buf *headers,
                       struct buf *body)
{
    assert(reader->state == HTTP_AT_END && body->len == 0);
    reader->state = HTTP_AT_STATUS;
    reader->to_head = to_head;
    reader->headers = headers;
    reader->body = body;
    reader->line.len = 0;
    reader->line_is_used = false;
    reader->head_bytes = 0;
    reader->left = 0;
    reader->error = "";
    gunzip_free(reader->gunzip);
    reader->gunzip = NULL;
    forget_head(reader);
}

static enum http_reading fail(struct http_reader *reader, const char *error)
{
    reader->state = HTTP_AT_END;
    reader->error = error;
    return HTTP_READ_FAILED;
}

static enum http_reading finish(struct http_reader *reader, enum http_reading how)
{
    assert(how != HTTP_READ_MORE && how != HTTP_READ_FAILED);
    reader->state = HTTP_AT_END;
    return how;
}

/* ---- lines --------------------------------------------------------------------------------------- */

enum line_result { LINE_WHOLE, LINE_PART, LINE_TOO_LONG };

/* A line without its end; it lies in *bytes or in reader->line until the next call. */
static enum line_result next_line(struct http_reader *reader, struct str *bytes, size_t max,
                                  struct str *out)
{
    if (reader->line_is_used)
        reader->line.len = 0;
    reader->line_is_used = false;
    const char *end = memchr(bytes->ptr, '\n', bytes->len);
    struct str part = str_make(bytes->ptr, end ? (size_t)(end - bytes->ptr) + 1 : bytes->len);
    *bytes = str_from_offset(*bytes, part.len);
    if (reader->line.len + part.len > max)
        return LINE_TOO_LONG;
    if (!end || reader->line.len > 0) {
        bool fits = buf_append_str(&reader->line, part);
        assert(fits);
        (void)fits;
        part = buf_str(&reader->line);
    }
    if (!end)
        return LINE_PART;
    reader->line_is_used = true;
    part.len -= part.len > 1 && part.ptr[part.len - 2] == '\r' ? 2 : 1;
    *out = part;
    return LINE_WHOLE;
}

/* ---- headers ------------------------------------------------------------------------------------- */

static bool read_digits(struct str text, size_t max, uint64_t *out)
{
    *out = 0;
    if (text.len == 0 || text.len > max)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_digit(text.ptr[i]))
            return false;
        *out = *out * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return true;
}

static const char *take_length(struct http_reader *reader, struct str value)
{
    uint64_t length;
    if (!read_digits(value, LENGTH_DIGITS_MAX, &length))
        return "the answer's Content-Length is no number";
    if (reader->has_length && length != reader->length)
        return "the answer has two lengths";
    reader->has_length = true;
    reader->length = length;
    return NULL;
}

/* Connection is a list of words. */
static void take_connection(struct http_reader *reader, struct str value)
{
    while (value.len > 0) {
        size_t comma = str_find(value, STR(","));
        struct str word = str_trim(str_make(value.ptr, comma == SIZE_MAX ? value.len : comma));
        value = str_from_offset(value, comma == SIZE_MAX ? value.len : comma + 1);
        if (str_equal_nocase(word, STR("close")))
            reader->keeps_alive = false;
        else if (str_equal_nocase(word, STR("keep-alive")))
            reader->keeps_alive = true;
    }
}

static void take_coding(struct http_reader *reader, struct str value)
{
    if (str_equal_nocase(value, STR("identity")) || value.len == 0)
        return;
    bool known = str_equal_nocase(value, STR("gzip")) || str_equal_nocase(value, STR("x-gzip")) ||
                 str_equal_nocase(value, STR("deflate"));
    reader->is_unusual |= !known || reader->is_packed; /* packed twice */
    reader->is_packed = true;
}

/* Seconds, or a date as mail has it. */
static void take_retry_after(struct http_reader *reader, struct str value)
{
    enum { DATE_MAX = 64 };
    char date[DATE_MAX];
    reader->retry_after_s = 0;
    if (read_digits(value, LENGTH_DIGITS_MAX, &reader->retry_after_s) || value.len >= DATE_MAX)
        return;
    memcpy(date, value.ptr, value.len);
    date[value.len] = 0;
    time_t at = curl_getdate(date, NULL), now = time(NULL);
    if (at > now)
        reader->retry_after_s = (uint64_t)(at - now);
}

static const char *take_named(struct http_reader *reader, struct str name, struct str value)
{
    switch (name.len) { /* the lengths of the names that mean something here */
    case 8:
        reader->has_location |= str_equal_nocase(name, STR("location"));
        break;
    case 10:
        reader->sets_cookie |= str_equal_nocase(name, STR("set-cookie"));
        if (str_equal_nocase(name, STR("connection")))
            take_connection(reader, value);
        break;
    case 11:
        if (str_equal_nocase(name, STR("retry-after")))
            take_retry_after(reader, value);
        break;
    case 14:
        if (str_equal_nocase(name, STR("content-length")))
            return take_length(reader, value);
        break;
    case 16:
        if (str_equal_nocase(name, STR("content-encoding")))
            take_coding(reader, value);
        break;
    case 17:
        if (!str_equal_nocase(name, STR("transfer-encoding")))
            break;
        reader->is_unusual |= reader->is_chunked || !str_equal_nocase(value, STR("chunked"));
        reader->is_chunked = true;
        break;
    }
    return NULL;
}

/* NULL, or why the answer is none. */
static const char *take_header(struct http_reader *reader, struct str line)
{
    if (memchr(line.ptr, 0, line.len))
        return "the answer's head has a NUL byte";
    if (reader->headers)
        (void)(buf_append_str(reader->headers, line) && buf_append(reader->headers, "\r\n", 2));
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return NULL; /* the rest of the value before it */
    const char *colon = memchr(line.ptr, ':', line.len);
    if (!colon || colon == line.ptr)
        return "the answer has a header without a name";
    struct str name = str_make(line.ptr, (size_t)(colon - line.ptr));
    return take_named(reader, name, str_trim(str_from_offset(line, name.len + 1)));
}

/* HTTP/1.0 or HTTP/1.1, a blank and three digits. */
static const char *take_status(struct http_reader *reader, struct str line)
{
    uint64_t status;
    bool known = line.len >= STATUS_LINE_MIN && str_starts_with(line, STR("HTTP/1.")) &&
                 (line.ptr[7] == '0' || line.ptr[7] == '1') && line.ptr[8] == ' ' &&
                 (line.len == STATUS_LINE_MIN || line.ptr[STATUS_LINE_MIN] == ' ');
    if (!known || !read_digits(str_make(line.ptr + 9, 3), 3, &status) || status < 100)
        return "the answer does not begin with an HTTP/1 status line";
    forget_head(reader);
    if (reader->headers)
        reader->headers->len = 0;
    reader->status = (int)status;
    reader->keeps_alive = line.ptr[7] == '1';
    return NULL;
}

static bool has_no_body(const struct http_reader *reader)
{
    return reader->to_head || reader->status == 204 || reader->status == 304;
}

/* The head is over. */
static enum http_reading begin_body(struct http_reader *reader)
{
    if (reader->status == 101)
        return fail(reader, "the server switched to another protocol");
    if (reader->status < 200) {
        reader->state = HTTP_AT_STATUS;
        return HTTP_READ_MORE;
    }
    if (has_no_body(reader))
        return finish(reader, HTTP_READ_DONE);
    if (reader->is_unusual)
        return finish(reader, HTTP_READ_UNUSUAL);
    if (reader->is_chunked && reader->has_length)
        reader->keeps_alive = false; /* two that may not agree where it ends */
    if (reader->is_chunked)
        reader->state = HTTP_AT_CHUNK_SIZE;
    else if (!reader->has_length)
        reader->state = HTTP_AT_OPEN_BODY;
    else
        reader->state = HTTP_AT_BODY;
    reader->left = reader->length;
    bool plain = reader->state == HTTP_AT_BODY && !reader->is_packed;
    if (plain && reader->length > reader->body->max)
        return finish(reader, HTTP_READ_TOO_LARGE);
    return HTTP_READ_MORE;
}

static enum http_reading read_head(struct http_reader *reader, struct str *bytes)
{
    struct str line;
    size_t before = bytes->len;
    enum line_result got = next_line(reader, bytes, HTTP_HEAD_MAX_BYTES, &line);
    reader->head_bytes += before - bytes->len;
    if (got == LINE_TOO_LONG || reader->head_bytes > HTTP_HEAD_MAX_BYTES)
        return fail(reader, "the answer's headers are too large");
    if (got == LINE_PART)
        return HTTP_READ_MORE;
    const char *error = NULL;
    if (reader->state == HTTP_AT_STATUS) {
        error = take_status(reader, line);
        reader->state = HTTP_AT_HEADER;
    } else if (line.len == 0) {
        return reader->state == HTTP_AT_TRAILER ? finish(reader, HTTP_READ_DONE)
                                                : begin_body(reader);
    } else if (reader->state == HTTP_AT_HEADER) {
        error = take_header(reader, line);
    }
    return error ? fail(reader, error) : HTTP_READ_MORE;
}

/* ---- bodies -------------------------------------------------------------------------------------- */

static enum http_reading add_body(struct http_reader *reader, struct str piece)
{
    if (!reader->is_packed)
        return buf_append_str(reader->body, piece) ? HTTP_READ_MORE
                                                   : finish(reader, HTTP_READ_TOO_LARGE);
    if (!reader->gunzip)
        reader->gunzip = gunzip_new();
    switch (gunzip_add(reader->gunzip, piece, reader->body)) {
    case GUNZIP_OK:
        return HTTP_READ_MORE;
    case GUNZIP_FULL:
        return finish(reader, HTTP_READ_TOO_LARGE);
    case GUNZIP_BROKEN:
        break;
    }
    return finish(reader, HTTP_READ_UNUSUAL); /* perhaps curl can */
}

static enum http_reading end_body(struct http_reader *reader)
{
    if (reader->gunzip && !gunzip_is_whole(reader->gunzip))
        return fail(reader, "the answer's gzip stream ends too early");
    return finish(reader, HTTP_READ_DONE);
}

/* Of a body or a chunk of known length. */
static enum http_reading read_known(struct http_reader *reader, struct str *bytes)
{
    size_t len = bytes->len < reader->left ? bytes->len : (size_t)reader->left;
    struct str piece = str_make(bytes->ptr, len);
    *bytes = str_from_offset(*bytes, len);
    reader->left -= len;
    return len > 0 ? add_body(reader, piece) : HTTP_READ_MORE;
}

static enum http_reading read_chunk_size(struct http_reader *reader, struct str *bytes)
{
    struct str line;
    switch (next_line(reader, bytes, HTTP_CHUNK_LINE_MAX_BYTES, &line)) {
    case LINE_PART:
        return HTTP_READ_MORE;
    case LINE_TOO_LONG:
        return fail(reader, "a chunk of the answer has too long a head");
    case LINE_WHOLE:
        break;
    }
    uint64_t size = 0;
    size_t digits = 0;
    for (; digits < line.len && digits <= CHUNK_DIGITS_MAX; digits++) {
        int digit = ascii_hex_value(line.ptr[digits]);
        if (digit < 0)
            break;
        size = size * 16 + (uint64_t)digit;
    }
    bool ends = digits == line.len || line.ptr[digits] == ';' || line.ptr[digits] == ' ' ||
                line.ptr[digits] == '\t';
    if (digits == 0 || digits > CHUNK_DIGITS_MAX || !ends)
        return fail(reader, "a chunk of the answer has no length");
    reader->left = size;
    reader->state = size > 0 ? HTTP_AT_CHUNK : HTTP_AT_TRAILER;
    if (size == 0 && reader->gunzip && !gunzip_is_whole(reader->gunzip))
        return end_body(reader);
    return HTTP_READ_MORE;
}

static enum http_reading read_chunk_end(struct http_reader *reader, struct str *bytes)
{
    struct str line;
    enum line_result got = next_line(reader, bytes, HTTP_CHUNK_LINE_MAX_BYTES, &line);
    if (got == LINE_PART && reader->line.len <= 1)
        return HTTP_READ_MORE;
    if (got != LINE_WHOLE || line.len > 0)
        return fail(reader, "a chunk of the answer is longer than it says");
    reader->state = HTTP_AT_CHUNK_SIZE;
    return HTTP_READ_MORE;
}

static enum http_reading step(struct http_reader *reader, struct str *bytes)
{
    enum http_reading result;
    struct str rest;
    switch (reader->state) {
    case HTTP_AT_STATUS:
    case HTTP_AT_HEADER:
    case HTTP_AT_TRAILER:
        return read_head(reader, bytes);
    case HTTP_AT_BODY:
        result = read_known(reader, bytes);
        return result == HTTP_READ_MORE && reader->left == 0 ? end_body(reader) : result;
    case HTTP_AT_OPEN_BODY:
        rest = *bytes;
        *bytes = str_from_offset(*bytes, bytes->len);
        return add_body(reader, rest);
    case HTTP_AT_CHUNK_SIZE:
        return read_chunk_size(reader, bytes);
    case HTTP_AT_CHUNK:
        result = read_known(reader, bytes);
        if (result == HTTP_READ_MORE && reader->left == 0)
            reader->state = HTTP_AT_CHUNK_END;
        return result;
    case HTTP_AT_CHUNK_END:
        return read_chunk_end(reader, bytes);
    case HTTP_AT_END:
        break;
    }
    assert(!"an answer that is over takes no bytes");
    return HTTP_READ_FAILED;
}

enum http_reading http_reader_feed(struct http_reader *reader, struct str *bytes)
{
    enum http_reading result = HTTP_READ_MORE;
    /* a body of no bytes ends with its head */
    while (result == HTTP_READ_MORE &&
           (bytes->len > 0 || (reader->state == HTTP_AT_BODY && reader->left == 0)))
        result = step(reader, bytes);
    return result;
}

enum http_reading http_reader_end(struct http_reader *reader)
{
    assert(reader->state != HTTP_AT_END);
    reader->keeps_alive = false;
    if (reader->state == HTTP_AT_OPEN_BODY)
        return end_body(reader);
    if (reader->state == HTTP_AT_STATUS && reader->head_bytes == 0)
        return fail(reader, "Empty reply from server");
    return fail(reader, "the connection was closed before the answer was whole");
}
