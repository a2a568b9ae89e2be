/* SPDX-License-Identifier: Apache-2.0 */
#include "io/udp_socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { PORT_TEXT_MAX = 8, ROOM_WANTED = 8 * 1024 * 1024 };

struct udp_socket {
    int fd;
    size_t max_bytes;
    uint32_t lost; /* as the kernel counts, which begins again at 2^32 */
    struct mmsghdr headers[UDP_RECEIVE_MAX];
    struct iovec parts[UDP_RECEIVE_MAX];
    struct sockaddr_storage from[UDP_RECEIVE_MAX];
    char *bytes; /* max_bytes for each; pages that are never written take no memory */
};

/* ---- opening -------------------------------------------------------------------------------------- */

static void set_receive_buffer(int fd, size_t bytes)
{
    int wanted = bytes == 0 ? ROOM_WANTED : bytes > INT_MAX ? INT_MAX : (int)bytes;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
}

static int bind_to(const struct addrinfo *address, const struct udp_socket_options *options)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    set_receive_buffer(fd, options->receive_buffer_bytes);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, address->ai_addr, address->ai_addrlen) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static int open_fd(const struct udp_socket_options *options, struct error *err)
{
    char service[PORT_TEXT_MAX];
    snprintf(service, sizeof service, "%u", options->port);
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(options->host, service, &hints, &found);
    if (failure != 0) {
        error_set(err, ERROR_CONFIG, "cannot receive on '%s', which is no address: %s",
                  options->host, gai_strerror(failure));
        return -1;
    }
    int fd = bind_to(found, options);
    if (fd < 0)
        error_set(err, errno == EADDRINUSE ? ERROR_BUSY : ERROR_IO,
                  "cannot receive on '%s' port %u: %s", options->host, options->port,
                  strerror(errno));
    freeaddrinfo(found);
    return fd;
}

static void point_headers(struct udp_socket *socket)
{
    for (size_t i = 0; i < UDP_RECEIVE_MAX; i++) {
        socket->parts[i] = (struct iovec){socket->bytes + i * socket->max_bytes, socket->max_bytes};
        socket->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &socket->from[i],
            .msg_iov = &socket->parts[i],
            .msg_iovlen = 1,
        };
    }
}

struct udp_socket *udp_socket_new(const struct udp_socket_options *options, struct error *err)
{
    assert(options->max_bytes > 0);
    int fd = open_fd(options, err);
    if (fd < 0)
        return NULL;
    struct udp_socket *socket = mem_zero(1, sizeof *socket);
    socket->fd = fd;
    socket->max_bytes =
        options->max_bytes > UDP_DATAGRAM_MAX ? UDP_DATAGRAM_MAX : options->max_bytes;
    socket->bytes = mem_alloc(UDP_RECEIVE_MAX * socket->max_bytes);
    point_headers(socket);
    return socket;
}

void udp_socket_free(struct udp_socket *socket)
{
    if (!socket)
        return;
    close(socket->fd);
    mem_free(socket->bytes);
    mem_free(socket);
}

int udp_socket_fd(const struct udp_socket *socket)
{
    return socket->fd;
}

size_t udp_socket_receive_buffer(const struct udp_socket *socket)
{
    int bytes = 0;
    socklen_t len = sizeof bytes;
    int failed = getsockopt(socket->fd, SOL_SOCKET, SO_RCVBUF, &bytes, &len);
    return failed ? 0 : (size_t)bytes;
}

/* ---- receiving ------------------------------------------------------------------------------------ */

size_t udp_socket_receive(struct udp_socket *socket, struct udp_datagram datagrams[UDP_RECEIVE_MAX])
{
    for (size_t i = 0; i < UDP_RECEIVE_MAX; i++)
        socket->headers[i].msg_hdr.msg_namelen = sizeof socket->from[i];
    int count;
    do
        count = recvmmsg(socket->fd, socket->headers, UDP_RECEIVE_MAX, MSG_DONTWAIT, NULL);
    while (count < 0 && errno == EINTR);
    for (int i = 0; i < count; i++) {
        const struct mmsghdr *header = &socket->headers[i];
        assert(header->msg_len <= socket->max_bytes);
        datagrams[i] = (struct udp_datagram){
            .bytes = str_make(socket->parts[i].iov_base, header->msg_len),
            .is_cut = header->msg_hdr.msg_flags & MSG_TRUNC,
            .from = &socket->from[i],
        };
    }
    return count < 0 ? 0 : (size_t)count;
}

/* Asked of the socket and not taken from SO_RXQ_OVFL, which tells it with the next datagram that finds room: that may never
 * come. */
uint64_t udp_socket_lost(struct udp_socket *socket)
{
    uint32_t now[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof now;
    if (getsockopt(socket->fd, SOL_SOCKET, SO_MEMINFO, now, &len) != 0 ||
        len <= SK_MEMINFO_DROPS * sizeof *now)
        return 0;
    uint32_t lost = now[SK_MEMINFO_DROPS] - socket->lost;
    socket->lost = now[SK_MEMINFO_DROPS];
    return lost;
}

/* ---- addresses ------------------------------------------------------------------------------------ */

bool udp_address_equal(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr ==
               ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr,
                  &((const struct sockaddr_in6 *)b)->sin6_addr, sizeof(struct in6_addr)) == 0;
}

void udp_address_text(const struct sockaddr_storage *from, char out[UDP_ADDRESS_TEXT_MAX])
{
    out[0] = '\0';
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
    if (from->ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, out,
                  UDP_ADDRESS_TEXT_MAX);
    else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], out, UDP_ADDRESS_TEXT_MAX);
    else
        inet_ntop(AF_INET6, &v6->sin6_addr, out, UDP_ADDRESS_TEXT_MAX);
}
