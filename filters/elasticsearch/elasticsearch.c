/* SPDX-License-Identifier: Apache-2.0
 *
 * elasticsearch: searches for each event and copies fields of what was found. The searches of a slice are under way at
 * once. A server that is not there is no error at the start: events are tagged until it is.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/file.h"
#include "base/text/utf8.h"
#include "filters/elasticsearch/search.h"
#include "filters/filters.h"
#include "pipeline/engine/budget.h"
#include "pipeline/event/value_conf.h"
#include "pipeline/program/evaluate.h"

enum {
    LOG_WINDOW_MS = 10000,
    TEMPLATE_MAX_BYTES = 1024 * 1024,
    URL_MAX_BYTES = 64 * 1024,
    BODY_MAX_BYTES = 64 * 1024 * 1024,
    CONNECTIONS_MAX = 16,
    TIMEOUT_MS = 60000,
    RETRIES_MAX = 1000,
};

struct search_filter {
    struct search_options options;

    const struct plugin_env *env;
    struct search_hosts hosts;
    struct template template; /* the text of query_template */
    struct http_headers *headers;
    struct http_calls calls;
    struct search_fields fields, docinfo, aggregations;
    struct field_ref target;
    struct counter *failures;
    struct log_limit log_limit;
};

static const char *const TYPES[] = {"dsl", "esql", NULL};

#define OLD_ROW(row_name, row_doc, row_note, where)                                                \
    {                                                                                              \
        .name = row_name, .doc = row_doc, .note = row_note, where, .flags = OPTION_DEPRECATED      \
    }

static const struct option OPTIONS[] = {
    {
        .name = "hosts",
        .doc = "Servers, as HOST, HOST:PORT or URL.",
        OPTION_IN_STRINGS(struct search_options, hosts),
        .def = "localhost:9200",
    },
    {
        .name = "index",
        .doc = "Indices to search in, with commas between; all when it is empty.",
        OPTION_IN_TEMPLATE(struct search_options, index),
        .def = "",
    },
    {
        .name = "query_type",
        .doc = "Whether the query is one of the search API or ES|QL.",
        OPTION_IN_CHOICE(struct search_options, query_type),
        .choices = TYPES,
        .def = "dsl",
    },
    {
        .name = "query",
        .doc = "Lucene query text, or an ES|QL query, which is sent as it is.",
        OPTION_IN_TEMPLATE(struct search_options, query),
    },
    {
        .name = "query_template",
        .doc = "File with a search request as JSON; %{} anywhere in it.",
        OPTION_IN_PATH(struct search_options, query_template_path),
    },
    {
        .name = "query_params",
        .doc = "Parameters of an ES|QL query, as { name => \"[field]\" } or a value.",
        OPTION_IN_ARRAY(struct search_options, query_params),
    },
    {
        .name = "sort",
        .doc = "FIELD:DIRECTION, with commas between; for query.",
        OPTION_IN_STRING(struct search_options, sort),
        .def = "@timestamp:desc",
    },
    {
        .name = "enable_sort",
        .doc = "Whether to sort at all.",
        OPTION_IN_BOOL(struct search_options, enable_sort),
        .def = "true",
    },
    {
        .name = "result_size",
        .doc = "How many hits to ask for; several give lists.",
        OPTION_IN_INT(struct search_options, result_size),
        .min = 0,
        .max = 10000,
        .def = "1",
    },
    {
        .name = "fields",
        .doc = "Field of the hit => field of the event; also as a list of such pairs.",
        OPTION_IN_HASH(struct search_options, fields),
        .flags = OPTION_PAIRS,
    },
    {
        .name = "docinfo_fields",
        .doc = "Field around the hit (_id, _index) => field of the event.",
        OPTION_IN_HASH(struct search_options, docinfo_fields),
    },
    {
        .name = "aggregation_fields",
        .doc = "Aggregation => field of the event.",
        OPTION_IN_HASH(struct search_options, aggregation_fields),
    },
    {
        .name = "target",
        .doc = "Field below which all of this goes; with esql, the field for a list of all rows.",
        OPTION_IN_STRING(struct search_options, target),
    },
    {
        .name = "tag_on_failure",
        .doc = "Tags of an event whose search failed.",
        OPTION_IN_STRINGS(struct search_options, tag_on_failure),
        .def = "_elasticsearch_lookup_failure",
    },
    {
        .name = "retry_on_failure",
        .doc = "How often a search that failed is tried again.",
        OPTION_IN_INT(struct search_options, retry_on_failure),
        .min = 0,
        .max = RETRIES_MAX,
        .def = "0",
    },
    {
        .name = "retry_on_status",
        .doc = "Statuses after which it is tried again.",
        OPTION_IN_STRINGS(struct search_options, retry_on_status),
        .def = "[\"500\", \"502\", \"503\", \"504\"]",
    },
    {
        .name = "user",
        .doc = "Name for basic authentication.",
        OPTION_IN_STRING(struct search_options, user),
    },
    {
        .name = "password",
        .doc = "Password for basic authentication.",
        OPTION_IN_PASSWORD(struct search_options, password),
        .flags = OPTION_SECRET,
    },
    {
        .name = "api_key",
        .doc = "API key as ID:KEY, or encoded; over TLS only.",
        OPTION_IN_PASSWORD(struct search_options, api_key),
        .flags = OPTION_SECRET,
    },
    {
        .name = "cloud_id",
        .doc = "Cloud ID, instead of hosts.",
        OPTION_IN_STRING(struct search_options, cloud_id),
    },
    {
        .name = "cloud_auth",
        .doc = "USER:PASSWORD for the cloud, instead of user and password.",
        OPTION_IN_PASSWORD(struct search_options, cloud_auth),
        .flags = OPTION_SECRET,
    },
    {
        .name = "proxy",
        .doc = "URL of the proxy that requests go through.",
        OPTION_IN_STRING(struct search_options, proxy),
    },
    {
        .name = "custom_headers",
        .doc = "Further headers of the requests.",
        OPTION_IN_HASH(struct search_options, custom_headers),
    },
    CLIENT_TLS_OPTIONS(struct search_options, tls),
    {
        .name = "ca_trusted_fingerprint",
        .doc = "SHA-256 of a trusted certificate authority.",
        .note = "save the authority's certificate and name it in ssl_certificate_authorities",
        OPTION_NOWHERE,
        .flags = OPTION_UNSUPPORTED,
    },
    {
        .name = "ssl",
        .doc = "The old name of ssl_enabled.",
        .note = "write ssl_enabled",
        OPTION_IN_CHOICE(struct search_options, tls.enabled),
        .choices = client_auto_true_false,
        .flags = OPTION_DEPRECATED,
    },
    OLD_ROW("ca_file", "The old name of ssl_certificate_authorities.",
            "write ssl_certificate_authorities",
            OPTION_IN_STRINGS(struct search_options, tls.authorities)),
    CLIENT_OLD_STORE_ROW("keystore", "ssl_keystore_path", STRING, struct search_options,
                         tls.keystore_path),
    CLIENT_OLD_STORE_ROW("keystore_password", "ssl_keystore_password", PASSWORD,
                         struct search_options, tls.keystore_password),
    OPTION_END,
};

/* ---- opening -------------------------------------------------------------------------------------- */

static bool check_query(const struct search_options *options, struct error *err)
{
    bool has_query = options->query.parts || options->query.is_literal;
    bool esql = options->query_type == QUERY_ESQL;
    if (has_query == (options->query_template_path.ptr != NULL))
        return error_set(err, ERROR_CONFIG, "give either query or query_template");
    if (!esql && options->query_params.count > 0)
        return error_set(err, ERROR_CONFIG, "query_params is for query_type => esql");
    if (esql && (options->query_template_path.ptr || options->fields.count > 0 ||
                 options->docinfo_fields.count > 0 || options->aggregation_fields.count > 0))
        return error_set(err, ERROR_CONFIG,
                         "query_template, fields, docinfo_fields and aggregation_fields are for "
                         "query_type => dsl");
    return true;
}

static bool check_credentials(const struct search_options *options,
                              const struct search_hosts *hosts, struct error *err)
{
    int kinds = (options->user.ptr != NULL) + (options->api_key.ptr != NULL) +
                (options->cloud_auth.ptr != NULL);
    if (kinds > 1)
        return error_set(err, ERROR_CONFIG, "only one of user, api_key and cloud_auth can be used");
    for (size_t i = 0; options->api_key.ptr && i < hosts->count; i++)
        if (!str_starts_with(hosts->items[i].root, STR("https://")))
            return error_set(err, ERROR_CONFIG, "api_key needs ssl_enabled => true");
    return true;
}

static bool read_template(const struct search_options *options, struct arena *arena,
                          struct str *out, struct error *err)
{
    return file_read(arena, arena_cstr(arena, options->query_template_path), TEMPLATE_MAX_BYTES,
                     out, err) ||
           error_prefix(err, "query_template");
}

static bool search_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct search_options *options = plugin;
    struct search_hosts hosts;
    struct search_fields ignored;
    struct http_headers *headers = client_headers(&options->custom_headers, err);
    http_headers_free(headers);
    return headers && client_tls_check(&options->tls, err) && check_query(options, err) &&
           search_hosts_parse(env->arena, options, &hosts, err) &&
           check_credentials(options, &hosts, err) &&
           search_fields_compile(env, &options->fields, options->target, &ignored, err) &&
           search_fields_compile(env, &options->docinfo_fields, options->target, &ignored, err) &&
           search_fields_compile(env, &options->aggregation_fields, options->target, &ignored, err);
}

static bool open_headers(struct search_filter *self, struct error *err)
{
    const struct search_options *options = &self->options;
    struct arena *arena = self->env->arena;
    self->headers = client_headers(&options->custom_headers, err);
    if (!self->headers)
        return false;
    http_headers_add(self->headers, STR("Content-Type"), STR("application/json"));
    if (!options->api_key.ptr)
        return true;
    struct str key = options->api_key;
    if (memchr(key.ptr, ':', key.len))
        key = base64_encode(arena, key);
    return http_headers_add(self->headers, STR("Authorization"),
                            arena_printf(arena, "ApiKey %.*s", STR_FMT(key))) ||
           error_set(err, ERROR_CONFIG, "api_key cannot be sent in a header");
}

static int *statuses_of(const struct search_filter *self)
{
    const struct option_strings *texts = &self->options.retry_on_status;
    int *statuses = arena_zero(self->env->arena, texts->count * sizeof *statuses);
    int64_t status;
    for (size_t i = 0; i < texts->count; i++)
        if (str_to_int(texts->items[i], &status) && status > 0 && status < 1000)
            statuses[i] = (int)status;
    return statuses;
}

static bool open_client(struct search_filter *self, struct error *err)
{
    const struct search_options *options = &self->options;
    struct arena *arena = self->env->arena;
    struct http_client_options client = {
        .loop = self->env->loop,
        .max_connections = CONNECTIONS_MAX,
        .max_host_connections = CONNECTIONS_MAX,
        .connect_timeout_ms = TIMEOUT_MS,
        .timeout_ms = TIMEOUT_MS,
        .max_response_bytes = self->env->settings->max_event_bytes,
        .charged = engine_account(self->env->engine, BUDGET_FILTERS),
        .user_agent = "millrace/" MILLRACE_VERSION,
        .user = client_cstr(arena, self->hosts.user),
        .password = client_cstr(arena, self->hosts.password),
        .proxy = client_cstr(arena, options->proxy),
        .connect_to = self->env->settings->connect_to,
    };
    if (!client_tls_apply(&options->tls, arena, &client, err))
        return false;
    http_calls_init(&self->calls, self->env, http_client_new(&client));
    self->calls.retries = (unsigned)options->retry_on_failure;
    self->calls.retry_statuses = statuses_of(self);
    self->calls.retry_status_count = options->retry_on_status.count;
    return true;
}

static bool open_fields(struct search_filter *self, struct error *err)
{
    const struct search_options *options = &self->options;
    const struct plugin_env *env = self->env;
    struct str text, target = options->target;
    if (options->query_template_path.ptr) {
        if (!read_template(options, env->arena, &text, err))
            return false;
        template_parse(env->arena, text, env->settings->escape, &self->template);
    }
    if (target.len > 0 &&
        !field_ref_parse(env->arena, target, env->settings->escape, &self->target, err))
        return error_prefix(err, "target");
    return search_fields_compile(env, &options->fields, target, &self->fields, err) &&
           search_fields_compile(env, &options->docinfo_fields, target, &self->docinfo, err) &&
           search_fields_compile(env, &options->aggregation_fields, target, &self->aggregations,
                                 err);
}

static void search_close(void *plugin)
{
    struct search_filter *self = plugin;
    http_calls_close(&self->calls);
    http_headers_free(self->headers);
}

static bool search_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct search_filter *self = plugin;
    self->env = env;
    self->failures = env->counter(env, "failures");
    self->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    if (search_hosts_parse(env->arena, &self->options, &self->hosts, err) &&
        open_fields(self, err) && open_headers(self, err) && open_client(self, err))
        return true;
    search_close(self);
    return false;
}

/* ---- requests ------------------------------------------------------------------------------------- */

static bool append_parameter(struct buf *url, char before, const char *name, struct str value)
{
    return buf_append_char(url, before) && buf_append_str(url, str_from(name)) &&
           buf_append_char(url, '=') && http_escape(value, url);
}

static bool append_path(struct search_filter *self, const struct event *event, struct buf *url)
{
    struct str index = STR("");
    const struct template *template = &self->options.index;
    if (template->parts && !template_text(template, event, event->arena, &index))
        return false;
    if (index.len > 0 && !(buf_append_char(url, '/') && http_escape(index, url)))
        return false;
    return buf_append_str(url, STR("/_search"));
}

static bool make_query(struct search_filter *self, const struct event *event, struct buf *url)
{
    const struct search_options *options = &self->options;
    struct str query;
    if (!template_text(&options->query, event, event->arena, &query) ||
        !append_path(self, event, url) || !append_parameter(url, '?', "q", query) ||
        !buf_printf(url, "&size=%lld", (long long)options->result_size))
        return false;
    return !options->enable_sort || append_parameter(url, '&', "sort", options->sort);
}

static bool make_template_query(struct search_filter *self, const struct event *event,
                                struct buf *url, struct buf *body)
{
    struct str text;
    struct value ignored;
    return template_text(&self->template, event, event->arena, &text) &&
           json_decode(self->env->json, event->arena, text, &ignored, NULL) &&
           append_path(self, event, url) && buf_append_str(body, text);
}

/* A text in brackets names a field of the event. */
static struct value parameter_of(struct search_filter *self, const struct event *event,
                                 const struct conf_value *given)
{
    struct field_ref ref;
    struct str text = given->text;
    bool is_text = given->type == CONF_STRING || given->type == CONF_BAREWORD;
    if (!is_text || !str_starts_with(text, STR("[")) || !str_ends_with(text, STR("]")) ||
        !field_ref_parse(event->arena, text, self->env->settings->escape, &ref, NULL))
        return value_from_conf(event->arena, given);
    const struct value *value = event_get(event, &ref);
    return value ? *value : value_null();
}

static bool make_esql(struct search_filter *self, const struct event *event, struct buf *url,
                      struct buf *body)
{
    const struct option_array *given = &self->options.query_params;
    struct arena *arena = event->arena;
    struct value request = value_object_new(arena, 2), list = value_array_new(arena, given->count);
    for (size_t i = 0; i < given->count; i++) {
        const struct conf_value *item = &given->items[i];
        for (size_t k = 0; item->type == CONF_HASH && k < item->count; k++) {
            struct value named = value_object_new(arena, 1);
            value_object_set(arena, &named, item->pairs[k].key.text,
                             parameter_of(self, event, &item->pairs[k].value));
            value_array_push(arena, &list, named);
        }
    }
    value_object_set(arena, &request, STR("query"), value_str(self->options.query.text));
    if (value_array_count(&list) > 0)
        value_object_set(arena, &request, STR("params"), list);
    return buf_append_str(url, STR("/_query")) && json_encode_value(&request, body);
}

static bool make_request(struct search_filter *self, const struct event *event, struct buf *url,
                         struct buf *body)
{
    if (self->options.query_type == QUERY_ESQL)
        return make_esql(self, event, url, body);
    return self->options.query_template_path.ptr ? make_template_query(self, event, url, body)
                                                 : make_query(self, event, url);
}

struct visit {
    struct http_call *call; /* NULL: no request can be made of this event */
    struct search_host *host;
};

static void ask(struct search_filter *self, const struct event *event, struct visit *visit)
{
    struct buf url, body;
    buf_init(&url, URL_MAX_BYTES);
    buf_init(&body, BODY_MAX_BYTES);
    visit->host = search_hosts_next(&self->hosts, uv_now(self->env->loop));
    buf_append_str(&url, visit->host->root);
    if (make_request(self, event, &url, &body)) {
        struct http_call_request request = {
            .method = body.len > 0 ? HTTP_POST : HTTP_GET,
            .url = buf_str(&url),
            .body = buf_str(&body),
            .shared_headers = self->headers,
        };
        visit->call = http_calls_begin(&self->calls, &request);
    }
    buf_release(&url);
    buf_release(&body);
}

static bool search_prepare(void *plugin, const struct event *event, void **held)
{
    struct search_filter *self = plugin;
    struct visit *visit = *held;
    if (!visit) {
        if (http_calls_are_full(&self->calls))
            return false;
        visit = *held = arena_zero(event->arena, sizeof *visit);
        ask(self, event, visit);
    }
    return !visit->call || visit->call->done;
}

/* ---- answers -------------------------------------------------------------------------------------- */

static enum filter_result fail(struct search_filter *self, struct event *event, struct str reason)
{
    uint64_t suppressed;
    counter_add(self->failures, 1);
    event_add_tags(event, &self->options.tag_on_failure);
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(self->env->log, "search_failed", "a search failed", LOG_STR("reason", reason),
                 LOG_INT_IF("not_logged_before", suppressed));
    return FILTER_SKIPPED;
}

static enum filter_result take_answer(struct search_filter *self, const struct http_call *call,
                                      struct event *event)
{
    struct arena *arena = event->arena;
    const struct search_answer answer = {
        .fields = &self->fields,
        .docinfo = &self->docinfo,
        .aggregations = &self->aggregations,
        .rows_target = self->options.target.len > 0 ? &self->target : NULL,
        .escape = self->env->settings->escape,
        .type = (enum query_type)self->options.query_type,
    };
    struct value document;
    bool matched = false;
    if (!http_call_succeeded(call))
        return fail(self, event, http_call_failure(arena, call));
    struct str text = utf8_repair(arena, arena_dup(arena, buf_str(&call->answer)));
    if (!json_decode(self->env->json, arena, text, &document, NULL) ||
        !search_answer_take(&answer, &document, event, &matched))
        return fail(self, event, STR("the answer is none of a search, or shards have failed"));
    return matched ? FILTER_MATCHED : FILTER_SKIPPED;
}

static enum filter_result search_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct search_filter *self = plugin;
    struct visit *visit = more->held;
    assert(visit && (!visit->call || visit->call->done));
    if (!visit->call)
        return fail(self, event, STR("no search can be made of this event"));
    if (visit->call->outcome == HTTP_ANSWERED)
        search_host_answered(visit->host);
    else
        search_host_failed(visit->host, uv_now(self->env->loop));
    enum filter_result result = take_answer(self, visit->call, event);
    http_call_end(visit->call);
    return result;
}

const struct filter filter_elasticsearch = {
    .plugin =
        {
            .name = "elasticsearch",
            .summary = "Searches Elasticsearch for each event and copies what it finds.",
            .options = OPTIONS,
            .size = sizeof(struct search_filter),
            .check = search_check,
        },
    .open = search_open,
    .prepare = search_prepare,
    .apply = search_apply,
    .close = search_close,
};
