/* SPDX-License-Identifier: Apache-2.0
 *
 * udp: each datagram through the codec, which is flushed behind it (datagrams.h).
 */
#include "inputs/datagrams.h"

#include "inputs/inputs.h"
#include "io/udp_socket.h"
#include <assert.h>

struct udp_input {
    struct str host;
    int64_t port, buffer_size, receive_buffer_bytes;
    struct field_ref source_ip;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    const struct field_ref *sender_field;
    struct datagrams *datagrams;
    bool stopped;
};

static const struct field_ref HOST = FIELD_REF_TOP("host");
static const struct field_ref HOST_IP = FIELD_REF_BELOW("host", "ip");

/* A null counts as none, as in Logstash. */
static void complete(void *ctx, struct event *event)
{
    struct udp_input *input = ctx;
    const struct value *there = event_get(event, input->sender_field);
    if (!there || value_type(there) == VALUE_NULL)
        (void)event_set(event, input->sender_field, value_str(datagrams_sender(input->datagrams)),
                        NULL);
}

static bool udp_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct udp_input *input = self;
    input->env = env;
    input->sender_field = input->source_ip.text.len > 0 ? &input->source_ip
                          : env->ecs == ECS_DISABLED    ? &HOST
                                                        : &HOST_IP;
    struct datagrams_options options = {
        .env = env,
        .host = input->host,
        .port = input->port,
        .max_bytes = input->buffer_size,
        .receive_buffer_bytes = input->receive_buffer_bytes,
        .codec = input->codec,
        .codec_default = "plain",
        .ctx = input,
        .complete = complete,
    };
    input->datagrams = datagrams_new(&options, err);
    return input->datagrams != NULL;
}

static bool udp_start(void *self, struct error *err)
{
    struct udp_input *input = self;
    (void)err;
    assert(input->datagrams && !input->stopped);
    datagrams_start(input->datagrams);
    return true;
}

static void udp_stop(void *self)
{
    struct udp_input *input = self;
    if (input->stopped)
        return;
    input->stopped = true;
    datagrams_stop(input->datagrams);
    input_finished(input->env);
}

static void udp_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct udp_input *input = self;
    if (input->datagrams)
        datagrams_close(input->datagrams, closed, ctx);
    else
        closed(ctx);
}

static const struct option udp_options[] = {
    {
        .name = "port",
        .doc = "The UDP port to receive on.",
        OPTION_IN_INT(struct udp_input, port),
        .min = 0,
        .max = 65535,
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "host",
        .doc = "The address to receive on, IPv4 or IPv6; no name.",
        OPTION_IN_STRING(struct udp_input, host),
        .def = "0.0.0.0",
    },
    {
        .name = "codec",
        .doc = "How a datagram becomes events.",
        OPTION_IN_CODEC(struct udp_input, codec),
    },
    {
        .name = "buffer_size",
        .doc = "Bytes of a datagram; what is behind them is cut off and counted.",
        OPTION_IN_INT(struct udp_input, buffer_size),
        .min = 1,
        .max = 2147483647,
        .def = "65536",
    },
    {
        .name = "receive_buffer_bytes",
        .doc = "Bytes that the kernel keeps for datagrams that have not been read. Default: 8 MiB, "
               "or what "
               "net.core.rmem_max allows.",
        OPTION_IN_INT(struct udp_input, receive_buffer_bytes),
        .min = 0,
        .max = 1073741824,
        .def = "0",
    },
    {
        .name = "source_ip_fieldname",
        .doc = "Field that gets the sender's address, unless the event has it. Default: host, or "
               "[host][ip] with ECS.",
        OPTION_IN_FIELD(struct udp_input, source_ip),
    },
    {
        .name = "workers",
        .doc = "Threads that decode.",
        .note = "one lane reads, the work on the events is spread over pipeline.workers",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    {
        .name = "queue_size",
        .doc = "Datagrams that wait in memory to be decoded.",
        .note = "they wait in the kernel: use receive_buffer_bytes",
        OPTION_NOWHERE,
        .flags = OPTION_IGNORED,
    },
    OPTION_END,
};

const struct input input_udp = {
    .plugin = {.name = "udp",
               .summary = "datagrams of a UDP port",
               .options = udp_options,
               .size = sizeof(struct udp_input),
               .scope = SCOPE_PIPELINE},
    .open = udp_open,
    .start = udp_start,
    .stop = udp_stop,
    .close = udp_close,
};
