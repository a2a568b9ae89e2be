/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_client.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/account.h"
#include "tests/unit/io/http_peer.h"
#include "tests/unit/io/suites.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static uv_loop_t loop;
static struct http_peer peer;
static struct http_client_options options;
static struct http_client *client;
static char url[64];

struct seen {
    unsigned count;
    enum http_outcome outcome;
    int status;
    unsigned retry_after_ms;
    char body[32];
    char error[256];
    unsigned resend; /* how often done sends again */
};

static void on_done(void *ctx, const struct http_result *result);

static struct http_request request_to(struct seen *seen)
{
    return (struct http_request){
        .method = HTTP_POST, .url = str_from(url), .body = STR("{}"), .done = on_done, .ctx = seen};
}

static void on_done(void *ctx, const struct http_result *result)
{
    struct seen *seen = ctx;
    seen->count++;
    seen->outcome = result->outcome;
    seen->status = result->status;
    seen->retry_after_ms = result->retry_after_ms;
    snprintf(seen->body, sizeof seen->body, "%.*s", STR_FMT(result->body));
    snprintf(seen->error, sizeof seen->error, "%s", result->error);
    if (seen->resend > 0) {
        seen->resend--;
        struct http_request request = request_to(seen);
        http_client_send(client, &request);
    }
}

static void setup(void)
{
    uv_loop_init(&loop);
    http_peer_open(&peer, &loop);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/path", peer.port);
    options = (struct http_client_options){
        .loop = &loop,
        .max_connections = 4,
        .connect_timeout_ms = 5000,
        .timeout_ms = 20000,
        .max_response_bytes = 1024,
        .user_agent = "millrace-test",
    };
    client = NULL;
}

static void teardown(void)
{
    http_client_close(client);
    uv_run(&loop, UV_RUN_DEFAULT);
    http_peer_close(&peer);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static struct seen exchange(const struct http_request *template)
{
    struct seen seen = {0};
    if (!client)
        client = http_client_new(&options);
    struct http_request request = *template;
    request.done = on_done;
    request.ctx = &seen;
    http_client_send(client, &request);
    ck_assert_uint_eq(http_client_in_flight(client), 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(http_client_in_flight(client), 0);
    ck_assert_uint_eq(seen.count, 1);
    return seen;
}

START_TEST(posts_a_body)
{
    http_peer_answer(&peer, OK_ANSWER);
    struct http_headers *headers = http_headers_new();
    ck_assert(http_headers_add(headers, STR("Content-Type"), STR("application/json")));
    ck_assert(http_headers_add(headers, STR("X-Empty"), STR("")));
    struct http_request request = {
        .method = HTTP_POST, .url = str_from(url), .body = STR("{\"a\":1}"), .headers = headers};
    struct seen seen = exchange(&request);
    ck_assert_int_eq(seen.outcome, HTTP_ANSWERED);
    ck_assert_int_eq(seen.status, 200);
    ck_assert_str_eq(seen.body, "ok");
    ck_assert_str_eq(seen.error, "");
    ck_assert(http_peer_saw(&peer, 0, "POST /path HTTP/1.1\r\n"));
    ck_assert(http_peer_saw(&peer, 0, "Content-Type: application/json\r\n"));
    ck_assert(http_peer_saw(&peer, 0, "X-Empty:\r\n"));
    ck_assert(http_peer_saw(&peer, 0, "User-Agent: millrace-test\r\n"));
    ck_assert(http_peer_saw(&peer, 0, "\r\n\r\n{\"a\":1}"));
    ck_assert(!http_peer_saw(&peer, 0, "Expect"));
    http_headers_free(headers);
}
END_TEST

static const struct {
    enum http_method method;
    const char *body, *line, *end;
} methods[] = {
    {HTTP_GET, "", "GET /path HTTP/1.1\r\n", "\r\n\r\n"},
    {HTTP_GET, "x", "GET /path HTTP/1.1\r\n", "\r\n\r\nx"},
    {HTTP_PUT, "x", "PUT /path HTTP/1.1\r\n", "\r\n\r\nx"},
    {HTTP_PATCH, "x", "PATCH /path HTTP/1.1\r\n", "\r\n\r\nx"},
    {HTTP_DELETE, "", "DELETE /path HTTP/1.1\r\n", "\r\n\r\n"},
    {HTTP_DELETE, "x", "DELETE /path HTTP/1.1\r\n", "\r\n\r\nx"},
    {HTTP_POST, "", "POST /path HTTP/1.1\r\n", "Content-Length: 0\r\n"},
    {HTTP_POST, "x", "POST /path HTTP/1.1\r\n", "\r\n\r\nx"},
};

/* One handle goes through all of them, so nothing of one request is left in the next. */
START_TEST(uses_every_method)
{
    http_peer_answer(&peer, OK_ANSWER);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        struct http_request request = {
            .method = methods[i].method, .url = str_from(url), .body = str_from(methods[i].body)};
        struct seen seen = exchange(&request);
        ck_assert_int_eq(seen.status, 200);
        ck_assert(http_peer_saw(&peer, i, methods[i].line));
        ck_assert(http_peer_saw(&peer, i, methods[i].end));
    }
    ck_assert_uint_eq(peer.connection_count, 1);
}
END_TEST

START_TEST(head_has_no_body)
{
    http_peer_answer(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    struct http_request request = {.method = HTTP_HEAD, .url = str_from(url)};
    struct seen seen = exchange(&request);
    ck_assert_int_eq(seen.status, 200);
    ck_assert(http_peer_saw(&peer, 0, "HEAD /path HTTP/1.1\r\n"));
}
END_TEST

START_TEST(keeps_the_connection)
{
    http_peer_answer(&peer, OK_ANSWER);
    client = http_client_new(&options);
    struct seen seen = {.resend = 20};
    struct http_request request = request_to(&seen);
    http_client_send(client, &request);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(seen.count, 21);
    ck_assert_uint_eq(peer.request_count, 21);
    ck_assert_uint_eq(peer.connection_count, 1);
}
END_TEST

START_TEST(sends_several_at_once_within_its_connections)
{
    enum { REQUESTS = 12 };
    http_peer_answer(&peer, OK_ANSWER);
    client = http_client_new(&options);
    struct seen seen = {0};
    for (int i = 0; i < REQUESTS; i++) {
        struct http_request request = request_to(&seen);
        http_client_send(client, &request);
    }
    ck_assert_uint_eq(http_client_in_flight(client), REQUESTS);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(seen.count, REQUESTS);
    ck_assert_uint_eq(peer.connection_count, options.max_connections);
}
END_TEST

static struct account account;
static size_t charged_with_answer;

static void on_charged(void *ctx, const struct http_result *result)
{
    on_done(ctx, result);
    charged_with_answer = account_used(&account);
}

/* Ten answers at once are all charged, and what is kept for the next ones is little. */
START_TEST(charges_what_it_holds)
{
    enum { REQUESTS = 10, BODY_BYTES = 300 * 1000, KEPT_BYTES = 64 * 1024 };
    static char answer[BODY_BYTES + 100];
    int head = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
                        BODY_BYTES);
    memset(answer + head, 'x', BODY_BYTES);
    http_peer_answer(&peer, answer);
    atomic_store(&account.used, 0);
    options.max_response_bytes = BODY_BYTES;
    options.charged = &account;
    client = http_client_new(&options);
    struct seen seen = {0};
    for (int i = 0; i < REQUESTS; i++) {
        struct http_request request = request_to(&seen);
        request.done = on_charged;
        http_client_send(client, &request);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(seen.count, REQUESTS);
    ck_assert_int_eq(seen.outcome, HTTP_ANSWERED);
    ck_assert_uint_ge(charged_with_answer, BODY_BYTES);
    ck_assert_uint_le(account_used(&account), REQUESTS * KEPT_BYTES);
    http_client_close(client);
    client = NULL;
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(account_used(&account), 0);
}
END_TEST

START_TEST(opens_a_new_connection_when_the_kept_one_is_gone)
{
    http_peer_answer(&peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    http_peer_answer(&peer, ""); /* the request on the kept connection is lost */
    http_peer_answer(&peer, OK_ANSWER);
    struct seen unused = {0};
    struct http_request request = request_to(&unused);
    ck_assert_int_eq(exchange(&request).status, 200);
    struct seen seen = exchange(&request);
    ck_assert_int_eq(seen.outcome, HTTP_ANSWERED);
    ck_assert_int_eq(seen.status, 200);
    ck_assert_uint_eq(peer.connection_count, 2);
}
END_TEST

static const struct {
    const char *answer;
    enum http_outcome outcome;
    int status;
    unsigned retry_after_ms;
} answers[] = {
    {"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", HTTP_ANSWERED, 503, 7000},
    {"HTTP/1.1 429 Slow\r\nRetry-After: 999999999\r\nContent-Length: 0\r\n\r\n", HTTP_ANSWERED, 429,
     HTTP_RETRY_AFTER_MAX_MS},
    {"HTTP/1.1 200 OK\r\nRetry-After: -3\r\nContent-Length: 0\r\n\r\n", HTTP_ANSWERED, 200, 0},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", HTTP_ANSWERED,
     200, 0},
    {"", HTTP_BROKEN, 0, 0},
    {"garbage\r\n\r\n", HTTP_BROKEN, 0, 0},
};

START_TEST(tells_what_became_of_it)
{
    http_peer_answer(&peer, answers[_i].answer);
    struct seen unused = {0};
    struct http_request request = request_to(&unused);
    struct seen seen = exchange(&request);
    ck_assert_int_eq(seen.outcome, answers[_i].outcome);
    ck_assert_int_eq(seen.status, answers[_i].status);
    ck_assert_uint_eq(seen.retry_after_ms, answers[_i].retry_after_ms);
    ck_assert((seen.error[0] == 0) == (seen.outcome == HTTP_ANSWERED));
}
END_TEST

START_TEST(refuses_a_large_answer)
{
    static char large[4096];
    int head = snprintf(large, sizeof large, "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n");
    memset(large + head, 'x', 2000);
    http_peer_answer(&peer, large);
    struct seen unused = {0};
    struct http_request request = request_to(&unused);
    ck_assert_int_eq(exchange(&request).outcome, HTTP_TOO_LARGE);
}
END_TEST

START_TEST(tells_when_nobody_listens)
{
    struct http_peer gone;
    http_peer_open(&gone, &loop);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", gone.port);
    http_peer_close(&gone);
    uv_run(&loop, UV_RUN_DEFAULT);
    struct seen unused = {0};
    struct http_request request = request_to(&unused);
    struct seen seen = exchange(&request);
    ck_assert_int_eq(seen.outcome, HTTP_NOT_CONNECTED);
    ck_assert_ptr_nonnull(strstr(seen.error, "127.0.0.1"));
}
END_TEST

enum { CALLERS = 8 };

/* A port whose queue of connections is full: the kernel drops what else comes. */
static uint16_t open_deaf(int fds[CALLERS + 1])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    fds[CALLERS] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(0, bind(fds[CALLERS], (struct sockaddr *)&at, sizeof at));
    ck_assert_int_eq(0, listen(fds[CALLERS], 0));
    ck_assert_int_eq(0, getsockname(fds[CALLERS], (struct sockaddr *)&at, &len));
    for (int i = 0; i < CALLERS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&at, sizeof at);
    }
    return ntohs(at.sin_port);
}

/* curl closes the socket of a connection that never came about without a word. */
START_TEST(goes_on_after_connections_that_never_came_about)
{
    int fds[CALLERS + 1];
    struct seen seen[4] = {{0}}, unused = {0};
    char there[sizeof url];
    options.connect_timeout_ms = 50;
    client = http_client_new(&options);
    memcpy(there, url, sizeof url);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", open_deaf(fds));
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 4; i++) {
            struct http_request request = request_to(&seen[i]);
            http_client_send(client, &request);
        }
        uv_run(&loop, UV_RUN_DEFAULT);
        for (size_t i = 0; i < 4; i++)
            ck_assert_int_eq(seen[i].outcome, HTTP_NOT_CONNECTED);
    }
    http_peer_answer(&peer, OK_ANSWER);
    memcpy(url, there, sizeof url);
    struct http_request request = request_to(&unused);
    for (int round = 0; round < 3; round++)
        ck_assert_int_eq(exchange(&request).status, 200);
    for (size_t i = 0; i <= CALLERS; i++)
        close(fds[i]);
}
END_TEST

START_TEST(gives_up_after_the_timeout)
{
    http_peer_answer(&peer, NULL);
    struct seen unused = {0};
    struct http_request request = request_to(&unused);
    request.timeout_ms = 500; /* connecting is quicker on any machine */
    ck_assert_int_eq(exchange(&request).outcome, HTTP_TIMED_OUT);
}
END_TEST

START_TEST(stop_answers_what_is_under_way)
{
    http_peer_answer(&peer, NULL);
    client = http_client_new(&options);
    struct seen seen = {0};
    for (int i = 0; i < 3; i++) {
        struct http_request request = request_to(&seen);
        http_client_send(client, &request);
    }
    while (peer.request_count < 3)
        uv_run(&loop, UV_RUN_ONCE);
    http_client_stop(client);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_int_eq(seen.outcome, HTTP_CANCELLED);
    ck_assert_uint_eq(http_client_in_flight(client), 0);
}
END_TEST

static void stop_all(void *ctx, const struct http_result *result)
{
    (void)result;
    ++*(unsigned *)ctx;
    http_client_stop(client);
}

START_TEST(stop_may_come_from_done)
{
    http_peer_answer(&peer, OK_ANSWER);
    http_peer_answer(&peer, NULL);
    client = http_client_new(&options);
    unsigned count = 0;
    for (int i = 0; i < 3; i++) {
        struct http_request request = {
            .method = HTTP_POST, .url = str_from(url), .done = stop_all, .ctx = &count};
        http_client_send(client, &request);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(count, 3);
}
END_TEST

START_TEST(connects_where_it_is_told)
{
    http_peer_answer(&peer, OK_ANSWER);
    char entry[64];
    snprintf(entry, sizeof entry, "search.invalid:9200:127.0.0.1:%d", peer.port);
    const char *const entries[] = {entry, NULL};
    options.connect_to = entries;
    struct http_request request = {.method = HTTP_GET, .url = STR("http://search.invalid:9200/x")};
    ck_assert_int_eq(exchange(&request).status, 200);
    ck_assert(http_peer_saw(&peer, 0, "Host: search.invalid:9200\r\n"));
}
END_TEST

START_TEST(sends_basic_authentication_at_once)
{
    http_peer_answer(&peer, OK_ANSWER);
    options.user = "elastic";
    options.password = "se:cret";
    struct http_request request = {.method = HTTP_GET, .url = str_from(url)};
    ck_assert_int_eq(exchange(&request).status, 200);
    ck_assert(http_peer_saw(&peer, 0, "Authorization: Basic ZWxhc3RpYzpzZTpjcmV0\r\n"));
}
END_TEST

static void inflate_into(struct str compressed, char *out, size_t size)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)compressed.ptr,
                       .avail_in = (uInt)compressed.len,
                       .next_out = (Bytef *)out,
                       .avail_out = (uInt)size - 1};
    ck_assert_int_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    ck_assert_int_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    out[stream.total_out] = 0;
    inflateEnd(&stream);
}

START_TEST(compresses_bodies)
{
    http_peer_answer(&peer, OK_ANSWER);
    options.compression_level = 6;
    struct http_request request = {
        .method = HTTP_POST, .url = str_from(url), .body = STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaa")};
    for (size_t i = 0; i < 2; i++) {
        exchange(&request);
        struct str bytes = buf_str(&peer.requests[i]);
        ck_assert(http_peer_saw(&peer, i, "Content-Encoding: gzip\r\n"));
        char text[64];
        inflate_into(str_from_offset(bytes, str_find(bytes, STR("\r\n\r\n")) + 4), text,
                     sizeof text);
        ck_assert_str_eq(text, "aaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    }
    request.plain = true;
    exchange(&request);
    ck_assert(!http_peer_saw(&peer, 2, "Content-Encoding"));
}
END_TEST

START_TEST(sends_a_large_body)
{
    enum { LARGE = 3 * 1024 * 1024 };
    http_peer_answer(&peer, OK_ANSWER);
    char *body = malloc(LARGE);
    memset(body, 'b', LARGE);
    struct http_request request = {
        .method = HTTP_POST, .url = str_from(url), .body = {body, LARGE}};
    ck_assert_int_eq(exchange(&request).status, 200);
    ck_assert_uint_gt(peer.requests[0].len, LARGE);
    free(body);
}
END_TEST

START_TEST(posts_again_where_it_is_redirected)
{
    http_peer_answer(&peer, "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
    http_peer_answer(&peer, OK_ANSWER);
    options.follow_redirects = true;
    struct seen unused = {0};
    struct http_request request = request_to(&unused);
    ck_assert_int_eq(exchange(&request).status, 200);
    ck_assert(http_peer_saw(&peer, 1, "POST /other HTTP/1.1\r\n"));
    ck_assert(http_peer_saw(&peer, 1, "\r\n\r\n{}"));
}
END_TEST

START_TEST(does_not_follow_unless_asked)
{
    http_peer_answer(&peer, "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
    struct seen unused = {0};
    struct http_request request = request_to(&unused);
    ck_assert_int_eq(exchange(&request).status, 302);
}
END_TEST

START_TEST(gives_cookies_back)
{
    http_peer_answer(&peer, "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n");
    options.cookies = true;
    struct http_request request = {.method = HTTP_GET, .url = str_from(url)};
    exchange(&request);
    exchange(&request);
    ck_assert(http_peer_saw(&peer, 1, "Cookie: a=b\r\n"));
}
END_TEST

/* The first answer shows an origin where nothing is unusual; then it begins to redirect. */
START_TEST(follows_a_redirect_that_comes_later)
{
    http_peer_answer(&peer, OK_ANSWER);
    http_peer_answer(&peer, OK_ANSWER);
    http_peer_answer(&peer, "HTTP/1.1 307 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
    http_peer_answer(&peer, "HTTP/1.1 307 Moved\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
    http_peer_answer(&peer, OK_ANSWER);
    options.follow_redirects = true;
    struct seen unused = {0};
    struct http_request request = request_to(&unused);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(exchange(&request).status, 200);
    ck_assert_uint_eq(peer.request_count, 5);
    ck_assert(http_peer_saw(&peer, 4, "POST /other HTTP/1.1\r\n"));
}
END_TEST

/* What stands behind an answer is not the answer to the next request. */
START_TEST(takes_no_answer_before_its_request)
{
    http_peer_answer(&peer, OK_ANSWER "HTTP/1.1 201 Forged\r\nContent-Length: 0\r\n\r\n");
    http_peer_answer(&peer, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    struct seen unused = {0};
    struct http_request request = request_to(&unused);
    ck_assert_int_eq(exchange(&request).status, 200);
    ck_assert_int_eq(exchange(&request).status, 503);
    ck_assert_uint_eq(peer.connection_count, 2);
}
END_TEST

START_TEST(headers_cannot_be_injected)
{
    struct http_headers *headers = http_headers_new();
    ck_assert(!http_headers_add(headers, STR("X"), STR("a\r\nEvil: 1")));
    ck_assert(!http_headers_add(headers, STR("X"), STR("a\nb")));
    ck_assert(!http_headers_add(headers, STR("X"), STR("a\0b")));
    ck_assert(!http_headers_add(headers, STR("X Y"), STR("a")));
    ck_assert(!http_headers_add(headers, STR("X:"), STR("a")));
    ck_assert(!http_headers_add(headers, STR(""), STR("a")));
    ck_assert(http_headers_add(headers, STR("X-y_1"), STR("a b\tc")));
    http_headers_free(headers);
}
END_TEST

START_TEST(reads_tls_versions)
{
    long both, none, one;
    struct error err;
    const struct str names[] = {STR_INIT("TLSv1.3"), STR_INIT("TLSv1.2")};
    ck_assert(http_tls_versions(names, 2, &both, &err));
    ck_assert(http_tls_versions(names, 1, &one, &err));
    ck_assert(http_tls_versions(names, 0, &none, &err));
    ck_assert_int_eq(none, 0);
    ck_assert_int_ne(both, one);
    const struct str wrong = STR("SSLv3");
    ck_assert(!http_tls_versions(&wrong, 1, &one, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "SSLv3"));
}
END_TEST

START_TEST(escapes)
{
    struct buf out;
    buf_init(&out, 20);
    ck_assert(http_escape(STR("a-Z_0.~ /é"), &out));
    ck_assert(str_equal(buf_str(&out), STR("a-Z_0.~%20%2F%C3%A9")));
    ck_assert(!http_escape(STR("/"), &out));
    buf_release(&out);
}
END_TEST

Suite *http_client_suite(void)
{
    Suite *suite = suite_create("http_client");
    TCase *tcase = tcase_create("requests");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, posts_a_body);
    tcase_add_test(tcase, uses_every_method);
    tcase_add_test(tcase, head_has_no_body);
    tcase_add_test(tcase, keeps_the_connection);
    tcase_add_test(tcase, sends_several_at_once_within_its_connections);
    tcase_add_test(tcase, charges_what_it_holds);
    tcase_add_test(tcase, opens_a_new_connection_when_the_kept_one_is_gone);
    tcase_add_loop_test(tcase, tells_what_became_of_it, 0, sizeof answers / sizeof *answers);
    tcase_add_test(tcase, refuses_a_large_answer);
    tcase_add_test(tcase, tells_when_nobody_listens);
    tcase_add_test(tcase, goes_on_after_connections_that_never_came_about);
    tcase_add_test(tcase, gives_up_after_the_timeout);
    tcase_add_test(tcase, stop_answers_what_is_under_way);
    tcase_add_test(tcase, stop_may_come_from_done);
    tcase_add_test(tcase, connects_where_it_is_told);
    tcase_add_test(tcase, sends_basic_authentication_at_once);
    tcase_add_test(tcase, compresses_bodies);
    tcase_add_test(tcase, sends_a_large_body);
    tcase_add_test(tcase, posts_again_where_it_is_redirected);
    tcase_add_test(tcase, does_not_follow_unless_asked);
    tcase_add_test(tcase, gives_cookies_back);
    tcase_add_test(tcase, follows_a_redirect_that_comes_later);
    tcase_add_test(tcase, takes_no_answer_before_its_request);
    suite_add_tcase(suite, tcase);
    TCase *pure = tcase_create("text");
    tcase_add_test(pure, headers_cannot_be_injected);
    tcase_add_test(pure, reads_tls_versions);
    tcase_add_test(pure, escapes);
    suite_add_tcase(suite, pure);
    return suite;
}
