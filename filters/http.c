/* SPDX-License-Identifier: Apache-2.0
 *
 * http: asks a server about each event and puts the answer into it. The requests of a slice are under way at once.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "filters/filters.h"
#include "filters/http_calls.h"
#include "pipeline/engine/budget.h"
#include "pipeline/event/value_conf.h"
#include "pipeline/program/evaluate.h"

enum { LOG_WINDOW_MS = 10000, URL_MAX_BYTES = 64 * 1024, BODY_MAX_BYTES = 1024 * 1024 * 1024 };

enum body_format { BODY_TEXT, BODY_JSON };

struct http_filter {
    struct template url;
    int verb; /* enum http_method */
    struct option_hash headers, query;
    const struct conf_value *body;
    int body_format;
    struct field_ref target_body, target_headers;
    struct option_strings tag_on_request_failure, tag_on_json_failure;
    struct client_connection connection;

    const struct plugin_env *env;
    struct http_calls calls;
    struct counter *failures;
    struct log_limit log_limit;
};

/* In the order of enum http_method. */
static const char *const VERBS[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", NULL};
static const char *const FORMATS[] = {"text", "json", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "url",
        .doc = "Where to ask.",
        OPTION_IN_TEMPLATE(struct http_filter, url),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "verb",
        .doc = "The method of the requests.",
        OPTION_IN_CHOICE(struct http_filter, verb),
        .choices = VERBS,
        .def = "GET",
    },
    {
        .name = "headers",
        .doc = "Headers of the requests; names and values take %{}.",
        OPTION_IN_HASH(struct http_filter, headers),
    },
    {
        .name = "query",
        .doc = "Parameters behind the URL; names and values take %{}.",
        OPTION_IN_HASH(struct http_filter, query),
    },
    {
        .name = "body",
        .doc = "What is sent: a text, a list or a hash; every text in it takes %{}.",
        OPTION_IN_VALUE(struct http_filter, body),
    },
    {
        .name = "body_format",
        .doc = "Whether the body is sent as it is or as JSON.",
        OPTION_IN_CHOICE(struct http_filter, body_format),
        .choices = FORMATS,
        .def = "text",
    },
    {
        .name = "target_body",
        .doc = "Field for the answer's body. Default: [body]; with ECS it has to be given.",
        OPTION_IN_FIELD(struct http_filter, target_body),
    },
    {
        .name = "target_headers",
        .doc = "Field for the answer's headers. Default: [headers]; with ECS "
               "[@metadata][filter][http][response][headers].",
        OPTION_IN_FIELD(struct http_filter, target_headers),
    },
    {
        .name = "tag_on_request_failure",
        .doc = "Tags of an event whose request failed or was not answered with 2xx.",
        OPTION_IN_STRINGS(struct http_filter, tag_on_request_failure),
        .def = "_httprequestfailure",
    },
    {
        .name = "tag_on_json_failure",
        .doc = "Tags of an event whose answer says that it is JSON, and is not.",
        OPTION_IN_STRINGS(struct http_filter, tag_on_json_failure),
        .def = "_jsonparsefailure",
    },
    CLIENT_CONNECTION_OPTIONS(struct http_filter, connection),
    OPTION_END,
};

/* ---- opening -------------------------------------------------------------------------------------- */

static bool default_field(const struct plugin_env *env, const char *text, struct field_ref *out,
                          struct error *err)
{
    return field_ref_is_given(out) ||
           field_ref_parse(env->arena, str_from(text), env->settings->escape, out, err);
}

static bool http_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct http_filter *self = plugin;
    if (env->ecs != ECS_DISABLED && !field_ref_is_given(&self->target_body))
        return error_set(err, ERROR_CONFIG, "target_body is needed with ECS compatibility");
    return client_connection_check(&self->connection, err);
}

static bool http_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct http_filter *self = plugin;
    bool ecs = env->ecs != ECS_DISABLED;
    self->env = env;
    self->failures = env->counter(env, "failures");
    self->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    if (!default_field(env, "[body]", &self->target_body, err) ||
        !default_field(env, ecs ? "[@metadata][filter][http][response][headers]" : "[headers]",
                       &self->target_headers, err))
        return false;
    struct http_client *client =
        client_connection_open(&self->connection, env, env->settings->max_event_bytes,
                               engine_account(env->engine, BUDGET_FILTERS), err);
    if (client)
        http_calls_init(&self->calls, env, client);
    return client;
}

static void http_close(void *plugin)
{
    struct http_filter *self = plugin;
    http_calls_close(&self->calls);
}

/* ---- requests ------------------------------------------------------------------------------------- */

struct asking {
    const struct http_filter *self;
    const struct event *event;
    struct arena *arena;
    bool raised; /* a text could not be made, where Logstash raises */
};

static struct str text_of(struct asking *asking, struct str text)
{
    struct template template;
    struct str made = text;
    if (str_find(text, STR("%{")) == SIZE_MAX)
        return text;
    template_parse(asking->arena, text, asking->self->env->settings->escape, &template);
    if (!template_text(&template, asking->event, asking->arena, &made))
        asking->raised = true;
    return made;
}

/* The value with every text in it, names too, made for this event. Its depth is the parser's. */
static struct value value_of(struct asking *asking, const struct conf_value *value)
{
    struct arena *arena = asking->arena;
    if (value->type == CONF_ARRAY) {
        struct value list = value_array_new(arena, value->count);
        for (size_t i = 0; i < value->count; i++)
            value_array_push(arena, &list, value_of(asking, &value->items[i]));
        return list;
    }
    if (value->type == CONF_HASH) {
        struct value object = value_object_new(arena, value->count);
        for (size_t i = 0; i < value->count; i++)
            value_object_set(arena, &object, text_of(asking, value->pairs[i].key.text),
                             value_of(asking, &value->pairs[i].value));
        return object;
    }
    if (value->type == CONF_STRING || value->type == CONF_BAREWORD)
        return value_str(text_of(asking, value->text));
    return value_from_conf(arena, value);
}

static bool append_query(struct asking *asking, struct buf *url)
{
    const struct option_hash *query = &asking->self->query;
    bool has_query = memchr(url->ptr, '?', url->len);
    for (size_t i = 0; i < query->count; i++) {
        struct value value = value_of(asking, &query->pairs[i].value);
        if (!buf_append_char(url, has_query ? '&' : '?') ||
            !http_escape(text_of(asking, query->pairs[i].key.text), url) ||
            !buf_append_char(url, '=') || !http_escape(value_to_text(asking->arena, &value), url))
            return false;
        has_query = true;
    }
    return true;
}

static bool make_url(struct asking *asking, struct buf *url)
{
    struct str text;
    if (!template_text(&asking->self->url, asking->event, asking->arena, &text))
        return false;
    return client_append_url(text, url) && append_query(asking, url);
}

static bool make_body(struct asking *asking, struct buf *body)
{
    const struct conf_value *given = asking->self->body;
    if (!given)
        return true;
    struct value value = value_of(asking, given);
    bool is_tree = value_type(&value) == VALUE_ARRAY || value_type(&value) == VALUE_OBJECT;
    return is_tree ? json_encode_value(&value, body)
                   : buf_append_str(body, value_to_text(asking->arena, &value));
}

static struct http_headers *make_headers(struct asking *asking)
{
    const struct http_filter *self = asking->self;
    const struct option_hash *given = &self->headers;
    struct http_headers *headers = http_headers_new();
    bool has_type = false;
    for (size_t i = 0; i < given->count; i++) {
        struct value value = value_of(asking, &given->pairs[i].value);
        struct str name = text_of(asking, given->pairs[i].key.text);
        has_type |= str_equal_nocase(name, STR("content-type"));
        if (!http_headers_add(headers, name, value_to_text(asking->arena, &value)))
            asking->raised = true;
    }
    if (!has_type)
        http_headers_add(headers, STR("content-type"),
                         self->body_format == BODY_JSON ? STR("application/json")
                                                        : STR("text/plain"));
    return headers;
}

/* NULL: a text of the request could not be made. */
static struct http_call *ask(struct http_filter *self, const struct event *event)
{
    struct asking asking = {.self = self, .event = event, .arena = event->arena};
    struct http_call *call = NULL;
    struct buf url, body;
    buf_init(&url, URL_MAX_BYTES);
    buf_init(&body, BODY_MAX_BYTES);
    struct http_headers *headers = make_headers(&asking);
    if (make_url(&asking, &url) && make_body(&asking, &body) && !asking.raised) {
        struct http_call_request request = {.method = (enum http_method)self->verb,
                                            .url = buf_str(&url),
                                            .body = buf_str(&body),
                                            .headers = headers};
        call = http_calls_begin(&self->calls, &request);
        headers = NULL;
    }
    http_headers_free(headers);
    buf_release(&url);
    buf_release(&body);
    return call;
}

struct visit {
    struct http_call *call; /* NULL: there is nothing to ask with */
};

static bool http_prepare(void *plugin, const struct event *event, void **held)
{
    struct http_filter *self = plugin;
    struct visit *visit = *held;
    if (!visit) {
        if (http_calls_are_full(&self->calls))
            return false;
        visit = *held = arena_zero(event->arena, sizeof *visit);
        visit->call = ask(self, event);
    }
    return !visit->call || visit->call->done;
}

/* ---- answers -------------------------------------------------------------------------------------- */

static enum filter_result fail(struct http_filter *self, struct event *event, struct str reason)
{
    uint64_t suppressed;
    counter_add(self->failures, 1);
    event_add_tags(event, &self->tag_on_request_failure);
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(self->env->log, "http_request_failed", "a request failed",
                 LOG_STR("reason", reason), LOG_INT_IF("not_logged_before", suppressed));
    return FILTER_SKIPPED;
}

/* A name that comes again has a list. */
static void put_header(struct arena *arena, struct value *object, struct str name, struct str value)
{
    struct value *old = value_object_get(object, name);
    struct value text = value_str_dup(arena, value);
    if (old && value_type(old) != VALUE_ARRAY) {
        struct value list = value_array_new(arena, 2);
        value_array_push(arena, &list, *old);
        *old = list;
    }
    if (old)
        value_array_push(arena, old, text);
    else
        value_object_set(arena, object, name, text);
}

/* As Logstash looks: any part of it may say so. */
static bool names_json(struct str type)
{
    while (type.len > 0) {
        size_t end = str_find(type, STR(";"));
        end = end == SIZE_MAX ? type.len : end;
        if (str_equal(str_trim(str_make(type.ptr, end)), STR("application/json")))
            return true;
        type = str_from_offset(type, end < type.len ? end + 1 : end);
    }
    return false;
}

/* The answer's headers with lower-case names. */
static struct value headers_of(struct arena *arena, const struct http_call *call, bool *is_json_out)
{
    struct value object = value_object_new(arena, 8);
    struct str lines = buf_str(&call->headers), name, value;
    while (http_header_next(&lines, &name, &value)) {
        char *lower = arena_bytes(arena, name.len);
        for (size_t i = 0; i < name.len; i++)
            lower[i] =
                (char)(name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? name.ptr[i] | 0x20 : name.ptr[i]);
        name = str_make(lower, name.len);
        value = utf8_repair(arena, value);
        put_header(arena, &object, name, value);
        if (str_equal(name, STR("content-type")))
            *is_json_out |= names_json(value);
    }
    return object;
}

/* An answer that has none by its status or method; one of no bytes is a body. */
static bool has_body(const struct http_filter *self, const struct http_call *call)
{
    return self->verb != HTTP_HEAD && call->status != 204 && call->status != 205;
}

static bool put_body(struct http_filter *self, const struct http_call *call, bool is_json,
                     struct event *event)
{
    struct arena *arena = event->arena;
    struct str text = arena_dup(arena, buf_str(&call->answer));
    struct value value;
    if (!has_body(self, call))
        return true;
    text = utf8_repair(arena, text);
    if (!is_json) {
        value = value_str(str_trim(text));
    } else if (str_trim(text).len == 0) {
        value = value_null();
    } else if (!json_decode(self->env->json, arena, text, &value, NULL)) {
        event_add_tags(event, &self->tag_on_json_failure);
        return true;
    }
    return event_set(event, &self->target_body, value, NULL);
}

static enum filter_result take_answer(struct http_filter *self, const struct http_call *call,
                                      struct event *event)
{
    bool is_json = false;
    if (!http_call_succeeded(call))
        return fail(self, event, http_call_failure(event->arena, call));
    struct value headers = headers_of(event->arena, call, &is_json);
    if (!event_set(event, &self->target_headers, headers, NULL) ||
        !put_body(self, call, is_json, event))
        return fail(self, event, STR("the answer cannot be put into the event"));
    return FILTER_MATCHED;
}

static enum filter_result http_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct http_filter *self = plugin;
    struct visit *visit = more->held;
    assert(visit && (!visit->call || visit->call->done));
    if (!visit->call)
        return fail(self, event, STR("no request can be made of this event"));
    enum filter_result result = take_answer(self, visit->call, event);
    http_call_end(visit->call);
    return result;
}

const struct filter filter_http = {
    .plugin =
        {
            .name = "http",
            .summary = "Asks a web server about each event.",
            .options = OPTIONS,
            .size = sizeof(struct http_filter),
            .check = http_check,
        },
    .open = http_open,
    .prepare = http_prepare,
    .apply = http_apply,
    .close = http_close,
};
