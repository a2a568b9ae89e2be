/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/elasticsearch.h"

#include <assert.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/time/clock.h"
#include "outputs/elasticsearch/bulk.h"
#include "outputs/elasticsearch/mapping_conflict.h"
#include "outputs/elasticsearch/refusal.h"
#include "outputs/outputs.h"
#include "pipeline/cloud_id.h"
#include "pipeline/engine/budget.h"

enum {
    CONNECT_TIMEOUT_MS = 10000,
    FAILURE_LINES = 3, /* for each FAILURE_WINDOW_MS */
    FAILURE_WINDOW_MS = 10000,
    CONFLICTS_MAX = 20, /* tries of a document, each with another field moved */
    CHANGED_EXTRA_BYTES = 64 * 1024 * 1024,
};

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
    const char *login = refusal_of_login(result->status);
    log_warn(output->env->log, login ? "login_refused" : "bulk_failed",
             login ? login : "documents were not taken and will be sent again",
             LOG_STR("host", host->name),
             LOG_STR_IF("user", login ? refusal_user(output) : STR("")),
             LOG_INT_IF("status", result->status), LOG_CSTR_IF("error", result->error),
             LOG_STR_IF("reason", detail), LOG_INT_IF("not_logged_before", held_back));
}

/* ---- groups --------------------------------------------------------------------------------------- */

static void send_bulk(struct bulk *bulk);

static void give_back_as(struct bulk *bulk, const struct send_result *result)
{
    struct group *group = bulk->group;
    assert(group && bulk->state != BULK_FREE);
    bulk->group = NULL;
    set_state(bulk, BULK_FREE);
    group_done(group, result);
}

static void give_back(struct bulk *bulk, enum send_cause cause, unsigned retry_after_ms,
                      struct str reason)
{
    give_back_as(bulk, &(struct send_result){cause, retry_after_ms, reason, .status = 0});
}

/* What waits for a server that answers, not for an answer. */
static void recall(void *self)
{
    struct elasticsearch *output = self;
    for (size_t i = 0; i < BULK_SLOTS_MAX; i++)
        if (output->bulks[i].state == BULK_HELD && group_waits_too_long(output->bulks[i].group))
            give_back(&output->bulks[i], SEND_STOPPED, 0, STR(""));
}

static void hold(struct bulk *bulk)
{
    set_state(bulk, BULK_HELD);
    elasticsearch_watch(bulk->output);
}

/* Sends it, or holds it when there is nobody to send it to. */
static void dispatch(struct bulk *bulk)
{
    struct elasticsearch *output = bulk->output;
    assert(bulk->group && group_count(bulk->group) > 0);
    bulk->host = elasticsearch_is_ready(output) ? hosts_next(&output->hosts) : NULL;
    if (bulk->host)
        send_bulk(bulk);
    else if (bulk->state != BULK_HELD)
        hold(bulk);
}

void elasticsearch_resume(struct elasticsearch *output)
{
    for (size_t i = 0; i < BULK_SLOTS_MAX; i++)
        if (output->bulks[i].state == BULK_HELD)
            dispatch(&output->bulks[i]);
}

/* ---- answers -------------------------------------------------------------------------------------- */

static void keep_item(void *ctx, size_t index, const struct bulk_item *item)
{
    struct elasticsearch *output = ctx;
    assert(index <= output->item_capacity);
    output->items = mem_grow(output->items, index, &output->item_capacity, sizeof *output->items);
    output->items[index] = *item;
}

/* Why the answer cannot be about this request; NULL: it is. An answer without items is one when it says that there were
 * no errors. */
static const char *misfit(const struct elasticsearch *output, const struct bulk_reply *reply,
                          size_t count)
{
    if (!reply->is_whole)
        return "the answer is not whole";
    if (!reply->has_items)
        return reply->has_errors_flag && !reply->errors ? NULL : "the answer names no document";
    if (reply->items != count)
        return reply->items < count ? "the answer does not name every document"
                                    : "the answer names more documents than were sent";
    for (size_t i = 0; i < count; i++)
        if (output->items[i].status == 0)
            return "the answer has a document without a status";
    return NULL;
}

/* Sends a document that does not fit the mapping again, changed so that it does. False: it is refused. */
static bool mend_conflict(struct bulk *bulk, size_t index, const struct bulk_item *item)
{
    struct elasticsearch *output = bulk->output;
    enum on_mapping_conflict how = (enum on_mapping_conflict)output->options.on_mapping_conflict;
    struct str field = how == MAPPING_DEAD_LETTER ? STR("") : mapping_conflict_field(item);
    if (field.len == 0 || group_attempts(bulk->group, index) >= CONFLICTS_MAX)
        return false;
    struct arena arena;
    struct buf changed;
    arena_init(&arena, NULL);
    buf_init(&changed, (size_t)output->options.bulk_max_bytes + CHANGED_EXTRA_BYTES);
    bool mended = mapping_conflict_move(output->env->json, &arena, how,
                                        group_item(bulk->group, index), field, &changed);
    if (mended) {
        group_answer_changed(bulk->group, index, buf_str(&changed));
        counter_add(output->mapping_conflicts, 1);
    }
    buf_release(&changed);
    arena_release(&arena);
    return mended;
}

/* The reason of the first item that is tried again, or "". */
static struct str answer_items(struct bulk *bulk, char first_reason[BULK_REASON_MAX])
{
    struct elasticsearch *output = bulk->output;
    struct str retried = STR("");
    assert(group_count(bulk->group) <= output->item_capacity); /* misfit() has compared them */
    for (size_t i = 0; i < group_count(bulk->group); i++) {
        const struct bulk_item *item = &output->items[i];
        char text[BULK_REASON_MAX];
        enum verdict verdict = retry_verdict(&output->verdicts, item->status, item->error_type);
        if (verdict == VERDICT_CONFLICT && group_item_has_own_id(bulk->group, i))
            verdict = VERDICT_DELIVERED; /* it got there before, and we did not hear of it */
        if (verdict == VERDICT_REFUSED && mend_conflict(bulk, i, item))
            continue;
        bool again = verdict == VERDICT_RETRY || verdict == VERDICT_HELD;
        bool explained = again ? group_gives_up(bulk->group, i) : verdict != VERDICT_DELIVERED;
        group_answer_status(bulk->group, i, item->status, verdict,
                            explained ? bulk_item_reason(item, text) : STR(""));
        if (again && retried.len == 0)
            retried = bulk_item_reason(item, first_reason);
    }
    return retried;
}

/* A 2xx. Nothing of it counts unless all of it fits: then the request is sent again. */
static void read_items(struct bulk *bulk, const struct http_result *result)
{
    struct elasticsearch *output = bulk->output;
    struct bulk_reply reply;
    bulk_reply_read(&output->tape, result->body, keep_item, output, &reply);
    const char *problem = misfit(output, &reply, group_count(bulk->group));
    if (problem) {
        log_failure(output, bulk->host, result, str_from(problem));
        give_back(bulk, SEND_UNREACHABLE, result->retry_after_ms, str_from(problem));
        return;
    }
    char text[BULK_REASON_MAX];
    struct str retried = STR("");
    if (reply.has_items)
        retried = answer_items(bulk, text);
    else
        group_answer_all(bulk->group, VERDICT_DELIVERED, STR(""));
    if (retried.len > 0)
        log_failure(output, bulk->host, result, retried);
    give_back(bulk, SEND_ANSWERED, result->retry_after_ms, STR(""));
}

/* What the server says of the request as a whole. */
static struct str reason_of(struct json_tape *tape, const struct http_result *result,
                            char out[BULK_REASON_MAX])
{
    struct bulk_reply reply;
    bulk_reply_read(tape, result->body, NULL, NULL, &reply);
    reply.failure.status = result->status;
    if (result->status == 413 && reply.failure.error_reason.len == 0)
        reply.failure.error_reason = STR("the document is larger than the server takes");
    return bulk_item_reason(&reply.failure, out);
}

/* The next server at once; when there is none left, the engine hears of it with the group's first failure. */
static void try_next_host(struct bulk *bulk, const struct http_result *result)
{
    elasticsearch_host_died(bulk->output, bulk->host, result->error);
    if (hosts_all_dead(&bulk->output->hosts))
        give_back(bulk, SEND_UNREACHABLE, 0, STR(""));
    else
        dispatch(bulk);
}

static void fail(struct bulk *bulk, const struct http_result *result, enum send_cause cause)
{
    char text[BULK_REASON_MAX];
    struct str reason = reason_of(&bulk->output->tape, result, text);
    if (cause != SEND_STOPPED && cause != SEND_TOO_LARGE)
        log_failure(bulk->output, bulk->host, result, reason);
    if (result->outcome == HTTP_TIMED_OUT)
        elasticsearch_host_died(bulk->output, bulk->host, result->error);
    give_back_as(bulk,
                 &(struct send_result){cause, result->retry_after_ms, reason,
                                       result->outcome == HTTP_ANSWERED ? result->status : 0});
}

/* What the user's rules say of the answer to a request as a whole; VERDICT_NONE: nothing. */
static enum verdict ruled(const struct bulk *bulk, const struct http_result *result)
{
    struct bulk_reply reply;
    if (result->outcome != HTTP_ANSWERED || result->status / 100 == 2)
        return VERDICT_NONE;
    bulk_reply_read(&bulk->output->tape, result->body, NULL, NULL, &reply);
    return retry_rule_verdict(&bulk->output->options.retry_rules, result->status,
                              reply.failure.error_type);
}

static void follow_rule(struct bulk *bulk, const struct http_result *result, enum verdict verdict)
{
    char text[BULK_REASON_MAX];
    if (verdict == VERDICT_HELD) {
        fail(bulk, result, SEND_FORBIDDEN);
    } else if (verdict == VERDICT_RETRY) {
        enum send_cause cause = bulk_judge(result);
        fail(bulk, result, cause == SEND_OVERLOADED ? cause : SEND_UNREACHABLE);
    } else {
        group_answer_all(bulk->group, verdict, reason_of(&bulk->output->tape, result, text));
        give_back(bulk, SEND_ANSWERED, result->retry_after_ms, STR(""));
    }
}

static void on_answer(void *ctx, const struct http_result *result)
{
    struct bulk *bulk = ctx;
    assert(bulk->state == BULK_SENT);
    enum verdict verdict = ruled(bulk, result);
    if (result->outcome == HTTP_NOT_CONNECTED)
        try_next_host(bulk, result);
    else if (verdict != VERDICT_NONE)
        follow_rule(bulk, result, verdict);
    else if (bulk_judge(result) == SEND_ANSWERED)
        read_items(bulk, result);
    else
        fail(bulk, result, bulk_judge(result));
}

static void send_bulk(struct bulk *bulk)
{
    if (bulk->state != BULK_SENT)
        set_state(bulk, BULK_SENT);
    struct http_request request = {
        .method = HTTP_POST,
        .url = bulk->host->bulk_url,
        .body = group_bytes(bulk->group),
        .headers = bulk->output->headers,
        .done = on_answer,
        .ctx = bulk,
    };
    http_client_send(bulk->output->client, &request);
}

/* ---- the plugin ----------------------------------------------------------------------------------- */

static enum encode_result encode(void *self, const struct event *event, struct arena *scratch,
                                 struct buf *out, struct error *err)
{
    struct elasticsearch *output = self;
    return bulk_encode(&output->encoder, event, scratch, out, err);
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
            give_back(&output->bulks[i], SEND_STOPPED, 0, STR(""));
}

static void close_output(void *self)
{
    struct elasticsearch *output = self;
    output->stopping = true;
    http_client_close(output->client);
    http_headers_free(output->headers);
    loop_timer_close(output->revival);
    setup_close(&output->setup);
    mem_free(output->items);
    json_tape_release(&output->tape);
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
        .charged = engine_account(env->engine, BUDGET_GROUPS),
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
    limits->retry_max_attempts = (unsigned)options->retry_max_attempts;
    limits->retry_max_age_ms = (unsigned)options->retry_max_age_ms;
    limits->max_in_flight = (unsigned)options->max_in_flight;
    assert(limits->max_in_flight <= BULK_SLOTS_MAX);
}

static void prepare_checks(struct elasticsearch *output)
{
    const struct elasticsearch_options *options = &output->options;
    struct str path = options->healthcheck_path.ptr ? options->healthcheck_path : STR("/");
    for (size_t i = 0; i < output->hosts.count; i++)
        output->hosts.items[i].check_url =
            hosts_url(output->env->arena, options, &output->hosts.items[i], path);
}

static bool open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct elasticsearch *output = self;
    (void)err;
    bulk_encoder_init(&output->encoder, &output->options, env);
    return true;
}

static void close_encoder(void *self)
{
    struct elasticsearch *output = self;
    bulk_encoder_release(&output->encoder);
}

static bool open_output(void *self, const struct plugin_env *env, struct output_limits *limits,
                        struct error *err)
{
    struct elasticsearch *output = self;
    output->env = env;
    output->mapping_conflicts = env->counter(env, "mapping_conflicts");
    output->verdicts = bulk_verdicts(env->arena, &output->options);
    output->failures = (struct log_limit){.window_ms = FAILURE_WINDOW_MS, .burst = FAILURE_LINES};
    if (!hosts_parse(env->arena, &output->options, &output->hosts, err) ||
        !setup_open(&output->setup, output, err))
        return false;
    output->revival = loop_timer_new(env->loop, elasticsearch_look_around, output);
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

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"port",
                                      "path",
                                      "bulk_path",
                                      "healthcheck_path",
                                      "parameters",
                                      "custom_headers",
                                      "timeout",
                                      "pool_max",
                                      "pool_max_per_route",
                                      "resurrect_delay",
                                      "retry_initial_interval",
                                      "retry_max_interval",
                                      "validate_after_inactivity",
                                      "sniffing",
                                      "sniffing_delay",
                                      "sniffing_path",
                                      "manage_template",
                                      "template",
                                      "template_name",
                                      "template_overwrite",
                                      "template_api",
                                      "legacy_template",
                                      "drop_error_types",
                                      "dlq_custom_codes",
                                      "retry",
                                      "retry_max_attempts",
                                      "retry_max_age",
                                      "on_mapping_conflict",
                                      "bulk_max_bytes",
                                      "target_bulk_bytes",
                                      "max_in_flight",
                                      "silence_errors_in_log",
                                      "failure_type_logging_whitelist",
                                      "cloud_id",
                                      "cloud_auth",
                                      "api_key",
                                      "auth_type",
                                      "compression_level",
                                      "http_compression",
                                      "tls_certificate",
                                      "tls_key",
                                      NULL};

const struct output output_elasticsearch = {
    .plugin = {.name = "elasticsearch",
               .summary = "documents to Elasticsearch or OpenSearch, by bulk requests",
               .options = elasticsearch_option_rows,
               .size = sizeof(struct elasticsearch),
               .shared_size = sizeof(struct elasticsearch_shared),
               .scope = SCOPE_LANE,
               .check = elasticsearch_check,
               .needs_provenance = elasticsearch_needs_provenance},
    .sent_by = SENT_BY,
    .open_encoder = open_encoder,
    .open = open_output,
    .encode = encode,
    .describe_item = elasticsearch_describe_item,
    .refuses = true,
    .carried_event = bulk_document,
    .send = send_group,
    .recall = recall,
    .stop = stop,
    .close = close_output,
    .close_encoder = close_encoder,
    .connect = elasticsearch_connect,
};

const struct output output_opensearch = {
    .plugin = {.name = "opensearch",
               .summary = "documents to OpenSearch, by bulk requests",
               .options = opensearch_option_rows,
               .size = sizeof(struct elasticsearch),
               .shared_size = sizeof(struct elasticsearch_shared),
               .scope = SCOPE_LANE,
               .check = opensearch_check,
               .needs_provenance = elasticsearch_needs_provenance},
    .sent_by = SENT_BY,
    .open_encoder = open_encoder,
    .open = open_output,
    .encode = encode,
    .describe_item = elasticsearch_describe_item,
    .refuses = true,
    .carried_event = bulk_document,
    .send = send_group,
    .recall = recall,
    .stop = stop,
    .close = close_output,
    .close_encoder = close_encoder,
    .connect = elasticsearch_connect,
};
