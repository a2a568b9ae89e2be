/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_origin.h"

#include <arpa/inet.h>
#include <stdint.h>

#include "base/str.h"

enum { ADDRESS_MAX = 64 };

/* HOST or HOST:PORT, [ADDRESS]:PORT: what stands before the port, without brackets. */
static struct str host_name(struct str host)
{
    if (host.len > 0 && host.ptr[0] == '[') {
        const char *end = memchr(host.ptr, ']', host.len);
        return str_make(host.ptr + 1, end ? (size_t)(end - host.ptr) - 1 : host.len - 1);
    }
    const char *colon = host.len > 0 ? memchr(host.ptr, ':', host.len) : NULL;
    return colon ? str_make(host.ptr, (size_t)(colon - host.ptr)) : host;
}

static bool is_loopback_address(struct str name)
{
    char text[ADDRESS_MAX];
    struct in_addr v4;
    struct in6_addr v6;
    if (name.len >= sizeof text)
        return false;
    memcpy(text, name.ptr, name.len);
    text[name.len] = 0;
    if (inet_pton(AF_INET, text, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* A name of one part is looked up in this network only; nobody else can make it lead here. */
static bool is_of_this_network(struct str name)
{
    static const struct str LOCALHOST = STR_INIT("localhost");
    if (str_find(name, STR(".")) == SIZE_MAX && str_find(name, STR(":")) == SIZE_MAX)
        return true;
    if (name.len > 0 && name.ptr[name.len - 1] == '.')
        name.len--;
    if (name.len > LOCALHOST.len && name.ptr[name.len - LOCALHOST.len - 1] == '.')
        name = str_from_offset(name, name.len - LOCALHOST.len); /* a name below it */
    return str_equal_nocase(name, LOCALHOST) || (name.len > 0 && is_loopback_address(name));
}

/* A page of the server itself: SCHEME://HOST, HOST as the request has it. */
static bool is_own_page(struct str origin, struct str host)
{
    size_t scheme = str_find(origin, STR("://"));
    return scheme != SIZE_MAX && str_equal_nocase(str_from_offset(origin, scheme + 3), host);
}

const char *http_origin_refusal(bool is_loopback, const char *host, const char *origin)
{
    struct str meant = str_trim(str_from(host));
    if (is_loopback && host && !is_of_this_network(host_name(meant)))
        return "the Host of the request is not this server, which listens on a loopback address";
    if (origin && !is_own_page(str_trim(str_from(origin)), meant))
        return "the request comes from a page of another site (its Origin)";
    return NULL;
}
