/* SPDX-License-Identifier: Apache-2.0
 *
 * http_poller: asks URLs at intervals or at times, all of a round at once, and makes events of the answers.
 *
 *   WAITING ──due──▶ (memory? else HOLDING until resume) ──▶ ASKING ──last answer──▶ WAITING
 *
 * Whatever status an answer has, it is one; what brought none is an event with the tag _http_request_failure.
 */
#include <assert.h>

#include "inputs/inputs.h"
#include "inputs/schedule.h"
#include "pipeline/client_options.h"
#include "pipeline/engine/stream.h"

enum {
    ADMITTED_BYTES = 256 * 1024,
    FIRST_MS = 10,
    URLS_MAX = 1000,
    MS_OF_SECOND = 1000,
};

struct poll {
    struct http_poller *poller;
    struct str name, url;
    enum http_method method;
    struct str body;
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

static const struct field_ref FAILURE = FIELD_REF_TOP("http_request_failure");
static const struct field_ref ERROR_MESSAGE = FIELD_REF_BELOW("error", "message");
static const struct field_ref URL_FULL = FIELD_REF_BELOW("url", "full");
static const struct field_ref HOST_NAME = FIELD_REF_BELOW("host", "hostname");
static const struct field_ref DURATION = FIELD_REF_BELOW("event", "duration");
static const struct field_ref HTTP_REQUEST = FIELD_REF_BELOW("http", "request");

static const char *const METHODS[] = {"get", "head", "post", "put", "patch", "delete", NULL};

static struct http_poller *poller_of(struct origin *origin)
{
    return (struct http_poller *)(void *)((char *)origin - offsetof(struct http_poller, origin));
}

static void acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* it is asked again anyway */
    (void)token;
}

/* ---- fields --------------------------------------------------------------------------------------- */

static void put(struct arena *arena, struct value *object, const char *name, struct value value)
{
    value_object_set(arena, object, str_from(name), value);
}

static struct value text(struct arena *arena, struct str from)
{
    return value_str_dup(arena, from);
}

static struct str method_name(const struct poll *poll)
{
    return str_from(METHODS[poll->method]);
}

static struct value request_of(const struct poll *poll, struct arena *arena)
{
    struct value request = value_object_new(arena, 3);
    put(arena, &request, "method", value_str(method_name(poll)));
    put(arena, &request, "url", value_str(poll->url));
    if (poll->body.len > 0)
        put(arena, &request, "body", value_str(poll->body));
    return request;
}

static struct value headers_of(const struct http_result *result, struct arena *arena)
{
    struct value headers = value_object_new(arena, 8);
    struct str rest = result->headers, name, value;
    while (http_header_next(&rest, &name, &value)) {
        char *lower = arena_cstr(arena, name);
        for (size_t i = 0; i < name.len; i++)
            lower[i] = lower[i] >= 'A' && lower[i] <= 'Z' ? (char)(lower[i] + 'a' - 'A') : lower[i];
        value_object_set(arena, &headers, str_make(lower, name.len), text(arena, value));
    }
    return headers;
}

static const char *message_of(int status)
{
    static const struct {
        int status;
        const char *message;
    } MESSAGES[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Payload Too Large"},
        {422, "Unprocessable Entity"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof MESSAGES / sizeof *MESSAGES; i++)
        if (MESSAGES[i].status == status)
            return MESSAGES[i].message;
    return "";
}

static double seconds_of(const struct http_result *result)
{
    return (double)result->elapsed_us / 1e6;
}

static struct value plain_metadata(const struct poll *poll, const struct http_result *result,
                                   struct arena *arena)
{
    struct value object = value_object_new(arena, 8);
    put(arena, &object, "name", value_str(poll->name));
    put(arena, &object, "host", value_str(str_from(poll->poller->env->settings->host_name)));
    put(arena, &object, "request", request_of(poll, arena));
    put(arena, &object, "runtime_seconds", value_float(seconds_of(result)));
    if (result->outcome != HTTP_ANSWERED)
        return object;
    put(arena, &object, "code", value_int(result->status));
    put(arena, &object, "response_headers", headers_of(result, arena));
    put(arena, &object, "response_message", value_str(str_from(message_of(result->status))));
    put(arena, &object, "times_retried", value_int(0));
    return object;
}

/* elapsed_time_ns counts microseconds, as in Logstash. */
static struct value ecs_metadata(const struct poll *poll, const struct http_result *result,
                                 struct arena *arena)
{
    struct value host = value_object_new(arena, 1), request = value_object_new(arena, 4);
    struct value response = value_object_new(arena, 4), object = value_object_new(arena, 2);
    struct value poller = value_object_new(arena, 1), input = value_object_new(arena, 1);
    put(arena, &host, "hostname", value_str(str_from(poll->poller->env->settings->host_name)));
    put(arena, &request, "host", host);
    put(arena, &request, "name", value_str(poll->name));
    put(arena, &request, "original", request_of(poll, arena));
    put(arena, &request, "retry_count", value_int(0));
    put(arena, &response, "elapsed_time_ns", value_int((int64_t)result->elapsed_us));
    if (result->outcome == HTTP_ANSWERED) {
        put(arena, &response, "status_code", value_int(result->status));
        put(arena, &response, "headers", headers_of(result, arena));
        put(arena, &response, "status_message", value_str(str_from(message_of(result->status))));
    }
    put(arena, &object, "request", request);
    put(arena, &object, "response", response);
    put(arena, &poller, "http_poller", object);
    put(arena, &input, "input", poller);
    return input;
}

static void set_metadata(const struct poll *poll, const struct http_result *result,
                         struct event *event)
{
    const struct http_poller *poller = poll->poller;
    const struct field_ref *target = &poller->metadata_target;
    bool ecs = poller->env->ecs != ECS_DISABLED;
    struct value object =
        ecs ? ecs_metadata(poll, result, event->arena) : plain_metadata(poll, result, event->arena);
    if (target->count > 0) {
        (void)event_set(event, target, object, NULL);
        return;
    }
    for (size_t i = 0; i < value_object_count(&object); i++) {
        struct field_part part;
        const struct value *value = value_object_at(&object, i, &part.name);
        part = (struct field_part){.name = part.name};
        struct field_ref field = {
            .text = part.name, .root = FIELD_ROOT_METADATA, .parts = &part, .count = 1};
        (void)event_set(event, &field, *value, NULL);
    }
}

/* ---- answers -------------------------------------------------------------------------------------- */

static void emit(const struct poll *poll, const struct http_result *result, struct event *event)
{
    set_metadata(poll, result, event);
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

static void fail_plain(const struct poll *poll, const struct http_result *result,
                       struct event *event)
{
    struct arena *arena = event->arena;
    struct value failure = value_object_new(arena, 4);
    put(arena, &failure, "request", request_of(poll, arena));
    put(arena, &failure, "name", value_str(poll->name));
    put(arena, &failure, "error", text(arena, str_from(result->error)));
    put(arena, &failure, "backtrace", value_null());
    put(arena, &failure, "runtime_seconds", value_float(seconds_of(result)));
    (void)event_set(event, &FAILURE, failure, NULL);
}

static void fail_ecs(const struct poll *poll, const struct http_result *result, struct event *event)
{
    struct value request = value_object_new(event->arena, 1);
    put(event->arena, &request, "method", value_str(method_name(poll)));
    (void)event_set(event, &ERROR_MESSAGE, text(event->arena, str_from(result->error)), NULL);
    (void)event_set(event, &URL_FULL, value_str(poll->url), NULL);
    (void)event_set(event, &HOST_NAME, value_str(str_from(poll->poller->env->settings->host_name)),
                    NULL);
    (void)event_set(event, &DURATION, value_int((int64_t)result->elapsed_us), NULL);
    (void)event_set(event, &HTTP_REQUEST, request, NULL);
}

static void take_failure(const struct poll *poll, const struct http_result *result)
{
    struct http_poller *poller = poll->poller;
    struct event *event = event_new(stream_arena(poller->stream));
    counter_add(poller->failures, 1);
    if (poller->env->ecs == ECS_DISABLED)
        fail_plain(poll, result, event);
    else
        fail_ecs(poll, result, event);
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
    poller->asking = poller->poll_count;
    counter_add(poller->requests, poller->poll_count);
    for (size_t i = 0; i < poller->poll_count; i++) {
        struct poll *poll = &poller->polls[i];
        struct http_request request = {
            .method = poll->method,
            .url = poll->url,
            .body = poll->body,
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
    for (size_t i = 0; METHODS[i]; i++)
        if (name.len == 0 || str_equal_nocase(name, str_from(METHODS[i]))) {
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
    poll->url = arena_dup(env->arena, buf_str(&whole));
    buf_release(&whole);
    return (ok && client_url_is_valid(poll->url)) ||
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
    poll->client = client_connection_open(&own, env, (size_t)poll->poller->max_response_bytes, err);
    return poll->client != NULL;
}

static bool read_request(struct poll *poll, const struct conf_value *value,
                         const struct plugin_env *env, bool opens, struct error *err)
{
    const struct conf_value *headers = entry(value, "headers");
    if (!read_method(text_of(value, "method"), &poll->method, err) ||
        !read_url(poll, text_of(value, "url"), entry(value, "query"), env, err) ||
        !read_login(poll, value, env, opens, err))
        return false;
    poll->body = text_of(value, "body");
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
        *poll = (struct poll){.poller = poller, .name = pair->key.text};
        bool ok = pair->value.type == CONF_HASH ? read_request(poll, &pair->value, env, opens, err)
                                                : read_url(poll, pair->value.text, NULL, env, err);
        if (!ok)
            return error_prefix(err, "urls: '%.*s'", STR_FMT(poll->name));
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
        client_connection_open(&poller->connection, env, (size_t)poller->max_response_bytes, err);
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
};
