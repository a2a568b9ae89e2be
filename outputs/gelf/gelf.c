/* SPDX-License-Identifier: Apache-2.0
 *
 * gelf: a GELF message for each event: compressed over UDP, in chunks when it is longer than one datagram may be, or over TCP
 * with a NUL behind it. An item of a group is the document, over TCP with its NUL.
 */
#include <assert.h>

#include "base/mem.h"
#include "io/gzip.h"
#include "outputs/describe.h"
#include "outputs/gelf/document.h"
#include "outputs/net_sender.h"
#include "outputs/outputs.h"
#include "pipeline/event/event_json.h"

enum {
    CHUNKS_MAX = 128,
    CHUNK_HEADER_BYTES = 12,
    COMPRESSION = 6,
    COMPRESSED_MAX = 4 * 1024 * 1024,
    TCP_RECONNECT_MS = 1000,
};
enum gelf_protocol { PROTOCOL_UDP, PROTOCOL_TCP };

struct gelf_output {
    struct gelf_document document;
    struct str host;
    int64_t port, chunksize;
    int protocol;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    struct gzip *zlib;
    struct buf compressed;
    struct net_sender *sender;
};

/* ---- datagrams ------------------------------------------------------------------------------------ */

static bool append_datagram(struct buf *out, struct str header, struct str data)
{
    uint16_t len = (uint16_t)(header.len + data.len);
    assert(header.len + data.len <= UINT16_MAX);
    return buf_append(out, &len, sizeof len) && buf_append_str(out, header) &&
           buf_append_str(out, data);
}

static bool append_chunks(struct gelf_output *output, struct str data, size_t count,
                          struct buf *out)
{
    size_t size = (size_t)output->chunksize;
    uint64_t id = output->env->random(output->env->random_ctx);
    char header[CHUNK_HEADER_BYTES] = {0x1e, 0x0f};
    memcpy(header + 2, &id, sizeof id);
    header[11] = (char)count;
    for (size_t i = 0; i < count; i++) {
        struct str rest = str_from_offset(data, i * size);
        header[10] = (char)i;
        if (!append_datagram(out, str_make(header, sizeof header),
                             str_make(rest.ptr, rest.len < size ? rest.len : size)))
            return false;
    }
    return true;
}

static bool pack(void *ctx, struct str document, struct buf *out, struct error *err)
{
    struct gelf_output *output = ctx;
    size_t size = (size_t)output->chunksize;
    buf_clear(&output->compressed, UINT16_MAX);
    if (!gzip_append(output->zlib, document, &output->compressed))
        return error_set(err, ERROR_LIMIT, "the message is too long");
    struct str data = buf_str(&output->compressed);
    size_t count = (data.len + size - 1) / size;
    if (count > CHUNKS_MAX)
        return error_set(err, ERROR_LIMIT,
                         "the message has %zu bytes, more than %d chunks of %zu hold: raise "
                         "chunksize",
                         data.len, CHUNKS_MAX, size);
    bool fits =
        count == 1 ? append_datagram(out, STR(""), data) : append_chunks(output, data, count, out);
    return fits || error_set(err, ERROR_LIMIT, "the message is too long");
}

/* ---- the output ----------------------------------------------------------------------------------- */

static bool gelf_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct gelf_output *output = self;
    output->document.protocol = output->protocol;
    return field_ref_parse(env->arena, output->document.short_message, env->settings->escape,
                           &output->document.short_field, err) ||
           error_prefix(err, "short_message");
}

static bool gelf_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                      struct error *err)
{
    struct gelf_output *output = self;
    struct net_sender_options options = {
        .env = env,
        .host = output->host,
        .port = (uint16_t)output->port,
        .is_udp = output->protocol == PROTOCOL_UDP,
        .reconnect_ms = TCP_RECONNECT_MS,
        .pack = pack,
        .ctx = output,
    };
    (void)err;
    output->env = env;
    output->zlib = zlib_new(COMPRESSION);
    buf_init(&output->compressed, COMPRESSED_MAX);
    output->sender = net_sender_new(&options, limits);
    return true;
}

static enum encode_result gelf_encode(void *self, const struct event *event, struct arena *scratch,
                                      struct buf *out, struct error *err)
{
    struct gelf_output *output = self;
    struct value document;
    if (!gelf_document_make(&output->document, event, scratch, &document, err))
        return ENCODE_REFUSED;
    bool fits = json_encode_value(&document, out) &&
                (output->protocol == PROTOCOL_UDP || buf_append_char(out, '\0'));
    return fits ? ENCODE_DONE : ENCODE_FULL;
}

static void gelf_send(void *self, struct group *group)
{
    struct gelf_output *output = self;
    net_sender_send(output->sender, group);
}

static void gelf_recall(void *self)
{
    struct gelf_output *output = self;
    net_sender_recall(output->sender);
}

static void gelf_stop(void *self)
{
    struct gelf_output *output = self;
    net_sender_stop(output->sender);
}

static void gelf_close(void *self)
{
    struct gelf_output *output = self;
    net_sender_close(output->sender);
    output->sender = NULL;
    gzip_free(output->zlib);
    if (output->zlib)
        buf_release(&output->compressed);
    output->zlib = NULL;
}

static const char *const PROTOCOLS[] = {"UDP", "TCP", NULL};

static const struct option gelf_options[] = {
    {
        .name = "host",
        .doc = "Name or address of the receiver.",
        OPTION_IN_STRING(struct gelf_output, host),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "port",
        .doc = "The receiver's port.",
        OPTION_IN_INT(struct gelf_output, port),
        .min = 1,
        .max = 65535,
        .def = "12201",
    },
    {
        .name = "protocol",
        .doc = "How messages are sent.",
        OPTION_IN_CHOICE(struct gelf_output, protocol),
        .choices = PROTOCOLS,
        .def = "UDP",
    },
    {
        .name = "chunksize",
        .doc = "Bytes of a message that go into one datagram; longer ones are sent in at most 128 "
               "chunks.",
        OPTION_IN_INT(struct gelf_output, chunksize),
        .min = 16,
        .max = 65000,
        .def = "1420",
    },
    {
        .name = "sender",
        .doc = "The host that a message names.",
        OPTION_IN_TEMPLATE(struct gelf_output, document.sender),
        .def = "%{host}",
    },
    {
        .name = "level",
        .doc = "Level, by name or number; of several the first that the event can fill in.",
        OPTION_IN_TEMPLATES(struct gelf_output, document.level),
        .def = "[\"%{severity}\", \"INFO\"]",
    },
    {
        .name = "short_message",
        .doc = "The field with the short message; without it, message.",
        OPTION_IN_STRING(struct gelf_output, document.short_message),
        .def = "short_message",
    },
    {
        .name = "full_message",
        .doc = "The full message.",
        OPTION_IN_TEMPLATE(struct gelf_output, document.full_message),
        .def = "%{message}",
    },
    {
        .name = "ship_metadata",
        .doc = "Send the other fields of the event.",
        OPTION_IN_BOOL(struct gelf_output, document.ship_metadata),
        .def = "true",
    },
    {
        .name = "ship_tags",
        .doc = "Send the tags.",
        OPTION_IN_BOOL(struct gelf_output, document.ship_tags),
        .def = "true",
    },
    {
        .name = "ignore_metadata",
        .doc = "Fields that are not sent.",
        OPTION_IN_STRINGS(struct gelf_output, document.ignore_metadata),
        .def = "[\"@timestamp\", \"@version\", \"severity\", \"host\", \"source_host\", "
               "\"source_path\", \"short_message\"]",
    },
    {
        .name = "custom_fields",
        .doc = "More fields and their values, as they are.",
        OPTION_IN_HASH(struct gelf_output, document.custom_fields),
    },
    {
        .name = "codec",
        .doc = "Has no effect: messages are JSON.",
        OPTION_IN_CODEC(struct gelf_output, codec),
    },
    OPTION_END,
};

static struct str gelf_describe_item(const void *self, struct str item, struct arena *arena,
                                     struct value *object)
{
    const struct gelf_output *output = self;
    bool is_udp = output->protocol == PROTOCOL_UDP;
    describe_to(arena, object, is_udp ? "udp" : "tcp", output->host, output->port);
    return item;
}

/* Names of options; struct output says what for. */
static const char *const SENT_BY[] = {"port", "chunksize", NULL};

const struct output output_gelf = {
    .plugin = {.name = "gelf",
               .summary = "messages in Graylog's GELF",
               .options = gelf_options,
               .size = sizeof(struct gelf_output),
               .scope = SCOPE_LANE},
    .sent_by = SENT_BY,
    .open_encoder = gelf_open_encoder,
    .open = gelf_open,
    .encode = gelf_encode,
    .describe_item = gelf_describe_item,
    .refuses = true,
    .send = gelf_send,
    .recall = gelf_recall,
    .stop = gelf_stop,
    .close = gelf_close,
};
