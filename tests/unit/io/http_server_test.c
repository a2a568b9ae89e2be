/* SPDX-License-Identifier: Apache-2.0
 *
 * The server on the test's loop; its clients are blocking sockets on libuv's threads.
 */
#include "io/http_server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/gzip.h"
#include "io/http_client.h"
#include "tests/unit/io/suites.h"

enum { BODY_MAX = 100000, ALL_BODIES_MAX = 150000, ANSWER_MAX = 8192, LARGE_ANSWER = 3000000 };

static uv_loop_t loop;
static struct http_server *server;
static struct http_server_options options;
static unsigned handled, awaited, closed_count, open_talks;
static struct http_exchange *kept;
static uv_timer_t later, end;

static void respond_echo(struct http_exchange *exchange)
{
    struct buf out;
    buf_init(&out, 2 * BODY_MAX);
    buf_printf(&out, "%.*s", STR_FMT(exchange->method));
    for (size_t i = 0; i < exchange->target.segment_count; i++)
        buf_printf(&out, " [%.*s]", STR_FMT(exchange->target.segments[i]));
    for (size_t i = 0; i < exchange->target.parameter_count; i++)
        buf_printf(&out, " %.*s=%.*s", STR_FMT(exchange->target.parameters[i].name),
                   STR_FMT(exchange->target.parameters[i].value));
    buf_printf(&out, " body %zu %.*s", exchange->body.len,
               exchange->body.len > 100 ? 100 : (int)exchange->body.len, exchange->body.ptr);
    const char *agent = http_exchange_header(exchange, "x-agent");
    buf_printf(&out, " agent %s", agent ? agent : "none");
    http_exchange_add_header(exchange, "X-Product", "echo");
    http_exchange_respond(exchange, 201, "text/plain; charset=utf-8", &out);
}

static void on_later(uv_timer_t *timer)
{
    (void)timer;
    respond_echo(kept);
    kept = NULL;
}

static void on_end(uv_timer_t *timer);

/* All clients are done, and what those that did not wait for an answer have sent is here. */
static void end_when_done(void)
{
    if (open_talks == 0 && handled >= awaited && server)
        uv_timer_start(&end, on_end, 0, 0);
}

static void handle(void *ctx, struct http_exchange *exchange)
{
    ck_assert_ptr_eq(ctx, &loop);
    if (++handled == awaited)
        end_when_done();
    struct str path = exchange->target.path;
    if (str_equal(path, STR("/later"))) {
        ck_assert_ptr_null(kept);
        kept = exchange;
        uv_timer_start(&later, on_later, 20, 0);
    } else if (str_equal(path, STR("/large"))) {
        struct buf out;
        buf_init(&out, LARGE_ANSWER);
        buf_reserve(&out, LARGE_ANSWER);
        memset(out.ptr, 'L', LARGE_ANSWER);
        out.len = LARGE_ANSWER;
        http_exchange_respond(exchange, 200, NULL, &out);
    } else if (str_equal(path, STR("/empty"))) {
        http_exchange_respond_text(exchange, 204, NULL, STR(""));
    } else {
        respond_echo(exchange);
    }
}

static void on_closed(void *ctx)
{
    ck_assert_ptr_eq(ctx, &closed_count);
    closed_count++;
    uv_close((uv_handle_t *)&later, NULL);
    uv_close((uv_handle_t *)&end, NULL);
}

static void close_server(void)
{
    http_server_close(server, on_closed, &closed_count);
    server = NULL;
}

static void on_end(uv_timer_t *timer)
{
    (void)timer;
    if (server)
        close_server();
}

static void setup(void)
{
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    uv_timer_init(&loop, &later);
    handled = awaited = closed_count = open_talks = 0;
    options = (struct http_server_options){
        .loop = &loop,
        .host = "127.0.0.1",
        .max_connections = 8,
        .idle_timeout_s = 30,
        .request_timeout_s = 30,
        .max_body_bytes = BODY_MAX,
        .max_all_bodies_bytes = ALL_BODIES_MAX,
        .handle = handle,
        .ctx = &loop,
    };
}

static void teardown(void)
{
    ck_assert_uint_eq(closed_count, 1);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
}

static void open_server(void)
{
    struct error err;
    server = http_server_open(&options, &err);
    ck_assert_ptr_nonnull(server);
    ck_assert_uint_ne(http_server_port(server), 0);
    uv_timer_init(&loop, &end);
}

/* One connection: the pieces are sent one after another, and what comes back until the server hangs up is kept. */
struct talk {
    uv_work_t work;
    uint16_t port;
    const struct str *pieces;
    size_t piece_count;
    bool hangs_up; /* after the last piece, without reading */
    size_t answer_bytes;
    char answer[ANSWER_MAX]; /* the beginning */
};

static int connect_to(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void talk_work(uv_work_t *work)
{
    struct talk *talk = work->data;
    int fd = connect_to(talk->port);
    for (size_t i = 0; i < talk->piece_count; i++) {
        if (send(fd, talk->pieces[i].ptr, talk->pieces[i].len, MSG_NOSIGNAL) < 0)
            break;
        if (i + 1 < talk->piece_count)
            usleep(2000); /* so that they arrive as pieces; nothing depends on it */
    }
    char bytes[65536];
    for (ssize_t got; !talk->hangs_up && (got = recv(fd, bytes, sizeof bytes, 0)) > 0;) {
        size_t room = talk->answer_bytes < ANSWER_MAX - 1 ? ANSWER_MAX - 1 - talk->answer_bytes : 0;
        size_t kept_bytes = (size_t)got < room ? (size_t)got : room;
        memcpy(talk->answer + (room ? talk->answer_bytes : 0), bytes, kept_bytes);
        talk->answer_bytes += (size_t)got;
    }
    close(fd);
}

static void talk_done(uv_work_t *work, int status)
{
    (void)work;
    ck_assert_int_eq(status, 0);
    open_talks--;
    end_when_done();
}

static void talk_start(struct talk *talk, const struct str *pieces, size_t count)
{
    talk->work.data = talk;
    talk->port = http_server_port(server);
    talk->pieces = pieces;
    talk->piece_count = count;
    open_talks++;
    uv_queue_work(&loop, &talk->work, talk_work, talk_done);
}

static struct talk *say(const struct str *pieces, size_t count)
{
    struct talk *talk = calloc(1, sizeof *talk);
    open_server();
    talk_start(talk, pieces, count);
    uv_run(&loop, UV_RUN_DEFAULT);
    return talk;
}

#define HOST(name) " HTTP/1.1\r\nHost: " name "\r\nConnection: close\r\n"
#define END        " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"

static const struct {
    const char *request, *expected[3];
} requests[] = {
    {"GET /" END "\r\n",
     {"HTTP/1.1 201 Created", "\r\n\r\nGET body 0  agent none", "X-Product: echo"}},
    {"GET /a%2Fb/_doc//%ec%95%88?q=a+b%26c&pretty&=x" END "X-Agent: me\r\n\r\n",
     {"GET [a/b] [_doc] [\xec\x95\x88] q=a b&c pretty= =x body 0", "agent me",
      "Content-Type: text/plain; charset=utf-8"}},
    {"POST /x" END "Content-Length: 5\r\n\r\nhello", {"POST [x] body 5 hello"}},
    {"PUT /x" END "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\n\r\n",
     {"PUT [x] body 5 hello"}},
    {"POST /x" END "Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
     {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201", "POST [x] body 5 hello"}},
    {"HEAD /x" END "\r\n", {"Content-Length: 27\r\n"}},
    {"DELETE /x" END "\r\n", {"DELETE [x] body 0"}},
    {"OPTIONS /x" END "\r\n", {"OPTIONS [x] body 0"}},
    {"POST /later" END "Content-Length: 2\r\n\r\nok", {"POST [later] body 2 ok"}},
    {"GET /empty" END "\r\n", {"HTTP/1.1 204 No Content"}},
    {"GET /x HTTP/1.0\r\n\r\n", {"201 Created", "GET [x]"}},
    {"GET /x" END "Origin: http://a\r\n\r\n", {"201 Created"}},
    {"GET /x" END "Origin: http://b\r\n\r\n", {"HTTP/1.1 403", "another site"}},
    {"GET /x" END "Origin: null\r\n\r\n", {"HTTP/1.1 403"}},
    {"GET /x" END "Origin: http://a:81\r\n\r\n", {"HTTP/1.1 403"}},
    {"GET /x" END "Origin: http://a.b\r\n\r\n", {"HTTP/1.1 403"}},
    {"GET /x" HOST("a.b") "\r\n", {"HTTP/1.1 403", "is not this server"}},
    {"GET /x" HOST("10.0.0.1:9200") "\r\n", {"HTTP/1.1 403"}},
    {"GET /x" HOST("127.0.0.1.a.b") "\r\n", {"HTTP/1.1 403"}},
    {"GET /x" HOST("localhost.a.b") "\r\n", {"HTTP/1.1 403"}},
    {"GET /x" HOST("[fe80::1]:9200") "\r\n", {"HTTP/1.1 403"}},
    {"GET /x" HOST("127.9.9.9:81") "\r\n", {"201 Created"}},
    {"GET /x" HOST("LocalHost:81") "Origin: https://localhost:81\r\n\r\n", {"201 Created"}},
    {"GET /x" HOST("x.localhost.") "\r\n", {"201 Created"}},
    {"GET /x" HOST("[::1]:9200") "\r\n", {"201 Created"}},
    {"GET /x" HOST("[::1]") "\r\n", {"201 Created"}},
    {"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /3" END "\r\n",
     {"GET [1]", "GET [later]", "GET [3]"}},
    {"GET /%zz" END "\r\n", {"HTTP/1.1 400", "wrong escape"}},
    {"GET /a%0" END "\r\n", {"HTTP/1.1 400"}},
    {"GET /1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17" END "\r\n", {"HTTP/1.1 400"}},
    {"POST /x" END "Content-Length: 100001\r\nExpect: 100-continue\r\n\r\n",
     {"HTTP/1.1 413", "larger than the server takes"}},
    {"POST /x" END "Content-Length: 99999999999999\r\n\r\n", {"HTTP/1.1 413"}},
    {"POST /x" END "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx", {"HTTP/1.1 415"}},
    {"POST /x" END "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
     {"HTTP/1.1 400", "not what its Content-Encoding says"}},
    {"POST /x" END "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", {"POST [x] body 0"}},
    {"POST /x" END "Content-Encoding: identity\r\nContent-Length: 1\r\n\r\nx",
     {"POST [x] body 1 x"}},
    {"nonsense\r\n\r\n", {""}}, /* hung up on */
    {"POST /x" END "Content-Length: -1\r\n\r\n", {"HTTP/1.1 400"}},
    {"POST /x" END "Transfer-Encoding: chunked\r\n\r\nzz\r\n", {"HTTP/1.1 400"}},
};

START_TEST(answers)
{
    struct str whole = str_from(requests[_i].request);
    struct talk *talk = say(&whole, 1);
    for (size_t i = 0; i < 3 && requests[_i].expected[i]; i++)
        ck_assert_msg(strstr(talk->answer, requests[_i].expected[i]) != NULL, "%s\nanswered\n%s",
                      requests[_i].request, talk->answer);
    free(talk);
}
END_TEST

/* Every way to cut a request in two gives the same answer. */
START_TEST(pieces_do_not_matter)
{
    const char text[] = "POST /a?b=c" END "Content-Length: 5\r\n\r\nhello";
    for (size_t at = 1; at < sizeof text - 1; at += 7) {
        struct str pieces[] = {{text, at}, {text + at, sizeof text - 1 - at}};
        struct talk *talk = say(pieces, 2);
        ck_assert_ptr_nonnull(strstr(talk->answer, "POST [a] b=c body 5 hello"));
        free(talk);
        ck_assert_uint_eq(closed_count, 1);
        closed_count = 0;
        uv_timer_init(&loop, &later);
    }
    uv_close((uv_handle_t *)&later, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    closed_count = 1;
}
END_TEST

START_TEST(a_head_has_no_body)
{
    struct str request = str_from("HEAD /x" END "\r\n");
    struct talk *talk = say(&request, 1);
    ck_assert_str_eq(strstr(talk->answer, "\r\n\r\n"), "\r\n\r\n");
    free(talk);
}
END_TEST

START_TEST(sends_a_large_answer)
{
    struct str request = str_from("GET /large" END "\r\n");
    struct talk *talk = say(&request, 1);
    ck_assert_uint_gt(talk->answer_bytes, LARGE_ANSWER);
    ck_assert_uint_lt(talk->answer_bytes, LARGE_ANSWER + 1000);
    free(talk);
}
END_TEST

/* A body of `zeros` bytes, compressed, in pieces of 1000 bytes behind the request's head. */
static struct talk *post_zeros(size_t zeros, bool compressed)
{
    struct buf body, head;
    buf_init(&body, SIZE_MAX / 2);
    buf_init(&head, 1000);
    char *text = calloc(1, zeros);
    struct gzip *gzip = gzip_new(6);
    if (compressed)
        gzip_append(gzip, str_make(text, zeros), &body);
    else
        buf_append(&body, text, zeros);
    gzip_free(gzip);
    free(text);
    buf_printf(&head, "POST /zeros" END "%sContent-Length: %zu\r\n\r\n",
               compressed ? "Content-Encoding: gzip\r\n" : "", body.len);
    struct str pieces[1000] = {buf_str(&head)};
    size_t count = 1;
    for (size_t at = 0; at < body.len; at += 20000)
        pieces[count++] = str_make(body.ptr + at, body.len - at < 20000 ? body.len - at : 20000);
    struct talk *talk = say(pieces, count);
    buf_release(&body);
    buf_release(&head);
    return talk;
}

static const struct {
    size_t zeros;
    bool compressed;
    const char *expected;
} bodies[] = {
    {5, true, "body 5 "},
    {BODY_MAX, true, "body 100000 "},
    {BODY_MAX + 1, true, "HTTP/1.1 413"},
    {50 * 1024 * 1024, true, "HTTP/1.1 413"}, /* 50 KB that become 50 MB */
    {BODY_MAX, false, "body 100000 "},
    {BODY_MAX + 1, false, "HTTP/1.1 413"},
    {5 * BODY_MAX, false,
     "HTTP/1.1 413"}, /* read and thrown away, so that the client sees the answer */
};

START_TEST(bounds_bodies)
{
    struct talk *talk = post_zeros(bodies[_i].zeros, bodies[_i].compressed);
    ck_assert_msg(strstr(talk->answer, bodies[_i].expected) != NULL, "%s", talk->answer);
    free(talk);
}
END_TEST

START_TEST(bounds_all_bodies_together)
{
    static char filling[90000];
    memset(filling, 'x', sizeof filling);
    struct str first[] = {STR("POST /later" END "Content-Length: 90000\r\n\r\n"),
                          {filling, sizeof filling}};
    options.max_all_bodies_bytes = BODY_MAX; /* one fits */
    struct talk *talks = calloc(4, sizeof *talks);
    open_server();
    for (size_t i = 0; i < 4; i++)
        talk_start(&talks[i], first, 2);
    /* /later keeps one only: the others have to be refused or come when it is gone. */
    uv_run(&loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < 4; i++)
        ck_assert_msg(strstr(talks[i].answer, "HTTP/1.1 201") ||
                          strstr(talks[i].answer, "HTTP/1.1 503"),
                      "%s", talks[i].answer);
    free(talks);
}
END_TEST

START_TEST(clients_that_go_away)
{
    static const struct str cut[] = {STR_INIT("POST /x" END "Content-Length: 5\r\n\r\nhel")};
    static const struct str waiting[] = {STR_INIT("GET /later" END "\r\n")};
    static const struct str large[] = {STR_INIT("GET /large" END "\r\n")};
    struct talk *talks = calloc(4, sizeof *talks);
    open_server();
    awaited = 3;
    talks[0].hangs_up = talks[1].hangs_up = talks[2].hangs_up = true;
    talk_start(&talks[0], cut, 1);
    talk_start(&talks[1], waiting, 1);
    talk_start(&talks[2], large, 1);
    talk_start(&talks[3], large, 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(handled, 3);
    ck_assert_uint_gt(talks[3].answer_bytes, LARGE_ANSWER);
    free(talks);
}
END_TEST

/* What was begun is answered, then the server is gone. */
static void on_begun(uv_timer_t *timer)
{
    if (handled == 0)
        return;
    uv_close((uv_handle_t *)timer, NULL);
    close_server();
}

START_TEST(close_answers_what_is_under_way)
{
    static const struct str request[] = {STR_INIT("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")};
    struct talk *talk = calloc(1, sizeof *talk);
    uv_timer_t timer;
    open_server();
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_begun, 1, 1);
    talk_start(talk, request, 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_ptr_nonnull(strstr(talk->answer, "GET [later]"));
    ck_assert_ptr_nonnull(strstr(talk->answer, "Connection: close"));
    free(talk);
}
END_TEST

START_TEST(cuts_what_is_too_slow)
{
    static const struct str never_whole[] = {STR_INIT("GET /x HTT")};
    options.idle_timeout_s = 1;
    options.request_timeout_s = 1;
    struct talk *talk = say(never_whole, 1);
    ck_assert_uint_eq(handled, 0);
    free(talk);
}
END_TEST

enum { SLOW_CLIENTS = 3 };

static unsigned admitted;

static unsigned on_admission(void *ctx, struct http_exchange *exchange)
{
    (void)ctx;
    (void)exchange;
    admitted++;
    return 0;
}

/* As many as there may be are in the middle of a request: the oldest of them goes, and who has just come is heard. */
START_TEST(room_for_who_has_just_come)
{
    static const struct str half = STR_INIT("POST /x" END "Content-Length: 5\r\n\r\nhel");
    static const struct str whole[] = {STR_INIT("GET /" END "\r\n")};
    int clients[SLOW_CLIENTS];
    options.max_connections = SLOW_CLIENTS;
    options.admit = on_admission;
    admitted = 0;
    open_server();
    for (unsigned i = 0; i < SLOW_CLIENTS; i++) {
        clients[i] = connect_to(http_server_port(server));
        ck_assert_int_eq(send(clients[i], half.ptr, half.len, MSG_NOSIGNAL), (ssize_t)half.len);
    }
    while (admitted < SLOW_CLIENTS)
        uv_run(&loop, UV_RUN_ONCE);
    struct talk *talk = calloc(1, sizeof *talk);
    talk_start(talk, whole, 1);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_ptr_nonnull(strstr(talk->answer, "201 Created"));
    ck_assert_uint_eq(handled, 1);
    for (unsigned i = 0; i < SLOW_CLIENTS; i++)
        close(clients[i]);
    free(talk);
}
END_TEST

START_TEST(bounds_headers)
{
    static char line[HTTP_SERVER_HEADER_BYTES * 3];
    memset(line, 'h', sizeof line);
    memcpy(line, "GET / HTTP/1.1\r\nX: ", 19);
    memcpy(line + sizeof line - 4, "\r\n\r\n", 4);
    struct str request = {line, sizeof line};
    struct talk *talk = say(&request, 1);
    ck_assert_uint_eq(handled, 0);
    free(talk);
}
END_TEST

static struct {
    unsigned left, status;
} chain;
static struct http_client *client;
static char url[64];

static void on_answer(void *ctx, const struct http_result *result);

static void send_next(void)
{
    struct http_request request = {
        .method = HTTP_POST, .url = str_from(url), .body = STR("{\"a\":1}"), .done = on_answer};
    http_client_send(client, &request);
}

static void on_chain_end(uv_timer_t *timer)
{
    (void)timer;
    http_client_close(client);
    close_server();
}

static void on_answer(void *ctx, const struct http_result *result)
{
    (void)ctx;
    ck_assert_int_eq(result->outcome, HTTP_ANSWERED);
    chain.status = (unsigned)result->status;
    if (--chain.left > 0) {
        send_next();
        return;
    }
    uv_timer_start(&later, on_chain_end, 0, 0);
}

/* libcurl on the same loop, a hundred requests on a kept connection, its bodies compressed. */
START_TEST(serves_our_own_client)
{
    open_server();
    snprintf(url, sizeof url, "http://%s/chain", http_server_address(server));
    struct http_client_options client_options = {.loop = &loop,
                                                 .max_connections = 1,
                                                 .connect_timeout_ms = 5000,
                                                 .timeout_ms = 20000,
                                                 .max_response_bytes = 1024,
                                                 .compression_level = 1,
                                                 .user_agent = "test"};
    client = http_client_new(&client_options);
    chain.left = 100;
    send_next();
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(handled, 100);
    ck_assert_uint_eq(chain.status, 201);
}
END_TEST

START_TEST(says_why_it_cannot_listen)
{
    struct error err;
    open_server();
    struct http_server_options second = options;
    second.port = http_server_port(server);
    ck_assert_ptr_null(http_server_open(&second, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "Address already in use"));
    second.host = "no such host";
    ck_assert_ptr_null(http_server_open(&second, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "no such host"));
    ck_assert(http_server_is_loopback(server));
    close_server();
    uv_run(&loop, UV_RUN_DEFAULT);
}
END_TEST

Suite *http_server_suite(void)
{
    Suite *suite = suite_create("http_server");
    TCase *tcase = tcase_create("requests");
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, answers, 0, sizeof requests / sizeof *requests);
    tcase_add_test(tcase, pieces_do_not_matter);
    tcase_add_test(tcase, a_head_has_no_body);
    tcase_add_test(tcase, sends_a_large_answer);
    tcase_add_loop_test(tcase, bounds_bodies, 0, sizeof bodies / sizeof *bodies);
    tcase_add_test(tcase, bounds_all_bodies_together);
    tcase_add_test(tcase, clients_that_go_away);
    tcase_add_test(tcase, close_answers_what_is_under_way);
    tcase_add_test(tcase, cuts_what_is_too_slow);
    tcase_add_test(tcase, room_for_who_has_just_come);
    tcase_add_test(tcase, bounds_headers);
    tcase_add_test(tcase, serves_our_own_client);
    tcase_add_test(tcase, says_why_it_cannot_listen);
    suite_add_tcase(suite, tcase);
    return suite;
}
