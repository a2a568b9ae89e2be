/* SPDX-License-Identifier: Apache-2.0
 *
 * http_poller: asks URLs at intervals or at times, all of a round at once, and makes events of the answers.
 *
 *   WAITING ──due──▶ (memory? else HOLDING until resume) ──▶ ASKING ──last answer──▶ WAITING
 *
 * Whatever status an answer has, it is one; what brought none is an event with the tag _http_request_failure.
 */
#include <assert.h>

#include "inputs/http_poller/fields.h"
#include "inputs/inputs.h"
#include "inputs/schedule.h"
#include "pipeline/client_options.h"
#include "pipeline/engine/budget.h"
#include "pipeline/engine/stream.h"

enum {
    ADMITTED_BYTES = 256 * 1024,
    FIRST_MS = 10,
    URLS_MAX = 1000,
    MS_OF_SECOND = 1000,
};

struct poll {
    struct http_poller *poller;
    struct polled asked;
    struct http_headers *headers;
    struct http_client *client; /* with a login of its own; NULL: the poller's */
};

struct http_poller {
    struct client_connection connection;
    struct option_hash urls, schedule_option;
    struct field_ref target, metadata_target;
    int64_t max_response_bytes;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct origin origin;
    struct stream *stream;
    struct schedule_when when;
    struct schedule *schedule;
    struct http_client *client;
    struct poll *polls;
    size_t poll_count, asking;
    bool holding, stopped;
    uint64_t token;
    struct counter *requests, *failures;
};

/* What the codec makes of one answer. */
struct answer_sink {
    struct event_sink sink; /* first */
    const struct poll *poll;
    const struct http_result *result;
};

static struct http_poller *poller_of(struct origin *origin)
{
    return (struct http_poller *)(void *)((char *)origin - offsetof(struct http_poller, origin));
}

static void acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* it is asked again anyway */
    (void)token;
}

/* ---- answers -------------------------------------------------------------------------------------- */

static void emit(const struct poll *poll, const struct http_result *result, struct event *event)
{
    const struct http_poller *poller = poll->poller;
    http_poller_set_metadata(&poll->asked, result, poller->env->ecs != ECS_DISABLED,
                             &poller->metadata_target, event);
    stream_emit(poll->poller->stream, event);
}

static void on_decoded(struct event_sink *sink, struct event *decoded)
{
    const struct answer_sink *answer = (const struct answer_sink *)(const void *)sink;
    const struct field_ref *target = &answer->poll->poller->target;
    struct event *event = decoded;
    if (target->count > 0) {
        event = event_new(sink->arena);
        (void)event_set(event, target, decoded->fields, NULL);
    }
    emit(answer->poll, answer->result, event);
}

static void take_body(const struct poll *poll, const struct http_result *result)
{
    struct http_poller *poller = poll->poller;
    struct arena *arena = stream_arena(poller->stream);
    struct codec_instance *codec = stream_codec(poller->stream);
    struct answer_sink answer = {
        .sink = {.arena = arena, .emit = on_decoded}, .poll = poll, .result = result};
    if (result->body.len == 0) {
        emit(poll, result, event_new(arena));
        return;
    }
    codec->codec->decode(codec->self, arena_dup(arena, result->body), &answer.sink);
    if (codec->codec->flush)
        codec->codec->flush(codec->self, &answer.sink);
}

static void take_failure(const struct poll *poll, const struct http_result *result)
{
    struct http_poller *poller = poll->poller;
    struct event *event = event_new(stream_arena(poller->stream));
    counter_add(poller->failures, 1);
    http_poller_set_failure(&poll->asked, result, poller->env->ecs != ECS_DISABLED, event);
    event_add_tag(event, STR("_http_request_failure"));
    emit(poll, result, event);
}

static void on_answered(void *ctx, const struct http_result *result)
{
    const struct poll *poll = ctx;
    struct http_poller *poller = poll->poller;
    assert(poller->asking > 0);
    poller->asking--;
    if (result->outcome == HTTP_CANCELLED)
        return;
    if (result->outcome == HTTP_ANSWERED)
        take_body(poll, result);
    else
        take_failure(poll, result);
    if (stream_count(poller->stream) > 0)
        stream_hand_over(poller->stream, ++poller->token);
    if (poller->asking == 0)
        (void)schedule_done(poller->schedule);
}

/* ---- rounds --------------------------------------------------------------------------------------- */

static void ask_all(struct http_poller *poller)
{
    if (!stream_admit(poller->stream, ADMITTED_BYTES)) {
        poller->holding = true;
        return;
    }
    assert(poller->asking == 0 && !poller->stopped);
    poller->asking = poller->poll_count;
    counter_add(poller->requests, poller->poll_count);
    for (size_t i = 0; i < poller->poll_count; i++) {
        struct poll *poll = &poller->polls[i];
        struct http_request request = {
            .method = poll->asked.method,
            .url = poll->asked.url,
            .body = poll->asked.body,
            .headers = poll->headers,
            .wants_headers = true,
            .done = on_answered,
            .ctx = poll,
        };
        http_client_send(poll->client ? poll->client : poller->client, &request);
    }
}

static void run(void *ctx)
{
    ask_all(ctx);
}

static void resume(struct origin *origin)
{
    struct http_poller *poller = poller_of(origin);
    if (!poller->holding || poller->stopped)
        return;
    poller->holding = false;
    ask_all(poller);
}

/* ---- options -------------------------------------------------------------------------------------- */

static bool read_schedule(const struct option_hash *option, const struct plugin_env *env,
                          struct schedule_when *out, struct error *err)
{
    struct instant at;
    if (option->count != 1 || !option->pairs[0].value.text.ptr)
        return error_set(err, ERROR_CONFIG, "schedule needs exactly one of cron, every, at and in");
    struct str kind = option->pairs[0].key.text, value = option->pairs[0].value.text;
    *out = (struct schedule_when){.kind = SCHEDULE_ONCE};
    if (str_equal(kind, STR("cron"))) {
        out->kind = SCHEDULE_CRON;
        return cron_parse(value, &out->cron, err);
    }
    if (str_equal(kind, STR("every"))) {
        out->kind = SCHEDULE_EVERY;
        out->first_ms = FIRST_MS;
        if (schedule_duration(value, &out->every_ms))
            return true;
    } else if (str_equal(kind, STR("in"))) {
        if (schedule_duration(value, &out->first_ms))
            return true;
    } else if (str_equal(kind, STR("at"))) {
        if (instant_parse_iso8601(value, &at)) {
            struct instant now = env->now ? env->now() : clock_now(); /* in check() there is none */
            int64_t seconds = at.seconds - now.seconds;
            out->first_ms = seconds > 0 ? seconds * MS_OF_SECOND : 0;
            return true;
        }
    }
    return error_set(err, ERROR_CONFIG,
                     "schedule: '%.*s' => '%.*s' is none: cron, every => \"30s\", in => \"5m\" or "
                     "at => an ISO 8601 time",
                     STR_FMT(kind), STR_FMT(value));
}

static const struct conf_value *entry(const struct conf_value *hash, const char *name)
{
    for (size_t i = 0; i < hash->count; i++)
        if (str_equal(hash->pairs[i].key.text, str_from(name)))
            return &hash->pairs[i].value;
    return NULL;
}

static struct str text_of(const struct conf_value *hash, const char *name)
{
    const struct conf_value *value = hash ? entry(hash, name) : NULL;
    return value && value->text.ptr ? value->text : STR("");
}

static bool read_method(struct str name, enum http_method *out, struct error *err)
{
    for (size_t i = 0; http_poller_methods[i]; i++)
        if (name.len == 0 || str_equal_nocase(name, str_from(http_poller_methods[i]))) {
            *out = (enum http_method)i;
            return true;
        }
    return error_set(err, ERROR_CONFIG, "'%.*s' is no method", STR_FMT(name));
}

static bool append_query(const struct conf_value *query, struct buf *url)
{
    bool ok = true;
    for (size_t i = 0; ok && query && i < query->count; i++) {
        bool first = !memchr(url->ptr, '?', url->len);
        ok = buf_append_char(url, first ? '?' : '&') &&
             http_escape(query->pairs[i].key.text, url) && buf_append_char(url, '=') &&
             http_escape(query->pairs[i].value.text, url);
    }
    return ok;
}

static bool read_url(struct poll *poll, struct str url, const struct conf_value *query,
                     const struct plugin_env *env, struct error *err)
{
    struct buf whole;
    buf_init(&whole, 1024 * 1024);
    bool ok = buf_append_str(&whole, url) && append_query(query, &whole);
    poll->asked.url = arena_dup(env->arena, buf_str(&whole));
    buf_release(&whole);
    return (ok && client_url_is_valid(poll->asked.url)) ||
           error_set(err, ERROR_CONFIG, "'%.*s' is no URL of http or https", STR_FMT(url));
}

/* A login of its own needs a client of its own. */
static bool read_login(struct poll *poll, const struct conf_value *value,
                       const struct plugin_env *env, bool opens, struct error *err)
{
    const struct conf_value *auth = entry(value, "auth");
    struct client_connection own = poll->poller->connection;
    own.user = text_of(auth && auth->type == CONF_HASH ? auth : value, "user");
    own.password = text_of(auth && auth->type == CONF_HASH ? auth : value, "password");
    if (own.user.len == 0)
        return true;
    if (own.password.len == 0)
        return error_set(err, ERROR_CONFIG, "user needs password");
    if (!opens)
        return true;
    poll->client = client_connection_open(&own, env, (size_t)poll->poller->max_response_bytes,
                                          engine_account(env->engine, BUDGET_RECEIVE), err);
    return poll->client != NULL;
}

static bool read_request(struct poll *poll, const struct conf_value *value,
                         const struct plugin_env *env, bool opens, struct error *err)
{
    const struct conf_value *headers = entry(value, "headers");
    if (!read_method(text_of(value, "method"), &poll->asked.method, err) ||
        !read_url(poll, text_of(value, "url"), entry(value, "query"), env, err) ||
        !read_login(poll, value, env, opens, err))
        return false;
    poll->asked.body = text_of(value, "body");
    if (!headers || !opens)
        return true;
    struct option_hash pairs = {headers->pairs, headers->count};
    poll->headers = client_headers(&pairs, err);
    return poll->headers != NULL;
}

static bool read_polls(struct http_poller *poller, const struct plugin_env *env, bool opens,
                       struct error *err)
{
    if (poller->urls.count == 0 || poller->urls.count > URLS_MAX)
        return error_set(err, ERROR_CONFIG, "urls needs at least one URL, and at most %d",
                         URLS_MAX);
    poller->polls = arena_zero(env->arena, poller->urls.count * sizeof *poller->polls);
    for (size_t i = 0; i < poller->urls.count; i++) {
        struct poll *poll = &poller->polls[poller->poll_count++];
        const struct conf_pair *pair = &poller->urls.pairs[i];
        *poll = (struct poll){
            .poller = poller,
            .asked = {.name = pair->key.text, .host = env->settings->host_name},
        };
        bool ok = pair->value.type == CONF_HASH ? read_request(poll, &pair->value, env, opens, err)
                                                : read_url(poll, pair->value.text, NULL, env, err);
        if (!ok)
            return error_prefix(err, "urls: '%.*s'", STR_FMT(poll->asked.name));
    }
    return true;
}

/* ---- the input ------------------------------------------------------------------------------------ */

static bool http_poller_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct http_poller copy = *(struct http_poller *)self;
    struct schedule_when when;
    return client_connection_check(&copy.connection, err) &&
           read_schedule(&copy.schedule_option, env, &when, err) &&
           read_polls(&copy, env, false, err);
}

static bool http_poller_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct http_poller *poller = self;
    poller->env = env;
    poller->requests = env->counter(env, "requests");
    poller->failures = env->counter(env, "requests_failed");
    poller->origin = (struct origin){.acked = acked, .resume = resume};
    struct stream_options options = {
        .env = env,
        .origin = &poller->origin,
        .codec = poller->codec,
        .codec_default = "json",
    };
    if (!read_schedule(&poller->schedule_option, env, &poller->when, err))
        return false;
    poller->client =
        client_connection_open(&poller->connection, env, (size_t)poller->max_response_bytes,
                               engine_account(env->engine, BUDGET_RECEIVE), err);
    if (!poller->client || !read_polls(poller, env, true, err))
        return false;
    poller->stream = stream_open(&options, err);
    return poller->stream != NULL;
}

static bool http_poller_start(void *self, struct error *err)
{
    struct http_poller *poller = self;
    (void)err;
    poller->schedule = schedule_start(poller->env, &poller->when, run, poller);
    return true;
}

static void http_poller_stop(void *self)
{
    struct http_poller *poller = self;
    if (poller->stopped)
        return;
    poller->stopped = true;
    schedule_stop(poller->schedule);
    http_client_stop(poller->client);
    for (size_t i = 0; i < poller->poll_count; i++)
        if (poller->polls[i].client)
            http_client_stop(poller->polls[i].client);
    input_finished(poller->env);
}

static void http_poller_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct http_poller *poller = self;
    for (size_t i = 0; i < poller->poll_count; i++) {
        http_client_close(poller->polls[i].client);
        http_headers_free(poller->polls[i].headers);
    }
    http_client_close(poller->client);
    schedule_free(poller->schedule);
    stream_close(poller->stream);
    closed(ctx);
}

static const struct option http_poller_rows[] = {
    {
        .name = "urls",
        .doc = "Name => URL, or a hash of method, url, headers, body, query, user and password.",
        OPTION_IN_HASH(struct http_poller, urls),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "schedule",
        .doc = "When all are asked: { cron => \"…\" }, { every => \"30s\" }, { in => \"5m\" } or { "
               "at => "
               "an ISO 8601 time }.",
        OPTION_IN_HASH(struct http_poller, schedule_option),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "target",
        .doc = "Field that what is decoded goes below.",
        OPTION_IN_FIELD(struct http_poller, target),
    },
    {
        .name = "metadata_target",
        .doc = "Field that what is known of request and answer goes below.",
        OPTION_IN_FIELD(struct http_poller, metadata_target),
        .def = "@metadata",
    },
    {
        .name = "max_response_bytes",
        .doc = "Largest answer; a larger one is a failure.",
        OPTION_IN_BYTES(struct http_poller, max_response_bytes),
        .min = 1024,
        .max = 67108864,
        .def = "16 MiB",
    },
    {
        .name = "codec",
        .doc = "How a body becomes events; json when not given.",
        OPTION_IN_CODEC(struct http_poller, codec),
    },
    CLIENT_CONNECTION_OPTIONS(struct http_poller, connection),
    OPTION_END,
};

const struct input input_http_poller = {
    .plugin = {.name = "http_poller",
               .summary = "answers of URLs that are asked at intervals",
               .options = http_poller_rows,
               .size = sizeof(struct http_poller),
               .scope = SCOPE_PIPELINE,
               .check = http_poller_check},
    .open = http_poller_open,
    .start = http_poller_start,
    .stop = http_poller_stop,
    .close = http_poller_close,
    .codec_default = "json",
};
