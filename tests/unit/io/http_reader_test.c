/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_reader.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/gzip.h"
#include "io/http_head.h"
#include "tests/unit/io/suites.h"

enum { BODY_MAX = 64 };

static struct http_reader reader;
static struct buf body, headers;

static void setup(void)
{
    http_reader_init(&reader);
    buf_init(&body, BODY_MAX);
    buf_init(&headers, 4096);
}

static void teardown(void)
{
    http_reader_release(&reader);
    buf_release(&body);
    buf_release(&headers);
}

/* In pieces of `step` bytes; what is left over is in *rest. */
static enum http_reading read_in_steps(struct str text, size_t step, bool closes, size_t *rest)
{
    body.len = headers.len = 0;
    http_reader_release(&reader);
    http_reader_init(&reader);
    http_reader_begin(&reader, false, &headers, &body);
    while (text.len > 0) {
        struct str piece = str_make(text.ptr, step < text.len ? step : text.len);
        size_t len = piece.len;
        enum http_reading result = http_reader_feed(&reader, &piece);
        text = str_from_offset(text, len - piece.len);
        *rest = text.len;
        if (result != HTTP_READ_MORE)
            return result;
        ck_assert_uint_eq(piece.len, 0);
    }
    return closes ? http_reader_end(&reader) : HTTP_READ_MORE;
}

#define HEAD "HTTP/1.1 200 OK\r\n"

static const struct {
    const char *answer;
    enum http_reading result;
    int status;
    const char *body;
    bool keeps_alive;
    size_t rest; /* bytes behind the answer */
} answers[] = {
    {HEAD "Content-Length: 2\r\n\r\nok", HTTP_READ_DONE, 200, "ok", true, 0},
    {HEAD "content-length:2\n\nok", HTTP_READ_DONE, 200, "ok", true, 0},
    {HEAD "Content-Length: 0\r\n\r\n", HTTP_READ_DONE, 200, "", true, 0},
    {HEAD "Content-Length: 2\r\n\r\nokmore", HTTP_READ_DONE, 200, "ok", true, 4},
    {"HTTP/1.1 204 No Content\r\n\r\n", HTTP_READ_DONE, 204, "", true, 0},
    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", HTTP_READ_DONE, 304, "", true, 0},
    {"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", HTTP_READ_DONE, 200, "", true, 0},
    {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", HTTP_READ_DONE, 200, "x", false, 0},
    {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx", HTTP_READ_DONE, 200,
     "x", true, 0},
    {HEAD "Connection: x, close\r\nContent-Length: 1\r\n\r\nx", HTTP_READ_DONE, 200, "x", false, 0},
    {HEAD "\r\nuntil the end", HTTP_READ_DONE, 200, "until the end", false, 0},
    {"HTTP/1.1 100 Continue\r\nA: b\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" HEAD
     "Content-Length: 1\r\n\r\nx",
     HTTP_READ_DONE, 200, "x", true, 0},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3;a=b\r\nabc\r\n0\r\nTrailer: x\r\n\r\nz",
     HTTP_READ_DONE, 200, "okabc", true, 1},
    {HEAD "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nA \r\n0123456789\r\n0\r\n\r\n",
     HTTP_READ_DONE, 200, "0123456789", false, 0},
    {HEAD "X: a\r\n  folded\r\nContent-Length: 1\r\n\r\nx", HTTP_READ_DONE, 200, "x", true, 0},

    {"", HTTP_READ_FAILED, 0, "", false, 0},
    {"HTTP/1.1 2", HTTP_READ_FAILED, 0, "", false, 0},
    {HEAD "Content-Le", HTTP_READ_FAILED, 200, "", false, 0},
    {HEAD "Content-Length: 3\r\n\r\nok", HTTP_READ_FAILED, 200, "ok", false, 0},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", HTTP_READ_FAILED, 200, "ok", false, 0},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nokx\r\n0\r\n\r\n", HTTP_READ_FAILED, 200, "ok",
     false, SIZE_MAX},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n-2\r\n", HTTP_READ_FAILED, 200, "", false, SIZE_MAX},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n\r\n", HTTP_READ_FAILED, 200, "", false, SIZE_MAX},
    {HEAD "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n", HTTP_READ_FAILED, 200, "",
     false, SIZE_MAX},
    {"garbage\r\n\r\n", HTTP_READ_FAILED, 0, "", false, SIZE_MAX},
    {"HTTP/2 200\r\n\r\n", HTTP_READ_FAILED, 0, "", false, SIZE_MAX},
    {"HTTP/1.1 20x OK\r\n\r\n", HTTP_READ_FAILED, 0, "", false, SIZE_MAX},
    {"HTTP/1.1 099 OK\r\n\r\n", HTTP_READ_FAILED, 0, "", false, SIZE_MAX},
    {"HTTP/1.1 2000 OK\r\n\r\n", HTTP_READ_FAILED, 0, "", false, SIZE_MAX},
    {"\r\n" HEAD "\r\n", HTTP_READ_FAILED, 0, "", false, SIZE_MAX},
    {"HTTP/1.1 101 Switching\r\n\r\n", HTTP_READ_FAILED, 101, "", true, SIZE_MAX},
    {HEAD "Content-Length: -1\r\n\r\n", HTTP_READ_FAILED, 200, "", true, SIZE_MAX},
    {HEAD "Content-Length: 2, 2\r\n\r\n", HTTP_READ_FAILED, 200, "", true, SIZE_MAX},
    {HEAD "Content-Length: 99999999999999999999\r\n\r\n", HTTP_READ_FAILED, 200, "", true,
     SIZE_MAX},
    {HEAD "Content-Length: 2\r\nContent-Length: 3\r\n\r\nokx", HTTP_READ_FAILED, 200, "", true,
     SIZE_MAX},
    {HEAD ": x\r\n\r\n", HTTP_READ_FAILED, 200, "", true, SIZE_MAX},
    {HEAD "no colon\r\n\r\n", HTTP_READ_FAILED, 200, "", true, SIZE_MAX},

    {HEAD "Content-Length: 65\r\n\r\n", HTTP_READ_TOO_LARGE, 200, "", true, SIZE_MAX},
    {HEAD "Transfer-Encoding: chunked\r\n\r\n41\r\n"
          "0123456789012345678901234567890123456789012345678901234567890123x",
     HTTP_READ_TOO_LARGE, 200, NULL, true, SIZE_MAX},
    {HEAD "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx", HTTP_READ_UNUSUAL, 200, "", true,
     SIZE_MAX},
    {HEAD "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n\r\nx", HTTP_READ_UNUSUAL, 200, "",
     true, SIZE_MAX},
    {HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n", HTTP_READ_UNUSUAL, 200, "", true, SIZE_MAX},
    {HEAD "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", HTTP_READ_UNUSUAL, 200, NULL,
     true, SIZE_MAX},
};

START_TEST(reads_answers)
{
    struct str text = str_from(answers[_i].answer);
    for (size_t step = 1; step <= text.len + 1; step++) {
        size_t rest = 0;
        ck_assert_int_eq(read_in_steps(text, step, true, &rest), answers[_i].result);
        ck_assert_int_eq(reader.status, answers[_i].status);
        if (answers[_i].body)
            ck_assert(str_equal(buf_str(&body), str_from(answers[_i].body)));
        if (answers[_i].result == HTTP_READ_DONE)
            ck_assert(reader.keeps_alive == answers[_i].keeps_alive);
        ck_assert((reader.error[0] != 0) == (answers[_i].result == HTTP_READ_FAILED));
        if (answers[_i].rest != SIZE_MAX)
            ck_assert_uint_eq(rest, answers[_i].rest);
    }
}
END_TEST

START_TEST(head_has_no_body)
{
    struct str text = STR(HEAD "Content-Length: 5\r\n\r\n");
    http_reader_begin(&reader, true, NULL, &body);
    ck_assert_int_eq(http_reader_feed(&reader, &text), HTTP_READ_DONE);
}
END_TEST

START_TEST(keeps_headers_of_the_last_answer)
{
    size_t rest;
    struct str text = STR("HTTP/1.1 100 Go\r\nA: 1\r\n\r\n" HEAD
                          "B: 2\r\nSet-Cookie: x\r\nLocation: y\r\nContent-Length: 0\r\n\r\n");
    ck_assert_int_eq(read_in_steps(text, 7, true, &rest), HTTP_READ_DONE);
    ck_assert(str_equal(buf_str(&headers), STR("B: 2\r\nSet-Cookie: x\r\nLocation: y\r\n"
                                               "Content-Length: 0\r\n")));
    ck_assert(reader.sets_cookie && reader.has_location);
}
END_TEST

START_TEST(reads_when_to_come_back)
{
    size_t rest;
    read_in_steps(STR(HEAD "Retry-After: 7\r\n\r\n"), 99, false, &rest);
    ck_assert_uint_eq(reader.retry_after_s, 7);
    read_in_steps(STR(HEAD "Retry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n\r\n"), 99, false, &rest);
    ck_assert_uint_gt(reader.retry_after_s, 3600);
    read_in_steps(STR(HEAD "Retry-After: Fri, 01 Jan 1999 00:00:00 GMT\r\n\r\n"), 99, false, &rest);
    ck_assert_uint_eq(reader.retry_after_s, 0);
    read_in_steps(STR(HEAD "Retry-After: soon\r\n\r\n"), 99, false, &rest);
    ck_assert_uint_eq(reader.retry_after_s, 0);
}
END_TEST

START_TEST(unpacks)
{
    struct buf answer, packed;
    size_t rest;
    buf_init(&answer, 4096);
    buf_init(&packed, 4096);
    struct gzip *gzip = gzip_new(6);
    ck_assert(gzip_append(gzip, STR("packed text"), &packed));
    buf_printf(&answer, HEAD "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", packed.len);
    buf_append_str(&answer, buf_str(&packed));
    for (size_t step = 1; step < answer.len; step++) {
        ck_assert_int_eq(read_in_steps(buf_str(&answer), step, true, &rest), HTTP_READ_DONE);
        ck_assert(str_equal(buf_str(&body), STR("packed text")));
    }
    answer.len -= 4; /* its end is missing */
    ck_assert_int_eq(read_in_steps(buf_str(&answer), 9, true, &rest), HTTP_READ_FAILED);
    gzip_free(gzip);
    buf_release(&packed);
    buf_release(&answer);
}
END_TEST

START_TEST(heads_have_an_end)
{
    http_reader_begin(&reader, false, NULL, &body);
    struct str line = STR(HEAD);
    enum http_reading result = http_reader_feed(&reader, &line);
    size_t lines = 0;
    for (; result == HTTP_READ_MORE; lines++) {
        line = STR("X: 0123456789012345678901234567890123456789\r\n");
        result = http_reader_feed(&reader, &line);
    }
    ck_assert_int_eq(result, HTTP_READ_FAILED);
    ck_assert_uint_lt(lines, HTTP_HEAD_MAX_BYTES / 40);
}
END_TEST

static const struct {
    const char *url, *authority, *target; /* no authority: curl's */
} urls[] = {
    {"http://a.example", "a.example", ""},
    {"http://a-b_c:9200/x/_bulk?q=1&r=%20", "a-b_c:9200", "/x/_bulk?q=1&r=%20"},
    {"http://127.0.0.1:1/", "127.0.0.1:1", "/"},
    {"http://9.example/", "9.example", "/"},
    {"https://a/", NULL, NULL},
    {"HTTP://a/", NULL, NULL},
    {"http://", NULL, NULL},
    {"http:///x", NULL, NULL},
    {"http://A/", NULL, NULL},
    {"http://u:p@a/", NULL, NULL},
    {"http://u@a/", NULL, NULL},
    {"http://[::1]:1/", NULL, NULL},
    {"http://a:/", NULL, NULL},
    {"http://a:0/", NULL, NULL},
    {"http://a:80/", NULL, NULL},
    {"http://a:09/", NULL, NULL},
    {"http://a:65536/", NULL, NULL},
    {"http://a:1:2/", NULL, NULL},
    {"http://127.1/", NULL, NULL},
    {"http://0x7f.1/", NULL, NULL},
    {"http://127.0.0.01/", NULL, NULL},
    {"http://1/", NULL, NULL},
    {"http://a./", NULL, NULL},
    {"http://.a/", NULL, NULL},
    {"http://b\xc3\xbc"
     "cher.example/",
     NULL, NULL},
    {"http://a?x=1", NULL, NULL},
    {"http://a/x#y", NULL, NULL},
    {"http://a/x y", NULL, NULL},
    {"http://a/../x", NULL, NULL},
    {"http://a/x/./y", NULL, NULL},
    {"http://a/%2e%2e/x", NULL, NULL},
    {"http://a/x\ty", NULL, NULL},
    {"http://a/\xc3\xbc", NULL, NULL},
};

START_TEST(knows_plain_urls)
{
    struct http_plain_url url;
    bool is_plain = http_plain_url(str_from(urls[_i].url), &url);
    ck_assert_msg(is_plain == (urls[_i].authority != NULL), "%s", urls[_i].url);
    if (!is_plain)
        return;
    ck_assert(str_equal(url.authority, str_from(urls[_i].authority)));
    ck_assert(str_equal(url.target, str_from(urls[_i].target)));
}
END_TEST

START_TEST(writes_heads)
{
    struct http_header_lines lines = {0};
    struct buf out;
    buf_init(&out, 4096);
    buf_init(&lines.text, 4096);
    struct http_head_parts parts = {.method = HTTP_PUT,
                                    .url = {STR("a:1"), STR("/x?y")},
                                    .authorization = STR("Basic eDp5"),
                                    .agent = STR("me/1"),
                                    .headers = &lines,
                                    .compressed = true,
                                    .has_body = true,
                                    .body_len = 1200};
    http_head_write(&parts, &out);
    ck_assert(str_equal(
        buf_str(&out),
        STR("PUT /x?y HTTP/1.1\r\nHost: a:1\r\nAuthorization: Basic eDp5\r\nUser-Agent: me/1\r\n"
            "Accept: */*\r\nAccept-Encoding: identity\r\nContent-Encoding: gzip\r\n"
            "Content-Length: 1200\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n")));
    http_header_lines_add(&lines, STR("Content-type"), STR("text/plain"));
    http_header_lines_add(&lines, STR("Authorization"), STR("Bearer x"));
    http_header_lines_add(&lines, STR("USER-AGENT"), STR("you"));
    http_header_lines_add(&lines, STR("Accept"), STR(""));
    parts = (struct http_head_parts){.method = HTTP_GET,
                                     .url = {STR("a"), STR("")},
                                     .authorization = STR("Basic eDp5"),
                                     .agent = STR("me/1"),
                                     .headers = &lines};
    http_head_write(&parts, &out);
    ck_assert(
        str_equal(buf_str(&out), STR("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: identity\r\n"
                                     "Content-type: text/plain\r\nAuthorization: Bearer x\r\n"
                                     "USER-AGENT: you\r\nAccept:\r\n\r\n")));
    ck_assert(!lines.is_unusual);
    http_header_lines_add(&lines, STR("host"), STR("b"));
    ck_assert(lines.is_unusual);
    buf_release(&lines.text);
    buf_release(&out);
}
END_TEST

Suite *http_reader_suite(void)
{
    Suite *suite = suite_create("http_reader");
    TCase *tcase = tcase_create("answers");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, reads_answers, 0, sizeof answers / sizeof *answers);
    tcase_add_test(tcase, head_has_no_body);
    tcase_add_test(tcase, keeps_headers_of_the_last_answer);
    tcase_add_test(tcase, reads_when_to_come_back);
    tcase_add_test(tcase, unpacks);
    tcase_add_test(tcase, heads_have_an_end);
    tcase_add_loop_test(tcase, knows_plain_urls, 0, sizeof urls / sizeof *urls);
    tcase_add_test(tcase, writes_heads);
    suite_add_tcase(suite, tcase);
    return suite;
}
