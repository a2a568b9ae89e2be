/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/elasticsearch.h"

#include <assert.h>

#include "base/base64.h"
#include "base/time/clock.h"
#include "outputs/elasticsearch/bulk.h"
#include "outputs/elasticsearch/cloud_id.h"
#include "outputs/outputs.h"

enum {
    CONNECT_TIMEOUT_MS = 10000,
    FAILURE_LINES = 3, /* for each FAILURE_WINDOW_MS */
    FAILURE_WINDOW_MS = 10000,
};

static void send_piece(struct bulk *bulk);

static void set_state(struct bulk *bulk, enum bulk_state state)
{
    assert(bulk->state != state);
    assert((state == BULK_FREE) == (bulk->group == NULL));
    bulk->state = state;
}

static void log_failure(struct elasticsearch *output, const struct host *host,
                        const struct http_result *result, struct str detail)
{
    uint64_t held_back;
    if (!log_limit_allow(&output->failures, clock_monotonic_ms(), &held_back))
        return;
    log_warn(output->env->log, "bulk_failed", "documents were not taken, they are sent again",
             LOG_STR("host", host->name), LOG_INT("status", result->status),
             LOG_CSTR("error", result->error), LOG_STR("detail", detail),
             LOG_INT("not_logged_before", held_back));
}

/* ---- groups --------------------------------------------------------------------------------------- */

static void give_back(struct bulk *bulk, unsigned retry_after_ms, bool shrink)
{
    struct group *group = bulk->group;
    bulk->group = NULL;
    set_state(bulk, BULK_FREE);
    group_done(group, retry_after_ms, shrink);
}

/* The items from `at` on are to be sent again later. */
static void give_back_rest(struct bulk *bulk, unsigned retry_after_ms, bool shrink)
{
    for (size_t i = bulk->at; i < group_count(bulk->group); i++)
        group_answer(bulk->group, i, VERDICT_RETRY, STR(""));
    give_back(bulk, retry_after_ms, shrink);
}

static void hold(struct bulk *bulk)
{
    set_state(bulk, BULK_HELD);
    elasticsearch_watch(bulk->output);
}

/* Sends the next piece, or holds it when there is nobody to send it to. */
static void dispatch(struct bulk *bulk)
{
    assert(bulk->at < group_count(bulk->group));
    struct elasticsearch *output = bulk->output;
    bulk->host = elasticsearch_is_ready(output) ? hosts_next(&output->hosts) : NULL;
    if (bulk->host)
        send_piece(bulk);
    else if (bulk->state != BULK_HELD)
        hold(bulk);
}

void elasticsearch_resume(struct elasticsearch *output)
{
    for (size_t i = 0; i < BULK_SLOTS_MAX; i++)
        if (output->bulks[i].state == BULK_HELD)
            dispatch(&output->bulks[i]);
}

struct item_reading {
    struct bulk *bulk;
    size_t extra;            /* items of the answer that no item of ours belongs to */
    struct str retry_reason; /* of the first item that is tried again; in reason */
    char reason[BULK_REASON_MAX];
};

static void on_item(void *ctx, size_t index, const struct bulk_item *item)
{
    struct item_reading *reading = ctx;
    struct bulk *bulk = reading->bulk;
    if (index >= bulk->count) {
        reading->extra++;
        return;
    }
    enum verdict verdict = bulk_item_verdict(&bulk->output->options, item);
    char reason[BULK_REASON_MAX];
    group_answer(bulk->group, bulk->at + index, verdict,
                 verdict == VERDICT_DELIVERED ? STR("") : bulk_item_reason(item, reason));
    if (verdict != VERDICT_RETRY)
        return;
    bulk->overloaded |= item->status == 429 || item->status == 503;
    if (reading->retry_reason.len == 0)
        reading->retry_reason = bulk_item_reason(item, reading->reason);
}

static void answer_range(struct bulk *bulk, size_t from, enum verdict verdict, struct str reason)
{
    for (size_t i = from; i < bulk->count; i++)
        group_answer(bulk->group, bulk->at + i, verdict, reason);
}

/* A 2xx. Items without an answer are sent again, unless the server says that there were no errors and was not asked
 * for the items. */
static void read_items(struct bulk *bulk, const struct http_result *result)
{
    struct item_reading reading = {.bulk = bulk};
    struct bulk_reply reply;
    bulk_reply_read(result->body, on_item, &reading, &reply);
    size_t answered = reply.items < bulk->count ? reply.items : bulk->count;
    if (reading.retry_reason.len > 0)
        log_failure(bulk->output, bulk->host, result, reading.retry_reason);
    bool all_went_well =
        reply.is_whole && reply.has_errors_flag && !reply.errors && !reply.has_items;
    if (answered < bulk->count && !all_went_well)
        log_failure(bulk->output, bulk->host, result,
                    reply.is_whole ? STR("the answer does not name every document")
                                   : STR("the answer is not whole"));
    else if (reading.extra > 0)
        log_failure(bulk->output, bulk->host, result,
                    STR("the answer names more documents than were sent"));
    answer_range(bulk, answered, all_went_well ? VERDICT_DELIVERED : VERDICT_RETRY, STR(""));
    bulk->at += bulk->count;
}

static void refuse_one(struct bulk *bulk, const struct http_result *result)
{
    struct bulk_reply reply;
    struct item_reading reading = {.bulk = bulk, .extra = 0};
    bulk->count = 0; /* no item of this answer is ours */
    bulk_reply_read(result->body, on_item, &reading, &reply);
    char text[BULK_REASON_MAX];
    reply.failure.status = result->status;
    if (result->status == 413 && reply.failure.error_reason.len == 0)
        reply.failure.error_reason = STR("the document is larger than the server takes");
    group_answer(bulk->group, bulk->at, VERDICT_REFUSED, bulk_item_reason(&reply.failure, text));
    bulk->at++;
}

static size_t piece_bytes(const struct bulk *bulk, size_t count)
{
    struct str first = group_item(bulk->group, bulk->at);
    struct str last = group_item(bulk->group, bulk->at + count - 1);
    return (size_t)(last.ptr + last.len - first.ptr);
}

static void split(struct bulk *bulk, const struct http_result *result)
{
    if (bulk->count == 1) {
        refuse_one(bulk, result);
        return;
    }
    if (result->status == 413 && piece_bytes(bulk, bulk->count) / 2 < bulk->output->piece_max_bytes)
        bulk->output->piece_max_bytes = piece_bytes(bulk, bulk->count) / 2;
    bulk->piece_max = bulk->count / 2;
}

static struct str head_of(struct str body)
{
    enum { SHOWN_BYTES = 300 };
    return str_make(body.ptr, body.len < SHOWN_BYTES ? body.len : SHOWN_BYTES);
}

/* Goes on with the next piece, or gives the group back after the last. */
static void go_on(struct bulk *bulk)
{
    if (bulk->at < group_count(bulk->group))
        dispatch(bulk);
    else
        give_back(bulk, bulk->retry_after_ms, bulk->overloaded);
}

static void fail(struct bulk *bulk, const struct http_result *result, bool overloaded)
{
    if (result->outcome != HTTP_CANCELLED)
        log_failure(bulk->output, bulk->host, result, head_of(result->body));
    if (result->outcome == HTTP_TIMED_OUT)
        elasticsearch_host_died(bulk->output, bulk->host, result->error);
    give_back_rest(bulk, result->retry_after_ms, overloaded);
}

/* The next server at once; when there is none left, the engine hears of it with the group's first failure. */
static void try_next_host(struct bulk *bulk, const struct http_result *result)
{
    elasticsearch_host_died(bulk->output, bulk->host, result->error);
    if (hosts_all_dead(&bulk->output->hosts))
        give_back_rest(bulk, 0, false);
    else
        dispatch(bulk);
}

static void on_answer(void *ctx, const struct http_result *result)
{
    struct bulk *bulk = ctx;
    assert(bulk->state == BULK_SENT);
    if (result->retry_after_ms > bulk->retry_after_ms)
        bulk->retry_after_ms = result->retry_after_ms;
    switch (bulk_judge(result)) {
    case BULK_ITEMS:
        read_items(bulk, result);
        go_on(bulk);
        break;
    case BULK_SPLIT:
        split(bulk, result);
        go_on(bulk);
        break;
    case BULK_AGAIN:
        fail(bulk, result, false);
        break;
    case BULK_OVERLOAD:
        fail(bulk, result, true);
        break;
    case BULK_NEXT_HOST:
        try_next_host(bulk, result);
        break;
    }
}

/* How many items from `at` on go into one request. */
static size_t piece_count(const struct bulk *bulk)
{
    size_t left = group_count(bulk->group) - bulk->at;
    size_t count = bulk->piece_max > 0 && bulk->piece_max < left ? bulk->piece_max : left;
    while (count > 1 && piece_bytes(bulk, count) > bulk->output->piece_max_bytes)
        count = (count + 1) / 2;
    return count;
}

static void send_piece(struct bulk *bulk)
{
    if (bulk->state != BULK_SENT)
        set_state(bulk, BULK_SENT);
    bulk->count = piece_count(bulk);
    struct str first = group_item(bulk->group, bulk->at);
    struct http_request request = {
        .method = HTTP_POST,
        .url = bulk->host->bulk_url,
        .body = str_make(first.ptr, piece_bytes(bulk, bulk->count)),
        .headers = bulk->output->headers,
        .done = on_answer,
        .ctx = bulk,
    };
    http_client_send(bulk->output->client, &request);
}

/* ---- the plugin ----------------------------------------------------------------------------------- */

static enum encode_result encode(void *self, const struct event *event, struct buf *out,
                                 struct error *err)
{
    struct elasticsearch *output = self;
    return bulk_encode(&output->encoder, event, out, err);
}

static void send_group(void *self, struct group *group)
{
    struct elasticsearch *output = self;
    struct bulk *bulk = output->bulks;
    while (bulk->state != BULK_FREE)
        bulk++;
    assert(bulk < output->bulks + BULK_SLOTS_MAX);
    *bulk = (struct bulk){.output = output, .state = BULK_FREE, .group = group};
    dispatch(bulk);
}

static void stop(void *self)
{
    struct elasticsearch *output = self;
    output->stopping = true;
    loop_timer_stop(output->revival);
    http_client_stop(output->client);
    for (size_t i = 0; i < BULK_SLOTS_MAX; i++)
        if (output->bulks[i].state == BULK_HELD)
            give_back_rest(&output->bulks[i], 0, false);
}

static void close_output(void *self)
{
    struct elasticsearch *output = self;
    output->stopping = true;
    http_client_close(output->client);
    http_headers_free(output->headers);
    loop_timer_close(output->revival);
    setup_close(&output->setup);
    bulk_encoder_release(&output->encoder);
}

static bool open_headers(struct elasticsearch *output, struct error *err)
{
    const struct elasticsearch_options *options = &output->options;
    output->headers = client_headers(&options->custom_headers, err);
    if (!output->headers)
        return false;
    http_headers_add(output->headers, STR("Content-Type"), STR("application/json"));
    if (!options->api_key.ptr)
        return true;
    struct arena *arena = output->env->arena;
    struct str key = memchr(options->api_key.ptr, ':', options->api_key.len)
                         ? base64_encode(arena, options->api_key)
                         : options->api_key;
    struct str value = arena_printf(arena, "ApiKey %.*s", STR_FMT(key));
    return http_headers_add(output->headers, STR("Authorization"), value) ||
           error_set(err, ERROR_CONFIG, "api_key has a character that a header cannot hold");
}

static bool open_client(struct elasticsearch *output, struct error *err)
{
    const struct elasticsearch_options *options = &output->options;
    const struct plugin_env *env = output->env;
    struct http_client_options client = {
        .loop = env->loop,
        .max_connections = (unsigned)options->pool_max,
        .max_host_connections = (unsigned)options->pool_max_per_route,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = (unsigned)options->timeout_ms,
        .max_response_bytes = HTTP_RESPONSE_MAX_BYTES,
        .compression_level = (int)options->compression_level,
        .user_agent = "millrace/" MILLRACE_VERSION,
        .user = client_cstr(env->arena, output->hosts.user),
        .password = client_cstr(env->arena, output->hosts.password),
        .proxy = client_cstr(env->arena, options->proxy),
        .connect_to = env->settings->connect_to,
    };
    if (!client_tls_apply(&options->tls, env->arena, &client, err))
        return false;
    output->client = http_client_new(&client);
    return true;
}

static void set_limits(const struct elasticsearch *output, struct output_limits *limits)
{
    const struct elasticsearch_options *options = &output->options;
    limits->max_bytes = (size_t)options->bulk_max_bytes;
    limits->retry_initial_ms = (unsigned)options->retry_initial_ms;
    limits->retry_max_ms = (unsigned)options->retry_max_ms;
    if (limits->max_in_flight > BULK_SLOTS_MAX)
        limits->max_in_flight = BULK_SLOTS_MAX;
}

static void prepare_checks(struct elasticsearch *output)
{
    const struct elasticsearch_options *options = &output->options;
    struct str path = options->healthcheck_path.ptr ? options->healthcheck_path : STR("/");
    for (size_t i = 0; i < output->hosts.count; i++)
        output->hosts.items[i].check_url =
            hosts_url(output->env->arena, options, &output->hosts.items[i], path);
}

static bool open_output(void *self, const struct plugin_env *env, struct output_limits *limits,
                        struct error *err)
{
    struct elasticsearch *output = self;
    output->env = env;
    output->piece_max_bytes = SIZE_MAX;
    output->failures = (struct log_limit){.window_ms = FAILURE_WINDOW_MS, .burst = FAILURE_LINES};
    if (!hosts_parse(env->arena, &output->options, &output->hosts, err) ||
        !setup_open(&output->setup, output, err))
        return false;
    output->revival = loop_timer_new(env->loop, elasticsearch_look_around, output);
    bulk_encoder_init(&output->encoder, &output->options, env);
    if (!open_headers(output, err) || !open_client(output, err)) {
        close_output(output);
        return false;
    }
    set_limits(output, limits);
    prepare_checks(output);
    if (env->primary)
        setup_start(&output->setup);
    return true;
}

const struct output output_elasticsearch = {
    .plugin = {.name = "elasticsearch",
               .summary = "documents to Elasticsearch or OpenSearch, by bulk requests",
               .options = elasticsearch_option_rows,
               .size = sizeof(struct elasticsearch),
               .shared_size = sizeof(struct elasticsearch_shared),
               .scope = SCOPE_LANE,
               .check = elasticsearch_check},
    .open = open_output,
    .encode = encode,
    .send = send_group,
    .stop = stop,
    .close = close_output,
    .connect = elasticsearch_connect,
};

const struct output output_opensearch = {
    .plugin = {.name = "opensearch",
               .summary = "documents to OpenSearch, by bulk requests",
               .options = opensearch_option_rows,
               .size = sizeof(struct elasticsearch),
               .shared_size = sizeof(struct elasticsearch_shared),
               .scope = SCOPE_LANE,
               .check = opensearch_check},
    .open = open_output,
    .encode = encode,
    .send = send_group,
    .stop = stop,
    .close = close_output,
    .connect = elasticsearch_connect,
};
