/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "inputs/tcp/tcp.h"
#include "io/tls_stream.h"

#define TCP_REF(path, ...)                                                                         \
    {                                                                                              \
        .text = STR_INIT("[@metadata][input][tcp]" path), .root = FIELD_ROOT_METADATA,             \
        .parts = (struct field_part[]){FIELD_PART("input"), FIELD_PART("tcp"), __VA_ARGS__},       \
        .count = 2 + sizeof((struct field_part[]){__VA_ARGS__}) / sizeof(struct field_part)        \
    }

/* Without and with ECS. */
static const struct field_ref HOST[] = {
    FIELD_REF_TOP("host"), TCP_REF("[source][name]", FIELD_PART("source"), FIELD_PART("name"))};
static const struct field_ref IP[] = {
    FIELD_REF_METADATA("ip_address"),
    TCP_REF("[source][ip]", FIELD_PART("source"), FIELD_PART("ip"))};
static const struct field_ref PORT[] = {
    FIELD_REF_TOP("port"), TCP_REF("[source][port]", FIELD_PART("source"), FIELD_PART("port"))};
static const struct field_ref PROXY_HOST[] = {
    FIELD_REF_TOP("proxy_host"), TCP_REF("[proxy][ip]", FIELD_PART("proxy"), FIELD_PART("ip"))};
static const struct field_ref PROXY_PORT[] = {
    FIELD_REF_TOP("proxy_port"), TCP_REF("[proxy][port]", FIELD_PART("proxy"), FIELD_PART("port"))};
static const struct field_ref SUBJECT[] = {FIELD_REF_TOP("sslsubject"),
                                           TCP_REF("[tls][client][subject]", FIELD_PART("tls"),
                                                   FIELD_PART("client"), FIELD_PART("subject"))};

void source_init(struct tcp_source *source, const struct tcp_input *input,
                 const struct peer_address *peer)
{
    source->input = input;
    source->port = peer->port;
    snprintf(source->ip, sizeof source->ip, "%s", peer->text);
    snprintf(source->name, sizeof source->name, "%s", peer->text);
    source->waits_for_header = input->options.proxy_protocol;
}

void source_set_subject(struct tcp_source *source, const struct byte_stream *stream)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct tls_peer peer = tls_stream_peer(stream, &arena);
    if (peer.verified)
        snprintf(source->subject, sizeof source->subject, "%.*s", STR_FMT(peer.subject));
    arena_release(&arena);
}

/* ---- a proxy's header ---- */

static void take_proxy(struct tcp_source *source)
{
    struct str name = source->proxy.source;
    bool client = source->input->options.mode == TCP_CLIENT_MODE;
    source->has_proxy = name.len > 0;
    if (!source->has_proxy)
        return;
    snprintf(source->name, sizeof source->name, "%.*s", STR_FMT(name));
    snprintf(source->ip, sizeof source->ip, "%.*s", client ? 0 : (int)name.len, name.ptr);
}

bool source_take_header(struct tcp_source *source, struct str *bytes_inout)
{
    assert(source->waits_for_header);
    size_t before = source->header_len, room = sizeof source->header - before, len;
    size_t taken = bytes_inout->len < room ? bytes_inout->len : room;
    memcpy(source->header + before, bytes_inout->ptr, taken);
    source->header_len += taken;
    struct str header = str_make(source->header, source->header_len);
    switch (proxy_header_read(header, &source->proxy, &len)) {
    case PROXY_HEADER_BROKEN:
        return false;
    case PROXY_HEADER_MORE:
        *bytes_inout = (struct str){0};
        return true;
    case PROXY_HEADER_WHOLE:
        break;
    }
    assert(len > before);
    *bytes_inout = str_from_offset(*bytes_inout, len - before);
    source->waits_for_header = false;
    take_proxy(source);
    return true;
}

/* ---- fields ---- */

/* null and false count as absent, as in Ruby. */
static bool is_absent(const struct event *event, const struct field_ref *ref)
{
    const struct value *value = event_get(event, ref);
    return !value || value_type(value) == VALUE_NULL ||
           (value_type(value) == VALUE_BOOL && !value_as_bool(value));
}

static void set_text(struct event *event, const struct field_ref *ref, struct str text,
                     struct str *in_batch)
{
    if (!is_absent(event, ref))
        return;
    if (!in_batch->ptr)
        *in_batch = arena_dup(event->arena, text);
    event_set(event, ref, value_str(*in_batch), NULL);
}

void source_decorate(struct tcp_source *source, struct event *event)
{
    bool ecs = source->input->env->ecs != ECS_DISABLED;
    if (source->has_proxy) {
        set_text(event, &PROXY_HOST[ecs], source->proxy.destination, &source->in_batch.proxy_ip);
        set_text(event, &PROXY_PORT[ecs], source->proxy.destination_port,
                 &source->in_batch.proxy_port);
    }
    set_text(event, &HOST[ecs], str_from(source->name), &source->in_batch.name);
    set_text(event, &IP[ecs], str_from(source->ip), &source->in_batch.ip);
    if (source->has_proxy)
        set_text(event, &PORT[ecs], source->proxy.source_port, &source->in_batch.port);
    else if (is_absent(event, &PORT[ecs]))
        event_set(event, &PORT[ecs], value_int(source->port), NULL);
    if (source->subject[0])
        set_text(event, &SUBJECT[ecs], str_from(source->subject), &source->in_batch.subject);
}

void source_batch_ended(struct tcp_source *source)
{
    memset(&source->in_batch, 0, sizeof source->in_batch);
}
