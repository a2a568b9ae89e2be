/* SPDX-License-Identifier: Apache-2.0
 *
 * alertmanager: events become alerts at one or more Alertmanagers (API v2).
 *
 * The encoders on the lanes make of an event its key (the labels of group_by), its labels and its annotations. The one
 * instance on the main lane keeps the alerts (alerts.h): an event is delivered when at least one Alertmanager knows its
 * alert. Events of an alert that is firing need no request; what they change (the count) goes with the next time that the
 * alert is told anyway, once a second at most for all of them together. Every request goes to all Alertmanagers, which
 * agree among themselves.
 */
#include <assert.h>

#include "outputs/alertmanager/alertmanager.h"
#include "outputs/describe.h"
#include "outputs/outputs.h"
#include "pipeline/engine/budget.h"

enum {
    GROUP_ITEMS = 1024,
    GROUP_BYTES = 4 * 1024 * 1024,
    FLUSH_MS = 100,
    BODY_BYTES_MAX = 64 * 1024 * 1024,
    ANSWER_BYTES_MAX = 64 * 1024,
    TICK_MS = 1000,
    RETRY_INITIAL_MS = 1000,
    RETRY_MAX_MS = 30 * 1000,
    FAILURE_WINDOW_MS = 10 * 1000,
};

/* ---- requests --------------------------------------------------------------------------------------- */

static uint64_t now_ms(const struct alertmanager *output)
{
    return uv_now(output->env->loop);
}

/* What an answer that is no success says of the destination. */
static enum send_cause cause_of(const struct http_result *result)
{
    if (result->outcome == HTTP_CANCELLED)
        return SEND_STOPPED;
    if (result->outcome == HTTP_TIMED_OUT)
        return SEND_OVERLOADED;
    if (result->outcome != HTTP_ANSWERED)
        return SEND_UNREACHABLE;
    switch (result->status) {
    case 400:
    case 422:
        return SEND_REJECTED;
    case 413:
        return SEND_TOO_LARGE;
    case 429:
    case 503:
        return SEND_OVERLOADED;
    default:
        return result->status < 500 ? SEND_FORBIDDEN : SEND_UNREACHABLE;
    }
}

/* Of several failures the one that an Alertmanager itself answered with says most. */
static void note_failure(struct telling *telling, const struct http_result *result)
{
    if (telling->reason[0] && result->outcome != HTTP_ANSWERED)
        return;
    struct str body = label_cut(result->body, REASON_BYTES_MAX / 2);
    if (result->outcome == HTTP_ANSWERED)
        snprintf(telling->reason, sizeof telling->reason, "status %d: %.*s", result->status,
                 STR_FMT(body));
    else
        snprintf(telling->reason, sizeof telling->reason, "%s", result->error);
    telling->result = (struct send_result){
        .cause = cause_of(result),
        .retry_after_ms = result->retry_after_ms,
        .reason = str_from(telling->reason),
        .status = result->outcome == HTTP_ANSWERED ? result->status : 0,
    };
}

static void log_failure(struct alertmanager *output, const struct telling *telling)
{
    uint64_t held_back;
    if (output->stopping || !log_limit_allow(&output->failures, clock_monotonic_ms(), &held_back))
        return;
    log_warn(output->env->log, "alerts_not_told",
             telling->told ? "an Alertmanager could not be told; another one was"
                           : "no Alertmanager could be told; trying again",
             LOG_CSTR("reason", telling->reason), LOG_INT_IF("not_logged_before", held_back));
}

static void on_answer(void *ctx, const struct http_result *result)
{
    struct telling *telling = ctx;
    bool taken = result->outcome == HTTP_ANSWERED && result->status / 100 == 2;
    assert(telling->open > 0);
    if (taken)
        telling->told = true;
    else
        note_failure(telling, result);
    if (--telling->open > 0)
        return;
    if (telling->reason[0])
        log_failure(telling->output, telling);
    telling->done(telling);
}

static void tell(struct telling *telling)
{
    struct alertmanager *output = telling->output;
    assert(telling->open == 0 && telling->body.len > 0);
    telling->told = false;
    telling->reason[0] = 0;
    telling->open = output->hosts.count;
    for (size_t i = 0; i < output->hosts.count; i++) {
        struct http_request request = {
            .method = HTTP_POST,
            .url = output->urls[i],
            .body = buf_str(&telling->body),
            .headers = output->headers,
            .done = on_answer,
            .ctx = telling,
        };
        counter_add(output->requests, 1);
        http_client_send(output->client, &request);
    }
}

/* ---- alerts that are due ---------------------------------------------------------------------------- */

static void start_timer(struct alertmanager *output)
{
    if (output->alerts.count > 0 && !output->stopping && !loop_timer_is_set(output->timer))
        loop_timer_start(output->timer, TICK_MS);
}

static void on_due_told(struct telling *telling)
{
    struct alertmanager *output = telling->output;
    alerts_told_due(&output->alerts, now_ms(output), telling->told);
    buf_clear(&telling->body, 0);
    start_timer(output);
}

/* Not while the alerts of events are being told: then those know best. */
static void on_tick(void *ctx)
{
    struct alertmanager *output = ctx;
    struct telling *telling = &output->for_due;
    if (telling->open > 0 || output->stopping)
        return;
    if (!output->group &&
        alerts_write_due(&output->alerts, now_ms(output), output->env->now(), &telling->body) > 0)
        tell(telling);
    start_timer(output);
}

/* ---- groups of events ------------------------------------------------------------------------------- */

static void on_events_told(struct telling *telling)
{
    struct alertmanager *output = telling->output;
    struct group *group = output->group;
    assert(group);
    output->group = NULL;
    buf_clear(&telling->body, 0);
    if (telling->told) {
        alerts_confirm(&output->alerts, now_ms(output));
        start_timer(output);
        group_answer_all(group, VERDICT_DELIVERED, STR(""));
        group_answered(group);
    } else {
        alerts_undo(&output->alerts);
        group_done(group, &telling->result);
    }
}

static void send_group(void *self, struct group *group)
{
    struct alertmanager *output = self;
    struct instant now = output->env->now();
    bool known = true;
    assert(!output->group);
    for (size_t i = 0; i < group_count(group); i++) {
        struct alert_event event = alertmanager_read_item(group_item(group, i));
        known = alerts_raise(&output->alerts, &event, now_ms(output), now) && known;
    }
    if (known) {
        alerts_confirm(&output->alerts, now_ms(output));
        group_answer_all(group, VERDICT_DELIVERED, STR(""));
        group_answered(group);
        return;
    }
    output->group = group;
    bool fits = alerts_write_untold(&output->alerts, now_ms(output), now, &output->for_events.body);
    assert(fits); /* no more than the group's bytes and what each alert has besides */
    (void)fits;
    tell(&output->for_events);
}

/* ---- opening ---------------------------------------------------------------------------------------- */

static bool alertmanager_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    return alertmanager_read_texts(self, env, err);
}

static bool open_client(struct alertmanager *output, struct error *err)
{
    struct arena *arena = output->env->arena;
    struct http_client_options client = {
        .loop = output->env->loop,
        .max_connections = 2 * ALERTMANAGERS_MAX,
        .max_host_connections = 2,
        .connect_timeout_ms = (unsigned)output->connect_timeout_ms,
        .timeout_ms = (unsigned)output->request_timeout_ms,
        .max_response_bytes = ANSWER_BYTES_MAX,
        .charged = engine_account(output->env->engine, BUDGET_GROUPS),
        .user_agent = "millrace/" MILLRACE_VERSION,
        .user = client_cstr(arena, output->user),
        .password = client_cstr(arena, output->password),
        .proxy = client_cstr(arena, output->proxy),
        .connect_to = output->env->settings->connect_to,
    };
    if (!client_tls_apply(&output->tls, arena, &client, err))
        return false;
    output->client = http_client_new(&client);
    output->headers = http_headers_new();
    return http_headers_add(output->headers, STR("Content-Type"), STR("application/json"));
}

static void open_telling(struct alertmanager *output, struct telling *telling,
                         void (*done)(struct telling *telling))
{
    *telling = (struct telling){.output = output, .done = done};
    buf_init(&telling->body, BODY_BYTES_MAX);
}

static bool alertmanager_open(void *self, const struct plugin_env *env,
                              struct output_limits *limits, struct error *err)
{
    struct alertmanager *output = self;
    output->env = env;
    output->failures = (struct log_limit){.window_ms = FAILURE_WINDOW_MS, .burst = 1};
    *limits = (struct output_limits){
        .max_items = GROUP_ITEMS,
        .max_bytes = GROUP_BYTES,
        .max_in_flight = 1,
        .flush_ms = FLUSH_MS,
        .retry_initial_ms = RETRY_INITIAL_MS,
        .retry_max_ms = RETRY_MAX_MS,
    };
    if (!alertmanager_open_urls(output, env, err) || !alertmanager_read_texts(output, env, err) ||
        !open_client(output, err))
        return false;
    struct alert_rules rules = {
        .resolve_after_ms = (uint64_t)output->resolve_after_ms,
        .resend_ms = (uint64_t)output->resend_ms,
        .new_per_second = (unsigned)output->max_per_second,
        .max_alerts = (size_t)output->max_alerts,
        .storm_labels = alertmanager_storm_labels(output, env),
        .count_name = output->count_annotation,
        .generator = output->generator_url,
    };
    alerts_init(&output->alerts, &rules);
    open_telling(output, &output->for_events, on_events_told);
    open_telling(output, &output->for_due, on_due_told);
    output->timer = loop_timer_new(env->loop, on_tick, output);
    output->requests = env->counter(env, "requests");
    return true;
}

static bool waits_too_long(const void *ctx)
{
    const struct telling *telling = ctx;
    const struct alertmanager *output = telling->output;
    return telling == &output->for_events && group_waits_too_long(output->group);
}

/* What waits for a connection. */
static void alertmanager_recall(void *self)
{
    struct alertmanager *output = self;
    if (output->group)
        http_client_recall(output->client, waits_too_long);
}

static void alertmanager_stop(void *self)
{
    struct alertmanager *output = self;
    output->stopping = true;
    loop_timer_stop(output->timer);
    http_client_stop(output->client);
}

static void alertmanager_close(void *self)
{
    struct alertmanager *output = self;
    output->stopping = true;
    http_client_close(output->client);
    http_headers_free(output->headers);
    loop_timer_close(output->timer);
    buf_release(&output->for_events.body);
    buf_release(&output->for_due.body);
    alerts_release(&output->alerts);
}

static struct str describe_item(const void *self, struct str item, struct arena *arena,
                                struct value *object)
{
    const struct alertmanager *output = self;
    struct alert_event event = alertmanager_read_item(item);
    describe_hosts(arena, object, &output->hosts);
    return arena_printf(arena, "{\"labels\":%.*s,\"annotations\":%.*s}", STR_FMT(event.labels),
                        STR_FMT(event.annotations));
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"resolve_after", "resend_interval", "max_per_second",
                                      "max_alerts",    "storm_alertname", NULL};

const struct output output_alertmanager = {
    .plugin = {.name = "alertmanager",
               .summary = "alerts at one or more Alertmanagers",
               .options = alertmanager_options,
               .size = sizeof(struct alertmanager),
               .scope = SCOPE_PIPELINE,
               .check = alertmanager_check},
    .sent_by = SENT_BY,
    .open_encoder = alertmanager_open_encoder,
    .open = alertmanager_open,
    .encode = alertmanager_encode,
    .describe_item = describe_item,
    .refuses = true,
    .send = send_group,
    .recall = alertmanager_recall,
    .stop = alertmanager_stop,
    .close = alertmanager_close,
};
