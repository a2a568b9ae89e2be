/* SPDX-License-Identifier: Apache-2.0
 *
 * json: reads JSON text in a field. Without a target the members of the object become fields, each by its name as a
 * field reference, as Logstash sets them.
 */
#include "filters/filters.h"
#include "pipeline/event/ruby_text.h"

struct json_filter {
    struct field_ref source;
    struct field_ref target;
    struct option_strings tag_on_failure;
    bool skip_on_invalid_json;

    const struct plugin_env *env;
    struct counter *failures;
    struct log_limit log_limit;
};

static const struct field_ref TIMESTAMP_FAILURE = FIELD_REF_TOP("_@timestamp");

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field that holds the JSON text.",
        OPTION_IN_FIELD(struct json_filter, source),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "target",
        .doc = "Field that the value goes to; without it an object's members become fields.",
        OPTION_IN_FIELD(struct json_filter, target),
    },
    {
        .name = "tag_on_failure",
        .doc = "Tags for an event whose text is not JSON.",
        OPTION_IN_STRINGS(struct json_filter, tag_on_failure),
        .def = "_jsonparsefailure",
    },
    {
        .name = "skip_on_invalid_json",
        .doc = "Leave events whose text is not JSON alone, without tags.",
        OPTION_IN_BOOL(struct json_filter, skip_on_invalid_json),
        .def = "false",
    },
    OPTION_END,
};

static bool json_filter_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct json_filter *self = plugin;
    (void)err;
    self->env = env;
    self->failures = env->counter(env, "failures");
    self->log_limit = (struct log_limit){.window_ms = 10000, .burst = 5};
    return true;
}

static enum filter_result fail(struct json_filter *self, struct event *event)
{
    counter_add(self->failures, 1);
    event_add_tags(event, &self->tag_on_failure);
    return FILTER_SKIPPED;
}

/* A name that is more than the name of a field. */
static bool set_member(struct json_filter *self, struct event *event, struct str name,
                       struct value value)
{
    struct field_ref ref;
    return field_ref_parse(event->arena, name, self->env->settings->escape, &ref, NULL) &&
           event_set(event, &ref, value, NULL);
}

static void set_timestamp(struct event *event, const struct value *given)
{
    struct instant at;
    if (value_type(given) == VALUE_NULL || value_type(given) == VALUE_BOOL)
        if (!value_truthy(given))
            return;
    if (value_is_str(given) && instant_parse_timestamp(value_as_str(given), &at)) {
        event_set_timestamp(event, at);
        return;
    }
    event_set_timestamp(event, clock_now());
    event_add_tag(event, STR("_timestampparsefailure"));
    event_set(event, &TIMESTAMP_FAILURE, value_str(ruby_text(event->arena, given)), NULL);
}

/* False when a member cannot be set; those before it stay. */
static bool set_members(struct json_filter *self, struct event *event, const struct value *object)
{
    const struct value *timestamp = NULL;
    size_t count = value_object_count(object);
    for (size_t i = event_take_members(event, object, 0); i < count;
         i = event_take_members(event, object, i + 1)) {
        struct str name;
        const struct value *value = value_object_at(object, i, &name);
        if (str_equal(name, STR("@timestamp")))
            timestamp = value;
        else if (!set_member(self, event, name, *value))
            return false;
    }
    if (timestamp)
        set_timestamp(event, timestamp);
    return true;
}

enum { MARK_BYTES = 3 };

/* A text of blanks is null. Several documents: the last one. */
static bool read_text(struct json_filter *self, struct event *event, struct str text,
                      struct value *out)
{
    static const struct json_decoding HOW = {
        .documents = JSON_LAST, .keep_decimals = true, .spare = 1 /* it is read, not added to */};
    struct error err;
    uint64_t suppressed;
    if (str_starts_with(text, STR("\xef\xbb\xbf")))
        text = str_from_offset(text, MARK_BYTES);
    *out = value_null();
    if (str_trim(text).len == 0 ||
        json_decode_as(self->env->json, event->arena, text, &HOW, out, &err))
        return true;
    if (!self->skip_on_invalid_json &&
        log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(self->env->log, "json_unreadable", "a text is no JSON",
                 LOG_STR("field", self->source.text), LOG_CSTR("reason", err.text),
                 LOG_INT_IF("not_logged_before", suppressed));
    return false;
}

static enum filter_result json_filter_apply(void *plugin, struct event *event,
                                            struct event_sink *more)
{
    struct json_filter *self = plugin;
    (void)more;
    const struct value *source = event_get(event, &self->source);
    struct value value;
    if (!source || value_type(source) == VALUE_NULL ||
        (value_type(source) == VALUE_BOOL && !value_as_bool(source)))
        return FILTER_SKIPPED;
    if (!value_is_str(source) || !read_text(self, event, value_as_str(source), &value))
        return self->skip_on_invalid_json ? FILTER_SKIPPED : fail(self, event);
    bool set = self->target.text.len > 0
                   ? event_set(event, &self->target, value, NULL)
                   : value_type(&value) == VALUE_OBJECT && set_members(self, event, &value);
    return set ? FILTER_MATCHED : fail(self, event);
}

const struct filter filter_json = {
    .plugin =
        {
            .name = "json",
            .summary = "Reads JSON text in a field.",
            .options = OPTIONS,
            .size = sizeof(struct json_filter),
        },
    .open = json_filter_open,
    .apply = json_filter_apply,
};
