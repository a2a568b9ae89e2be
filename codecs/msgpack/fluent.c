/* SPDX-License-Identifier: Apache-2.0
 *
 * fluent: the messages of Fluentd's forward protocol, one event for each entry:
 *
 *   [tag, time, map]            [tag, [[time, map], …]]            [tag, packed entries]
 *
 * each with an object of options behind it that is passed over, so nothing is acknowledged. A time is whole seconds, or
 * extension 0 with nanoseconds, which are kept where nanosecond_precision asks for them.
 */
#include "base/text/utf8.h"
#include "codecs/codecs.h"
#include "codecs/msgpack/msgpack_stream.h"
#include "codecs/target.h"
#include "codecs/text_event.h"
#include "pipeline/event/ruby_text.h"

enum { EVENT_TIME_TYPE = 0, EVENT_TIME_BYTES = 8, NANOSECONDS_MAX = 999999999 };

struct fluent_codec {
    bool nanosecond_precision;
    struct field_ref target;

    struct msgpack_stream stream;
};

static const struct field_ref TAGS = FIELD_REF_TOP("tags");

static const struct option fluent_options[] = {
    {
        .name = "nanosecond_precision",
        .doc = "Read and write times with nanoseconds.",
        OPTION_IN_BOOL(struct fluent_codec, nanosecond_precision),
        .def = "false",
    },
    {
        .name = "target",
        .doc = "Field that gets the decoded map; without it, the map is the event.",
        OPTION_IN_FIELD(struct fluent_codec, target),
    },
    OPTION_END,
};

static bool fluent_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct fluent_codec *fluent = self;
    (void)err;
    msgpack_stream_init(&fluent->stream, env);
    return true;
}

static void fluent_close(void *self)
{
    struct fluent_codec *fluent = self;
    msgpack_stream_release(&fluent->stream);
}

/* ---- decoding ------------------------------------------------------------------------------------- */

struct entry {
    struct str tag;
    struct instant at;
    struct value record;
};

static void emit_failure(struct str bytes, struct event_sink *sink)
{
    struct event *event = text_event_new(sink->arena, utf8_repair(sink->arena, bytes), false);
    event_add_tag(event, STR("_fluentparsefailure"));
    sink->emit(sink, event);
}

static void emit_entry(const struct fluent_codec *fluent, const struct entry *entry,
                       struct event_sink *sink)
{
    struct arena *arena = sink->arena;
    struct value tags = value_array_new(arena, 1);
    struct value record = entry->record;
    value_array_push(arena, &tags, value_str(utf8_repair(arena, entry->tag)));
    if (!field_ref_is_given(&fluent->target))
        (void)value_object_remove(&record, STR("@timestamp"));
    struct event *event = target_event(&fluent->target, record, arena);
    event_set_timestamp(event, entry->at);
    (void)event_set(event, &TAGS, tags, NULL);
    sink->emit(sink, event);
}

static bool read_time(const struct fluent_codec *fluent, struct str *bytes, struct instant *out)
{
    struct msgpack_token token;
    if (msgpack_next(bytes, &token) != MSGPACK_DONE)
        return false;
    if (token.kind == MSGPACK_SCALAR && value_type(&token.scalar) == VALUE_INT) {
        *out = (struct instant){value_as_int(&token.scalar), 0};
        return true;
    }
    if (token.kind != MSGPACK_EXT || token.ext_type != EVENT_TIME_TYPE ||
        token.bytes.len != EVENT_TIME_BYTES)
        return false;
    uint32_t parts[2] = {0, 0};
    for (size_t i = 0; i < EVENT_TIME_BYTES; i++)
        parts[i / 4] = parts[i / 4] << 8 | (unsigned char)token.bytes.ptr[i];
    *out = (struct instant){parts[0], fluent->nanosecond_precision ? parts[1] : 0};
    return parts[1] <= NANOSECONDS_MAX;
}

static bool read_entry(const struct fluent_codec *fluent, struct str *bytes, struct entry *entry,
                       struct arena *arena)
{
    return read_time(fluent, bytes, &entry->at) &&
           msgpack_read(arena, bytes, &entry->record) == MSGPACK_DONE &&
           value_type(&entry->record) == VALUE_OBJECT;
}

/* Entries, each an array of a time and a map, until the bytes end. */
static bool read_entries(const struct fluent_codec *fluent, struct str bytes, uint32_t count,
                         struct entry *entry, struct event_sink *sink)
{
    for (uint32_t i = 0; i < count && bytes.len > 0; i++) {
        struct msgpack_token token;
        if (msgpack_next(&bytes, &token) != MSGPACK_DONE || token.kind != MSGPACK_ARRAY ||
            token.count != 2 || !read_entry(fluent, &bytes, entry, sink->arena))
            return false;
        emit_entry(fluent, entry, sink);
    }
    return true;
}

/* bytes: one whole value. */
static bool read_message(const struct fluent_codec *fluent, struct str bytes,
                         struct event_sink *sink)
{
    struct msgpack_token token;
    struct entry entry;
    if (msgpack_next(&bytes, &token) != MSGPACK_DONE || token.kind != MSGPACK_ARRAY ||
        token.count < 2)
        return false;
    if (msgpack_next(&bytes, &token) != MSGPACK_DONE || token.kind != MSGPACK_TEXT)
        return false;
    entry.tag = token.bytes;
    struct str behind = bytes;
    if (msgpack_next(&behind, &token) != MSGPACK_DONE)
        return false;
    if (token.kind == MSGPACK_ARRAY)
        return read_entries(fluent, behind, token.count, &entry, sink);
    if (token.kind == MSGPACK_TEXT || token.kind == MSGPACK_BYTES)
        return read_entries(fluent, token.bytes, UINT32_MAX, &entry, sink);
    if (!read_entry(fluent, &bytes, &entry, sink->arena))
        return false;
    emit_entry(fluent, &entry, sink);
    return true;
}

static void take(void *self, const struct value *value, struct str bytes, struct event_sink *sink)
{
    if (!value || !read_message(self, bytes, sink))
        emit_failure(bytes, sink);
}

static void fluent_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct fluent_codec *fluent = self;
    msgpack_stream_feed(&fluent->stream, bytes, take, self, sink);
}

static void fluent_flush(void *self, struct event_sink *sink)
{
    struct fluent_codec *fluent = self;
    msgpack_stream_flush(&fluent->stream, take, self, sink);
}

static size_t fluent_pending(const void *self)
{
    const struct fluent_codec *fluent = self;
    return fluent->stream.partial.len;
}

/* ---- encoding ------------------------------------------------------------------------------------- */

static struct str tag_of(const struct event *event, struct arena *scratch)
{
    const struct value *tags = event_get(event, &TAGS);
    if (!tags || value_type(tags) == VALUE_NULL)
        return STR("log");
    if (value_type(tags) == VALUE_ARRAY)
        return ruby_join(scratch, tags, STR("."));
    return ruby_text(scratch, tags);
}

static bool write_time(const struct fluent_codec *fluent, const struct event *event,
                       struct buf *out)
{
    struct instant at = {0, 0};
    (void)event_timestamp(event, &at);
    struct value seconds = value_int(at.seconds);
    if (!fluent->nanosecond_precision)
        return msgpack_write(&seconds, out);
    char ext[2 + EVENT_TIME_BYTES] = {(char)0xd7, EVENT_TIME_TYPE};
    for (unsigned i = 0; i < 4; i++) {
        ext[2 + i] = (char)((uint64_t)at.seconds >> (24 - 8 * i));
        ext[6 + i] = (char)(at.nanoseconds >> (24 - 8 * i));
    }
    return buf_append(out, ext, sizeof ext);
}

static bool fluent_encode(void *self, const struct event *event, struct arena *scratch,
                          struct buf *out)
{
    const struct fluent_codec *fluent = self;
    return msgpack_write_array(3, out) && msgpack_write_text(tag_of(event, scratch), out) &&
           write_time(fluent, event, out) && msgpack_write_event(event, out);
}

const struct codec codec_fluent = {
    .plugin = {.name = "fluent",
               .summary = "Fluentd's forward protocol, without acknowledgements",
               .options = fluent_options,
               .size = sizeof(struct fluent_codec)},
    .open = fluent_open,
    .decode = fluent_decode,
    .flush = fluent_flush,
    .encode = fluent_encode,
    .close = fluent_close,
    .pending = fluent_pending,
};
