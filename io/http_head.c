/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_head.h"

#include <arpa/inet.h>
#include <assert.h>

#include "base/text/ascii.h"

enum { HOST_MAX = 253, PORT_DIGITS_MAX = 5, PORT_MAX = 65535, LENGTH_MAX = 24 };

/* ---- URLs ---------------------------------------------------------------------------------------- */

/* Four decimal numbers, as curl would write them. */
static bool is_plain_address(struct str host)
{
    char text[INET_ADDRSTRLEN], again[INET_ADDRSTRLEN];
    struct in_addr address;
    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = 0;
    return inet_pton(AF_INET, text, &address) == 1 &&
           inet_ntop(AF_INET, &address, again, sizeof again) && strcmp(text, again) == 0;
}

/* A name whose last part begins with a digit may be an address in another spelling. */
static bool is_plain_host(struct str host)
{
    size_t last = 0;
    if (host.len == 0 || host.len > HOST_MAX)
        return false;
    for (size_t i = 0; i < host.len; i++) {
        char c = host.ptr[i];
        bool in_label = (c >= 'a' && c <= 'z') || ascii_is_digit(c) || c == '-' || c == '_';
        if (!in_label && (c != '.' || i == 0 || i + 1 == host.len))
            return false;
        if (c == '.')
            last = i + 1;
    }
    return !ascii_is_digit(host.ptr[last]) || is_plain_address(host);
}

/* As it is written when there is but one way to write it. */
static bool is_plain_port(struct str port)
{
    unsigned number = 0;
    if (port.len == 0 || port.len > PORT_DIGITS_MAX || port.ptr[0] == '0')
        return false;
    for (size_t i = 0; i < port.len; i++) {
        if (!ascii_is_digit(port.ptr[i]))
            return false;
        number = number * 10 + (unsigned)(port.ptr[i] - '0');
    }
    return number <= PORT_MAX && number != 80; /* curl leaves 80 out */
}

/* Bytes that go out as they are; no "/." anywhere, so no part of it is "." or "..". */
static bool is_plain_target(struct str target)
{
    for (size_t i = 0; i < target.len; i++) {
        unsigned char c = (unsigned char)target.ptr[i];
        if (c <= ' ' || c >= 0x7f || c == '#' || c == '\\')
            return false;
        if (c == '/' && i + 1 < target.len &&
            (target.ptr[i + 1] == '.' || target.ptr[i + 1] == '%'))
            return false;
    }
    return target.len == 0 || target.ptr[0] == '/';
}

bool http_plain_url(struct str url, struct http_plain_url *out)
{
    struct str scheme = STR("http://");
    if (!str_starts_with(url, scheme))
        return false;
    struct str rest = str_from_offset(url, scheme.len);
    const char *slash = rest.len > 0 ? memchr(rest.ptr, '/', rest.len) : NULL;
    out->authority = str_make(rest.ptr, slash ? (size_t)(slash - rest.ptr) : rest.len);
    out->target = str_from_offset(rest, out->authority.len);
    size_t colon = str_find(out->authority, STR(":"));
    struct str host = out->authority;
    if (colon != SIZE_MAX) {
        host.len = colon;
        if (!is_plain_port(str_from_offset(out->authority, colon + 1)))
            return false;
    }
    return is_plain_host(host) && is_plain_target(out->target);
}

/* ---- headers ------------------------------------------------------------------------------------- */

static bool is_one_of(struct str name, const struct str *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal_nocase(name, names[i]))
            return true;
    return false;
}

void http_header_lines_add(struct http_header_lines *lines, struct str name, struct str value)
{
    /* What says how the message is framed, coded or whom it is for. */
    static const struct str UNUSUAL[] = {
        STR_INIT("host"),
        STR_INIT("content-length"),
        STR_INIT("transfer-encoding"),
        STR_INIT("connection"),
        STR_INIT("accept-encoding"),
        STR_INIT("expect"),
        STR_INIT("upgrade"),
        STR_INIT("te"),
        STR_INIT("trailer"),
        STR_INIT("cookie"),
        STR_INIT("range"),
        STR_INIT("content-encoding"),
        STR_INIT("keep-alive"),
        STR_INIT("http2-settings"),
        STR_INIT("proxy-connection"),
    };
    lines->is_unusual |= is_one_of(name, UNUSUAL, sizeof UNUSUAL / sizeof *UNUSUAL);
    lines->has_agent |= str_equal_nocase(name, STR("user-agent"));
    lines->has_accept |= str_equal_nocase(name, STR("accept"));
    lines->has_authorization |= str_equal_nocase(name, STR("authorization"));
    lines->has_type |= str_equal_nocase(name, STR("content-type"));
    buf_append_str(&lines->text, name);
    buf_append_str(&lines->text, value.len > 0 ? STR(": ") : STR(":"));
    buf_append_str(&lines->text, value);
    buf_append_str(&lines->text, STR("\r\n"));
}

static void append_line(struct buf *out, struct str name, struct str value)
{
    buf_append_str(out, name);
    buf_append_str(out, value);
    buf_append_str(out, STR("\r\n"));
}

static void append_length(struct buf *out, size_t len)
{
    char digits[LENGTH_MAX];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + len % 10);
        len /= 10;
    } while (len > 0);
    append_line(out, STR("Content-Length: "), str_make(digits + at, sizeof digits - at));
}

void http_head_write(const struct http_head_parts *parts, struct buf *out)
{
    static const struct str METHODS[] = {
        [HTTP_GET] = STR_INIT("GET "),     [HTTP_HEAD] = STR_INIT("HEAD "),
        [HTTP_POST] = STR_INIT("POST "),   [HTTP_PUT] = STR_INIT("PUT "),
        [HTTP_PATCH] = STR_INIT("PATCH "), [HTTP_DELETE] = STR_INIT("DELETE "),
    };
    const struct http_header_lines *headers = parts->headers;
    assert(!headers->is_unusual && parts->url.authority.len > 0);
    out->len = 0;
    buf_append_str(out, METHODS[parts->method]);
    append_line(out, parts->url.target.len > 0 ? parts->url.target : STR("/"), STR(" HTTP/1.1"));
    append_line(out, STR("Host: "), parts->url.authority);
    if (parts->authorization.len > 0 && !headers->has_authorization)
        append_line(out, STR("Authorization: "), parts->authorization);
    if (parts->agent.len > 0 && !headers->has_agent)
        append_line(out, STR("User-Agent: "), parts->agent);
    if (!headers->has_accept)
        buf_append_str(out, STR("Accept: */*\r\n"));
    buf_append_str(out, STR("Accept-Encoding: identity\r\n"));
    if (parts->compressed)
        buf_append_str(out, STR("Content-Encoding: gzip\r\n"));
    buf_append_str(out, buf_str(&headers->text));
    if (parts->has_body) {
        append_length(out, parts->body_len);
        if (!headers->has_type)
            buf_append_str(out, STR("Content-Type: application/x-www-form-urlencoded\r\n"));
    }
    buf_append_str(out, STR("\r\n"));
}
