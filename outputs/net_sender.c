/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/net_sender.h"

#include <assert.h>

#include "base/mem.h"
#include "io/tcp_sender.h"
#include "io/udp_sender.h"

enum {
    GROUP_ITEMS = 512,
    GROUP_BYTES = 1024 * 1024,
    FLUSH_MS = 5,
    RETRY_MAX_MS = 60 * 1000,
    UDP_RETRY_MS = 1000, /* a name that is not known */
    CONNECT_TIMEOUT_MS = 10 * 1000,
    LOG_WINDOW_MS = 10 * 1000,
    PACKED_MAX = 4 * 1024 * 1024,
};

struct net_sender {
    struct net_sender_options options;
    struct udp_sender *udp;
    struct tcp_sender *tcp;
    bool closing; /* the answer of what was stopped frees it */
    struct group *group;
    size_t next;       /* UDP: item */
    struct buf packed; /* UDP: its datagrams that have not gone */
    size_t sent;       /* bytes of packed that have gone */
    bool is_packed;
    struct log_limit log_limit;
};

static void give_back(struct net_sender *sender, const struct send_result *result)
{
    struct group *group = sender->group;
    sender->group = NULL;
    group_done(group, result);
}

static void answer_rest(struct net_sender *sender, struct str reason)
{
    for (size_t i = sender->next; i < group_count(sender->group); i++)
        group_answer(sender->group, i, VERDICT_RETRY, reason);
    give_back(sender, &(struct send_result){.cause = SEND_ANSWERED});
}

static void unreachable(struct net_sender *sender, const char *reason)
{
    uint64_t suppressed;
    if (log_limit_allow(&sender->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(sender->options.env->log, "destination_lost", "cannot send, trying again",
                 LOG_STR("host", sender->options.host), LOG_INT("port", sender->options.port),
                 LOG_CSTR("reason", reason), LOG_INT_IF("not_logged_before", suppressed));
    struct send_result result = {.cause = SEND_UNREACHABLE, .reason = str_from(reason)};
    if (sender->next == 0)
        give_back(sender, &result);
    else
        answer_rest(sender, result.reason);
}

/* ---- datagrams ------------------------------------------------------------------------------------ */

static bool pack(struct net_sender *sender, struct error *err)
{
    struct str item = group_item(sender->group, sender->next);
    buf_clear(&sender->packed, GROUP_BYTES);
    sender->sent = 0;
    if (sender->options.pack)
        return sender->options.pack(sender->options.ctx, item, &sender->packed, err);
    uint16_t len = (uint16_t)item.len;
    if (item.len > UINT16_MAX)
        return error_set(err, ERROR_LIMIT, "no datagram holds %zu bytes", item.len);
    return buf_append(&sender->packed, &len, sizeof len) && buf_append_str(&sender->packed, item);
}

/* The datagrams of one item. SENT: all have gone. */
static enum udp_sent send_item(struct net_sender *sender, struct error *err)
{
    if (!sender->is_packed && !pack(sender, err))
        return UDP_FAILED;
    sender->is_packed = true;
    while (sender->sent < sender->packed.len) {
        uint16_t len;
        const char *at = sender->packed.ptr + sender->sent;
        memcpy(&len, at, sizeof len);
        assert(sender->sent + sizeof len + len <= sender->packed.len);
        enum udp_sent sent =
            udp_sender_send(sender->udp, sender->options.port, str_make(at + sizeof len, len), err);
        if (sent != UDP_SENT)
            return sent;
        sender->sent += sizeof len + len;
    }
    return UDP_SENT;
}

static void send_datagrams(void *ctx)
{
    struct net_sender *sender = ctx;
    struct error err;
    if (!sender->group)
        return; /* stopped while it waited */
    for (; sender->next < group_count(sender->group); sender->next++) {
        enum udp_sent sent = send_item(sender, &err);
        if (sent == UDP_WAIT)
            return;
        sender->is_packed = false;
        if (sent == UDP_NO_HOST) {
            unreachable(sender, err.text);
            return;
        }
        /* What the system does not send now is gone, as in Logstash: nobody would hear of it anyway. */
        group_answer(sender->group, sender->next,
                     sent == UDP_SENT ? VERDICT_DELIVERED : VERDICT_REFUSED,
                     sent == UDP_SENT ? STR("") : str_from(err.text));
    }
    give_back(sender, &(struct send_result){.cause = SEND_ANSWERED});
}

/* ---- connections ---------------------------------------------------------------------------------- */

static void on_sent(void *ctx, enum tcp_sent sent, const char *reason)
{
    struct net_sender *sender = ctx;
    assert(sender->group && sender->next == 0);
    switch (sent) {
    case TCP_SENT:
        group_answer_all(sender->group, VERDICT_DELIVERED, STR(""));
        give_back(sender, &(struct send_result){.cause = SEND_ANSWERED});
        break;
    case TCP_FAILED:
        unreachable(sender, reason);
        break;
    case TCP_STOPPED:
        give_back(sender, &(struct send_result){.cause = SEND_STOPPED});
        break;
    }
    if (sender->closing)
        mem_free(sender);
}

/* ---- the sender ----------------------------------------------------------------------------------- */

static void open_udp(struct net_sender *sender, const char *host)
{
    struct udp_sender_options options = {
        .loop = sender->options.env->loop, .host = host, .wake = send_datagrams, .ctx = sender};
    sender->udp = udp_sender_new(&options);
    buf_init(&sender->packed, PACKED_MAX);
}

static void open_tcp(struct net_sender *sender, const char *host)
{
    struct tcp_sender_options options = {
        .loop = sender->options.env->loop,
        .host = host,
        .port = sender->options.port,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .keep_alive = true,
        .tls = sender->options.tls,
        .sent = on_sent,
        .ctx = sender,
    };
    sender->tcp = tcp_sender_new(&options);
}

struct net_sender *net_sender_new(const struct net_sender_options *options,
                                  struct output_limits *limits)
{
    struct net_sender *sender = mem_zero(1, sizeof *sender);
    const char *host = arena_cstr(options->env->arena, options->host);
    sender->options = *options;
    sender->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    *limits = (struct output_limits){
        .max_items = GROUP_ITEMS,
        .max_bytes = GROUP_BYTES,
        .max_in_flight = 1,
        .flush_ms = FLUSH_MS,
        .retry_initial_ms = options->is_udp ? UDP_RETRY_MS : options->reconnect_ms,
        .retry_max_ms = options->reconnect_ms > RETRY_MAX_MS ? options->reconnect_ms : RETRY_MAX_MS,
    };
    if (options->is_udp)
        open_udp(sender, host);
    else
        open_tcp(sender, host);
    return sender;
}

void net_sender_send(struct net_sender *sender, struct group *group)
{
    assert(!sender->group);
    sender->group = group;
    sender->next = 0;
    sender->is_packed = false;
    if (sender->udp)
        send_datagrams(sender);
    else
        tcp_sender_send(sender->tcp, group_bytes(group));
}

void net_sender_recall(struct net_sender *sender)
{
    if (!sender->group || !group_waits_too_long(sender->group))
        return;
    if (sender->tcp)
        tcp_sender_recall(sender->tcp);
    else if (sender->next == 0 && (!sender->is_packed || sender->sent == 0))
        give_back(sender, &(struct send_result){.cause = SEND_STOPPED});
}

void net_sender_stop(struct net_sender *sender)
{
    if (sender->tcp)
        tcp_sender_stop(sender->tcp); /* on_sent gives back what is under way */
    if (!sender->group || sender->tcp)
        return;
    if (sender->next == 0)
        give_back(sender, &(struct send_result){.cause = SEND_STOPPED});
    else
        answer_rest(sender, STR("the output stops"));
}

void net_sender_close(struct net_sender *sender)
{
    if (!sender)
        return;
    assert(!sender->group || sender->tcp);
    udp_sender_close(sender->udp);
    tcp_sender_close(sender->tcp);
    if (sender->options.is_udp)
        buf_release(&sender->packed);
    sender->closing = true;
    if (!sender->group)
        mem_free(sender);
}
