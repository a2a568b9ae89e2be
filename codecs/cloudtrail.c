/* SPDX-License-Identifier: Apache-2.0
 *
 * cloudtrail: AWS CloudTrail's log files, a JSON object whose Records are an event each. In a stream a document may be cut
 * anywhere: its end is found by counting braces.
 */
#include "base/ip_network.h"
#include "codecs/charset.h"
#include "codecs/codecs.h"
#include "codecs/text_event.h"

struct cloudtrail_codec {
    int charset_choice;

    const struct plugin_env *env;
    struct charset charset;
    struct long_lines long_lines;
    struct buf partial;
    size_t depth; /* of braces and brackets at the end of partial */
    bool in_string, escaped;
};

static const struct option cloudtrail_options[] = {
    {
        .name = "charset",
        .doc = "Encoding of the bytes that are decoded.",
        OPTION_IN_CHOICE(struct cloudtrail_codec, charset_choice),
        .choices = charset_names,
        .def = "UTF-8",
    },
    OPTION_END,
};

static bool cloudtrail_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct cloudtrail_codec *trail = self;
    trail->env = env;
    long_lines_init(&trail->long_lines, env);
    buf_init(&trail->partial, env->settings->max_event_bytes);
    return charset_open(&trail->charset, trail->charset_choice, err);
}

static void cloudtrail_close(void *self)
{
    struct cloudtrail_codec *trail = self;
    buf_release(&trail->partial);
    charset_close(&trail->charset);
}

/* ---- records -------------------------------------------------------------------------------------- */

static void move_member(struct arena *arena, struct value *object, struct str from, struct str to)
{
    const struct value *found = value_object_get(object, from);
    if (!found)
        return;
    struct value value = *found;
    value_object_remove(object, from);
    value_object_set(arena, object, to, value);
}

/* requestParameters.disableApiTermination is a boolean in some records and {"value": …} in others: always the latter. */
static void wrap_termination(struct arena *arena, struct value *record)
{
    static const struct str NAME = STR_INIT("disableApiTermination");
    struct value *parameters = value_object_get(record, STR("requestParameters"));
    if (!parameters || value_type(parameters) != VALUE_OBJECT)
        return;
    const struct value *found = value_object_get(parameters, NAME);
    if (!found || value_type(found) == VALUE_OBJECT)
        return;
    struct value wrapped = value_object_new(arena, 1);
    value_object_set(arena, &wrapped, STR("value"), *found);
    value_object_set(arena, parameters, NAME, wrapped);
}

static void emit_record(struct value record, struct event_sink *sink)
{
    struct ip_network ignored;
    if (value_type(&record) != VALUE_OBJECT)
        return;
    move_member(sink->arena, &record, STR("eventTime"), STR("@timestamp"));
    const struct value *address = value_object_get(&record, STR("sourceIpAddress"));
    if (value_is_str(address) && !ip_network_parse(value_as_str(address), &ignored))
        move_member(sink->arena, &record, STR("sourceIpAddress"), STR("sourceHost"));
    wrap_termination(sink->arena, &record);
    sink->emit(sink, event_from_object(sink->arena, record));
}

/* bytes live as long as the sink's arena. */
static void decode_document(struct cloudtrail_codec *trail, struct str bytes,
                            struct event_sink *sink)
{
    struct value document;
    struct str text = charset_to_utf8(&trail->charset, sink->arena, bytes);
    if (str_trim(text).len == 0)
        return;
    if (!json_decode(trail->env->json, sink->arena, text, &document, NULL) ||
        value_type(&document) != VALUE_OBJECT) {
        struct event *event = text_event_new(sink->arena, text, false);
        event_add_tag(event, STR("_jsonparsefailure"));
        sink->emit(sink, event);
        return;
    }
    const struct value *records = value_object_get(&document, STR("Records"));
    for (size_t i = 0;
         records && value_type(records) == VALUE_ARRAY && i < value_array_count(records); i++)
        emit_record(*value_array_at(records, i), sink);
}

/* ---- the stream ----------------------------------------------------------------------------------- */

/* How many of the bytes the document still takes; SIZE_MAX: all of them, and more. */
static size_t document_end(struct cloudtrail_codec *trail, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.ptr[i];
        if (trail->in_string) {
            trail->in_string = c != '"' || trail->escaped;
            trail->escaped = c == '\\' && !trail->escaped;
        } else if (c == '"') {
            trail->in_string = true;
        } else if (c == '{' || c == '[') {
            trail->depth++;
        } else if ((c == '}' || c == ']') && trail->depth > 0 && --trail->depth == 0) {
            return i + 1;
        }
    }
    return SIZE_MAX;
}

/* rest: so many bytes come behind it. */
static void take_partial(struct cloudtrail_codec *trail, size_t rest, struct event_sink *sink)
{
    struct str document = arena_dup(sink->arena, buf_str(&trail->partial));
    event_sink_record(sink, document, rest);
    decode_document(trail, document, sink);
    buf_clear(&trail->partial, 0);
    trail->depth = 0;
    trail->in_string = trail->escaped = false;
}

static void cloudtrail_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct cloudtrail_codec *trail = self;
    if (!trail->env->stream) {
        decode_document(trail, bytes, sink);
        return;
    }
    while (bytes.len > 0) {
        size_t end = document_end(trail, bytes);
        size_t len = end == SIZE_MAX ? bytes.len : end;
        if (!buf_append(&trail->partial, bytes.ptr, len)) {
            text_event_emit_too_long(sink, &trail->long_lines, trail->partial.max);
            buf_clear(&trail->partial, 0);
        } else if (end != SIZE_MAX) {
            take_partial(trail, bytes.len - len, sink);
        }
        bytes = str_from_offset(bytes, len);
    }
}

static void cloudtrail_flush(void *self, struct event_sink *sink)
{
    struct cloudtrail_codec *trail = self;
    if (trail->partial.len > 0)
        take_partial(trail, 0, sink);
}

static size_t cloudtrail_pending(const void *self)
{
    const struct cloudtrail_codec *trail = self;
    return trail->partial.len;
}

const struct codec codec_cloudtrail = {
    .plugin = {.name = "cloudtrail",
               .summary = "AWS CloudTrail's log files, an event for each record",
               .options = cloudtrail_options,
               .size = sizeof(struct cloudtrail_codec)},
    .open = cloudtrail_open,
    .decode = cloudtrail_decode,
    .flush = cloudtrail_flush,
    .close = cloudtrail_close,
    .pending = cloudtrail_pending,
};
