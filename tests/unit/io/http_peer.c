/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/io/http_peer.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

struct connection {
    uv_tcp_t tcp;
    struct http_peer *peer;
    struct buf bytes;
    char input[65536];
};

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    buf_release(&connection->bytes);
    free(connection);
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static void answer(struct connection *connection)
{
    struct http_peer *peer = connection->peer;
    ck_assert_uint_lt(peer->request_count, PEER_REQUESTS_MAX);
    size_t index =
        peer->request_count < peer->answer_count ? peer->request_count : peer->answer_count - 1;
    buf_move(&peer->requests[peer->request_count++], &connection->bytes);
    const char *text = peer->answers[index];
    if (!text)
        return;
    if (!*text) {
        uv_close((uv_handle_t *)&connection->tcp, on_closed);
        return;
    }
    uv_write_t *request = malloc(sizeof *request);
    uv_buf_t out = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));
    uv_write(request, (uv_stream_t *)&connection->tcp, &out, 1, on_written);
}

static bool is_whole(struct str bytes)
{
    size_t head = str_find(bytes, STR("\r\n\r\n"));
    if (head == SIZE_MAX)
        return false;
    size_t at = str_find(bytes, STR("Content-Length: "));
    size_t length = at < head ? strtoul(bytes.ptr + at + 16, NULL, 10) : 0;
    return bytes.len >= head + 4 + length;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct connection *connection = handle->data;
    *out = uv_buf_init(connection->input, sizeof connection->input);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *bytes)
{
    struct connection *connection = stream->data;
    if (count < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    buf_append(&connection->bytes, bytes->base, (size_t)count);
    if (is_whole(buf_str(&connection->bytes)))
        answer(connection);
}

static void on_connection(uv_stream_t *listener, int status)
{
    ck_assert_int_eq(status, 0);
    struct http_peer *peer = listener->data;
    struct connection *connection = calloc(1, sizeof *connection);
    uv_tcp_init(listener->loop, &connection->tcp);
    connection->tcp.data = connection;
    connection->peer = peer;
    buf_init(&connection->bytes, 64 * 1024 * 1024);
    ck_assert_int_eq(uv_accept(listener, (uv_stream_t *)&connection->tcp), 0);
    peer->connection_count++;
    uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read);
    uv_unref((uv_handle_t *)&connection->tcp);
}

void http_peer_open(struct http_peer *peer, uv_loop_t *loop)
{
    *peer = (struct http_peer){0};
    for (size_t i = 0; i < PEER_REQUESTS_MAX; i++)
        buf_init(&peer->requests[i], 64 * 1024 * 1024);
    uv_tcp_init(loop, &peer->listener);
    peer->listener.data = peer;
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    ck_assert_int_eq(uv_tcp_bind(&peer->listener, (struct sockaddr *)&address, 0), 0);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&peer->listener, 16, on_connection), 0);
    int len = sizeof address;
    uv_tcp_getsockname(&peer->listener, (struct sockaddr *)&address, &len);
    peer->port = ntohs(address.sin_port);
    uv_unref((uv_handle_t *)&peer->listener);
}

void http_peer_answer(struct http_peer *peer, const char *text)
{
    ck_assert_uint_lt(peer->answer_count, PEER_ANSWERS_MAX);
    peer->answers[peer->answer_count++] = text;
}

void http_peer_close(struct http_peer *peer)
{
    for (size_t i = 0; i < PEER_REQUESTS_MAX; i++)
        buf_release(&peer->requests[i]);
    uv_close((uv_handle_t *)&peer->listener, NULL);
}

bool http_peer_saw(const struct http_peer *peer, size_t request, const char *text)
{
    ck_assert_uint_lt(request, peer->request_count);
    return str_find(buf_str(&peer->requests[request]), str_from(text)) != SIZE_MAX;
}
