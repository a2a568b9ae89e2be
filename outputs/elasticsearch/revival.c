/* SPDX-License-Identifier: Apache-2.0
 *
 * Which servers are dead, and asking them whether they live again; on the lanes that do not set up, also looking whether
 * the one that does is ready.
 */
#include <assert.h>

#include "outputs/elasticsearch/elasticsearch.h"

enum { READY_POLL_MS = 20 };

bool elasticsearch_is_ready(const struct elasticsearch *output)
{
    const struct elasticsearch_shared *shared = output->env->shared;
    return atomic_load_explicit(&shared->ready, memory_order_acquire);
}

void elasticsearch_host_died(struct elasticsearch *output, struct host *host, const char *why)
{
    assert(host >= output->hosts.items && host < output->hosts.items + output->hosts.count);
    if (host->dead)
        return;
    host->dead = true;
    if (!output->stopping)
        log_warn(output->env->log, "host_dead", "a server cannot be reached",
                 LOG_STR("host", host->name), LOG_CSTR("error", why));
    elasticsearch_watch(output);
}

static void on_checked(void *ctx, const struct http_result *result)
{
    struct host *host = ctx;
    struct elasticsearch *output = host->output;
    assert(host->checking);
    host->checking = false;
    if (output->stopping)
        return;
    if (host->dead && result->outcome == HTTP_ANSWERED && result->status < 500 &&
        result->status != 429) {
        host->dead = false;
        log_info(output->env->log, "host_alive", "a server answers again",
                 LOG_STR("host", host->name));
        elasticsearch_resume(output);
    }
    elasticsearch_watch(output);
}

static void check_host(struct elasticsearch *output, struct host *host)
{
    assert(host->dead && !host->checking);
    host->output = output;
    struct http_request request = {
        .method = HTTP_GET,
        .url = host->check_url,
        .headers = output->headers,
        .done = on_checked,
        .ctx = host,
    };
    host->checking = true;
    http_client_send(output->client, &request);
}

static bool waits_for_another_lane(const struct elasticsearch *output)
{
    if (output->env->primary || elasticsearch_is_ready(output))
        return false;
    for (size_t i = 0; i < BULK_SLOTS_MAX; i++)
        if (output->bulks[i].state == BULK_HELD)
            return true;
    return false;
}

static bool any_dead(const struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (hosts->items[i].dead)
            return true;
    return false;
}

void elasticsearch_watch(struct elasticsearch *output)
{
    if (output->stopping || loop_timer_is_set(output->revival))
        return;
    if (waits_for_another_lane(output))
        loop_timer_start(output->revival, READY_POLL_MS);
    else if (any_dead(&output->hosts))
        loop_timer_start(output->revival, (uint64_t)output->options.resurrect_delay_ms);
}

void elasticsearch_look_around(void *ctx)
{
    struct elasticsearch *output = ctx;
    assert(!output->stopping);
    if (elasticsearch_is_ready(output))
        elasticsearch_resume(output);
    for (size_t i = 0; i < output->hosts.count; i++) {
        struct host *host = &output->hosts.items[i];
        if (host->dead && !host->checking)
            check_host(output, host);
    }
    elasticsearch_watch(output);
}
