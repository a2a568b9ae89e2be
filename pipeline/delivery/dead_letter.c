/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/dead_letter.h"

enum { LETTER_VERSION = 1 };

static const struct str QUEUE = STR_INIT("dead_letter_queue");

static struct str text_of(const struct value *letter, struct str name)
{
    const struct value *value = value_object_get(letter, name);
    return value_is_str(value) ? value_as_str(value) : STR("");
}

static int64_t number_of(const struct value *letter, struct str name)
{
    const struct value *value = value_object_get(letter, name);
    return value && value_type(value) == VALUE_INT ? value_as_int(value) : 0;
}

static const struct value *object_of(const struct value *letter, struct str name)
{
    const struct value *value = value_object_get(letter, name);
    return value && value_type(value) == VALUE_OBJECT ? value : NULL;
}

static void set_text(struct arena *arena, struct value *object, const char *name, struct str text)
{
    value_object_set(arena, object, str_from(name), value_str(text));
}

static void add_origin(struct arena *arena, struct read_letter *letter)
{
    struct value origin = value_object_new(arena, 4);
    set_text(arena, &origin, "plugin_type", letter->plugin_type);
    set_text(arena, &origin, "plugin_id", letter->plugin_id);
    set_text(arena, &origin, "reason", letter->reason);
    set_text(arena, &origin, "entry_time", letter->time);
    value_object_set(arena, &letter->event->metadata, QUEUE, origin);
}

bool dead_letter_read(struct arena *arena, struct json_reader *json, struct str record,
                      struct read_letter *out, struct error *err)
{
    struct value letter;
    if (!json_decode(json, arena, record, &letter, err))
        return error_prefix(err, "a dead letter cannot be read");
    if (value_type(&letter) != VALUE_OBJECT ||
        number_of(&letter, STR("version")) != LETTER_VERSION || !object_of(&letter, STR("event")))
        return error_set(err, ERROR_FORMAT, "a record is no dead letter of version %d",
                         LETTER_VERSION);
    *out = (struct read_letter){
        .time = text_of(&letter, STR("time")),
        .plugin_type = text_of(&letter, STR("plugin_type")),
        .plugin_id = text_of(&letter, STR("plugin_id")),
        .reason = text_of(&letter, STR("reason")),
        .attempts = number_of(&letter, STR("attempts")),
        .event = event_from_object(arena, *object_of(&letter, STR("event"))),
    };
    const struct value *metadata = object_of(&letter, STR("metadata"));
    if (metadata)
        out->event->metadata = *metadata;
    out->came_back = object_of(&out->event->metadata, QUEUE) != NULL;
    add_origin(arena, out);
    return true;
}
