/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/queue_line.h"

#include "base/base64.h"
#include "base/text/utf8.h"
#include "pipeline/event/origin.h"

enum { LINE_VERSION = 1, MS = 1000, NS_OF_MS = 1000000 };

/* ---- writing -------------------------------------------------------------------------------------- */

static void set_bytes(struct arena *arena, struct value *object, const char *name, struct str bytes)
{
    bool is_text = utf8_valid(bytes);
    struct str key = is_text ? str_from(name) : arena_printf(arena, "%s_base64", name);
    value_object_set(arena, object, key, value_str(is_text ? bytes : base64_encode(arena, bytes)));
}

static struct value origin_of(const struct event *event)
{
    struct arena *arena = event->arena;
    struct value origin = value_object_new(arena, 0);
    set_bytes(arena, &origin, "place", event->record->place);
    value_object_set(arena, &origin, STR("position"), value_int((int64_t)event->record->position));
    set_bytes(arena, &origin, "raw", event->record->raw);
    value_object_set(arena, &origin, STR("ordinal"), value_int(event->ordinal));
    return origin;
}

bool queue_line_write(const struct event *event, uint64_t written_ms, struct buf *out)
{
    char time[INSTANT_TEXT_MAX];
    struct instant written = {(int64_t)(written_ms / MS), (uint32_t)(written_ms % MS) * NS_OF_MS};
    size_t len = instant_format(written, time);
    bool fits = buf_printf(out, "{\"version\":%d,\"written\":\"%.*s\",\"event\":", LINE_VERSION,
                           (int)len, time) &&
                json_encode_event(event, out);
    if (value_object_count(&event->metadata) > 0)
        fits = fits && buf_append_str(out, STR(",\"metadata\":")) &&
               json_encode_value(&event->metadata, out);
    if (event->record) {
        struct value origin = origin_of(event);
        fits = fits && buf_append_str(out, STR(",\"origin\":")) && json_encode_value(&origin, out);
    }
    if (event->path != 0 || event->made != 0)
        fits = fits &&
               buf_printf(out, ",\"path\":%lld,\"made\":%u", (long long)event->path, event->made);
    return fits && buf_append_char(out, '}');
}

/* ---- reading -------------------------------------------------------------------------------------- */

static const struct value *object_of(const struct value *line, struct str name)
{
    const struct value *value = value_object_get(line, name);
    return value && value_type(value) == VALUE_OBJECT ? value : NULL;
}

static int64_t number_of(const struct value *object, struct str name)
{
    const struct value *value = value_object_get(object, name);
    return value && value_type(value) == VALUE_INT ? value_as_int(value) : 0;
}

static struct str bytes_of(struct arena *arena, const struct value *object, const char *name)
{
    struct str bytes = {0};
    const struct value *text = value_object_get(object, str_from(name));
    const struct value *packed = value_object_get(object, arena_printf(arena, "%s_base64", name));
    if (value_is_str(text))
        return value_as_str(text);
    if (value_is_str(packed) && !base64_decode(arena, value_as_str(packed), &bytes))
        bytes = (struct str){0};
    return bytes;
}

static void read_provenance(struct event *event, const struct value *line)
{
    struct arena *arena = event->arena;
    const struct value *origin = object_of(line, STR("origin"));
    if (!origin)
        return;
    event_set_record(event, origin_record_new(arena, bytes_of(arena, origin, "raw"),
                                              bytes_of(arena, origin, "place"),
                                              (uint64_t)number_of(origin, STR("position"))));
    event->ordinal = (uint32_t)number_of(origin, STR("ordinal"));
    event->path = (uint64_t)number_of(line, STR("path"));
    event->made = (uint32_t)number_of(line, STR("made"));
}

struct event *queue_line_read(struct arena *arena, struct json_reader *json, struct str line,
                              struct error *err)
{
    struct value object;
    if (!json_decode(json, arena, line, &object, err))
        return NULL;
    if (value_type(&object) != VALUE_OBJECT) {
        error_set(err, ERROR_FORMAT, "it is no object");
        return NULL;
    }
    if (!value_object_get(&object, STR("version")))
        return event_from_object(arena, object);
    const struct value *fields = object_of(&object, STR("event"));
    if (number_of(&object, STR("version")) != LINE_VERSION || !fields) {
        error_set(err, ERROR_FORMAT, "it has a version and is no line of version %d with an event",
                  LINE_VERSION);
        return NULL;
    }
    struct event *event = event_from_object(arena, *fields);
    const struct value *metadata = object_of(&object, STR("metadata"));
    if (metadata)
        event->metadata = *metadata;
    read_provenance(event, &object);
    return event;
}
