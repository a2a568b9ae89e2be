/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_link.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    RECEIVES_MAX = 16, /* in a row; then others have a turn */
    ERROR_STATUS = 300,
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* ---- connecting ---------------------------------------------------------------------------------- */

/* The socket is taken while curl still has it: what curl closes then is its own descriptor. */
static void on_leaving(struct easy_owner *owner, CURLcode code)
{
    struct http_link *link = (struct http_link *)owner;
    curl_socket_t socket = CURL_SOCKET_BAD;
    if (code == CURLE_OK)
        curl_easy_getinfo(link->easy, CURLINFO_ACTIVESOCKET, &socket);
    if (socket != CURL_SOCKET_BAD)
        link->fd = fcntl(socket, F_DUPFD_CLOEXEC, 0);
}

static void watch(struct http_link *link, int events)
{
    if (link->watched == events)
        return;
    link->watched = events;
    uv_poll_start(&link->poll, events, on_poll);
}

static bool start_watching(struct http_link *link)
{
    uv_loop_t *loop = http_plain_client(link->plain)->curl.loop;
    if (uv_poll_init(loop, &link->poll, link->fd) != 0) {
        close(link->fd);
        link->fd = -1;
        return false;
    }
    link->poll.data = link;
    curl_loop_hold(&http_plain_client(link->plain)->curl);
    watch(link, UV_READABLE);
    return true;
}

static void on_connected(struct easy_owner *owner, CURLcode code)
{
    struct http_link *link = (struct http_link *)owner;
    struct transfer *transfer = link->transfer;
    curl_easy_cleanup(link->easy);
    link->easy = NULL;
    if (code == CURLE_OK && link->fd >= 0 && start_watching(link)) {
        link->transfer = NULL;
        http_link_send(link, transfer);
        return;
    }
    if (!transfer->error[0])
        http_transfer_set_error(transfer, code == CURLE_OK ? "cannot watch the connection"
                                                           : curl_easy_strerror(code));
    http_plain_ended(link, LINK_NOT_CONNECTED, transfer->error);
}

struct http_link *http_link_new(struct http_plain *plain, struct http_origin_state *origin,
                                struct transfer *transfer)
{
    struct http_client *client = http_plain_client(plain);
    struct http_link *link = mem_zero(1, sizeof *link);
    link->plain = plain;
    link->origin = origin;
    link->transfer = transfer;
    link->fd = -1;
    link->owner = (struct easy_owner){.leaving = on_leaving, .finished = on_connected};
    http_reader_init(&link->reader);
    CURL *easy = link->easy = curl_easy_init();
    if (!easy)
        mem_abort("curl_easy_init");
    http_easy_options_apply(client->easy_options, easy);
    curl_loop_prepare(&client->curl, easy);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &link->owner);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_URL, http_plain_origin_url(origin));
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_loop_add(&client->curl, easy);
    return link;
}

static void link_free(struct http_link *link)
{
    http_reader_release(&link->reader);
    mem_free(link);
}

static void on_closed(uv_handle_t *handle)
{
    struct http_link *link = handle->data;
    struct curl_loop *curl = &http_plain_client(link->plain)->curl;
    link_free(link);
    curl_loop_let_go(curl);
}

void http_link_close(struct http_link *link)
{
    assert(!link->transfer);
    if (link->easy) {
        curl_loop_remove(&http_plain_client(link->plain)->curl, link->easy);
        curl_easy_cleanup(link->easy);
    }
    if (link->fd < 0) {
        link_free(link);
        return;
    }
    uv_close((uv_handle_t *)&link->poll, on_closed);
    close(link->fd);
    link->fd = -1;
}

/* ---- sending ------------------------------------------------------------------------------------- */

static void drop_sent(struct http_link *link, size_t sent)
{
    while (link->parts_left > 0) {
        struct iovec *part = &link->parts[2 - link->parts_left];
        size_t len = sent < part->iov_len ? sent : part->iov_len;
        part->iov_base = (char *)part->iov_base + len;
        part->iov_len -= len;
        sent -= len;
        if (part->iov_len > 0)
            break;
        link->parts_left--;
    }
    assert(sent == 0);
}

/* As much as the socket takes. After an error the loop comes back with what can still be read, and then the end. */
static void send_parts(struct http_link *link)
{
    while (link->parts_left > 0) {
        struct msghdr message = {.msg_iov = &link->parts[2 - link->parts_left],
                                 .msg_iovlen = link->parts_left};
        ssize_t sent = sendmsg(link->fd, &message, MSG_NOSIGNAL);
        if (sent >= 0) {
            drop_sent(link, (size_t)sent);
        } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
            break;
        } else if (errno != EINTR) {
            link->send_error = errno;
            link->parts_left = 0;
            shutdown(link->fd, SHUT_RDWR);
        }
    }
    int reads = link->is_answered ? 0 : UV_READABLE;
    watch(link, link->parts_left > 0 ? reads | UV_WRITABLE : UV_READABLE);
}

bool http_link_is_sound(const struct http_link *link)
{
    char byte;
    assert(!link->transfer && link->fd >= 0);
    return recv(link->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void http_link_send(struct http_link *link, struct transfer *transfer)
{
    assert(!link->transfer && !link->easy && link->fd >= 0); /* 1 */
    link->transfer = transfer;
    link->got_bytes = link->is_answered = link->is_fit = false;
    link->send_error = 0;
    link->parts[0] = (struct iovec){transfer->head.ptr, transfer->head.len};
    link->parts[1] = (struct iovec){(void *)(uintptr_t)transfer->body.ptr, transfer->body.len};
    link->parts_left = 2;
    if (!http_transfer_sends_body(transfer))
        link->parts[1].iov_len = 0;
    bool wants_headers = transfer->request.wants_headers;
    http_reader_begin(&link->reader, transfer->request.method == HTTP_HEAD,
                      wants_headers ? &transfer->headers : NULL, &transfer->response);
    uv_ref((uv_handle_t *)&link->poll);
    send_parts(link);
}

/* ---- answers ------------------------------------------------------------------------------------- */

static void end_broken(struct http_link *link, const char *what, int error)
{
    char text[128];
    bool is_stale = link->is_reused && !link->got_bytes;
    if (link->send_error) {
        what = "Send failure";
        error = link->send_error;
    }
    snprintf(text, sizeof text, error ? "%s: %s" : "%s", what, strerror(error));
    http_plain_ended(link, is_stale ? LINK_STALE : LINK_BROKEN, text);
}

/* An answer to half a request: a refusal counts at once, a consent when the rest has been taken as well. */
static void end_answered(struct http_link *link, bool is_alone)
{
    const struct http_reader *reader = &link->reader;
    bool is_refusal = reader->status >= ERROR_STATUS;
    if (!is_refusal && link->send_error) {
        end_broken(link, "", 0);
    } else if (!is_refusal && link->parts_left > 0) {
        link->is_answered = true;
        watch(link, UV_WRITABLE);
    } else {
        bool is_sent = link->parts_left == 0 && !link->send_error && !link->is_answered;
        link->is_fit = is_alone && is_sent && reader->keeps_alive;
        http_plain_ended(link, LINK_ANSWERED, NULL);
    }
}

static void conclude(struct http_link *link, enum http_reading result, bool is_alone)
{
    switch (result) {
    case HTTP_READ_DONE:
        end_answered(link, is_alone);
        break;
    case HTTP_READ_FAILED:
        end_broken(link, link->reader.error, 0);
        break;
    case HTTP_READ_TOO_LARGE:
        http_plain_ended(link, LINK_TOO_LARGE, "the answer is too large");
        break;
    case HTTP_READ_UNUSUAL:
        http_plain_ended(link, LINK_UNUSUAL, "the answer is in an unusual coding");
        break;
    case HTTP_READ_MORE:
        assert(!"it has not ended");
        break;
    }
}

static enum http_reading feed(struct http_link *link, struct str *bytes)
{
    if (bytes->len == 0)
        return http_reader_end(&link->reader);
    link->got_bytes = true;
    return http_reader_feed(&link->reader, bytes);
}

static void receive(struct http_link *link)
{
    char *buffer = http_plain_receive_buffer(link->plain);
    for (int turn = 0; turn < RECEIVES_MAX; turn++) {
        ssize_t got = recv(link->fd, buffer, HTTP_RECEIVE_BYTES, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got < 0) {
            end_broken(link, "Recv failure", errno);
            return;
        }
        struct str bytes = str_make(buffer, (size_t)got);
        enum http_reading result = feed(link, &bytes);
        if (result != HTTP_READ_MORE) {
            conclude(link, result, bytes.len == 0);
            return;
        }
        if (got < HTTP_RECEIVE_BYTES)
            return;
    }
}

static void on_written(struct http_link *link)
{
    send_parts(link);
    if (!link->is_answered || link->parts_left > 0)
        return;
    if (link->send_error)
        end_broken(link, "", 0);
    else
        http_plain_ended(link, LINK_ANSWERED, NULL);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct http_link *link = poll->data;
    struct http_client *client = http_plain_client(link->plain);
    if (status < 0) { /* libuv has stopped it; what is wrong, the socket says itself */
        link->watched = 0;
        events = UV_READABLE | UV_WRITABLE;
    }
    if (!link->transfer) {
        http_plain_lost_idle(link); /* 2 */
        return;
    }
    bool is_writable = (events & UV_WRITABLE) && link->parts_left > 0;
    if (is_writable)
        on_written(link);
    bool is_over = !link->transfer || link->fd < 0;
    if (!is_over && (events & UV_READABLE) && !link->is_answered)
        receive(link);
    http_client_settle(client);
}
