/* SPDX-License-Identifier: Apache-2.0 */
#include "services/api/api.h"

#include <assert.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/secret.h"
#include "io/tls_context.h"
#include "pipeline/event/event_json.h"
#include "services/api/api_private.h"

enum {
    API_CONNECTIONS_MAX = 64,
    API_IDLE_TIMEOUT_S = 60,
    API_REQUEST_TIMEOUT_S = 30,
    API_BODY_MAX_BYTES = 4096, /* nobody has a reason to send one */
    API_ALL_BODIES_MAX_BYTES = 64 * 1024,
    API_LOG_WINDOW_MS = 10 * 1000, /* of handshakes that failed */
    API_LOG_BURST = 5,
};

static const char JSON[] = "application/json";
static const char HTML[] = "text/html; charset=utf-8";
static const char TEXT[] = "text/plain; charset=utf-8";
static const char PROMETHEUS[] = "text/plain; version=0.0.4; charset=utf-8";

/* ---- who may ask ---------------------------------------------------------------------------------- */

static bool may_ask(const struct api *api, struct http_exchange *exchange)
{
    const struct settings *settings = api->options.settings;
    if (settings->api_auth == SETTINGS_API_AUTH_NONE)
        return true;
    struct str scheme = STR("Basic "), given;
    struct str header = str_from(http_exchange_header(exchange, "Authorization"));
    if (header.len <= scheme.len || !str_equal_nocase(str_make(header.ptr, scheme.len), scheme) ||
        !base64_decode(&exchange->arena, str_trim(str_from_offset(header, scheme.len)), &given))
        return false;
    struct str wanted = arena_printf(&exchange->arena, "%.*s:%.*s", STR_FMT(settings->api_user),
                                     STR_FMT(settings->api_password));
    return secret_equal(given, wanted);
}

/* ---- answers -------------------------------------------------------------------------------------- */

static void respond_json(struct http_exchange *exchange, unsigned status,
                         const struct value *object)
{
    struct buf text;
    buf_init(&text, API_ANSWER_MAX_BYTES);
    if (!json_encode_value(object, &text)) {
        http_exchange_respond_text(exchange, 500, TEXT, STR("the answer is too large\n"));
        buf_release(&text);
        return;
    }
    http_exchange_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_exchange_respond(exchange, status, JSON, &text);
}

static void respond_missing(struct http_exchange *exchange)
{
    struct arena *arena = &exchange->arena;
    struct value body = value_object_new(arena, 0), error = value_object_new(arena, 0);
    value_object_set(arena, &error, STR("message"), value_str(STR("Not Found")));
    value_object_set(arena, &body, STR("path"), value_str(exchange->target.path));
    value_object_set(arena, &body, STR("status"), value_int(404));
    value_object_set(arena, &body, STR("error"), error);
    respond_json(exchange, 404, &body);
}

static void make_page(struct api *api, struct metric_page *page)
{
    metric_page_init(page);
    api_process_metrics(api, page);
    api->options.collect(api->options.ctx, page);
}

static void respond_metrics(struct api *api, struct http_exchange *exchange)
{
    struct metric_page page;
    struct buf text;
    buf_init(&text, API_ANSWER_MAX_BYTES);
    make_page(api, &page);
    bool fits = metric_page_text(&page, &text) && series_registry_text(api->options.series, &text);
    metric_page_release(&page);
    if (fits)
        http_exchange_respond(exchange, 200, PROMETHEUS, &text);
    else
        http_exchange_respond_text(exchange, 500, TEXT, STR("too many metrics\n"));
    buf_release(&text);
}

static void respond_alive(struct api *api, struct http_exchange *exchange)
{
    (void)api;
    http_exchange_respond_text(exchange, 200, TEXT, STR("ok\n"));
}

static void respond_ready(struct api *api, struct http_exchange *exchange)
{
    bool ready = api->options.is_ready(api->options.ctx);
    http_exchange_respond_text(exchange, ready ? 200 : 503, TEXT,
                               ready ? STR("ready\n") : STR("not ready: not all pipelines run\n"));
}

/* ?human=true of hot threads. */
static bool wants_text(const struct http_target *target)
{
    const struct http_parameter *human = http_target_parameter(target, STR("human"));
    return human && str_equal(human->value, STR("true"));
}

static void respond_node(struct api *api, struct http_exchange *exchange)
{
    struct metric_page page;
    make_page(api, &page);
    struct api_request request = {
        .api = api,
        .arena = &exchange->arena,
        .page = &page,
        .body = value_object_new(&exchange->arena, 0),
    };
    const struct value *hot = NULL;
    bool found = api_answer(&request, &exchange->target);
    if (found && wants_text(&exchange->target))
        hot = value_object_get(&request.body, STR("hot_threads"));
    if (hot)
        http_exchange_respond_text(exchange, 200, TEXT,
                                   api_hot_threads_text(&exchange->arena, hot));
    else if (found)
        respond_json(exchange, 200, &request.body);
    else
        respond_missing(exchange);
    metric_page_release(&page);
}

static void respond_graph(struct api *api, struct http_exchange *exchange)
{
    struct metric_page page;
    make_page(api, &page);
    struct api_request request = {
        .api = api,
        .arena = &exchange->arena,
        .page = &page,
        .body = value_object_new(&exchange->arena, 0),
    };
    api_graph(&request);
    respond_json(exchange, 200, &request.body);
    metric_page_release(&page);
}

static void respond_tap(struct api *api, struct http_exchange *exchange)
{
    api_taps_handle(api->taps, exchange);
}

/* ---- the page ------------------------------------------------------------------------------------- */

/* A browser says that it wants HTML; everyone else gets Logstash's JSON. */
static bool wants_page(const struct http_exchange *exchange)
{
    struct str accept = str_from(http_exchange_header(exchange, "Accept"));
    return exchange->target.segment_count == 0 && str_find(accept, STR("text/html")) != SIZE_MAX;
}

static void respond_page(struct http_exchange *exchange)
{
    http_exchange_add_header(exchange, "Content-Security-Policy", api_page_policy);
    http_exchange_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_exchange_add_header(exchange, "Referrer-Policy", "no-referrer");
    http_exchange_add_header(exchange, "Cache-Control", "no-cache");
    http_exchange_add_header(exchange, "Vary", "Accept");
    http_exchange_respond_text(exchange, 200, HTML, str_make(api_page, api_page_bytes));
}

/* ---- paths ---------------------------------------------------------------------------------------- */

static const struct {
    const char *path;
    void (*respond)(struct api *api, struct http_exchange *exchange);
} PLAIN[] = {
    {"/metrics", respond_metrics},   {"/healthz", respond_alive},
    {"/readyz", respond_ready},      {"/_millrace/graph", respond_graph},
    {"/_millrace/tap", respond_tap},
};

static void handle(void *ctx, struct http_exchange *exchange)
{
    struct api *api = ctx;
    if (!may_ask(api, exchange)) {
        http_exchange_add_header(exchange, "WWW-Authenticate", "Basic realm=\"millrace\"");
        http_exchange_respond_text(exchange, 401, TEXT, STR("user and password are needed\n"));
        return;
    }
    if (!str_equal(exchange->method, STR("GET")) && !str_equal(exchange->method, STR("HEAD"))) {
        respond_missing(exchange);
        return;
    }
    for (size_t i = 0; i < sizeof PLAIN / sizeof *PLAIN; i++)
        if (str_equal(exchange->target.path, str_from(PLAIN[i].path))) {
            PLAIN[i].respond(api, exchange);
            return;
        }
    if (wants_page(exchange))
        respond_page(exchange);
    else
        respond_node(api, exchange);
}

/* ---- TLS ------------------------------------------------------------------------------------------ */

/* Texts of the settings end with a NUL, and are NULL when they are not given. */
static bool open_tls(struct api *api, struct error *err)
{
    const struct settings *settings = api->options.settings;
    struct tls_settings tls = {
        .is_server = true,
        .certificate = settings->api_certificate.ptr,
        .key = settings->api_key.ptr,
        .keystore = {settings->api_keystore.ptr, settings->api_keystore_password.ptr},
        .verify = TLS_VERIFY_NONE,
    };
    for (size_t i = 0; i < settings->api_protocols.count; i++)
        tls.versions |= tls_version_of(settings->api_protocols.items[i]);
    api->failures_limit =
        (struct log_limit){.window_ms = API_LOG_WINDOW_MS, .burst = API_LOG_BURST};
    api->tls = settings->api_ssl ? tls_context_new(&tls, err) : NULL;
    return !settings->api_ssl || api->tls;
}

/* A certificate that changed on disk is taken for connections from here on. */
static struct ssl_ctx_st *use_tls(void *ctx)
{
    struct api *api = ctx;
    struct error err;
    switch (tls_context_refresh(api->tls, &err)) {
    case TLS_UNCHANGED:
        break;
    case TLS_RENEWED:
        log_info(api->options.log, "api_certificate_renewed",
                 "the monitoring API shows the certificate that changed on disk",
                 LOG_CSTR("address", api_address(api)));
        break;
    case TLS_KEPT_OLD:
        log_warn(api->options.log, "api_certificate_kept",
                 "the monitoring API's certificate changed on disk and cannot be used: the old "
                 "one stays",
                 LOG_CSTR("reason", err.text));
        break;
    }
    return tls_context_use(api->tls);
}

static void on_tls_failed(void *ctx, const char *client, const char *reason)
{
    struct api *api = ctx;
    uint64_t suppressed;
    if (log_limit_allow(&api->failures_limit, clock_monotonic_ms(), &suppressed))
        log_warn(api->options.log, "api_handshake_failed",
                 "a client of the monitoring API could not agree on TLS",
                 LOG_CSTR("client", client), LOG_CSTR("reason", reason),
                 LOG_INT_IF("not_logged_before", suppressed));
}

/* ---- opening and closing -------------------------------------------------------------------------- */

static void make_id(struct api *api)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        mem_abort("no random numbers");
    bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40); /* version 4 */
    bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
    size_t len = 0;
    for (size_t i = 0; i < sizeof bytes; i++)
        len += (size_t)snprintf(api->id + len, sizeof api->id - len, "%s%02x",
                                i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
    assert(len == API_ID_MAX - 1);
}

/* Samples for the flow of the node's stats. */
static void on_sample(void *ctx)
{
    struct api *api = ctx;
    struct metric_page page;
    make_page(api, &page);
    flow_sample(api->flow, &page, clock_monotonic_ms());
    metric_page_release(&page);
    loop_timer_start(api->sampler, FLOW_SAMPLE_MS);
}

static void start_samples(struct api *api)
{
    api->flow = flow_new(api->started_ms);
    api->sampler = loop_timer_new(api->options.loop, on_sample, api);
    loop_timer_start(api->sampler, FLOW_SAMPLE_MS);
}

static struct http_server *listen_on(struct api *api, uint16_t port, struct error *err)
{
    static const struct http_server_tls TLS = {use_tls, on_tls_failed};
    struct http_server_options options = {
        .loop = api->options.loop,
        .host = api->options.settings->api_host.ptr,
        .port = port,
        .tls = api->tls ? &TLS : NULL,
        .max_connections = API_CONNECTIONS_MAX,
        .idle_timeout_s = API_IDLE_TIMEOUT_S,
        .request_timeout_s = API_REQUEST_TIMEOUT_S,
        .max_body_bytes = API_BODY_MAX_BYTES,
        .max_all_bodies_bytes = API_ALL_BODIES_MAX_BYTES,
        .handle = handle,
        .ctx = api,
    };
    return http_server_open(&options, err);
}

/* The first free port. Only that a port is taken makes the next one worth a try. */
static struct http_server *listen_in_range(struct api *api, struct error *err)
{
    const struct settings *settings = api->options.settings;
    for (int64_t port = settings->api_first_port; port <= settings->api_last_port; port++) {
        struct http_server *server = listen_on(api, (uint16_t)port, err);
        if (server || err->code != ERROR_BUSY)
            return server;
    }
    return NULL;
}

/* A name in the settings may lead beyond this machine, which only its address shows. */
static bool may_be_reached(const struct api *api, struct error *err)
{
    return http_server_is_loopback(api->server) ||
           api->options.settings->api_auth != SETTINGS_API_AUTH_NONE ||
           error_set(err, ERROR_CONFIG,
                     "%s can be reached from other machines: set api.auth.type to basic, with a "
                     "user and a password",
                     api_address(api));
}

static void free_api(void *ctx)
{
    struct api *api = ctx;
    if (api->flow)
        flow_free(api->flow);
    tls_context_free(api->tls);
    mem_free(api);
}

struct api *api_open(const struct api_options *options)
{
    struct error err = {0};
    struct api *api = mem_zero(1, sizeof *api);
    api->options = *options;
    api->started = clock_now();
    api->started_ms = clock_monotonic_ms();
    make_id(api);
    if (open_tls(api, &err))
        api->server = listen_in_range(api, &err);
    if (api->server && may_be_reached(api, &err)) {
        log_info(options->log, "api_started", "the monitoring API listens",
                 LOG_CSTR("address", api_address(api)), LOG_CSTR_IF("tls", api->tls ? "on" : ""));
        start_samples(api);
        api->taps = api_taps_new(options->loop, options->tap_node, options->settings->api_tap,
                                 options->settings->api_auth == SETTINGS_API_AUTH_NONE);
        return api;
    }
    log_warn(options->log, "api_not_started", "there is no monitoring API; all else goes on",
             LOG_CSTR("reason", err.text));
    if (api->server)
        http_server_close(api->server, free_api, api);
    else
        free_api(api);
    return NULL;
}

const char *api_address(const struct api *api)
{
    return http_server_address(api->server);
}

/* What is listened on at every address of this machine is asked by its name. */
static struct str reachable(struct str address)
{
    static const struct str ANY[] = {STR_INIT("0.0.0.0:"), STR_INIT("[::]:")};
    for (size_t i = 0; i < sizeof ANY / sizeof *ANY; i++)
        if (str_starts_with(address, ANY[i]))
            return str_from_offset(address, ANY[i].len);
    return (struct str){0};
}

struct str api_page_url(const struct api *api, struct arena *arena)
{
    struct str address = str_from(api_address(api)), port = reachable(address);
    const char *token = api_taps_token(api->taps);
    return arena_printf(arena, "http%s://%s%.*s/%s%s", api->tls ? "s" : "",
                        port.ptr ? "localhost:" : "", STR_FMT(port.ptr ? port : address),
                        token ? "#tap=" : "", token ? token : "");
}

void api_close(struct api *api)
{
    if (!api)
        return;
    loop_timer_close(api->sampler);
    api_taps_close(api->taps);
    http_server_close(api->server, free_api, api);
}
