/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/pipeline/json_text.h"

#include <check.h>

#include "pipeline/event/event_json.h"

enum { TEXT_MAX_BYTES = 1 << 28 };

struct value value_from_json(struct arena *arena, const char *text)
{
    struct json_reader *reader = json_reader_new();
    struct value value;
    struct error err;
    bool read = json_decode(reader, arena, arena_dup(arena, str_from(text)), &value, &err);
    ck_assert_msg(read, "%s in %s", read ? "" : err.text, text);
    json_reader_free(reader);
    return value;
}

const char *json_from_value(struct arena *arena, const struct value *value)
{
    struct buf buf;
    buf_init(&buf, TEXT_MAX_BYTES);
    ck_assert(json_encode_value(value, &buf));
    const char *text = arena_cstr(arena, buf_str(&buf));
    buf_release(&buf);
    return text;
}

struct event *event_from_json(struct arena *arena, const char *text)
{
    return event_from_object(arena, value_from_json(arena, text));
}

const char *json_from_event(struct arena *arena, const struct event *event)
{
    struct value fields = value_dup(arena, &event->fields);
    value_object_remove(&fields, STR("@timestamp"));
    value_object_remove(&fields, STR("@version"));
    return json_from_value(arena, &fields);
}
