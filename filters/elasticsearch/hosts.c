/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "filters/elasticsearch/search.h"
#include "pipeline/cloud_id.h"

enum { HOSTS_MAX = 256, DEAD_MS = 60000, DEAD_DOUBLINGS_MAX = 5 };

/* host, host:port, [::1]:9200, http://user:password@host:port/path */
static bool root_of(struct arena *arena, const struct search_options *options, struct str text,
                    struct search_hosts *hosts, struct str *out)
{
    struct str scheme = options->tls.enabled == CLIENT_TLS_ON ? STR("https") : STR("http");
    size_t at = str_find(text, STR("://"));
    if (at != SIZE_MAX) {
        if (options->tls.enabled == CLIENT_TLS_AUTO)
            scheme = str_make(text.ptr, at);
        text = str_from_offset(text, at + 3);
    }
    while (str_ends_with(text, STR("/")))
        text.len--;
    size_t user_end = str_find(text, STR("@"));
    if (user_end != SIZE_MAX) {
        struct str user = str_make(text.ptr, user_end);
        size_t colon = str_find(user, STR(":"));
        hosts->user = colon == SIZE_MAX ? user : str_make(user.ptr, colon);
        hosts->password = colon == SIZE_MAX ? STR("") : str_from_offset(user, colon + 1);
        text = str_from_offset(text, user_end + 1);
    }
    size_t slash = str_find(text, STR("/"));
    struct str authority = slash == SIZE_MAX ? text : str_make(text.ptr, slash);
    struct str path = str_from_offset(text, authority.len);
    size_t bracket = str_find(authority, STR("]"));
    struct str tail = bracket == SIZE_MAX ? authority : str_from_offset(authority, bracket + 1);
    bool has_port = str_find(tail, STR(":")) != SIZE_MAX;
    *out = arena_printf(arena, "%.*s://%.*s%s%.*s", STR_FMT(scheme), STR_FMT(authority),
                        has_port ? "" : ":9200", STR_FMT(path));
    return authority.len > 0 && client_url_is_valid(*out);
}

static void take_login(struct arena *arena, const struct search_options *options,
                       struct search_hosts *hosts)
{
    size_t colon = str_find(options->cloud_auth, STR(":"));
    if (options->cloud_auth.ptr && colon != SIZE_MAX) {
        hosts->user = arena_dup(arena, str_make(options->cloud_auth.ptr, colon));
        hosts->password = str_from_offset(options->cloud_auth, colon + 1);
    } else if (options->user.ptr &&
               options->password.ptr) { /* as in Logstash, one alone is nothing */
        hosts->user = options->user;
        hosts->password = options->password;
    }
}

bool search_hosts_parse(struct arena *arena, const struct search_options *options,
                        struct search_hosts *out, struct error *err)
{
    struct str cloud;
    *out = (struct search_hosts){0};
    out->items = arena_zero(arena, (options->hosts.count + 1) * sizeof *out->items);
    if (options->hosts.count > HOSTS_MAX)
        return error_set(err, ERROR_CONFIG, "hosts: at most %d are taken", HOSTS_MAX);
    if (options->cloud_id.ptr) {
        if (!cloud_id_url(arena, options->cloud_id, &cloud, err))
            return false;
        out->items[out->count++].root = cloud;
    }
    for (size_t i = 0; i < options->hosts.count && !options->cloud_id.ptr; i++)
        if (!root_of(arena, options, options->hosts.items[i], out, &out->items[out->count++].root))
            return error_set(err, ERROR_CONFIG, "hosts: entry %zu is no address of a server",
                             i + 1);
    take_login(arena, options, out);
    return out->count > 0 || error_set(err, ERROR_CONFIG, "hosts is empty");
}

struct search_host *search_hosts_next(struct search_hosts *hosts, uint64_t now_ms)
{
    assert(hosts->count > 0);
    struct search_host *chosen = NULL;
    for (size_t i = 0; i < hosts->count; i++) {
        struct search_host *host = &hosts->items[(hosts->turn + i) % hosts->count];
        if (!chosen || (chosen->dead_until_ms > now_ms && host->dead_until_ms <= now_ms))
            chosen = host;
    }
    hosts->turn = (size_t)(chosen - hosts->items) + 1;
    return chosen;
}

void search_host_answered(struct search_host *host)
{
    host->failures = 0;
    host->dead_until_ms = 0;
}

/* Longer each time, as Elasticsearch's clients do. */
void search_host_failed(struct search_host *host, uint64_t now_ms)
{
    unsigned doublings = host->failures < DEAD_DOUBLINGS_MAX ? host->failures : DEAD_DOUBLINGS_MAX;
    host->failures++;
    host->dead_until_ms = now_ms + ((uint64_t)DEAD_MS << doublings);
}
