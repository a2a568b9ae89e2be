/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/gelf/message.h"

#include <math.h>

#include "base/text/inspect.h"

enum { MICROSECONDS = 1000000 };

static const struct field_ref MESSAGE = FIELD_REF_TOP("message");
static const struct field_ref FULL_MESSAGE = FIELD_REF_TOP("full_message");
static const struct field_ref SHORT_MESSAGE = FIELD_REF_TOP("short_message");
static const struct field_ref TIMESTAMP = FIELD_REF_TOP("timestamp");
static const struct field_ref SOURCE_HOST = FIELD_REF_TOP("source_host");

/* ---- time ----------------------------------------------------------------------------------------- */

static bool instant_of_seconds(double seconds, struct instant *out)
{
    if (!(seconds > -9e12 && seconds < 9e12))
        return false;
    double whole = floor(seconds);
    double fraction = floor((seconds - whole) * MICROSECONDS + 0.5);
    *out = (struct instant){(int64_t)whole, (uint32_t)fraction * 1000};
    if (fraction >= MICROSECONDS)
        *out = (struct instant){(int64_t)whole + 1, 0};
    return true;
}

static void take_timestamp(struct event *event)
{
    double seconds;
    struct instant at;
    const struct value *value = event_get(event, &TIMESTAMP);
    if (!value || !value_number(value, &seconds) || !instant_of_seconds(seconds, &at))
        return;
    event_set_timestamp(event, at);
    (void)event_remove(event, &TIMESTAMP, NULL);
}

/* ---- message -------------------------------------------------------------------------------------- */

static bool has_text(const struct value *value)
{
    return value_is_str(value) && value_as_str(value).len > 0;
}

static void remap(struct event *event)
{
    const struct value *full = event_get(event, &FULL_MESSAGE);
    const struct value *brief = event_get(event, &SHORT_MESSAGE);
    bool has_full = has_text(full);
    if (!has_full && !has_text(brief))
        return;
    bool same =
        has_full && value_is_str(brief) && str_equal(value_as_str(full), value_as_str(brief));
    struct value message = has_full ? *full : *brief;
    (void)event_set(event, &MESSAGE, message, NULL);
    if (has_full)
        (void)event_remove(event, &FULL_MESSAGE, NULL);
    if (!has_full || same)
        (void)event_remove(event, &SHORT_MESSAGE, NULL);
}

/* ---- names ---------------------------------------------------------------------------------------- */

static bool move_timestamp(struct event *event, const struct value *value)
{
    double seconds;
    struct instant at;
    bool is_number = value_is_str(value) ? str_to_double(value_as_str(value), &seconds)
                                         : value_number(value, &seconds);
    if (!is_number || !instant_of_seconds(seconds, &at))
        return false;
    event_set_timestamp(event, at);
    return true;
}

static void strip_one(struct event *event, struct str key)
{
    struct field_part part = {.name = key}, target_part = {.name = str_from_offset(key, 1)};
    struct field_ref field = {.text = key, .root = FIELD_ROOT_EVENT, .parts = &part, .count = 1};
    struct field_ref target = {
        .text = target_part.name, .root = FIELD_ROOT_EVENT, .parts = &target_part, .count = 1};
    const struct value *there = event_get(event, &field);
    if (!there)
        return;
    struct value value = *there;
    bool moved = str_equal(target.text, STR("@timestamp")) ? move_timestamp(event, &value)
                                                           : event_set(event, &target, value, NULL);
    if (moved)
        (void)event_remove(event, &field, NULL);
    else
        event_add_tag(event, STR("_gelf_move_field_failure"));
}

/* The names first, because moving changes them. */
static void strip(struct event *event)
{
    size_t count = value_object_count(&event->fields), found = 0;
    struct str *keys = arena_alloc(event->arena, (count + 1) * sizeof *keys), key;
    for (size_t i = 0; i < count; i++) {
        (void)value_object_at(&event->fields, i, &key);
        if (key.len > 1 && key.ptr[0] == '_')
            keys[found++] = key;
    }
    for (size_t i = 0; i < found; i++)
        strip_one(event, keys[i]);
}

/* ---- all of it ------------------------------------------------------------------------------------ */

static struct event *failed(struct arena *arena, struct str text)
{
    struct event *event = event_new(arena);
    struct buf quoted;
    buf_init(&quoted, SIZE_MAX / 2);
    (void)(buf_append_char(&quoted, '"') && inspect_append(text, &quoted) &&
           buf_append_char(&quoted, '"'));
    (void)event_set(event, &MESSAGE, value_str_dup(arena, buf_str(&quoted)), NULL);
    buf_release(&quoted);
    event_add_tag(event, STR("_jsonparsefailure"));
    return event;
}

struct event *gelf_event(struct json_reader *json, struct arena *arena, struct str text,
                         struct str sender, const struct gelf_rules *rules)
{
    struct value object;
    bool is_object =
        json_decode(json, arena, text, &object, NULL) && value_type(&object) == VALUE_OBJECT;
    struct event *event = is_object ? event_from_object(arena, object) : failed(arena, text);
    (void)event_set(event, &SOURCE_HOST, value_str(sender), NULL);
    take_timestamp(event);
    if (rules->remap)
        remap(event);
    if (rules->strip_underscore)
        strip(event);
    return event;
}
