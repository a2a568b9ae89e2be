/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_plain.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/base64.h"
#include "base/mem.h"
#include "io/http_by_curl.h"
#include "io/http_head.h"
#include "io/http_link.h"

enum { US_IN_MS = 1000 };

/* Who carries what goes there. */
enum origin_kind { ORIGIN_NEW, ORIGIN_PLAIN, ORIGIN_UNUSUAL };

struct http_origin_state {
    struct http_origin_state *next;
    enum origin_kind kind;
    struct buf url;     /* http://AUTHORITY/ and NUL */
    size_t connections; /* links, idle ones too */
    struct http_link *idle;
};

struct http_plain {
    struct http_client *client;
    struct http_origin_state *origins; /* the one last used is first */
    size_t origin_count;
    struct http_link *links;
    size_t connections, max_connections, max_host_connections; /* 0 of the last: any number */
    struct transfer *waiting, **waiting_end;
    uv_timer_t timer;
    uint64_t due_us; /* when the timer runs; 0: it does not */
    struct buf authorization, agent;
    bool follows, keeps_cookies;
    char received[HTTP_RECEIVE_BYTES];
};

struct http_client *http_plain_client(const struct http_plain *plain)
{
    return plain->client;
}

char *http_plain_receive_buffer(struct http_plain *plain)
{
    return plain->received;
}

const char *http_plain_origin_url(const struct http_origin_state *origin)
{
    return origin->url.ptr;
}

/* ---- origins ------------------------------------------------------------------------------------- */

static const struct str SCHEME = STR_INIT("http://");

static bool is_origin(const struct http_origin_state *origin, struct str authority)
{
    size_t len = origin->url.len - SCHEME.len - 2; /* without the slash and NUL */
    return str_equal(str_make(origin->url.ptr + SCHEME.len, len), authority);
}

/* NULL: there are too many. */
static struct http_origin_state *find_origin(struct http_plain *plain, struct str authority)
{
    struct http_origin_state **at = &plain->origins;
    while (*at && !is_origin(*at, authority))
        at = &(*at)->next;
    struct http_origin_state *origin = *at;
    if (!origin && plain->origin_count == HTTP_ORIGINS_MAX)
        return NULL;
    if (origin) {
        *at = origin->next;
    } else {
        origin = mem_zero(1, sizeof *origin);
        buf_init(&origin->url, SIZE_MAX / 2);
        buf_append_str(&origin->url, SCHEME);
        buf_append_str(&origin->url, authority);
        buf_append(&origin->url, "/", 2);
        plain->origin_count++;
    }
    origin->next = plain->origins;
    plain->origins = origin;
    return origin;
}

void http_plain_learn(struct http_origin_state *origin, bool was_plain)
{
    if (!was_plain)
        origin->kind = ORIGIN_UNUSUAL;
    else if (origin->kind == ORIGIN_NEW)
        origin->kind = ORIGIN_PLAIN;
}

/* ---- links --------------------------------------------------------------------------------------- */

static void drop_link(struct http_link *link)
{
    struct http_plain *plain = link->plain;
    assert(plain->connections > 0 && link->origin->connections > 0);
    plain->connections--;
    link->origin->connections--;
    if (link->previous)
        link->previous->next = link->next;
    else
        plain->links = link->next;
    if (link->next)
        link->next->previous = link->previous;
    http_link_close(link);
}

static void add_link(struct http_plain *plain, struct transfer *transfer)
{
    struct http_link *link = http_link_new(plain, transfer->origin, transfer);
    transfer->link = link;
    link->next = plain->links;
    if (link->next)
        link->next->previous = link;
    plain->links = link;
    plain->connections++;
    transfer->origin->connections++;
}

static void push_idle(struct http_link *link)
{
    link->is_reused = true;
    link->idle_next = link->origin->idle;
    link->origin->idle = link;
    uv_unref((uv_handle_t *)&link->poll);
}

static void remove_idle(struct http_link *link)
{
    struct http_link **at = &link->origin->idle;
    while (*at != link)
        at = &(*at)->idle_next;
    *at = link->idle_next;
}

void http_plain_lost_idle(struct http_link *link)
{
    remove_idle(link);
    drop_link(link);
}

/* The newest idle one that is sound; NULL. */
static struct http_link *take_idle(struct http_origin_state *origin)
{
    while (origin->idle) {
        struct http_link *link = origin->idle;
        if (http_link_is_sound(link)) {
            origin->idle = link->idle_next;
            return link;
        }
        http_plain_lost_idle(link);
    }
    return NULL;
}

/* Closes an idle link of another origin when there are as many as there may be. */
static bool make_room(struct http_plain *plain, const struct http_origin_state *origin)
{
    if (plain->max_host_connections > 0 && origin->connections >= plain->max_host_connections)
        return false;
    struct http_origin_state *other = plain->origins;
    while (plain->connections >= plain->max_connections && other) {
        if (other->idle)
            http_plain_lost_idle(other->idle);
        else
            other = other->next;
    }
    return plain->connections < plain->max_connections;
}

static bool start(struct http_plain *plain, struct transfer *transfer)
{
    struct http_link *link = transfer->tried_again ? NULL : take_idle(transfer->origin);
    if (link) {
        transfer->link = link;
        http_link_send(link, transfer);
        return true;
    }
    if (!make_room(plain, transfer->origin))
        return false;
    add_link(plain, transfer);
    return true;
}

/* ---- waiting ------------------------------------------------------------------------------------- */

static void wait_for_link(struct http_plain *plain, struct transfer *transfer)
{
    transfer->waiting_next = NULL;
    *plain->waiting_end = transfer;
    plain->waiting_end = &transfer->waiting_next;
}

static void remove_waiting(struct http_plain *plain, struct transfer *transfer)
{
    struct transfer **at = &plain->waiting;
    while (*at != transfer)
        at = &(*at)->waiting_next;
    *at = transfer->waiting_next;
    if (!*at)
        plain->waiting_end = at;
}

/* Each origin has its own limit, so one that cannot start does not stop those behind it. */
static void start_waiting(struct http_plain *plain)
{
    struct transfer **at = &plain->waiting;
    while (*at) {
        struct transfer *transfer = *at;
        if (start(plain, transfer))
            *at = transfer->waiting_next;
        else
            at = &transfer->waiting_next;
    }
    plain->waiting_end = at;
}

/* ---- time limits --------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static void look_at(struct http_plain *plain, uint64_t due_us)
{
    if (plain->due_us && plain->due_us <= due_us)
        return;
    uint64_t now_us = uv_hrtime() / 1000;
    plain->due_us = due_us;
    uv_update_time(plain->client->curl.loop);
    uv_timer_start(&plain->timer, on_timer, due_us > now_us ? (due_us - now_us) / US_IN_MS + 1 : 0,
                   0);
}

static void forget_link(struct http_plain *plain, struct transfer *transfer)
{
    struct http_link *link = transfer->link;
    transfer->link = NULL;
    if (!link) {
        remove_waiting(plain, transfer);
        return;
    }
    link->transfer = NULL;
    drop_link(link);
}

static void time_out(struct http_plain *plain, struct transfer *transfer)
{
    bool is_connected = transfer->link && transfer->link->fd >= 0;
    snprintf(transfer->error, sizeof transfer->error,
             "Operation timed out after %" PRIu64 " milliseconds with %zu bytes received",
             (uv_hrtime() / 1000 - transfer->started_us) / US_IN_MS, transfer->response.len);
    if (is_connected)
        transfer->status = transfer->link->reader.status;
    forget_link(plain, transfer);
    http_transfer_finished(transfer, is_connected ? HTTP_TIMED_OUT : HTTP_NOT_CONNECTED);
}

static void on_timer(uv_timer_t *timer)
{
    struct http_plain *plain = timer->data;
    struct http_client *client = plain->client;
    uint64_t now_us = uv_hrtime() / 1000, next_us = UINT64_MAX;
    plain->due_us = 0;
    for (struct transfer *transfer = client->active, *next; transfer; transfer = next) {
        next = transfer->next;
        if (transfer->is_plain && transfer->deadline_us <= now_us)
            time_out(plain, transfer);
        else if (transfer->is_plain && transfer->deadline_us < next_us)
            next_us = transfer->deadline_us;
    }
    if (next_us != UINT64_MAX)
        look_at(plain, next_us);
    start_waiting(plain);
    http_client_settle(client);
}

/* ---- requests ------------------------------------------------------------------------------------ */

static void write_head(struct http_plain *plain, struct transfer *transfer,
                       const struct http_plain_url *url, const struct http_header_lines *headers)
{
    const struct http_head_parts parts = {
        .method = transfer->request.method,
        .url = *url,
        .authorization = buf_str(&plain->authorization),
        .agent = buf_str(&plain->agent),
        .headers = headers,
        .compressed = transfer->is_compressed,
        .has_body = http_transfer_sends_body(transfer),
        .body_len = transfer->body.len,
    };
    http_head_write(&parts, &transfer->head);
}

bool http_plain_carry(struct http_plain *plain, struct transfer *transfer)
{
    const struct http_request *request = &transfer->request;
    const struct http_header_lines *headers =
        http_headers_lines(plain->client->easy_options, request->headers);
    struct http_plain_url url;
    if (!http_plain_url(request->url, &url))
        return false;
    struct http_origin_state *origin = transfer->origin = find_origin(plain, url.authority);
    bool needs_trial = plain->follows || plain->keeps_cookies;
    if (!origin || origin->kind == ORIGIN_UNUSUAL || headers->is_unusual ||
        (origin->kind == ORIGIN_NEW && needs_trial))
        return false;
    transfer->is_plain = true;
    transfer->tried_again = false;
    transfer->link = NULL;
    write_head(plain, transfer, &url, headers);
    uint64_t timeout_ms = http_transfer_timeout_ms(transfer);
    transfer->deadline_us = timeout_ms ? transfer->started_us + timeout_ms * US_IN_MS : UINT64_MAX;
    if (timeout_ms)
        look_at(plain, transfer->deadline_us);
    if (!start(plain, transfer))
        wait_for_link(plain, transfer);
    return true;
}

bool http_plain_has_left(const struct transfer *transfer)
{
    assert(transfer->is_plain);
    return transfer->link && transfer->link->fd >= 0;
}

void http_plain_stop(struct http_plain *plain, struct transfer *transfer)
{
    assert(transfer->is_plain);
    forget_link(plain, transfer);
}

static void give_to_curl(struct transfer *transfer)
{
    transfer->origin->kind = ORIGIN_UNUSUAL;
    transfer->is_plain = false;
    transfer->status = 0;
    transfer->retry_after_s = 0;
    transfer->response.len = transfer->headers.len = 0;
    http_by_curl_carry(transfer);
}

static bool is_redirect(const struct http_reader *answer)
{
    int status = answer->status;
    return answer->has_location &&
           (status == 301 || status == 302 || status == 303 || status == 307 || status == 308);
}

static void try_again(struct http_plain *plain, struct transfer *transfer)
{
    transfer->tried_again = true;
    transfer->response.len = transfer->headers.len = 0;
    if (!start(plain, transfer))
        wait_for_link(plain, transfer);
}

static void fail(struct transfer *transfer, enum http_outcome outcome, const char *error)
{
    if (error != transfer->error)
        http_transfer_set_error(transfer, error);
    http_transfer_finished(transfer, outcome);
}

void http_plain_ended(struct http_link *link, enum http_link_end end, const char *error)
{
    struct http_plain *plain = link->plain;
    struct transfer *transfer = link->transfer;
    assert(transfer && transfer->link == link && transfer->is_plain);
    const struct http_reader *answer = &link->reader;
    bool goes_on = end == LINK_ANSWERED && plain->follows && is_redirect(answer);
    if (end == LINK_ANSWERED && plain->keeps_cookies && answer->sets_cookie)
        transfer->origin->kind = ORIGIN_UNUSUAL;
    transfer->status = answer->status;
    transfer->retry_after_s = answer->retry_after_s;
    link->transfer = NULL;
    transfer->link = NULL;
    if (link->is_fit)
        push_idle(link);
    else
        drop_link(link);
    if (goes_on || end == LINK_UNUSUAL)
        give_to_curl(transfer);
    else if (end == LINK_ANSWERED)
        http_transfer_finished(transfer, HTTP_ANSWERED);
    else if (end == LINK_STALE && !transfer->tried_again)
        try_again(plain, transfer);
    else if (end == LINK_TOO_LARGE)
        fail(transfer, HTTP_TOO_LARGE, error);
    else
        fail(transfer, end == LINK_NOT_CONNECTED ? HTTP_NOT_CONNECTED : HTTP_BROKEN, error);
    start_waiting(plain);
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static void make_authorization(struct buf *out, const struct http_client_options *options)
{
    if (!options->user)
        return;
    struct arena arena;
    arena_init(&arena, NULL);
    buf_append_str(out, base64_credentials(&arena, str_from(options->user),
                                           str_from(options->password ? options->password : "")));
    arena_release(&arena);
}

struct http_plain *http_plain_new(struct http_client *client,
                                  const struct http_client_options *options)
{
    if (options->proxy || options->close_connections)
        return NULL;
    struct http_plain *plain = mem_zero(1, sizeof *plain);
    plain->client = client;
    plain->max_connections = options->max_connections;
    plain->max_host_connections = options->max_host_connections;
    plain->waiting_end = &plain->waiting;
    plain->follows = options->follow_redirects;
    plain->keeps_cookies = options->cookies;
    buf_init(&plain->authorization, SIZE_MAX / 2);
    buf_init(&plain->agent, SIZE_MAX / 2);
    make_authorization(&plain->authorization, options);
    if (options->user_agent)
        buf_append_str(&plain->agent, str_from(options->user_agent));
    uv_timer_init(client->curl.loop, &plain->timer);
    uv_unref((uv_handle_t *)&plain->timer); /* links keep the loop running */
    plain->timer.data = plain;
    curl_loop_hold(&client->curl);
    return plain;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct http_plain *plain = handle->data;
    curl_loop_let_go(&plain->client->curl);
}

void http_plain_close(struct http_plain *plain)
{
    assert(!plain->waiting);
    while (plain->links) {
        assert(!plain->links->transfer);
        drop_link(plain->links);
    }
    uv_close((uv_handle_t *)&plain->timer, on_timer_closed);
}

void http_plain_free(struct http_plain *plain)
{
    if (!plain)
        return;
    while (plain->origins) {
        struct http_origin_state *origin = plain->origins;
        plain->origins = origin->next;
        buf_release(&origin->url);
        mem_free(origin);
    }
    buf_release(&plain->authorization);
    buf_release(&plain->agent);
    mem_free(plain);
}
