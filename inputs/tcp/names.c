/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of clients' addresses: /etc/hosts, then DNS. Each lane asks by itself, from its first client on.
 */
#include <stdio.h>

#include "base/mem.h"
#include "inputs/tcp/tcp.h"
#include "io/hosts_file.h"
#include "io/resolver.h"

enum { NAMES_TIMEOUT_MS = 500, NAMES_RETRIES = 2 };

struct names {
    struct server_lane *lane;
    struct hosts_file hosts;
    bool has_hosts;
    struct resolver *resolver; /* NULL: it could not be made */
};

static void settle(struct tcp_connection *connection)
{
    struct lookup *lookup = connection->lookup;
    if (lookup->state == LOOKUP_FOUND && lookup->answer.len > 0)
        snprintf(connection->source.name, sizeof connection->source.name, "%.*s",
                 STR_FMT(lookup->answer));
    lookup_unref(lookup);
    connection->lookup = NULL;
}

static void on_answered(void *ctx)
{
    struct names *names = ctx;
    struct server_connection *next;
    for (struct server_connection *at = names->lane->connections; at; at = next) {
        struct tcp_connection *connection = (struct tcp_connection *)(void *)at;
        next = at->next;
        if (!at->is_open || !connection->lookup || connection->lookup->state == LOOKUP_PENDING)
            continue;
        settle(connection);
        if (!at->ended)
            tcp_connection_start(connection);
    }
}

static struct names *names_of(struct server_lane *lane)
{
    if (lane->shared)
        return lane->shared;
    struct names *names = mem_zero(1, sizeof *names);
    struct error err;
    names->lane = lane;
    names->has_hosts = hosts_file_read(&names->hosts, "/etc/hosts", NULL);
    struct resolver_options options = {
        .hosts = &names->hosts,
        .host_count = names->has_hosts,
        .ndots = 1,
        .timeout_ms = NAMES_TIMEOUT_MS,
        .retries = NAMES_RETRIES,
        .answered = on_answered,
        .ctx = names,
    };
    names->resolver = resolver_new(lane_loop(lane->lane), &options, &err);
    if (!names->resolver)
        log_warn(lane->server->options.env->log, "names_failed",
                 "names of clients cannot be looked up: their addresses stand for them",
                 LOG_CSTR("reason", err.text));
    lane->shared = names;
    return names;
}

bool names_ask(struct tcp_connection *connection)
{
    struct names *names = names_of(connection->base.home);
    if (!names->resolver || !connection->source.ip[0])
        return true;
    connection->lookup =
        resolver_ask(names->resolver, LOOKUP_NAME, str_from(connection->source.ip));
    if (!connection->lookup) /* too many are asked for */
        return true;
    if (connection->lookup->state == LOOKUP_PENDING)
        return false;
    settle(connection);
    return true;
}

void names_forget(struct tcp_connection *connection)
{
    if (connection->lookup)
        lookup_unref(connection->lookup);
    connection->lookup = NULL;
}

void names_end_lane(struct server_lane *lane)
{
    struct names *names = lane->shared;
    if (!names)
        return;
    if (names->resolver)
        resolver_close(names->resolver);
    if (names->has_hosts)
        hosts_file_release(&names->hosts);
    mem_free(names);
    lane->shared = NULL;
}
