/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/mem.h"
#include "io/kafka_private.h"

enum { KAFKA_ERROR_BYTES = 256 };
static const char STATISTICS_MS[] = "2000"; /* for kafka_reach */

struct kafka_wake {
    uv_async_t async;
    void (*run)(void *ctx);
    void *ctx;
};

/* ---- properties ----------------------------------------------------------------------------------- */

struct kafka_conf *kafka_conf_new(void)
{
    struct kafka_conf *conf = mem_alloc(sizeof *conf);
    conf->rd = rd_kafka_conf_new();
    return conf;
}

void kafka_conf_free(struct kafka_conf *conf)
{
    if (!conf)
        return;
    rd_kafka_conf_destroy(conf->rd);
    mem_free(conf);
}

bool kafka_conf_set(struct kafka_conf *conf, const char *name, const char *value, struct error *err)
{
    char reason[KAFKA_ERROR_BYTES];
    if (rd_kafka_conf_set(conf->rd, name, value, reason, sizeof reason) == RD_KAFKA_CONF_OK)
        return true;
    return error_set(err, ERROR_CONFIG, "%s", reason);
}

/* ---- clients -------------------------------------------------------------------------------------- */

rd_kafka_t *kafka_client_new(rd_kafka_type_t type, const struct kafka_conf *conf, int events,
                             struct error *err)
{
    char reason[KAFKA_ERROR_BYTES];
    rd_kafka_conf_t *own = rd_kafka_conf_dup(conf->rd);
    rd_kafka_conf_set_events(own, events | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG |
                                      RD_KAFKA_EVENT_STATS);
    bool queued =
        rd_kafka_conf_set(own, "log.queue", "true", reason, sizeof reason) == RD_KAFKA_CONF_OK &&
        rd_kafka_conf_set(own, "statistics.interval.ms", STATISTICS_MS, reason, sizeof reason) ==
            RD_KAFKA_CONF_OK;
    assert(queued);
    (void)queued;
    rd_kafka_t *client = rd_kafka_new(type, own, reason, sizeof reason);
    if (client)
        return client;
    rd_kafka_conf_destroy(own);
    error_set(err, ERROR_CONFIG, "%s", reason);
    return NULL;
}

static void log_line(const struct log *log, rd_kafka_event_t *event)
{
    const char *facility, *text;
    int level;
    if (rd_kafka_event_log(event, &facility, &text, &level) != 0)
        return;
    /* What concerns us comes as an error too. */
    log_debug(log, "kafka_client", text, LOG_CSTR("facility", facility), LOG_INT("level", level));
}

void kafka_log_event(const struct log *log, struct log_limit *limit, uint64_t now_ms,
                     rd_kafka_event_t *event)
{
    uint64_t held_back;
    if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_LOG)
        log_line(log, event);
    else if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR &&
             log_limit_allow(limit, now_ms, &held_back))
        log_warn(log, "kafka_error", rd_kafka_event_error_string(event),
                 LOG_CSTR("code", rd_kafka_err2name(rd_kafka_event_error(event))),
                 LOG_INT_IF("not_logged_before", held_back));
}

/* ---- waking --------------------------------------------------------------------------------------- */

static void on_async(uv_async_t *async)
{
    struct kafka_wake *wake = async->data;
    wake->run(wake->ctx);
}

/* On any thread. */
static void on_queue_event(rd_kafka_t *client, void *ctx)
{
    struct kafka_wake *wake = ctx;
    (void)client;
    uv_async_send(&wake->async);
}

struct kafka_wake *kafka_wake_new(uv_loop_t *loop, void (*run)(void *ctx), void *ctx)
{
    struct kafka_wake *wake = mem_zero(1, sizeof *wake);
    int failed = uv_async_init(loop, &wake->async, on_async);
    if (failed)
        mem_abort("no descriptor to wake a loop with");
    wake->async.data = wake;
    uv_unref((uv_handle_t *)&wake->async);
    wake->run = run;
    wake->ctx = ctx;
    return wake;
}

void kafka_wake_again(struct kafka_wake *wake)
{
    uv_async_send(&wake->async);
}

void kafka_wake_watch(struct kafka_wake *wake, rd_kafka_queue_t *queue)
{
    rd_kafka_queue_cb_event_enable(queue, on_queue_event, wake);
    kafka_wake_again(wake);
}

void kafka_wake_unwatch(rd_kafka_queue_t *queue)
{
    rd_kafka_queue_cb_event_enable(queue, NULL, NULL);
}

static void on_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

void kafka_wake_close(struct kafka_wake *wake)
{
    if (wake)
        uv_close((uv_handle_t *)&wake->async, on_closed);
}
