/* SPDX-License-Identifier: Apache-2.0
 *
 * udp: a datagram for each event. An item of a group is the port in two bytes and what the codec wrote. An event counts as
 * delivered when the system has its datagram: nobody says whether it arrives.
 */
#include <assert.h>

#include "io/udp_sender.h"
#include "outputs/describe.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"
#include "pipeline/program/evaluate.h"

enum {
    UDP_GROUP_ITEMS = 512,
    UDP_GROUP_BYTES = 1024 * 1024,
    UDP_FLUSH_MS = 2,
    UDP_RETRY_MAX_MS = 60 * 1000,
    UDP_LOG_WINDOW_MS = 10 * 1000,
};

struct udp_output {
    struct str host;
    struct template port;
    int64_t retry_count, retry_backoff_ms;
    const struct conf_plugin *codec_option;

    const struct plugin_env *env;
    struct codec_instance codec;
    struct log_limit log_limit;
    struct udp_sender *sender;
    struct group *group; /* being sent */
    size_t next;         /* item of it */
};

/* ---- sending -------------------------------------------------------------------------------------- */

static void give_back(struct udp_output *output, const struct send_result *result)
{
    struct group *group = output->group;
    output->group = NULL;
    group_done(group, result);
}

/* What is behind an item that waits is sent anew with it; what is before it has gone. */
static void answer_rest(struct udp_output *output, struct str reason)
{
    for (size_t i = output->next; i < group_count(output->group); i++)
        group_answer(output->group, i, VERDICT_RETRY, reason);
    give_back(output, &(struct send_result){.cause = SEND_ANSWERED});
}

static void answer_failed(struct udp_output *output, enum udp_sent sent, struct str reason)
{
    bool again = sent == UDP_FAILED &&
                 group_attempts(output->group, output->next) < (uint64_t)output->retry_count;
    group_answer(output->group, output->next, again ? VERDICT_RETRY : VERDICT_REFUSED, reason);
}

static uint16_t take_port(struct str *item)
{
    uint16_t port;
    assert(item->len >= sizeof port);
    memcpy(&port, item->ptr, sizeof port);
    *item = str_from_offset(*item, sizeof port);
    return port;
}

static void no_host(struct udp_output *output, const struct error *err)
{
    struct send_result result = {.cause = SEND_UNREACHABLE, .reason = str_from(err->text)};
    uint64_t suppressed;
    if (log_limit_allow(&output->log_limit, uv_now(output->env->loop), &suppressed))
        log_warn(output->env->log, "udp_waits", "no datagram can be sent, trying again",
                 LOG_STR("reason", result.reason), LOG_INT_IF("not_logged_before", suppressed));
    if (output->next == 0)
        give_back(output, &result);
    else
        answer_rest(output, result.reason);
}

static void go_on(void *ctx)
{
    struct udp_output *output = ctx;
    struct error err;
    if (!output->group)
        return; /* stopped while it waited */
    for (; output->next < group_count(output->group); output->next++) {
        struct str item = group_item(output->group, output->next);
        uint16_t port = take_port(&item);
        enum udp_sent sent = udp_sender_send(output->sender, port, item, &err);
        if (sent == UDP_WAIT)
            return;
        if (sent == UDP_NO_HOST) {
            no_host(output, &err);
            return;
        }
        if (sent == UDP_SENT)
            group_answer(output->group, output->next, VERDICT_DELIVERED, STR(""));
        else
            answer_failed(output, sent, str_from(err.text));
    }
    give_back(output, &(struct send_result){.cause = SEND_ANSWERED});
}

static void udp_send(void *self, struct group *group)
{
    struct udp_output *output = self;
    assert(!output->group);
    output->group = group;
    output->next = 0;
    go_on(output);
}

/* Its name is still looked up. */
static void udp_recall(void *self)
{
    struct udp_output *output = self;
    if (output->group && output->next == 0 && group_waits_too_long(output->group))
        give_back(output, &(struct send_result){.cause = SEND_STOPPED});
}

static void udp_stop(void *self)
{
    struct udp_output *output = self;
    if (output->group && output->next == 0)
        give_back(output, &(struct send_result){.cause = SEND_STOPPED});
    else if (output->group)
        answer_rest(output, STR("the output stops"));
}

/* ---- the output ----------------------------------------------------------------------------------- */

static bool udp_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct udp_output *output = self;
    return codec_open_writer(env, output->codec_option, "json", &output->codec, err);
}

static bool udp_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                     struct error *err)
{
    struct udp_output *output = self;
    (void)err;
    output->env = env;
    output->log_limit = (struct log_limit){.window_ms = UDP_LOG_WINDOW_MS, .burst = 1};
    *limits = (struct output_limits){
        .max_items = UDP_GROUP_ITEMS,
        .max_bytes = UDP_GROUP_BYTES,
        .max_in_flight = 1,
        .flush_ms = UDP_FLUSH_MS,
        .retry_initial_ms = (unsigned)output->retry_backoff_ms,
        .retry_max_ms = UDP_RETRY_MAX_MS,
    };
    struct udp_sender_options options = {
        .loop = env->loop,
        .host = arena_cstr(env->arena, output->host),
        .wake = go_on,
        .ctx = output,
    };
    output->sender = udp_sender_new(&options);
    return true;
}

static enum encode_result udp_encode(void *self, const struct event *event, struct arena *scratch,
                                     struct buf *out, struct error *err)
{
    struct udp_output *output = self;
    struct str text;
    int64_t number;
    if (!template_text(&output->port, event, scratch, &text) || !str_to_int(text, &number) ||
        number < 1 || number > UINT16_MAX) {
        error_set(err, ERROR_FORMAT, "port '%.*s' gives no port", STR_FMT(output->port.text));
        return ENCODE_REFUSED;
    }
    uint16_t port = (uint16_t)number;
    return buf_append(out, &port, sizeof port)
               ? codec_encode(&output->codec, event, scratch, out, err)
               : ENCODE_FULL;
}

static void udp_close(void *self)
{
    struct udp_output *output = self;
    udp_sender_close(output->sender);
    output->sender = NULL;
}

static void udp_close_encoder(void *self)
{
    struct udp_output *output = self;
    codec_close(&output->codec);
}

static const struct option udp_options[] = {
    {
        .name = "host",
        .doc = "Name or address of the receiver.",
        OPTION_IN_STRING(struct udp_output, host),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "port",
        .doc = "The receiver's port; may come from the event.",
        OPTION_IN_TEMPLATE(struct udp_output, port),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "codec",
        .doc = "How an event becomes a datagram; json when not given.",
        OPTION_IN_CODEC(struct udp_output, codec_option),
    },
    {
        .name = "retry_count",
        .doc = "How often a datagram that the system refuses is tried again before its event is "
               "given up.",
        OPTION_IN_INT(struct udp_output, retry_count),
        .min = 0,
        .max = 1000000,
        .def = "0",
    },
    {
        .name = "retry_backoff_ms",
        .doc = "Milliseconds before that.",
        OPTION_IN_INT(struct udp_output, retry_backoff_ms),
        .min = 1,
        .max = 60000,
        .def = "100",
    },
    OPTION_END,
};

static struct str udp_describe_item(const void *self, struct str item, struct arena *arena,
                                    struct value *object)
{
    const struct udp_output *output = self;
    uint16_t port = take_port(&item);
    describe_to(arena, object, "udp", output->host, port);
    return item;
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"retry_count", "retry_backoff_ms", NULL};

const struct output output_udp = {
    .plugin = {.name = "udp",
               .summary = "a datagram for each event",
               .options = udp_options,
               .size = sizeof(struct udp_output),
               .shared_size = sizeof(struct codec_shared),
               .scope = SCOPE_LANE},
    .sent_by = SENT_BY,
    .open_encoder = udp_open_encoder,
    .open = udp_open,
    .refuses = true,
    .encode = udp_encode,
    .describe_item = udp_describe_item,
    .send = udp_send,
    .recall = udp_recall,
    .stop = udp_stop,
    .close = udp_close,
    .close_encoder = udp_close_encoder,
};
