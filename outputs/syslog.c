/* SPDX-License-Identifier: Apache-2.0
 *
 * syslog: a line for each event, in the form of RFC 3164 or 5424, as datagrams or over a connection. The codes of facilities are
 * those of Logstash's plugin, which counts local0 as 14 and not as 16: a receiver that was set up for it stays right.
 */
#include <assert.h>

#include "base/time/date_pattern.h"
#include "outputs/describe.h"
#include "outputs/net_sender.h"
#include "outputs/outputs.h"
#include "pipeline/program/evaluate.h"
#include "pipeline/tls_options.h"

enum {
    DEFAULT_FACILITY = 1,
    DEFAULT_SEVERITY = 5,
    DEFAULT_PRIORITY = 13,
    PRIORITY_MAX = 191,
};
enum syslog_protocol { PROTOCOL_UDP, PROTOCOL_TCP, PROTOCOL_TLS };
enum syslog_rfc { RFC_3164, RFC_5424 };

struct syslog_output {
    struct str host;
    int64_t port, reconnect_ms;
    int protocol, rfc;
    bool use_labels, ssl_verify;
    struct template facility, severity, priority, sourcehost, appname, procid, msgid, message,
        structured_data;
    struct tls_options tls;
    const struct conf_plugin *codec_option;

    const struct plugin_env *env;
    struct codec_instance codec; /* NULL: the option message says the text */
    const struct date_pattern *date;
    struct net_sender *sender;
};

static const char *const FACILITIES[] = {
    "kernel",  "user-level",   "mail",         "daemon",    "security/authorization",
    "syslogd", "line printer", "network news", "uucp",      "clock",
    "ftp",     "ntp",          "log audit",    "log alert", "local0",
    "local1",  "local2",       "local3",       "local4",    "local5",
    "local6",  "local7",       NULL,
};
static const char *const SEVERITIES[] = {
    "emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug", NULL};

/* ---- a line --------------------------------------------------------------------------------------- */

static int64_t code_of(const char *const *labels, struct str label, int64_t fallback)
{
    for (int64_t i = 0; labels[i]; i++)
        if (str_equal(label, str_from(labels[i])))
            return i;
    return fallback;
}

static bool priority_of(const struct syslog_output *output, const struct event *event,
                        struct arena *scratch, int64_t *out)
{
    struct str text, severity;
    if (!output->use_labels) {
        if (!template_text(&output->priority, event, scratch, &text))
            return false;
        if (!str_to_int(str_trim(text), out) || *out < 0 || *out > PRIORITY_MAX)
            *out = DEFAULT_PRIORITY;
        return true;
    }
    if (!template_text(&output->facility, event, scratch, &text) ||
        !template_text(&output->severity, event, scratch, &severity))
        return false;
    *out = code_of(FACILITIES, text, DEFAULT_FACILITY) * 8 +
           code_of(SEVERITIES, severity, DEFAULT_SEVERITY);
    return true;
}

static size_t without_blanks_behind(struct str text)
{
    size_t len = text.len;
    while (len > 0 && memchr(" \t\n\v\f\r\0", text.ptr[len - 1], 7))
        len--;
    return len;
}

/* On one line: a line break becomes the two characters \n. */
static bool append_text(struct buf *out, struct str text)
{
    text.len = without_blanks_behind(text);
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        if (!end)
            return buf_append_str(out, text);
        size_t len = (size_t)(end - text.ptr);
        size_t shown = len > 0 && text.ptr[len - 1] == '\r' ? len - 1 : len;
        if (!buf_append(out, text.ptr, shown) || !buf_append(out, "\\n", 2))
            return false;
        text = str_from_offset(text, len + 1);
    }
    return true;
}

static bool append_date(const struct syslog_output *output, const struct event *event,
                        struct buf *out)
{
    struct instant at;
    if (!event_timestamp(event, &at))
        at = output->env->now();
    return date_pattern_format(output->date, at, out) &&
           (output->rfc == RFC_3164 || buf_append_str(out, STR("+00:00")));
}

static bool append_part(const struct template *part, const struct event *event, char behind,
                        struct buf *out)
{
    return template_append(part, event, out) && buf_append_char(out, behind);
}

static bool append_rfc3164(const struct syslog_output *output, const struct event *event,
                           struct buf *out)
{
    return append_date(output, event, out) && buf_append_char(out, ' ') &&
           append_part(&output->sourcehost, event, ' ', out) &&
           append_part(&output->appname, event, '[', out) &&
           append_part(&output->procid, event, ']', out) && buf_append_str(out, STR(": "));
}

static bool append_data(const struct syslog_output *output, const struct event *event,
                        struct buf *out)
{
    size_t start = out->len;
    if (output->structured_data.parts && !template_append(&output->structured_data, event, out))
        return false;
    return (out->len > start || buf_append_char(out, '-')) && buf_append_char(out, ' ');
}

static bool append_rfc5424(const struct syslog_output *output, const struct event *event,
                           struct buf *out)
{
    return buf_append_str(out, STR("1 ")) && append_date(output, event, out) &&
           buf_append_char(out, ' ') && append_part(&output->sourcehost, event, ' ', out) &&
           append_part(&output->appname, event, ' ', out) &&
           append_part(&output->procid, event, ' ', out) &&
           append_part(&output->msgid, event, ' ', out) && append_data(output, event, out);
}

static bool text_of(struct syslog_output *output, const struct event *event, struct arena *scratch,
                    size_t max, struct str *out, struct error *err)
{
    struct buf buf;
    error_set(err, ERROR_FORMAT, "no line can be made of this event");
    if (!output->codec.codec)
        return template_text(&output->message, event, scratch, out);
    buf_init(&buf, max);
    bool ok = codec_encode(&output->codec, event, scratch, &buf, err) == ENCODE_DONE;
    *out = arena_dup(scratch, buf_str(&buf));
    buf_release(&buf);
    return ok;
}

static enum encode_result syslog_encode(void *self, const struct event *event,
                                        struct arena *scratch, struct buf *out, struct error *err)
{
    struct syslog_output *output = self;
    int64_t priority;
    struct str text;
    if (!priority_of(output, event, scratch, &priority)) {
        error_set(err, ERROR_FORMAT, "the event has no priority");
        return ENCODE_REFUSED;
    }
    if (!text_of(output, event, scratch, out->max, &text, err))
        return ENCODE_REFUSED;
    bool fits = buf_printf(out, "<%d>", (int)priority) &&
                (output->rfc == RFC_3164 ? append_rfc3164(output, event, out)
                                         : append_rfc5424(output, event, out)) &&
                append_text(out, text) && buf_append_char(out, '\n');
    return fits ? ENCODE_DONE : ENCODE_FULL;
}

/* ---- the output ----------------------------------------------------------------------------------- */

static bool is_plain_without_format(const struct conf_plugin *codec)
{
    if (!codec)
        return true;
    if (!str_equal(codec->name, STR("plain")))
        return false;
    for (size_t i = 0; i < codec->count; i++)
        if (str_equal(codec->attributes[i].name, STR("format")))
            return false;
    return true;
}

/* The chain is checked, not the name, as in Logstash. */
static struct tls_defaults tls_of(const struct syslog_output *output)
{
    return (struct tls_defaults){TLS_CLIENT, output->ssl_verify ? "certificate" : "none"};
}

static bool syslog_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct syslog_output *output = self;
    output->tls.enabled = output->protocol == PROTOCOL_TLS;
    if (output->structured_data.text.len > 0 && output->rfc == RFC_3164)
        return error_set(
            err, ERROR_CONFIG,
            "structured_data needs rfc => rfc5424: the older form has no place for it");
    const struct tls_defaults defaults = tls_of(output);
    return output->protocol != PROTOCOL_TLS || tls_options_check(&output->tls, &defaults, env, err);
}

static bool syslog_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct syslog_output *output = self;
    output->env = env;
    output->date = date_pattern_compile(env->arena,
                                        output->rfc == RFC_3164 ? STR("MMM dd HH:mm:ss")
                                                                : STR("yyyy-MM-dd'T'HH:mm:ss.SSS"),
                                        DATE_JODA, err);
    if (!output->date)
        return false;
    if (is_plain_without_format(output->codec_option))
        return true;
    return codec_open_writer(env, output->codec_option, "plain", &output->codec, err);
}

static bool syslog_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                        struct error *err)
{
    struct syslog_output *output = self;
    struct net_sender_options options = {
        .env = env,
        .host = output->host,
        .port = (uint16_t)output->port,
        .is_udp = output->protocol == PROTOCOL_UDP,
        .reconnect_ms = (unsigned)output->reconnect_ms,
    };
    assert(output->env);
    const struct tls_defaults defaults = tls_of(output);
    output->tls.enabled = output->protocol == PROTOCOL_TLS;
    if (!tls_options_open(&output->tls, &defaults, env, &options.tls, err))
        return false;
    output->sender = net_sender_new(&options, limits);
    return true;
}

static void syslog_send(void *self, struct group *group)
{
    struct syslog_output *output = self;
    net_sender_send(output->sender, group);
}

static void syslog_recall(void *self)
{
    struct syslog_output *output = self;
    net_sender_recall(output->sender);
}

static void syslog_stop(void *self)
{
    struct syslog_output *output = self;
    net_sender_stop(output->sender);
}

static void syslog_close(void *self)
{
    struct syslog_output *output = self;
    net_sender_close(output->sender);
    output->sender = NULL;
}

static void syslog_close_encoder(void *self)
{
    struct syslog_output *output = self;
    codec_close(&output->codec);
}

#define ROW(kind, member) OPTION_IN_##kind(struct syslog_output, member)
#define CRL_NOTE          "leave it out: certificates that are revoked are not looked up"

static const char *const PROTOCOLS[] = {"udp", "tcp", "ssl-tcp", NULL};
static const char *const RFCS[] = {"rfc3164", "rfc5424", NULL};

static const struct option syslog_options[] = {
    {
        .name = "host",
        .doc = "Name or address of the receiver.",
        ROW(STRING, host),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "port",
        .doc = "The receiver's port.",
        ROW(INT, port),
        .min = 1,
        .max = 65535,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "protocol",
        .doc = "How lines are sent.",
        ROW(CHOICE, protocol),
        .choices = PROTOCOLS,
        .def = "udp",
    },
    {
        .name = "reconnect_interval",
        .doc = "Seconds after which a connection is made again; longer while it fails.",
        ROW(DURATION_MS, reconnect_ms),
        .min = 1,
        .max = 2147483647,
        .def = "1",
    },
    {
        .name = "rfc",
        .doc = "The form of a line.",
        ROW(CHOICE, rfc),
        .choices = RFCS,
        .def = "rfc3164",
    },
    {
        .name = "use_labels",
        .doc = "Facility and severity are names; else priority is a number.",
        ROW(BOOL, use_labels),
        .def = "true",
    },
    {
        .name = "facility",
        .doc = "Name of the facility; one that is unknown counts as user-level.",
        ROW(TEMPLATE, facility),
        .def = "user-level",
    },
    {
        .name = "severity",
        .doc = "Name of the severity; one that is unknown counts as notice.",
        ROW(TEMPLATE, severity),
        .def = "notice",
    },
    {
        .name = "priority",
        .doc = "Without use_labels: the priority, 0 to 191; anything else counts as 13.",
        ROW(TEMPLATE, priority),
        .def = "%{syslog_pri}",
    },
    {
        .name = "sourcehost",
        .doc = "The host that a line names.",
        ROW(TEMPLATE, sourcehost),
        .def = "%{host}",
    },
    {
        .name = "appname",
        .doc = "The program that a line names.",
        ROW(TEMPLATE, appname),
        .def = "LOGSTASH",
    },
    {
        .name = "procid",
        .doc = "The process that a line names.",
        ROW(TEMPLATE, procid),
        .def = "-",
    },
    {
        .name = "msgid",
        .doc = "With rfc5424: the kind of message.",
        ROW(TEMPLATE, msgid),
        .def = "-",
    },
    {
        .name = "structured_data",
        .doc = "With rfc5424: elements as they are to stand there.",
        ROW(TEMPLATE, structured_data),
    },
    {
        .name = "message",
        .doc = "The text of a line, when no codec says it.",
        ROW(TEMPLATE, message),
        .def = "%{message}",
    },
    {
        .name = "codec",
        .doc = "How an event becomes the text of a line. Default: message.",
        ROW(CODEC, codec_option),
    },
    {
        .name = "ssl_verify",
        .doc = "ssl-tcp: the receiver must show a certificate that an authority has signed.",
        ROW(BOOL, ssl_verify),
        .def = "false",
    },
    {
        .name = "ssl_certificate_authorities",
        .doc = "PEM files with the authorities; default: those of the system.",
        ROW(STRINGS, tls.authorities),
    },
    {
        .name = "ssl_cacert",
        .doc = "The same, once.",
        .note = "use ssl_certificate_authorities",
        ROW(STRINGS, tls.authorities),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "ssl_certificate",
        .doc = "PEM file with our certificate.",
        ROW(PATH, tls.certificate),
    },
    {
        .name = "ssl_cert",
        .doc = "The same, once.",
        .note = "use ssl_certificate",
        ROW(PATH, tls.certificate),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "ssl_key",
        .doc = "PEM file with its key.",
        ROW(PATH, tls.key),
    },
    {
        .name = "ssl_key_passphrase",
        .doc = "What the key is encrypted with.",
        ROW(PASSWORD, tls.key_passphrase),
        .flags = OPTION_SECRET,
    },
    {
        .name = "ssl_cipher_suites",
        .doc = "Cipher suites, by IANA's or OpenSSL's names.",
        ROW(STRINGS, tls.ciphers),
    },
    {
        .name = "ssl_supported_protocols",
        .doc = "TLSv1.1, TLSv1.2, TLSv1.3; default: the last two.",
        ROW(STRINGS, tls.versions),
    },
    {
        .name = "ssl_crl_path",
        .doc = "Revoked certificates.",
        .note = CRL_NOTE,
        OPTION_NOWHERE,
        .flags = OPTION_UNSUPPORTED,
    },
    {
        .name = "ssl_crl_check",
        .doc = "Which certificates are looked up there.",
        .note = CRL_NOTE,
        OPTION_NOWHERE,
        .flags = OPTION_UNSUPPORTED,
    },
    OPTION_END,
};

static struct str syslog_describe_item(const void *self, struct str item, struct arena *arena,
                                       struct value *object)
{
    static const char *const NAMES[] = {
        [PROTOCOL_UDP] = "udp", [PROTOCOL_TCP] = "tcp", [PROTOCOL_TLS] = "tls"};
    const struct syslog_output *output = self;
    describe_to(arena, object, NAMES[output->protocol], output->host, output->port);
    return item;
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"port", "protocol", NULL};

const struct output output_syslog = {
    .plugin = {.name = "syslog",
               .summary = "lines to a syslog server",
               .options = syslog_options,
               .size = sizeof(struct syslog_output),
               .shared_size = sizeof(struct codec_shared),
               .scope = SCOPE_LANE,
               .check = syslog_check},
    .sent_by = SENT_BY,
    .open_encoder = syslog_open_encoder,
    .open = syslog_open,
    .encode = syslog_encode,
    .describe_item = syslog_describe_item,
    .refuses = true,
    .send = syslog_send,
    .recall = syslog_recall,
    .stop = syslog_stop,
    .close = syslog_close,
    .close_encoder = syslog_close_encoder,
};
