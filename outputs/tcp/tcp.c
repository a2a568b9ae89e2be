/* SPDX-License-Identifier: Apache-2.0
 *
 * tcp: what the codec writes, to a server or to all who connect. In client mode an event counts as delivered when the system
 * has taken its bytes; a group that failed is sent again as a whole. In server mode it is whether anybody hears it or not.
 */
#include "outputs/tcp/tcp.h"
#include "outputs/describe.h"

#include <assert.h>

#include "outputs/outputs.h"
#include "pipeline/engine/budget.h"

enum {
    TCP_GROUP_ITEMS = 2000,
    TCP_GROUP_BYTES = 1024 * 1024,
    TCP_FLUSH_MS = 5,
    TCP_LOG_WINDOW_MS = 60 * 1000,
    TCP_CONNECT_TIMEOUT_MS = 10 * 1000,
};

#define ROW(kind, member) OPTION_IN_##kind(struct tcp_output_options, member)

static const char *const MODES[] = {"server", "client", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "host",
        .doc = "The server to send to, or the address to listen on.",
        ROW(STRING, host),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "port",
        .doc = "Its port, or the port to listen on.",
        ROW(INT, port),
        .min = 0,
        .max = 65535,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "mode",
        .doc = "client: connects to a server; server: all who connect get every event.",
        ROW(CHOICE, mode),
        .choices = MODES,
        .def = "client",
    },
    {
        .name = "reconnect_interval",
        .doc = "Seconds after which it is tried again to reach the server.",
        ROW(DURATION_MS, reconnect_interval_ms),
        .def = "10",
        .min = 1,
        .max = 3600000,
    },
    {
        .name = "codec",
        .doc = "How events become bytes. json writes nothing between them: json_lines ends lines.",
        ROW(CODEC, codec),
    },
    {
        .name = "max_connections",
        .doc = "Largest number of clients at once, in server mode.",
        ROW(INT, max_connections),
        .def = "1000",
        .min = 1,
        .max = 1000000,
    },
    {
        .name = "max_client_bytes",
        .doc = "So much may wait for a client, in server mode; one that is further behind is "
               "disconnected.",
        ROW(BYTES, max_client_bytes),
        .def = "16 MiB",
        .min = 65536,
        .max = 1073741824,
    },
    TLS_LISTENER_ROWS(struct tcp_output_options, tls, "none"),
    TLS_CLIENT_ROWS(struct tcp_output_options, tls, "full"),
    TLS_HANDSHAKE_ROW(struct tcp_output_options, tls),
    TLS_OLD_ROW("ssl_enable", "ssl_enabled", BOOL, struct tcp_output_options, tls.enabled),
    TLS_OLD_ROW("ssl_verify", "ssl_verification_mode", STRING, struct tcp_output_options,
                tls.verification),
    TLS_OLD_ROW("ssl_cert", "ssl_certificate", STRING, struct tcp_output_options, tls.certificate),
    TLS_OLD_ROW("ssl_cacert", "ssl_certificate_authorities", STRINGS, struct tcp_output_options,
                tls.authorities),
    {
        .name = "message_format",
        .doc = "Text to send for each event.",
        .note = "use codec => line { format => … }",
        OPTION_NOWHERE,
        .flags = OPTION_UNSUPPORTED,
    },
    OPTION_END,
};

static const struct tls_defaults TLS_DEFAULTS[] = {
    [TCP_OUTPUT_SERVER] = {TLS_SERVER, "none"},
    [TCP_OUTPUT_CLIENT] = {TLS_CLIENT, "full"},
};

static bool check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct tcp_output_options *options = self;
    if (options->mode == TCP_OUTPUT_CLIENT && options->port == 0)
        return error_set(err, ERROR_CONFIG, "port is 0: name the server's");
    if (options->host.len == 0)
        return error_set(err, ERROR_CONFIG, "host is empty");
    return tls_options_check(&options->tls, &TLS_DEFAULTS[options->mode], env, err);
}

/* ---- encoding, on each lane ---- */

static bool open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct tcp_output *output = self;
    return codec_open_writer(env, output->options.codec, "json", &output->codec, err);
}

static enum encode_result encode(void *self, const struct event *event, struct arena *scratch,
                                 struct buf *out, struct error *err)
{
    struct tcp_output *output = self;
    size_t before = out->len;
    enum encode_result result = codec_encode(&output->codec, event, scratch, out, err);
    return result == ENCODE_DONE && out->len == before ? ENCODE_DROPPED : result;
}

static void close_encoder(void *self)
{
    struct tcp_output *output = self;
    codec_close(&output->codec);
}

/* ---- sending, on the main lane ---- */

static void on_sent(void *ctx, enum tcp_sent sent, const char *reason)
{
    struct tcp_output *output = ctx;
    struct group *group = output->group;
    uint64_t suppressed;
    output->group = NULL;
    if (sent == TCP_SENT) {
        group_answer_all(group, VERDICT_DELIVERED, STR(""));
        group_answered(group);
        return;
    }
    if (sent == TCP_FAILED &&
        log_limit_allow(&output->log_limit, uv_now(output->env->loop), &suppressed))
        log_warn(output->env->log, "server_lost", "the server cannot be sent to, trying again",
                 LOG_STR("host", output->options.host), LOG_INT("port", output->options.port),
                 LOG_CSTR("reason", reason), LOG_INT_IF("not_logged_before", suppressed));
    group_done(group, &(struct send_result){
                          .cause = sent == TCP_FAILED ? SEND_UNREACHABLE : SEND_STOPPED,
                          .reason = str_from(reason),
                      });
}

static void on_kept_old(void *ctx, const char *reason)
{
    const struct tcp_output *output = ctx;
    log_warn(output->env->log, "certificates_kept",
             "certificates changed on disk and cannot be used: the old ones stay",
             LOG_CSTR("reason", reason));
}

static void send_group(void *self, struct group *group)
{
    struct tcp_output *output = self;
    if (output->clients) {
        clients_send(output->clients, group_bytes(group));
        group_answer_all(group, VERDICT_DELIVERED, STR(""));
        group_answered(group);
        return;
    }
    assert(!output->group);
    output->group = group;
    tcp_sender_send(output->sender, group_bytes(group));
}

/* ---- the output ---- */

static bool open_output(void *self, const struct plugin_env *env, struct output_limits *limits,
                        struct error *err)
{
    struct tcp_output *output = self;
    const struct tcp_output_options *options = &output->options;
    struct tls_context *tls;
    output->env = env;
    output->log_limit = (struct log_limit){.window_ms = TCP_LOG_WINDOW_MS, .burst = 3};
    *limits = (struct output_limits){
        .max_items = TCP_GROUP_ITEMS,
        .max_bytes = TCP_GROUP_BYTES,
        .max_in_flight = 1,
        .flush_ms = TCP_FLUSH_MS,
        .retry_initial_ms = (unsigned)options->reconnect_interval_ms,
        .retry_max_ms = (unsigned)options->reconnect_interval_ms,
    };
    if (!tls_options_open(&options->tls, &TLS_DEFAULTS[options->mode], env, &tls, err))
        return false;
    if (options->mode == TCP_OUTPUT_SERVER) {
        output->clients = clients_open(output, tls, err);
        return output->clients != NULL;
    }
    output->sender = tcp_sender_new(&(struct tcp_sender_options){
        .loop = env->loop,
        .host = arena_cstr(env->arena, options->host),
        .port = (uint16_t)options->port,
        .connect_timeout_ms = TCP_CONNECT_TIMEOUT_MS,
        .tls = tls,
        .charged = engine_account(env->engine, BUDGET_GROUPS),
        .sent = on_sent,
        .kept_old = on_kept_old,
        .ctx = output,
    });
    return true;
}

static void recall(void *self)
{
    struct tcp_output *output = self;
    if (output->group && group_waits_too_long(output->group))
        tcp_sender_recall(output->sender);
}

static void stop(void *self)
{
    struct tcp_output *output = self;
    if (output->sender)
        tcp_sender_stop(output->sender);
}

static void close_output(void *self)
{
    struct tcp_output *output = self;
    tcp_sender_close(output->sender);
    if (output->clients)
        clients_close(output->clients);
    output->sender = NULL;
    output->clients = NULL;
}

static struct str describe_item(const void *self, struct str item, struct arena *arena,
                                struct value *object)
{
    const struct tcp_output *output = self;
    bool is_client = output->options.mode == TCP_OUTPUT_CLIENT;
    describe_to(arena, object, "tcp", output->options.host, output->options.port);
    if (!is_client)
        describe_text(arena, object, "clients", STR("all that are connected"));
    return item;
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"port", "mode", "max_connections", "max_client_bytes", NULL};

const struct output output_tcp = {
    .plugin =
        {
            .name = "tcp",
            .summary = "Events over TCP connections, to a server or to all who connect",
            .options = OPTIONS,
            .size = sizeof(struct tcp_output),
            .scope = SCOPE_PIPELINE,
            .shared_size = sizeof(struct codec_shared),
            .check = check,
        },
    .sent_by = SENT_BY,
    .open_encoder = open_encoder,
    .open = open_output,
    .encode = encode,
    .describe_item = describe_item,
    .send = send_group,
    .recall = recall,
    .stop = stop,
    .close = close_output,
    .close_encoder = close_encoder,
};
