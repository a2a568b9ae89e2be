/* SPDX-License-Identifier: Apache-2.0 */
#include "io/client_stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/io/suites.h"

enum { OUT_MAX = 1 << 20, TIMEOUT_MS = 20000 };

/* A stream whose other end is a plain socket of this test; all that it tells is noted. */
struct fixture {
    uv_loop_t loop;
    uv_timer_t tick; /* the loop never sleeps for long */
    struct client_stream *stream;
    int listener, peer;
    unsigned connected, lost, released;
    struct buf got;
    char reason[320];
    void (*on_read)(struct fixture *f); /* what the owner does within read; may be NULL */
};

static void note_connected(void *ctx)
{
    struct fixture *f = ctx;
    ck_assert_msg(f->stream, "told before client_stream_new has returned");
    f->connected++;
}

static void note_read(void *ctx, struct str bytes)
{
    struct fixture *f = ctx;
    ck_assert(buf_append_str(&f->got, bytes));
    if (f->on_read)
        f->on_read(f);
}

static void note_lost(void *ctx, const char *reason)
{
    struct fixture *f = ctx;
    f->lost++;
    snprintf(f->reason, sizeof f->reason, "%s", reason);
}

static void note_released(void *ctx)
{
    struct fixture *f = ctx;
    f->released++;
}

static void run_until(struct fixture *f, const unsigned *flag)
{
    while (*flag == 0)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void run_until_got(struct fixture *f, size_t len)
{
    while (f->got.len < len)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static struct client_stream_options options_of(struct fixture *f)
{
    return (struct client_stream_options){
        .loop = &f->loop,
        .host = "127.0.0.1",
        .connect_timeout_ms = TIMEOUT_MS,
        .out_max_bytes = OUT_MAX,
        .peer = "server",
        .ctx = f,
        .connected = note_connected,
        .read = note_read,
        .lost = note_lost,
        .released = note_released,
    };
}

static void do_nothing(uv_timer_t *tick)
{
    (void)tick;
}

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){.listener = -1, .peer = -1};
    ck_assert_int_eq(0, uv_loop_init(&f->loop));
    ck_assert_int_eq(0, uv_timer_init(&f->loop, &f->tick));
    ck_assert_int_eq(0, uv_timer_start(&f->tick, do_nothing, 1, 1));
    buf_init(&f->got, OUT_MAX);
}

static uint16_t listen_tcp(struct fixture *f)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(0, bind(f->listener, (struct sockaddr *)&address, len));
    ck_assert_int_eq(0, listen(f->listener, 1));
    ck_assert_int_eq(0, getsockname(f->listener, (struct sockaddr *)&address, &len));
    return ntohs(address.sin_port);
}

static void connect_fixture(struct fixture *f)
{
    open_fixture(f);
    struct client_stream_options options = options_of(f);
    options.port = listen_tcp(f);
    f->stream = client_stream_new(&options);
    run_until(f, &f->connected);
    f->peer = accept(f->listener, NULL, NULL);
    ck_assert_int_ge(f->peer, 0);
}

/* released comes once, and nothing else is told any more. */
static void close_fixture(struct fixture *f)
{
    unsigned lost = f->lost;
    if (!f->released)
        client_stream_close(f->stream);
    run_until(f, &f->released);
    uv_close((uv_handle_t *)&f->tick, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(f->released, 1);
    ck_assert_uint_eq(f->lost, lost);
    ck_assert_int_eq(0, uv_loop_close(&f->loop));
    buf_release(&f->got);
    if (f->listener >= 0)
        close(f->listener);
    if (f->peer >= 0)
        close(f->peer);
}

static void append(struct fixture *f, const char *text)
{
    ck_assert(buf_append(client_stream_out(f->stream), text, strlen(text)));
}

static void peer_says(struct fixture *f, const char *text)
{
    ck_assert_int_eq(write(f->peer, text, strlen(text)), (ssize_t)strlen(text));
}

static void expect_at_peer(struct fixture *f, const char *text)
{
    char got[64] = "";
    size_t len = 0, want = strlen(text);
    ck_assert_uint_lt(want, sizeof got);
    while (len < want) {
        ssize_t part = recv(f->peer, got + len, want - len, MSG_DONTWAIT);
        if (part > 0)
            len += (size_t)part;
        else
            uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    ck_assert_str_eq(got, text);
}

START_TEST(what_is_appended_goes_out_in_order)
{
    struct fixture f;
    connect_fixture(&f);
    append(&f, "one ");
    client_stream_flush(f.stream);
    append(&f, "two ");
    client_stream_flush(f.stream); /* while the first may be under way */
    append(&f, "three");
    client_stream_flush(f.stream);
    expect_at_peer(&f, "one two three");
    close_fixture(&f);
}
END_TEST

static void answer_in_two_parts(struct fixture *f)
{
    append(f, "got ");
    client_stream_flush(f->stream);
    append(f, "it");
}

START_TEST(what_is_appended_while_it_reads_goes_out_behind_that)
{
    struct fixture f;
    connect_fixture(&f);
    f.on_read = answer_in_two_parts;
    peer_says(&f, "x");
    run_until_got(&f, 1);
    expect_at_peer(&f, "got it");
    close_fixture(&f);
}
END_TEST

START_TEST(it_is_lost_once_later_and_for_the_first_reason)
{
    struct fixture f;
    connect_fixture(&f);
    client_stream_lose(f.stream, "first");
    client_stream_lose(f.stream, "second");
    ck_assert(client_stream_is_lost(f.stream));
    ck_assert_uint_eq(f.lost, 0);
    client_stream_wait(f.stream, TIMEOUT_MS); /* does not put the news off */
    client_stream_wait_over(f.stream);        /* nor does it take it back */
    append(&f, "goes nowhere");
    client_stream_flush(f.stream);
    ck_assert_uint_eq(client_stream_out(f.stream)->len, 0);
    run_until(&f, &f.lost);
    ck_assert_str_eq(f.reason, "first");
    close_fixture(&f);
}
END_TEST

START_TEST(the_peer_that_ends_is_named)
{
    struct fixture f;
    connect_fixture(&f);
    close(f.peer);
    f.peer = -1;
    run_until(&f, &f.lost);
    ck_assert_str_eq(f.reason, "the server closed the connection");
    close_fixture(&f);
}
END_TEST

START_TEST(nobody_there_is_told_as_lost)
{
    struct fixture f;
    open_fixture(&f);
    struct client_stream_options options = options_of(&f);
    options.port = listen_tcp(&f);
    close(f.listener);
    f.listener = -1;
    f.stream = client_stream_new(&options);
    run_until(&f, &f.lost);
    ck_assert_uint_eq(f.connected, 0);
    ck_assert_msg(strstr(f.reason, "refused"), "%s", f.reason);
    close_fixture(&f);
}
END_TEST

START_TEST(an_answer_that_does_not_come_loses_it)
{
    struct fixture f;
    connect_fixture(&f);
    client_stream_wait(f.stream, 1);
    run_until(&f, &f.lost);
    ck_assert_str_eq(f.reason, "no answer in time");
    close_fixture(&f);
}
END_TEST

START_TEST(a_wait_that_is_over_loses_nothing)
{
    struct fixture f;
    connect_fixture(&f);
    client_stream_wait(f.stream, 1);
    client_stream_wait_over(f.stream);
    client_stream_wait(f.stream, TIMEOUT_MS); /* the next one counts for itself */
    client_stream_wait_over(f.stream);
    peer_says(&f, "x");
    run_until_got(&f, 1);
    ck_assert_uint_eq(f.lost, 0);
    close_fixture(&f);
}
END_TEST

static void end_wait(struct fixture *f)
{
    client_stream_wait_over(f->stream);
}

/* The clock of a loop whose turn took longer than everybody is waited for. */
static void stand_still(struct fixture *f)
{
    f->loop.time -= 2 * TIMEOUT_MS;
}

START_TEST(a_wait_begins_when_it_is_asked_for)
{
    struct fixture f;
    open_fixture(&f);
    struct client_stream_options options = options_of(&f);
    options.port = listen_tcp(&f);
    stand_still(&f);
    f.stream = client_stream_new(&options);
    while (!f.connected && !f.lost)
        uv_run(&f.loop, UV_RUN_ONCE);
    ck_assert_msg(f.lost == 0, "%s", f.reason);
    f.peer = accept(f.listener, NULL, NULL);
    f.on_read = end_wait;
    stand_still(&f);
    client_stream_wait(f.stream, TIMEOUT_MS);
    peer_says(&f, "x");
    while (f.got.len == 0 && !f.lost)
        uv_run(&f.loop, UV_RUN_ONCE);
    ck_assert_msg(f.lost == 0, "%s", f.reason);
    close_fixture(&f);
}
END_TEST

START_TEST(an_answer_that_is_there_is_read_however_late)
{
    struct fixture f;
    connect_fixture(&f);
    f.on_read = end_wait;
    client_stream_wait(f.stream, 1);
    peer_says(&f, "x");
    usleep(5000); /* the loop does not turn meanwhile */
    while (f.got.len == 0 && !f.lost)
        uv_run(&f.loop, UV_RUN_ONCE);
    ck_assert_msg(f.lost == 0, "%s", f.reason);
    close_fixture(&f);
}
END_TEST

static void close_within(struct fixture *f)
{
    client_stream_close(f->stream);
    ck_assert_uint_eq(f->released, 0);
}

START_TEST(it_may_be_closed_while_it_reads)
{
    struct fixture f;
    connect_fixture(&f);
    f.on_read = close_within;
    peer_says(&f, "x");
    run_until(&f, &f.released);
    close_fixture(&f);
}
END_TEST

static void lose_within(struct fixture *f)
{
    client_stream_lose(f->stream, "nonsense");
    ck_assert_uint_eq(f->lost, 0);
}

START_TEST(it_may_be_lost_while_it_reads)
{
    struct fixture f;
    connect_fixture(&f);
    f.on_read = lose_within;
    peer_says(&f, "x");
    run_until(&f, &f.lost);
    ck_assert_str_eq(f.reason, "nonsense");
    close_fixture(&f);
}
END_TEST

START_TEST(a_paused_one_reads_when_it_goes_on)
{
    struct fixture f;
    connect_fixture(&f);
    client_stream_pause(f.stream, true);
    ck_assert(client_stream_is_paused(f.stream));
    peer_says(&f, "kept");
    for (int i = 0; i < 10; i++)
        uv_run(&f.loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(f.got.len, 0);
    client_stream_pause(f.stream, false);
    run_until_got(&f, 4);
    close_fixture(&f);
}
END_TEST

START_TEST(it_may_be_closed_before_it_is_connected)
{
    struct fixture f;
    open_fixture(&f);
    struct client_stream_options options = options_of(&f);
    options.port = listen_tcp(&f);
    f.stream = client_stream_new(&options);
    close_fixture(&f);
    ck_assert_uint_eq(f.connected, 0);
}
END_TEST

START_TEST(a_unix_socket_is_told_later_too)
{
    struct fixture f;
    char folder[] = "/tmp/millrace-stream-XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    open_fixture(&f);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
    f.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(0, bind(f.listener, (struct sockaddr *)&address, sizeof address));
    ck_assert_int_eq(0, listen(f.listener, 1));
    struct client_stream_options options = options_of(&f);
    options.path = address.sun_path;
    f.stream = client_stream_new(&options);
    ck_assert_uint_eq(f.connected, 0);
    run_until(&f, &f.connected);
    f.peer = accept(f.listener, NULL, NULL);
    append(&f, "hello");
    client_stream_flush(f.stream);
    expect_at_peer(&f, "hello");
    close_fixture(&f);
    unlink(address.sun_path);
    rmdir(folder);
}
END_TEST

START_TEST(a_path_that_is_none_is_told_as_lost)
{
    char long_path[200];
    memset(long_path, 'x', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    const char *const PATHS[] = {"/nonexistent/socket", long_path};
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        struct fixture f;
        open_fixture(&f);
        struct client_stream_options options = options_of(&f);
        options.path = PATHS[i];
        f.stream = client_stream_new(&options);
        run_until(&f, &f.lost);
        ck_assert_uint_eq(f.connected, 0);
        close_fixture(&f);
    }
}
END_TEST

Suite *client_stream_suite(void)
{
    Suite *suite = suite_create("client_stream");
    TCase *tests = tcase_create("stream");
    tcase_add_test(tests, what_is_appended_goes_out_in_order);
    tcase_add_test(tests, what_is_appended_while_it_reads_goes_out_behind_that);
    tcase_add_test(tests, it_is_lost_once_later_and_for_the_first_reason);
    tcase_add_test(tests, the_peer_that_ends_is_named);
    tcase_add_test(tests, nobody_there_is_told_as_lost);
    tcase_add_test(tests, an_answer_that_does_not_come_loses_it);
    tcase_add_test(tests, a_wait_that_is_over_loses_nothing);
    tcase_add_test(tests, a_wait_begins_when_it_is_asked_for);
    tcase_add_test(tests, an_answer_that_is_there_is_read_however_late);
    tcase_add_test(tests, it_may_be_closed_while_it_reads);
    tcase_add_test(tests, it_may_be_lost_while_it_reads);
    tcase_add_test(tests, a_paused_one_reads_when_it_goes_on);
    tcase_add_test(tests, it_may_be_closed_before_it_is_connected);
    tcase_add_test(tests, a_unix_socket_is_told_later_too);
    tcase_add_test(tests, a_path_that_is_none_is_told_as_lost);
    suite_add_tcase(suite, tests);
    return suite;
}
