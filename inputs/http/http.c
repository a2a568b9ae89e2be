/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/http/http.h"

#include <assert.h>

#include "base/base64.h"
#include "base/machine.h"
#include "inputs/inputs.h"

#define ROW(kind, member) OPTION_IN_##kind(struct http_options, member)

static const char *const ACKS[] = {"delivered", "received", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "host",
        .doc = "The address to listen on.",
        ROW(STRING, host),
        .def = "0.0.0.0",
    },
    {
        .name = "port",
        .doc = "The port to listen on.",
        ROW(INT, port),
        .def = "8080",
        .min = 0,
        .max = 65535,
    },
    {
        .name = "codec",
        .doc = "How a body becomes events, unless its content type has a codec of its own.",
        ROW(CODEC, codec),
    },
    {
        .name = "additional_codecs",
        .doc = "Codecs for content types, instead of { \"application/json\" => \"json\" }.",
        ROW(HASH, additional_codecs),
    },
    {
        .name = "user",
        .doc = "Clients must give this user and the password (basic authentication).",
        ROW(STRING, user),
    },
    {
        .name = "password",
        .doc = "The password of the user.",
        ROW(PASSWORD, password),
        .flags = OPTION_SECRET,
    },
    {
        .name = "ack",
        .doc = "When a request is answered: delivered, when every output has its events; received, "
               "when they are in the pipeline.",
        ROW(CHOICE, ack),
        .choices = ACKS,
        .def = "delivered",
    },
    {
        .name = "threads",
        .doc = "Requests that may be under way besides max_pending_requests; default: the cores.",
        ROW(INT, threads),
        .min = 1,
        .max = 100000,
    },
    {
        .name = "max_pending_requests",
        .doc = "Requests that may be under way besides threads; more are answered 429.",
        ROW(INT, max_pending_requests),
        .def = "200",
        .min = 1,
        .max = 1000000,
    },
    {
        .name = "max_content_length",
        .doc = "Largest body in bytes, as it comes and inflated; more is answered 413.",
        ROW(BYTES, max_content_length),
        .def = "104857600",
        .min = 1,
        .max = 2147483647,
    },
    {
        .name = "max_connections",
        .doc = "Largest number of connections at once; more are closed at once.",
        ROW(INT, max_connections),
        .def = "10000",
        .min = 1,
        .max = 1000000,
    },
    {
        .name = "response_code",
        .doc = "The status of a request whose events were taken: 200, 201, 202 or 204.",
        ROW(INT, response_code),
        .def = "200",
        .min = 200,
        .max = 204,
    },
    {
        .name = "response_headers",
        .doc = "Headers of that answer; not Content-Type, which is text/plain.",
        ROW(HASH, response_headers),
    },
    {
        .name = "remote_host_target_field",
        .doc = "Field for the client's address. Default: [host][ip], without ECS host.",
        ROW(FIELD, remote_host_field),
    },
    {
        .name = "request_headers_target_field",
        .doc = "Field for the request's headers. Default: "
               "[@metadata][input][http][request][headers], without ECS headers.",
        ROW(FIELD, request_headers_field),
    },
    TLS_LISTENER_ROWS(struct http_options, tls, "none"),
    TLS_STORE_ROWS(struct http_options, tls),
    TLS_HANDSHAKE_ROW(struct http_options, tls),
    TLS_OLD_ROWS(struct http_options, tls),
    TLS_OLD_ROW("verify_mode", "ssl_client_authentication", STRING, struct http_options,
                tls.client_authentication),
    TLS_OLD_ROW("keystore", "ssl_keystore_path", STRING, struct http_options, tls.keystore_path),
    {
        .name = "keystore_password",
        .doc = "The old name of ssl_keystore_password.",
        .note = "write ssl_keystore_password",
        ROW(PASSWORD, tls.keystore_password),
        .flags = OPTION_DEPRECATED | OPTION_SECRET,
    },
    OPTION_END,
};

static const struct tls_defaults TLS_DEFAULTS = {TLS_SERVER, "none"};

static const char *const COUNTER_NAMES[HTTP_COUNTERS] = {
    [HTTP_REQUESTS] = "requests",
    [HTTP_BYTES] = "bytes",
    [HTTP_UNAUTHORIZED] = "requests_unauthorized",
    [HTTP_TOO_MANY] = "requests_too_many",
    [HTTP_REFUSED] = "requests_refused",
    [HTTP_ABANDONED] = "requests_abandoned",
};

/* ---- checks across options ---- */

static bool check_headers(const struct option_hash *headers, struct error *err)
{
    if (headers->count > HTTP_EXCHANGE_HEADERS_MAX)
        return error_set(err, ERROR_CONFIG, "response_headers: %d at most",
                         HTTP_EXCHANGE_HEADERS_MAX);
    for (size_t i = 0; i < headers->count; i++) {
        struct str name = headers->pairs[i].key.text, value = headers->pairs[i].value.text;
        if (name.len == 0 || str_find(name, STR("\n")) != SIZE_MAX ||
            str_find(name, STR(":")) != SIZE_MAX || !value.ptr ||
            str_find(value, STR("\n")) != SIZE_MAX || str_find(value, STR("\r")) != SIZE_MAX)
            return error_set(err, ERROR_CONFIG,
                             "response_headers: '%.*s' cannot be sent as a header", STR_FMT(name));
    }
    return true;
}

static bool check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct http_options *options = self;
    if (options->response_code == 203)
        return error_set(err, ERROR_CONFIG, "response_code is 203, expected 200, 201, 202 or 204");
    if (options->user.ptr && !options->password.ptr)
        return error_set(err, ERROR_CONFIG, "user needs password");
    if (options->password.ptr && !options->user.ptr)
        return error_set(err, ERROR_CONFIG, "password needs user");
    for (size_t i = 0; i < options->additional_codecs.count; i++)
        if (!options->additional_codecs.pairs[i].value.text.ptr)
            return error_set(err, ERROR_CONFIG, "additional_codecs: '%.*s' needs a codec's name",
                             STR_FMT(options->additional_codecs.pairs[i].key.text));
    return check_headers(&options->response_headers, err) &&
           tls_options_check(&options->tls, &TLS_DEFAULTS, env, err);
}

/* ---- the life of the input ---- */

/* Each can be opened; for a request it is opened anew. */
static bool set_codecs(struct http_input *input, struct error *err)
{
    static const struct http_codec JSON = {STR_INIT("application/json"), "json"};
    const struct option_hash *named = &input->options.additional_codecs;
    struct arena *arena = input->env->arena;
    input->codec_count = named->count > 0 ? named->count : 1;
    input->codecs = arena_alloc(arena, input->codec_count * sizeof *input->codecs);
    input->codecs[0] = JSON;
    for (size_t i = 0; i < named->count; i++) {
        struct codec_instance instance;
        input->codecs[i] = (struct http_codec){named->pairs[i].key.text,
                                               arena_cstr(arena, named->pairs[i].value.text)};
        if (!codec_open(input->env, NULL, input->codecs[i].name, false, &instance, err))
            return error_prefix(err, "additional_codecs");
        codec_close(&instance);
    }
    return true;
}

static void set_answer_headers(struct http_input *input)
{
    const struct option_hash *named = &input->options.response_headers;
    struct arena *arena = input->env->arena;
    input->answer_headers = arena_alloc(arena, (named->count + 1) * sizeof *input->answer_headers);
    for (size_t i = 0; i < named->count; i++)
        if (!str_equal_nocase(named->pairs[i].key.text, STR("content-type")))
            input->answer_headers[input->answer_header_count++] =
                (struct http_answer_header){arena_cstr(arena, named->pairs[i].key.text),
                                            arena_cstr(arena, named->pairs[i].value.text)};
}

static void set_authorization(struct http_input *input)
{
    const struct http_options *options = &input->options;
    if (options->user.ptr)
        input->authorization =
            base64_credentials(input->env->arena, options->user, options->password);
}

static bool open_input(void *self, const struct plugin_env *env, struct error *err)
{
    struct http_input *input = self;
    const struct http_options *own = &input->options;
    input->env = env;
    struct server_options options = {
        .env = env,
        .waiting = "waiting for HTTP requests",
        .host = own->host,
        .port = own->port,
        .max_connections = own->max_connections,
        .protocol = http_protocol,
        .input = input,
        .handshake_timeout_ms = own->tls.handshake_timeout_ms,
    };
    input->max_requests = (size_t)own->max_pending_requests +
                          (own->threads > 0 ? (size_t)own->threads : machine_cores());
    set_authorization(input);
    set_answer_headers(input);
    if (!set_codecs(input, err) ||
        !tls_options_open(&own->tls, &TLS_DEFAULTS, env, &options.tls, err) ||
        !server_open(&input->server, &options, err))
        return false;
    for (size_t i = 0; i < HTTP_COUNTERS; i++)
        input->counters[i] = env->counter(env, COUNTER_NAMES[i]);
    return true;
}

static bool start(void *self, struct error *err)
{
    struct http_input *input = self;
    return server_start(&input->server, err);
}

static void stop(void *self)
{
    struct http_input *input = self;
    server_stop(&input->server);
}

static void close_input(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct http_input *input = self;
    server_close(&input->server, closed, ctx);
}

const struct input input_http = {
    .plugin =
        {
            .name = "http",
            .summary = "Events from HTTP requests",
            .options = OPTIONS,
            .size = sizeof(struct http_input),
            .check = check,
        },
    .open = open_input,
    .start = start,
    .stop = stop,
    .close = close_input,
};
