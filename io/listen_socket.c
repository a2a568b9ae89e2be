/* SPDX-License-Identifier: Apache-2.0 */
#include "io/listen_socket.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum { PORT_TEXT_MAX = 8 };

static int bind_to(const struct addrinfo *address)
{
    int on = 1;
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                   bind(fd, address->ai_addr, address->ai_addrlen) == 0))
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

static const struct addrinfo *ipv4_first(const struct addrinfo *found)
{
    for (const struct addrinfo *address = found; address; address = address->ai_next)
        if (address->ai_family == AF_INET)
            return address;
    return found;
}

/* [::1] is written for ::1 where a port may follow. */
static const char *without_brackets(const char *host, char out[LISTEN_SOCKET_ADDRESS_MAX])
{
    size_t len = strlen(host);
    if (len < 3 || len >= LISTEN_SOCKET_ADDRESS_MAX || host[0] != '[' || host[len - 1] != ']')
        return host;
    snprintf(out, LISTEN_SOCKET_ADDRESS_MAX, "%.*s", (int)len - 2, host + 1);
    return out;
}

/* ---- sockets that are kept ------------------------------------------------------------------------ */

struct kept {
    struct kept *next;
    int fd;
};

static struct {
    bool keeps;
    struct kept *first;
} table;

static struct sockaddr_storage name_of(int fd)
{
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof name;
    int failed = getsockname(fd, (struct sockaddr *)&name, &len);
    assert(!failed);
    (void)failed;
    return name;
}

static bool is_at(int fd, const struct addrinfo *address)
{
    struct sockaddr_storage name = name_of(fd);
    if (name.ss_family != address->ai_family)
        return false;
    if (name.ss_family == AF_INET) {
        const struct sockaddr_in *a = (const struct sockaddr_in *)&name;
        const struct sockaddr_in *b = (const struct sockaddr_in *)address->ai_addr;
        return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
    }
    const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)&name;
    const struct sockaddr_in6 *b = (const struct sockaddr_in6 *)address->ai_addr;
    return a->sin6_port == b->sin6_port && a->sin6_scope_id == b->sin6_scope_id &&
           memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr) == 0;
}

/* -1: there is none for this address. */
static int take_kept(const struct addrinfo *address)
{
    for (struct kept **at = &table.first; *at; at = &(*at)->next) {
        struct kept *kept = *at;
        int fd = kept->fd;
        if (!is_at(fd, address))
            continue;
        *at = kept->next;
        mem_free(kept);
        return fd;
    }
    return -1;
}

void listen_socket_close(int fd)
{
    if (!table.keeps) {
        close(fd);
        return;
    }
    struct kept *kept = mem_alloc(sizeof *kept);
    *kept = (struct kept){table.first, fd};
    table.first = kept;
}

void listen_socket_keep(bool keep)
{
    table.keeps = keep;
    while (!keep && table.first) {
        struct kept *kept = table.first;
        table.first = kept->next;
        close(kept->fd);
        mem_free(kept);
    }
}

int listen_socket_bind(const char *host, uint16_t port, struct error *err)
{
    char service[PORT_TEXT_MAX], address[LISTEN_SOCKET_ADDRESS_MAX];
    host = without_brackets(host, address);
    snprintf(service, sizeof service, "%u", port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    int failure = getaddrinfo(host, service, &hints, &found);
    if (failure != 0) {
        error_set(err, ERROR_IO, "cannot listen on '%s': %s", host, gai_strerror(failure));
        return -1;
    }
    int fd = take_kept(ipv4_first(found));
    if (fd < 0)
        fd = bind_to(ipv4_first(found));
    if (fd < 0)
        error_set(err, errno == EADDRINUSE ? ERROR_BUSY : ERROR_IO,
                  "cannot listen on '%s' port %u: %s", host, port, strerror(errno));
    freeaddrinfo(found);
    return fd;
}

uint16_t listen_socket_address(int fd, char out[LISTEN_SOCKET_ADDRESS_MAX])
{
    struct sockaddr_storage name = name_of(fd);
    char text[INET6_ADDRSTRLEN] = "";
    if (name.ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&name;
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
        snprintf(out, LISTEN_SOCKET_ADDRESS_MAX, "%s:%u", text, ntohs(v4->sin_port));
        return ntohs(v4->sin_port);
    }
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&name;
    inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
    snprintf(out, LISTEN_SOCKET_ADDRESS_MAX, "[%s]:%u", text, ntohs(v6->sin6_port));
    return ntohs(v6->sin6_port);
}

bool listen_socket_is_loopback(int fd)
{
    struct sockaddr_storage name = name_of(fd);
    if (name.ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)&name)->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&name)->sin6_addr);
}
