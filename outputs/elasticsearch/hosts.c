/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/hosts.h"

#include <assert.h>

#include "base/text/ascii.h"
#include "pipeline/cloud_id.h"

static const struct str DEFAULT_PORT = STR_INIT("9200");
static const struct str FILTER_PATH = STR_INIT("filter_path=errors,items.*.error,items.*.status");

/* The pieces of one entry of hosts. */
struct pieces {
    struct str scheme, user_info, host, port, path;
};

static struct str cut(struct str *rest, size_t at, size_t skip)
{
    struct str head = str_make(rest->ptr, at);
    *rest = str_from_offset(*rest, at + skip);
    return head;
}

static bool has_blank(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
            return true;
    return text.len == 0;
}

/* The old option; a range was tried from its first port on. */
static struct str default_port(const struct elasticsearch_options *options)
{
    size_t dash = options->port.ptr ? str_find(options->port, STR("-")) : SIZE_MAX;
    return !options->port.ptr ? DEFAULT_PORT
           : dash == SIZE_MAX ? options->port
                              : str_make(options->port.ptr, dash);
}

static bool split_port(struct str authority, struct str fallback, struct pieces *out)
{
    size_t bracket = str_find(authority, STR("]"));
    struct str tail = bracket == SIZE_MAX ? authority : str_from_offset(authority, bracket + 1);
    size_t colon = str_find(tail, STR(":"));
    int64_t number;
    out->port = colon == SIZE_MAX ? fallback : str_from_offset(tail, colon + 1);
    out->host = authority;
    if (colon != SIZE_MAX)
        out->host.len = (size_t)(tail.ptr - authority.ptr) + colon;
    return out->host.len > 0 && str_to_int(out->port, &number) && number > 0 && number < 65536;
}

static size_t last_at_sign(struct str text)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != '@')
        at--;
    return at > 0 ? at - 1 : SIZE_MAX;
}

/* What stands behind a password and before a query, wherever the URL is wrong. */
static struct str without_secrets(struct str text)
{
    size_t at = last_at_sign(text);
    struct str shown = at == SIZE_MAX ? text : str_from_offset(text, at + 1);
    size_t query = str_find(shown, STR("?"));
    if (query != SIZE_MAX)
        shown.len = query;
    return shown;
}

static bool split(struct str text, struct str fallback_port, struct pieces *out, struct error *err)
{
    struct str rest = text;
    size_t scheme = str_find(rest, STR("://"));
    *out = (struct pieces){0};
    if (scheme != SIZE_MAX)
        out->scheme = cut(&rest, scheme, 3);
    else if (str_starts_with(rest, STR("//")))
        cut(&rest, 0, 2);
    if (out->scheme.ptr && !str_equal(out->scheme, STR("http")) &&
        !str_equal(out->scheme, STR("https")))
        return error_set(err, ERROR_CONFIG, "host '%.*s://...': the scheme is http or https",
                         STR_FMT(out->scheme));
    size_t slash = str_find(rest, STR("/"));
    struct str authority = cut(&rest, slash == SIZE_MAX ? rest.len : slash, 0);
    out->path = rest;
    size_t at = last_at_sign(authority);
    if (at != SIZE_MAX)
        out->user_info = cut(&authority, at, 1);
    if (has_blank(text) || memchr(text.ptr, '?', text.len) ||
        !split_port(authority, fallback_port, out))
        return error_set(err, ERROR_CONFIG,
                         "host '%.*s' is not [http[s]://][USER:PASSWORD@]HOST[:PORT][/PATH]",
                         STR_FMT(without_secrets(text)));
    return true;
}

static struct str trim_slashes(struct str path)
{
    while (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    while (path.len > 0 && path.ptr[0] == '/')
        path = str_from_offset(path, 1);
    return path;
}

static bool choose_scheme(const struct elasticsearch_options *options, struct pieces *pieces,
                          struct error *err)
{
    bool is_https = str_equal(pieces->scheme, STR("https"));
    if (options->tls.enabled == CLIENT_TLS_ON && pieces->scheme.ptr && !is_https)
        return error_set(err, ERROR_CONFIG, "host '%.*s' is http, but ssl_enabled is true",
                         STR_FMT(pieces->host));
    if (options->tls.enabled == CLIENT_TLS_OFF && is_https)
        return error_set(err, ERROR_CONFIG, "host '%.*s' is https, but ssl_enabled is false",
                         STR_FMT(pieces->host));
    if (options->tls.enabled == CLIENT_TLS_ON)
        pieces->scheme = STR("https");
    else if (!pieces->scheme.ptr)
        pieces->scheme = STR("http");
    return true;
}

/* %XX in the user and password of a URL. */
static struct str unescape(struct arena *arena, struct str text)
{
    char *out = arena_bytes(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? ascii_hex_value(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? ascii_hex_value(text.ptr[i + 2]) : -1;
        out[len++] = low >= 0 ? (char)(high * 16 + low) : text.ptr[i];
        if (low >= 0)
            i += 2;
    }
    return str_make(out, len);
}

static void take_user(struct arena *arena, struct str user_info, struct hosts *out)
{
    size_t colon = str_find(user_info, STR(":"));
    out->user = unescape(arena, str_make(user_info.ptr, colon == SIZE_MAX ? user_info.len : colon));
    out->password =
        colon == SIZE_MAX ? STR("") : unescape(arena, str_from_offset(user_info, colon + 1));
}

struct str hosts_url(struct arena *arena, const struct elasticsearch_options *options,
                     const struct host *host, struct str path)
{
    struct buf url;
    buf_init(&url, SIZE_MAX / 2);
    buf_append_str(&url, host->root);
    if (path.len == 0 || path.ptr[0] != '/')
        buf_append_char(&url, '/');
    buf_append_str(&url, path);
    char separator = path.len > 0 && memchr(path.ptr, '?', path.len) ? '&' : '?';
    for (size_t i = 0; i < options->parameters.count; i++) {
        buf_append_char(&url, separator);
        separator = '&';
        http_escape(options->parameters.pairs[i].key.text, &url);
        buf_append_char(&url, '=');
        http_escape(options->parameters.pairs[i].value.text, &url);
    }
    struct str copy = arena_dup(arena, buf_str(&url));
    buf_release(&url);
    return copy;
}

static bool asks_filter_path(const struct elasticsearch_options *options)
{
    for (size_t i = 0; i < options->parameters.count; i++)
        if (str_equal(options->parameters.pairs[i].key.text, STR("filter_path")))
            return true;
    return options->bulk_path.ptr && str_find(options->bulk_path, STR("filter_path=")) != SIZE_MAX;
}

/* bulk_path stands for the whole path, also that of the host. */
static struct str bulk_url(struct arena *arena, const struct elasticsearch_options *options,
                           const struct host *host, struct str bare_root)
{
    struct host at = *host;
    struct str path = STR("/_bulk");
    if (options->bulk_path.ptr) {
        at.root = bare_root;
        path = options->bulk_path;
    }
    struct str url = hosts_url(arena, options, &at, path);
    if (asks_filter_path(options))
        return url;
    bool has_query = memchr(url.ptr, '?', url.len) != NULL;
    return arena_printf(arena, "%.*s%c%.*s", STR_FMT(url), has_query ? '&' : '?',
                        STR_FMT(FILTER_PATH));
}

static bool add_host(struct arena *arena, const struct elasticsearch_options *options,
                     struct str text, struct hosts *out, struct error *err)
{
    struct pieces pieces;
    if (!split(text, default_port(options), &pieces, err) || !choose_scheme(options, &pieces, err))
        return false;
    struct str path = trim_slashes(pieces.path);
    if (path.len > 0 && options->path.ptr && !str_equal(path, trim_slashes(options->path)))
        return error_set(err, ERROR_CONFIG, "the path of host '%.*s' is not the one in 'path'",
                         STR_FMT(pieces.host));
    if (options->path.ptr)
        path = trim_slashes(options->path);
    if (pieces.user_info.ptr && !out->user.ptr)
        take_user(arena, pieces.user_info, out);
    assert(out->count < HOSTS_MAX);
    struct host *host = &out->items[out->count++];
    *host = (struct host){0};
    struct str bare = arena_printf(arena, "%.*s://%.*s:%.*s", STR_FMT(pieces.scheme),
                                   STR_FMT(pieces.host), STR_FMT(pieces.port));
    host->root =
        path.len == 0 ? bare : arena_printf(arena, "%.*s/%.*s", STR_FMT(bare), STR_FMT(path));
    host->name = host->root;
    host->bulk_url = bulk_url(arena, options, host, bare);
    return true;
}

bool hosts_parse(struct arena *arena, const struct elasticsearch_options *options,
                 struct hosts *out, struct error *err)
{
    static struct str local = STR_INIT("127.0.0.1");
    struct option_strings list = options->hosts;
    struct str cloud;
    if (options->cloud_id.ptr) {
        if (list.count > 0)
            return error_set(err, ERROR_CONFIG, "hosts and cloud_id exclude each other");
        if (!cloud_id_url(arena, options->cloud_id, &cloud, err))
            return false;
        list = (struct option_strings){&cloud, 1};
    }
    if (list.count == 0)
        list = (struct option_strings){&local, 1};
    if (list.count > HOSTS_MAX)
        return error_set(err, ERROR_CONFIG, "at most %d hosts", (int)HOSTS_MAX);
    *out = (struct hosts){.password = options->password};
    if (options->password.ptr) /* as in Logstash: without one, no authentication */
        out->user = options->user;
    if (options->cloud_auth.ptr)
        take_user(arena, options->cloud_auth, out);
    out->items = arena_alloc(arena, list.count * sizeof *out->items);
    for (size_t i = 0; i < list.count; i++)
        if (!add_host(arena, options, list.items[i], out, err))
            return false;
    return true;
}

struct host *hosts_next(struct hosts *hosts)
{
    assert(hosts->count > 0);
    for (size_t i = 0; i < hosts->count; i++) {
        assert(hosts->turn < hosts->count);
        struct host *host = &hosts->items[hosts->turn];
        hosts->turn = (hosts->turn + 1) % hosts->count;
        if (!host->dead)
            return host;
    }
    return NULL;
}

bool hosts_all_dead(const struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (!hosts->items[i].dead)
            return false;
    return true;
}
