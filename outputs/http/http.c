/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/http/http.h"
#include "outputs/describe.h"

#include <assert.h>

#include "base/text/redact.h"
#include "base/time/clock.h"
#include "outputs/http/request.h"
#include "outputs/outputs.h"
#include "pipeline/engine/budget.h"

enum {
    REQUESTS_IN_FLIGHT = 50, /* at most, of all lanes; as many as the destination answers fast */
    SLOTS_MAX = 64,
    COMPRESSION_LEVEL = 6,
    RESPONSE_MAX_BYTES = 1024 * 1024,
    RETRY_INITIAL_MS = 1000,
    RETRY_MAX_MS = 60 * 1000,
    FAILURE_LINES = 3, /* for each FAILURE_WINDOW_MS */
    FAILURE_WINDOW_MS = 10000,
};

struct http_output;

/* A group under way. */
struct slot {
    struct http_output *output;
    struct group *group; /* NULL: free */
    struct str url;
    struct http_headers *headers; /* its own, or NULL */
    struct buf list;              /* json_batch: the body */
};

struct http_shared {
    atomic_bool hinted; /* the word about Alertmanager is said */
};

struct http_output {
    struct http_options options; /* first: bound */
    const struct plugin_env *env;
    struct http_client *client;
    struct http_headers *headers; /* of every request that has none of its own */
    struct request_encoder encoder;
    struct slot slots[SLOTS_MAX];
    struct log_limit failures;
    bool stopping;
};

/* ---- answers ------------------------------------------------------------------------------------- */

/* A URL may have a password, a token or fields of the event: the log shows neither. */
static struct str shown(struct str url, struct buf *out)
{
    buf_init(out, SIZE_MAX / 2);
    redact_url(url, out);
    return buf_str(out);
}

static void hint(struct http_output *output, struct str url, const struct http_result *result)
{
    struct http_shared *shared = output->env->shared;
    if (!request_is_alertmanager_refusal(url, result) ||
        atomic_exchange_explicit(&shared->hinted, true, memory_order_relaxed))
        return;
    struct buf text;
    struct str place = shown(url, &text);
    log_warn(
        output->env->log, "alertmanager_wants_a_list",
        "Alertmanager takes a bare JSON list of alerts, not an object around it: use format => "
        "\"json_batch\" with labels and annotations at the top of mapping, and /api/v2/alerts",
        LOG_STR("url", place));
    buf_release(&text);
}

static void log_retry(struct http_output *output, struct str url, const char *reason)
{
    uint64_t held_back;
    if (!log_limit_allow(&output->failures, clock_monotonic_ms(), &held_back))
        return;
    struct buf text;
    struct str place = shown(url, &text);
    log_warn(output->env->log, "request_failed", "a request failed and will be sent again",
             LOG_STR("url", place), LOG_CSTR("reason", reason),
             LOG_INT_IF("not_logged_before", held_back));
    buf_release(&text);
}

static bool was_sent(const struct group *group, struct str word)
{
    for (size_t i = 0; i < group_count(group); i++)
        if (str_find(group_item(group, i), word) != SIZE_MAX)
            return true;
    return false;
}

/* A word of the server's answer that the request had as well may be a value of an event: it becomes dots. */
static void hide_what_was_sent(const struct group *group, char reason[REQUEST_REASON_MAX])
{
    enum { WORD_MIN = 3 };
    static const char ENDS[] = " \t\r\n\"'.,:;()[]{}<>";
    for (char *at = strchr(reason, ':'); at && *at;) {
        at += strspn(at, ENDS);
        size_t len = strcspn(at, ENDS);
        if (len >= WORD_MIN && was_sent(group, str_make(at, len)))
            memset(at, '.', len);
        at += len;
    }
}

static void log_answer(struct http_output *output, struct str url, const struct http_result *result)
{
    enum { SHOWN_MAX_BYTES = 800 };
    struct str body = result->body;
    if (body.len > SHOWN_MAX_BYTES)
        body.len = SHOWN_MAX_BYTES;
    log_debug(output->env->log, "answer", "the server's answer", LOG_STR("url", url),
              LOG_INT("status", result->status), LOG_STR("body", body));
}

static void on_answer(void *ctx, const struct http_result *result)
{
    struct slot *slot = ctx;
    struct http_output *output = slot->output;
    char reason[REQUEST_REASON_MAX];
    enum verdict verdict = request_verdict(&output->encoder, result, reason);
    hint(output, slot->url, result);
    if (verdict != VERDICT_DELIVERED) {
        log_answer(output, slot->url, result);
        hide_what_was_sent(slot->group, reason);
    }
    if ((verdict == VERDICT_RETRY || verdict == VERDICT_HELD) && !output->stopping)
        log_retry(output, slot->url, reason);
    http_headers_free(slot->headers);
    slot->headers = NULL;
    struct group *group = slot->group;
    assert(group);
    slot->group = NULL;
    struct send_result sent = {.cause = request_cause(result, verdict, group_count(group)),
                               .retry_after_ms = result->retry_after_ms,
                               .reason = str_from(reason),
                               .status = result->outcome == HTTP_ANSWERED ? result->status : 0};
    if (sent.cause == SEND_ANSWERED)
        group_answer_all(group, verdict, verdict == VERDICT_DELIVERED ? STR("") : sent.reason);
    group_done(group, &sent);
}

/* ---- requests ------------------------------------------------------------------------------------ */

/* ",{…},{…}" to "[{…},{…}]" */
static struct str make_list(struct slot *slot)
{
    struct str items = group_bytes(slot->group);
    assert(items.len > 0 && items.ptr[0] == ',');
    slot->list.len = 0;
    bool fits = buf_append_char(&slot->list, '[') &&
                buf_append_str(&slot->list, str_from_offset(items, 1)) &&
                buf_append_char(&slot->list, ']');
    assert(fits);
    (void)fits;
    return buf_str(&slot->list);
}

static void send_group(void *self, struct group *group)
{
    struct http_output *output = self;
    struct slot *slot = output->slots;
    while (slot->group)
        slot++;
    assert(slot < output->slots + SLOTS_MAX && !slot->headers);
    slot->group = group;
    slot->url = output->options.url.text;
    struct http_request request = {
        .method = (enum http_method)output->options.method,
        .headers = output->headers,
        .done = on_answer,
        .ctx = slot,
    };
    if (output->options.format == HTTP_FORMAT_JSON_BATCH) {
        request.body = make_list(slot);
    } else {
        assert(group_count(group) == 1);
        struct request_item item = request_item_read(group_item(group, 0));
        request.body = item.body;
        if (item.url.len > 0)
            slot->url = item.url;
        if (output->encoder.header_count > 0)
            request.headers = slot->headers = request_headers(item.headers);
    }
    request.url = slot->url;
    http_client_send(output->client, &request);
}

static struct str carried_event(const void *self, struct str item)
{
    const struct http_output *output = self;
    return request_item_event(&output->encoder, item);
}

static uint32_t form(const void *self)
{
    const struct http_output *output = self;
    return request_form(&output->encoder);
}

static enum encode_result encode(void *self, const struct event *event, struct arena *scratch,
                                 struct buf *out, struct error *err)
{
    struct http_output *output = self;
    return request_encode(&output->encoder, event, scratch, out, err);
}

/* ---- the plugin ---------------------------------------------------------------------------------- */

static bool waits_too_long(const void *ctx)
{
    const struct slot *slot = ctx;
    return group_waits_too_long(slot->group);
}

/* What waits for a connection. */
static void recall(void *self)
{
    struct http_output *output = self;
    http_client_recall(output->client, waits_too_long);
}

static void stop(void *self)
{
    struct http_output *output = self;
    output->stopping = true;
    http_client_stop(output->client);
}

static void close_output(void *self)
{
    struct http_output *output = self;
    output->stopping = true;
    http_client_close(output->client);
    http_headers_free(output->headers);
    for (size_t i = 0; i < SLOTS_MAX; i++)
        buf_release(&output->slots[i].list);
}

static bool open_client(struct http_output *output, struct error *err)
{
    const struct http_options *options = &output->options;
    struct http_client_options client = {
        .max_response_bytes = RESPONSE_MAX_BYTES,
        .charged = engine_account(output->env->engine, BUDGET_GROUPS),
        .compression_level = options->http_compression ? COMPRESSION_LEVEL : 0,
    };
    if (!client_connection_apply(&options->connection, output->env, &client, err))
        return false;
    output->client = http_client_new(&client);
    return true;
}

static bool open_headers(struct http_output *output, struct error *err)
{
    output->headers = client_headers(&output->options.headers, err);
    if (!output->headers)
        return false;
    return !output->encoder.content_type.ptr ||
           http_headers_add(output->headers, STR("Content-Type"), output->encoder.content_type) ||
           error_set(err, ERROR_CONFIG, "content_type cannot be sent as a header");
}

static void set_limits(const struct http_output *output, struct output_limits *limits)
{
    int64_t pool_max = output->options.connection.pool_max;
    int64_t most = pool_max < SLOTS_MAX ? pool_max : SLOTS_MAX;
    limits->max_in_flight = most < REQUESTS_IN_FLIGHT ? (unsigned)most : REQUESTS_IN_FLIGHT;
    limits->retry_initial_ms = RETRY_INITIAL_MS;
    limits->retry_max_ms = RETRY_MAX_MS;
    limits->retry_max_attempts = (unsigned)output->options.retry_max_attempts;
    limits->retry_max_age_ms = (unsigned)output->options.retry_max_age_ms;
    if (output->options.format == HTTP_FORMAT_JSON_BATCH)
        return;
    limits->max_items = 1;
    limits->flush_ms = 0;
}

static bool open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct http_output *output = self;
    return request_encoder_init(&output->encoder, &output->options, env, err);
}

static bool open_output(void *self, const struct plugin_env *env, struct output_limits *limits,
                        struct error *err)
{
    struct http_output *output = self;
    output->env = env;
    output->failures = (struct log_limit){.window_ms = FAILURE_WINDOW_MS, .burst = FAILURE_LINES};
    for (size_t i = 0; i < SLOTS_MAX; i++) {
        output->slots[i].output = output;
        buf_init(&output->slots[i].list, SIZE_MAX / 2);
    }
    set_limits(output, limits);
    assert(limits->max_in_flight <= SLOTS_MAX);
    if (open_headers(output, err) && open_client(output, err))
        return true;
    close_output(output);
    return false;
}

static struct str describe_item(const void *self, struct str item, struct arena *arena,
                                struct value *object)
{
    static const char *const METHODS[] = {
        [HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
        [HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
    };
    const struct http_output *output = self;
    struct request_item parts = {.url = output->options.url.text, .body = item};
    bool is_batch = output->options.format == HTTP_FORMAT_JSON_BATCH;
    describe_text(arena, object, "method", str_from(METHODS[output->options.method]));
    if (is_batch)
        parts.body = str_from_offset(item, 1); /* the comma */
    else
        parts = request_item_read(item);
    describe_text(arena, object, "url", parts.url.len > 0 ? parts.url : output->options.url.text);
    describe_text(arena, object, "headers", parts.headers);
    if (is_batch)
        describe_text(arena, object, "body", STR("one of a JSON list"));
    return parts.body;
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {
    "url",           "http_method",     "headers",          "content_type", "http_compression",
    "retry_failed",  "retryable_codes", "ignorable_codes",  "retry",        "retry_max_attempts",
    "retry_max_age", "verify_ssl",      "follow_redirects", "pool_max",     "pool_max_per_route",
    "keepalive",     "cookies",         "client_cert",      "client_key",   NULL};

const struct output output_http = {
    .plugin = {.name = "http",
               .summary = "a request for each event, or for a group of events",
               .options = http_option_rows,
               .size = sizeof(struct http_output),
               .shared_size = sizeof(struct http_shared),
               .scope = SCOPE_LANE,
               .check = http_options_check},
    .sent_by = SENT_BY,
    .open_encoder = open_encoder,
    .open = open_output,
    .encode = encode,
    .describe_item = describe_item,
    .refuses = true,
    .carried_event = carried_event,
    .form = form,
    .item_event = request_form_event,
    .send = send_group,
    .recall = recall,
    .stop = stop,
    .close = close_output,
};
