/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/json_text.h"

#include "base/text/inspect.h"
#include "base/text/utf8.h"
#include "codecs/target.h"
#include "codecs/text_event.h"

void json_text_init(struct json_text *json, const struct plugin_env *env,
                    const struct field_ref *target)
{
    *json = (struct json_text){
        .reader = env->json,
        .target = target,
        .original = env->ecs != ECS_DISABLED,
        .log = env->log,
        .log_limit = {.window_ms = 10000, .burst = 5},
    };
}

static bool all_objects(const struct value *array)
{
    for (size_t i = 0; i < value_array_count(array); i++) {
        if (value_type(value_array_at(array, i)) != VALUE_OBJECT)
            return false;
    }
    return true;
}

static void emit_failure(const struct json_text *json, struct str text, struct event_sink *sink)
{
    struct str message =
        json->inspects ? inspect_unless_valid(sink->arena, text) : utf8_repair(sink->arena, text);
    struct event *event = text_event_new(sink->arena, message, json->original);
    event_add_tag(event, STR("_jsonparsefailure"));
    sink->emit(sink, event);
}

static void emit_object(const struct json_text *json, struct value object, struct str text,
                        struct event_sink *sink)
{
    struct event *event = target_event(json->target, object, sink->arena);
    if (json->original)
        text_event_keep_original(event, utf8_repair(sink->arena, text));
    sink->emit(sink, event);
}

/* The text is the original of one event only: with several it is no one's. */
static void emit_array(const struct json_text *json, const struct value *array,
                       struct event_sink *sink)
{
    for (size_t i = 0; i < value_array_count(array); i++)
        sink->emit(sink, target_event(json->target, *value_array_at(array, i), sink->arena));
}

static bool read_text(struct json_text *json, struct arena *arena, struct str text,
                      struct value *out)
{
    static const struct json_decoding HOW = {.documents = JSON_FIRST};
    struct error err;
    uint64_t suppressed;
    if (json_decode_as(json->reader, arena, text, &HOW, out, &err))
        return true;
    if (log_limit_allow(&json->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(json->log, "json_unreadable", "a text is no JSON", LOG_CSTR("reason", err.text),
                 LOG_INT_IF("not_logged_before", suppressed));
    return false;
}

void json_text_decode(struct json_text *json, struct str text, struct event_sink *sink)
{
    if (str_trim(text).len == 0)
        return;
    struct value value;
    if (!read_text(json, sink->arena, text, &value))
        emit_failure(json, text, sink);
    else if (value_type(&value) == VALUE_OBJECT)
        emit_object(json, value, text, sink);
    else if (value_type(&value) == VALUE_ARRAY && value_array_count(&value) == 1 &&
             all_objects(&value))
        emit_object(json, *value_array_at(&value, 0), text, sink);
    else if (value_type(&value) == VALUE_ARRAY && all_objects(&value))
        emit_array(json, &value, sink);
    else
        emit_failure(json, text, sink);
}
