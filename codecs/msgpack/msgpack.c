/* SPDX-License-Identifier: Apache-2.0
 *
 * msgpack: one MessagePack map is one event. Where the bytes are a stream, maps may follow each other and be cut anywhere.
 */
#include "base/text/utf8.h"
#include "codecs/codecs.h"
#include "codecs/msgpack/msgpack_stream.h"
#include "codecs/target.h"
#include "codecs/text_event.h"
#include "pipeline/program/evaluate.h"

struct msgpack_codec {
    struct template format;
    struct field_ref target;

    struct msgpack_stream stream;
};

static const struct field_ref MESSAGE = FIELD_REF_TOP("message");

static bool msgpack_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct msgpack_codec *msgpack = self;
    (void)err;
    msgpack_stream_init(&msgpack->stream, env);
    return true;
}

static void msgpack_close(void *self)
{
    struct msgpack_codec *msgpack = self;
    msgpack_stream_release(&msgpack->stream);
}

static void fill_message(const struct msgpack_codec *msgpack, struct event *event)
{
    const struct value *message = event_get(event, &MESSAGE);
    bool has_format = msgpack->format.parts || msgpack->format.is_literal;
    struct str text;
    if (has_format && (!message || value_type(message) == VALUE_NULL) &&
        template_text(&msgpack->format, event, event->arena, &text))
        (void)event_set(event, &MESSAGE, value_str(text), NULL);
}

static void take(void *self, const struct value *value, struct str bytes, struct event_sink *sink)
{
    const struct msgpack_codec *msgpack = self;
    struct event *event = value ? target_event(&msgpack->target, *value, sink->arena) : NULL;
    if (event) {
        fill_message(msgpack, event);
    } else {
        event = text_event_new(sink->arena, utf8_repair(sink->arena, bytes), false);
        event_add_tag(event, STR("_msgpackparsefailure"));
    }
    sink->emit(sink, event);
}

static void msgpack_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct msgpack_codec *msgpack = self;
    msgpack_stream_feed(&msgpack->stream, bytes, take, self, sink);
}

static void msgpack_flush(void *self, struct event_sink *sink)
{
    struct msgpack_codec *msgpack = self;
    msgpack_stream_flush(&msgpack->stream, take, self, sink);
}

static size_t msgpack_pending(const void *self)
{
    const struct msgpack_codec *msgpack = self;
    return msgpack->stream.partial.len;
}

static bool msgpack_encode(void *self, const struct event *event, struct arena *scratch,
                           struct buf *out)
{
    (void)self;
    (void)scratch;
    return msgpack_write_event(event, out);
}

static const struct option msgpack_options[] = {
    {
        .name = "format",
        .doc = "Text for the message of an event that has none.",
        OPTION_IN_TEMPLATE(struct msgpack_codec, format),
    },
    {
        .name = "target",
        .doc = "Field that gets the decoded map; without it, the map is the event.",
        OPTION_IN_FIELD(struct msgpack_codec, target),
    },
    OPTION_END,
};

const struct codec codec_msgpack = {
    .plugin = {.name = "msgpack",
               .summary = "MessagePack, a map for each event",
               .options = msgpack_options,
               .size = sizeof(struct msgpack_codec)},
    .open = msgpack_open,
    .decode = msgpack_decode,
    .flush = msgpack_flush,
    .encode = msgpack_encode,
    .close = msgpack_close,
    .pending = msgpack_pending,
};
