/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/tcp/tcp.h"

#include <assert.h>

#include "inputs/inputs.h"

#define ROW(kind, member) OPTION_IN_##kind(struct tcp_options, member)

static const char *const MODES[] = {"server", "client", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "port",
        .doc = "The port to listen on, or to connect to.",
        ROW(INT, port),
        .min = 0,
        .max = 65535,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "host",
        .doc = "The address to listen on, or the server's name or address; [::1] is one.",
        ROW(STRING, host),
        .def = "0.0.0.0",
    },
    {
        .name = "codec",
        .doc = "How bytes become events; plain is line here, and json is json_lines.",
        ROW(CODEC, codec),
    },
    {
        .name = "mode",
        .doc = "server: clients connect and send; client: connects to a server that sends.",
        ROW(CHOICE, mode),
        .choices = MODES,
        .def = "server",
    },
    {
        .name = "proxy_protocol",
        .doc = "A proxy in front says who the client is, in a line of version 1 of its protocol.",
        ROW(BOOL, proxy_protocol),
        .def = "false",
    },
    {
        .name = "tcp_keep_alive",
        .doc = "Ask the system to find clients that have gone without a word.",
        ROW(BOOL, keep_alive),
        .def = "false",
    },
    {
        .name = "dns_reverse_lookup_enabled",
        .doc = "Look up the names of clients' addresses.",
        ROW(BOOL, reverse_lookup),
        .def = "true",
    },
    {
        .name = "max_connections",
        .doc = "Largest number of clients at once; more are closed at once.",
        ROW(INT, max_connections),
        .def = "10000",
        .min = 1,
        .max = 1000000,
    },
    {
        .name = "idle_timeout",
        .doc = "Seconds without a byte after which a client is disconnected; 0: never.",
        ROW(DURATION_MS, idle_timeout_ms),
        .def = "0",
        .min = 0,
        .max = 2147483647,
    },
    TLS_LISTENER_ROWS(struct tcp_options, tls, "required"),
    TLS_CLIENT_ROWS(struct tcp_options, tls, "full"),
    TLS_EXTRA_CHAIN_ROW(struct tcp_options, tls),
    TLS_HANDSHAKE_ROW(struct tcp_options, tls),
    TLS_OLD_ROW("ssl_enable", "ssl_enabled", BOOL, struct tcp_options, tls.enabled),
    TLS_OLD_ROW("ssl_verify", "ssl_client_authentication", STRING, struct tcp_options,
                tls.client_authentication),
    TLS_OLD_ROW("ssl_cert", "ssl_certificate", STRING, struct tcp_options, tls.certificate),
    TLS_OLD_ROW("ssl_cacert", "ssl_certificate_authorities", STRINGS, struct tcp_options,
                tls.authorities),
    {
        .name = "data_timeout",
        .doc = "Seconds without a byte after which a client was disconnected.",
        .note = "write idle_timeout",
        OPTION_NOWHERE,
        .flags = OPTION_DEPRECATED | OPTION_IGNORED,
    },
    OPTION_END,
};

/* A server checks the chain of clients by default, a client that of the server but not its name. */
const struct tls_defaults tcp_tls_defaults[] = {
    [TCP_SERVER_MODE] = {TLS_SERVER, "required"},
    [TCP_CLIENT_MODE] = {TLS_CLIENT, "certificate"},
};

static bool check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct tcp_options *options = self;
    bool server = options->mode == TCP_SERVER_MODE;
    if (options->tls.enabled && server && options->tls.verification.ptr)
        return error_set(err, ERROR_CONFIG,
                         "ssl_verification_mode is for mode => client; a server has "
                         "ssl_client_authentication");
    if (options->tls.enabled && !server && options->tls.client_authentication.ptr)
        return error_set(err, ERROR_CONFIG,
                         "ssl_client_authentication is for mode => server; a client has "
                         "ssl_verification_mode");
    if (!server && options->port == 0)
        return error_set(err, ERROR_CONFIG, "port is 0: name the server's");
    return tls_options_check(&options->tls, &tcp_tls_defaults[options->mode], env, err);
}

static bool open_server(struct tcp_input *input, struct tls_context *tls, struct error *err)
{
    const struct tcp_options *own = &input->options;
    struct server_options options = {
        .env = input->env,
        .waiting = "waiting for TCP clients",
        .host = own->host,
        .port = own->port,
        .max_connections = own->max_connections,
        .keep_alive = own->keep_alive,
        .protocol = tcp_protocol,
        .input = input,
        .tls = tls,
        .handshake_timeout_ms = own->tls.handshake_timeout_ms,
    };
    return server_open(&input->server, &options, err);
}

static bool open_input(void *self, const struct plugin_env *env, struct error *err)
{
    struct tcp_input *input = self;
    struct tcp_options *options = &input->options;
    struct tls_context *tls;
    input->env = env;
    /* "full" looks at the chain and not at the name, in Logstash's client. */
    if (options->mode == TCP_CLIENT_MODE && str_equal(options->tls.verification, STR("full")))
        options->tls.verification = STR("certificate");
    input->bytes = env->counter(env, "bytes");
    input->idle_timeouts = env->counter(env, "idle_timeouts");
    input->proxy_errors = env->counter(env, "proxy_header_errors");
    if (!tls_options_open(&options->tls, &tcp_tls_defaults[options->mode], env, &tls, err))
        return false;
    if (options->mode == TCP_SERVER_MODE)
        return open_server(input, tls, err);
    input->client = client_open(input, tls);
    return true;
}

static bool start(void *self, struct error *err)
{
    struct tcp_input *input = self;
    assert(!input->client == (input->options.mode == TCP_SERVER_MODE));
    if (!input->client)
        return server_start(&input->server, err);
    client_start(input->client);
    return true;
}

static void stop(void *self)
{
    struct tcp_input *input = self;
    if (!input->client)
        server_stop(&input->server);
    else if (client_stop(input->client))
        input_finished(input->env);
}

static void close_input(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct tcp_input *input = self;
    if (input->client)
        client_close(input->client, closed, ctx);
    else
        server_close(&input->server, closed, ctx);
    input->client = NULL;
}

const struct input input_tcp = {
    .plugin =
        {
            .name = "tcp",
            .summary = "Events from TCP connections, as server or as client",
            .options = OPTIONS,
            .size = sizeof(struct tcp_input),
            .check = check,
        },
    .open = open_input,
    .start = start,
    .stop = stop,
    .close = close_input,
    .codec_default = "line",
};
