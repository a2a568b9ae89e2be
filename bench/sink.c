/* SPDX-License-Identifier: Apache-2.0
 *
 * The far end of the bench: an HTTP/1.1 server on 127.0.0.1 that stands for Elasticsearch and for
 * the alert sink, cheap enough to be no part of what is measured.
 *
 *   GET /                   who it is, as Elasticsearch 8 says it
 *   POST .../_bulk          every item answered in full (about 190 bytes), or what filter_path asks
 *   POST anything else      an alert
 *   GET /counts             {"documents":…,"bulks":…,"bulk_bytes":…,"alerts":…}
 *   anything else           {"acknowledged":true}
 *
 * usage: sink PORT [STORE]     With STORE the bodies are kept: bulks in STORE.bulk as they came, alerts
 * in STORE.alerts one a line, where bench/check.py reads them. One thread, one epoll; a connection
 * owns its two buffers. Requests have a Content-Length; nothing here defends against hostile ones.
 *
 * Behind them, how it behaves towards bulk requests:
 *   --delay MS                answers after so long, however many wait
 *   --fail-every N STATUS     every Nth request as a whole
 *   --refuse N STATUS         so many of 1,000 documents, always the same ones
 *   --too-large N             the first N requests: 413
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    SINK_MAX_REQUEST_BYTES = 256 << 20,
    SINK_MAX_EVENTS = 64,
    SINK_READ_BYTES = 256 << 10,
    SINK_BACKLOG = 128,
    SINK_KEEP_BYTES = 8 << 20,
};

struct counts {
    unsigned long long documents, bulks, bulk_bytes, alerts, failed, refused;
};

struct behaviour {
    uint64_t delay_us;
    unsigned fail_every, fail_status;
    unsigned refuse_per_mille, refuse_status;
    unsigned too_large;
};

struct sink {
    int epoll_fd, listen_fd;
    FILE *bulk_file, *alert_file; /* NULL: not kept */
    struct counts counts;
    struct behaviour behaviour;
    struct connection *late, **late_end; /* their answer is due, in order */
};

struct connection {
    int fd;
    struct connection *next_late;
    bool is_bulk;    /* the last request */
    uint64_t due_us; /* 0: its answer is not kept back */
    struct buf in, out;
    size_t sent;           /* of out */
    bool told_to_continue; /* the request at the head of in */
};

struct request {
    struct str method, path, query, body;
    size_t total_bytes; /* head and body */
    bool wants_continue;
};

static void die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* The part of *text before the first `separator`, which is dropped too; all of it when there is none. */
static struct str take_until(struct str *text, char separator)
{
    const char *at = text->len ? memchr(text->ptr, separator, text->len) : NULL;
    struct str taken = at ? str_make(text->ptr, (size_t)(at - text->ptr)) : *text;
    *text = str_from_offset(*text, taken.len + 1);
    return taken;
}

/* What stands between `before` and the next `end`; empty when `before` is not there. */
static struct str between(struct str text, struct str before, char end)
{
    size_t at = str_find(text, before);
    if (at == SIZE_MAX)
        return STR("");
    text = str_from_offset(text, at + before.len);
    return take_until(&text, end);
}

static void read_header_line(struct str line, struct request *request, size_t *body_len)
{
    struct str name = take_until(&line, ':');
    int64_t value = 0;
    if (str_equal_nocase(name, STR("content-length")) && str_to_int(str_trim(line), &value))
        *body_len = (size_t)value;
    else if (str_equal_nocase(name, STR("expect")))
        request->wants_continue = true;
}

/* Reads the request at the head of `in`; false when it is not complete yet. */
static bool request_read(struct str in, struct request *request)
{
    *request = (struct request){0};
    size_t head_len = str_find(in, STR("\r\n\r\n"));
    if (head_len == SIZE_MAX)
        return false;
    struct str head = str_make(in.ptr, head_len), line = take_until(&head, '\n');
    size_t body_len = 0;
    request->method = take_until(&line, ' ');
    request->query = take_until(&line, ' ');
    request->path = take_until(&request->query, '?');
    while (head.len)
        read_header_line(take_until(&head, '\n'), request, &body_len);
    if (body_len > SINK_MAX_REQUEST_BYTES)
        die("a request is too large");
    request->total_bytes = head_len + 4 + body_len;
    request->body = str_make(in.ptr + head_len + 4, body_len);
    return in.len >= request->total_bytes;
}

static void append(struct buf *out, struct str text)
{
    if (!buf_append_str(out, text))
        die("an answer is too large");
}

/* Every document is hashed, whether one is to be refused or not, so that this is the same in what is compared; the products do not
 * wait for each other, so it costs the sink next to nothing. */
static uint64_t hash_of(struct str document)
{
    const uint64_t odd = 0x9e3779b97f4a7c15u;
    uint64_t hash = document.len, word = 0;
    size_t at = 0;
    for (; document.len - at >= sizeof word; at += sizeof word) {
        memcpy(&word, document.ptr + at, sizeof word);
        hash += (word ^ at) * (odd + 2 * at);
    }
    word = 0;
    memcpy(&word, document.ptr + at, document.len - at);
    hash = (hash + word) * odd;
    return (hash ^ hash >> 32) * odd;
}

static bool is_refused(const struct behaviour *behaviour, struct str document)
{
    return (hash_of(document) >> 32) % 1000 < behaviour->refuse_per_mille;
}

static void append_refusal(struct buf *out, struct str action, unsigned status)
{
    if (!buf_printf(out,
                    "{\"%.*s\":{\"_index\":\"x\",\"status\":%u,\"error\":{\"type\":\"refused\","
                    "\"reason\":\"told to\"}}}",
                    STR_FMT(action), status))
        die("an answer is too large");
}

static void append_item(struct buf *out, struct str action, struct str index,
                        unsigned long long number)
{
    char text[512];
    int len = snprintf(
        text, sizeof text,
        "{\"%.*s\":{\"_index\":\"%.*s\",\"_id\":\"%020llu\",\"_version\":1,\"result\":\"created\","
        "\"_shards\":{\"total\":2,\"successful\":1,\"failed\":0},\"_seq_no\":%llu,"
        "\"_primary_term\":1,\"status\":201}}",
        STR_FMT(action), STR_FMT(index), number, number);
    assert(len > 0);
    append(out, str_make(text, (size_t)len));
}

/* Answers each action line; the line after it is its document. With a filter_path, as much as it asks. */
static void answer_bulk(struct sink *sink, const struct request *request, struct buf *body)
{
    struct str rest = request->body, wanted = between(request->query, STR("filter_path="), '&');
    bool filtered = wanted.len > 0,
         with_items = !filtered || str_find(wanted, STR("status")) != SIZE_MAX;
    append(body, filtered ? STR("{\"errors\":false") : STR("{\"took\":3,\"errors\":false"));
    append(body, with_items ? STR(",\"items\":[") : STR("}"));
    for (size_t items = 0; rest.len; items++) {
        struct str line = take_until(&rest, '\n'), action = between(line, STR("{\""), '"');
        bool refused = is_refused(&sink->behaviour, take_until(&rest, '\n'));
        sink->counts.documents += !refused;
        sink->counts.refused += refused;
        if (with_items && items)
            append(body, STR(","));
        if (refused)
            append_refusal(body, action, sink->behaviour.refuse_status);
        else if (with_items && filtered)
            append(body, STR("{\"index\":{\"status\":201}}"));
        else if (with_items)
            append_item(body, action, between(line, STR("\"_index\":\""), '"'),
                        sink->counts.documents);
    }
    if (with_items)
        append(body, STR("]}"));
    sink->counts.bulks++;
    sink->counts.bulk_bytes += request->body.len;
}

static void keep(FILE *file, struct str body)
{
    if (!file || !body.len)
        return;
    bool ended = body.ptr[body.len - 1] == '\n';
    if (fwrite(body.ptr, 1, body.len, file) != body.len || (!ended && putc('\n', file) == EOF) ||
        fflush(file))
        die("cannot store a body");
}

static void answer_body(struct sink *sink, const struct request *request, struct buf *body)
{
    const struct counts *counts = &sink->counts;
    bool get = str_equal(request->method, STR("GET")),
         post = str_equal(request->method, STR("POST"));
    if (post && str_ends_with(request->path, STR("_bulk"))) {
        keep(sink->bulk_file, request->body);
        answer_bulk(sink, request, body);
    } else if (post) {
        keep(sink->alert_file, request->body);
        sink->counts.alerts++;
        append(body, STR("{\"status\":\"success\"}"));
    } else if (get && str_equal(request->path, STR("/counts"))) {
        buf_printf(body,
                   "{\"documents\":%llu,\"bulks\":%llu,\"bulk_bytes\":%llu,\"alerts\":%llu,"
                   "\"failed\":%llu,\"refused\":%llu}",
                   counts->documents, counts->bulks, counts->bulk_bytes, counts->alerts,
                   counts->failed, counts->refused);
    } else if (get && str_equal(request->path, STR("/"))) {
        append(
            body,
            STR("{\"name\":\"sink\",\"cluster_name\":\"bench\",\"version\":{\"number\":\"8.11.0\"},"
                "\"tagline\":\"You Know, for Search\"}"));
    } else {
        append(body, STR("{\"acknowledged\":true}"));
    }
}

/* 0: no failure. */
static unsigned failure_of(struct sink *sink, const struct request *request)
{
    struct behaviour *behaviour = &sink->behaviour;
    if (!str_ends_with(request->path, STR("_bulk")))
        return 0;
    unsigned status = 0;
    if (behaviour->too_large > 0) {
        behaviour->too_large--;
        status = 413;
    } else if (behaviour->fail_every > 0 &&
               (sink->counts.bulks + sink->counts.failed + 1) % behaviour->fail_every == 0) {
        status = behaviour->fail_status;
    }
    sink->counts.failed += status > 0;
    return status;
}

static void answer(struct sink *sink, const struct request *request, struct buf *out)
{
    struct buf body;
    buf_init(&body, SINK_MAX_REQUEST_BYTES);
    unsigned status = failure_of(sink, request);
    if (status == 0) {
        answer_body(sink, request, &body);
        status = 200;
    }
    buf_printf(
        out,
        "HTTP/1.1 %u OK\r\nX-elastic-product: Elasticsearch\r\nContent-Type: application/json\r\n"
        "Content-Length: %zu\r\n\r\n",
        status, body.len);
    if (!str_equal(request->method, STR("HEAD")))
        append(out, buf_str(&body));
    buf_release(&body);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void keep_back(struct sink *sink, struct connection *connection)
{
    connection->due_us = now_us() + sink->behaviour.delay_us;
    connection->next_late = NULL;
    *sink->late_end = connection;
    sink->late_end = &connection->next_late;
}

static void take_late(struct sink *sink, struct connection **at)
{
    struct connection *connection = *at;
    *at = connection->next_late;
    if (sink->late_end == &connection->next_late)
        sink->late_end = at;
    connection->due_us = 0;
}

static void connection_close(struct sink *sink, struct connection *connection)
{
    struct connection **at = &sink->late;
    while (*at && *at != connection)
        at = &(*at)->next_late;
    if (*at)
        take_late(sink, at);
    close(connection->fd);
    buf_release(&connection->in);
    buf_release(&connection->out);
    mem_free(connection);
}

/* Sends what waits; false when the other side is gone. */
static bool connection_send(struct sink *sink, struct connection *connection)
{
    struct buf *out = &connection->out;
    while (connection->sent < out->len) {
        ssize_t sent =
            write(connection->fd, out->ptr + connection->sent, out->len - connection->sent);
        if (sent < 0 && errno != EAGAIN)
            return false;
        if (sent < 0)
            break;
        connection->sent += (size_t)sent;
    }
    bool waits = connection->sent < out->len;
    if (!waits) {
        buf_clear(out, SINK_KEEP_BYTES);
        connection->sent = 0;
    }
    struct epoll_event event = {.events = waits ? EPOLLOUT : EPOLLIN, .data.ptr = connection};
    return epoll_ctl(sink->epoll_fd, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

static void connection_answer_all(struct sink *sink, struct connection *connection)
{
    struct request request;
    size_t done = 0;
    while (request_read(str_from_offset(buf_str(&connection->in), done), &request)) {
        answer(sink, &request, &connection->out);
        connection->is_bulk = str_ends_with(request.path, STR("_bulk"));
        done += request.total_bytes;
        connection->told_to_continue = false;
    }
    buf_consume(&connection->in, done);
    if (request.wants_continue && !connection->told_to_continue) {
        append(&connection->out, STR("HTTP/1.1 100 Continue\r\n\r\n"));
        connection->told_to_continue = true;
    }
}

/* Reads what is there and answers what is complete; false when the connection is over. */
static bool connection_read(struct sink *sink, struct connection *connection)
{
    struct buf *in = &connection->in;
    if (!buf_reserve(in, SINK_READ_BYTES))
        return false;
    ssize_t got = read(connection->fd, in->ptr + in->len, in->capacity - in->len);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    in->len += (size_t)got;
    connection_answer_all(sink, connection);
    if (connection->out.len == 0 || connection->due_us)
        return true;
    if (sink->behaviour.delay_us == 0 || !connection->is_bulk)
        return connection_send(sink, connection);
    keep_back(sink, connection);
    return true;
}

/* Sends what is due; how long to wait for the next, -1 for ever. */
static int send_late(struct sink *sink)
{
    while (sink->late) {
        uint64_t now = now_us();
        struct connection *connection = sink->late;
        if (connection->due_us > now)
            return (int)((connection->due_us - now + 999) / 1000);
        take_late(sink, &sink->late);
        if (!connection_send(sink, connection))
            connection_close(sink, connection);
    }
    return -1;
}

static void sink_accept(struct sink *sink)
{
    int fd = accept4(sink->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;
    struct connection *connection = mem_zero(1, sizeof *connection);
    connection->fd = fd;
    buf_init(&connection->in, SINK_MAX_REQUEST_BYTES);
    buf_init(&connection->out, SINK_MAX_REQUEST_BYTES);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(sink->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
        die("epoll_ctl");
}

static void sink_listen(struct sink *sink, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    sink->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (sink->listen_fd < 0 ||
        setsockopt(sink->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(sink->listen_fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        listen(sink->listen_fd, SINK_BACKLOG) < 0)
        die("cannot listen");
    sink->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (sink->epoll_fd < 0 || epoll_ctl(sink->epoll_fd, EPOLL_CTL_ADD, sink->listen_fd, &event) < 0)
        die("epoll");
}

static _Noreturn void sink_run(struct sink *sink)
{
    for (;;) {
        struct epoll_event events[SINK_MAX_EVENTS];
        int count = epoll_wait(sink->epoll_fd, events, SINK_MAX_EVENTS, send_late(sink));
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection)
                sink_accept(sink);
            else if (!(events[i].events & EPOLLOUT ? connection_send(sink, connection)
                                                   : connection_read(sink, connection)))
                connection_close(sink, connection);
        }
    }
}

static FILE *open_store(const char *store, const char *suffix)
{
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", store, suffix);
    FILE *file = fopen(path, "w");
    if (!file)
        die(path);
    return file;
}

static unsigned take_number(int *argc, char ***argv)
{
    int64_t number = -1;
    if (*argc > 0 && str_to_int(str_from(**argv), &number) && number >= 0 && number <= 1000000) {
        (*argc)--;
        (*argv)++;
        return (unsigned)number;
    }
    fputs("a flag lacks its number: see the head of bench/sink.c\n", stderr);
    exit(2);
}

static void read_flags(struct behaviour *behaviour, int argc, char **argv)
{
    while (argc > 0) {
        const char *flag = *argv++;
        argc--;
        if (strcmp(flag, "--delay") == 0) {
            behaviour->delay_us = 1000 * (uint64_t)take_number(&argc, &argv);
        } else if (strcmp(flag, "--fail-every") == 0) {
            behaviour->fail_every = take_number(&argc, &argv);
            behaviour->fail_status = take_number(&argc, &argv);
        } else if (strcmp(flag, "--refuse") == 0) {
            behaviour->refuse_per_mille = take_number(&argc, &argv);
            behaviour->refuse_status = take_number(&argc, &argv);
        } else if (strcmp(flag, "--too-large") == 0) {
            behaviour->too_large = take_number(&argc, &argv);
        } else {
            fprintf(stderr, "unknown flag %s: see the head of bench/sink.c\n", flag);
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    int64_t port = 0;
    if (argc < 2 || !str_to_int(str_from(argv[1]), &port) || port < 1 || port > 65535) {
        fputs("usage: sink PORT [STORE] [FLAGS]: see the head of bench/sink.c\n", stderr);
        return 2;
    }
    struct sink sink = {0};
    sink.late_end = &sink.late;
    bool keeps = argc > 2 && argv[2][0] != '-';
    read_flags(&sink.behaviour, argc - 2 - keeps, argv + 2 + keeps);
    if (keeps) {
        sink.bulk_file = open_store(argv[2], "bulk");
        sink.alert_file = open_store(argv[2], "alerts");
    }
    signal(SIGPIPE, SIG_IGN);
    sink_listen(&sink, (int)port);
    sink_run(&sink);
}
