/* SPDX-License-Identifier: Apache-2.0 */
#include "io/curl_loop.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

struct curl_socket {
    uv_poll_t poll;
    struct curl_loop *owner;
    struct curl_socket *next;
    curl_socket_t fd;
    int wanted;    /* UV_READABLE | UV_WRITABLE that curl asked for; 0: between requests */
    int watching;  /* what the poll handle is started with */
    bool kept;     /* opened through open_socket: lives until close_socket */
    bool was_read; /* curl has waited for bytes on it: it was connected */
};

void curl_loop_hold(struct curl_loop *self)
{
    assert(self->open_handles > 0); /* not closed yet */
    self->open_handles++;
}

void curl_loop_let_go(struct curl_loop *self)
{
    assert(self->open_handles > 0);
    if (--self->open_handles == 0)
        self->closed(self);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct curl_socket *sock = handle->data;
    struct curl_loop *self = sock->owner;
    mem_free(sock);
    curl_loop_let_go(self);
}

static struct curl_socket *find_socket(struct curl_loop *self, curl_socket_t fd)
{
    struct curl_socket *sock = self->sockets;
    while (sock && sock->fd != fd)
        sock = sock->next;
    return sock;
}

/* NULL when the loop cannot watch this descriptor. */
static struct curl_socket *add_socket(struct curl_loop *self, curl_socket_t fd)
{
    assert(!find_socket(self, fd));
    struct curl_socket *sock = mem_zero(1, sizeof *sock);
    if (uv_poll_init(self->loop, &sock->poll, fd) != 0) {
        mem_free(sock);
        return NULL;
    }
    sock->poll.data = sock;
    sock->owner = self;
    sock->fd = fd;
    sock->next = self->sockets;
    self->sockets = sock;
    self->open_handles++;
    return sock;
}

static void forget_socket(struct curl_socket *sock)
{
    struct curl_socket **link = &sock->owner->sockets;
    while (*link != sock)
        link = &(*link)->next;
    *link = sock->next;
    uv_close((uv_handle_t *)&sock->poll, on_socket_closed);
}

/* Lets curl act, then reports what finished. */
static void run(struct curl_loop *self, curl_socket_t fd, int events)
{
    int running = 0;
    curl_multi_socket_action(self->multi, fd, events, &running);
    int left = 0;
    CURLMsg *message;
    while ((message = curl_multi_info_read(self->multi, &left))) {
        assert(message->msg == CURLMSG_DONE);
        CURL *easy = message->easy_handle;
        CURLcode code = message->data.result;
        if (self->leaving)
            self->leaving(self, easy, code);
        curl_multi_remove_handle(self->multi, easy);
        self->finished(self, easy, code);
    }
    self->settled(self);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct curl_socket *sock = poll->data;
    if (sock->wanted == 0) {
        uv_poll_stop(poll);
        sock->watching = 0;
        return;
    }
    /* An error by itself would make curl give up without reading an answer that is there: it finds the error itself when it
     * reads and writes. */
    int flags = status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : 0;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    run(sock->owner, sock->fd, flags);
}

/* One that was never connected is given up now, or curl has closed it already, and does not tell: then its number may be another
 * descriptor's before long, and nothing of it may stay in the loop. */
static void unwatch(struct curl_socket *sock)
{
    sock->wanted = 0;
    if (sock->kept && sock->was_read)
        uv_unref((uv_handle_t *)&sock->poll);
    else
        forget_socket(sock);
}

static void watch(struct curl_socket *sock, int events)
{
    sock->wanted = events;
    sock->was_read |= (events & UV_READABLE) != 0;
    uv_ref((uv_handle_t *)&sock->poll);
    if (sock->watching == events)
        return;
    sock->watching = events;
    uv_poll_start(&sock->poll, events, on_poll);
}

/* curl's CURLMOPT_SOCKETFUNCTION */
static int on_socket_change(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    (void)easy;
    struct curl_loop *self = ctx;
    struct curl_socket *sock = known ? known : find_socket(self, fd);
    if (what == CURL_POLL_REMOVE) {
        if (sock)
            unwatch(sock);
        return 0;
    }
    if (!sock && !(sock = add_socket(self, fd)))
        return -1;
    if (!known)
        curl_multi_assign(self->multi, fd, sock);
    int events = what & CURL_POLL_IN ? UV_READABLE : 0;
    if (what & CURL_POLL_OUT)
        events |= UV_WRITABLE;
    watch(sock, events);
    return 0;
}

static void on_timer(uv_timer_t *timer)
{
    run(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_idle(uv_idle_t *idle)
{
    uv_idle_stop(idle);
    run(idle->data, CURL_SOCKET_TIMEOUT, 0);
}

/* curl's CURLMOPT_TIMERFUNCTION */
static int on_timer_change(CURLM *multi, long timeout_ms, void *ctx)
{
    (void)multi;
    struct curl_loop *self = ctx;
    if (timeout_ms > 0) {
        uv_idle_stop(&self->idle);
        uv_timer_start(&self->timer, on_timer, (uint64_t)timeout_ms, 0);
        return 0;
    }
    uv_timer_stop(&self->timer);
    if (timeout_ms == 0)
        uv_idle_start(&self->idle, on_idle);
    else
        uv_idle_stop(&self->idle);
    return 0;
}

/* Under another number while curl has not told that it closed the socket that had this one: it would take them for one. */
static int new_number(struct curl_loop *self, int fd)
{
    while (fd >= 0 && find_socket(self, fd)) {
        int other = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
        close(fd);
        fd = other;
    }
    return fd;
}

/* curl's CURLOPT_OPENSOCKETFUNCTION */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)purpose;
    struct curl_loop *self = ctx;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                    address->protocol);
    fd = new_number(self, fd);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    struct curl_socket *sock = add_socket(self, fd);
    if (!sock) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    sock->kept = true;
    uv_unref((uv_handle_t *)&sock->poll);
    return fd;
}

/* curl's CURLOPT_CLOSESOCKETFUNCTION */
static int close_socket(void *ctx, curl_socket_t fd)
{
    struct curl_socket *sock = find_socket(ctx, fd);
    if (sock)
        forget_socket(sock);
    return close(fd);
}

void curl_loop_hang_up(struct curl_loop *self)
{
    for (const struct curl_socket *sock = self->sockets; sock; sock = sock->next)
        shutdown(sock->fd, SHUT_RDWR);
}

void curl_loop_init(struct curl_loop *self, uv_loop_t *loop)
{
    assert(self->finished && self->settled && self->closed);
    self->loop = loop;
    self->multi = curl_multi_init();
    if (!self->multi)
        mem_abort("curl_multi_init");
    uv_timer_init(loop, &self->timer);
    uv_idle_init(loop, &self->idle);
    self->timer.data = self->idle.data = self;
    self->open_handles = 2;
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETFUNCTION, on_socket_change);
    curl_multi_setopt(self->multi, CURLMOPT_SOCKETDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
    curl_multi_setopt(self->multi, CURLMOPT_TIMERDATA, self);
    curl_multi_setopt(self->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
}

void curl_loop_prepare(struct curl_loop *self, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, self);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, self);
}

void curl_loop_add(struct curl_loop *self, CURL *easy)
{
    CURLMcode code = curl_multi_add_handle(self->multi, easy);
    assert(code == CURLM_OK);
    (void)code;
}

void curl_loop_remove(struct curl_loop *self, CURL *easy)
{
    curl_multi_remove_handle(self->multi, easy);
}

static void on_own_closed(uv_handle_t *handle)
{
    curl_loop_let_go(handle->data);
}

void curl_loop_close(struct curl_loop *self)
{
    curl_multi_cleanup(self->multi);
    self->multi = NULL;
    /* What curl closed itself, without telling, as it does with its resolver's socket pair. */
    while (self->sockets)
        forget_socket(self->sockets);
    uv_close((uv_handle_t *)&self->timer, on_own_closed);
    uv_close((uv_handle_t *)&self->idle, on_own_closed);
}
