/* SPDX-License-Identifier: Apache-2.0
 *
 * The server over TLS on the test's loop; its clients are blocking sockets on libuv's threads.
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "io/http_server.h"
#include "io/openssl_start.h"
#include "tests/unit/io/suites.h"

enum { SILENT = 300, SHAKES_MAX = 256, ANSWER_MAX = 1000, LARGE_BYTES = 3000000, PATIENCE_S = 60 };

static uv_loop_t loop;
static struct http_server *server;
static SSL_CTX *server_tls;
static unsigned handled, failures, closed_count;
static char last_failure[200];

/* ---- the server ---- */

static void show_ourselves(SSL_CTX *ctx)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    ck_assert(key && certificate);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
    ck_assert_int_eq(SSL_CTX_use_certificate(ctx, certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(ctx, key), 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static struct ssl_ctx_st *use_tls(void *ctx)
{
    ck_assert_ptr_eq(ctx, &loop);
    SSL_CTX_up_ref(server_tls);
    return server_tls;
}

static void on_failed(void *ctx, const char *client, const char *reason)
{
    ck_assert_ptr_eq(ctx, &loop);
    ck_assert_str_eq(client, "127.0.0.1");
    failures++;
    snprintf(last_failure, sizeof last_failure, "%s", reason);
}

static void handle(void *ctx, struct http_exchange *exchange)
{
    ck_assert_ptr_eq(ctx, &loop);
    handled++;
    if (!str_equal(exchange->target.path, STR("/large"))) {
        http_exchange_respond_text(exchange, 200, NULL, STR("hello"));
        return;
    }
    struct buf out;
    buf_init(&out, LARGE_BYTES);
    buf_reserve(&out, LARGE_BYTES);
    memset(out.ptr, 'L', LARGE_BYTES);
    out.len = LARGE_BYTES;
    http_exchange_respond(exchange, 200, NULL, &out);
}

static void on_closed(void *ctx)
{
    ck_assert_ptr_eq(ctx, &closed_count);
    closed_count++;
}

static void close_server(void)
{
    http_server_close(server, on_closed, &closed_count);
}

static void setup(void)
{
    static const struct http_server_tls TLS = {use_tls, on_failed};
    struct http_server_options options = {
        .loop = &loop,
        .host = "127.0.0.1",
        .tls = &TLS,
        .max_connections = 4,
        .idle_timeout_s = 30,
        .request_timeout_s = 30,
        .max_body_bytes = 100,
        .max_all_bodies_bytes = 1000,
        .handle = handle,
        .ctx = &loop,
    };
    struct error err;
    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&loop);
    handled = failures = closed_count = 0;
    server_tls = SSL_CTX_new(TLS_server_method());
    show_ourselves(server_tls);
    server = http_server_open(&options, &err);
    ck_assert_ptr_nonnull(server);
}

static void teardown(void)
{
    ck_assert_uint_eq(closed_count, 1);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    SSL_CTX_free(server_tls);
}

/* ---- clients ---- */

static int connect_to(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* A client, on a thread. */
struct talk {
    uv_work_t work;
    void (*run)(struct talk *talk);
    const char *request;
    bool ends_in_order; /* the server said that it has ended */
    size_t answer_bytes;
    char answer[ANSWER_MAX]; /* the beginning */
};

static void ask(struct talk *talk)
{
    int fd = connect_to(http_server_port(server));
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    char bytes[16384];
    SSL_set_fd(ssl, fd);
    ck_assert_int_eq(SSL_connect(ssl), 1);
    ck_assert_int_gt(SSL_write(ssl, talk->request, (int)strlen(talk->request)), 0);
    int got;
    while ((got = SSL_read(ssl, bytes, sizeof bytes)) > 0) {
        size_t room = talk->answer_bytes < ANSWER_MAX - 1 ? ANSWER_MAX - 1 - talk->answer_bytes : 0;
        memcpy(talk->answer + (room ? talk->answer_bytes : 0), bytes,
               (size_t)got < room ? (size_t)got : room);
        talk->answer_bytes += (size_t)got;
    }
    talk->ends_in_order = SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
}

/* Says what is no TLS, and reads until the server hangs up. */
static void babble(struct talk *talk)
{
    int fd = connect_to(http_server_port(server));
    char bytes[1000];
    ck_assert_int_gt(send(fd, talk->request, strlen(talk->request), MSG_NOSIGNAL), 0);
    for (ssize_t got; (got = recv(fd, bytes, sizeof bytes, 0)) > 0;)
        talk->answer_bytes += (size_t)got;
    close(fd);
}

static void run_talk(uv_work_t *work)
{
    struct talk *talk = work->data;
    talk->run(talk);
}

static void on_talked(uv_work_t *work, int status)
{
    (void)work;
    ck_assert_int_eq(status, 0);
    close_server();
}

static void talk(struct talk *talk)
{
    talk->work.data = talk;
    uv_queue_work(&loop, &talk->work, run_talk, on_talked);
    uv_run(&loop, UV_RUN_DEFAULT);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

START_TEST(answers)
{
    struct talk client = {.run = ask, .request = GET("/")};
    talk(&client);
    ck_assert_ptr_nonnull(strstr(client.answer, "HTTP/1.1 200 OK\r\n"));
    ck_assert_ptr_nonnull(strstr(client.answer, "\r\n\r\nhello"));
    ck_assert(client.ends_in_order);
    ck_assert_uint_eq(failures, 0);
}
END_TEST

START_TEST(sends_a_large_answer)
{
    struct talk client = {.run = ask, .request = GET("/large")};
    talk(&client);
    ck_assert_uint_gt(client.answer_bytes, LARGE_BYTES);
    ck_assert(client.ends_in_order);
}
END_TEST

START_TEST(what_is_no_tls_gets_no_answer)
{
    struct talk client = {.run = babble, .request = GET("/")};
    talk(&client);
    ck_assert_uint_lt(client.answer_bytes, 10); /* an alert at most */
    ck_assert_uint_eq(handled, 0);
    ck_assert_uint_eq(failures, 1);
    ck_assert_ptr_nonnull(strstr(last_failure, "http request"));
}
END_TEST

static bool is_hung_up(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

START_TEST(who_says_nothing_holds_up_nobody)
{
    int fds[SILENT];
    struct talk client = {.run = ask, .request = GET("/")};
    for (size_t i = 0; i < SILENT; i++) {
        fds[i] = connect_to(http_server_port(server));
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    while (!is_hung_up(fds[SILENT - SHAKES_MAX - 1]))
        uv_run(&loop, UV_RUN_ONCE);
    for (size_t i = 0; i < SILENT; i++)
        ck_assert_int_eq(is_hung_up(fds[i]), i < SILENT - SHAKES_MAX);
    talk(&client);
    ck_assert_ptr_nonnull(strstr(client.answer, "hello"));
    ck_assert_uint_eq(failures, 0);
    for (size_t i = 0; i < SILENT; i++) {
        ck_assert(is_hung_up(fds[i]));
        close(fds[i]);
    }
}
END_TEST

Suite *http_front_suite(void)
{
    openssl_start(); /* of all suites of the program, before it forks */
    Suite *suite = suite_create("http_front");
    TCase *tcase = tcase_create("front");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, answers);
    tcase_add_test(tcase, sends_a_large_answer);
    tcase_add_test(tcase, what_is_no_tls_gets_no_answer);
    tcase_add_test(tcase, who_says_nothing_holds_up_nobody);
    suite_add_tcase(suite, tcase);
    return suite;
}
