/* SPDX-License-Identifier: Apache-2.0
 *
 * syslog: one port for datagrams and one for lines over TCP; what they say is read by message.h.
 */
#include <assert.h>

#include "inputs/datagrams.h"
#include "inputs/frame_server.h"
#include "inputs/inputs.h"
#include "inputs/syslog/message.h"

struct syslog_input {
    struct syslog_options options;
    struct str host;
    int64_t port, max_connections, message_timeout_ms, max_event_bytes;
    bool proxy_protocol;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct syslog_parser parser;
    struct datagrams *datagrams;
    struct frame_server *server;
    unsigned closing; /* parts that are not closed yet */
    bool stopped;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

enum { SYSLOG_DATAGRAM_BYTES = 65536 };

static void complete_datagram(void *ctx, struct event *event)
{
    struct syslog_input *input = ctx;
    syslog_parse(&input->parser, input->env->regex, datagrams_sender(input->datagrams), event);
}

static void complete_line(void *ctx, const struct frame_source *source, struct event *event)
{
    struct syslog_input *input = ctx;
    syslog_parse(&input->parser, source->regex, source->address, event);
}

static bool syslog_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct syslog_input *input = self;
    struct syslog_parser parser;
    bool ok = syslog_parser_open(&parser, &input->options, env, err);
    if (ok)
        syslog_parser_close(&parser);
    return ok;
}

static bool open_server(struct syslog_input *input, struct error *err)
{
    size_t most = input->env->settings->max_event_bytes;
    struct frame_server_options options = {
        .env = input->env,
        .waiting = "waiting for syslog over TCP",
        .host = input->host,
        .port = input->port,
        .max_connections = input->max_connections,
        .max_frame_bytes =
            (uint64_t)input->max_event_bytes < most ? input->max_event_bytes : (int64_t)most,
        .frame_timeout_ms = input->message_timeout_ms,
        .delimiter = '\n',
        .keeps_delimiter = true,
        .counts_octets = input->options.rfc5424,
        .proxy_protocol = input->proxy_protocol,
        .codec = input->codec,
        .codec_default = "plain",
        .ctx = input,
        .complete = complete_line,
    };
    input->server = frame_server_new(&options, err);
    return input->server != NULL;
}

static bool syslog_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct syslog_input *input = self;
    input->env = env;
    if (!syslog_parser_open(&input->parser, &input->options, env, err))
        return false;
    struct datagrams_options options = {
        .env = env,
        .host = input->host,
        .port = input->port,
        .max_bytes = SYSLOG_DATAGRAM_BYTES,
        .codec = input->codec,
        .codec_default = "plain",
        .ctx = input,
        .complete = complete_datagram,
    };
    input->datagrams = datagrams_new(&options, err);
    return input->datagrams && open_server(input, err);
}

static bool syslog_start(void *self, struct error *err)
{
    struct syslog_input *input = self;
    (void)err;
    assert(input->datagrams && input->server && !input->stopped);
    datagrams_start(input->datagrams);
    frame_server_start(input->server);
    return true;
}

static void syslog_stop(void *self)
{
    struct syslog_input *input = self;
    if (input->stopped)
        return;
    input->stopped = true;
    datagrams_stop(input->datagrams);
    frame_server_stop(input->server);
}

static void closed_part(void *ctx)
{
    struct syslog_input *input = ctx;
    assert(input->closing > 0);
    if (--input->closing > 0)
        return;
    syslog_parser_close(&input->parser);
    input->closed(input->closed_ctx);
}

static void syslog_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct syslog_input *input = self;
    input->closed = closed;
    input->closed_ctx = ctx;
    input->closing = 1u + (input->datagrams != NULL) + (input->server != NULL);
    if (input->datagrams)
        datagrams_close(input->datagrams, closed_part, input);
    if (input->server)
        frame_server_close(input->server, closed_part, input);
    closed_part(input);
}

static const struct option syslog_rows[] = {
    {
        .name = "port",
        .doc = "The port to receive on, UDP and TCP.",
        OPTION_IN_INT(struct syslog_input, port),
        .min = 0,
        .max = 65535,
        .def = "514",
    },
    {
        .name = "host",
        .doc = "The address to receive on.",
        OPTION_IN_STRING(struct syslog_input, host),
        .def = "0.0.0.0",
    },
    {
        .name = "codec",
        .doc = "How a message is decoded before its text is read.",
        OPTION_IN_CODEC(struct syslog_input, codec),
    },
    {
        .name = "syslog_field",
        .doc = "The field that holds the text to read.",
        OPTION_IN_STRING(struct syslog_input, options.syslog_field),
        .def = "message",
    },
    {
        .name = "grok_pattern",
        .doc = "The pattern of a message. Default: <priority>, then SYSLOGLINE.",
        OPTION_IN_STRING(struct syslog_input, options.grok_pattern),
    },
    {
        .name = "rfc5424",
        .doc = "Read messages in the form of RFC 5424 as well, and over TCP those that begin with "
               "their "
               "length (RFC 6587). Only here.",
        OPTION_IN_BOOL(struct syslog_input, options.rfc5424),
        .def = "false",
    },
    {
        .name = "use_labels",
        .doc = "Set the names of facility and severity.",
        OPTION_IN_BOOL(struct syslog_input, options.use_labels),
        .def = "true",
    },
    {
        .name = "facility_labels",
        .doc = "Names of the facilities, from code 0.",
        OPTION_IN_STRINGS(struct syslog_input, options.facility_labels),
        .def = "[\"kernel\",\"user-level\",\"mail\",\"system\",\"security/authorization\","
               "\"syslogd\",\"line printer\",\"network news\",\"UUCP\",\"clock\","
               "\"security/authorization\",\"FTP\",\"NTP\",\"log audit\",\"log alert\",\"clock\","
               "\"local0\",\"local1\",\"local2\",\"local3\",\"local4\",\"local5\",\"local6\","
               "\"local7\"]",
    },
    {
        .name = "severity_labels",
        .doc = "Names of the severities, from code 0.",
        OPTION_IN_STRINGS(struct syslog_input, options.severity_labels),
        .def = "[\"Emergency\",\"Alert\",\"Critical\",\"Error\",\"Warning\",\"Notice\","
               "\"Informational\",\"Debug\"]",
    },
    {
        .name = "timezone",
        .doc = "Zone of times without one: an id (Europe/Paris) or an offset. Default: the host's.",
        OPTION_IN_STRING(struct syslog_input, options.timezone),
    },
    {
        .name = "locale",
        .doc = "Language of the names of months: en, fr, de, es, it, pt or nl. Default: en.",
        OPTION_IN_STRING(struct syslog_input, options.locale),
    },
    {
        .name = "service_type",
        .doc = "With ECS, the value of [service][type] for events that have none; \"\": none.",
        OPTION_IN_STRING(struct syslog_input, options.service_type),
        .def = "system",
    },
    {
        .name = "proxy_protocol",
        .doc = "Over TCP, a proxy in front says who the client is, in a line of version 1 of its "
               "protocol.",
        OPTION_IN_BOOL(struct syslog_input, proxy_protocol),
        .def = "false",
    },
    {
        .name = "max_connections",
        .doc = "Largest number of TCP connections at once; more are closed at once.",
        OPTION_IN_INT(struct syslog_input, max_connections),
        .min = 1,
        .max = 1000000,
        .def = "10000",
    },
    {
        .name = "max_event_bytes",
        .doc = "Longest message over TCP; longer ones are left out and counted.",
        OPTION_IN_BYTES(struct syslog_input, max_event_bytes),
        .min = 1024,
        .max = 268435456,
        .def = "1 MiB",
    },
    {
        .name = "message_timeout",
        .doc = "Seconds that a message may take to arrive whole over TCP; then the connection is "
               "closed. 0: any time.",
        OPTION_IN_DURATION_MS(struct syslog_input, message_timeout_ms),
        .min = 0,
        .max = 2147483647,
        .def = "60",
    },
    OPTION_END,
};

const struct input input_syslog = {
    .plugin = {.name = "syslog",
               .summary = "syslog messages over UDP and TCP",
               .options = syslog_rows,
               .size = sizeof(struct syslog_input),
               .scope = SCOPE_PIPELINE,
               .check = syslog_check},
    .open = syslog_open,
    .start = syslog_start,
    .stop = syslog_stop,
    .close = syslog_close,
};
